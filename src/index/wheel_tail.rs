//! Reads the metadata of a wheel on a server from the end of the file, where a zip archive has its
//! directory and most wheels have their metadata.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::core_metadata::MetadataFile;
use super::wheel_metadata::{self, WheelError};
use crate::domain::{MaskedUrl, WheelFilename};
use crate::http::{ByteRange, HttpClient, HttpError};

/// The size of the first request in bytes, enough for the directory and metadata of most wheels.
const TAIL: u64 = 32 << 10;

/// The number of ranges after which a wheel is fetched whole instead.
const MOST_PIECES: usize = 6;

/// The size limit of a wheel's directory in bytes; a wheel with a larger one is fetched whole.
///
/// A directory of 15,000 files has 2 MB.
const LARGEST_DIRECTORY: u64 = 16 << 20;

/// Reads the metadata of the wheel at `url`; `None` if the server does not support ranges, or the
/// wheel should be fetched whole.
///
/// # Errors
/// When a request fails; the inner error when the wheel is invalid.
pub async fn wheel_tail(
    client: &HttpClient,
    url: &MaskedUrl,
    filename: &WheelFilename,
) -> Result<Option<Result<MetadataFile, WheelError>>, HttpError> {
    let Some(tail) = client.tail(url, TAIL).await? else { return Ok(None) };
    let mut pieces = Pieces::new(tail);
    while pieces.all.len() <= MOST_PIECES {
        let outcome = wheel_metadata::read(&mut pieces, filename);
        let Some(start) = pieces.missing.take() else { return Ok(Some(outcome)) };
        match client.range(url, pieces.next(start)).await? {
            Some(piece) => pieces.add(piece),
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// A file of which some ranges were fetched; reading a missing byte fails, and notes where.
struct Pieces {
    /// The size of the whole file in bytes.
    size: u64,
    position: u64,
    /// The fetched ranges, sorted by their starts.
    all: Vec<ByteRange>,
    missing: Option<u64>,
}

impl Pieces {
    fn new(first: ByteRange) -> Self {
        Self { size: first.total, position: 0, all: vec![first], missing: None }
    }

    fn add(&mut self, piece: ByteRange) {
        self.all.push(piece);
        self.all.sort_by_key(|piece| piece.start);
        self.position = 0;
    }

    /// Returns the range to fetch if the byte at `start` is missing: the rest of the directory,
    /// since that is read from start to end, or a small piece of anything else.
    fn next(&self, start: u64) -> Range<u64> {
        let is_directory = self.directory() == Some(start);
        let most = if is_directory { LARGEST_DIRECTORY } else { TAIL };
        start..self.start_after(start).min(start + most)
    }

    /// Returns the start of the directory, as the record at the end of a zip archive states it.
    fn directory(&self) -> Option<u64> {
        let tail = &self.all.last()?.bytes;
        let record = tail.windows(4).rposition(|window| window == b"PK\x05\x06")?;
        let offset = tail.get(record + 16..record + 20)?;
        Some(u32::from_le_bytes(offset.try_into().ok()?).into())
    }

    /// Returns the start of the first fetched range after `position`.
    fn start_after(&self, position: u64) -> u64 {
        self.all.iter().map(|piece| piece.start).find(|start| *start > position).unwrap_or(self.size)
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.size {
            return Ok(0);
        }
        let has = |piece: &&ByteRange| (piece.start..piece.start + piece.bytes.len() as u64).contains(&self.position);
        let Some(piece) = self.all.iter().find(has) else {
            self.missing = Some(self.position);
            return Err(io::Error::other("this part of the file was not fetched yet"));
        };
        let rest = &piece.bytes[(self.position - piece.start) as usize..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Pieces {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a wheel with so many files that its directory is many times the first request.
    fn wheel_with_many_files() -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let stored = zip::write::SimpleFileOptions::default();
        for number in 0..4_000 {
            archive.start_file(format!("demo/include/a/rather/long/path/{number}.h"), stored).unwrap();
        }
        for (name, content) in [("METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"), ("WHEEL", "")] {
            archive.start_file(format!("demo-1.0.dist-info/{name}"), stored).unwrap();
            io::Write::write_all(&mut archive, content.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn a_large_directory_costs_one_piece() {
        let wheel = wheel_with_many_files();
        let total = wheel.len() as u64;
        let piece = |range: Range<u64>| {
            let bytes = wheel[range.start as usize..range.end as usize].to_vec();
            ByteRange { start: range.start, total, bytes }
        };
        let mut pieces = Pieces::new(piece(total - TAIL..total));
        let metadata = loop {
            let outcome = wheel_metadata::read(&mut pieces, &"demo-1.0-py3-none-any.whl".parse().unwrap());
            let Some(start) = pieces.missing.take() else { break outcome.unwrap().metadata };
            pieces.add(piece(pieces.next(start)));
        };
        assert_eq!(metadata.name, "demo");
        assert_eq!(pieces.all.len(), 3, "the end, the directory, the metadata");
        assert!(pieces.all.iter().map(|piece| piece.bytes.len() as u64).sum::<u64>() < total);
    }

    #[test]
    fn reading_what_is_missing_says_where() {
        let piece = |start, bytes: &[u8]| ByteRange { start, total: 10, bytes: bytes.to_vec() };
        let mut pieces = Pieces::new(piece(6, b"6789"));
        let mut buffer = [0; 4];
        pieces.seek(SeekFrom::End(-4)).unwrap();
        assert_eq!((pieces.read(&mut buffer).unwrap(), &buffer), (4, b"6789"));
        assert_eq!(pieces.read(&mut buffer).unwrap(), 0);
        pieces.seek(SeekFrom::Start(2)).unwrap();
        assert!(pieces.read(&mut buffer).is_err());
        assert_eq!((pieces.missing, pieces.start_after(2)), (Some(2), 6));
        pieces.add(piece(2, b"2345"));
        pieces.seek(SeekFrom::Start(3)).unwrap();
        assert_eq!((pieces.read(&mut buffer).unwrap(), &buffer[..3]), (3, b"345".as_slice()));
    }
}
