//! The shared store: what several caches have in common, in an object store (S3 and its kind,
//! Google, Azure, a folder, or a web server to read from).
//!
//! Its paths are those of a cache folder, so that one can be copied into the other. It only saves
//! requests to indexes: whatever it lacks, or cannot give, is fetched as without it, and bytes
//! count only once they have their digest.

mod backend;
mod failure;
mod mode;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, WriteMultipart};
use tokio::io::AsyncReadExt as _;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use self::backend::{SharedStoreError, SharedStoreSettings};
use self::failure::reason;
pub use self::mode::StoreMode;
use crate::cache_folder::CacheBucket;
use crate::domain::{Hasher, MaskedUrl, Object, Sha256};

/// A shared store; clones are the same one.
#[derive(Clone, Debug)]
pub struct SharedStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    location: MaskedUrl,
    mode: StoreMode,
    /// Why nothing is read any more, nor written.
    failed: OnceLock<String>,
    /// Why nothing is written any more.
    writing_failed: OnceLock<String>,
    /// The objects whose bytes were wrong.
    wrong: Mutex<Vec<Sha256>>,
    uploads: Mutex<JoinSet<()>>,
    upload_permits: Semaphore,
    fetched: Count,
    uploaded: Count,
}

/// Numbers of files and bytes.
#[derive(Debug, Default)]
struct Count {
    files: AtomicUsize,
    bytes: AtomicU64,
}

/// What was read from and written to a shared store, and what went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedStoreUsage {
    pub files_fetched: usize,
    pub bytes_fetched: u64,
    pub files_uploaded: usize,
    pub bytes_uploaded: u64,
    /// A sentence for each thing that went wrong.
    pub warnings: Vec<String>,
}

/// How long a shared store may take to begin an answer; then the index is faster.
const ANSWER: Duration = Duration::from_secs(10);

/// The number of uploads at once.
const UPLOADS: usize = 4;

/// The size of the parts of large files in bytes, the smallest that S3 takes; smaller files are
/// written by one request.
const PART: usize = 5 << 20;

impl SharedStore {
    /// Opens the store at a URL; no request is sent.
    ///
    /// # Errors
    /// When the URL or the options of the store cannot be used.
    pub fn open(settings: SharedStoreSettings) -> Result<Self, SharedStoreError> {
        let (location, mode) = (settings.location.clone(), settings.mode);
        let (objects, prefix) = backend::open(settings)?;
        Ok(Self(Arc::new(Inner {
            objects,
            prefix,
            location,
            mode,
            failed: OnceLock::new(),
            writing_failed: OnceLock::new(),
            wrong: Mutex::default(),
            uploads: Mutex::default(),
            upload_permits: Semaphore::new(UPLOADS),
            fetched: Count::default(),
            uploaded: Count::default(),
        })))
    }

    /// Begins to read an object; `None` if the store lacks it, or is not read any more.
    pub async fn get(&self, sha256: Sha256) -> Option<SharedObject> {
        if !self.0.mode.reads() || self.0.failed.get().is_some() {
            return None;
        }
        match tokio::time::timeout(ANSWER, self.0.objects.get(&self.path(sha256))).await {
            Ok(Ok(found)) => Some(SharedObject { size: found.meta.size, stream: found.into_stream() }),
            Ok(Err(error)) if failure::is_absence(&error) => None,
            Ok(Err(error)) => {
                self.leave_alone(reason(&error));
                None
            }
            Err(_) => {
                self.leave_alone(format!("it did not answer within {} s", ANSWER.as_secs()));
                None
            }
        }
    }

    /// Records that an object was read whole and is right.
    pub fn record_fetched(&self, object: Object) {
        self.0.fetched.add(object.size);
    }

    /// Stops reading and writing for the rest of the run; only the first reason counts.
    pub fn leave_alone(&self, why: String) {
        let _ = self.0.failed.set(why);
    }

    fn may_write(&self) -> bool {
        self.0.mode.writes() && self.0.failed.get().is_none() && self.0.writing_failed.get().is_none()
    }

    /// Records that the bytes of an object are wrong, and removes it if this may write.
    pub async fn discard(&self, sha256: Sha256) {
        self.0.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(sha256);
        if self.0.mode.writes() {
            // One that stays is found to be wrong again.
            let _ = self.0.objects.delete(&self.path(sha256)).await;
        }
    }

    /// Begins to upload an object from the file `path`, beside everything else.
    pub fn upload(&self, path: PathBuf, object: Object) {
        if self.may_write() {
            let store = self.clone();
            let mut uploads = self.0.uploads.lock().unwrap_or_else(PoisonError::into_inner);
            uploads.spawn(async move { store.upload_now(path, object).await });
        }
    }

    /// Waits for uploads that are under way, for at most `limit`, and gives the others up; returns
    /// what was done.
    pub async fn finish(&self, limit: Duration) -> SharedStoreUsage {
        let mut uploads = std::mem::take(&mut *self.0.uploads.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while uploads.join_next().await.is_some() {} };
        let is_done = tokio::time::timeout(limit, all).await.is_ok();
        let left = if is_done { 0 } else { uploads.len() };
        uploads.shutdown().await;
        self.usage(left, limit)
    }

