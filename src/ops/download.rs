//! Downloads one file into the store, with retries that resume where the transfer broke off.

use std::sync::Arc;
use std::time::Duration;

use super::arrival::ArrivalSender;
use super::fetch_context::FetchContext;
use super::fetch_error::FetchError;
use super::incoming_writer::IncomingWriter;
use super::shared_objects::{SharedOutcome, fetch_shared};
use super::{Event, Listener};
use crate::domain::{ContentMismatch, ExpectedContent, FileLink, Object, Sha256, Status};
use crate::http::{HttpClient, HttpError, MIN_PARALLEL_SIZE, RequestPermit, ResponseBody, ResumePoint, blocking};
use crate::index::LocalDigests;
use crate::shared_store::SharedStore;
use crate::store::{Claim, DiskStore, Incoming, StoreError};

/// A file to download.
pub(super) struct Download {
    pub file: usize,
    pub link: FileLink,
    pub store: DiskStore,
    pub client: Arc<HttpClient>,
    /// Asked before the file's own URL.
    pub shared: Option<SharedStore>,
    pub listener: Listener,
    /// Tells those who read the file while it arrives.
    pub arrival: Option<ArrivalSender>,
}

impl Download {
    /// A download that nobody is told of.
    pub fn new(link: FileLink, context: &FetchContext) -> Self {
        Self {
            file: 0,
            link,
            store: context.store.clone(),
            client: context.client.clone(),
            shared: context.shared.clone(),
            listener: Arc::new(|_| ()),
            arrival: None,
        }
    }

    /// Downloads the file into the store, or waits if another process does.
    ///
    /// # Errors
    /// When all attempts failed, the bytes are not those that were promised, or the store cannot be
    /// written.
    pub async fn run(&self) -> Result<(Object, Status), FetchError> {
        let mut wait = OtherProcessWait::default();
        loop {
            let permit = self.client.permit(&self.link.url, self.link.expected.size).await;
            let seen = LocalDigests::stamp(&self.link.url);
            // Thousands may wait for their turn: what is done then takes its room only then.
            if let Some((object, status)) = Box::pin(self.take(permit, &mut wait)).await? {
                if let Some(seen) = seen.filter(|_| status == Status::Downloaded) {
                    LocalDigests::new(self.store.layout()).insert(&seen, object.sha256);
                }
                return Ok((object, status));
            }
        }
    }

    /// Downloads the file with one permit; `None` if it waited for another process instead.
    async fn take(
        &self,
        permit: RequestPermit,
        wait: &mut OtherProcessWait,
    ) -> Result<Option<(Object, Status)>, FetchError> {
        let incoming = match self.claim(&self.link.expected).await? {
            Claim::Held(object) => return Ok(Some((object, Status::Cached))),
            Claim::Ours(incoming) => *incoming,
            Claim::InProgress { .. } if wait.is_over() => self.store.begin(self.link.expected.clone())?,
            Claim::InProgress { received } => {
                drop(permit);
                wait.wait(received).await;
                return Ok(None);
            }
        };
        let incoming = match self.take_shared(incoming).await? {
            SharedOutcome::Fetched(object) => return Ok(Some((object, Status::Downloaded))),
            SharedOutcome::Missing(incoming) => *incoming,
            SharedOutcome::Mismatch => self.store.begin(self.link.expected.clone())?,
        };
        let object = DownloadAttempts::new(self, permit, incoming).run().await?;
        if let Some(shared) = &self.shared {
            shared.upload(self.store.path(object.sha256), object);
        }
        Ok(Some((object, Status::Downloaded)))
    }

    async fn take_shared(&self, incoming: Incoming) -> Result<SharedOutcome, StoreError> {
        match (&self.shared, self.link.expected.sha256()) {
            (Some(shared), Some(sha256)) => {
                let emit = |event| self.emit(event);
                fetch_shared(shared, sha256, (self.file, &self.link.filename), incoming, self.arrival.as_ref(), &emit)
                    .await
            }
            _ => Ok(SharedOutcome::Missing(Box::new(incoming))),
        }
    }

    async fn claim(&self, expected: &ExpectedContent) -> Result<Claim, StoreError> {
        let (store, expected) = (self.store.clone(), expected.clone());
        blocking(move || store.claim(&expected)).await
    }

    fn emit(&self, event: Event) {
        (self.listener)(event);
    }

    /// Returns an identifier of a version of the file at its URL, so that a later run resumes only
    /// what came from there.
    ///
    /// The URL is hashed, since it may hold a secret.
    fn origin(&self, validator: &str) -> String {
        format!("{} {validator}", Sha256::of(self.link.url.public().as_bytes()))
    }
}

