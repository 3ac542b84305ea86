//! Files in `incoming/` that get their final name by a rename, or are removed.
//!
//! Bytes with an expected digest go to a file that is named by the digest and outlives the process,
//! so that the next run resumes after a killed one. Its lock shows that a process is writing it.
//! Where locks do not work, and without an expected digest, the file has no name that others know.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::cache_folder::{LockOutcome, open_locked, read_regular, remove_anything};
use crate::domain::read_chunks;

/// A file that is written, and then renamed or dropped.
pub(super) enum AtomicFile {
    Unnamed(NamedTempFile),
    Resumable(ResumableFile),
}

/// A locked file, named by the expected digest, that a later run can resume.
pub(super) struct ResumableFile {
    file: File,
    path: PathBuf,
    /// Whether the file stays when this is dropped, since its bytes are worth keeping.
    is_kept: bool,
}

/// The outcome of opening a resumable file.
pub(super) enum OpenOutcome {
    Ours(ResumableFile),
    /// Another process has locked the file, which has this many bytes by now.
    Theirs(u64),
    /// Locks do not work here, or the file cannot be opened.
    Unlockable,
}

/// The extension of the file beside a partial one that records its origin.
pub(super) const ORIGIN: &str = "origin";

impl ResumableFile {
    /// Opens and locks the file at `path`, which is created if necessary.
    pub fn open(path: &Path) -> io::Result<OpenOutcome> {
        Ok(match open_locked(path)? {
            LockOutcome::Ours(file) => {
                let is_kept = file.metadata()?.len() > 0;
                OpenOutcome::Ours(Self { file, path: path.to_owned(), is_kept })
            }
            LockOutcome::Theirs(file) => OpenOutcome::Theirs(file.metadata()?.len()),
            LockOutcome::Unlockable(_) => OpenOutcome::Unlockable,
        })
    }

    /// Passes the existing bytes to `take`, and continues after them.
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

    /// Removes the file, since its bytes are in the store already.
    pub fn discard(mut self) {
        self.is_kept = false;
    }

    /// Returns the origin that [`AtomicFile::note_origin`] wrote.
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

    /// Opens the file once more, to read it while it is written.
    pub fn reopen(&self) -> io::Result<File> {
        match self {
            Self::Unnamed(file) => file.reopen(),
            Self::Resumable(named) => File::open(&named.path),
        }
    }

    /// Lets the bytes outlive the process, if the file has a name; `origin` says which version of
    /// which URL they are of.
    pub fn note_origin(&mut self, origin: Option<&str>) {
        let Self::Resumable(named) = self else { return };
        named.is_kept = true;
        // Without it, the next run asks for the rest without a condition, and the digest judges.
        let _ = match origin {
            Some(origin) => replace(&named.path.with_extension(ORIGIN), origin.as_bytes()),
            None => fs::remove_file(named.path.with_extension(ORIGIN)),
        };
    }

    /// Discards all bytes.
    pub fn clear(&mut self) -> io::Result<()> {
        if let Self::Resumable(named) = self {
            named.is_kept = false;
        }
        self.file().set_len(0)?;
        self.file().seek(SeekFrom::Start(0)).map(drop)
    }

    /// Renames the file to `path`, replacing whatever is there.
    ///
    /// # Errors
    /// When it cannot be renamed; the file is returned, since the folder may have to be created
    /// first.
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
    /// Leaves the file, which was renamed to its final name, and removes its origin.
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

/// Removes a named file that no process has locked, and its origin; returns `false` if a process
/// has it.
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

/// Writes a new file in the place of what is at `path`, which may be a link to something else.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    remove_anything(path)?;
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
}