    fn usage(&self, left: usize, limit: Duration) -> SharedStoreUsage {
        let Inner { location, failed, writing_failed, wrong, fetched, uploaded, .. } = &*self.0;
        let mut warnings = Vec::new();
        let wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.extend(wrong.iter().map(|sha256| {
            format!("the shared store {location} has wrong bytes for sha256:{sha256}; they were not used")
        }));
        warnings.extend(failed.get().map(|why| {
            format!("the shared store {location} could not be used, so that indexes were asked instead: {why}")
        }));
        warnings.extend(writing_failed.get().map(|why| format!("the shared store {location} was not written: {why}")));
        if left > 0 {
            let (files, seconds) = (if left == 1 { "file" } else { "files" }, limit.as_secs());
            warnings.push(format!("{left} {files} did not reach the shared store {location} within {seconds} s"));
        }
        SharedStoreUsage {
            files_fetched: fetched.files.load(Ordering::Relaxed),
            bytes_fetched: fetched.bytes.load(Ordering::Relaxed),
            files_uploaded: uploaded.files.load(Ordering::Relaxed),
            bytes_uploaded: uploaded.bytes.load(Ordering::Relaxed),
            warnings,
        }
    }

    async fn upload_now(&self, path: PathBuf, object: Object) {
        let _permit = self.0.upload_permits.acquire().await.expect("the semaphore is never closed");
        if !self.may_write() {
            return;
        }
        match self.write(path, object).await {
            Ok(()) => self.0.uploaded.add(object.size),
            Err(object_store::Error::AlreadyExists { .. }) => {}
            Err(error) => drop(self.0.writing_failed.set(reason(&error))),
        }
    }

    /// Writes an object, unless the store has it.
    async fn write(&self, path: PathBuf, object: Object) -> object_store::Result<()> {
        let key = self.path(object.sha256);
        let unreadable = |error: std::io::Error| object_store::Error::Generic { store: "cache", source: error.into() };
        let mut file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        if object.size > PART as u64 {
            return self.write_parts(&key, file, object.sha256).await;
        }
        let mut bytes = Vec::with_capacity(object.size as usize);
        file.read_to_end(&mut bytes).await.map_err(unreadable)?;
        if Sha256::of(&bytes) != object.sha256 {
            return Err(unreadable(std::io::Error::other("a file of the cache was altered")));
        }
        let payload = PutPayload::from(bytes);
        let created = self.0.objects.put_opts(&key, payload.clone(), PutOptions::from(PutMode::Create)).await;
        match created {
            // What cannot be created conditionally is the same under this name, whoever writes it.
            Err(error) if failure::is_unsupported(&error) => self.0.objects.put(&key, payload).await.map(drop),
            other => other.map(drop),
        }
    }

    async fn write_parts(&self, key: &Path, mut file: tokio::fs::File, sha256: Sha256) -> object_store::Result<()> {
        let unreadable = |error: std::io::Error| object_store::Error::Generic { store: "cache", source: error.into() };
        match self.0.objects.head(key).await {
            Err(error) if failure::is_absence(&error) => {}
            Ok(_) => {
                return Err(object_store::Error::AlreadyExists { path: key.to_string(), source: "it is there".into() });
            }
            Err(error) => return Err(error),
        }
        let mut parts = WriteMultipart::new_with_chunk_size(self.0.objects.put_multipart(key).await?, PART);
        let mut hasher = Hasher::new(&[]);
        loop {
            let mut part = Vec::with_capacity(PART);
            if (&mut file).take(PART as u64).read_to_end(&mut part).await.map_err(unreadable)? == 0 {
                break;
            }
            hasher.update(&part);
            parts.put(part.into());
            if let Err(error) = parts.wait_for_capacity(1).await {
                let _ = parts.abort().await;
                return Err(error);
            }
        }
        if hasher.finish().sha256 != sha256 {
            let _ = parts.abort().await;
            return Err(unreadable(std::io::Error::other("a file of the cache was altered")));
        }
        parts.finish().await.map(drop)
    }

    /// Returns the path of an object in the store.
    fn path(&self, sha256: Sha256) -> Path {
        let digits = sha256.to_string();
        let (first, rest) = digits.split_at(2);
        let folder = CacheBucket::Objects.folder_name();
        self.0.prefix.parts().chain([folder.as_str().into(), first.into(), rest.into()]).collect()
    }
}

impl Count {
    fn add(&self, bytes: u64) {
        self.files.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// An object of the store that is being read; its bytes are not checked yet.
pub struct SharedObject {
    /// The size in bytes that the store states.
    pub size: u64,
    stream: BoxStream<'static, object_store::Result<Bytes>>,
}

impl SharedObject {
    /// Returns the next bytes, or `None` at the end.
    ///
    /// # Errors
    /// When they did not arrive; the error says why.
    pub async fn next(&mut self) -> Result<Option<Bytes>, String> {
        self.stream.next().await.transpose().map_err(|error| reason(&error))
    }
}
