//! The lines of the inputs that hold on a target, by project.

use std::collections::BTreeMap;

use super::Question;
use crate::domain::{Digest, Origin, PackageName, Requirement, Source, Specifiers, Target};
use crate::select::OptIn;

/// All lines that hold for one project on one target.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked<'a> {
    pub requirements: Vec<&'a Requirement>,
    pub constraints: Vec<&'a Requirement>,
}

/// The lines whose markers hold on `target`, by project. A line that does not tell its project
/// is in the second list.
pub(super) fn group<'a>(
    question: &'a Question,
    target: &Target,
) -> (BTreeMap<&'a PackageName, Asked<'a>>, Vec<&'a Requirement>) {
    let mut asked: BTreeMap<&PackageName, Asked<'_>> = BTreeMap::new();
    let mut nameless = Vec::new();
    let holds = |requirement: &&Requirement| requirement.marker.evaluate(target.markers(), &[]);
    for requirement in question.requirements.iter().filter(holds) {
        match &requirement.name {
            Some(name) if requirement.constraint => asked.entry(name).or_default().constraints.push(requirement),
            Some(name) => asked.entry(name).or_default().requirements.push(requirement),
            None => nameless.push(requirement),
        }
    }
    (asked, nameless)
}

impl<'a> Asked<'a> {
    /// Whether it is asked for at all, and not only bounded.
    pub fn is_required(&self) -> bool {
        !self.requirements.is_empty()
    }

    /// A URL or archive beats the index; one in a requirement beats one in a constraint.
    pub fn direct(&self) -> Option<&'a Requirement> {
        self.lines().find(|requirement| !matches!(requirement.source, Source::Index(_)))
    }

    /// What all lines together ask.
    pub fn specifiers(&self) -> Specifiers {
        self.lines().filter_map(Requirement::specifiers).fold(Specifiers::any(), |both, more| both.and(more))
    }

    /// What the constraints alone ask.
    pub fn bounds(&self) -> Specifiers {
        let bounds = self.constraints.iter().filter_map(|constraint| constraint.specifiers());
        bounds.fold(Specifiers::any(), |both, more| both.and(more))
    }

    pub fn opt_in(&self) -> OptIn {
        OptIn::of(&self.specifiers())
    }

    /// The digests of the first line that has any, a requirement's before a constraint's (pip's
    /// rule, `facts/pip.md` 2.3).
    pub fn hashes(&self) -> &'a [Digest] {
        let mut hashes = self.lines().map(|requirement| requirement.hashes.as_slice());
        hashes.find(|hashes| !hashes.is_empty()).unwrap_or_default()
    }

    pub fn origins(&self) -> Vec<Origin> {
        self.lines().map(|requirement| requirement.origin.clone()).collect()
    }

    fn lines(&self) -> impl Iterator<Item = &'a Requirement> {
        self.requirements.iter().chain(&self.constraints).copied()
    }
}
