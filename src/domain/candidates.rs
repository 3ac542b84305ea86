//! The candidates of one project: its files on every index and find-links location that was asked.

use std::sync::{Arc, OnceLock};

use super::{Candidate, Ignored, Listing, MaskedUrl, Version};

/// The listings of one project in order of preference; if two list the same file, the first one
/// counts.
///
/// The files of a version are decoded when they are first needed, and kept.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    listings: Vec<Listing>,
    /// The versions, rising, each once.
    versions: Vec<Version>,
    /// The files of each version, in the order of `versions`.
    files: Vec<OnceLock<Arc<[Arc<Candidate>]>>>,
    /// Every location that was asked, including those that do not have the project.
    pub asked: Vec<Arc<MaskedUrl>>,
    /// Indexes that were not asked, since an index before them has the project.
    pub shadowed: Vec<Arc<MaskedUrl>>,
    /// Whether a listing came from the cache and was not validated in this run.
    pub unchecked: bool,
    /// Whether versions were left out that no solution can have.
    pub narrowed: bool,
}

impl Candidates {
    /// Makes candidates from `listings` in order of preference.
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

    /// Makes candidates of one version with exactly these files.
    pub fn of_version(version: Version, files: Vec<Arc<Candidate>>) -> Self {
        let files = vec![OnceLock::from(Arc::from(files))];
        Self { versions: vec![version], files, ..Self::default() }
    }

    /// Whether no location has the project.
    pub fn is_unknown(&self) -> bool {
        self.versions.is_empty() && self.listings.is_empty()
    }

    /// Returns the unusable entries, with the reasons.
    pub fn ignored(&self) -> Vec<Ignored> {
        self.listings.iter().flat_map(Listing::ignored).collect()
    }

    /// Returns the file names of the wheel variants (PEP 825) of the version at `position`, which are
    /// never chosen.
    pub fn variants(&self, position: usize) -> Vec<String> {
        let version = &self.versions[position];
        self.listings.iter().flat_map(|listing| listing.variants(version)).collect()
    }

    /// Returns the locations that have the project.
    pub fn known_by(&self) -> impl Iterator<Item = &Arc<MaskedUrl>> {
        self.listings.iter().map(Listing::index)
    }

    /// Returns all versions, rising, each once.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// Returns the files of the version at `position`: those of preferred locations first, else in
    /// the order of the page.
    pub fn files(&self, position: usize) -> &Arc<[Arc<Candidate>]> {
        self.files[position].get_or_init(|| {
            let version = &self.versions[position];
            self.listings.iter().flat_map(|listing| listing.files(version)).map(Arc::new).collect()
        })
    }
}
