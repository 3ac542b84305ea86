//! Writes a [`PipCacheEntry`]: a document with a base64 body, in a zlib stream of stored blocks.

use std::io::Write;

use base64::prelude::BASE64_STANDARD;
use base64::write::EncoderWriter;
use simd_adler32::Adler32;

use crate::domain::{PipCacheEntry, RelPath};

use super::ArchiveError;
use super::objects::{ObjectSource, copy_object};
use super::stored_blocks::{BlockFormat, BlockWriter, deflate_block_header};

/// The header of a zlib stream (RFC 1950): deflate with the largest window, lowest compression
/// level.
const ZLIB: [u8; 2] = [0x78, 0x01];

/// Writes the file that `pip_entry` describes.
///
/// # Errors
/// When the object cannot be read, or the output not written.
pub fn write_pip_cache_entry(
    path: &RelPath,
    pip_entry: &PipCacheEntry,
    objects: &dyn ObjectSource,
    output: &mut dyn Write,
) -> Result<(), ArchiveError> {
    let fail = |source| ArchiveError::Entry { path: path.clone(), source };
    output.write_all(pip_entry.mark).and_then(|()| output.write_all(&ZLIB)).map_err(fail)?;
    let mut stream = BlockWriter::new(ZlibStream(Adler32::new()), output);
    stream.write_all(&pip_entry.head).map_err(fail)?;
    let mut encoder = EncoderWriter::new(&mut stream, &BASE64_STANDARD);
    copy_object(path, pip_entry.object, objects, &mut encoder)?;
    encoder.finish().map_err(fail)?;
    drop(encoder);
    stream.write_all(&pip_entry.tail).and_then(|()| stream.finish()).map_err(fail)
}

/// A zlib stream of stored blocks (RFC 1950), with the checksum at its end.
struct ZlibStream(Adler32);

impl BlockFormat for ZlibStream {
    fn block(&self) -> usize {
        PipCacheEntry::BLOCK as usize
    }

    fn block_header(&self, length: usize, is_last: bool) -> Vec<u8> {
        deflate_block_header(length, is_last)
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn trailer(&self) -> Vec<u8> {
        self.0.finish().to_be_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use crate::domain::Content;

    use super::*;
    use crate::archive::tests::{Memory, path};

    fn written(bytes: &[u8]) -> (PipCacheEntry, Vec<u8>) {
        let mut objects = Memory { step: 1000, ..Memory::default() };
        let Content::Object { sha256, size } = objects.add(bytes) else { unreachable!() };
        let object = crate::domain::Object { sha256, size };
        let pip_entry =
            PipCacheEntry { mark: b"cc=2,", head: b"{\"body\": \"".to_vec(), object, tail: b"\"}".to_vec() };
        let mut file = Vec::new();
        write_pip_cache_entry(&path("entry"), &pip_entry, &objects, &mut file).unwrap();
        (pip_entry, file)
    }

    /// The sizes around the ends of blocks; read back by an independent decoder.
    #[test]
    fn a_decoder_finds_the_text() {
        for length in [0, 1, 2, 3, 100, 49_141, 49_142, 49_143, 98_292, 200_000] {
            let bytes: Vec<u8> = (0..length).map(|number| (number % 251) as u8).collect();
            let (pip_entry, file) = written(&bytes);
            assert_eq!(file.len() as u64, pip_entry.size(), "{length}");
            let mut text = String::new();
            flate2::read::ZlibDecoder::new(file.strip_prefix(b"cc=2,").unwrap()).read_to_string(&mut text).unwrap();
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            use base64::Engine as _;
            assert_eq!(BASE64_STANDARD.decode(json["body"].as_str().unwrap()).unwrap(), bytes, "{length}");
        }
    }
}
