//! The solution of one target.

use std::cell::RefCell;

use pubgrub::PubGrubError;

use super::assumed::{Assumed, Met, Unfounded};
use super::case::{Case, Meanings};
use super::node::{Node, number};
use super::provider::Provider;
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
        answer: Result<Solution, Vec<Failure>>,
    },
    Impossible(Vec<Failure>),
    /// It was broken off, for another with more assumed, or went on from what is not known yet.
    Unfinished,
}

/// Solves for one target, with as many searches as it takes to bear out what they assume.
pub(super) fn solve(case: &Case<'_>, facts: &Facts, meanings: &Meanings, preferred: &Preferred) -> Outcome {
    let mut assumed = Assumed::default();
    let mut first_failures = None;
    loop {
        let (attempt, met, wants) = search(case, facts, meanings, preferred, &assumed);
        if assumed.add(met) {
            continue;
        }
        if !wants.is_empty() {
            return Outcome::Needs(wants);
        }
        match attempt {
            Attempt::Decided { unfounded, answer } => {
                if !assumed.drop_unfounded(unfounded) {
                    return Outcome::Answer(answer);
                }
            }
            Attempt::Impossible(failures) => {
                let goes_on = assumed.drop_blamed(&failures);
                let first_failures = first_failures.get_or_insert(failures);
                if !goes_on {
                    return Outcome::Answer(Err(std::mem::take(first_failures)));
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
