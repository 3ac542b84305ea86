//! A buffered reader for scattered small reads of a file, with few system calls.

use std::io::{self, Read, Seek, SeekFrom};

use crate::archive::resolve_seek;

/// The number of bytes that are read at once.
///
/// A zip's directory is at its end, and wheels have their metadata right before it: most need a
/// single read.
const SPAN: u64 = 32 << 10;

/// A reader that keeps the bytes of its last read.
pub struct BufferedReader<R> {
    input: R,
    /// The size of the whole file, once it is known.
    size: Option<u64>,
    position: u64,
    bytes: Vec<u8>,
    /// The offset of the buffered bytes in the file.
    start: u64,
}

impl<R: Read + Seek> BufferedReader<R> {
    pub fn new(input: R) -> Self {
        Self { input, size: None, position: 0, bytes: Vec::new(), start: 0 }
    }

    fn size(&mut self) -> io::Result<u64> {
        if self.size.is_none() {
            self.size = Some(self.input.seek(SeekFrom::End(0))?);
        }
        Ok(self.size.unwrap_or_default())
    }

    /// Returns the buffered bytes from the position on.
    fn buffered(&self) -> &[u8] {
        let skip = self.position.checked_sub(self.start).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.bytes.get(skip..)).unwrap_or_default()
    }

    /// Reads the bytes at the position; near the end, the last ones of the file.
    fn refill(&mut self) -> io::Result<()> {
        let size = self.size()?;
        self.bytes.clear();
        self.start = self.input.seek(SeekFrom::Start(self.position.min(size.saturating_sub(SPAN))))?;
        self.bytes.resize(SPAN.min(size - self.start) as usize, 0);
        self.input.read_exact(&mut self.bytes)
    }
}

impl<R: Read + Seek> Read for BufferedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.buffered().is_empty() && !buffer.is_empty() && self.position < self.size()? {
            self.refill()?;
        }
        let length = self.buffered().read(buffer)?;
        self.position += length as u64;
        Ok(length)
    }
}

impl<R: Read + Seek> Seek for BufferedReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = resolve_seek(to, self.position, self.size()?)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Cursor;

    use super::*;

    /// A reader that counts its reads.
    struct CountedReads<'a>(Cursor<Vec<u8>>, &'a Cell<usize>);

    impl Read for CountedReads<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1.set(self.1.get() + 1);
            self.0.read(buffer)
        }
    }

    impl Seek for CountedReads<'_> {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn bytes(size: usize) -> Vec<u8> {
        (0..size).map(|number| (number * number / 128) as u8).collect()
    }

    #[test]
    fn it_reads_as_the_file_itself() {
        let bytes = bytes(200_000);
        let (mut reader, mut plain) = (BufferedReader::new(Cursor::new(bytes.clone())), Cursor::new(bytes));
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let to = match random.u8(0..4) {
                0 => SeekFrom::Start(random.u64(0..210_000)),
                1 => SeekFrom::End(random.i64(-200_000..10)),
                2 => SeekFrom::Current(random.i64(-3_000..3_000)),
                _ => SeekFrom::Current(0),
            };
            let (reached, expected) = (reader.seek(to).ok(), plain.seek(to).ok());
            assert_eq!(reached, expected, "{to:?}");
            let length = random.u64(0..100_000);
            let (mut got, mut right) = (Vec::new(), Vec::new());
            reader.by_ref().take(length).read_to_end(&mut got).unwrap();
            plain.by_ref().take(length).read_to_end(&mut right).unwrap();
            assert!(got == right, "{to:?} {length}");
        }
    }

    #[test]
    fn the_end_of_a_file_is_taken_once() {
        let reads = Cell::new(0);
        let mut reader = BufferedReader::new(CountedReads(Cursor::new(bytes(1 << 20)), &reads));
        let mut buffer = [0; 50];
        for back in [22, 65_000, 100, 30_000] {
            reader.seek(SeekFrom::End(-back)).unwrap();
            reader.read_exact(&mut buffer[..22]).unwrap();
        }
        assert!(reads.get() <= 3, "{}", reads.get());
    }
}
