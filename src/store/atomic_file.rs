//! Files in `incoming/` that get their final name by a rename, or are removed.
//!
//! Bytes whose digest is promised go to a file named by it, which outlives the process: what a
//! killed run has fetched is where the next one goes on. Its lock says that somebody is at work
//! on it; where locks do not work, and where nothing is promised, it is a nameless file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::disk::is_same;
use crate::cache_folder::read_regular;
use crate::domain::read_chunks;

/// A file that is written, and then moved or dropped.
pub(super) enum AtomicFile {
    Unnamed(NamedTempFile),
    Resumable(ResumableFile),
}

/// A locked file, named by the promised digest, that a later run can go on with.
pub(super) struct ResumableFile {
    file: File,
    path: PathBuf,
    /// Whether it stays when dropped: its bytes are worth something.
    is_kept: bool,
}

/// The outcome of opening a resumable file.
pub(super) enum OpenOutcome {
    Ours(ResumableFile),
    /// Another process has it, with so many bytes by now.
    Theirs(u64),
    /// Locks do not work here, or it cannot be had.
    Unlockable,
}

/// The ending of the file beside a named one that says where its bytes come from.
pub(super) const ORIGIN: &str = "origin";

/// Between opening a file and locking it another process may have moved it away.
const MOST_ATTEMPTS: usize = 8;

impl ResumableFile {
    /// Opens and locks the file at `path`, which is made if need be.
    pub fn open(path: &Path) -> io::Result<OpenOutcome> {
        for _ in 0..MOST_ATTEMPTS {
            let file = open_or_create(path)?;
            match file.try_lock() {
                Ok(()) if is_still(&file, path)? => {
                    let is_kept = file.metadata()?.len() > 0;
                    return Ok(OpenOutcome::Ours(Self { file, path: path.to_owned(), is_kept }));
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(OpenOutcome::Theirs(file.metadata()?.len())),
                Err(TryLockError::Error(_)) => return Ok(OpenOutcome::Unlockable),
            }
        }
        Ok(OpenOutcome::Unlockable)
    }

    /// Reads what is there, for `take`, and goes on behind it.
    pub fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<u64> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut total = 0;
        read_chunks(&mut self.file, |chunk| {
            take(chunk);
            total += chunk.len() as u64;
            io::Result::Ok(())
        })?;
        Ok(total)
    }

    /// Removes it: its bytes are here already.
    pub fn discard(mut self) {
        self.is_kept = false;
    }

    /// What [`AtomicFile::note_origin`] wrote.
    pub fn origin(&self) -> Option<String> {
        let (bytes, _) = read_regular(&self.path.with_extension(ORIGIN)).ok()?;
        String::from_utf8(bytes).ok()
    }
}

impl AtomicFile {
    pub fn file(&mut self) -> &mut File {
        match self {
            Self::Unnamed(file) => file.as_file_mut(),
            Self::Resumable(named) => &mut named.file,
        }
    }

    /// From now on its bytes outlive the process, if it has a name; `origin` says whose they are.
    pub fn note_origin(&mut self, origin: Option<&str>) {
        let Self::Resumable(named) = self else { return };
        named.is_kept = true;
        // Without it, the next run asks for the rest without a condition, and the digest judges.
        let _ = match origin {
            Some(origin) => fs::write(named.path.with_extension(ORIGIN), origin),
            None => fs::remove_file(named.path.with_extension(ORIGIN)),
        };
    }

    /// Forgets its bytes.
    pub fn clear(&mut self) -> io::Result<()> {
        if let Self::Resumable(named) = self {
            named.is_kept = false;
        }
        self.file().set_len(0)?;
        self.file().seek(SeekFrom::Start(0)).map(drop)
    }

    /// Gives it the name `path`, in place of what has it.
    ///
    /// On failure the file is given back: the folder may have to be made first.
    pub fn rename(self, path: &Path) -> Result<(), (io::Error, Self)> {
        match self {
            Self::Unnamed(file) => match file.persist(path) {
                Ok(_) => Ok(()),
                Err(failed) => Err((failed.error, Self::Unnamed(failed.file))),
            },
            Self::Resumable(mut named) => match fs::rename(&named.path, path) {
                Ok(()) => {
                    named.leave();
                    Ok(())
                }
                Err(error) => Err((error, Self::Resumable(named))),
            },
        }
    }
}

impl ResumableFile {
    /// The file has gone to its final name: only its origin may be left.
    fn leave(&mut self) {
        if self.is_kept {
            let _ = fs::remove_file(self.path.with_extension(ORIGIN));
        }
        self.is_kept = true;
    }
}

impl Drop for ResumableFile {
    fn drop(&mut self) {
        if !self.is_kept {
            remove(&self.path);
        }
    }
}

/// Removes a named file that nobody has, with what is beside it; `false` if somebody has it.
pub(super) fn remove_if_free(path: &Path) -> bool {
    let free = OpenOptions::new().read(true).write(true).open(path).map(|file| (file.try_lock().is_ok(), file));
    let is_free = matches!(free, Ok((true, _)));
    if is_free {
        remove(path);
    }
    is_free
}

fn remove(path: &Path) {
    // What stays is removed by a later sweep.
    let _ = fs::remove_file(path);
    let _ = fs::remove_file(path.with_extension(ORIGIN));
}

fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o666);
    options.open(path)
}

/// Whether `path` still names the file that is open.
fn is_still(file: &File, path: &Path) -> io::Result<bool> {
    let named = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    Ok(is_same(&file.metadata()?, &named))
}
