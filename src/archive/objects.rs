//! Reading what a tree refers to.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::domain::{Content, Object, RelPath, Sha256};

use super::ArchiveError;
use super::envelope::write_envelope;

/// What a sink needs of whoever holds the objects.
pub trait Objects {
    /// The bytes of an object.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    fn open(&self, sha256: Sha256) -> io::Result<Box<dyn Read + '_>>;

    /// The file that holds exactly this object, where there is one to link to or copy from.
    fn path(&self, _sha256: Sha256) -> Option<PathBuf> {
        None
    }

    /// Who else reads the objects meanwhile and tells their checksums; without one, a sink that
    /// needs them computes them as the bytes pass.
    fn checksums(&self) -> Option<&dyn Checksums> {
        None
    }

    /// Waits until the objects are known to be what their digests say. Sinks ask before anything
    /// gets its final name.
    ///
    /// # Errors
    /// The first that is not.
    fn settle(&self) -> Result<(), ArchiveError> {
        Ok(())
    }
}

/// Checksums of objects that are being written.
pub trait Checksums {
    /// The CRC-32 of an object; this may wait for it.
    ///
    /// # Errors
    /// When the object is not what it should be, or the run ends.
    fn crc32(&self, sha256: Sha256) -> Result<u32, ArchiveError>;
}

/// What files can be written to.
pub trait Sink: Write {
    /// Writes the rest of `file` and returns how many bytes that were. Where both ends are files,
    /// the system copies by itself, or shares the bytes (`copy_file_range`).
    ///
    /// # Errors
    /// When one of the two fails.
    fn write_file(&mut self, file: &mut File) -> io::Result<u64> {
        let mut piece = vec![0; PIECE];
        let mut written = 0;
        loop {
            match file.read(&mut piece)? {
                0 => return Ok(written),
                length => {
                    self.write_all(&piece[..length])?;
                    written += length as u64;
                }
            }
        }
    }
}

/// Bytes that are passed on at once; the last piece of an entry alone is shorter.
pub const PIECE: usize = 128 * 1024;

/// Writes what `path` holds to `output`, in pieces of [`PIECE`].
pub fn copy(
    path: &RelPath,
    content: &Content,
    objects: &dyn Objects,
    output: &mut dyn Sink,
) -> Result<(), ArchiveError> {
    let fail = |source| ArchiveError::Entry { path: path.clone(), source };
    match content {
        Content::Page(bytes) => bytes.chunks(PIECE).try_for_each(|piece| output.write_all(piece)).map_err(fail),
        Content::Object { sha256, size } => {
            let object = Object { sha256: *sha256, size: *size };
            match objects.path(*sha256) {
                Some(held) => copy_file(path, object, &held, output),
                None => copy_object(path, object, objects, output),
            }
        }
        Content::Envelope(envelope) => write_envelope(path, envelope, objects, output),
    }
}

fn copy_file(path: &RelPath, object: Object, held: &Path, output: &mut dyn Sink) -> Result<(), ArchiveError> {
    let unreadable = |source| ArchiveError::Object { path: path.clone(), sha256: object.sha256, source };
    let mut file = File::open(held).map_err(unreadable)?;
    check_size(path, object, file.metadata().map_err(unreadable)?.len())?;
    let written = output.write_file(&mut file);
    check_size(path, object, written.map_err(|source| ArchiveError::Entry { path: path.clone(), source })?)
}

/// Writes the bytes of `object`, which must be as many as it says.
pub fn copy_object(
    path: &RelPath,
    object: Object,
    objects: &dyn Objects,
    output: &mut dyn Write,
) -> Result<(), ArchiveError> {
    let unreadable = |source| ArchiveError::Object { path: path.clone(), sha256: object.sha256, source };
    let mut input = objects.open(object.sha256).map_err(unreadable)?;
    let mut piece = Vec::with_capacity(PIECE);
    let mut got = 0;
    loop {
        piece.clear();
        input.by_ref().take(PIECE as u64).read_to_end(&mut piece).map_err(unreadable)?;
        got += piece.len() as u64;
        if piece.is_empty() || got > object.size {
            return check_size(path, object, got);
        }
        output.write_all(&piece).map_err(|source| ArchiveError::Entry { path: path.clone(), source })?;
    }
}

/// Whether the store has as many bytes for `path` as the tree says.
pub fn check_size(path: &RelPath, object: Object, got: u64) -> Result<(), ArchiveError> {
    if got == object.size { Ok(()) } else { Err(ArchiveError::Size { path: path.clone(), object, got }) }
}
