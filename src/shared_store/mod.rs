//! The shared store: what several caches have in common, in an object store (S3 and its kind,
//! Google, Azure, a folder, or a web server to read from).
//!
//! Its paths are those of a cache folder ([`SHARED_BUCKETS`](crate::cache_folder::SHARED_BUCKETS) says
//! which are there), so that one can be copied into the other. It only saves requests to indexes:
//! whatever it lacks, or cannot give, is fetched as without it.

mod backend;
mod contents;
mod entries;
mod failure;
mod local_folder;
mod marks;
mod mode;
mod object;
mod outage;
mod parts;
mod remote_folder;
mod uploads;
mod usage;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use self::backend::{SharedStoreError, SharedStoreSettings};
pub use self::contents::{SharedFile, SharedFileKind};
use self::failure::reason;
pub use self::mode::StoreMode;
pub use self::object::SharedObject;
use self::outage::Outage;
pub use self::remote_folder::{FileHeaders, RemoteFolder};
pub use self::uploads::Upload;
use self::usage::Count;
pub use self::usage::{SharedStoreUsage, Traffic};
use crate::cache_folder::CacheBucket;
use crate::domain::{MaskedUrl, Object, Sha256};

/// A shared store; clones are the same one.
#[derive(Clone, Debug)]
pub struct SharedStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: RemoteFolder,
    mode: StoreMode,
    /// The size in bytes above which no file is read, as from an index.
    max_file_size: Option<u64>,
    /// The failures after which it is neither read nor written for a while.
    failed: Outage,
    /// The failures after which it is not written for a while.
    writing_failed: Outage,
    /// Whether entries are not believed any more.
    is_distrusted: AtomicBool,
    /// Whether any request was made.
    is_asked: AtomicBool,
    /// The paths or digests of the files whose bytes were wrong.
    wrong: Mutex<Vec<String>>,
    /// The checksums of the entries that were read, by path.
    read: Mutex<HashMap<String, [u8; 4]>>,
    /// The paths of all that the run used.
    used: Mutex<BTreeSet<String>>,
    uploads: Mutex<JoinSet<()>>,
    object_permits: Semaphore,
    entry_permits: Semaphore,
    fetched: Count,
    uploaded: Count,
}

/// How long a shared store may take to begin an answer; then the index is faster.
const ANSWER: Duration = Duration::from_secs(10);

/// The number of objects that are uploaded at once, each of which takes the memory of two parts.
const OBJECTS_AT_ONCE: usize = 4;

/// The number of entries that are uploaded at once, whose time is mostly the round trip.
const ENTRIES_AT_ONCE: usize = 16;

impl SharedStore {
    /// Opens the store at a URL; no request is sent.
    ///
    /// # Errors
    /// When the URL or the options of the store cannot be used.
    pub fn open(settings: SharedStoreSettings) -> Result<Self, SharedStoreError> {
        let (mode, max_file_size) = (settings.mode, settings.http.max_file_size);
        Ok(Self(Arc::new(Inner {
            folder: RemoteFolder::open(settings)?,
            mode,
            max_file_size,
            failed: Outage::default(),
            writing_failed: Outage::default(),
            is_distrusted: AtomicBool::default(),
            is_asked: AtomicBool::default(),
            wrong: Mutex::default(),
            read: Mutex::default(),
            used: Mutex::default(),
            uploads: Mutex::default(),
            object_permits: Semaphore::new(OBJECTS_AT_ONCE),
            entry_permits: Semaphore::new(ENTRIES_AT_ONCE),
            fetched: Count::default(),
            uploaded: Count::default(),
        })))
    }

    /// Begins to read an object; `None` if the store lacks it or has one that is larger than files may be,
    /// and if it is not read any more.
    pub async fn get(&self, sha256: Sha256) -> Option<SharedObject> {
        self.begin(&object_path(sha256)).await
    }

    /// Begins to read the file at a path.
    async fn begin(&self, path: &str) -> Option<SharedObject> {
        if !self.may_read() {
            return None;
        }
        self.0.is_asked.store(true, Ordering::Relaxed);
        match tokio::time::timeout(ANSWER, self.0.folder.objects.get(&self.key(path))).await {
            Ok(Ok(found)) if self.0.max_file_size.is_some_and(|limit| found.meta.size > limit) => None,
            Ok(Ok(found)) => Some(SharedObject::new(found)),
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

    /// Returns why the store is left alone, if it is.
    pub fn failure(&self) -> Option<&str> {
        self.0.failed.first()
    }

    pub fn location(&self) -> &MaskedUrl {
        self.0.folder.location()
    }

    /// Whether anything may be written or removed.
    pub fn writes(&self) -> bool {
        self.0.mode.writes()
    }

    /// Records that an object was read whole and is right.
    pub fn record_fetched(&self, object: Object) {
        self.0.fetched.add_file(object.size);
        self.note_used(object_path(object.sha256));
    }

    /// Stops reading and writing for longer than most runs take; the first reason is told.
    pub fn leave_alone(&self, why: String) {
        self.0.failed.note(why);
    }

    /// Believes no entry any more, since a file contradicts one; returns whether any was believed.
    pub fn distrust_entries(&self) -> bool {
        !self.0.read.lock().is_empty() && !self.0.is_distrusted.swap(true, Ordering::Relaxed)
    }

    fn may_read(&self) -> bool {
        self.0.mode.reads() && !self.0.failed.lasts()
    }

    fn may_write(&self) -> bool {
        self.0.mode.writes() && !self.0.failed.lasts() && !self.0.writing_failed.lasts()
    }

    /// Records that the bytes of an object are wrong, and removes it if this may write.
    pub async fn discard(&self, sha256: Sha256) {
        self.discard_path(&object_path(sha256), format!("sha256:{sha256}")).await;
    }

    async fn discard_path(&self, path: &str, subject: String) {
        self.0.wrong.lock().push(subject);
        if self.0.mode.writes() {
            // One that stays is found to be wrong again.
            let _ = self.0.folder.objects.delete(&self.key(path)).await;
        }
    }

    /// Returns the name in the object store of a path below the prefix.
    fn key(&self, path: &str) -> Path {
        self.0.folder.key(path)
    }
}

/// Returns the path of an object below the prefix.
pub fn object_path(sha256: Sha256) -> String {
    let digits = sha256.to_string();
    let (first, rest) = digits.split_at(2);
    entry_path(CacheBucket::Objects, &format!("{first}/{rest}"))
}

/// Returns the path of an entry below the prefix.
pub fn entry_path(bucket: CacheBucket, name: &str) -> String {
    format!("{}/{name}", bucket.folder_name())
}
