//! What is to be got ([`Plan`]) and what we hold after getting it ([`Fetched`]).

use std::sync::Arc;

use super::{MaskedUrl, Origin, PackageName, Promises, Sha256, Specifiers, Target, Version, Yanked};

/// Each artifact once, with who asked for it and which targets it serves.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// In the order given; files refer to them by position.
    pub targets: Vec<Arc<Target>>,
    /// Sorted by name, then version.
    pub packages: Vec<PlannedPackage>,
}

/// One version of one project.
#[derive(Clone, Debug)]
pub struct PlannedPackage {
    pub name: PackageName,
    /// Absent only for a direct URL whose file name does not tell.
    pub version: Option<Version>,
    /// The lines that asked for it, directly or through other packages.
    pub requested_by: Vec<Origin>,
    /// The projects that it needs on any target, sorted.
    pub dependencies: Vec<PackageName>,
    /// Sorted by file name.
    pub files: Vec<PlannedFile>,
}

/// A file to fetch.
#[derive(Clone, Debug)]
pub struct PlannedFile {
    pub filename: Box<str>,
    /// Where to get it, without fragment.
    pub url: MaskedUrl,
    /// What listed it.
    pub index: Arc<MaskedUrl>,
    pub promises: Promises,
    pub requires_python: Option<Specifiers>,
    pub yanked: Yanked,
    /// Positions in [`Plan::targets`], rising.
    pub targets: Vec<usize>,
}

/// How a file came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is not here yet (`--dry-run`).
    Planned,
    /// The store had it.
    Cached,
    Downloaded,
}

/// Bytes of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
}

/// A [`Plan`] whose every file is in the store, by our own digest.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    pub targets: Vec<Arc<Target>>,
    /// Sorted by name, then version.
    pub packages: Vec<FetchedPackage>,
}

/// One version of one project, with its files.
#[derive(Clone, Debug)]
pub struct FetchedPackage {
    pub name: PackageName,
    pub version: Option<Version>,
    pub requested_by: Vec<Origin>,
    pub dependencies: Vec<PackageName>,
    pub files: Vec<FetchedFile>,
}

/// A file that we hold.
#[derive(Clone, Debug)]
pub struct FetchedFile {
    pub plan: PlannedFile,
    pub object: Object,
    /// The wheel's own `METADATA`, where a layout asked for it (PEP 658).
    pub metadata: Option<Object>,
    pub status: Status,
}

impl Fetched {
    /// Every file with its package, in order.
    pub fn files(&self) -> impl Iterator<Item = (&FetchedPackage, &FetchedFile)> {
        self.packages.iter().flat_map(|package| package.files.iter().map(move |file| (package, file)))
    }
}
