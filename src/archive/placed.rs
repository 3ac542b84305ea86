//! Archives whose parts can be written in any order: what lies between the objects is written as
//! it comes, objects get their places, and threads fill these.

use std::fs::File;
use std::io::{self, Write};

use crate::domain::{Content, RelPath};

use super::ArchiveError;
use super::objects::{Objects, Output, PIECE};
use super::workers::{self, Job, Wanted};

/// What several threads can write to at once, each at its own place.
pub trait Place: Sync {
    /// Writes all of `bytes` from `offset` on, which may be beyond what was written so far.
    ///
    /// # Errors
    /// When it does not take them.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
}

impl Place for File {
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

/// An archive that is being written to a [`Place`].
pub struct Placed<'a> {
    place: &'a dyn Place,
    /// What is not written yet, of what comes before the end.
    pending: Vec<u8>,
    /// Where that begins.
    start: u64,
    /// What has its place and is not there yet.
    jobs: Vec<Job>,
}

impl<'a> Placed<'a> {
    pub fn new(place: &'a dyn Place) -> Self {
        Self { place, pending: Vec::new(), start: 0, jobs: Vec::new() }
    }

    /// Bytes from the beginning to where the next ones go.
    pub fn position(&self) -> u64 {
        self.start + self.pending.len() as u64
    }

    /// Leaves room for `size` bytes.
    ///
    /// # Errors
    /// When what was pending cannot be written.
    pub fn skip(&mut self, size: u64) -> io::Result<()> {
        self.flush()?;
        self.start += size;
        Ok(())
    }

    /// Writes `bytes` from `offset` on, where room was left.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.place.write_all_at(bytes, offset)
    }

    /// Writes everything that was put off; with `crc32s`, returns the CRC-32 of each, in order.
    ///
    /// # Errors
    /// As [`workers::run`].
    pub fn fill(&mut self, objects: &dyn Objects, crc32s: bool) -> Result<Vec<u32>, ArchiveError> {
        self.flush().map_err(ArchiveError::Finish)?;
        let wanted = Wanted { place: Some(self.place), crc32s };
        workers::run(&std::mem::take(&mut self.jobs), objects, wanted)
    }
}

impl Write for Placed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.len() + bytes.len() > PIECE {
            self.flush()?;
        }
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.place.write_all_at(&self.pending, self.start)?;
        self.start += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }
}

impl Output for Placed<'_> {
    fn put(&mut self, path: &RelPath, content: &Content, _: &dyn Objects) -> Result<(), ArchiveError> {
        let fail = |source| ArchiveError::Entry { path: path.clone(), source };
        match content {
            Content::Page(bytes) => self.write_all(bytes).map_err(fail),
            content => {
                self.flush().map_err(fail)?;
                self.jobs.push(Job { path: path.clone(), content: content.clone(), offset: self.start });
                self.start += content.size();
                Ok(())
            }
        }
    }
}
