//! The files that a bundle should have, and how deeply each is read.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::PackageName;
use crate::layout::{MANIFEST_PATH, Manifest, SIGNATURE_PATH, SUMS_PATH};
use crate::ops::bundle::{DELTA_PATH, Delta};

/// How much of a distribution's content is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Only lists and metadata, if a manifest has the digest of the whole file.
    Lists,
    /// All files in it, compared with the digests in its own `RECORD`.
    Contents,
}

/// The files that are expected before any is read.
pub struct ExpectedFiles {
    /// The project of each expected path; `None` if every file is checked, in a folder without a
    /// manifest.
    expected: Option<BTreeMap<String, Option<PackageName>>>,
    /// The files that a delta takes from its base.
    pub kept: BTreeSet<String>,
    /// What a delta claims to take, and is no file of a package; nothing signs a delta's own list.
    pub unkept: BTreeSet<String>,
}

impl ExpectedFiles {
    pub fn of(manifest: &Manifest, delta: Option<&Delta>) -> Self {
        let files = manifest.files().map(|(package, file)| (file.path.clone(), package.name.parse().ok()));
        let pages = manifest.pages.iter().map(|page| (page.path.clone(), None));
        let own = [MANIFEST_PATH, SUMS_PATH, SIGNATURE_PATH].map(|path| (path.to_owned(), None));
        let own_delta = delta.map(|_| (DELTA_PATH.to_owned(), None));
        let packaged: BTreeSet<_> = manifest.files().map(|(_, file)| file.path.as_str()).collect();
        let kept = delta.into_iter().flat_map(|delta| &delta.kept).cloned();
        let (kept, unkept) = kept.partition(|path| packaged.contains(path.as_str()));
        Self { expected: Some(files.chain(pages).chain(own).chain(own_delta).collect()), kept, unkept }
    }

    pub fn any() -> Self {
        Self { expected: None, kept: BTreeSet::new(), unkept: BTreeSet::new() }
    }

    /// Returns how deeply files are read.
    ///
    /// With a manifest the digests of whole files are enough; without one a file can only be
    /// compared with itself.
    pub fn depth(&self) -> Depth {
        if self.expected.is_some() { Depth::Lists } else { Depth::Contents }
    }

    pub fn expects(&self, path: &str) -> bool {
        self.expected.as_ref().is_none_or(|expected| expected.contains_key(path))
    }

    /// Returns the project whose distribution is at `path`.
    pub fn project(&self, path: &str) -> Option<PackageName> {
        self.expected.as_ref()?.get(path)?.clone()
    }
}
