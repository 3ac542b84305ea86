//! The candidates of one project: its files on every index and find-links location that was asked.

use std::sync::{Arc, OnceLock};

use super::{Artifact, Ignored, Listing, MaskedUrl, Version};

/// The listings of one project in order of preference: where two offer the same thing, the
/// first counts. A version's files are decoded when they are first looked at, and kept.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    listings: Vec<Listing>,
    /// Rising, each once.
    versions: Vec<Version>,
    /// The files of the version at the same position.
    files: Vec<OnceLock<Arc<[Arc<Artifact>]>>>,
    /// Every place that was asked, the ones that do not know the project included.
    pub asked: Vec<Arc<MaskedUrl>>,
    /// Indexes that were not asked, since one before them knows the project.
    pub shadowed: Vec<Arc<MaskedUrl>>,
    /// A listing comes from our cache and was not checked with the index in this run.
    pub unchecked: bool,
    /// Versions that no solution can have were left out.
    pub narrowed: bool,
}

impl Candidates {
    /// `listings` in order of preference.
    pub fn new(mut listings: Vec<Listing>, asked: Vec<Arc<MaskedUrl>>, unchecked: bool) -> Self {
        let mut versions: Vec<_> = listings.iter().flat_map(Listing::versions).cloned().collect();
        if listings.len() > 1 {
            versions.sort_unstable();
            versions.dedup();
        }
        let files = vec![OnceLock::new(); versions.len()];
        listings.shrink_to_fit();
        Self { listings, versions, files, asked, shadowed: Vec::new(), unchecked, narrowed: false }
    }

    /// One version with exactly these files.
    pub fn of_version(version: Version, files: Vec<Arc<Artifact>>) -> Self {
        let files = vec![OnceLock::from(Arc::from(files))];
        Self { versions: vec![version], files, ..Self::default() }
    }

    /// Whether no place knows the project.
    pub fn is_unknown(&self) -> bool {
        self.versions.is_empty() && self.listings.is_empty()
    }

    /// The entries that nobody can use, with the reason.
    pub fn ignored(&self) -> Vec<Ignored> {
        self.listings.iter().flat_map(Listing::ignored).collect()
    }

    /// The file names of the wheel variants (PEP 825) of the version at `position`, which are never chosen.
    pub fn variants(&self, position: usize) -> Vec<String> {
        let version = &self.versions[position];
        self.listings.iter().flat_map(|listing| listing.variants(version)).collect()
    }

    /// The places that know the project.
    pub fn known_by(&self) -> impl Iterator<Item = &Arc<MaskedUrl>> {
        self.listings.iter().map(Listing::index)
    }

    /// All versions, rising, each once.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The files of the version at `position`: those of a preferred place first, else in the
    /// order of the page.
    pub fn files(&self, position: usize) -> &Arc<[Arc<Artifact>]> {
        self.files[position].get_or_init(|| {
            let version = &self.versions[position];
            self.listings.iter().flat_map(|listing| listing.files(version)).map(Arc::new).collect()
        })
    }
}
