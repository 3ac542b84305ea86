//! Fetches the facts that a step of the resolver lacks: listings of projects, and metadata of files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::known_facts::{FactResponse, KnownFacts};
use crate::domain::{MaskedUrl, PackageName, Question, Specifiers};
use crate::http::SHARED_CONNECTION_FACTOR;
use crate::index::ListingRequest;
use crate::ops::fetch_context::FetchContext;
use crate::ops::metadata::{metadata_of, metadata_without_download};
use crate::ops::{Event, Listener};
use crate::resolve::{MissingFacts, Resolver};

/// Fetches the facts that the resolver lacks, with a limit on concurrent requests.
pub struct MetadataProvider {
    /// The versions of interest, by project; others are not fetched.
    bounds: BTreeMap<PackageName, Specifiers>,
    pub(super) context: FetchContext,
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
        self.ask_all(requested.add(MissingFacts::of_question(question)), false, &mut asked);
        self.started = (requested, asked);
    }

    /// Fetches all of `missing`, and meanwhile what the responses lead to.
    pub(super) async fn fetch_facts(
        &mut self,
        missing: MissingFacts,
        resolver: &mut Resolver<'_>,
        known: &mut KnownFacts,
    ) {
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

    pub(super) async fn fetch_again(&self, requests: BTreeMap<PackageName, ListingRequest>, known: &mut KnownFacts) {
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
        for (url, (project, link)) in missing.metadata {
            let (context, listener, permits) = self.share();
            asked.spawn(async move {
                let _turn = permits.acquire().await.expect("the semaphore is never closed");
                listener(Event::Asking(link.filename.to_string()));
                let stated = match is_speculative {
                    true => Box::pin(metadata_without_download(&link, &context)).await.map(Ok),
                    false => Some(Box::pin(metadata_of(&project, &link, &context, &listener)).await),
                };
                listener(Event::Answered(link.filename.to_string()));
                let Some(stated) = stated else { return FactResponse::Skipped };
                let outcome = stated
                    .map(|stated| stated.metadata(&link, &context.claimed_metadata).map(Arc::new))
                    .map_err(Box::new);
                let is_cacheable = link.expected.sha256().is_some();
                FactResponse::Metadata {
                    project,
                    url,
                    filename: link.filename.clone(),
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
