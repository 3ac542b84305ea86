//! The identity of a file (device, inode, size), so that a file that replaced it is not served.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// What distinguishes a regular file from another at the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    size: u64,
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl FileIdentity {
    /// Returns the identity of the file at `path`.
    ///
    /// # Errors
    /// When it cannot be opened, or is no regular file.
    pub fn at(path: &Path) -> io::Result<Self> {
        Self::of(&open_without_waiting(path)?.metadata()?)
    }

    /// Opens the file at `path`, without waiting for a writer.
    ///
    /// # Errors
    /// When it cannot be opened, or is another file.
    pub fn open(self, path: &Path) -> io::Result<File> {
        let file = open_without_waiting(path)?;
        match Self::of(&file.metadata()?)? == self {
            true => Ok(file),
            false => Err(io::Error::other("it is another file than at the start")),
        }
    }

    fn of(metadata: &Metadata) -> io::Result<Self> {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        Ok(Self {
            size: metadata.len(),
            #[cfg(unix)]
            device: metadata.dev(),
            #[cfg(unix)]
            inode: metadata.ino(),
        })
    }
}

/// Opens a file without waiting, as a FIFO would until somebody writes to it.
#[cfg(unix)]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}
