//! Plans a question: runs a step of the resolver, fetches the facts that it lacks, and repeats.

mod known_facts;
mod locked;
mod metadata_provider;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use locked::{plan_locked, questions_of_lock};
pub use metadata_provider::MetadataProvider;

use self::known_facts::KnownFacts;
use super::metadata::MetadataFailure;
use super::plan_cache::PlanCache;
use crate::domain::{HasRemedy, Plan, Question, Remedy, Solution, Target};
use crate::index::IndexError;
use crate::resolve::{Failure, Resolver, Step};

/// The failure to plan for all targets.
#[derive(Debug, Default)]
pub struct PlanFailure {
    /// The requirements without a solution.
    pub failures: Vec<Failure>,
    /// The indexes and files that could not be fetched.
    pub unreachable: Vec<Unreachable>,
    /// The plan for the targets that have a solution; empty if anything could not be fetched, since
    /// no solution can be trusted then.
    pub solved: Plan,
}

impl PlanFailure {
    /// Whether a page that listed a file may be older than the file.
    pub fn may_be_of_old_page(&self) -> bool {
        self.unreachable.iter().any(|unreachable| match unreachable {
            Unreachable::Metadata(failure) => failure.why.may_be_of_old_page(),
            Unreachable::Index(_) => false,
        })
    }
}

/// An index or a file that could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Metadata(#[from] MetadataFailure),
}

impl HasRemedy for Unreachable {
    fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Index(error) => error.remedy(),
            Self::Metadata(failure) => failure.why.remedy(),
        }
    }
}

/// Plans `question` for every target; `provider` is one for this question, and may have started.
///
/// # Errors
/// When requirements have no solution, or indexes or files could not be fetched; all of them.
pub async fn plan(
    question: &Question,
    targets: &[Arc<Target>],
    mut provider: MetadataProvider,
) -> Result<Plan, PlanFailure> {
    let context = provider.context.clone();
    let plan_cache = PlanCache::of(question, targets, &context);
    if let Some(plan_cache) = &plan_cache
        && let Some(plan) = plan_cache.get(targets).await
    {
        return Ok(plan);
    }
    let mut known = KnownFacts::default();
    let mut resolver = Resolver::new(question, targets);
    loop {
        match resolver.step(&known.facts) {
            Step::Solved(mut solutions) if known.is_unaffected_by_outages(&solutions) => {
                known.complete(question, solutions.iter_mut().zip(targets));
                let is_cacheable = known.is_cacheable && known.unreachable.is_empty();
                let ignored_failures = known.ignored_failures();
                let unreliable = std::mem::take(&mut known.unreliable);
                // The facts of thousands of projects and their plan need not be held together.
                drop((resolver, known));
                let mut plan = Plan::merge(targets.to_vec(), solutions);
                context.claimed_metadata.move_to(&mut plan);
                plan.notes.extend(ignored_failures);
                plan.unreliable = unreliable;
                if let Some(plan_cache) = plan_cache.filter(|_| is_cacheable) {
                    plan_cache.put(&plan);
                }
                return Ok(plan);
            }
            Step::Solved(_) => return Err(known.into_failure(Vec::new(), Plan::default())),
            Step::Incomplete(missing) => provider.fetch_facts(missing, &mut resolver, &mut known).await,
            Step::Impossible { failures, mut solved } => {
                let again = known.stale_listings(&failures);
                if again.is_empty() {
                    known.complete(question, solved.iter_mut().map(|(position, one)| (one, &targets[*position])));
                    let mut solved = merge(targets, solved);
                    context.claimed_metadata.move_to(&mut solved);
                    solved.unreliable = std::mem::take(&mut known.unreliable);
                    return Err(known.into_failure(failures, solved));
                }
                provider.fetch_again(again, &mut known).await;
                // What was worked out from less may not hold any more.
                resolver = Resolver::new(question, targets);
            }
        }
    }
}

/// Merges the solutions of targets, given by their positions, into a plan.
fn merge(targets: &[Arc<Target>], solved: BTreeMap<usize, Solution>) -> Plan {
    let (positions, solutions): (Vec<_>, Vec<_>) = solved.into_iter().unzip();
    Plan::merge(positions.into_iter().map(|position| targets[position].clone()).collect(), solutions)
}
