//! An entry of pip's HTTP cache up to 23.2: an object as base64 inside a zlib stream.

use super::Object;

/// A file that begins with `mark`, followed by a zlib stream (RFC 1950) of `head`, the object in
/// base64, and `tail`.
///
/// The stream has stored blocks of [`PipCacheEntry::BLOCK`] bytes, except the last one, so its
/// length follows from the lengths of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipCacheEntry {
    pub mark: &'static [u8],
    pub head: Vec<u8>,
    pub object: Object,
    pub tail: Vec<u8>,
}

impl PipCacheEntry {
    /// The size of a stored block in bytes, the largest possible (RFC 1951, 3.2.4).
    pub const BLOCK: u64 = 65_535;

    /// Returns the size of the text inside the stream in bytes.
    pub fn text_size(&self) -> u64 {
        self.head.len() as u64 + self.object.size.div_ceil(3) * 4 + self.tail.len() as u64
    }

    /// Returns the size of the whole file in bytes: each block has five more, the stream two before
    /// and four after.
    pub fn size(&self) -> u64 {
        let text = self.text_size();
        self.mark.len() as u64 + 2 + text.div_ceil(Self::BLOCK) * 5 + text + 4
    }
}
