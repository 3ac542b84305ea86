//! What the indexes have of projects, each asked for once however many wait for the answer.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use parking_lot::Mutex;

use crate::domain::{Candidates, PackageName, Timestamp};
use crate::index::{AssumedAbsent, IndexError, ListingRequest, StalePage};
use crate::ops::FetchContext;

/// What an answer rests on that may be wrong.
#[derive(Clone, Copy, Debug)]
pub enum ListingDoubt<'a> {
    /// A page that is used although its index could not be asked.
    Stale(&'a StalePage),
    /// An index that is taken not to have the project.
    AssumedAbsent(&'a AssumedAbsent),
}

/// A callback for doubts, called from any thread.
pub type ListingLog = Arc<dyn Fn(ListingDoubt<'_>) + Send + Sync>;

type Answer = Result<Arc<Candidates>, Arc<IndexError>>;

/// Asks the indexes of a context for projects.
pub struct Listings {
    context: FetchContext,
    clock: fn() -> Timestamp,
    log: ListingLog,
    /// The projects whose doubts were told.
    doubted: Mutex<BTreeSet<PackageName>>,
    asked: Mutex<HashMap<PackageName, Shared<BoxFuture<'static, Answer>>>>,
}

impl Listings {
    pub fn new(context: FetchContext, clock: fn() -> Timestamp, log: ListingLog) -> Self {
        Self { context, clock, log, doubted: Mutex::default(), asked: Mutex::default() }
    }

    /// Returns what the indexes have of a project, or joins those who wait for it.
    ///
    /// # Errors
    /// When an index cannot be read, and the cache has no page of it.
    pub async fn of(self: &Arc<Self>, name: &PackageName) -> Answer {
        let answer = self.asked.lock().entry(name.clone()).or_insert_with(|| self.clone().begin(name.clone())).clone();
        answer.await
    }

    /// Begins to ask for a project; that goes on to its end whoever goes away.
    fn begin(self: Arc<Self>, name: PackageName) -> Shared<BoxFuture<'static, Answer>> {
        let asking = tokio::spawn(async move {
            let answer = self.ask(&name).await.map(Arc::new).map_err(Arc::new);
            self.asked.lock().remove(&name);
            answer
        });
        asking.map(|answer| answer.expect("it is not stopped before the server is")).boxed().shared()
    }

    async fn ask(&self, name: &PackageName) -> Result<Candidates, IndexError> {
        let indexes = self.context.indexes.at((self.clock)(), &self.context.entries);
        let candidates = indexes.candidates(name, &ListingRequest::default()).await?;
        let (stale, absent) = (indexes.stale(), indexes.assumed_absent());
        let doubts = stale.iter().map(ListingDoubt::Stale).chain(absent.iter().map(ListingDoubt::AssumedAbsent));
        self.note_doubts(name, &doubts.collect::<Vec<_>>());
        Ok(candidates)
    }

    /// Tells the doubts about a project once, until there are none.
    fn note_doubts(&self, name: &PackageName, doubts: &[ListingDoubt<'_>]) {
        let mut known = self.doubted.lock();
        if doubts.is_empty() {
            known.remove(name);
        } else if known.insert(name.clone()) {
            doubts.iter().for_each(|doubt| (self.log)(*doubt));
        }
    }
}
