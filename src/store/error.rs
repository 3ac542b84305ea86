//! Errors of the store.

use std::io;
use std::path::PathBuf;

use crate::domain::{ContentMismatch, HasRemedy, Remedy, Sha256};

/// Why an object could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot write below {}: {why}", folder.display())]
    Write { folder: PathBuf, why: io::Error },
    #[error("cannot read the stored object {sha256}: {why}")]
    Read { sha256: Sha256, why: io::Error },
    #[error("{needed} bytes are to be fetched, and the disk of {} has {free} left", folder.display())]
    Full { folder: PathBuf, needed: u64, free: u64 },
    #[error(transparent)]
    Mismatch(#[from] ContentMismatch),
}

impl HasRemedy for StoreError {
    fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Write { why, .. } => Some(Remedy::MendCacheFolder(why.kind())),
            Self::Full { .. } => Some(Remedy::MendCacheFolder(io::ErrorKind::StorageFull)),
            Self::Read { .. } | Self::Mismatch(_) => None,
        }
    }
}
