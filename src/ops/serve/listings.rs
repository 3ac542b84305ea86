//! What the indexes have of projects, each asked for once however many wait for the answer.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use crate::domain::{Candidates, PackageName, Timestamp};
use crate::index::{IndexError, ListingRequest, StalePage};
use crate::ops::FetchContext;

/// A callback for pages that are served although their index could not be asked.
pub type StaleLog = Arc<dyn Fn(&StalePage) + Send + Sync>;

type Answer = Result<Arc<Candidates>, Arc<IndexError>>;

/// Asks the indexes of a context for projects.
pub struct Listings {
    context: FetchContext,
    clock: fn() -> Timestamp,
    log: StaleLog,
    /// The projects whose index is known to be down.
    stale: Mutex<BTreeSet<PackageName>>,
    asked: Mutex<HashMap<PackageName, Shared<BoxFuture<'static, Answer>>>>,
}

impl Listings {
    pub fn new(context: FetchContext, clock: fn() -> Timestamp, log: StaleLog) -> Self {
        Self { context, clock, log, stale: Mutex::default(), asked: Mutex::default() }
    }

    /// Returns what the indexes have of a project, or joins those who wait for it.
    ///
    /// # Errors
    /// When an index cannot be read, and the cache has no page of it.
    pub async fn of(self: &Arc<Self>, name: &PackageName) -> Answer {
        let answer = lock(&self.asked).entry(name.clone()).or_insert_with(|| self.clone().begin(name.clone())).clone();
        answer.await
    }

    /// Begins to ask for a project; that goes on to its end whoever goes away.
    fn begin(self: Arc<Self>, name: PackageName) -> Shared<BoxFuture<'static, Answer>> {
        let asking = tokio::spawn(async move {
            let answer = self.ask(&name).await.map(Arc::new).map_err(Arc::new);
            lock(&self.asked).remove(&name);
            answer
        });
        asking.map(|answer| answer.expect("it is not stopped before the server is")).boxed().shared()
    }

    async fn ask(&self, name: &PackageName) -> Result<Candidates, IndexError> {
        let indexes = self.context.indexes.at((self.clock)(), &self.context.entries);
        let candidates = indexes.candidates(name, &ListingRequest::default()).await?;
        self.note_stale(name, &indexes.stale());
        Ok(candidates)
    }

    /// Tells once of each project whose pages are old, until they are not any more.
    fn note_stale(&self, name: &PackageName, pages: &[StalePage]) {
        let mut known = lock(&self.stale);
        if pages.is_empty() {
            known.remove(name);
        } else if known.insert(name.clone()) {
            pages.iter().for_each(|page| (self.log)(page));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
