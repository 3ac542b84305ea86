//! Opens regular files only, wherever a path comes from somebody else.
//!
//! A folder may be shared, restored, unpacked or damaged: a pipe in the place of a file would block
//! its reader for ever, and a device would never end.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

/// Opens the file at `path` for reading, also through links.
///
/// # Errors
/// When it cannot be opened, or is a folder, a pipe or a device.
pub fn open(path: &Path) -> io::Result<File> {
    open_by(path, true).map(|(file, _)| file)
}

/// Opens the file at `path` for reading unless it is a link, and returns its metadata, too.
///
/// # Errors
/// When it cannot be opened, or is a folder, a pipe, a device or a link.
pub fn open_no_follow(path: &Path) -> io::Result<(File, Metadata)> {
    open_by(path, false)
}

/// Reads the whole file at `path`, also through links.
///
/// # Errors
/// When it cannot be read, or is a folder, a pipe or a device.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let (mut file, metadata) = open_by(path, true)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(metadata.len()).map_err(io::Error::other)?).map_err(io::Error::other)?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn open_by(path: &Path, follows_links: bool) -> io::Result<(File, Metadata)> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let flags = if follows_links { flags } else { flags | OFlags::NOFOLLOW };
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits().cast_signed());
    }
    #[cfg(not(unix))]
    let _ = follows_links;
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    match metadata.is_file() {
        true => Ok((file, metadata)),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn pipes_devices_and_folders_are_no_files_and_links_only_where_they_are_followed() {
        use rustix::fs::{CWD, Mode, mkfifoat};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "bytes").unwrap();
        mkfifoat(CWD, at("pipe"), Mode::RUSR | Mode::WUSR).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("device")).unwrap();
        std::os::unix::fs::symlink("pipe", at("link to the pipe")).unwrap();
        std::os::unix::fs::symlink("file", at("link")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        for name in ["pipe", "device", "link to the pipe", "folder", "missing"] {
            assert!(read(&at(name)).is_err() && open(&at(name)).is_err(), "{name}");
            assert!(open_no_follow(&at(name)).is_err(), "{name}");
        }
        assert_eq!(read(&at("file")).unwrap(), b"bytes");
        assert_eq!(read(&at("link")).unwrap(), b"bytes");
        assert!(open_no_follow(&at("file")).is_ok() && open_no_follow(&at("link")).is_err());
    }
}
