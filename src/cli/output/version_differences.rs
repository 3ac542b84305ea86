//! The line that tells which projects have several versions, since targets got different ones.

use std::collections::BTreeMap;

use super::report::Report;

/// How many projects are named one by one.
const MAX_PROJECTS: usize = 4;

/// One sentence that names the projects and their versions; none where all targets got the same.
/// `could_share` where an option would have them share versions.
pub fn of(report: &Report, could_share: bool) -> Option<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, version) in report.installed_versions() {
        versions.entry(name).or_default().push(version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    let named = versions.iter().take(MAX_PROJECTS);
    let named: Vec<_> = named.map(|(name, versions)| format!("{name} ({})", versions.join(", "))).collect();
    let more = match versions.len().saturating_sub(MAX_PROJECTS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let option =
        if could_share { "; --fork-strategy fewest shares a version wherever one is right for several" } else { "" };
    (!named.is_empty()).then(|| format!("Targets got different versions of {}{more}{option}.", named.join(", ")))
}
