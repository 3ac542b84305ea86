//! Tells of versions that were passed over because they need a later release of the target's Python: a
//! target of Python 3.11 stands for 3.11.0, as in pip.

use super::dependency_graph::{Decisions, DependencyGraph};
use super::search_view::{PackageSource, SearchView};
use super::solution::{position, specifiers};
use crate::domain::{PackageName, Specifiers, Version, list_first};
use crate::select::CandidateSelector;

/// The number of versions that a note names.
const NAMED: usize = 5;

/// Returns a note that names the versions, if there are any and the target is a first release, which may
/// stand for all of its series.
pub(super) fn note(view: &SearchView<'_, '_>, decided: &Decisions, graph: &DependencyGraph<'_>) -> Option<String> {
    let python = view.problem.target.python();
    if python.release().get(2).is_some_and(|patch| *patch > 0) {
        return None;
    }
    let demands = graph.demands();
    let passed_over = graph.projects().filter_map(|name| {
        let PackageSource::Listed(selector) = view.source(name) else { return None };
        let all = specifiers(view, name, demands.get(name));
        let (version, release) = newest_for_a_later_release(&selector, position(decided, name), &all)?;
        Some((name, version, release))
    });
    let passed_over: Vec<(&PackageName, Version, Version)> = passed_over.collect();
    let latest = passed_over.iter().map(|(_, _, release)| release).max()?;
    let named = passed_over.iter().map(|(name, version, release)| format!("{name} {version} ({release})"));
    Some(format!(
        "newer versions need a later release of Python than {python}: {}; a target of Python {latest} gets them",
        list_first(named, NAMED)
    ))
}

/// Returns the newest version after the one at `chosen` that all requirements allow, and the release that it
/// needs, if that is later than the target's.
fn newest_for_a_later_release(
    selector: &CandidateSelector<'_>,
    chosen: usize,
    allowed: &Specifiers,
) -> Option<(Version, Version)> {
    let versions = selector.candidates().versions();
    let newer = (chosen + 1..versions.len()).rev().filter(|position| {
        let version = &versions[*position];
        !version.any_prerelease() && allowed.contains(version)
    });
    newer.into_iter().find_map(|position| Some((versions[position].clone(), selector.later_release(position)?)))
}
