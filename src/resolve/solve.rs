//! The solution of one target.
//!
//! A version whose needs only its build knows is taken for one without needs at first. If the
//! solution has such a version, whose needs would have to be known, it is looked for without any
//! of them; see [`unbuilt`](super::unbuilt) for which of both is told.

use std::cell::RefCell;

use pubgrub::PubGrubError;

use super::assumed::{Assumed, Met, Unfounded};
use super::case::{Case, Meanings};
use super::node::{Node, number};
use super::provider::Provider;
use super::unbuilt::Unbuilt;
use super::view::{ONLY, View};
use super::{Facts, Failure, Preferred, Wants, check, conflict, finish};
use crate::domain::Solution;

/// How an attempt for one target ended.
pub(super) enum Outcome {
    Answer(Result<Solution, Vec<Failure>>),
    Needs(Wants),
}

/// How a search ended.
pub(super) enum Attempt {
    /// It found something, which is an answer if nothing in it is unfounded.
    Decided {
        unfounded: Unfounded,
        found: Found,
    },
    Impossible(Vec<Failure>),
    /// It was broken off, for another with more assumed, or went on from what is not known yet.
    Unfinished,
}

/// What a search found, or that there is nothing to find.
pub(super) enum Found {
    Solution(Solution),
    /// What only builds know would have to be known.
    Unbuilt(Unbuilt),
    Nothing(Vec<Failure>),
}

/// How searches ended that were repeated until nothing in them is unfounded.
enum Ending {
    Found(Found),
    Needs(Wants),
}

/// How far the searches for a target have come, for the step that knows more. A search that wanted
/// nothing ends the same with more facts, so none of those is made again.
#[derive(Default)]
pub(super) struct Progress {
    with_builds: Option<Chain>,
    without_builds: Option<Chain>,
}

/// Searches that each assumed what the one before met.
struct Chain {
    assumed: Assumed,
    first_failures: Option<Vec<Failure>>,
}

impl Progress {
    fn chain(&mut self, refuse_builds: bool) -> &mut Chain {
        let chain = if refuse_builds { &mut self.without_builds } else { &mut self.with_builds };
        chain.get_or_insert_with(|| Chain { assumed: Assumed::new(refuse_builds), first_failures: None })
    }
}

/// Solves for one target; `progress` is that of the same question with the same `preferred`.
pub(super) fn solve(
    case: &Case<'_>,
    facts: &Facts,
    meanings: &Meanings,
    preferred: &Preferred,
    progress: &mut Progress,
) -> Outcome {
    let mut solve =
        |refuse_builds| search_until_founded(case, facts, meanings, preferred, progress.chain(refuse_builds));
    let unbuilt = match solve(false) {
        Ending::Needs(wants) => return Outcome::Needs(wants),
        Ending::Found(Found::Solution(solution)) => return Outcome::Answer(Ok(solution)),
        Ending::Found(Found::Nothing(failures)) => return Outcome::Answer(Err(failures)),
        Ending::Found(Found::Unbuilt(unbuilt)) => unbuilt,
    };
    if unbuilt.is_first_choice {
        return Outcome::Answer(Err(unbuilt.failures));
    }
    match solve(true) {
        Ending::Needs(wants) => Outcome::Needs(wants),
        Ending::Found(Found::Solution(solution)) => Outcome::Answer(unbuilt.or(solution)),
        Ending::Found(Found::Nothing(_) | Found::Unbuilt(_)) => Outcome::Answer(Err(unbuilt.failures)),
    }
}

/// Searches as often as it takes to bear out what a search assumes.
fn search_until_founded(
    case: &Case<'_>,
    facts: &Facts,
    meanings: &Meanings,
    preferred: &Preferred,
    chain: &mut Chain,
) -> Ending {
    let Chain { assumed, first_failures } = chain;
    loop {
        let (attempt, met, wants) = search(case, facts, meanings, preferred, assumed);
        // Whatever was met may rest on what is not known: nothing is concluded from it yet.
        if !wants.is_empty() {
            return Ending::Needs(wants);
        }
        if assumed.add(met) {
            continue;
        }
        match attempt {
            Attempt::Decided { unfounded, found } => {
                if !assumed.drop_unfounded(unfounded) {
                    return Ending::Found(found);
                }
            }
            Attempt::Impossible(failures) => {
                let goes_on = assumed.drop_blamed(&failures);
                let first_failures = first_failures.get_or_insert(failures);
                if !goes_on {
                    return Ending::Found(Found::Nothing(std::mem::take(first_failures)));
                }
            }
            Attempt::Unfinished => unreachable!("a search is broken off only for what it met"),
        }
    }
}

/// One search with what is assumed, and what it met and wants to know.
fn search(
    case: &Case<'_>,
    facts: &Facts,
    meanings: &Meanings,
    preferred: &Preferred,
    assumed: &Assumed,
) -> (Attempt, Met, Wants) {
    let (wants, met) = (RefCell::default(), RefCell::default());
    let view = View { case, facts, meanings, preferred, assumed, wants, met };
    let faults = check::faults(&view);
    let attempt = if faults.is_empty() { decide(&view) } else { Attempt::Impossible(faults) };
    (attempt, view.met.into_inner(), view.wants.into_inner())
}

fn decide(view: &View<'_, '_>) -> Attempt {
    match pubgrub::resolve(&Provider::new(view), Node::Root, number(ONLY)) {
        Ok(_) if !view.wants.borrow().is_empty() => Attempt::Unfinished,
        Ok(decided) => finish::finish(view, &decided.into_iter().collect()),
        Err(PubGrubError::NoSolution(proof)) => Attempt::Impossible(vec![conflict::explain(view, &proof)]),
        Err(_) => Attempt::Unfinished,
    }
}
