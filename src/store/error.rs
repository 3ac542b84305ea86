//! Errors of the store: what happened, and what to do.

use std::io;
use std::path::PathBuf;

use crate::domain::{BrokenPromise, Sha256};

/// An object could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot write below {}: {why}; {}", folder.display(), advice(why))]
    Write { folder: PathBuf, why: io::Error },
    #[error("cannot read the stored object {sha256}: {why}")]
    Read { sha256: Sha256, why: io::Error },
    #[error(
        "{needed} bytes are to be fetched, and the disk of {} has {free} left; make room, or name another folder with \
         --cache-dir",
        folder.display()
    )]
    Full { folder: PathBuf, needed: u64, free: u64 },
    #[error(transparent)]
    Broken(#[from] BrokenPromise),
}

/// What to do about a disk that takes no bytes.
pub fn advice(why: &io::Error) -> &'static str {
    match why.kind() {
        io::ErrorKind::StorageFull => "the disk is full: make room, or name another folder with --cache-dir",
        io::ErrorKind::QuotaExceeded => "your quota is used up: make room, or name another folder with --cache-dir",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only: name another folder with --cache-dir",
        io::ErrorKind::PermissionDenied => "you may not write there: mend its rights, or name another with --cache-dir",
        _ => "name another folder with --cache-dir if it cannot be mended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers are Linux's: `ENOSPC`, `EDQUOT`, `EROFS`, `EACCES`.
    #[cfg(target_os = "linux")]
    #[test]
    fn each_trouble_of_a_disk_has_its_remedy() {
        for (number, words) in [(28, "make room"), (122, "quota"), (30, "read-only"), (13, "you may not write")] {
            let why = io::Error::from_raw_os_error(number);
            let error = StoreError::Write { folder: "/store".into(), why }.to_string();
            assert!(error.starts_with("cannot write below /store: ") && error.contains(words), "{error}");
            assert!(error.contains("--cache-dir"), "{error}");
        }
    }
}
