//! The folder of one build, with the environment in which it runs.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::BuildError;
use super::isolation::DiskAccess;
use crate::regular_file;

/// The size limit of an answer in bytes.
const LONGEST_ANSWER: u64 = 16 << 20;

/// The folder of one build: what the build is given, and below `work` all that it may write to.
///
/// The two are apart, since whatever a build wrote may have become a link to anywhere.
#[derive(Clone, Debug)]
pub struct BuildFolder {
    root: PathBuf,
    /// The project's folder, where that lies elsewhere.
    tree: Option<PathBuf>,
}

impl BuildFolder {
    /// Makes the folders of a build in `root`, which is empty, and writes `script` into it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn make(root: &Path, script: &str) -> io::Result<Self> {
        let folder = Self { root: root.canonicalize()?, tree: None };
        for path in [folder.output(), folder.temporary(), folder.tools()] {
            fs::create_dir_all(path)?;
        }
        fs::write(folder.script(), script)?;
        Ok(folder)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder for what a build makes.
    pub fn output(&self) -> PathBuf {
        self.work().join("output")
    }

    /// Opens the file `name` that the build made.
    ///
    /// # Errors
    /// When there is none, or a link, a pipe or a device in its place.
    pub fn open_output(&self, name: &Path) -> io::Result<File> {
        match fs::symlink_metadata(self.output())?.is_dir() {
            true => regular_file::open_no_follow(&self.output().join(name)).map(|(file, _)| file),
            false => Err(io::Error::other("the folder that it should be in is none")),
        }
    }

    /// Returns the folder for the wheels of build requirements.
    pub fn tools(&self) -> PathBuf {
        self.root.join("tools")
    }

    /// Returns the path of the archive, which keeps its own name.
    pub fn archive(&self, filename: &str) -> PathBuf {
        self.root.join(Path::new(filename).file_name().unwrap_or_default())
    }

    /// Returns the folder for a copy of the tree that the project is in.
    pub fn copied_tree(&self) -> PathBuf {
        self.work().join("tree")
    }

    /// Lets the steps after unpacking work in the project's folder `tree`.
    ///
    /// # Errors
    /// When the link to it cannot be made.
    pub fn link_source(&mut self, tree: &Path) -> Result<(), BuildError> {
        let (source, tree) = (self.source(), tree.canonicalize()?);
        fs::create_dir(&source)?;
        link_folder(&tree, &source.join("tree"))?;
        self.tree = Some(tree);
        Ok(())
    }

    /// Reads the answer of the last step.
    ///
    /// # Errors
    /// When there is none, or it has another form.
    pub fn read_answer<T: DeserializeOwned>(&self) -> Result<T, BuildError> {
        let (file, _) = regular_file::open_no_follow(&self.answer())?;
        let mut answer = Vec::new();
        file.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
        serde_json::from_slice(&answer).map_err(|why| BuildError::Answer(why.to_string()))
    }

    /// Returns what a build may do to the disk: of a tree that is no copy it may not change the
    /// history, whose settings git obeys later, outside of any build.
    pub(super) fn access(&self) -> DiskAccess {
        let history = self.tree.iter().map(|tree| tree.join(".git"));
        DiskAccess {
            writable: [self.work()].into_iter().chain(self.tree.clone()).collect(),
            read_only: history.filter(|path| path.exists()).collect(),
        }
    }

    fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Returns the folder in which the archive is unpacked.
    pub(super) fn source(&self) -> PathBuf {
        self.work().join("source")
    }

    pub(super) fn environment(&self) -> PathBuf {
        self.work().join("environment")
    }

    pub(super) fn python(&self) -> PathBuf {
        let path = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
        self.environment().join(path)
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.work().join("temporary")
    }

    pub(super) fn script(&self) -> PathBuf {
        self.root.join("build-hooks.py")
    }

    pub(super) fn request(&self) -> PathBuf {
        self.root.join("request.json")
    }

    pub(super) fn answer(&self) -> PathBuf {
        self.work().join("answer.json")
    }
}

#[cfg(unix)]
fn link_folder(folder: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(folder, link)
}

#[cfg(windows)]
fn link_folder(folder: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(folder, link)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_build_may_write_to_is_apart_from_what_it_is_given() {
        let root = tempfile::tempdir().unwrap();
        let folder = BuildFolder::make(root.path(), "").unwrap();
        let writable = folder.access().writable;
        for given in [folder.request(), folder.script(), folder.tools(), folder.archive("demo-1.0.tar.gz")] {
            assert!(!writable.iter().any(|writable| given.starts_with(writable)), "{}", given.display());
        }
        for made in [folder.answer(), folder.output(), folder.environment(), folder.temporary(), folder.source()] {
            assert!(writable.iter().any(|writable| made.starts_with(writable)), "{}", made.display());
        }
    }

    #[test]
    fn the_history_of_a_folder_of_the_user_is_kept_from_builds() {
        let (root, tree) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut folder = BuildFolder::make(root.path(), "").unwrap();
        folder.link_source(tree.path()).unwrap();
        assert!(folder.access().read_only.is_empty());
        fs::create_dir(tree.path().join(".git")).unwrap();
        assert_eq!(folder.access().read_only, [tree.path().canonicalize().unwrap().join(".git")]);
    }

    #[test]
    fn what_a_build_left_is_read_where_it_is_a_file() {
        let root = tempfile::tempdir().unwrap();
        let folder = BuildFolder::make(root.path(), "").unwrap();
        fs::write(folder.answer(), "[1]").unwrap();
        assert_eq!(folder.read_answer::<Vec<u8>>().unwrap(), [1]);
        fs::remove_file(folder.answer()).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.answer()).unwrap();
        assert!(folder.read_answer::<Vec<u8>>().is_err());
        fs::write(folder.output().join("a.whl"), "").unwrap();
        assert!(folder.open_output(Path::new("a.whl")).is_ok());
        let elsewhere = folder.temporary();
        fs::write(elsewhere.join("a.whl"), "").unwrap();
        fs::remove_dir_all(folder.output()).unwrap();
        std::os::unix::fs::symlink(elsewhere, folder.output()).unwrap();
        assert!(folder.open_output(Path::new("a.whl")).is_err());
    }
}
