//! Claims on files in `incoming/`: each is written by one process, and what killed runs left is
//! removed.
//!
//! A file with an expected digest is named by it, so that another process sees that it is being
//! fetched, and a later run resumes it.

use std::fs;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::atomic_file::{AtomicFile, ORIGIN, OpenOutcome, ResumableFile, remove_if_free};
use super::disk::DiskStore;
use super::error::StoreError;
use super::incoming::Incoming;
use crate::archive;
use crate::cache_folder::{Readers, real_entries};
use crate::domain::{Digest, ExpectedContent, Object, Timestamp};

/// The outcome of [`DiskStore::claim`].
pub enum Claim {
    /// The object is in the store already.
    Held(Object),
    /// Another process is fetching it, and has received this many bytes.
    InProgress {
        received: u64,
    },
    Ours(Box<Incoming>),
}

impl Claim {
    fn ours(incoming: Incoming) -> Self {
        Self::Ours(incoming.into())
    }
}

/// The extension of a file that is named by an expected digest.
const PARTIAL: &str = "partial";

/// The age in seconds after which an unnamed file belongs to no running process.
const OLDEST_UNNAMED: i64 = 24 * 3600;

/// The age in seconds after which the maker of a file has locked it.
const YOUNGEST: i64 = 10;

/// The age in seconds after which no run is expected to resume a download.
const OLDEST_PARTIAL: i64 = 7 * 24 * 3600;

impl DiskStore {
    /// Starts an object; it is kept once [`Incoming::keep`] has checked it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn begin(&self, expected: ExpectedContent) -> Result<Incoming, StoreError> {
        let file = self.layout().temporary(Readers::Umask).map_err(|why| self.cannot_write(why))?;
        // Tells [`DiskStore::sweep_dead`] that somebody is at work; without locks its age does.
        let _ = file.as_file().try_lock();
        Ok(Incoming::new(self.clone(), AtomicFile::Unnamed(file), expected))
    }

    /// Starts the object that is `expected`, or resumes it, unless the store has it or
    /// another process is writing it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn claim(&self, expected: &ExpectedContent) -> Result<Claim, StoreError> {
        let Some(name) = partial_name(expected) else { return self.begin(expected.clone()).map(Claim::ours) };
        match self.open_partial(&name).map_err(|why| self.cannot_write(why))? {
            OpenOutcome::Theirs(received) => Ok(Claim::InProgress { received }),
            OpenOutcome::Unlockable => self.begin(expected.clone()).map(Claim::ours),
            OpenOutcome::Ours(named) => match self.find_expected(expected) {
                Some(object) => {
                    named.discard();
                    Ok(Claim::Held(object))
                }
                None => Incoming::resume(self.clone(), named, expected.clone()).map(Claim::ours),
            },
        }
    }

    /// Opens the partial file of this name, and replaces anything that is no file.
    fn open_partial(&self, name: &str) -> io::Result<OpenOutcome> {
        let path = self.layout().incoming().join(name);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&path)?,
            Ok(metadata) if !metadata.is_file() => fs::remove_file(&path)?,
            _ => {}
        }
        self.layout().in_incoming(|_| ResumableFile::open(&path))
    }

    /// Removes what killed runs left in `incoming/`: folders, unnamed files older than a day, and
    /// downloads that no run has resumed for a week.
    ///
    /// What cannot be removed stays.
    pub fn sweep(&self, now: Timestamp) {
        let folder = self.layout().incoming();
        archive::sweep(folder);
        for entry in real_entries(folder) {
            let path = entry.path();
            let is_named = path.extension().is_some_and(|extension| extension == PARTIAL);
            let oldest = now.0 - if is_named { OLDEST_PARTIAL } else { OLDEST_UNNAMED };
            if is_origin_of_another(&path) || modified(&entry).is_none_or(|moment| moment >= oldest) {
                continue;
            }
            if is_named {
                remove_if_free(&path);
            } else {
                // Another process may have been faster.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Removes everything in `incoming/` that no process is writing, including files that a later
    /// run could resume.
    ///
    /// Where locks do not work, it removes only what [`DiskStore::sweep`] does.
    pub fn sweep_dead(&self, now: Timestamp) {
        self.sweep(now);
        for entry in real_entries(self.layout().incoming()) {
            let is_settled = modified(&entry).is_some_and(|moment| moment < now.0 - YOUNGEST);
            if is_settled && !is_origin_of_another(&entry.path()) {
                remove_if_free(&entry.path());
            }
        }
    }
}

/// Returns the name of a partial file by its expected digest; `None` if the digest is not valid
/// hex.
fn partial_name(expected: &ExpectedContent) -> Option<String> {
    let sha256 = expected.sha256().map(Digest::from);
    let only = match expected.by_user.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    };
    let digest = sha256.or_else(|| expected.by_index.iter().max().cloned()).or(only)?;
    let is_hex = digest.hex.len() >= 32 && digest.hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| format!("{}-{}.{PARTIAL}", digest.algorithm, digest.hex.to_ascii_lowercase()))
}

/// Whether the file is the origin of a partial file beside it, with which it is removed.
fn is_origin_of_another(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == ORIGIN) && path.with_extension(PARTIAL).exists()
}

