//! Plans a question: runs a step of the resolver, fetches the facts that it lacks, and repeats.

mod locked;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use locked::{plan_locked, requests_of_locked};

use super::fetch_context::FetchContext;
use super::metadata::{MetadataFailure, metadata_at_a_glance, metadata_of};
use super::plan_cache::PlanCache;
use super::with_sources::add_sources;
use super::{Event, Listener};
use crate::domain::{
    Candidates, HasRemedy, MaskedUrl, MetadataSource, MetadataUnavailable, PackageName, Plan, Remedy,
    ResolutionMetadata, Solution, Specifiers, Target,
};
use crate::http::SHARED_CONNECTION_FACTOR;
use crate::index::{IndexError, ListingRequest};
use crate::resolve::{Facts, Failure, MissingFacts, NewFact, Question, Resolver, Step};

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
                context.claims.move_to(&mut plan);
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
                    context.claims.move_to(&mut solved);
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

/// The facts fetched so far, and how far they can be trusted.
struct KnownFacts {
    facts: Facts,
    /// Whether every file whose metadata was requested has a promised digest.
    is_cacheable: bool,
    unreachable: Vec<Unreachable>,
    /// Projects for which every index was asked.
    everywhere: BTreeSet<PackageName>,
    /// Projects that were requested again: in full, and without the cache if they came from it.
    asked_again: BTreeSet<PackageName>,
    /// Source archives whose builds may contradict their metadata.
    unreliable: BTreeMap<Box<str>, MetadataSource>,
}

impl Default for KnownFacts {
    fn default() -> Self {
        let (facts, unreachable, everywhere, asked_again, unreliable) = Default::default();
        Self { facts, is_cacheable: true, unreachable, everywhere, asked_again, unreliable }
    }
}

impl KnownFacts {
    /// Adds a response to the facts; returns what is new.
    ///
    /// A failed speculative request is ignored: if its answer matters, a step will ask for it.
    fn take(&mut self, answer: FactResponse) -> Option<NewFact> {
        match answer {
            FactResponse::Listing { project, outcome: Ok(candidates), .. } => {
                self.facts.candidates.insert(project.clone(), Arc::new(candidates));
                Some(NewFact::Candidates(project))
            }
            FactResponse::Metadata { project, url, filename, is_cacheable, outcome: Ok(metadata), .. } => {
                self.is_cacheable &= is_cacheable;
                if let Some(source) =
                    metadata.as_ref().ok().map(|metadata| metadata.source).filter(|source| source.is_unreliable())
                {
                    self.unreliable.insert(filename, source);
                }
                self.facts.metadata.insert(url.clone(), metadata);
                Some(NewFact::Metadata(project, url))
            }
            FactResponse::Listing { is_speculative: true, .. }
            | FactResponse::Metadata { is_speculative: true, .. }
            | FactResponse::Skipped => None,
            FactResponse::Listing { project, outcome: Err(error), .. } => {
                self.facts.candidates.remove(&project);
                self.facts.unavailable.insert(project);
                self.unreachable.push(error.into());
                None
            }
            FactResponse::Metadata { url, outcome: Err(error), .. } => {
                // The search goes on as if the file needed nothing, to find what else is wrong.
                self.facts.metadata.insert(url, Ok(Arc::default()));
                self.unreachable.push((*error).into());
                None
            }
        }
    }

    /// Records the projects for which every index is asked.
    fn note_scope(&mut self, missing: &MissingFacts) {
        let everywhere = missing.listings.iter().filter(|(_, everywhere)| **everywhere);
        self.everywhere.extend(everywhere.map(|(project, _)| project.clone()));
    }

    /// Whether `solutions` do not depend on anything that could not be fetched.
    ///
    /// A version without known dependencies that was not chosen would not have been chosen with
    /// any, either.
    fn is_unaffected_by_outages(&self, solutions: &[Solution]) -> bool {
        let packages = || solutions.iter().flat_map(|solution| &solution.packages);
        self.unreachable.iter().all(|unreachable| match unreachable {
            Unreachable::Index(_) => false,
            Unreachable::Metadata(failure) => packages().all(|package| package.file.url != failure.url),
        })
    }