/// Fetches the file of `link` into the store before there is a plan, since the plan depends on
/// it.
///
/// # Errors
/// As [`Download::run`].
pub(super) async fn download(
    link: &FileLink,
    context: &FetchContext,
    listener: &Listener,
) -> Result<Object, FetchError> {
    if !link.url.is_local() {
        listener(Event::NeededEarly { filename: link.filename.clone(), bytes: link.expected.size });
    }
    Download::new(link.clone(), context).run().await.map(|(object, _)| object)
}

/// How long to wait for another process that downloads the same file and receives no bytes;
/// afterwards the file is downloaded here, too.
const STALL_TIMEOUT: Duration = Duration::from_secs(20);

/// The time between two looks at the other process's progress.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Waits for another process.
#[derive(Default)]
struct OtherProcessWait {
    received: u64,
    waited: Duration,
}

impl OtherProcessWait {
    /// Waits a little for more than `received` bytes.
    async fn wait(&mut self, received: u64) {
        if received != self.received {
            *self = Self { received, waited: Duration::ZERO };
        }
        tokio::time::sleep(POLL_INTERVAL).await;
        self.waited += POLL_INTERVAL;
    }

    fn is_over(&self) -> bool {
        self.waited >= STALL_TIMEOUT
    }
}

/// The number of new bytes after which the count of retries starts again.
const PROGRESS: u64 = 1 << 20;

/// The attempts at one file.
struct DownloadAttempts<'a> {
    download: &'a Download,
    expected: ExpectedContent,
    permit: RequestPermit,
    writer: IncomingWriter,
    /// The version of the file that the bytes are of, if its server stated one.
    validator: Option<String>,
    /// Whether some of the bytes were received by another process.
    is_resumed: bool,
    has_started_over: bool,
}

impl<'a> DownloadAttempts<'a> {
    fn new(download: &'a Download, permit: RequestPermit, incoming: Incoming) -> Self {
        let validator =
            incoming.origin().and_then(|origin| origin.strip_prefix(&download.origin(""))).map(ToOwned::to_owned);
        let is_resumed = incoming.received() > 0;
        let expected = download.link.expected.clone();
        let writer = IncomingWriter::new(incoming, download.arrival.clone());
        Self { download, expected, permit, writer, validator, is_resumed, has_started_over: false }
    }

    async fn run(mut self) -> Result<Object, FetchError> {
        let mut attempts = self.download.client.attempts();
        loop {
            let before = self.writer.received;
            let error = match self.attempt().await {
                Ok(object) => return Ok(object),
                Err(error) => error,
            };
            self.download.emit(Event::Restarted { file: self.download.file, received: self.writer.received });
            match &error {
                FetchError::Http(why) => {
                    if self.can_resume() && self.writer.received >= before + PROGRESS {
                        attempts.progressed();
                    }
                    if !self.download.client.pause(&mut attempts, why).await {
                        return Err(error);
                    }
                }
                // A broken proxy is commoner than an attack, and so are bytes of a crashed run.
                FetchError::Store(StoreError::Mismatch(broken))
                    if !self.has_started_over
                        && (self.is_resumed || attempts.is_allowed() || self.may_be_of_another_size(broken)) =>
                {
                    if self.may_be_of_another_size(broken) {
                        self.expected.size = None;
                    }
                    self.start_over().await?;
                }
                _ => return Err(error),
            }
        }
    }

    /// Whether a transfer may be resumed: only an expected digest can tell whether the parts belong
    /// together.
    fn can_resume(&self) -> bool {
        self.expected.has_digest()
    }

    async fn attempt(&mut self) -> Result<Object, FetchError> {
        if !self.can_resume() {
            self.writer.restart().await?;
        }
        let size = self.expected.size;
        if self.writer.received == 0 || size != Some(self.writer.received) {
            let body = self.ask().await?;
            let announced = self.receive(body).await?;
            // Whoever announces a length and keeps it has cut nothing short: it is another file.
            if let Some(expected) = announced.or(size).filter(|expected| *expected > self.writer.received) {
                return Err(HttpError::truncated(&self.download.link.url, self.writer.received, expected).into());
            }
        }
        Ok(self.writer.keep().await?)
    }

