//! Plan → Fetched: every file into the store, concurrently, each promise checked on the way.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::metadata::Places;
use super::{Event, Listener};
use crate::domain::{
    Fetched, FetchedFile, FetchedPackage, MaskedUrl, Object, Offer, Plan, PlannedFile, Promises, Status, WheelFilename,
};
use crate::http::{HttpClient, HttpError};
use crate::index::wheel_metadata::{self, WheelError};
use crate::interpreter::BuildError;
use crate::store::{DiskStore, Incoming, StoreError};

/// How files are fetched.
#[derive(Clone, Copy, Debug)]
pub struct FetchSettings {
    /// Transfers under way at once.
    pub jobs: usize,
    /// Also take out each wheel's `METADATA`.
    pub metadata: bool,
}

/// A file that could not be had.
#[derive(Debug, thiserror::Error)]
#[error("{filename}: {why}")]
pub struct FetchFailure {
    pub filename: Box<str>,
    pub url: MaskedUrl,
    pub why: FetchError,
}

/// What went wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Wheel(#[from] WheelError),
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// Brings every file of `plan` into `store`.
///
/// # Errors
/// Every file that could not be had. Those that could are kept, and the next run finds them.
pub async fn fetch(
    plan: Plan,
    store: &DiskStore,
    client: &Arc<HttpClient>,
    settings: FetchSettings,
    listener: &Listener,
) -> Result<Fetched, Vec<FetchFailure>> {
    let held = get_all(&plan, store, client, settings, listener).await?;
    let mut held = held.into_iter();
    let mut take = |file: PlannedFile| {
        let Held { object, metadata, status } = held.next().expect("every planned file is held");
        FetchedFile { offer: file.offer, targets: file.targets, object, metadata, status }
    };
    let packages = plan.packages.into_iter().map(|package| FetchedPackage {
        name: package.name,
        version: package.version,
        requested_by: package.requested_by,
        dependencies: package.dependencies,
        files: package.files.into_iter().map(&mut take).collect(),
    });
    Ok(Fetched { targets: plan.targets, packages: packages.collect() })
}

/// A file in the store.
struct Held {
    object: Object,
    metadata: Option<Object>,
    status: Status,
}

async fn get_all(
    plan: &Plan,
    store: &DiskStore,
    client: &Arc<HttpClient>,
    settings: FetchSettings,
    listener: &Listener,
) -> Result<Vec<Held>, Vec<FetchFailure>> {
    let places = Arc::new(Semaphore::new(settings.jobs.max(1)));
    let mut transfers = JoinSet::new();
    let mut held: Vec<Option<Held>> = Vec::new();
    let mut failures = Vec::new();
    let missing = find_held(plan, store, listener, &mut held);
    let bytes = missing.iter().map(|(_, offer)| offer.promises.size).sum();
    listener(Event::Planned { files: missing.len(), bytes });
    for (file, offer) in missing {
        let job = Job { file, offer, store: store.clone(), client: client.clone(), listener: listener.clone() };
        let places = places.clone();
        transfers.spawn(async move {
            let _place = places.acquire().await.expect("the semaphore is never closed");
            let result = job.run().await;
            (job, result)
        });
    }
    while let Some(transfer) = transfers.join_next().await {
        let (job, result) = transfer.expect("a transfer does not panic");
        match result {
            Ok(object) => held[job.file] = Some(job.held(object)),
            Err(why) => failures.push((job.file, job.failed(why))),
        }
    }
    let held: Vec<_> = held.into_iter().flatten().collect();
    if failures.is_empty() {
        return with_metadata(plan, store, settings, held);
    }
    failures.sort_by_key(|(file, _)| *file);
    Err(failures.into_iter().map(|(_, failure)| failure).collect())
}

/// Fills in what the store has; returns the rest.
fn find_held(plan: &Plan, store: &DiskStore, listener: &Listener, held: &mut Vec<Option<Held>>) -> Vec<(usize, Offer)> {
    let mut missing = Vec::new();
    for (file, (_, planned)) in plan.files().enumerate() {
        let found = store.find_promised(&planned.offer.promises);
        if let Some(object) = found {
            let filename = planned.offer.filename.clone();
            listener(Event::Held { file, filename, bytes: object.size, status: Status::Cached });
        } else {
            missing.push((file, planned.offer.clone()));
        }
        held.push(found.map(|object| Held { object, metadata: None, status: Status::Cached }));
    }
    missing
}

