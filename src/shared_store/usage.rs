//! What a run read from a shared store and wrote to it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::{Inner, SharedStore};
use crate::domain::list_first;

/// Numbers of files with their bytes, and of entries.
#[derive(Debug, Default)]
pub(super) struct Count {
    files: AtomicUsize,
    bytes: AtomicU64,
    entries: AtomicUsize,
}

impl Count {
    pub fn add_file(&self, bytes: u64) {
        self.files.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn add_entry(&self) {
        self.entries.fetch_add(1, Ordering::Relaxed);
    }

    fn total(&self) -> Traffic {
        Traffic {
            files: self.files.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            entries: self.entries.load(Ordering::Relaxed),
        }
    }
}

/// What went one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub files: usize,
    /// The size of the files in bytes.
    pub bytes: u64,
    /// The number of pages, plans and other entries.
    pub entries: usize,
}

/// What was read from and written to a shared store, and what went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedStoreUsage {
    pub fetched: Traffic,
    pub uploaded: Traffic,
    /// A sentence for each thing that went wrong.
    pub warnings: Vec<String>,
}

/// The number of files that a warning names.
const NAMED: usize = 3;

impl SharedStore {
    /// Returns what was done, with `left` uploads given up after `limit`.
    pub(super) fn usage(&self, left: usize, limit: Duration) -> SharedStoreUsage {
        let Inner { failed, writing_failed, wrong, fetched, uploaded, .. } = &*self.0;
        let location = self.location();
        let mut warnings = Vec::new();
        let wrong = wrong.lock();
        if !wrong.is_empty() {
            let subjects = list_first(&*wrong, NAMED);
            warnings.push(format!("the shared store {location} has wrong bytes for {subjects}; they were not used"));
        }
        if self.0.is_distrusted.load(Ordering::Relaxed) {
            warnings.push(format!(
                "what the shared store {location} says of files did not fit them, so that indexes were asked instead"
            ));
        }
        warnings.extend(failed.first().map(|why| self.unusable(why)));
        warnings.extend(writing_failed.first().map(|why| self.unwritable(why)));
        if left > 0 {
            let (files, seconds) = (if left == 1 { "file" } else { "files" }, limit.as_secs());
            warnings.push(format!("{left} {files} did not reach the shared store {location} within {seconds} s"));
        }
        SharedStoreUsage { fetched: fetched.total(), uploaded: uploaded.total(), warnings }
    }

    /// Waits until the store could not be used, and returns the warning of that.
    pub async fn wait_unusable(&self) -> String {
        self.unusable(self.0.failed.wait().await)
    }

    /// Waits until the store could not be written, and returns the warning of that.
    pub async fn wait_unwritable(&self) -> String {
        self.unwritable(self.0.writing_failed.wait().await)
    }

    fn unusable(&self, why: &str) -> String {
        let location = self.location();
        format!("the shared store {location} could not be used, so that indexes were asked instead: {why}")
    }

    fn unwritable(&self, why: &str) -> String {
        format!("the shared store {} was not written: {why}", self.location())
    }
}
