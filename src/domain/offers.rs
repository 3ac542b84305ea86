//! Everything that the places we asked offer of one project.

use std::sync::Arc;

use super::{Artifact, Listing, MaskedUrl, Version};

/// The listings of one project in order of preference: where two offer the same thing, the
/// first counts.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    pub listings: Vec<Listing>,
    /// Every place that was asked, the ones that do not know the project included.
    pub asked: Vec<Arc<MaskedUrl>>,
    /// A listing comes from our cache and was not checked with the index in this run.
    pub unchecked: bool,
}

impl Offers {
    /// Whether no place knows the project.
    pub fn is_unknown(&self) -> bool {
        self.listings.is_empty()
    }

    /// All versions, rising, each once.
    pub fn versions(&self) -> Vec<&Version> {
        let mut versions: Vec<_> = self.listings.iter().flat_map(Listing::versions).collect();
        if self.listings.len() > 1 {
            versions.sort_unstable();
            versions.dedup();
        }
        versions
    }

    /// The files of `version`, those of a preferred place first, else in the order of the page.
    pub fn files(&self, version: &Version) -> impl Iterator<Item = Artifact> {
        self.listings.iter().flat_map(|listing| listing.files(version))
    }
}
