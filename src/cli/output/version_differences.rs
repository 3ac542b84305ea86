//! Words the line about projects of which targets got different versions.

use std::collections::BTreeMap;

use super::report::Report;
use crate::cli::plural::listed;

/// The number of projects that are named at most.
const MAX_PROJECTS: usize = 4;

/// Returns a sentence that names these projects and their versions, if there are any.
///
/// `could_share` says whether an option would make targets share versions.
pub fn of(report: &Report, could_share: bool) -> Option<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, version) in report.installed_versions() {
        versions.entry(name).or_default().push(version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    let projects: Vec<_> =
        versions.iter().map(|(name, versions)| format!("{name} ({})", versions.join(", "))).collect();
    let named = listed(&projects, MAX_PROJECTS);
    let option =
        if could_share { "; --fork-strategy fewest shares a version wherever one is right for several" } else { "" };
    (!projects.is_empty()).then(|| format!("Targets got different versions of {named}{option}."))
}
