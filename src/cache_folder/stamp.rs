//! What the system tells of a file, by which the same file is known again without reading it.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The longest tick of a file system's clock (that of FAT).
const TICK: Duration = Duration::from_secs(2);

/// Tells a file from whatever has its name later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Bytes.
    size: u64,
    /// When its bytes changed: nanoseconds since 1970-01-01 UTC.
    modified: i128,
    /// Absent in a stamp that copies of the file share.
    exact: Option<Exact>,
}

/// What no copy of a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Exact {
    device: u64,
    inode: u64,
    /// When anything of it changed, its name or permissions, too; nobody can set it.
    changed: i128,
}

impl FileStamp {
    /// The stamp of what lies at `path`; nothing where that cannot be looked at.
    pub fn at(path: &Path) -> Option<Self> {
        Self::of(&fs::metadata(path).ok()?)
    }

    /// Size and time; nothing where the platform does not tell when a file was written.
    pub fn of(metadata: &Metadata) -> Option<Self> {
        Some(Self { size: metadata.len(), modified: nanoseconds(metadata.modified().ok()?), exact: None })
    }

    /// All that the system tells of a file; nothing where that is too little to notice every change
    /// (Windows), or it is no file.
    #[cfg(unix)]
    pub fn exact(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let changed = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
        let exact = Exact { device: metadata.dev(), inode: metadata.ino(), changed };
        let stamp = Self::of(metadata).filter(|_| metadata.is_file())?;
        Some(Self { exact: Some(exact), ..stamp })
    }

    /// All that the system tells of a file; nothing, since Windows tells too little.
    #[cfg(not(unix))]
    pub fn exact(_: &Metadata) -> Option<Self> {
        None
    }

    /// Whether every change later than this stamp shows, given the stamp of a file in which it was
    /// noted down: what changes twice within one tick of a file system's clock looks the same
    /// before and after, as in git's index.
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
