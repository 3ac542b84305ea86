//! The requirements and constraints that apply on a target, by project.

use rustc_hash::FxHashMap;

use super::Reason;
use super::direct_url::{DirectUrl, is_same_file};
use crate::domain::{Digest, Origin, PackageName, Question, Requirement, Source, Specifiers, Target};
use crate::select::OptIn;

/// All requirements and constraints that apply on one target.
#[derive(Debug, Default)]
pub(super) struct TargetRequirements<'a> {
    by_project: FxHashMap<&'a PackageName, ProjectRequirements<'a>>,
    /// Lines that do not state their project.
    pub nameless: Vec<&'a Requirement>,
}

/// The requirements and constraints of one project on one target.
#[derive(Debug, Default)]
pub(super) struct ProjectRequirements<'a> {
    pub requirements: Vec<&'a Requirement>,
    pub constraints: Vec<&'a Requirement>,
    /// The file that a line names, or why it cannot be used.
    pub file: Option<Result<DirectUrl, Reason>>,
    /// The specifiers of all lines together.
    pub specifiers: Specifiers,
    /// The specifiers of the constraints alone.
    pub bounds: Specifiers,
    pub opt_in: OptIn,
}

impl<'a> TargetRequirements<'a> {
    /// Returns the lines whose markers hold on `target`.
    pub fn of(question: &'a Question, target: &Target) -> Self {
        let mut lines = Self::default();
        let holds = |requirement: &&Requirement| requirement.marker.evaluate(target.markers(), &[]);
        for requirement in question.requirements.iter().filter(holds) {
            let Some(name) = &requirement.name else {
                lines.nameless.push(requirement);
                continue;
            };
            let asked = lines.by_project.entry(name).or_default();
            let role = if requirement.constraint { &mut asked.constraints } else { &mut asked.requirements };
            role.push(requirement);
        }
        lines.by_project.iter_mut().for_each(|(name, asked)| asked.combine(name, target));
        lines
    }

    /// Returns the lines about `name`, if there are any.
    pub fn of_project(&self, name: &PackageName) -> Option<&ProjectRequirements<'a>> {
        self.by_project.get(name)
    }

    /// Returns the projects that are required and not only constrained, sorted by name.
    pub fn required(&self) -> impl Iterator<Item = (&'a PackageName, &ProjectRequirements<'a>)> {
        let asked = self.by_project.iter().map(|(name, asked)| (*name, asked));
        let mut required: Vec<_> = asked.filter(|(_, asked)| asked.is_required()).collect();
        required.sort_unstable_by_key(|(name, _)| *name);
        required.into_iter()
    }
}

impl<'a> ProjectRequirements<'a> {
    /// Whether the project is required and not only constrained.
    pub fn is_required(&self) -> bool {
        !self.requirements.is_empty()
    }

    /// Returns the digests of the first line that has any, requirements before constraints (pip's
    /// rule, `docs/facts/pip.md` 2.3).
    pub fn hashes(&self) -> &'a [Digest] {
        let mut hashes = self.all().map(|requirement| requirement.hashes.as_slice());
        hashes.find(|hashes| !hashes.is_empty()).unwrap_or_default()
    }

    pub fn origins(&self) -> Vec<Origin> {
        self.all().map(|requirement| requirement.origin.clone()).collect()
    }

    /// Returns the requirements, then the constraints.
    pub fn all(&self) -> impl Iterator<Item = &'a Requirement> {
        self.requirements.iter().chain(&self.constraints).copied()
    }

    fn combine(&mut self, name: &PackageName, target: &Target) {
        let bounds = self.constraints.iter().filter_map(|constraint| constraint.specifiers());
        self.bounds = Specifiers::all(bounds);
        self.specifiers = Specifiers::all(self.all().filter_map(Requirement::specifiers));
        self.opt_in = OptIn::of(&self.specifiers);
        self.file = self.named_file(name, target);
    }

    /// Returns the file that lines name, which takes precedence over the index; all lines that name
    /// a file must name the same.
    fn named_file(&self, name: &PackageName, target: &Target) -> Option<Result<DirectUrl, Reason>> {
        let mut direct = self.all().filter(|requirement| !matches!(requirement.source, Source::Index(_)));
        let first = direct.next()?;
        if direct.any(|other| !is_same_file(&first.source, &other.source)) {
            let named = self.all().filter(|requirement| requirement.specifiers().is_none());
            let facts = named.map(|line| format!("{} asks for {line}", line.origin)).collect();
            return Some(Err(Reason::conflict_of_lines(facts)));
        }
        Some(DirectUrl::of_requirement(name, first, self.hashes(), target))
    }
}
