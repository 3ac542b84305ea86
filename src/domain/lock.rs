//! Lock files: exact packages with exact files for each target.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use super::{
    Artifact, AvailableGroups, Digest, DistributionFilename, MaskedUrl, Origin, PackageName, SelectedGroups, Target,
    Timestamp, Version, Yanked,
};

/// An entry of a lock file: a version of a project from one source.
#[derive(Clone, Debug)]
pub struct LockedPackage {
    pub name: PackageName,
    /// The version; `None` if only the source states it.
    pub version: Option<Version>,
    pub source: LockedSource,
    /// Every file that the lock names.
    pub files: Vec<LockedFile>,
    /// The line of the entry in the lock.
    pub origin: Origin,
    /// The files with URLs as an index would list them, once they are needed.
    artifacts: OnceLock<Vec<Arc<Artifact>>>,
}

/// The source of a locked package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockedSource {
    /// An index, or a folder that serves as one, with its URL if the lock states it.
    Index(Option<Arc<MaskedUrl>>),
    /// One archive, by URL or local path, which is among the files.
    Archive,
    /// A version control URL.
    Repository(String),
    /// A folder: the project itself, a member of its workspace, or a path dependency.
    Folder(String),
}

/// One file of a locked package.
#[derive(Clone, Debug, PartialEq)]
pub struct LockedFile {
    /// The file's name; empty if the lock has only digests.
    pub filename: Box<str>,
    /// The URL; `None` if an index must be asked.
    pub url: Option<MaskedUrl>,
    /// The digests, of which one must match.
    pub hashes: Vec<Digest>,
    /// Size in bytes.
    pub size: Option<u64>,
    pub uploaded: Option<Timestamp>,
}

/// A package that a lock selects for a target.
#[derive(Clone, Debug)]
pub struct SelectedPackage<'l> {
    pub package: &'l LockedPackage,
    /// The projects that it needs on this target, as far as the lock states them.
    pub dependencies: Vec<PackageName>,
}

/// Why a lock does not serve a target, or lacks something for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLocked {
    /// The package that is not available; `None` if the lock as a whole does not serve the target.
    pub package: Option<PackageName>,
    pub why: String,
    pub origin: Origin,
}

/// A lock file, by the rules of the tool that defines its format.
pub trait Lock: Debug + Send + Sync {
    /// Returns the extras and groups that can be requested.
    fn available(&self) -> &AvailableGroups;

    /// Returns every entry, in the order of the file.
    fn packages(&self) -> &[LockedPackage];

    /// Returns what `target` gets, sorted by name.
    ///
    /// # Errors
    /// When the lock does not serve the target.
    fn select(&self, target: &Target, groups: &SelectedGroups) -> Result<Vec<SelectedPackage<'_>>, Vec<NotLocked>>;
}

impl LockedPackage {
    pub fn new(
        name: PackageName,
        version: Option<Version>,
        source: LockedSource,
        files: Vec<LockedFile>,
        origin: Origin,
    ) -> Self {
        Self { name, version, source, files, origin, artifacts: OnceLock::new() }
    }

    /// Whether an index must be asked for the URLs of the files.
    pub fn needs_index(&self) -> bool {
        matches!(self.source, LockedSource::Index(_)) && self.files.iter().any(|file| file.url.is_none())
    }

    /// Returns every digest that one of the files may have.
    pub fn hashes(&self) -> Vec<Digest> {
        self.files.iter().flat_map(|file| file.hashes.iter().cloned()).collect()
    }

    /// Returns the files with URLs as an index would list them; files that are no distributions of
    /// the project, such as eggs, are left out.
    pub fn artifacts(&self) -> &[Arc<Artifact>] {
        self.artifacts.get_or_init(|| {
            let index = match &self.source {
                LockedSource::Index(index) => index.clone(),
                _ => None,
            };
            self.files.iter().filter_map(|file| file.artifact(&self.name, index.clone())).map(Arc::new).collect()
        })
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
