//! Locks between the processes that share a cache.
//!
//! A lock is a file in the folder for incoming files. Its lock ends with its process, however that
//! ends; what a killed process left of the file is swept like every temporary file.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use tempfile::TempDir;

use super::layout::{CacheLayout, remove_anything};
use super::locked_file::{LockOutcome, open_locked};

/// A lock that this process holds; its file is removed when this is dropped.
#[derive(Debug)]
pub struct LockFile {
    path: PathBuf,
    _file: File,
}

impl LockFile {
    /// Takes the lock of this name; `None` if another process, or another part of this one, holds
    /// it. Where locks do not work, nobody holds one.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn try_acquire(layout: &CacheLayout, name: &str) -> io::Result<Option<Self>> {
        // The name is one that `archive::sweep` knows.
        let path = layout.incoming().join(format!(".prefetch-{name}.partial"));
        Ok(match layout.in_incoming(|_| open_locked(&path))? {
            LockOutcome::Ours(file) | LockOutcome::Unlockable(file) => Some(Self { path, _file: file }),
            LockOutcome::Theirs(_) => None,
        })
    }

    /// Makes the empty folder that the lock protects, whose path is always the same; what a killed
    /// process left of it is removed.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn folder(&self) -> io::Result<TempDir> {
        // A sweep spares a folder whose lock is held.
        let path = self.path.with_extension("folder");
        remove_anything(&path)?;
        let (parent, name) = (path.parent().unwrap_or(&path), path.file_name().unwrap_or_default());
        tempfile::Builder::new().prefix(name).rand_bytes(0).tempdir_in(parent)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Before the lock goes; what stays is swept.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_a_lock_and_nothing_is_left_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let layout = CacheLayout::new(folder.path().to_owned());
        let take = |name: &str| LockFile::try_acquire(&layout, name).unwrap();
        let held = take("a").unwrap();
        assert!(take("a").is_none() && take("b").is_some());
        drop(held);
        assert!(take("a").is_some());
        assert_eq!(fs::read_dir(layout.incoming()).unwrap().count(), 0);
    }

    #[test]
    fn a_lock_has_one_folder_whatever_was_left_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let layout = CacheLayout::new(folder.path().to_owned());
        let lock = LockFile::try_acquire(&layout, "a").unwrap().unwrap();
        let left = layout.incoming().join(".prefetch-a.folder");
        fs::create_dir_all(left.join("inner")).unwrap();
        let protected = lock.folder().unwrap();
        assert_eq!(protected.path(), left);
        assert_eq!(fs::read_dir(&left).unwrap().count(), 0);
        drop(protected);
        assert!(!left.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let layout = CacheLayout::new(folder.path().join("cache"));
        layout.make_folder(layout.incoming()).unwrap();
        let elsewhere = folder.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, layout.incoming().join(".prefetch-a.partial")).unwrap();
        assert!(LockFile::try_acquire(&layout, "a").is_err() && !elsewhere.exists());
    }
}
