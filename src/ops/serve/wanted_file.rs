//! A file that a client of a pull-through index asked for.

use super::sidecar;
use crate::domain::{Candidate, FileLink};
use crate::ops::cache::DistributionIdentity;

use super::respond::{OBJECT, SIDECAR};

/// A file that is to be taken from the store, or fetched.
#[derive(Clone, Debug)]
pub struct WantedFile {
    pub link: FileLink,
    pub content_type: &'static str,
    /// The distribution that it is; `None` for the metadata of one.
    pub identity: Option<DistributionIdentity>,
}

impl WantedFile {
    pub fn distribution(file: &Candidate) -> Self {
        let identity = DistributionIdentity {
            name: file.distribution.name().to_string(),
            version: Some(file.distribution.version().to_string()),
            filename: file.filename.to_string(),
        };
        Self { link: FileLink::of(file, &[]), content_type: OBJECT, identity: Some(identity) }
    }

    /// Returns the metadata file of a wheel, unless nothing tells whether it is right.
    pub fn metadata(wheel: &Candidate) -> Option<Self> {
        Some(Self { link: sidecar::file_link(wheel)?, content_type: SIDECAR, identity: None })
    }
}
