//! Writes archives whose parts may be written in any order: headers at once, while threads fill in
//! the objects.

use std::fs::File;
use std::io::{self, Write};

use crate::domain::{CHUNK_SIZE, Content, RelPath};

use super::ArchiveError;
use super::objects::{ArchiveOutput, ObjectSource};
use super::parallel_read::{self, EntryRead, ReadOptions};

/// An output that several threads can write to at once, each at its own offset.
pub trait WriteAt: Sync {
    /// Writes all of `bytes` at `offset`, which may be beyond what was written so far.
    ///
    /// # Errors
    /// When the output fails.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
}

impl WriteAt for File {
    #[cfg(unix)]
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self, bytes, offset)
    }

    #[cfg(windows)]
    fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match std::os::windows::fs::FileExt::seek_write(self, bytes, offset)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                length => (bytes, offset) = (&bytes[length..], offset + length as u64),
            }
        }
        Ok(())
    }
}

/// An archive that is being written to a [`WriteAt`].
pub struct RandomAccessWriter<'a> {
    destination: &'a dyn WriteAt,
    /// The bytes before the current position that are not written yet.
    pending: Vec<u8>,
    /// The offset of the first pending byte.
    start: u64,
    /// The objects whose space is reserved and whose bytes are not written yet.
    jobs: Vec<EntryRead>,
}

impl<'a> RandomAccessWriter<'a> {
    pub fn new(destination: &'a dyn WriteAt) -> Self {
        Self { destination, pending: Vec::new(), start: 0, jobs: Vec::new() }
    }

    /// Returns the offset at which the next bytes will be written.
    pub fn position(&self) -> u64 {
        self.start + self.pending.len() as u64
    }

    /// Reserves `size` bytes.
    ///
    /// # Errors
    /// When pending bytes cannot be written.
    pub fn skip(&mut self, size: u64) -> io::Result<()> {
        self.flush()?;
        self.start += size;
        Ok(())
    }

    /// Writes `bytes` at `offset`, where space was reserved.
    ///
    /// # Errors
    /// When the output fails.
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.destination.write_all_at(bytes, offset)
    }

    /// Writes all postponed objects; with `crc32s`, returns the CRC-32 of each, in order.
    ///
    /// # Errors
    /// As [`run`](super::parallel_read::run).
    pub fn fill(&mut self, objects: &dyn ObjectSource, crc32s: bool) -> Result<Vec<u32>, ArchiveError> {
        self.flush().map_err(ArchiveError::Finish)?;
        let options = ReadOptions { destination: Some(self.destination), crc32s };
        parallel_read::run(&std::mem::take(&mut self.jobs), objects, options)
    }
}

impl Write for RandomAccessWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.len() + bytes.len() > CHUNK_SIZE {
            self.flush()?;
        }
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.destination.write_all_at(&self.pending, self.start)?;
        self.start += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }
}

impl ArchiveOutput for RandomAccessWriter<'_> {
    fn put(&mut self, path: &RelPath, content: &Content, _: &dyn ObjectSource) -> Result<(), ArchiveError> {
        let fail = |source| ArchiveError::Entry { path: path.clone(), source };
        match content {
            Content::Generated(bytes) => self.write_all(bytes).map_err(fail),
            content => {
                self.flush().map_err(fail)?;
                self.jobs.push(EntryRead { path: path.clone(), content: content.clone(), offset: self.start });
                self.start += content.size();
                Ok(())
            }
        }
    }
}
