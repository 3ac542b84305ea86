//! Resolution: from facts to solutions, that is the version and file of each project for every
//! target.
//!
//! [`step`] is pure: the same question and facts always give the same step, whatever was cached and
//! in whatever order responses came. It requests nothing itself; it returns what it would need to
//! know ([`MissingFacts`]), and the caller finds that out and runs the next step.
//!
//! The search is PubGrub's (the crate `pubgrub`). An unknown fact does not end it: a project whose
//! listing is missing has one version without dependencies for the time being, and a file whose
//! metadata is missing has no dependencies. So one step finds everything that the search would look
//! at next, and a solution counts only once nothing was missing.

mod assumptions;
mod check_requirements;
mod conflict;
mod decision_order;
mod dependency_graph;
mod direct_url;
mod failure;
mod later_releases;
mod locked;
mod node;
mod prefetcher;
mod preinstalled;
mod provider;
mod search_view;
mod shared_versions;
mod solution;
mod solve;
mod target_problem;
mod target_requirements;
mod unbuilt_solution;
mod version_dependencies;
mod with_sources;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use failure::{Failure, Reason};
pub use locked::{LockResolver, PackedSource};
pub use prefetcher::NewFact;
pub use with_sources::add_sources;

use prefetcher::{PrefetchState, Prefetcher};
use shared_versions::{SharedVersions, SharingGroups};
use solve::{SearchProgress, TargetOutcome};
use target_problem::{SpecifierCache, TargetProblem};

use crate::domain::{
    Candidates, FileLink, MaskedUrl, MetadataUnavailable, PackageName, Question, Requirement, ResolutionMetadata,
    Solution, Target,
};

/// The known facts about projects and files.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub candidates: BTreeMap<PackageName, Arc<Candidates>>,
    /// The metadata of files, by URL.
    pub metadata: BTreeMap<MaskedUrl, Result<Arc<ResolutionMetadata>, MetadataUnavailable>>,
    /// Projects whose listings could not be fetched; the errors are the caller's.
    pub unavailable: BTreeSet<PackageName>,
}

/// The facts that a step needs and does not have.
#[derive(Clone, Debug, Default)]
pub struct MissingFacts {
    /// The projects whose listings are missing; `true` if every index is to be asked instead of
    /// only the first that has the project, which is allowed if the user's digests promise the
    /// files.
    pub listings: BTreeMap<PackageName, bool>,
    /// The files whose metadata is missing, each with its project.
    pub metadata: BTreeMap<MaskedUrl, (PackageName, Arc<FileLink>)>,
}

impl MissingFacts {
    pub fn is_empty(&self) -> bool {
        self.listings.is_empty() && self.metadata.is_empty()
    }

    /// Returns the listings that the first step needs for any target: those of the projects that
    /// are required by lines without a marker.
    pub fn of_question(question: &Question) -> Self {
        let mut by_project: BTreeMap<_, Vec<&Requirement>> = BTreeMap::new();
        for requirement in &question.requirements {
            by_project.entry(requirement.name.as_ref()).or_default().push(requirement);
        }
        let is_certain = |line: &&Requirement| line.marker.is_always() && line.specifiers().is_some();
        by_project.retain(|_, lines| lines.iter().all(is_certain) && lines.iter().any(|line| !line.constraint));
        let has_hashes = |lines: &[&Requirement]| lines.iter().any(|line| !line.hashes.is_empty());
        let named = by_project.iter().filter_map(|(name, lines)| Some(((*name)?.clone(), has_hashes(lines))));
        Self { listings: named.collect(), ..Self::default() }
    }

    fn extend(&mut self, other: Self) {
        self.listings.extend(other.listings);
        self.metadata.extend(other.metadata);
    }
}

/// The outcome of a step with the facts so far.
#[derive(Clone, Debug)]
pub enum Step {
    /// One solution for each target, in order.
    Solved(Vec<Solution>),
    Incomplete(MissingFacts),
    /// All failures, not only the first, and the solutions of the other targets, by their
    /// positions.
    Impossible {
        failures: Vec<Failure>,
        solved: BTreeMap<usize, Solution>,
    },
}

/// Runs one step to answer `question` for every target with `facts`.
pub fn step(question: &Question, targets: &[Arc<Target>], facts: &Facts) -> Step {
    Resolver::new(question, targets).step(facts)
}

/// Runs several steps for a question, and keeps intermediate results so that a step costs no more
/// than what is new.
///
/// Facts may be added between steps, but none may change.
pub struct Resolver<'q> {
    problems: Vec<TargetProblem<'q>>,
    groups: SharingGroups,
    progress: Vec<SearchProgress>,
    prefetch_states: Vec<PrefetchState>,
    specifier_cache: SpecifierCache,
}

impl<'q> Resolver<'q> {
    pub fn new(question: &'q Question, targets: &'q [Arc<Target>]) -> Self {
        let problems = targets.iter().map(|target| TargetProblem::new(question, target)).collect();
        let progress = targets.iter().map(|_| SearchProgress::default()).collect();
        let prefetch_states = targets.iter().map(|_| PrefetchState::default()).collect();
        let groups = SharingGroups::new(question.fork_strategy, targets);
        Self { problems, groups, progress, prefetch_states, specifier_cache: SpecifierCache::default() }
    }

    /// Runs a step as [`step`] does.
    pub fn step(&mut self, facts: &Facts) -> Step {
        let mut missing = MissingFacts::default();
        for group in self.groups.iter() {
            let mut shared = SharedVersions::default();
            // While a target has no answer, what those after it prefer is not settled.
            let mut is_settled = true;
            for position in group {
                let problem = &mut self.problems[*position];
                if problem.settled.is_none() {
                    let progress =
                        if is_settled { &mut self.progress[*position] } else { &mut SearchProgress::default() };
                    match solve::solve(problem, facts, &self.specifier_cache, &shared, progress) {
                        TargetOutcome::Answer(answer) => problem.settled = is_settled.then_some(answer),
                        TargetOutcome::Incomplete(more) => {
                            missing.extend(more);
                            is_settled = false;
                        }
                    }
                }
                if let Some(Ok(solution)) = &problem.settled {
                    shared.add(solution);
                }
            }
        }
        self.conclude(missing)
    }

    /// Returns what the next step is likely to need because of `new_fact`; `is_guess` says whether
    /// that fact was requested speculatively.
    ///
    /// Speculative facts do not change any solution.
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

    fn conclude(&self, missing: MissingFacts) -> Step {
        let solved = self.problems.iter().map(|problem| problem.settled.as_ref()?.as_ref().ok().cloned());
        let failures = self.problems.iter().enumerate().flat_map(|(position, problem)| {
            let found = problem.settled.as_ref().and_then(|answer| answer.as_ref().err());
            found.into_iter().flatten().map(move |failure| failure.clone().on_target(position))
        });
        let failures: Vec<_> = failures.collect();
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
