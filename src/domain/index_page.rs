//! A project's page as its index last answered it.

use super::{Listing, MaskedUrl, Timestamp};

/// What was on a page, and for how long that holds.
#[derive(Clone, Debug)]
pub struct IndexPage {
    /// Where it was asked for.
    pub url: MaskedUrl,
    pub listing: Listing,
    /// When its index last said that it is so.
    pub checked: Timestamp,
    /// Seconds from then on for which nobody needs to ask.
    pub lifetime: u64,
    /// By which its index tells whether it is still so.
    pub etag: Option<String>,
}
