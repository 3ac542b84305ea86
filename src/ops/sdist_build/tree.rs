//! The trees of projects that are built where they lie, or in a copy.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::interpreter::{BuildError, BuildFolder};

/// A project's folder that is built for its metadata. Its build can ask the history of its repository.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) enum BuildTree<'a> {
    /// A folder of the user, which is built where it lies, as by pip.
    Own(&'a Path),
    /// A working tree of the cache, and the project's folder below it. It is built in a copy, since a
    /// later run trusts the tree and the settings of its repository.
    OfRepository { tree: &'a Path, subdirectory: &'a str },
}

impl BuildTree<'_> {
    /// Returns the folder of the project.
    pub fn project(&self) -> PathBuf {
        match self {
            Self::Own(folder) => (*folder).to_owned(),
            Self::OfRepository { tree, subdirectory } => tree.join(subdirectory),
        }
    }

    /// Makes it the source of a build.
    ///
    /// # Errors
    /// When it cannot be linked or copied.
    pub fn place(&self, build: &mut BuildFolder) -> Result<(), BuildError> {
        match self {
            Self::Own(folder) => build.link_source(folder),
            Self::OfRepository { tree, subdirectory } => {
                let copy = build.copied_tree();
                copy_folder(tree, &copy)?;
                build.link_source(&copy.join(subdirectory))
            }
        }
    }
}

/// Copies a folder with all that is in it; links stay links.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    let mut pending = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = pending.pop() {
        fs::create_dir(&to)?;
        for entry in fs::read_dir(from)? {
            let (entry, kind) = entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind)))?;
            let place = to.join(entry.file_name());
            if kind.is_dir() {
                pending.push((entry.path(), place));
            } else if kind.is_symlink() {
                copy_link(&entry.path(), &place)?;
            } else if kind.is_file() {
                fs::copy(entry.path(), place)?;
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
fn copy_link(link: &Path, copy: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(fs::read_link(link)?, copy)
}

#[cfg(windows)]
fn copy_link(link: &Path, copy: &Path) -> io::Result<()> {
    let target = fs::read_link(link)?;
    match link.is_dir() {
        true => std::os::windows::fs::symlink_dir(target, copy),
        false => std::os::windows::fs::symlink_file(target, copy),
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_files_folders_and_links() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join(".git/objects")).unwrap();
        fs::write(from.join(".git/objects/one"), "bytes").unwrap();
        std::os::unix::fs::symlink("../elsewhere", from.join("link")).unwrap();
        copy_folder(&from, &to).unwrap();
        assert_eq!(fs::read(to.join(".git/objects/one")).unwrap(), b"bytes");
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("../elsewhere"));
    }
}
