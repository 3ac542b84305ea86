//! Files on their way to a final name, in the folder where they will have it.
//!
//! A run that is killed leaves such files behind. Their locks end with it, so the next run that
//! writes into the folder knows that nobody is at work on them, and removes them. Where locks do
//! not work they stay.

use std::fs::{self, DirEntry, File, TryLockError};
use std::io;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

const PREFIX: &str = ".prefetch-";
const SUFFIX: &str = ".partial";

/// Another run may sweep a file away between its making and its lock; so often nobody does.
const MOST_ATTEMPTS: usize = 8;

/// A file in `folder` to read and to write, under a name nobody has, which is removed unless it
/// arrives. Unlike `tempfile`'s own it has the permissions of any new file.
pub fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let make = |name: &Path| File::options().read(true).write(true).create_new(true).open(name);
    for _ in 0..MOST_ATTEMPTS {
        let file = Builder::new().prefix(PREFIX).suffix(SUFFIX).make_in(folder, make)?;
        let is_swept = matches!(file.as_file().try_lock(), Err(TryLockError::WouldBlock)) || !file.path().exists();
        if !is_swept {
            return Ok(file);
        }
    }
    Err(io::Error::other("somebody removes every new file"))
}

/// Another name of the file `held` in `folder`, which is removed unless it arrives. It is locked by
/// nobody, and takes no space: what is left of it is not swept.
pub fn temporary_link(folder: &Path, held: &Path) -> io::Result<NamedTempFile<()>> {
    Builder::new().prefix(PREFIX).make_in(folder, |name| fs::hard_link(held, name))
}

/// Removes from `folder` what killed runs left there of files on their way.
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(is_temporary) {
        let abandoned = File::open(entry.path()).ok().filter(|file| file.try_lock().is_ok());
        if let Some(_lock) = abandoned {
            // Whoever may not remove it is not kept from writing.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_temporary(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let is_named_so = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
    is_named_so && entry.file_type().is_ok_and(|kind| kind.is_file())
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
        let link = temporary_link(folder.path(), &path("a.whl")).unwrap();
        sweep(folder.path());
        sweep(&path("absent"));
        assert!(!path(".prefetch-killed.partial").exists());
        for name in [".prefetch-mine", "other.partial", "a.whl", ".prefetch-folder.partial"] {
            assert!(path(name).exists(), "{name}");
        }
        at_work.persist(path("b.whl")).unwrap();
        link.persist(path("c.whl")).unwrap();
    }
}
