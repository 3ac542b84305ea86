//! The markers (PEP 508) that tell the targets of a bundle apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Fetched, FetchedFile, MarkerEnvironment};

/// For each target of a bundle, the condition that holds on it and not on the others, as far as
/// markers can tell.
pub struct TargetMarkers(Vec<Conjunction>);

/// A conjunction of marker variables with the values that they must have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Conjunction(Vec<(&'static str, String)>);

impl Conjunction {
    fn marker(&self) -> String {
        self.clauses("==").join(" and ")
    }

    fn negation(&self) -> String {
        format!("({})", self.clauses("!=").join(" or "))
    }

    fn clauses(&self, operator: &str) -> Vec<String> {
        self.0.iter().map(|(variable, value)| format!("{variable} {operator} '{}'", plain(value))).collect()
    }
}

/// How many marker variables are compared.
const VARIABLES: usize = 4;

/// The compared marker variables with their values on one target.
type MarkerValues = [(&'static str, String); VARIABLES];

impl TargetMarkers {
    pub fn of(fetched: &Fetched) -> Self {
        Self::of_markers(fetched.targets.iter().map(|target| target.markers()))
    }

    /// Returns no conditions, for a file that is for one target alone.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    fn of_markers<'a>(targets: impl Iterator<Item = &'a MarkerEnvironment>) -> Self {
        let targets: Vec<_> = targets.map(marker_values).collect();
        let differs = |variable: &usize| targets.iter().any(|values| values[*variable] != targets[0][*variable]);
        let differing: Vec<_> = (0..VARIABLES).filter(differs).collect();
        let condition =
            |values: &MarkerValues| Conjunction(differing.iter().map(|variable| values[*variable].clone()).collect());
        Self(targets.iter().map(condition).collect())
    }

    /// Returns the markers of all targets with all compared variables, without duplicates.
    pub fn environments(fetched: &Fetched) -> Vec<String> {
        let markers = fetched.targets.iter().map(|target| Conjunction(marker_values(target.markers()).into()).marker());
        markers.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Returns the marker that holds on none of the targets, or `None` if markers cannot tell them
    /// apart.
    pub fn marker_of_none(&self) -> Option<String> {
        let target_markers: BTreeSet<_> = self.0.iter().filter(|condition| !condition.0.is_empty()).collect();
        let negations: Vec<_> = target_markers.into_iter().map(Conjunction::negation).collect();
        (!negations.is_empty()).then(|| negations.join(" and "))
    }

    /// Returns the marker that holds on the targets of `files`, or `None` if these are all targets
    /// or markers cannot tell them from the others.
    pub fn marker(&self, files: &[&FetchedFile]) -> Option<String> {
        self.marker_on(files.iter().flat_map(|file| &file.targets))
    }

    /// Returns the marker that holds on the targets at these positions, or `None` if these are all
    /// targets or markers cannot tell them from the others.
    pub fn marker_on<'t>(&self, targets: impl Iterator<Item = &'t usize>) -> Option<String> {
        let served: BTreeSet<_> = targets.filter_map(|target| self.0.get(*target)).collect();
        let is_everywhere = self.0.iter().all(|condition| served.contains(condition));
        let alternatives: Vec<_> = served.into_iter().map(Conjunction::marker).collect();
        (!is_everywhere && !alternatives.is_empty()).then(|| alternatives.join(" or "))
    }

    /// Whether two targets that get different versions of a project have the same condition.
    pub fn are_ambiguous(&self, fetched: &Fetched) -> bool {
        let mut versions = BTreeMap::new();
        fetched.files().any(|(package, file)| {
            file.targets.iter().filter_map(|target| self.0.get(*target)).any(|condition| {
                let known = versions.entry((&package.name, condition)).or_insert(&package.version);
                *known != &package.version
            })
        })
    }
}

/// Returns a marker value without the characters that could end its quotation; a made-up value that
/// has some then matches nowhere.
fn plain(value: &str) -> String {
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || " ._+-".contains(*character);
    value.chars().filter(is_plain).collect()
}

fn marker_values(target: &MarkerEnvironment) -> MarkerValues {
    [
        ("python_version", target.python_version().to_string()),
        ("sys_platform", target.sys_platform().to_owned()),
        ("platform_machine", target.platform_machine().to_owned()),
        ("implementation_name", target.implementation_name().to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use crate::domain::MarkerEnvironmentBuilder;

    use super::*;
    use crate::layout::test_fixtures::file;

    fn target(python_version: &'static str, sys_platform: &'static str) -> MarkerEnvironment {
        MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: python_version,
            os_name: "posix",
            platform_machine: "x86_64",
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system: "",
            platform_version: "",
            python_full_version: python_version,
            python_version,
            sys_platform,
        })
        .unwrap()
    }

    fn marker(targets: &[MarkerEnvironment], served: &[usize]) -> Option<String> {
        let mut file = file("demo-1.0.zip", b"bytes");
        file.targets = served.to_vec();
        TargetMarkers::of_markers(targets.iter()).marker(&[&file])
    }

    /// `and` binds tighter than `or` (PEP 508).
    #[test]
    fn a_marker_says_no_more_than_what_tells_targets_apart() {
        let pythons = [target("3.9", "linux"), target("3.10", "linux")];
        assert_eq!(marker(&pythons, &[0, 1]), None);
        assert_eq!(marker(&pythons, &[1]).unwrap(), "python_version == '3.10'");
        let platforms = [target("3.9", "linux"), target("3.9", "win32"), target("3.10", "linux")];
        assert_eq!(
            marker(&platforms, &[0, 1]).unwrap(),
            "python_version == '3.9' and sys_platform == 'linux' or python_version == '3.9' and sys_platform == 'win32'"
        );
        assert_eq!(marker(&[target("3.9", "linux"), target("3.9", "linux")], &[1]), None);
        assert_eq!(marker(&[], &[]), None);
    }

    #[test]
    fn a_marker_holds_where_none_of_the_targets_is() {
        let none = |targets: &[MarkerEnvironment]| TargetMarkers::of_markers(targets.iter()).marker_of_none();
        assert_eq!(none(&[target("3.9", "linux")]), None);
        assert_eq!(
            none(&[target("3.9", "linux"), target("3.10", "win32")]).unwrap(),
            "(python_version != '3.10' or sys_platform != 'win32') and (python_version != '3.9' or sys_platform != 'linux')"
        );
    }
}
