//! What is wrong with each requirement by itself: all of it is told, where a search would end
//! with the first.

use super::lines::Asked;
use super::node::{number, positions};
use super::view::{ONLY, Stock, View};
use super::{Failure, Reason};
use crate::domain::PackageName;

/// The faults of the user's own lines.
pub(super) fn faults(view: &View<'_, '_>) -> Vec<Failure> {
    let lines = &view.case.lines;
    let nameless = lines.nameless.iter().copied().map(Failure::nameless);
    let faults = lines.required().filter_map(|(name, asked)| Some(Failure::of(name, asked, fault(view, name, asked)?)));
    nameless.chain(faults).collect()
}

fn fault(view: &View<'_, '_>, name: &PackageName, asked: &Asked<'_>) -> Option<Reason> {
    if let Some(Err(reason)) = &asked.file {
        return Some(reason.clone());
    }
    if view.case.question.require_hashes && !is_promised(asked) {
        return Some(Reason::NoHash { pinned: asked.specifiers.is_pinned() });
    }
    let specifiers = &asked.specifiers;
    let allowed = view.allowed(name, specifiers);
    match view.stock(name) {
        Stock::Unknown => None,
        Stock::Direct(direct) => (!allowed.contains(&number(ONLY))).then(|| {
            let version = direct.version.as_ref().map(ToString::to_string).unwrap_or_default();
            let filename = &direct.offer.filename;
            Reason::WrongFile(format!("{filename} is version {version}, and {specifiers} is asked for"))
        }),
        Stock::Listed(shelf) => {
            let matching = positions(&allowed, shelf.offers().versions().len());
            let chosen = shelf.choose(&matching, view.opt_in(name), None);
            chosen.is_none().then(|| Reason::of_shelf(&shelf, &matching, specifiers))
        }
    }
}

fn is_promised(asked: &Asked<'_>) -> bool {
    let in_url = matches!(&asked.file, Some(Ok(direct)) if !direct.offer.promises.asked.is_empty());
    in_url || !asked.hashes().is_empty()
}
