//! Temporary files in the folder where they will get their final names, and temporary folders for a
//! run.
//!
//! A run that is killed leaves them behind. Their locks end with it, so the next run that writes
//! into the folder knows that they are abandoned, and removes them. Where locks do not work they
//! stay. A folder is locked by the file beside it that differs in its extension; that file exists
//! before the folder and after it, so a folder without one is abandoned.

use std::fs::{self, DirEntry, File, TryLockError};
use std::io;
use std::path::Path;

use tempfile::{Builder, NamedTempFile, TempDir};

const PREFIX: &str = ".prefetch-";
const PARTIAL: &str = "partial";
const FOLDER: &str = "folder";

/// How often a temporary file is made again, as another run may remove it between its creation and
/// its lock.
const MAX_ATTEMPTS: usize = 8;

/// Makes a temporary file in `folder` for reading and writing, which is removed unless it is
/// renamed.
///
/// Unlike `tempfile`'s own it has the permissions of any new file.
///
/// # Errors
/// When it cannot be made.
pub fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let make = |name: &Path| File::options().read(true).write(true).create_new(true).open(name);
    let suffix = format!(".{PARTIAL}");
    for _ in 0..MAX_ATTEMPTS {
        let file = Builder::new().prefix(PREFIX).suffix(&suffix).make_in(folder, make)?;
        let is_swept = matches!(file.as_file().try_lock(), Err(TryLockError::WouldBlock)) || !file.path().exists();
        if !is_swept {
            return Ok(file);
        }
    }
    Err(io::Error::other("another program removes every temporary file that is made there"))
}

/// A temporary folder for a run, which is removed when this value is dropped.
#[derive(Debug)]
pub struct TemporaryFolder {
    // In this order: the lock goes last.
    folder: TempDir,
    _lock: NamedTempFile,
}

impl TemporaryFolder {
    /// Makes a folder in `parent`, and removes those that killed runs left there.
    ///
    /// # Errors
    /// When the folder or its lock cannot be created.
    pub fn new_in(parent: &Path) -> io::Result<Self> {
        sweep(parent);
        let lock = temporary(parent)?;
        let path = lock.path().with_extension(FOLDER);
        let name = path.file_name().unwrap_or_default();
        let folder = Builder::new().prefix(name).rand_bytes(0).tempdir_in(parent)?;
        Ok(Self { folder, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes temporary files and folders of killed runs from `folder`.
pub fn sweep(folder: &Path) {
    let is_real = fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir());
    let entries = is_real.then(|| fs::read_dir(folder).ok()).flatten();
    for entry in entries.into_iter().flatten().flatten() {
        // A file that cannot be removed does not keep the run from writing.
        let _ = match Temporary::of(&entry) {
            Some(Temporary::File) => sweep_file(&entry.path()),
            Some(Temporary::Folder) => sweep_folder(&entry.path()),
            None => Ok(()),
        };
    }
}

fn sweep_file(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    file.try_lock()?;
    fs::remove_file(path)
}

fn sweep_folder(path: &Path) -> io::Result<()> {
    match File::open(path.with_extension(PARTIAL)) {
        Ok(lock) => {
            lock.try_lock()?;
            fs::remove_dir_all(path)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::remove_dir_all(path),
        Err(error) => Err(error),
    }
}

/// The kind of a file with a name that this module gives.
enum Temporary {
    File,
    Folder,
}

impl Temporary {
    fn of(entry: &DirEntry) -> Option<Self> {
        let (name, kind) = (entry.file_name(), entry.file_type().ok()?);
        let ending = name.to_str()?.strip_prefix(PREFIX)?.split_once('.')?.1;
        match ending {
            PARTIAL if kind.is_file() => Some(Self::File),
            FOLDER if kind.is_dir() => Some(Self::Folder),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_is_at_work_on_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in [".prefetch-killed.partial", ".prefetch-mine", "other.partial", "a.whl"] {
            fs::write(path(name), "").unwrap();
        }
        fs::create_dir(path(".prefetch-folder.partial")).unwrap();
        let at_work = temporary(folder.path()).unwrap();
        sweep(folder.path());
        sweep(&path("absent"));
        assert!(!path(".prefetch-killed.partial").exists());
        for name in [".prefetch-mine", "other.partial", "a.whl", ".prefetch-folder.partial"] {
            assert!(path(name).exists(), "{name}");
        }
        at_work.persist(path("b.whl")).unwrap();
    }

    #[test]
    fn a_folder_is_swept_once_its_owner_is_gone() {
        let parent = tempfile::tempdir().unwrap();
        let left = || fs::read_dir(parent.path()).unwrap().count();
        let make = |name: &str| fs::create_dir_all(parent.path().join(name).join("inner")).unwrap();
        for name in [".prefetch-unlocked.folder", ".prefetch-killed.folder", ".prefetch-mine", "a.folder"] {
            make(name);
        }
        fs::write(parent.path().join(".prefetch-killed.partial"), "").unwrap();
        let owned = TemporaryFolder::new_in(parent.path()).unwrap();
        fs::write(owned.path().join("a.whl"), "").unwrap();
        assert_eq!(left(), 4, "the owned one with its lock, and what has other names");
        sweep(parent.path());
        assert!(owned.path().join("a.whl").exists());
        drop(owned);
        assert_eq!(left(), 2);
    }
}