fn with_metadata(
    plan: &Plan,
    store: &DiskStore,
    settings: FetchSettings,
    mut held: Vec<Held>,
) -> Result<Vec<Held>, Vec<FetchFailure>> {
    let mut failures = Vec::new();
    for (held, (_, file)) in held.iter_mut().zip(plan.files()).filter(|_| settings.metadata) {
        let Ok(filename) = file.offer.filename.parse() else { continue };
        match take_metadata(store, held.object, &filename) {
            Ok(metadata) => held.metadata = Some(metadata),
            Err(why) => {
                failures.push(FetchFailure { filename: file.offer.filename.clone(), url: file.offer.url.clone(), why })
            }
        }
    }
    if failures.is_empty() { Ok(held) } else { Err(failures) }
}

fn take_metadata(store: &DiskStore, wheel: Object, filename: &WheelFilename) -> Result<Object, FetchError> {
    let metadata = wheel_metadata::read(store.open(wheel.sha256)?, filename)?;
    Ok(store.insert(&metadata.bytes)?)
}

/// Brings the file of `offer` into the store, unseen by any listener: it is needed early.
pub(super) async fn download(offer: &Offer, places: &Places) -> Result<Object, FetchError> {
    let (offer, store, client) = (offer.clone(), places.store.clone(), places.client.clone());
    Job { file: 0, offer, store, client, listener: Arc::new(|_| ()) }.run().await
}

/// One transfer.
struct Job {
    file: usize,
    offer: Offer,
    store: DiskStore,
    client: Arc<HttpClient>,
    listener: Listener,
}

/// Bytes are handed to the disk in portions of this size: large enough that the hand-over to
/// another thread costs nothing, small enough that sixteen of them are no memory.
const PORTION: usize = 512 << 10;

impl Job {
    async fn run(&self) -> Result<Object, FetchError> {
        let transferred = self.client.retrying(|| self.attempt()).await?;
        Ok(transferred?)
    }

    /// The outer error is worth a retry, the inner one is not.
    async fn attempt(&self) -> Result<Result<Object, StoreError>, HttpError> {
        let mut body = self.client.file(&self.offer.url).await?;
        let size = self.offer.promises.size.or(body.announced_size());
        self.tell(Event::Started { file: self.file, filename: self.offer.filename.clone(), size });
        let mut writer = Writer::new(&self.store, &self.offer.promises);
        let mut received = 0;
        loop {
            match body.next().await {
                Ok(None) => return Ok(writer.keep().await),
                Ok(Some(bytes)) => {
                    received += bytes.len() as u64;
                    self.tell(Event::Received { file: self.file, bytes: bytes.len() as u64 });
                    if let Err(error) = writer.take(bytes).await {
                        return Ok(Err(error));
                    }
                }
                Err(error) => {
                    self.tell(Event::Restarted { file: self.file, received });
                    return Err(error);
                }
            }
        }
    }

    fn held(&self, object: Object) -> Held {
        let filename = self.offer.filename.clone();
        self.tell(Event::Held { file: self.file, filename, bytes: object.size, status: Status::Downloaded });
        Held { object, metadata: None, status: Status::Downloaded }
    }

    fn failed(&self, why: FetchError) -> FetchFailure {
        self.tell(Event::Failed { file: self.file });
        FetchFailure { filename: self.offer.filename.clone(), url: self.offer.url.clone(), why }
    }

    fn tell(&self, event: Event) {
        (self.listener)(event);
    }
}

/// Collects bytes into portions, which are hashed and written on a thread that may block.
struct Writer {
    store: DiskStore,
    promises: Promises,
    incoming: Option<Incoming>,
    portion: Vec<Bytes>,
    collected: usize,
}

impl Writer {
    fn new(store: &DiskStore, promises: &Promises) -> Self {
        Self { store: store.clone(), promises: promises.clone(), incoming: None, portion: Vec::new(), collected: 0 }
    }

    async fn take(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.collected += bytes.len();
        self.portion.push(bytes);
        if self.collected < PORTION {
            return Ok(());
        }
        let write = self.pending();
        self.incoming = Some(blocking(write).await?);
        Ok(())
    }

    async fn keep(mut self) -> Result<Object, StoreError> {
        let write = self.pending();
        blocking(move || write()?.keep()).await
    }

    /// What writes the collected portion.
    fn pending(&mut self) -> impl FnOnce() -> Result<Incoming, StoreError> + Send + 'static {
        let portion = std::mem::take(&mut self.portion);
        let incoming = self.incoming.take();
        let (store, promises) = (self.store.clone(), self.promises.clone());
        self.collected = 0;
        move || {
            let mut incoming = incoming.map_or_else(|| store.begin(promises), Ok)?;
            portion.iter().try_for_each(|bytes| incoming.write(bytes))?;
            Ok(incoming)
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("writing does not panic")
}
