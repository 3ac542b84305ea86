//! The problem of one target, kept from step to step: its requirements, and results that were
//! derived from facts, to which facts are only added.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::node::{VersionSet, version_set};
use super::target_requirements::TargetRequirements;
use super::version_dependencies::DependencyCache;
use super::{Facts, Failure};
use crate::domain::{Candidates, Digest, PackageName, Question, Solution, Specifiers, Target};
use crate::select::CandidateSelector;

/// What is to be solved for one target, with caches of intermediate results.
pub(super) struct TargetProblem<'a> {
    pub question: &'a Question,
    pub target: &'a Target,
    pub lines: TargetRequirements<'a>,
    /// The final result, once no fact is missing for it.
    pub settled: Option<Result<Solution, Vec<Failure>>>,
    /// The dependencies that searches derived.
    pub dependency_cache: DependencyCache,
    selectors: RefCell<FxHashMap<PackageName, Rc<CandidateSelector<'a>>>>,
}

impl<'a> TargetProblem<'a> {
    pub fn new(question: &'a Question, target: &'a Target) -> Self {
        let lines = TargetRequirements::of(question, target);
        Self {
            question,
            target,
            lines,
            settled: None,
            dependency_cache: DependencyCache::default(),
            selectors: RefCell::default(),
        }
    }

    /// Returns the files of `name` as the target may use them; `None` while its listing is not
    /// known.
    pub fn selector(&self, name: &PackageName, facts: &Facts) -> Option<Rc<CandidateSelector<'a>>> {
        if let Some(selector) = self.selectors.borrow().get(name) {
            return Some(selector.clone());
        }
        let candidates = facts.candidates.get(name)?.clone();
        let selector =
            CandidateSelector::new(candidates, name.clone(), self.hashes(name), self.target, &self.question.policy);
        let selector = Rc::new(selector);
        self.selectors.borrow_mut().insert(name.clone(), selector.clone());
        Some(selector)
    }

    /// Returns the digests that the user allows for `name`; empty means any.
    pub fn hashes(&self, name: &PackageName) -> &'a [Digest] {
        self.lines.of_project(name).map(|asked| asked.hashes()).unwrap_or_default()
    }
}

/// Caches which versions of a project specifiers allow; shared by all targets.
#[derive(Default)]
pub(super) struct SpecifierCache(RefCell<FxHashMap<PackageName, FxHashMap<Specifiers, VersionSet>>>);

impl SpecifierCache {
    /// Returns the positions in `candidates` of `name` that `specifiers` allow.
    pub fn of(&self, name: &PackageName, specifiers: &Specifiers, candidates: &Arc<Candidates>) -> VersionSet {
        if specifiers.is_any() {
            return VersionSet::full();
        }
        let mut known = self.0.borrow_mut();
        if let Some(set) = known.get(name).and_then(|sets| sets.get(specifiers)) {
            return set.clone();
        }
        let versions = candidates.versions();
        let set = version_set(versions.len(), |position| specifiers.contains(&versions[position]));
        known.entry(name.clone()).or_default().insert(specifiers.clone(), set.clone());
        set
    }
}
