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

/// Solves for one target.
pub(super) fn solve(case: &Case<'_>, facts: &Facts, meanings: &Meanings, preferred: &Preferred) -> Outcome {
    let solve = |refuse_builds| search_until_founded(case, facts, meanings, preferred, refuse_builds);
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
    refuse_builds: bool,
) -> Ending {
    let mut assumed = Assumed::new(refuse_builds);
    let mut first_failures = None;
    loop {
        let (attempt, met, wants) = search(case, facts, meanings, preferred, &assumed);
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
