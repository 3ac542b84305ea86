//! An entry of pip's HTTP cache: an object as base64 inside a zlib stream.

use super::Object;

/// A file that begins with `mark`; the rest is one zlib stream (RFC 1950) whose text is `head`,
/// the object in base64, and `tail`.
///
/// The stream's blocks are stored ones, of [`PipCacheEntry::BLOCK`] bytes but for the last, so that
/// its length follows from the lengths of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipCacheEntry {
    pub mark: &'static [u8],
    pub head: Vec<u8>,
    pub object: Object,
    pub tail: Vec<u8>,
}

impl PipCacheEntry {
    /// Bytes in a stored block: as many as there can be (RFC 1951, 3.2.4).
    pub const BLOCK: u64 = 65_535;

    /// Bytes of the text inside the stream.
    pub fn text_size(&self) -> u64 {
        self.head.len() as u64 + self.object.size.div_ceil(3) * 4 + self.tail.len() as u64
    }

    /// Bytes of the whole file: each block has five more, the stream two before and four behind.
    pub fn size(&self) -> u64 {
        let text = self.text_size();
        self.mark.len() as u64 + 2 + text.div_ceil(Self::BLOCK) * 5 + text + 4
    }
}