/// Returns the modification time in seconds since 1970-01-01 UTC.
fn modified(entry: &fs::DirEntry) -> Option<i64> {
    let since_epoch = entry.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since_epoch.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::super::disk::tests::{files_below, store};
    use super::*;
    use crate::domain::Sha256;

    fn expectation_of(bytes: &[u8]) -> ExpectedContent {
        ExpectedContent {
            by_index: vec![Sha256::of(bytes).into()],
            size: Some(bytes.len() as u64),
            ..ExpectedContent::default()
        }
    }

    fn claim(store: &DiskStore, expected: &ExpectedContent) -> Incoming {
        match store.claim(expected).unwrap() {
            Claim::Ours(incoming) => *incoming,
            Claim::Held(_) => panic!("it is held"),
            Claim::InProgress { .. } => panic!("another has it"),
        }
    }

    #[test]
    fn what_arrived_outlives_a_run_and_is_gone_on_with() {
        let (_folder, store) = store();
        let expected = expectation_of(b"abcdef");
        let mut first = claim(&store, &expected);
        first.write(b"abc").unwrap();
        first.keep_partial(Some("there"));
        drop(first);
        let mut second = claim(&store, &expected);
        assert_eq!((second.received(), second.origin()), (3, Some("there")));
        second.write(b"def").unwrap();
        assert_eq!(second.keep().unwrap().sha256, Sha256::of(b"abcdef"));
        assert_eq!(store.arrivals(), (1, 3), "what the first run had does not count");
        assert!(matches!(store.claim(&expected).unwrap(), Claim::Held(_)));
        assert_eq!(files_below(store.root()), 1);
    }

    #[test]
    fn threads_that_claim_files_of_an_empty_store_at_once_all_get_theirs() {
        for _ in 0..50 {
            let (_folder, store) = store();
            let start = std::sync::Barrier::new(8);
            std::thread::scope(|scope| {
                for thread in 0..8_u8 {
                    let (store, start) = (&store, &start);
                    scope.spawn(move || {
                        start.wait();
                        claim(store, &expectation_of(&[thread])).write(&[thread]).unwrap();
                    });
                }
            });
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_origin_is_not_written_through_a_link() {
        let (folder, store) = store();
        let theirs = folder.path().join("theirs");
        fs::write(&theirs, "theirs").unwrap();
        let expected = expectation_of(b"abcdef");
        let mut first = claim(&store, &expected);
        let name = partial_name(&expected).unwrap();
        let origin = store.layout().incoming().join(name).with_extension(ORIGIN);
        std::os::unix::fs::symlink(&theirs, &origin).unwrap();
        first.write(b"abc").unwrap();
        first.keep_partial(Some("there"));
        assert_eq!(fs::read(&theirs).unwrap(), b"theirs");
        assert_eq!(fs::read(&origin).unwrap(), b"there");
    }

    #[test]
    fn only_one_takes_the_same_bytes_in() {
        let (_folder, store) = store();
        let expected = expectation_of(b"abcdef");
        let mut first = claim(&store, &expected);
        first.write(b"abcd").unwrap();
        assert!(matches!(store.claim(&expected).unwrap(), Claim::InProgress { received: 4 }));
        drop(first);
        assert_eq!(claim(&store, &expected).received(), 0, "nobody said that its bytes should outlive it");
        assert_eq!(files_below(store.root()), 0);
    }

    #[test]
    fn bytes_that_broke_their_promise_are_not_gone_on_with() {
        let (_folder, store) = store();
        let expected = expectation_of(b"abcdef");
        let mut wrong = claim(&store, &expected);
        wrong.write(b"abcxyz").unwrap();
        wrong.keep_partial(None);
        assert!(matches!(wrong.keep(), Err(StoreError::Mismatch(_))));
        assert_eq!(files_below(store.root()), 0);
        let mut long = claim(&store, &expected);
        assert!(matches!(long.write(b"abcdefg"), Err(StoreError::Mismatch(_))));
    }

    #[test]
    fn what_nobody_is_at_work_on_can_go() {
        let (_folder, store) = store();
        let mut left = claim(&store, &expectation_of(b"left"));
        left.write(b"l").unwrap();
        left.keep_partial(Some("there"));
        drop(left);
        fs::write(store.layout().incoming().join(".tmpdead"), "x").unwrap();
        let _busy = (claim(&store, &expectation_of(b"busy")), store.begin(ExpectedContent::default()).unwrap());
        let now = fs::metadata(store.layout().incoming().join(".tmpdead")).unwrap().modified().unwrap();
        let now = i64::try_from(now.duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        store.sweep_dead(Timestamp(now));
        assert_eq!(files_below(store.root()), 5, "they are too young to tell");
        store.sweep_dead(Timestamp(now + YOUNGEST + 10));
        assert_eq!(files_below(store.root()), 2);
    }

    #[test]
    fn only_what_is_old_and_free_is_swept() {
        let (_folder, store) = store();
        let begin = |bytes: &[u8]| {
            let mut incoming = claim(&store, &expectation_of(bytes));
            incoming.write(&bytes[..1]).unwrap();
            incoming.keep_partial(Some("there"));
            incoming
        };
        let _busy = begin(b"busy");
        drop(begin(b"left"));
        fs::write(store.layout().incoming().join(".tmpdead"), "x").unwrap();
        let now = fs::metadata(store.layout().incoming().join(".tmpdead")).unwrap().modified().unwrap();
        let now = i64::try_from(now.duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let left_at = |moment| {
            store.sweep(Timestamp(moment));
            files_below(store.root())
        };
        assert_eq!(left_at(now), 5);
        assert_eq!(left_at(now + OLDEST_UNNAMED + 10), 4);
        assert_eq!(left_at(now + OLDEST_PARTIAL + 10), 2, "the one in use stays, with its origin");
    }
}
