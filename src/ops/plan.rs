//! The loop: step, find out what the step needs, step again.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Event, Listener};
use crate::domain::{Offers, PackageName, Plan, Target};
use crate::index::{IndexError, Indexes};
use crate::resolve::{Facts, Failure, Question, Step, Want, step};

/// No plan: everything that stands in the way.
#[derive(Debug, Default)]
pub struct PlanFailure {
    /// What cannot be solved.
    pub failures: Vec<Failure>,
    /// What could not be asked.
    pub unreachable: Vec<IndexError>,
}

/// Answers `question` for every target, asking `indexes` with at most `at_once` requests under
/// way.
///
/// # Errors
/// Every requirement that has no solution, and every project that could not be asked for.
pub async fn plan(
    question: &Question,
    targets: &[Arc<Target>],
    indexes: &Arc<Indexes>,
    at_once: usize,
    listener: &Listener,
) -> Result<Plan, PlanFailure> {
    let mut known = Known { facts: Facts::default(), unreachable: Vec::new(), checked: BTreeSet::new() };
    loop {
        let (wants, check) = match step(question, targets, &known.facts) {
            Step::Solved(solutions) if known.unreachable.is_empty() => {
                return Ok(Plan::merge(targets.to_vec(), solutions));
            }
            Step::Solved(_) => return Err(known.give_up(Vec::new())),
            Step::Needs(wants) => (wants, false),
            Step::Impossible(failures) => match known.worth_checking(&failures) {
                wants if wants.is_empty() => return Err(known.give_up(failures)),
                wants => (wants, true),
            },
        };
        ask_all(wants, check, indexes, at_once, listener, &mut known).await;
    }
}

/// The facts, and how far they can be trusted.
struct Known {
    facts: Facts,
    unreachable: Vec<IndexError>,
    /// Projects that were asked for again, past our cache.
    checked: BTreeSet<PackageName>,
}

impl Known {
    fn learn(&mut self, project: PackageName, answer: Result<Offers, IndexError>) {
        match answer {
            Ok(offers) => drop(self.facts.offers.insert(project, Arc::new(offers))),
            Err(error) => {
                self.facts.offers.remove(&project);
                self.facts.unavailable.insert(project);
                self.unreachable.push(error);
            }
        }
    }

    /// Failures that rest on a cached page are looked at again with the index itself: what is
    /// missing may have been published meanwhile.
    fn worth_checking(&mut self, failures: &[Failure]) -> BTreeSet<Want> {
        let projects = failures.iter().filter_map(|failure| failure.package.clone());
        let unchecked =
            projects.filter(|project| self.facts.offers.get(project).is_some_and(|offers| offers.unchecked));
        let wants: BTreeSet<_> = unchecked.filter(|project| self.checked.insert(project.clone())).collect();
        wants.into_iter().map(|project| Want::Listing { project, everywhere: false }).collect()
    }

    fn give_up(self, failures: Vec<Failure>) -> PlanFailure {
        PlanFailure { failures, unreachable: self.unreachable }
    }
}

async fn ask_all(
    wants: BTreeSet<Want>,
    check: bool,
    indexes: &Arc<Indexes>,
    at_once: usize,
    listener: &Listener,
    known: &mut Known,
) {
    let places = Arc::new(Semaphore::new(at_once.max(1)));
    let mut asked = JoinSet::new();
    for Want::Listing { project, everywhere } in wants {
        let (indexes, listener, places) = (indexes.clone(), listener.clone(), places.clone());
        asked.spawn(async move {
            let _place = places.acquire().await.expect("the semaphore is never closed");
            listener(Event::Asking(project.clone()));
            let answer = indexes.offers(&project, everywhere, check).await;
            listener(Event::Answered(project.clone()));
            (project, answer)
        });
    }
    while let Some(answer) = asked.join_next().await {
        let (project, answer) = answer.expect("asking does not panic");
        known.learn(project, answer);
    }
}
