//! The loop: step, find out what the step needs, step again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::metadata::{MetadataFailure, Places, needs_of};
use super::sources::add_sources;
use super::{Event, Listener};
use crate::domain::{MaskedUrl, Needs, Offers, PackageName, Plan, Solution, Target, Unknown};
use crate::index::IndexError;
use crate::resolve::{Facts, Failure, Question, Step, Wants, step};

/// No plan for all targets: everything that stands in the way, and what there is.
#[derive(Debug, Default)]
pub struct PlanFailure {
    /// What cannot be solved.
    pub failures: Vec<Failure>,
    /// What could not be asked.
    pub unreachable: Vec<Unreachable>,
    /// The plan for those targets that have a solution; without any where something could not be
    /// asked, since no solution can be trusted then.
    pub solved: Plan,
}

/// A place or a file that could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Metadata(#[from] MetadataFailure),
}

/// Answers `question` for every target, asking `indexes` with at most `at_once` requests under
/// way.
///
/// # Errors
/// Every requirement that has no solution, and every project that could not be asked for.
pub async fn plan(
    question: &Question,
    targets: &[Arc<Target>],
    places: &Places,
    at_once: usize,
    listener: &Listener,
) -> Result<Plan, PlanFailure> {
    let asking =
        Asking { places: places.clone(), listener: listener.clone(), turns: Arc::new(Semaphore::new(at_once.max(1))) };
    let mut known = Known::default();
    loop {
        match step(question, targets, &known.facts) {
            Step::Solved(mut solutions) if known.unreachable.is_empty() => {
                known.complete(question, solutions.iter_mut().zip(targets));
                return Ok(Plan::merge(targets.to_vec(), solutions));
            }
            Step::Solved(_) => return Err(known.give_up(Vec::new(), Plan::default())),
            Step::Needs(wants) => asking.learn(wants, false, &mut known).await,
            Step::Impossible { failures, solved } => match known.worth_checking(&failures) {
                wants if wants.is_empty() => {
                    let mut solved = solved;
                    known.complete(question, solved.iter_mut().map(|(position, one)| (one, &targets[*position])));
                    return Err(known.give_up(failures, merge(targets, solved)));
                }
                wants => asking.learn(wants, true, &mut known).await,
            },
        }
    }
}

/// The plan for the targets at the positions of `solved`.
fn merge(targets: &[Arc<Target>], solved: BTreeMap<usize, Solution>) -> Plan {
    let (positions, solutions): (Vec<_>, Vec<_>) = solved.into_iter().unzip();
    Plan::merge(positions.into_iter().map(|position| targets[position].clone()).collect(), solutions)
}

/// The facts, and how far they can be trusted.
#[derive(Default)]
struct Known {
    facts: Facts,
    unreachable: Vec<Unreachable>,
    /// Projects that were asked for again, past our cache.
    checked: BTreeSet<PackageName>,
}

impl Known {
    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Offers(project, Ok(offers)) => drop(self.facts.offers.insert(project, Arc::new(offers))),
            Answer::Offers(project, Err(error)) => {
                self.facts.offers.remove(&project);
                self.facts.unavailable.insert(project);
                self.unreachable.push(error.into());
            }
            Answer::Needs(url, Ok(needs)) => drop(self.facts.needs.insert(url, needs.map(Arc::new))),
            Answer::Needs(url, Err(error)) => {
                // The search goes on as if the file needed nothing, to find what else is wrong.
                self.facts.needs.insert(url, Ok(Arc::default()));
                self.unreachable.push(error.into());
            }
        }
    }

    /// Failures that rest on a cached page are looked at again with the index itself: what is
    /// missing may have been published meanwhile.
    fn worth_checking(&mut self, failures: &[Failure]) -> Wants {
        let is_unchecked =
            |project: &PackageName| self.facts.offers.get(project).is_some_and(|offers| offers.unchecked);
        let projects = failures.iter().flat_map(Failure::projects).filter(|project| is_unchecked(project));
        let projects: Vec<_> = projects.cloned().collect();
        let fresh = projects.into_iter().filter(|project| self.checked.insert(project.clone()));
        Wants { listings: fresh.map(|project| (project, false)).collect(), ..Wants::default() }
    }

    /// Adds to solutions what does not bear on them.
    fn complete<'a>(&self, question: &Question, solutions: impl Iterator<Item = (&'a mut Solution, &'a Arc<Target>)>) {
        if question.with_sources {
            solutions.for_each(|(one, target)| add_sources(one, target, question, &self.facts.offers));
        }
    }

    fn give_up(self, failures: Vec<Failure>, solved: Plan) -> PlanFailure {
        let solved = if self.unreachable.is_empty() { solved } else { Plan::default() };
        PlanFailure { failures, unreachable: self.unreachable, solved }
    }
}

/// Something that was found out.
enum Answer {
    Offers(PackageName, Result<Offers, IndexError>),
    Needs(MaskedUrl, Result<Result<Needs, Unknown>, MetadataFailure>),
}

/// Where facts come from, with a bound on how much is asked at once.
struct Asking {
    places: Places,
    listener: Listener,
    turns: Arc<Semaphore>,
}

impl Asking {
    /// Finds out all of `wants` at once; with `check`, past our cache.
    async fn learn(&self, wants: Wants, check: bool, known: &mut Known) {
        let mut asked = JoinSet::new();
        for (project, everywhere) in wants.listings {
            let (places, listener, turns) = self.share();
            asked.spawn(async move {
                let _turn = turns.acquire().await.expect("the semaphore is never closed");
                listener(Event::Asking(project.to_string()));
                let offers = places.indexes.offers(&project, everywhere, check).await;
                listener(Event::Answered(project.to_string()));
                Answer::Offers(project, offers)
            });
        }
        for (url, (project, offer)) in wants.metadata {
            let (places, listener, turns) = self.share();
            asked.spawn(async move {
                let _turn = turns.acquire().await.expect("the semaphore is never closed");
                listener(Event::Asking(offer.filename.to_string()));
                let needs = needs_of(&project, &offer, &places, &listener).await;
                listener(Event::Answered(offer.filename.to_string()));
                Answer::Needs(url, needs)
            });
        }
        while let Some(answer) = asked.join_next().await {
            known.take(answer.expect("asking does not panic"));
        }
    }

    fn share(&self) -> (Places, Listener, Arc<Semaphore>) {
        (self.places.clone(), self.listener.clone(), self.turns.clone())
    }
}
