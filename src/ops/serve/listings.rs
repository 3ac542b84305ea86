//! What the indexes have of projects, each asked for once however many wait for the answer.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::project_listing::{ProjectListing, TooManyFiles};
use super::recent_listings::RecentListings;
use crate::domain::{PackageName, Timestamp};
use crate::http::blocking;
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

/// Why it is not known what the indexes have of a project, or not told.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ListingError {
    #[error(transparent)]
    Index(Arc<IndexError>),
    #[error(transparent)]
    TooManyFiles(#[from] TooManyFiles),
}

type Answer = Result<Arc<ProjectListing>, ListingError>;

/// The number of pages that are made at once, each of which may take a processor and much memory.
const PAGES_AT_ONCE: usize = 2;

/// Asks the indexes of a context for projects.
pub struct Listings {
    context: FetchContext,
    clock: fn() -> Timestamp,
    log: ListingLog,
    /// The projects whose doubts were told.
    doubted: Mutex<BTreeSet<PackageName>>,
    asked: Mutex<HashMap<PackageName, Shared<BoxFuture<'static, Answer>>>>,
    recent: Mutex<RecentListings>,
    permits: Semaphore,
}

impl Listings {
    pub fn new(context: FetchContext, clock: fn() -> Timestamp, log: ListingLog) -> Self {
        Self {
            context,
            clock,
            log,
            doubted: Mutex::default(),
            asked: Mutex::default(),
            recent: Mutex::default(),
            permits: Semaphore::new(PAGES_AT_ONCE),
        }
    }

    /// Returns what the indexes have of a project, or joins those who wait for it.
    ///
    /// # Errors
    /// When an index cannot be read, and the cache has no page of it, or the project has too many files.
    pub async fn of(self: &Arc<Self>, name: &PackageName) -> Answer {
        let answer = self.asked.lock().entry(name.clone()).or_insert_with(|| self.clone().begin(name.clone())).clone();
        answer.await
    }

    /// Returns what the indexes had of a project less than a minute ago, if it has this file; else asks.
    ///
    /// # Errors
    /// As [`Listings::of`].
    pub async fn with_file(self: &Arc<Self>, name: &PackageName, filename: &str) -> Answer {
        let recent = self.recent.lock().find(name).filter(|listing| listing.find(filename).is_some());
        match recent {
            Some(listing) => Ok(listing),
            None => self.of(name).await,
        }
    }

    /// Begins to ask for a project; that goes on to its end whoever goes away.
    fn begin(self: Arc<Self>, name: PackageName) -> Shared<BoxFuture<'static, Answer>> {
        let asking = tokio::spawn(async move {
            let answer = self.ask(&name).await.map(Arc::new);
            self.asked.lock().remove(&name);
            if let Ok(listing) = &answer {
                self.recent.lock().keep(name, listing.clone());
            }
            answer
        });
        asking.map(|answer| answer.expect("it is not stopped before the server is")).boxed().shared()
    }

    async fn ask(&self, name: &PackageName) -> Result<ProjectListing, ListingError> {
        let indexes = self.context.indexes.at((self.clock)(), &self.context.entries);
        let candidates = indexes.candidates(name, &ListingRequest::default()).await;
        let candidates = candidates.map_err(|error| ListingError::Index(Arc::new(error)))?;
        let (stale, absent) = (indexes.stale(), indexes.assumed_absent());
        let doubts = stale.iter().map(ListingDoubt::Stale).chain(absent.iter().map(ListingDoubt::AssumedAbsent));
        self.note_doubts(name, &doubts.collect::<Vec<_>>());
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let name = name.clone();
        Ok(blocking(move || ProjectListing::new(&name, candidates)).await?)
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
