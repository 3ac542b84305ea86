//! Opens regular files only.
//!
//! A cache may be shared, restored or damaged: a pipe in the place of a file would block its reader
//! for ever, and a link to a device would never end.

use std::fs::{self, DirEntry, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// The size in bytes of the largest file that is read into memory: nothing that is written here
/// comes near it.
const LARGEST: u64 = 512 << 20;

/// Opens the file at `path` for reading, and returns its metadata, too.
///
/// # Errors
/// When it cannot be opened, or is a folder, a pipe, a device or a link.
pub fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.cast_signed());
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    match metadata.is_file() {
        true => Ok((file, metadata)),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")),
    }
}

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
    let (file, metadata) = open_regular(path)?;
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

    #[cfg(unix)]
    #[test]
    fn pipes_devices_links_and_folders_are_no_files() {
        use rustix::fs::{CWD, Mode, mkfifoat};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "bytes").unwrap();
        mkfifoat(CWD, at("pipe"), Mode::RUSR | Mode::WUSR).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("device")).unwrap();
        std::os::unix::fs::symlink("file", at("link")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        for name in ["pipe", "device", "link", "folder", "missing"] {
            assert!(read_regular(&at(name)).is_err(), "{name}");
        }
        assert_eq!(read_regular(&at("file")).unwrap().0, b"bytes");
    }

    #[test]
    fn a_file_larger_than_any_of_ours_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge");
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        assert_eq!(read_regular(&path).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
