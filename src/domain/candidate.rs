//! A distribution file on an index, with everything that the index states about it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Digest, DistributionFilename, MaskedUrl, MetadataSource, Specifiers, Timestamp};

/// Whether a file was yanked (PEP 592), with the reason, which may be empty.
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
    /// The metadata file's digest, if the index promises one.
    pub digest: Option<Digest>,
}

/// The parts of a distribution's core metadata that fetching needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreMetadata {
    /// The version, such as `2.1`, on which the meaning of other fields depends (PEP 643).
    pub metadata_version: String,
    pub name: String,
    pub version: String,
    pub requires_python: Option<String>,
    pub requires_dist: Vec<String>,
    pub provides_extra: Vec<String>,
    /// The fields that a source distribution leaves to its build (PEP 643), in lower case.
    pub dynamic: Vec<String>,
    /// The file or build that the metadata comes from.
    pub source: MetadataSource,
}

/// A distribution file on an index, in a folder, or at a URL.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The file's name, from the last part of its URL.
    pub filename: Box<str>,
    /// The parsed file name.
    pub distribution: DistributionFilename,
    /// The URL of the file, without fragment.
    pub url: MaskedUrl,
    /// The index or find-links location that listed it; the URL itself for a direct one.
    pub index: Arc<MaskedUrl>,
    pub hashes: Vec<Digest>,
    /// Size in bytes (PEP 700).
    pub size: Option<u64>,
    /// The Python versions that the file supports; `None` also if the index's text is no specifier,
    /// since pip ignores such a text.
    pub requires_python: Option<Specifiers>,
    pub yanked: Yanked,
    pub sidecar: Option<Sidecar>,
    pub uploaded: Option<Timestamp>,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.filename)
    }
}