    async fn ask(&mut self) -> Result<ResponseBody, FetchError> {
        let start = ResumePoint {
            at: self.writer.received,
            validator: self.validator.clone(),
            past_caches: self.has_started_over,
            ..ResumePoint::default()
        };
        let (client, url) = (&self.download.client, &self.download.link.url);
        let body = match self.expected.size.filter(|size| *size >= MIN_PARALLEL_SIZE) {
            Some(size) if self.can_resume() => client.file_in_parallel(&self.permit, url, &start, size).await?,
            _ => client.file(&self.permit, url, &start).await?,
        };
        // Not every index tells sizes.
        let body = match body.total().filter(|size| self.can_resume() && body.is_shared() && *size >= MIN_PARALLEL_SIZE)
        {
            Some(size) => client.file_in_parallel(&self.permit, url, &start, size).await?,
            None => body,
        };
        if body.start() != self.writer.received {
            self.writer.restart().await?;
        }
        self.validator = body.validators().for_range().map(ToOwned::to_owned);
        self.writer.origin = self.validator.as_ref().map(|validator| self.download.origin(validator));
        Ok(body)
    }

    /// Receives the whole body; returns the file's size as the server states it.
    async fn receive(&mut self, mut body: ResponseBody) -> Result<Option<u64>, FetchError> {
        let size = self.expected.size.or(body.total());
        self.writer.expect(body.total());
        let (file, filename) = (self.download.file, self.download.link.filename.clone());
        self.download.emit(Event::Started { file, filename, size });
        if body.start() > 0 {
            self.download.emit(Event::Received { file, bytes: body.start() });
        }
        if let Some(size) = size {
            self.check_size(size)?;
            self.download.store.check_space(size.saturating_sub(body.start()))?;
        }
        let mut limit = SpaceLimit::new(size.is_some());
        while let Some(bytes) = body.next().await? {
            self.download.emit(Event::Received { file, bytes: bytes.len() as u64 });
            self.check_size(self.writer.received + bytes.len() as u64)?;
            limit.take(bytes.len() as u64, &self.download.store)?;
            self.writer.take(bytes).await?;
        }
        Ok(body.total())
    }

    fn check_size(&self, size: u64) -> Result<(), HttpError> {
        self.download.client.check_file_size(&self.download.link.url, size)
    }

    /// Whether an expected digest may hold although the size differs.
    ///
    /// Then the digest alone decides: sizes on pages are wrong more often than digests, and pip
    /// ignores them.
    fn may_be_of_another_size(&self, broken: &ContentMismatch) -> bool {
        matches!(broken, ContentMismatch::Size { .. }) && self.can_resume()
    }

    /// Discards everything received; done at most once.
    async fn start_over(&mut self) -> Result<(), FetchError> {
        self.has_started_over = true;
        self.validator = None;
        let incoming = match self.download.claim(&self.expected).await? {
            Claim::Ours(mut incoming) => {
                incoming.restart()?;
                *incoming
            }
            _ => self.download.store.begin(self.expected.clone())?,
        };
        self.download.arrival.iter().for_each(ArrivalSender::restart);
        self.writer = IncomingWriter::new(incoming, self.download.arrival.clone());
        Ok(())
    }
}

/// Limits the disk space that a file of unknown size may take, since it may have no end.
struct SpaceLimit {
    is_bounded: bool,
    /// The number of bytes that are left free for others.
    left: u64,
    /// The number of bytes since the free space was checked.
    taken: u64,
}

impl SpaceLimit {
    /// The number of bytes after which the free space is checked again.
    const STRIDE: u64 = 64 << 20;

    /// The number of bytes that are left free for others.
    const LEFT: u64 = 1 << 30;

    fn new(is_bounded: bool) -> Self {
        Self { is_bounded, left: Self::LEFT, taken: 0 }
    }

    /// Counts more bytes; fails once the disk has little space left.
    fn take(&mut self, bytes: u64, store: &DiskStore) -> Result<(), StoreError> {
        self.taken += bytes;
        if self.is_bounded || self.taken < Self::STRIDE {
            return Ok(());
        }
        self.taken = 0;
        store.check_space(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_no_end_leaves_room_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::new(folder.path().join("store"));
        let limit = |is_bounded| SpaceLimit { left: u64::MAX, ..SpaceLimit::new(is_bounded) };
        let mut endless = limit(false);
        endless.take(SpaceLimit::STRIDE - 1, &store).unwrap();
        assert!(matches!(endless.take(1, &store), Err(StoreError::Full { .. })));
        limit(true).take(SpaceLimit::STRIDE, &store).unwrap();
        SpaceLimit::new(false).take(0, &store).unwrap();
    }
}
