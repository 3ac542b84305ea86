//! Opens files that one process at a time has locked, and that may be renamed or removed by it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use super::regular::is_same_file;

/// The outcome of [`open_locked`].
pub enum LockOutcome {
    Ours(File),
    /// Another process, or another part of this one, holds the lock.
    Theirs(File),
    /// Locks do not work here.
    Unlockable(File),
}

/// How often opening is tried again, as the last owner may rename or remove the file between its
/// opening and its locking.
const MAX_ATTEMPTS: usize = 8;

/// Opens and locks the file at `path`, which is created if necessary.
///
/// # Errors
/// When it cannot be opened; a link in its place is refused.
pub fn open_locked(path: &Path) -> io::Result<LockOutcome> {
    let mut file = open_or_create(path)?;
    for _ in 0..MAX_ATTEMPTS {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(_)) => return Ok(LockOutcome::Unlockable(file)),
            Ok(()) if is_still(&file, path)? => return Ok(LockOutcome::Ours(file)),
            Ok(()) => file = open_or_create(path)?,
        }
    }
    Ok(LockOutcome::Theirs(file))
}

fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o666).custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed());
    }
    options.open(path)
}

/// Whether `path` still names the opened file.
fn is_still(file: &File, path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        named => Ok(is_same_file(&file.metadata()?, &named?)),
    }
}
