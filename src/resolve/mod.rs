//! Facts → solution: which version and file of each project every target gets.
//!
//! [`step`] is pure: the same question and facts always give the same step, whatever was cached
//! and in whatever order answers came. It never asks for anything itself; it says what it would
//! have to know ([`MissingFacts`]), and the caller finds out and steps again.
//!
//! The search is PubGrub's (the crate `pubgrub`). What is not known yet does not end it: a project
//! whose listing is missing has one version without needs for the time being, and a file whose
//! metadata is missing needs nothing. So one step finds everything that the search would look at
//! next, and an answer counts only once nothing was missing.

mod assumptions;
mod check_requirements;
mod conflict;
mod decision_order;
mod dependency_graph;
mod direct_url;
mod failure;
mod locked;
mod node;
mod prefetcher;
mod preinstalled;
mod provider;
mod search_view;
mod solution;
mod solve;
mod target_problem;
mod target_requirements;
mod unbuilt_solution;
mod version_dependencies;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

pub use failure::{Failure, Reason};
pub use locked::LockQuestion;
pub use prefetcher::NewFact;

use prefetcher::{PrefetchState, Prefetcher};
use solve::{SearchProgress, TargetOutcome};
use target_problem::{SpecifierCache, TargetProblem};

use crate::domain::{
    Candidate, Candidates, MaskedUrl, MetadataUnavailable, PackageName, Requirement, ResolutionMetadata, Solution,
    Specifiers, Target, Version,
};
use crate::select::Policy;

/// What is to be solved: requirements, and the options that decide what may be chosen.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Question {
    /// Requirements and constraints in the order in which they were read.
    pub requirements: Vec<Requirement>,
    pub policy: Policy,
    /// Every file must be promised by a digest that the user gave (pip's hash-checking mode).
    pub require_hashes: bool,
    /// Also get what the requirements need.
    pub follow_dependencies: bool,
    /// Also get the source archive beside each wheel; the search does not look at it.
    pub with_sources: bool,
}

impl Question {
    /// What holds for each project on every target, whatever else is chosen: the versions that
    /// the lines without a marker allow. No solution has another one.
    pub fn unconditional_bounds(&self) -> BTreeMap<PackageName, Specifiers> {
        let mut bounds: BTreeMap<_, Vec<&Specifiers>> = BTreeMap::new();
        for requirement in self.requirements.iter().filter(|requirement| requirement.marker.is_always()) {
            if let (Some(name), Some(specifiers)) = (&requirement.name, requirement.specifiers()) {
                bounds.entry(name).or_default().push(specifiers);
            }
        }
        bounds.into_iter().map(|(name, bounds)| (name.clone(), Specifiers::all(bounds))).collect()
    }

    /// What the first step wants, whatever the targets are: the listings of the projects that are
    /// asked for by lines without a marker, and by no others.
    pub fn unconditional_listings(&self) -> MissingFacts {
        let mut by_project: BTreeMap<_, Vec<&Requirement>> = BTreeMap::new();
        for requirement in &self.requirements {
            by_project.entry(requirement.name.as_ref()).or_default().push(requirement);
        }
        let is_certain = |line: &&Requirement| line.marker.is_always() && line.specifiers().is_some();
        by_project.retain(|_, lines| lines.iter().all(is_certain) && lines.iter().any(|line| !line.constraint));
        let is_promised = |lines: &[&Requirement]| lines.iter().any(|line| !line.hashes.is_empty());
        let named = by_project.iter().filter_map(|(name, lines)| Some(((*name)?.clone(), is_promised(lines))));
        MissingFacts { listings: named.collect(), ..MissingFacts::default() }
    }
}

/// What is known of projects and files so far.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub candidates: BTreeMap<PackageName, Arc<Candidates>>,
    /// What the file at a URL needs.
    pub metadata: BTreeMap<MaskedUrl, Result<Arc<ResolutionMetadata>, MetadataUnavailable>>,
    /// Projects that could not be asked for: whoever asked tells why.
    pub unavailable: BTreeSet<PackageName>,
}

/// Facts that a step needs and does not have.
#[derive(Clone, Debug, Default)]
pub struct MissingFacts {
    /// The listings of these projects; with `true`, from every index instead of only the first
    /// that knows the project: allowed where the user's digests promise the bytes.
    pub listings: BTreeMap<PackageName, bool>,
    /// The metadata of these files, each of a project.
    pub metadata: BTreeMap<MaskedUrl, (PackageName, Arc<Candidate>)>,
}

impl MissingFacts {
    pub fn is_empty(&self) -> bool {
        self.listings.is_empty() && self.metadata.is_empty()
    }

