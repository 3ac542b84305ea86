//! Checks each requirement by itself before the search, so that every fault is reported; a search
//! would end with the first.

use super::failure::nearest;
use super::node::{number, positions};
use super::search_view::{ONLY, PackageSource, SearchView};
use super::target_requirements::ProjectRequirements;
use super::{Failure, Reason};
use crate::domain::{Candidates, PackageName};

/// Returns the faults of the user's own lines.
pub(super) fn faults(view: &SearchView<'_, '_>) -> Vec<Failure> {
    let lines = &view.problem.lines;
    let nameless = lines.nameless.iter().copied().map(Failure::nameless);
    let faults = lines.required().filter_map(|(name, asked)| Some(Failure::of(name, asked, fault(view, name, asked)?)));
    nameless.chain(faults).collect()
}

fn fault(view: &SearchView<'_, '_>, name: &PackageName, asked: &ProjectRequirements<'_>) -> Option<Reason> {
    if let Some(Err(reason)) = &asked.file {
        return Some(reason.clone());
    }
    if view.problem.question.require_hashes && !has_digest(asked) {
        return Some(Reason::NoHash { pinned: asked.specifiers.is_pinned() || asked.file.is_some() });
    }
    let specifiers = &asked.specifiers;
    let allowed = view.allowed(name, specifiers);
    match view.source(name) {
        PackageSource::Pending => None,
        // What metadata names by URL is for the search to judge, with who needs it.
        PackageSource::Direct(_) if asked.file.is_none() => None,
        PackageSource::Direct(direct) => (!allowed.contains(&number(ONLY))).then(|| {
            let version = direct.version.as_ref().map(ToString::to_string).unwrap_or_default();
            let filename = &direct.link.filename;
            Reason::WrongFile(format!("{filename} is version {version}, and {specifiers} is asked for"))
        }),
        PackageSource::Listed(selector) => {
            let matching = positions(&allowed, selector.candidates().versions().len());
            let chosen = selector.choose(&matching, view.opt_in(name), &[]);
            let disagree = || disagreement(name, asked, &matching, selector.candidates());
            chosen
                .is_none()
                .then(|| disagree().unwrap_or_else(|| Reason::of_selector(&selector, &matching, specifiers)))
        }
    }
}

/// Returns the reason of a failure if no version satisfies all lines of a project.
fn disagreement(
    name: &PackageName,
    asked: &ProjectRequirements<'_>,
    matching: &[usize],
    candidates: &Candidates,
) -> Option<Reason> {
    let bounds: Vec<_> = asked.all().filter(|line| line.specifiers().is_some_and(|all| !all.is_any())).collect();
    if bounds.len() < 2 || !matching.is_empty() || candidates.versions().is_empty() {
        return None;
    }
    let nearest: Vec<_> = nearest(candidates.versions(), &asked.specifiers).iter().map(ToString::to_string).collect();
    let lines = bounds.iter().map(|line| format!("{} asks for {line:#}", line.origin));
    let facts = lines.chain([format!("the nearest versions of {name} are {}", nearest.join(", "))]).collect();
    Some(Reason::conflict_of_lines(facts))
}

fn has_digest(asked: &ProjectRequirements<'_>) -> bool {
    let in_url = matches!(&asked.file, Some(Ok(direct)) if !direct.link.expected.by_user.is_empty());
    in_url || !asked.hashes().is_empty()
}
