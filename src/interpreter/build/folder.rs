//! The folder of one build, with the environment in which it runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::BuildError;

/// The folder of one build.
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
            fs::create_dir(path)?;
        }
        fs::write(folder.script(), script)?;
        Ok(folder)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder for what a build makes.
    pub fn output(&self) -> PathBuf {
        self.root.join("output")
    }

    /// Returns the folder for the wheels of build requirements.
    pub fn tools(&self) -> PathBuf {
        self.root.join("tools")
    }

    /// Returns the path of the archive, which keeps its own name.
    pub fn archive(&self, filename: &str) -> PathBuf {
        self.root.join(Path::new(filename).file_name().unwrap_or_default())
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
        let answer = fs::read(self.answer())?;
        serde_json::from_slice(&answer).map_err(|why| BuildError::Answer(why.to_string()))
    }

    /// Returns the folders that a build writes to.
    pub(super) fn writable(&self) -> Vec<PathBuf> {
        [&self.root].into_iter().chain(&self.tree).cloned().collect()
    }

    /// Returns the folder in which the archive is unpacked.
    pub(super) fn source(&self) -> PathBuf {
        self.root.join("source")
    }

    pub(super) fn environment(&self) -> PathBuf {
        self.root.join("environment")
    }

    pub(super) fn python(&self) -> PathBuf {
        let path = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
        self.environment().join(path)
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.root.join("temporary")
    }

    pub(super) fn script(&self) -> PathBuf {
        self.root.join("build-hooks.py")
    }

    pub(super) fn request(&self) -> PathBuf {
        self.root.join("request.json")
    }

    pub(super) fn answer(&self) -> PathBuf {
        self.root.join("answer.json")
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
