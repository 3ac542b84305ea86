//! A distribution file on an index, with everything that the index states about it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Digest, DistributionFilename, MaskedUrl, MetadataSource, Specifiers};

/// A point in time, in seconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

/// Writes RFC 3339 in UTC, such as `2026-03-01T12:00:00Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = jiff::Timestamp::from_second(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{}", moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

/// Parses RFC 3339 with any offset; fractions of seconds are dropped.
impl FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(|moment: jiff::Timestamp| Self(moment.as_second()))
    }
}

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
pub struct Artifact {
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

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.filename)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc_and_read_with_any_offset() {
        let moment: Timestamp = "2026-03-01T12:00:00.75+01:00".parse().unwrap();
        assert_eq!(moment.to_string(), "2026-03-01T11:00:00Z");
        assert_eq!(Timestamp(i64::MAX).to_string(), "1970-01-01T00:00:00Z");
        assert!("yesterday".parse::<Timestamp>().is_err());
    }
}
