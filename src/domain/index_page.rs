//! A project's page on an index, as it was last received.

use super::{Listing, MaskedUrl, Timestamp};

/// The content of a page, and how long it is fresh.
#[derive(Clone, Debug)]
pub struct IndexPage {
    /// The URL of the page.
    pub url: MaskedUrl,
    pub listing: Listing,
    /// The time when the index last confirmed the page.
    pub checked: Timestamp,
    /// How long the page is fresh from then on, in seconds.
    pub lifetime: u64,
    /// The `ETag` by which the index tells whether the page is unchanged.
    pub etag: Option<String>,
}
