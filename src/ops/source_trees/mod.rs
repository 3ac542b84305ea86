//! Packs source trees into source archives: a project's folder, or a commit of a repository,
//! becomes a `.tar.gz` that is fetched, bundled and installed like any other.
//!
//! The archive is named after the project's stated metadata (PEP 621 and older forms). If only the
//! build knows the version (as with `setuptools-scm`), the build is run if that is allowed, and a
//! `PKG-INFO` in the archive keeps the result, since an archive has no history.

mod archive;
mod files;
mod git;
mod private_folder;

use std::fmt::Write as _;
use std::io::{self, Seek};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::NamedTempFile;
use tokio::runtime::Handle;

use self::archive::PackError;
use self::files::ProjectFiles;
pub use self::git::{Git, GitError};
use super::Listener;
use super::fetch_context::FetchContext;
use super::fetch_error::FetchError;
use super::sdist_build::{BuildTree, SdistBuilder};
use crate::cache_folder::{CacheBucket, CacheLayout, Readers, real_entries, remove_anything};
use crate::domain::{CoreMetadata, Fingerprint, PackageName, RepositoryUrl, Sha256, VcsInfo, Version};
use crate::index::sdist_metadata::{SdistError, StatedIdentity, top_files, top_files_of_folder};

/// A source tree: a folder or a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceTree {
    /// The absolute path of a project's folder, whose files are packed.
    Folder(PathBuf),
    /// The absolute path of a project's folder, whose build makes its source distribution (PEP 517).
    Project(PathBuf),
    Repository(RepositoryUrl),
}

/// A source archive with a packed source tree.
#[derive(Clone, Debug)]
pub struct PackedTree {
    /// The absolute path of the archive in the cache.
    pub archive: PathBuf,
    pub name: PackageName,
    pub version: Version,
    /// The commit, if it comes from a repository.
    pub vcs_info: Option<VcsInfo>,
    /// The number of files in a folder that are left out, since git neither tracks nor ignores
    /// them.
    pub untracked: usize,
}

/// Packs source trees.
pub struct SourceTreePacker {
    pub layout: CacheLayout,
    pub git: Git,
    /// The builder for versions that nothing else states, if builds are allowed.
    pub builds: Option<TreeBuilder>,
    /// Files and folders that belong to no project, such as outputs of runs.
    pub left_out: Vec<PathBuf>,
}

/// Runs builds of source trees for their metadata.
pub struct TreeBuilder {
    pub builder: SdistBuilder,
    /// The context in which build requirements are fetched.
    pub context: FetchContext,
    pub listener: Listener,
    pub runtime: Handle,
}

