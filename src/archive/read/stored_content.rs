//! Reads the content of a container written by this program in place.
//!
//! Its blocks are stored ones of known lengths, so the position of each byte can be computed, and
//! several threads can read at once.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use crate::archive::stored_blocks::BlockFormat;
use crate::archive::stored_container::{Container, ContentChecksum};
use crate::archive::volume_set::{VolumeSet, VolumeSetReader, resolve_seek};
use crate::domain::read_chunks;

/// The content of a container whose bytes, apart from the checksum, are as this program writes
/// them.
#[derive(Clone, Debug)]
pub struct StoredContent {
    volumes: VolumeSet,
    container: Container,
    /// The size of the content in bytes.
    size: u64,
}

impl StoredContent {
    /// Opens a container; `None` if any byte around the content differs from what this program
    /// writes.
    ///
    /// # Errors
    /// When the container cannot be read.
    pub fn find(volumes: &VolumeSet, container: Container) -> io::Result<Option<Self>> {
        let around = (container.header().len() + container.trailer_length()) as u64;
        let Some(mut left) = volumes.size().checked_sub(around) else { return Ok(None) };
        let mut packed = BufReader::with_capacity(64, volumes.reader());
        let mut head = vec![0; container.header().len()];
        packed.read_exact(&mut head)?;
        if head != container.header() {
            return Ok(None);
        }
        let mut size = 0;
        let mut head = vec![0; container.block_header_length()];
        while let Some(after) = left.checked_sub(head.len() as u64) {
            let length = after.min(container.block() as u64);
            left = after - length;
            packed.read_exact(&mut head)?;
            let is_needed = length > 0 || size == 0;
            if !is_needed || head != container.block_header(length as usize, left == 0) {
                return Ok(None);
            }
            size += length;
            if left == 0 {
                return Ok(Some(Self { volumes: volumes.clone(), container, size }));
            }
            packed.seek_relative(length as i64)?;
        }
        Ok(None)
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns a reader of the content with its own position.
    pub fn reader(&self) -> StoredContentReader {
        StoredContentReader { content: self.clone(), packed: self.volumes.reader(), position: 0 }
    }

    /// Whether the checksum at the end is right; reads the whole content.
    ///
    /// # Errors
    /// When the container cannot be read.
    pub fn has_right_checksum(&self) -> io::Result<bool> {
        let mut check = ContentChecksum::new(self.container);
        read_chunks(&mut self.reader(), |chunk| {
            check.update(chunk);
            io::Result::Ok(())
        })?;
        let mut trailer = vec![0; self.container.trailer_length()];
        let mut packed = self.volumes.reader();
        packed.seek(SeekFrom::Start(self.volumes.size() - trailer.len() as u64))?;
        packed.read_exact(&mut trailer)?;
        Ok(trailer == check.trailer())
    }

    /// Returns the offset in the container of the content's byte at `position`.
    fn location(&self, position: u64) -> u64 {
        let headers = position / self.container.block() as u64 + 1;
        self.container.header().len() as u64 + headers * self.container.block_header_length() as u64 + position
    }
}

/// Reads the content of a container.
pub struct StoredContentReader {
    content: StoredContent,
    packed: VolumeSetReader,
    position: u64,
}

impl Read for StoredContentReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let block = self.content.container.block() as u64;
        let left = self.content.size.saturating_sub(self.position).min(block - self.position % block);
        let length = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if length == 0 {
            return Ok(0);
        }
        self.packed.seek(SeekFrom::Start(self.content.location(self.position)))?;
        let got = self.packed.read(&mut buffer[..length])?;
        self.position += got as u64;
        Ok(got)
    }
}

impl Seek for StoredContentReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = resolve_seek(to, self.position, self.content.size)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::archive::stored_container::begin;

    fn container(kind: Container, bytes: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        let mut stored = begin(kind, &mut packed).unwrap();
        stored.write_all(bytes).unwrap();
        stored.finish().unwrap();
        packed
    }

    fn find(kind: Container, packed: &[u8]) -> (tempfile::TempDir, io::Result<Option<StoredContent>>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("content");
        std::fs::write(&path, packed).unwrap();
        let found = StoredContent::find(&VolumeSet::find(&path).unwrap(), kind);
        (folder, found)
    }

    /// The lengths around the ends of blocks.
    #[test]
    fn every_byte_is_where_arithmetic_says() {
        for kind in [Container::Gzip, Container::Zstd] {
            let block = kind.block();
            for length in [0, 1, block - 1, block, block + 1, 2 * block, 2 * block + 1, 3 * block + 5] {
                let bytes: Vec<u8> = (0..length).map(|number| (number % 251) as u8).collect();
                let (_folder, found) = find(kind, &container(kind, &bytes));
                let content = found.unwrap().unwrap();
                assert!(content.has_right_checksum().unwrap(), "{kind:?} {length}");
                let mut reader = content.reader();
                for start in [0, length / 3, length.saturating_sub(1), length, length + 9] {
                    let mut text = Vec::new();
                    reader.seek(SeekFrom::Start(start as u64)).unwrap();
                    reader.read_to_end(&mut text).unwrap();
                    assert!(text == bytes[start.min(length)..], "{kind:?} {length} from {start}");
                }
            }
        }
    }

    #[test]
    fn what_another_tool_packed_is_not_read_in_place() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        gzip.write_all(&[7; 70_000]).unwrap();
        assert!(find(Container::Gzip, &gzip.finish().unwrap()).1.unwrap().is_none());
        assert!(find(Container::Zstd, &zstd::encode_all(&[7; 70_000][..], 1).unwrap()).1.unwrap().is_none());
        for kind in [Container::Gzip, Container::Zstd] {
            let whole = container(kind, &vec![7; kind.block()]);
            for length in 0..whole.len().min(30) {
                assert!(!matches!(find(kind, &whole[..length]).1, Ok(Some(_))), "{kind:?} cut to {length}");
            }
            let header = kind.header().len();
            let last = kind.block_header(kind.block(), true);
            let mut split = whole.clone();
            split[header..header + last.len()].copy_from_slice(&kind.block_header(kind.block(), false));
            let trailer = split.split_off(whole.len() - kind.trailer_length());
            let split = [split, kind.block_header(0, true), trailer].concat();
            assert!(find(kind, &split).1.unwrap().is_none(), "an empty block more, as we never write");
        }
    }
}
