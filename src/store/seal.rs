//! The seal of an object: a modification time that shows that its bytes were checked.
//!
//! Below the second it is a check sum of what the object is: digest, size, inode and second.
//! Whoever writes to the object breaks the seal without knowing of it, and so does whoever copies
//! or replaces it. So one look at the file tells whether its bytes are those that were checked, and
//! only what has no seal is hashed again. A file system that keeps no time below the second has no
//! seals: there every object is hashed before each use.

use std::fs::{File, Metadata};
use std::io;
use std::time::{Duration, UNIX_EPOCH};

use crate::domain::Sha256;

/// The finest resolution of time that every common file system has, in nanoseconds (that of NTFS).
const STEP: u32 = 100;

/// The number of seals within a second; none is zero, which means that there is no seal.
const SEALS: u32 = 1_000_000_000 / STEP - 1;

/// Whether the file with this `metadata` was found to be the object `sha256`, and has not been
/// written to since.
pub(super) fn is_sealed(metadata: &Metadata, sha256: Sha256) -> bool {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    modified.is_some_and(|modified| modified == sealed_time(metadata, modified.as_secs(), sha256))
}

/// Seals `file`, whose bytes were found to be the object `sha256`.
///
/// # Errors
/// When the system does not allow to set the time; the file is then hashed again the next time.
pub(super) fn seal(file: &File, sha256: Sha256) -> io::Result<()> {
    let metadata = file.metadata()?;
    let seconds = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    file.set_modified(UNIX_EPOCH + sealed_time(&metadata, seconds, sha256))
}

fn sealed_time(metadata: &Metadata, seconds: u64, sha256: Sha256) -> Duration {
    let mut sum = crc32fast::Hasher::new();
    sum.update(sha256.as_ref());
    for number in [metadata.len(), inode(metadata), seconds] {
        sum.update(&number.to_le_bytes());
    }
    Duration::new(seconds, (sum.finalize() % SEALS + 1) * STEP)
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

/// Returns 0, since Windows has no number that is as cheap to ask for.
#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    #[test]
    fn every_write_and_every_copy_breaks_the_seal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("object");
        let sha256 = Sha256::of(b"bytes");
        fs::write(&path, b"bytes").unwrap();
        let sealed = || is_sealed(&fs::metadata(&path).unwrap(), sha256);
        let open = || File::options().write(true).open(&path).unwrap();
        assert!(!sealed());
        seal(&open(), sha256).unwrap();
        assert!(sealed() && !is_sealed(&fs::metadata(&path).unwrap(), Sha256::of(b"other")));
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        open().write_all(b"other").unwrap();
        assert!(!sealed(), "the same size and inode, another time");
        open().set_modified(time).unwrap();
        assert!(sealed(), "the time is all that is looked at");
        fs::write(folder.path().join("copy"), b"other").unwrap();
        fs::rename(folder.path().join("copy"), &path).unwrap();
        open().set_modified(time).unwrap();
        assert_eq!(sealed(), cfg!(not(unix)), "the same size and time, another inode");
    }
}
