//! The interfaces between a tree and its archive: the source of objects, and the output.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use crate::domain::{CHUNK_SIZE, Content, Object, RelPath, Sha256};

use super::ArchiveError;
use super::pip_cache_entry::write_pip_cache_entry;

/// The source of a tree's objects; several threads may use it at once.
pub trait ObjectSource: Sync {
    /// Opens an object for reading.
    ///
    /// # Errors
    /// When the object does not exist or cannot be read.
    fn open(&self, sha256: Sha256) -> io::Result<Box<dyn Read + '_>>;

    /// Returns the file that holds exactly this object, if there is one to link to.
    fn path(&self, _sha256: Sha256) -> Option<PathBuf> {
        None
    }

    /// Whether objects are compared with their digests while they are written; a file that fails
    /// gets no final name.
    fn verifies_digests(&self) -> bool {
        false
    }
}

/// The output of an archive that is written from its first byte to its last.
pub trait ArchiveOutput: Write {
    /// Writes the content of `path`; a random-access output may do so later.
    ///
    /// # Errors
    /// As [`copy`].
    fn put(&mut self, path: &RelPath, content: &Content, objects: &dyn ObjectSource) -> Result<(), ArchiveError>;
}

/// Writes the content of `path` to `output`, in chunks of at most [`CHUNK_SIZE`].
///
/// # Errors
/// When an object cannot be read or does not have its size, or `output` fails.
pub fn copy(
    path: &RelPath,
    content: &Content,
    objects: &dyn ObjectSource,
    output: &mut dyn Write,
) -> Result<(), ArchiveError> {
    let fail = |source| ArchiveError::Entry { path: path.clone(), source };
    match content {
        Content::Generated(bytes) => {
            bytes.chunks(CHUNK_SIZE).try_for_each(|chunk| output.write_all(chunk)).map_err(fail)
        }
        Content::Object { sha256, size } => copy_object(path, Object { sha256: *sha256, size: *size }, objects, output),
        Content::PipCacheEntry(pip_entry) => write_pip_cache_entry(path, pip_entry, objects, output),
    }
}

/// Writes the bytes of `object`, and checks their number.
///
/// # Errors
/// As [`copy`].
pub fn copy_object(
    path: &RelPath,
    object: Object,
    objects: &dyn ObjectSource,
    output: &mut dyn Write,
) -> Result<(), ArchiveError> {
    let unreadable = |source| ArchiveError::Object { path: path.clone(), sha256: object.sha256, source };
    let mut input = objects.open(object.sha256).map_err(unreadable)?;
    let mut chunk = vec![0; object.size.saturating_add(1).min(CHUNK_SIZE as u64) as usize];
    let mut got = 0;
    loop {
        let length = match input.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other.map_err(unreadable)?,
        };
        got += length as u64;
        if length == 0 || got > object.size {
            return check_size(path, object, got);
        }
        output.write_all(&chunk[..length]).map_err(|source| ArchiveError::Entry { path: path.clone(), source })?;
    }
}

/// Checks that an object has the size that the tree states.
///
/// # Errors
/// When the size differs.
pub fn check_size(path: &RelPath, object: Object, got: u64) -> Result<(), ArchiveError> {
    if got == object.size { Ok(()) } else { Err(ArchiveError::Size { path: path.clone(), object, got }) }
}
