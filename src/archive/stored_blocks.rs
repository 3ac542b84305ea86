//! Writes bytes in stored blocks, the way in which formats of compressed data hold what is not
//! compressed.

use std::io::{self, Write};

use super::ArchiveError;
use super::objects::{ArchiveOutput, ObjectSource, copy};
use crate::domain::{Content, RelPath};

/// A format of stored blocks, with the checksum of the bytes so far.
pub trait BlockFormat {
    /// Returns the size in bytes of every block but the last.
    fn block(&self) -> usize;

    /// Returns the header of a block of `length` bytes.
    fn block_header(&self, length: usize, is_last: bool) -> Vec<u8>;

    /// Adds bytes to the checksum.
    fn update(&mut self, bytes: &[u8]);

    /// Returns what follows the last block.
    fn trailer(&self) -> Vec<u8>;
}

/// The size in bytes of the largest stored block of deflate (RFC 1951, 3.2.4).
pub const DEFLATE_BLOCK: usize = 65_535;

/// Returns the header of a stored block of deflate.
pub fn deflate_block_header(length: usize, is_last: bool) -> Vec<u8> {
    let length = length as u16;
    [&[u8::from(is_last)][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat()
}

/// Writes blocks of full length, of which the last may be shorter.
pub struct BlockWriter<F, W> {
    format: F,
    output: W,
    block: Vec<u8>,
}

impl<F: BlockFormat, W: Write> BlockWriter<F, W> {
    pub fn new(format: F, output: W) -> Self {
        let block = Vec::with_capacity(format.block());
        Self { format, output, block }
    }

    /// Writes the last block and what follows it.
    ///
    /// # Errors
    /// When the output fails.
    pub fn finish(mut self) -> io::Result<()> {
        self.write_block(true)?;
        self.output.write_all(&self.format.trailer())
    }

    fn write_block(&mut self, is_last: bool) -> io::Result<()> {
        self.format.update(&self.block);
        self.output.write_all(&self.format.block_header(self.block.len(), is_last))?;
        self.output.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }
}

impl<F: BlockFormat, W: Write> Write for BlockWriter<F, W> {
    /// Takes all of `bytes`, since the base64 encoder would report a partial write as nothing
    /// written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.block.len() == self.format.block() {
                self.write_block(false)?;
            }
            let (now, later) = rest.split_at(rest.len().min(self.format.block() - self.block.len()));
            self.block.extend_from_slice(now);
            rest = later;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: BlockFormat, W: Write> ArchiveOutput for BlockWriter<F, W> {
    fn put(&mut self, path: &RelPath, content: &Content, objects: &dyn ObjectSource) -> Result<(), ArchiveError> {
        copy(path, content, objects, self)
    }
}