    /// Returns warnings about what could not be fetched, and did not matter.
    fn ignored_failures(&self) -> Vec<String> {
        self.unreachable.iter().map(|unreachable| format!("{unreachable}; what was chosen does not need it")).collect()
    }

    /// Returns the listings to request again after `failures`.
    ///
    /// Cached ones are validated, since what is missing may have been published meanwhile. Narrowed
    /// ones are requested in full, since explanations name versions close to the required ones.
    fn stale_listings(&mut self, failures: &[Failure]) -> BTreeMap<PackageName, ListingRequest> {
        let mut again = BTreeMap::new();
        for project in failures.iter().flat_map(Failure::projects) {
            let Some(candidates) = self.facts.candidates.get(project) else { continue };
            if (candidates.unchecked || candidates.narrowed) && self.asked_again.insert(project.clone()) {
                let (everywhere, check) = (self.everywhere.contains(project), candidates.unchecked);
                again.insert(project.clone(), ListingRequest { everywhere, check, versions: Specifiers::any() });
            }
        }
        again
    }

    /// Adds source archives to `solutions`, if the question asks for them beside wheels.
    fn complete<'a>(&self, question: &Question, solutions: impl Iterator<Item = (&'a mut Solution, &'a Arc<Target>)>) {
        if question.with_sources {
            solutions.for_each(|(one, target)| add_sources(one, target, question, &self.facts.candidates));
        }
    }

    fn into_failure(self, failures: Vec<Failure>, solved: Plan) -> PlanFailure {
        let solved = if self.unreachable.is_empty() { solved } else { Plan::default() };
        PlanFailure { failures, unreachable: self.unreachable, solved }
    }
}

/// The response to a request for a fact; a speculative one was not asked for by a step.
enum FactResponse {
    Listing {
        project: PackageName,
        is_speculative: bool,
        outcome: Result<Candidates, IndexError>,
    },
    Metadata {
        project: PackageName,
        url: MaskedUrl,
        filename: Box<str>,
        is_speculative: bool,
        /// Whether the file has a promised digest.
        is_cacheable: bool,
        outcome: Result<Result<Arc<ResolutionMetadata>, MetadataUnavailable>, Box<MetadataFailure>>,
    },
    /// A speculative request was dropped, since it would have cost too much.
    Skipped,
}

impl FactResponse {
    fn is_speculative(&self) -> bool {
        match self {
            Self::Listing { is_speculative, .. } | Self::Metadata { is_speculative, .. } => *is_speculative,
            Self::Skipped => true,
        }
    }
}

/// Fetches the facts that the resolver lacks, with a limit on concurrent requests.
pub struct MetadataProvider {
    /// The versions of interest, by project; others are not fetched.
    bounds: BTreeMap<PackageName, Specifiers>,
    context: FetchContext,
    listener: Listener,
    permits: Arc<Semaphore>,
    /// The number of permits to add once requests share a connection.
    more_permits: usize,
    /// What was requested before the first step, and the responses.
    started: (RequestedFacts, JoinSet<FactResponse>),
}

impl MetadataProvider {
    /// Makes a provider for `question`, with at most `at_once` concurrent requests.
    pub fn new(question: &Question, context: &FetchContext, at_once: usize, listener: &Listener) -> Self {
        let permits = Arc::new(Semaphore::new(at_once.max(1)));
        let more_permits = at_once * (SHARED_CONNECTION_FACTOR - 1);
        let (bounds, started) = (question.unconditional_bounds(), Default::default());
        Self { bounds, context: context.clone(), listener: listener.clone(), permits, more_permits, started }
    }

    /// Starts requests for what `question` needs whatever the targets are; must be called within a
    /// tokio runtime.
    pub fn start(&mut self, question: &Question) {
        let (mut requested, mut asked) = std::mem::take(&mut self.started);
        self.ask_all(requested.add(question.unconditional_listings()), false, &mut asked);
        self.started = (requested, asked);
    }

