//! A page as it was received, decompressed only while it is read.
//!
//! The longest pages are five times as long decompressed, and using fresh memory costs more than
//! decompressing.

use std::io::{self, BufRead, Read};

use bytes::{Buf, Bytes};
use flate2::bufread::MultiGzDecoder;

use super::error::HttpError;
use crate::domain::MaskedUrl;

/// The highest compression ratio of deflate (RFC 1951).
const DENSEST: usize = 1032;

/// The bytes of a page, maybe compressed.
#[derive(Debug)]
pub struct PageContent {
    url: MaskedUrl,
    chunks: Vec<Bytes>,
    /// Whether the bytes are compressed by gzip.
    is_compressed: bool,
    /// The size limit of a page in bytes.
    limit: usize,
}

impl PageContent {
    pub(super) fn new(url: MaskedUrl, chunks: Vec<Bytes>, is_compressed: bool, limit: usize) -> Self {
        Self { url, chunks, is_compressed, limit }
    }

    /// Returns the expected decompressed size in bytes.
    ///
    /// The last four bytes of gzip state it (RFC 1952), and may be wrong.
    pub fn expected(&self) -> usize {
        let arrived: usize = self.chunks.iter().map(Bytes::len).sum();
        let announced_size =
            if self.is_compressed { self.announced_size().min(arrived.saturating_mul(DENSEST)) } else { arrived };
        announced_size.min(self.limit)
    }

    fn announced_size(&self) -> usize {
        let mut last = self.chunks.iter().rev().flat_map(|chunk| chunk.iter().rev());
        (0..4).fold(0, |size, _| size << 8 | usize::from(last.next().copied().unwrap_or(0)))
    }

    /// Returns a reader of the decompressed bytes.
    pub fn reader(&self) -> impl Read {
        let chunks = Chunks { chunks: &self.chunks, position: 0 };
        let source = if self.is_compressed {
            ContentSource::Gzip(MultiGzDecoder::new(chunks).into())
        } else {
            ContentSource::Plain(chunks)
        };
        Limited { source, left: self.limit }
    }

    /// Returns all decompressed bytes.
    ///
    /// # Errors
    /// When they cannot be decompressed, or exceed the limit.
    pub fn whole(&self) -> Result<Vec<u8>, HttpError> {
        let mut bytes = Vec::with_capacity(self.expected() + 1);
        self.reader().read_to_end(&mut bytes).map_err(|error| self.fault(&error))?;
        Ok(bytes)
    }

    /// Converts an error of a [`PageContent::reader`].
    pub fn fault(&self, error: &io::Error) -> HttpError {
        if error.kind() == io::ErrorKind::FileTooLarge {
            return HttpError::PageTooLarge { url: self.url.clone(), limit: self.limit };
        }
        let arrived = self.chunks.iter().map(|chunk| chunk.len() as u64).sum();
        HttpError::broken(
            &self.url,
            arrived,
            None,
            &format!("what the server compressed cannot be decompressed ({error})"),
        )
    }
}

/// The source of a page's bytes, decompressed if that is necessary.
enum ContentSource<'a> {
    Plain(Chunks<'a>),
    Gzip(Box<MultiGzDecoder<Chunks<'a>>>),
}

/// A reader that fails beyond a number of bytes.
struct Limited<'a> {
    source: ContentSource<'a>,
    left: usize,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.source {
            ContentSource::Plain(chunks) => chunks.read(buffer),
            ContentSource::Gzip(decoder) => decoder.read(buffer),
        }?;
        self.left = self.left.checked_sub(read).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

/// A reader of one chunk after the other.
struct Chunks<'a> {
    chunks: &'a [Bytes],
    /// The position in the first chunk.
    position: usize,
}

impl Read for Chunks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Chunks<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while let [chunk, rest @ ..] = self.chunks {
            if self.position < chunk.remaining() {
                return Ok(&chunk[self.position..]);
            }
            (self.chunks, self.position) = (rest, 0);
        }
        Ok(&[])
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn content(bytes: &[u8], chunk: usize, is_compressed: bool, limit: usize) -> PageContent {
        let chunks = bytes.chunks(chunk).map(Bytes::copy_from_slice).collect();
        PageContent::new("https://index.example/simple/".parse().unwrap(), chunks, is_compressed, limit)
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn the_same_bytes_come_out_wherever_they_were_cut() {
        let page: Vec<u8> = (0..100_000_u32).map(|number| (number % 251) as u8).collect();
        let two_members = [packed(&page[..70_000]), packed(&page[70_000..])].concat();
        for chunk in [1, 3, 1000, 1 << 20] {
            for (bytes, is_compressed) in [(&page, false), (&packed(&page), true), (&two_members, true)] {
                assert!(
                    content(bytes, chunk, is_compressed, 100_000).whole().unwrap() == page,
                    "{chunk}, {is_compressed}"
                );
            }
        }
        assert_eq!(content(&packed(&page), 3, true, 1 << 20).expected(), 100_000);
        assert_eq!(content(&page, 3, false, 1 << 20).expected(), 100_000);
        assert!(content(&[], 1, false, 9).whole().unwrap().is_empty());
    }

    #[test]
    fn what_unpacks_to_too_much_is_no_page() {
        let bomb = packed(&[0; 100_000]);
        for chunk in [7, 1 << 20] {
            let read = |limit| content(&bomb, chunk, true, limit).whole();
            assert_eq!(read(100_000).unwrap().len(), 100_000);
            assert!(matches!(read(99_999), Err(HttpError::PageTooLarge { limit: 99_999, .. })));
        }
    }

    #[test]
    fn what_cannot_be_unpacked_is_broken() {
        let whole = packed(&[0; 100_000]);
        let mut damaged = whole.clone();
        let sum = damaged.len() - 8;
        damaged[sum] ^= 1;
        for bytes in [&whole[..50], &damaged, &[], &[1; 20]] {
            assert!(
                matches!(content(bytes, 9, true, 1 << 20).whole(), Err(HttpError::Interrupted { .. })),
                "{bytes:?}"
            );
        }
    }
}
