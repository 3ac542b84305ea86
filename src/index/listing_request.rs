//! How the listing of a project is requested.

use super::page_cache::CachedPage;
use crate::domain::{Candidate, Listing, Specifiers, Timestamp};

/// How long after its first files the other files of a release are expected, in seconds.
const SETTLING: i64 = 24 * 60 * 60;

/// How the listing of a project is requested.
#[derive(Clone, Debug, Default)]
pub struct ListingRequest {
    /// Whether every index is asked, not only the first that has the project; for projects whose
    /// files are pinned by digest.
    pub everywhere: bool,
    /// Whether cached pages are validated with their index.
    pub check: bool,
    /// The versions of interest; others are dropped from the listing.
    pub versions: Specifiers,
}

impl ListingRequest {
    /// Returns the part of a listing that is of interest.
    pub(super) fn narrow(&self, listing: Listing) -> Listing {
        match self.versions.is_any() {
            true => listing,
            false => listing.retain(|version| self.versions.contains(version)),
        }
    }

    /// Whether a page of any age can answer: only one version is of interest, and it is listed with
    /// digests, and nothing is likely to have been added to it since the page was read.
    ///
    /// Digests in the question decide by themselves. Otherwise the files must have been there for a
    /// day when the page was read.
    pub(super) fn is_settled(&self, page: &CachedPage<'_>, listing: Option<&Listing>) -> bool {
        let files = match (self.versions.pin(), listing) {
            (Some(version), Some(listing)) => listing.files(version),
            _ => return false,
        };
        let had_settled = |uploaded: Timestamp| uploaded.0.saturating_add(SETTLING) <= page.checked().0;
        let is_old = |file: &Candidate| self.everywhere || file.uploaded.is_some_and(had_settled);
        let has_digest = |file: &Candidate| file.hashes.iter().any(|digest| digest.as_sha256().is_some());
        !files.is_empty() && files.iter().all(|file| has_digest(file) && is_old(file))
    }
}