    /// Fetches all of `missing`, and meanwhile what the responses lead to.
    async fn fetch_facts(&mut self, missing: MissingFacts, resolver: &mut Resolver<'_>, known: &mut KnownFacts) {
        let (mut requested, mut asked) = std::mem::take(&mut self.started);
        known.note_scope(&missing);
        self.ask_all(requested.add(missing), false, &mut asked);
        while let Some(answer) = asked.join_next().await {
            let answer = answer.expect("asking does not panic");
            if self.context.client.shares_a_connection() {
                self.permits.add_permits(std::mem::take(&mut self.more_permits));
            }
            let is_speculative = answer.is_speculative();
            if let Some(new_fact) = known.take(answer) {
                let more = requested.add(resolver.prefetch(&new_fact, is_speculative, &known.facts));
                known.note_scope(&more);
                self.ask_all(more, true, &mut asked);
            }
        }
    }

    async fn fetch_again(&self, requests: BTreeMap<PackageName, ListingRequest>, known: &mut KnownFacts) {
        let mut asked = JoinSet::new();
        for (project, request) in requests {
            self.ask(project, request, false, &mut asked);
        }
        while let Some(answer) = asked.join_next().await {
            known.take(answer.expect("asking does not panic"));
        }
    }

    fn ask_all(&self, missing: MissingFacts, is_speculative: bool, asked: &mut JoinSet<FactResponse>) {
        for (project, everywhere) in missing.listings {
            let versions = self.bounds.get(&project).cloned().unwrap_or_default();
            self.ask(project, ListingRequest { everywhere, versions, check: false }, is_speculative, asked);
        }
        for (url, (project, candidate)) in missing.metadata {
            let (context, listener, permits) = self.share();
            asked.spawn(async move {
                let _turn = permits.acquire().await.expect("the semaphore is never closed");
                listener(Event::Asking(candidate.filename.to_string()));
                let said = match is_speculative {
                    true => Box::pin(metadata_at_a_glance(&candidate, &context)).await.map(Ok),
                    false => Some(Box::pin(metadata_of(&project, &candidate, &context, &listener)).await),
                };
                listener(Event::Answered(candidate.filename.to_string()));
                let Some(said) = said else { return FactResponse::Skipped };
                let outcome =
                    said.map(|said| said.metadata(&candidate, &context.claims).map(Arc::new)).map_err(Box::new);
                let is_cacheable = candidate.promises.sha256().is_some();
                FactResponse::Metadata {
                    project,
                    url,
                    filename: candidate.filename.clone(),
                    is_speculative,
                    is_cacheable,
                    outcome,
                }
            });
        }
    }

    fn ask(
        &self,
        project: PackageName,
        request: ListingRequest,
        is_speculative: bool,
        asked: &mut JoinSet<FactResponse>,
    ) {
        let (context, listener, permits) = self.share();
        asked.spawn(async move {
            let _turn = permits.acquire().await.expect("the semaphore is never closed");
            listener(Event::Asking(project.to_string()));
            // Thousands may wait for their turn: what is done then takes its room only then.
            let outcome = Box::pin(context.indexes.candidates(&project, &request)).await;
            listener(Event::Answered(project.to_string()));
            FactResponse::Listing { project, is_speculative, outcome }
        });
    }

    fn share(&self) -> (FetchContext, Listener, Arc<Semaphore>) {
        (self.context.clone(), self.listener.clone(), self.permits.clone())
    }
}

/// The facts requested so far, so that nothing is requested twice.
#[derive(Default)]
struct RequestedFacts {
    listings: BTreeSet<PackageName>,
    metadata: BTreeSet<MaskedUrl>,
}

impl RequestedFacts {
    /// Adds `missing`; returns those of them that are new.
    fn add(&mut self, mut missing: MissingFacts) -> MissingFacts {
        missing.listings.retain(|project, _| self.listings.insert(project.clone()));
        missing.metadata.retain(|url, _| self.metadata.insert(url.clone()));
        missing
    }
}