    fn extend(&mut self, other: Self) {
        self.listings.extend(other.listings);
        self.metadata.extend(other.metadata);
    }
}

/// The outcome of one attempt with the facts so far.
#[derive(Clone, Debug)]
pub enum Step {
    /// One solution for each target, in their order.
    Solved(Vec<Solution>),
    Incomplete(MissingFacts),
    /// Everything that stands in the way, not only the first thing, and the solutions of the
    /// targets that have one, by their positions.
    Impossible {
        failures: Vec<Failure>,
        solved: BTreeMap<usize, Solution>,
    },
}

/// One attempt to answer `question` for every target with `facts`. A target prefers the versions
/// that those before it got.
pub fn step(question: &Question, targets: &[Arc<Target>], facts: &Facts) -> Step {
    Resolver::new(question, targets).step(facts)
}

/// A question that is stepped more than once: what was worked out in one step is kept for the
/// next, so that each costs no more than what is new. Facts may be added between steps, and
/// none may change.
pub struct Resolver<'q> {
    problems: Vec<TargetProblem<'q>>,
    progress: Vec<SearchProgress>,
    prefetch_states: Vec<PrefetchState>,
    specifier_cache: SpecifierCache,
}

impl<'q> Resolver<'q> {
    pub fn new(question: &'q Question, targets: &'q [Arc<Target>]) -> Self {
        let problems = targets.iter().map(|target| TargetProblem::new(question, target)).collect();
        let progress = targets.iter().map(|_| SearchProgress::default()).collect();
        let prefetch_states = targets.iter().map(|_| PrefetchState::default()).collect();
        Self { problems, progress, prefetch_states, specifier_cache: SpecifierCache::default() }
    }

    /// As [`step`].
    pub fn step(&mut self, facts: &Facts) -> Step {
        let mut missing = MissingFacts::default();
        let mut failures = Vec::new();
        let mut preferred = Preferred::default();
        for (position, (problem, progress)) in self.problems.iter_mut().zip(&mut self.progress).enumerate() {
            if problem.settled.is_none() {
                // While an earlier target has no answer, what this one prefers is not settled.
                let is_settled = missing.is_empty();
                let progress = if is_settled { progress } else { &mut SearchProgress::default() };
                let answer = match solve::solve(problem, facts, &self.specifier_cache, &preferred, progress) {
                    TargetOutcome::Answer(answer) => answer,
                    TargetOutcome::Incomplete(more) => {
                        missing.extend(more);
                        continue;
                    }
                };
                if !is_settled {
                    continue;
                }
                problem.settled = Some(answer);
            }
            match &problem.settled {
                Some(Ok(solution)) => prefer(&mut preferred, solution),
                Some(Err(found)) => failures.extend(found.iter().map(|failure| failure.clone().on_target(position))),
                None => {}
            }
        }
        self.conclude(missing, failures)
    }

    /// What the next step would want because of `new_fact`, as far as that can be guessed without
    /// one; `is_guess` where the news themselves were. Facts that are guessed at change no answer.
    pub fn prefetch(&mut self, new_fact: &NewFact, is_guess: bool, facts: &Facts) -> MissingFacts {
        let mut missing = MissingFacts::default();
        let under_way =
            self.problems.iter().zip(&mut self.prefetch_states).filter(|(problem, _)| problem.settled.is_none());
        for (problem, state) in under_way.filter(|(problem, _)| problem.question.follow_dependencies) {
            Prefetcher { problem, specifier_cache: &self.specifier_cache, facts, state, missing: &mut missing }
                .advance(new_fact, is_guess);
        }
        missing
    }

    fn conclude(&self, missing: MissingFacts, failures: Vec<Failure>) -> Step {
        let solved = self.problems.iter().map(|problem| problem.settled.as_ref()?.as_ref().ok().cloned());
        if !missing.is_empty() {
            Step::Incomplete(missing)
        } else if failures.is_empty() {
            Step::Solved(solved.flatten().collect())
        } else {
            let solved = solved.enumerate().filter_map(|(position, solution)| Some((position, solution?)));
            Step::Impossible { failures: failure::merge(failures), solved: solved.collect() }
        }
    }
}

/// Versions that earlier targets got; the first that got a project decides.
type Preferred = BTreeMap<PackageName, Version>;

fn prefer(preferred: &mut Preferred, solution: &Solution) {
    for package in &solution.packages {
        if let Some(version) = &package.version {
            preferred.entry(package.name.clone()).or_insert_with(|| version.clone());
        }
    }
}
