//! Lock files: exact packages with exact files for each target.

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::sync::Arc;

use super::{
    AvailableGroups, Candidate, Digest, DistributionFilename, FilenameError, LazyUrl, MaskedUrl, Origin, PackageName,
    SelectedGroups, Target, Timestamp, Version, Yanked,
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
    /// What the name of each file says.
    distributions: Vec<Result<DistributionFilename, FilenameError>>,
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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LockedFile {
    /// The file's name; empty if the lock has only digests.
    pub filename: Box<str>,
    /// The URL; `None` if an index must be asked.
    pub url: Option<LazyUrl>,
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

impl fmt::Display for NotLocked {
    /// Writes the reason, after the package that it is about.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.package.iter().try_for_each(|package| write!(f, "{package}: "))?;
        f.write_str(&self.why)
    }
}

/// What a lock file of any format says.
#[derive(Debug)]
pub struct LockContents {
    /// Every entry, in the order of the file.
    pub packages: Vec<LockedPackage>,
    /// The extras and groups that can be requested.
    pub available: AvailableGroups,
    /// The file itself.
    pub origin: Origin,
}

impl LockContents {
    /// Returns the refusal of a target that the lock as a whole does not serve.
    pub fn refusal(&self, why: String) -> NotLocked {
        NotLocked { package: None, why, origin: self.origin.clone() }
    }

    /// Returns the packages at these positions, each with the projects that it needs, sorted by name.
    pub fn at(&self, found: impl IntoIterator<Item = (usize, BTreeSet<PackageName>)>) -> Vec<SelectedPackage<'_>> {
        let found = found.into_iter().map(|(position, dependencies)| SelectedPackage {
            package: &self.packages[position],
            dependencies: dependencies.into_iter().collect(),
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by(|a, b| (&a.package.name, &a.package.version).cmp(&(&b.package.name, &b.package.version)));
        found
    }
}

/// A lock file, by the rules of the tool that defines its format.
pub trait Lock: Debug + Send + Sync {
    fn contents(&self) -> &LockContents;

    /// Returns the extras and groups that can be requested.
    fn available(&self) -> &AvailableGroups {
        &self.contents().available
    }

    /// Returns every entry, in the order of the file.
    fn packages(&self) -> &[LockedPackage] {
        &self.contents().packages
    }

    /// Whether the project that the lock is of is one of its entries, or would be if it were a package;
    /// most formats leave it out.
    fn has_project(&self) -> bool {
        false
    }

    /// Returns a warning if the lock may lack something that `target` needs.
    fn warning(&self, _target: &Target) -> Option<String> {
        None
    }

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
        let distributions = files.iter().map(|file| DistributionFilename::parse(&file.filename, &name)).collect();
        Self { name, version, source, files, origin, distributions }
    }

    /// Whether an index must be asked for the URLs of the files.
    pub fn needs_index(&self) -> bool {
        matches!(self.source, LockedSource::Index(_)) && self.files.iter().any(|file| file.url.is_none())
    }

    /// Returns every digest that one of the files may have.
    pub fn hashes(&self) -> Vec<Digest> {
        self.files.iter().flat_map(|file| file.hashes.iter().cloned()).collect()
    }

    /// Returns each file with what its name says, or why that is no name of a distribution of the
    /// project.
    pub fn distributions(&self) -> impl Iterator<Item = (&LockedFile, Result<&DistributionFilename, &FilenameError>)> {
        self.files.iter().zip(self.distributions.iter().map(Result::as_ref))
    }

    /// Returns the files with URLs as an index would list them; files that are no distributions of
    /// the project, such as eggs, are left out.
    pub fn candidates(&self) -> impl Iterator<Item = Candidate> {
        self.distributions().filter_map(|(file, distribution)| {
            let url = file.url.as_ref()?.get();
            Some(Candidate {
                filename: file.filename.clone(),
                distribution: distribution.ok()?.clone(),
                index: self.index_of(url),
                url: url.clone(),
                hashes: file.hashes.clone(),
                size: file.size,
                requires_python: None,
                yanked: Yanked::default(),
                sidecar: None,
                uploaded: file.uploaded,
            })
        })
    }

    /// Returns the index of the package; without one, the URL of its file stands for it.
    pub fn index_of(&self, url: &MaskedUrl) -> Arc<MaskedUrl> {
        match &self.source {
            LockedSource::Index(Some(index)) => index.clone(),
            _ => Arc::new(url.clone()),
        }
    }
}
