//! Solves for one target: repeats the search until its assumptions are justified.
//!
//! A version whose dependencies only its build can tell is assumed to have none at first. If the
//! solution has such a version, another solution without any of them is searched; see
//! [`unbuilt_solution`](super::unbuilt_solution) for which of the two is returned.

use std::cell::RefCell;

use pubgrub::PubGrubError;

use super::assumptions::{Assumptions, Discovered, Unjustified};
use super::node::{Node, number};
use super::provider::{Interruption, Provider};
use super::search_view::{ONLY, SearchView};
use super::target_problem::{SpecifierCache, TargetProblem};
use super::unbuilt_solution::UnbuiltSolution;
use super::{Facts, Failure, MissingFacts, SharedVersions, check_requirements, conflict, solution};
use crate::domain::Solution;

/// The outcome of solving for one target.
pub(super) enum TargetOutcome {
    Answer(Result<Solution, Vec<Failure>>),
    Incomplete(MissingFacts),
}

/// The outcome of a search.
pub(super) enum SearchOutcome {
    /// The search found something, which is the result if nothing in it is unjustified.
    Decided {
        unjustified: Unjustified,
        found: SearchResult,
    },
    Impossible(Vec<Failure>),
    /// The search was given up.
    TooLong(Failure),
    /// The search was interrupted to be repeated with more assumptions, or continued from facts
    /// that are not known.
    Unfinished,
}

/// What a search found, or that there is no solution.
pub(super) enum SearchResult {
    Solution(Solution),
    /// A solution with dependencies that only builds can tell.
    Unbuilt(UnbuiltSolution),
    Nothing(Vec<Failure>),
}

/// The outcome of searches that were repeated until nothing in them was unjustified.
enum JustifiedOutcome {
    Found(SearchResult),
    Incomplete(MissingFacts),
}

/// The state of the searches for a target, for the next step.
///
/// A search that lacked no fact has the same outcome with more facts, so it is not repeated.
#[derive(Default)]
pub(super) struct SearchProgress {
    with_builds: Option<SearchState>,
    without_builds: Option<SearchState>,
}

/// A series of searches, each of which assumes what the one before discovered.
struct SearchState {
    assumptions: Assumptions,
    first_failures: Option<Vec<Failure>>,
}

impl SearchProgress {
    fn chain(&mut self, refuse_builds: bool) -> &mut SearchState {
        let chain = if refuse_builds { &mut self.without_builds } else { &mut self.with_builds };
        chain.get_or_insert_with(|| SearchState { assumptions: Assumptions::new(refuse_builds), first_failures: None })
    }
}

/// Solves for one target; `progress` must be of the same question with the same `shared`.
pub(super) fn solve(
    problem: &TargetProblem<'_>,
    facts: &Facts,
    specifier_cache: &SpecifierCache,
    shared: &SharedVersions,
    progress: &mut SearchProgress,
) -> TargetOutcome {
    let mut solve =
        |refuse_builds| search_until_justified(problem, facts, specifier_cache, shared, progress.chain(refuse_builds));
    let unbuilt = match solve(false) {
        JustifiedOutcome::Incomplete(missing) => return TargetOutcome::Incomplete(missing),
        JustifiedOutcome::Found(SearchResult::Solution(solution)) => return TargetOutcome::Answer(Ok(solution)),
        JustifiedOutcome::Found(SearchResult::Nothing(failures)) => return TargetOutcome::Answer(Err(failures)),
        JustifiedOutcome::Found(SearchResult::Unbuilt(unbuilt)) => unbuilt,
    };
    if unbuilt.is_first_choice {
        return TargetOutcome::Answer(Err(unbuilt.failures));
    }
    match solve(true) {
        JustifiedOutcome::Incomplete(missing) => TargetOutcome::Incomplete(missing),
        JustifiedOutcome::Found(SearchResult::Solution(solution)) => TargetOutcome::Answer(unbuilt.or(solution)),
        JustifiedOutcome::Found(SearchResult::Nothing(_) | SearchResult::Unbuilt(_)) => {
            TargetOutcome::Answer(Err(unbuilt.failures))
        }
    }
}

/// Repeats the search until its outcome justifies what it assumes.
fn search_until_justified(
    problem: &TargetProblem<'_>,
    facts: &Facts,
    specifier_cache: &SpecifierCache,
    shared: &SharedVersions,
    chain: &mut SearchState,
) -> JustifiedOutcome {
    let SearchState { assumptions, first_failures } = chain;
    loop {
        let (attempt, discovered, missing) = search(problem, facts, specifier_cache, shared, assumptions);
        if let SearchOutcome::TooLong(failure) = attempt {
            return JustifiedOutcome::Found(SearchResult::Nothing(vec![failure]));
        }
        // Whatever was met may rest on what is not known: nothing is concluded from it yet.
        if !missing.is_empty() {
            return JustifiedOutcome::Incomplete(missing);
        }
        if assumptions.add(discovered) {
            continue;
        }
        match attempt {
            SearchOutcome::Decided { unjustified, found } => {
                if !assumptions.drop_unjustified(unjustified) {
                    return JustifiedOutcome::Found(found);
                }
            }
            SearchOutcome::Impossible(failures) => {
                let goes_on = assumptions.drop_involved(&failures);
                let first_failures = first_failures.get_or_insert(failures);
                if !goes_on {
                    return JustifiedOutcome::Found(SearchResult::Nothing(std::mem::take(first_failures)));
                }
            }
            SearchOutcome::Unfinished | SearchOutcome::TooLong(_) => {
                unreachable!("a search is broken off only for what it met")
            }
        }
    }
}

/// Runs one search with the assumptions; returns its outcome, what it discovered, and the facts
/// that it lacks.
fn search(
    problem: &TargetProblem<'_>,
    facts: &Facts,
    specifier_cache: &SpecifierCache,
    shared: &SharedVersions,
    assumptions: &Assumptions,
) -> (SearchOutcome, Discovered, MissingFacts) {
    let (missing, discovered) = (RefCell::default(), RefCell::default());
    let view = SearchView { problem, facts, specifier_cache, shared, assumptions, missing, discovered };
    let faults = check_requirements::faults(&view);
    let attempt = if faults.is_empty() { decide(&view) } else { SearchOutcome::Impossible(faults) };
    (attempt, view.discovered.into_inner(), view.missing.into_inner())
}

fn decide(view: &SearchView<'_, '_>) -> SearchOutcome {
    let provider = Provider::new(view);
    match pubgrub::resolve(&provider, Node::Root, number(ONLY)) {
        Err(PubGrubError::ErrorInShouldCancel(Interruption::TooLong)) => {
            SearchOutcome::TooLong(Failure::too_long(provider.contested()))
        }
        Ok(_) if !view.missing.borrow().is_empty() => SearchOutcome::Unfinished,
        Ok(decided) => solution::from_decisions(view, &decided.into_iter().collect()),
        Err(PubGrubError::NoSolution(proof)) => SearchOutcome::Impossible(vec![conflict::explain(view, &proof)]),
        Err(_) => SearchOutcome::Unfinished,
    }
}
