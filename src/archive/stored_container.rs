//! Writes gzip (RFC 1952) and zstd (RFC 8878) containers around uncompressed content: stored blocks
//! of fixed length, and the checksum at the end.
//!
//! Distributions are compressed already, so compression would gain next to nothing. Without it the
//! bytes of a bundle depend on no version of a compressor, and a reader can tell whether a
//! container is as this program writes it: no bit of it is without a meaning.

use std::hash::Hasher as _;
use std::io::{self, Write};

use crc32fast::Hasher as Crc;
use twox_hash::XxHash64;

use super::stored_blocks::{BlockFormat, BlockWriter, DEFLATE_BLOCK, deflate_block_header};

/// A container format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    Gzip,
    Zstd,
}

impl Container {
    /// Returns the first bytes of every container of this format.
    ///
    /// gzip: deflate, no name, no time, level 0, and an unknown system. zstd: a checksum at the
    /// end, no content size, and a window of [`Container::block`] bytes.
    pub fn header(self) -> &'static [u8] {
        match self {
            Self::Gzip => &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255],
            Self::Zstd => &[0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x38],
        }
    }

    /// Returns the size in bytes of every block but the last.
    pub fn block(self) -> usize {
        match self {
            Self::Gzip => DEFLATE_BLOCK,
            Self::Zstd => 128 << 10,
        }
    }

    /// Returns the size in bytes of a block's header.
    pub fn block_header_length(self) -> usize {
        match self {
            Self::Gzip => 5,
            Self::Zstd => 3,
        }
    }

    /// Returns the header of a block of `length` bytes.
    pub fn block_header(self, length: usize, is_last: bool) -> Vec<u8> {
        match self {
            Self::Gzip => deflate_block_header(length, is_last),
            Self::Zstd => ((length as u32) << 3 | u32::from(is_last)).to_le_bytes()[..3].to_vec(),
        }
    }

    /// Returns the size in bytes of what follows the last block.
    pub fn trailer_length(self) -> usize {
        match self {
            Self::Gzip => 8,
            Self::Zstd => 4,
        }
    }
}

/// The checksum of the content, at the end of a container.
pub enum ContentChecksum {
    /// The CRC-32, and the number of bytes modulo 2³².
    Gzip(Crc, u32),
    Zstd(XxHash64),
}

impl ContentChecksum {
    pub fn new(container: Container) -> Self {
        match container {
            Container::Gzip => Self::Gzip(Crc::new(), 0),
            Container::Zstd => Self::Zstd(XxHash64::with_seed(0)),
        }
    }

    fn container(&self) -> Container {
        match self {
            Self::Gzip(..) => Container::Gzip,
            Self::Zstd(_) => Container::Zstd,
        }
    }
}

impl BlockFormat for ContentChecksum {
    fn block(&self) -> usize {
        self.container().block()
    }

    fn block_header(&self, length: usize, is_last: bool) -> Vec<u8> {
        self.container().block_header(length, is_last)
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Gzip(crc, length) => {
                crc.update(bytes);
                *length = length.wrapping_add(bytes.len() as u32);
            }
            Self::Zstd(hash) => hash.write(bytes),
        }
    }

    fn trailer(&self) -> Vec<u8> {
        match self {
            Self::Gzip(crc, length) => [crc.clone().finalize().to_le_bytes(), length.to_le_bytes()].concat(),
            Self::Zstd(hash) => (hash.finish() as u32).to_le_bytes().to_vec(),
        }
    }
}

/// Writes the header of a container; returns the writer of its content.
///
/// # Errors
/// When `output` fails.
pub fn begin<W: Write>(container: Container, mut output: W) -> io::Result<BlockWriter<ContentChecksum, W>> {
    output.write_all(container.header())?;
    Ok(BlockWriter::new(ContentChecksum::new(container), output))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn packed(container: Container, bytes: &[u8], step: usize) -> Vec<u8> {
        let mut output = Vec::new();
        let mut stored = begin(container, &mut output).unwrap();
        bytes.chunks(step).for_each(|chunk| stored.write_all(chunk).unwrap());
        stored.finish().unwrap();
        output
    }

    /// The lengths around the ends of blocks; read back by independent decoders.
    #[test]
    fn a_decoder_finds_what_was_stored() {
        for length in [0, 1, 65_534, 65_535, 65_536, 131_070, 131_071, 131_072, 131_073, 400_000] {
            let bytes: Vec<u8> = (0..length).map(|number: u32| (number % 251) as u8).collect();
            let mut text = Vec::new();
            let gzip = packed(Container::Gzip, &bytes, 1000);
            flate2::read::GzDecoder::new(&*gzip).read_to_end(&mut text).unwrap();
            assert!(text == bytes && gzip == packed(Container::Gzip, &bytes, 1 << 20), "{length}");
            let zstd = packed(Container::Zstd, &bytes, 1000);
            assert!(zstd::decode_all(&*zstd).unwrap() == bytes, "{length}");
            assert!(zstd == packed(Container::Zstd, &bytes, 1 << 20), "{length}");
        }
    }
}
