//! Reads files and folders of the cache, which may be shared, restored or damaged.

use std::fs::{self, DirEntry, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

use crate::regular_file;

/// The size in bytes of the largest file that is read into memory: nothing that is written here
/// comes near it.
const LARGEST: u64 = 512 << 20;

/// Returns the entries of a folder; none if it cannot be listed, or is a link: what a link in a cache leads
/// to is not the cache's to sweep.
pub fn real_entries(folder: &Path) -> impl Iterator<Item = DirEntry> + use<> {
    let is_real = fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir());
    let entries = is_real.then(|| fs::read_dir(folder).ok()).flatten();
    entries.into_iter().flatten().flatten()
}

/// Reads the whole file at `path`, and returns its metadata, too.
///
/// # Errors
/// When it cannot be read, is a folder, a pipe, a device or a link, or has more than 512 MiB.
pub fn read_regular(path: &Path) -> io::Result<(Vec<u8>, Metadata)> {
    let (file, metadata) = regular_file::open_no_follow(path)?;
    if metadata.len() > LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let room = usize::try_from(metadata.len()).map_err(io::Error::other)?.saturating_add(1);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(room).map_err(io::Error::other)?;
    // It may grow meanwhile.
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok((bytes, metadata))
}

/// Whether both are the metadata of the same file.
#[cfg(unix)]
pub fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
pub fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    one.len() == other.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_larger_than_any_of_ours_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge");
        fs::File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        assert_eq!(read_regular(&path).map(drop).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
