//! The metadata of a wheel on a server, from the end of the file: a zip's directory is there, and
//! wheels have their metadata last.

use std::io::{self, Read, Seek, SeekFrom};

use super::core_metadata::MetadataFile;
use super::wheel_metadata::{self, WheelError};
use crate::domain::{MaskedUrl, WheelFilename};
use crate::http::{HttpClient, HttpError, Piece};

/// The first request's size in bytes: enough for the directory and metadata of most wheels.
const TAIL: u64 = 32 << 10;

/// Further pieces are at least this large, in bytes.
const SMALLEST_PIECE: u64 = 8 << 10;

/// A wheel that needs more pieces than this is read whole.
const MOST_PIECES: usize = 6;

/// Reads the metadata of the wheel at `url`; `None` where the server gives no ranges, or the
/// wheel is better read whole.
///
/// # Errors
/// When the server fails; the inner error is the wheel's fault.
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
        let end = pieces.start_after(start).min(start + SMALLEST_PIECE.max(TAIL));
        match client.range(url, start..end).await? {
            Some(piece) => pieces.add(piece),
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// A file of which only pieces are here. Reading what is missing notes where, and fails.
struct Pieces {
    /// Bytes of the whole file.
    size: u64,
    position: u64,
    /// In the order of their starts.
    all: Vec<Piece>,
    missing: Option<u64>,
}

impl Pieces {
    fn new(first: Piece) -> Self {
        Self { size: first.total, position: 0, all: vec![first], missing: None }
    }

    fn add(&mut self, piece: Piece) {
        self.all.push(piece);
        self.all.sort_by_key(|piece| piece.start);
        self.position = 0;
    }

    /// Where the first piece behind `position` begins.
    fn start_after(&self, position: u64) -> u64 {
        self.all.iter().map(|piece| piece.start).find(|start| *start > position).unwrap_or(self.size)
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.size {
            return Ok(0);
        }
        let has = |piece: &&Piece| (piece.start..piece.start + piece.bytes.len() as u64).contains(&self.position);
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

    #[test]
    fn reading_what_is_missing_says_where() {
        let piece = |start, bytes: &[u8]| Piece { start, total: 10, bytes: bytes.to_vec() };
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
