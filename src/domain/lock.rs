//! What a lock file promises: exactly these packages with exactly these files, for each target.

use std::fmt::Debug;
use std::sync::Arc;

use super::{
    Artifact, AvailableGroups, Digest, DistributionFilename, MaskedUrl, Origin, PackageName, SelectedGroups, Target,
    Timestamp, Version, Yanked,
};

/// One entry of a lock file: a version of a project from one place.
#[derive(Clone, Debug, PartialEq)]
pub struct LockedPackage {
    pub name: PackageName,
    /// Absent where only the source tells it.
    pub version: Option<Version>,
    pub source: LockedSource,
    /// Every file that the lock names.
    pub files: Vec<LockedFile>,
    /// Where it stands in the lock.
    pub origin: Origin,
}

/// Where a locked package comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockedSource {
    /// An index, or a folder that stands for one; its URL where the lock tells it.
    Index(Option<Arc<MaskedUrl>>),
    /// One archive, by URL or local path, which is in the files.
    Archive,
    /// A version control URL.
    Repository(String),
    /// A folder: the project itself, a member of its workspace, or a path dependency.
    Folder(String),
}

/// One file of a locked package.
#[derive(Clone, Debug, PartialEq)]
pub struct LockedFile {
    /// Empty where the lock has digests alone.
    pub filename: Box<str>,
    /// Where to get it; absent where the index has to be asked.
    pub url: Option<MaskedUrl>,
    /// Any one of them is enough.
    pub hashes: Vec<Digest>,
    /// Bytes.
    pub size: Option<u64>,
    pub uploaded: Option<Timestamp>,
}

/// A package that a lock gives to a target.
#[derive(Clone, Debug)]
pub struct LockedPick<'l> {
    pub package: &'l LockedPackage,
    /// The projects that it needs on this target, as far as the lock tells.
    pub dependencies: Vec<PackageName>,
}

/// Why a lock gives nothing, or not everything, to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLocked {
    /// Absent where the lock as a whole does not serve the target.
    pub package: Option<PackageName>,
    pub why: String,
    pub origin: Origin,
}

/// A lock file, by the rules of the tool that owns its format.
pub trait Lock: Debug + Send + Sync {
    /// The extras and groups that can be asked for.
    fn available(&self) -> &AvailableGroups;

    /// Every entry, in the order of the file.
    fn packages(&self) -> &[LockedPackage];

    /// What `target` gets, in the order of the names.
    ///
    /// # Errors
    /// When the lock is not for this target.
    fn select(&self, target: &Target, groups: &SelectedGroups) -> Result<Vec<LockedPick<'_>>, Vec<NotLocked>>;
}

impl LockedPackage {
    /// Whether the index has to be asked where its files are.
    pub fn needs_index(&self) -> bool {
        matches!(self.source, LockedSource::Index(_)) && self.files.iter().any(|file| file.url.is_none())
    }

    /// Every digest that one of its files may have.
    pub fn hashes(&self) -> Vec<Digest> {
        self.files.iter().flat_map(|file| file.hashes.iter().cloned()).collect()
    }

    /// The files with URLs as an index would offer them; those whose names are of no distribution
    /// of the project, such as eggs, are none.
    pub fn artifacts(&self) -> Vec<Arc<Artifact>> {
        let index = match &self.source {
            LockedSource::Index(index) => index.clone(),
            _ => None,
        };
        self.files.iter().filter_map(|file| file.artifact(&self.name, index.clone())).map(Arc::new).collect()
    }
}

impl LockedFile {
    fn artifact(&self, project: &PackageName, index: Option<Arc<MaskedUrl>>) -> Option<Artifact> {
        let url = self.url.clone()?;
        Some(Artifact {
            filename: self.filename.clone(),
            distribution: DistributionFilename::parse(&self.filename, project).ok()?,
            index: index.unwrap_or_else(|| Arc::new(url.clone())),
            url,
            hashes: self.hashes.clone(),
            size: self.size,
            requires_python: None,
            yanked: Yanked::default(),
            sidecar: None,
            uploaded: self.uploaded,
        })
    }
}