/// Why a source tree cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum SourceTreeError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("there is neither a pyproject.toml nor a setup.py in it, so it is no project")]
    NoProject,
    #[error("it states no {0}, which only its build knows")]
    NeedsBuild(&'static str),
    #[error("it says that it is `{0}`, which is no {1}")]
    Invalid(String, &'static str),
    #[error("it is the project `{0}`, and another is asked for")]
    OtherProject(PackageName),
    #[error(transparent)]
    Build(#[from] Box<FetchError>),
    #[error("its metadata cannot be read: {0}")]
    Metadata(#[from] SdistError),
    #[error("{0}")]
    Pack(String),
    #[error("its archive cannot be written to the cache: {0}")]
    Write(#[from] io::Error),
}

impl From<PackError> for SourceTreeError {
    fn from(error: PackError) -> Self {
        Self::Pack(error.to_string())
    }
}

/// The name of a project, and what its archive must state beyond its files.
struct ProjectIdentity {
    name: PackageName,
    version: Version,
    pkg_info: Option<String>,
}

impl SourceTreePacker {
    /// Packs `tree` into the cache; `known` is the version in a lock file.
    ///
    /// # Errors
    /// When git fails, the tree is no project, its version is not known, or a file cannot be
    /// packed.
    pub fn pack(&self, tree: &SourceTree, known: Option<&Version>) -> Result<PackedTree, SourceTreeError> {
        match tree {
            SourceTree::Folder(folder) => {
                let files = || files::of_project(folder, &self.git, &self.left_out);
                self.pack_folder(BuildTree::Own(folder), known, files)
            }
            SourceTree::Project(folder) => self.pack_project(folder),
            SourceTree::Repository(url) => {
                let checkout = self.git.check_out(url, &self.layout)?;
                let subdirectory = url.subdirectory.as_deref().unwrap_or_default();
                let tree = BuildTree::OfRepository { tree: &checkout.folder, subdirectory };
                if !is_below(&tree.project(), &checkout.folder) {
                    return Err(SourceTreeError::NoProject);
                }
                let paths = checkout.files(&self.git, subdirectory)?;
                let packed = self.pack_folder(tree, known, || Ok(ProjectFiles::of_commit(paths)))?;
                let vcs_info = VcsInfo {
                    url: url.public_address(),
                    requested_revision: url.revision.clone(),
                    commit_id: checkout.commit,
                    subdirectory: url.subdirectory.clone(),
                };
                Ok(PackedTree { vcs_info: Some(vcs_info), ..packed })
            }
        }
    }

    fn pack_folder(
        &self,
        tree: BuildTree<'_>,
        known: Option<&Version>,
        files: impl FnOnce() -> io::Result<ProjectFiles>,
    ) -> Result<PackedTree, SourceTreeError> {
        let folder = &tree.project();
        check_is_project(folder)?;
        let ProjectIdentity { name, version, pkg_info } = self.identity(tree, known)?;
        let ProjectFiles { paths, untracked } = files()?;
        let top = top_folder(&name, &version);
        let file = self.layout.temporary(Readers::Umask)?;
        archive::pack(folder, &paths, (&top, pkg_info.as_deref()), file.as_file())?;
        let archive = self.keep(file, &top)?;
        Ok(PackedTree { archive, name, version, vcs_info: None, untracked })
    }

    /// Packs the source distribution that the build of a project makes, so that its bytes depend on the
    /// files in it alone.
    fn pack_project(&self, folder: &Path) -> Result<PackedTree, SourceTreeError> {
        check_is_project(folder)?;
        let builds = self.builds.as_ref().ok_or(SourceTreeError::NeedsBuild("source distribution"))?;
        let (made, unpacked) = (self.layout.temporary(Readers::Owner)?, self.layout.temporary(Readers::Owner)?);
        let output = made.reopen()?;
        let filename = builds.builder.tree_sdist(folder, output, &builds.context, &builds.listener);
        let filename = builds.runtime.block_on(filename).map_err(Box::new)?;
        let stated = top_files(made.reopen()?, &filename)?.stated_identity();
        let field = |value: Option<String>| value.unwrap_or_default();
        let ProjectIdentity { name, version, .. } = identity(&field(stated.name), &field(stated.version), None)?;
        let top = top_folder(&name, &version);
        let file = self.layout.temporary(Readers::Umask)?;
        archive::repack(made.reopen()?, &top, unpacked.as_file(), file.as_file())?;
        let archive = self.keep(file, &top)?;
        Ok(PackedTree { archive, name, version, vcs_info: None, untracked: 0 })
    }

    /// Moves a packed archive to its place in the cache.
    fn keep(&self, mut file: NamedTempFile, top: &str) -> io::Result<PathBuf> {
        file.rewind()?;
        let sha256 = Fingerprint::read(file.as_file_mut(), &[])?.sha256;
        let place = self.layout.folder(CacheBucket::SourceTrees).join(sha256.to_string());
        let archive = place.join(format!("{top}.tar.gz"));
        self.layout.rename_into_place(file, &archive, |file, path| {
            file.persist(path).map(drop).map_err(|failed| (failed.error, failed.file))
        })?;
        Ok(archive)
    }

    fn identity(&self, tree: BuildTree<'_>, known: Option<&Version>) -> Result<ProjectIdentity, SourceTreeError> {
        let stated = top_files_of_folder(&tree.project())?.stated_identity();
        match (stated, known) {
            (StatedIdentity { name: Some(name), version: Some(version) }, _) => identity(&name, &version, None),
            (StatedIdentity { name: Some(name), version: None }, Some(known)) => {
                let version = known.to_string();
                let pkg_info = pkg_info(&CoreMetadata { name: name.clone(), version, ..CoreMetadata::default() });
                identity(&name, &known.to_string(), Some(pkg_info))
            }
            (stated, _) => {
                let missing = if stated.name.is_none() { "name" } else { "version" };
                let builds = self.builds.as_ref().ok_or(SourceTreeError::NeedsBuild(missing))?;
                let built = builds.builder.tree_metadata(tree, &builds.context, &builds.listener);
                let built = builds.runtime.block_on(built).map_err(Box::new)?;
                identity(&built.name, &built.version, Some(pkg_info(&built)))
            }
        }
    }
}

fn check_is_project(folder: &Path) -> Result<(), SourceTreeError> {
    let has = |name: &&str| folder.join(name).is_file();
    if ["pyproject.toml", "setup.py"].iter().any(has) { Ok(()) } else { Err(SourceTreeError::NoProject) }
}

/// Returns the name of the folder in an archive, which is that of the archive, too: the project's name
/// normalized, with `_` for `-` (PEP 625).
fn top_folder(name: &PackageName, version: &Version) -> String {
    format!("{}-{version}", name.as_dist_info_name())
}

/// Whether `folder` really is a folder in `tree`, whatever links its path has.
fn is_below(folder: &Path, tree: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    real(folder).zip(real(tree)).is_some_and(|(folder, tree)| folder.starts_with(tree))
}

/// How long an archive may be in the cache before a run has added it to the store.
const YOUNG: Duration = Duration::from_secs(24 * 3600);

/// Removes the archives that are not in the store, unless one was packed within a day before `now`.
///
/// # Errors
/// When an archive cannot be removed.
pub fn prune(layout: &CacheLayout, is_stored: impl Fn(Sha256) -> bool, now: SystemTime) -> io::Result<()> {
    for entry in real_entries(&layout.folder(CacheBucket::SourceTrees)) {
        let is_young = entry.metadata().and_then(|metadata| metadata.modified());
        let is_young = is_young.is_ok_and(|packed| packed + YOUNG > now);
        let sha256 = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if !is_young && !sha256.is_some_and(&is_stored) {
            remove_anything(&entry.path())?;
        }
    }
    Ok(())
}

fn identity(name: &str, version: &str, pkg_info: Option<String>) -> Result<ProjectIdentity, SourceTreeError> {
    let invalid = |text: &str, what| SourceTreeError::Invalid(text.to_owned(), what);
    Ok(ProjectIdentity {
        name: name.parse().map_err(|_| invalid(name, "name of a project"))?,
        version: version.parse().map_err(|_| invalid(version, "version"))?,
        pkg_info,
    })
}

/// Returns the core metadata as a file of version 2.1, which does not bind a build (PEP 643).
fn pkg_info(metadata: &CoreMetadata) -> String {
    let mut text = format!("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", metadata.name, metadata.version);
    let python = metadata.requires_python.iter().map(|python| ("Requires-Python", python));
    let requirements = metadata.requires_dist.iter().map(|line| ("Requires-Dist", line));
    let extras = metadata.provides_extra.iter().map(|extra| ("Provides-Extra", extra));
    for (field, value) in python.chain(requirements).chain(extras) {
        writeln!(text, "{field}: {value}").expect("a string takes all");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_go_with_what_the_store_had_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let layout = CacheLayout::new(folder.path().to_owned());
        let [stored, gone] = [b"stored", b"gone  "].map(|bytes| Sha256::of(bytes));
        let bucket = layout.folder(CacheBucket::SourceTrees);
        [stored, gone].iter().for_each(|sha256| std::fs::create_dir_all(bucket.join(sha256.to_string())).unwrap());
        let packed = std::fs::metadata(&bucket).unwrap().modified().unwrap();
        prune(&layout, |sha256| sha256 == stored, packed).unwrap();
        assert_eq!(std::fs::read_dir(&bucket).unwrap().count(), 2, "what was just packed stays");
        prune(&layout, |sha256| sha256 == stored, packed + YOUNG * 2).unwrap();
        assert!(bucket.join(stored.to_string()).exists() && !bucket.join(gone.to_string()).exists());
    }
}
