//! File stamps: metadata by which an unchanged file is recognized without reading it.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The coarsest resolution of a file system's clock (that of FAT).
const TICK: Duration = Duration::from_secs(2);

/// What distinguishes a file from one that later has the same path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Size in bytes.
    size: u64,
    /// When its bytes changed, in nanoseconds since 1970-01-01 UTC.
    modified: i128,
    /// What only this file has; `None` in a stamp that copies of the file share.
    exact: Option<Exact>,
}

/// The metadata that no copy of a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Exact {
    device: u64,
    inode: u64,
    /// When the file or its metadata changed, in nanoseconds; programs cannot set this time.
    changed: i128,
}

impl FileStamp {
    /// Returns the stamp of the file at `path`; `None` if it has no metadata.
    pub fn at(path: &Path) -> Option<Self> {
        Self::of(&fs::metadata(path).ok()?)
    }

    /// Returns a stamp of size and time; `None` if the platform does not state when a file was
    /// written.
    pub fn of(metadata: &Metadata) -> Option<Self> {
        Some(Self { size: metadata.len(), modified: nanoseconds(metadata.modified().ok()?), exact: None })
    }

    /// Returns an exact stamp; `None` if it is no regular file.
    ///
    /// Systems whose metadata cannot show every change (Windows) have none.
    #[cfg(unix)]
    pub fn exact(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let changed = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
        let exact = Exact { device: metadata.dev(), inode: metadata.ino(), changed };
        let stamp = Self::of(metadata).filter(|_| metadata.is_file())?;
        Some(Self { exact: Some(exact), ..stamp })
    }

    /// Returns `None`, since the metadata of this system (Windows) cannot show every change.
    #[cfg(not(unix))]
    pub fn exact(_: &Metadata) -> Option<Self> {
        None
    }

    /// Whether every change after this stamp is detectable, given the stamp of the file in which it
    /// was recorded.
    ///
    /// Two changes within one tick of a file system's clock look like one, as in git's index.
    pub fn is_settled(&self, noted: &Self) -> bool {
        let last = self.exact.map_or(self.modified, |exact| exact.changed.max(self.modified));
        last + TICK.as_nanos().cast_signed() < noted.modified
    }
}

fn nanoseconds(time: SystemTime) -> i128 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_nanos().cast_signed(),
        Err(before) => -before.duration().as_nanos().cast_signed(),
    }
}
