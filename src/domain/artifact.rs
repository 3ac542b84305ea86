//! One file that an index offers, with everything the index says of it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Digest, DistributionFilename, MaskedUrl, Specifiers};

/// A moment as seconds since 1970-01-01 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

/// Whether a file was withdrawn (PEP 592), and the reason, which may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Yanked(pub Option<Box<str>>);

impl Yanked {
    pub fn is_yanked(&self) -> bool {
        self.0.is_some()
    }
}

/// The metadata file that an index serves beside a distribution (PEP 658, PEP 714).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// Its digest, where the index promises one.
    pub digest: Option<Digest>,
}

/// The parts of a distribution's core metadata that fetching needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreMetadata {
    /// `2.1`, say: what the other fields mean depends on it (PEP 643).
    pub metadata_version: String,
    pub name: String,
    pub version: String,
    pub requires_python: Option<String>,
    pub requires_dist: Vec<String>,
    pub provides_extra: Vec<String>,
    /// The fields that a source distribution leaves to its build (PEP 643), in lower case.
    pub dynamic: Vec<String>,
}

/// A distribution file on an index, in a folder, or at a URL.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// The file's name as the last part of its URL says it.
    pub filename: Box<str>,
    /// The same name understood.
    pub distribution: DistributionFilename,
    /// Where to get it, without fragment.
    pub url: MaskedUrl,
    /// The index or find-links location that listed it; the URL itself for a direct one.
    pub index: Arc<MaskedUrl>,
    pub hashes: Vec<Digest>,
    /// Bytes (PEP 700).
    pub size: Option<u64>,
    /// The Python versions it is for; absent also where the index's text is no specifier,
    /// which pip ignores.
    pub requires_python: Option<Specifiers>,
    pub yanked: Yanked,
    pub sidecar: Option<Sidecar>,
    pub uploaded: Option<Timestamp>,
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.filename)
    }
}
