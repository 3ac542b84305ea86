//! The question that a run answers: which files install these requirements.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{FormatControl, PackageName, ReleaseControl, Requirement, Specifiers, Timestamp};

/// What is to be resolved: requirements, and the options that decide what may be chosen.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Question {
    /// Requirements and constraints in the order in which they were read.
    pub requirements: Vec<Requirement>,
    pub policy: SelectionPolicy,
    /// Whether every file needs a digest given by the user (pip's hash-checking mode).
    pub require_hashes: bool,
    /// Whether dependencies are resolved, too.
    pub follow_dependencies: bool,
    /// Whether the source archive beside each wheel is fetched, too; the search ignores it.
    pub with_sources: bool,
    /// Which targets share the versions of a project.
    pub fork_strategy: ForkStrategy,
}

/// A question with the targets that it is answered for.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetedQuestion {
    pub question: Question,
    /// The positions of the targets.
    pub targets: Vec<usize>,
}

/// Options that restrict which files may be selected, for every project of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SelectionPolicy {
    pub formats: FormatControl,
    /// Whether any wheel is preferred to any source archive, even of a newer version.
    pub prefer_binary: bool,
    pub releases: ReleaseControl,
    /// The moment from which on uploaded files are ignored.
    pub exclude_newer: Option<Timestamp>,
}

/// Which targets share the versions of a project (uv's `--fork-strategy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum ForkStrategy {
    /// Each target gets the newest versions it can use, whatever the others get.
    #[default]
    PerTarget,
    /// Targets of one Python version share versions; each Python version gets the newest.
    RequiresPython,
    /// All targets share versions.
    Fewest,
}

impl Question {
    /// Returns the question for the targets at these positions.
    pub fn for_targets(self, targets: Vec<usize>) -> TargetedQuestion {
        TargetedQuestion { question: self, targets }
    }

    /// Returns the versions of each project that are allowed on every target, by the lines without
    /// a marker.
    ///
    /// No solution has any other version.
    pub fn unconditional_bounds(&self) -> BTreeMap<PackageName, Specifiers> {
        let mut bounds: BTreeMap<_, Vec<&Specifiers>> = BTreeMap::new();
        for requirement in self.requirements.iter().filter(|requirement| requirement.marker.is_always()) {
            if let (Some(name), Some(specifiers)) = (&requirement.name, requirement.specifiers()) {
                bounds.entry(name).or_default().push(specifiers);
            }
        }
        bounds.into_iter().map(|(name, bounds)| (name.clone(), Specifiers::all(bounds))).collect()
    }
}

impl SelectionPolicy {
    /// Returns the policy of a lock: only formats are restricted, since the lock decides versions.
    pub fn of_lock(&self) -> Self {
        Self { formats: self.formats.clone(), ..Self::default() }
    }

    /// Returns the policy with source archives as the only allowed files.
    #[must_use]
    pub fn without_wheels(&self) -> Self {
        let mut policy = self.clone();
        policy.formats = FormatControl::default();
        policy.formats.no_binary(":all:").expect("`:all:` is such a value");
        policy
    }
}
