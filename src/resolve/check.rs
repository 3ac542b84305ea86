//! What is wrong with each requirement by itself: all of it is told, where a search would end
//! with the first.

use super::explain::nearest;
use super::lines::Asked;
use super::node::{number, positions};
use super::view::{ONLY, Stock, View};
use super::{Failure, Reason};
use crate::domain::{Offers, PackageName};

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
        return Some(Reason::NoHash { pinned: asked.specifiers.is_pinned() || asked.file.is_some() });
    }
    let specifiers = &asked.specifiers;
    let allowed = view.allowed(name, specifiers);
    match view.stock(name) {
        Stock::Unknown => None,
        // What metadata names by URL is for the search to judge, with who needs it.
        Stock::Direct(_) if asked.file.is_none() => None,
        Stock::Direct(direct) => (!allowed.contains(&number(ONLY))).then(|| {
            let version = direct.version.as_ref().map(ToString::to_string).unwrap_or_default();
            let filename = &direct.offer.filename;
            Reason::WrongFile(format!("{filename} is version {version}, and {specifiers} is asked for"))
        }),
        Stock::Listed(shelf) => {
            let matching = positions(&allowed, shelf.offers().versions().len());
            let chosen = shelf.choose(&matching, view.opt_in(name), None);
            let disagree = || disagreement(name, asked, &matching, shelf.offers());
            chosen.is_none().then(|| disagree().unwrap_or_else(|| Reason::of_shelf(&shelf, &matching, specifiers)))
        }
    }
}

/// Lines of which each may be met, and no version meets all.
fn disagreement(name: &PackageName, asked: &Asked<'_>, matching: &[usize], offers: &Offers) -> Option<Reason> {
    let bounds: Vec<_> = asked.all().filter(|line| line.specifiers().is_some_and(|all| !all.is_any())).collect();
    if bounds.len() < 2 || !matching.is_empty() || offers.versions().is_empty() {
        return None;
    }
    let nearest: Vec<_> = nearest(offers.versions(), &asked.specifiers).iter().map(ToString::to_string).collect();
    let lines = bounds.iter().map(|line| format!("{} asks for {line:#}", line.origin));
    let facts = lines.chain([format!("the nearest versions of {name} are {}", nearest.join(", "))]).collect();
    Some(Reason::Conflict { facts, projects: Vec::new(), is_about_files: false })
}

fn is_promised(asked: &Asked<'_>) -> bool {
    let in_url = matches!(&asked.file, Some(Ok(direct)) if !direct.offer.promises.asked.is_empty());
    in_url || !asked.hashes().is_empty()
}
