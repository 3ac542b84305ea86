//! Errors of the operations on bundles.

use std::io;
use std::path::PathBuf;

use super::finding::Finding;
use crate::archive::{ArchiveError, ReadError};
use crate::layout::{LayoutError, ManifestError, ManifestValueError};

/// Why an operation on a bundle failed.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{} has no prefetch.json, so it is no bundle, or not all of one; name a bundle, an unpacked one, or its prefetch.json", .0.display())]
    NoManifest(PathBuf),
    #[error("the manifest of {} cannot be used: {why}", path.display())]
    Manifest { path: PathBuf, why: ManifestError },
    /// The manifest has a value that cannot be read.
    #[error("{}: {why}", path.display())]
    ManifestValue { path: PathBuf, why: ManifestValueError },
    #[error("{} is damaged; what is not as its manifest says was not written", path.display())]
    Damaged { path: PathBuf, findings: Vec<Finding> },
    #[error("{} cannot be written: {why}", path.display())]
    Write { path: PathBuf, why: io::Error },
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error("{} is there already; name a folder that is not, or is empty", .0.display())]
    Exists(PathBuf),
    #[error(
        "{} is a symbolic link, and what is unpacked would be written where it leads; remove it, or choose another folder",
        .0.display()
    )]
    Link(PathBuf),
    #[error("{} is a delta, which holds only what is new; make it whole with `prefetch apply`", .0.display())]
    OnlyDelta(PathBuf),
    #[error("{} is no delta but a whole bundle; unpack it instead", .0.display())]
    NoDelta(PathBuf),
    #[error(
        "{} was made since another bundle than {}: since the one whose prefetch.json has the SHA-256 {expected}, and \
         this one has {got}",
        delta.display(),
        base.display()
    )]
    WrongBase { delta: PathBuf, base: PathBuf, expected: String, got: String },
    #[error("`{id}` is a target of both bundles, and what was asked for it differs; merge bundles of other targets")]
    SameTarget { id: String },
}
