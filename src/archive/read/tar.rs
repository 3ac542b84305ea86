//! Reads tar archives block by block, and compares each header with the one that this program would
//! write.

use std::io::{self, Read, Seek, SeekFrom};

use ::tar::{EntryType, Header};

use super::super::FIRST_ENTRY;
use super::super::tar::{BLOCK, header_bytes};
use super::{ArchiveFault, MemberEntry, MemberLocation, SeekableInput, TarBytes, UniqueNames};
use crate::domain::RelPath;

/// Returns the files and the faults of an archive.
pub fn scan(bytes: &TarBytes) -> (Vec<MemberEntry>, Vec<ArchiveFault>) {
    let mut entries = Vec::new();
    let mut tar = TarReader::new(PlainTar { reader: bytes.reader(), size: bytes.size() });
    while let Some((path, size)) = tar.next() {
        let start = tar.input.reader.stream_position().unwrap_or(u64::MAX);
        let path_text = path.to_string();
        entries.push(MemberEntry { path, size, location: MemberLocation::Stored { bytes: bytes.clone(), start } });
        if let Err(error) = tar.input.skip(size) {
            tar.fail(&error, Some(path_text));
            entries.pop();
        }
    }
    (entries, tar.faults)
}

/// A reader that can skip bytes.
pub trait SkipBytes: Read {
    /// Skips `bytes` bytes.
    ///
    /// # Errors
    /// When there are fewer.
    fn skip(&mut self, bytes: u64) -> io::Result<()>;
}

/// A reader of an archive that is not compressed.
struct PlainTar {
    reader: Box<dyn SeekableInput>,
    size: u64,
}

impl Read for PlainTar {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl SkipBytes for PlainTar {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let end = self.reader.stream_position()?.checked_add(bytes).filter(|end| *end <= self.size);
        self.reader.seek(SeekFrom::Start(end.ok_or(io::ErrorKind::UnexpectedEof)?)).map(drop)
    }
}

/// Reads one header after the other; the bytes of each file must be read or skipped.
pub struct TarReader<R> {
    pub input: R,
    pub faults: Vec<ArchiveFault>,
    names: UniqueNames,
    /// The previous file, to check the order.
    last: Option<RelPath>,
    /// The number of zeros before the next block.
    padding: usize,
    is_altered: bool,
    is_done: bool,
}

/// The number of zeros that may follow the end mark; many tools pad archives to a multiple of
/// 10,240 bytes or more.
const MAX_ZEROS: u64 = 1 << 20;

/// The size limit of an extension header in bytes, far above that of any path.
const LONGEST_EXTENSION: u64 = 64 << 10;

/// A header together with its extension headers.
struct TarHeader {
    name: Vec<u8>,
    size: u64,
    kind: EntryType,
    /// The bytes of all these headers.
    raw: Vec<u8>,
}

impl<R: SkipBytes> TarReader<R> {
    pub fn new(input: R) -> Self {
        Self {
            input,
            faults: Vec::new(),
            names: UniqueNames::default(),
            last: None,
            padding: 0,
            is_altered: false,
            is_done: false,
        }
    }

    /// Returns the next regular file and its size in bytes; the input then is at its first byte.
    pub fn next(&mut self) -> Option<(RelPath, u64)> {
        while !self.is_done {
            match self.read_header() {
                Ok(Some(header)) => {
                    if let Some(file) = self.check_header(header) {
                        return Some(file);
                    }
                }
                Ok(None) => self.finish(),
                Err(error) => self.fail(&error, self.last.as_ref().map(ToString::to_string)),
            }
        }
        None
    }

    /// Notes a fault and stops, since nothing after it can be found.
    pub fn fail(&mut self, error: &io::Error, path: Option<String>) {
        self.faults.push(ArchiveFault::of_io(error, path));
        self.is_done = true;
    }

    /// Returns the file of a header, if it is a regular one; anything else is skipped and noted as
    /// a fault.
    fn check_header(&mut self, mut read_header: TarHeader) -> Option<(RelPath, u64)> {
        // As `tar -c .` has it.
        while let Some(rest) = read_header.name.strip_prefix(b"./") {
            read_header.name = rest.to_vec();
        }
        self.padding = (BLOCK - (read_header.size % BLOCK as u64) as usize) % BLOCK;
        let shown = String::from_utf8_lossy(&read_header.name).into_owned();
        let kind = unsupported_kind(read_header.kind);
        let path = match kind {
            None => self.names.take(&read_header.name),
            Some("a folder") => {
                self.note_altered(&shown);
                return self.skip_file(read_header.size, &shown);
            }
            Some(what) => Err(ArchiveFault::Kind { path: shown.clone(), what }),
        };
        match path {
            Err(fault) => {
                self.faults.push(fault);
                self.skip_file(read_header.size, &shown)
            }
            Ok(path) => {
                if header_bytes(&path, read_header.size).ok().as_ref() != Some(&read_header.raw)
                    || !self.is_in_order(&path)
                {
                    self.note_altered(&shown);
                }
                self.last = Some(path.clone());
                Some((path, read_header.size))
            }
        }
    }

    fn skip_file(&mut self, size: u64, shown: &str) -> Option<(RelPath, u64)> {
        if let Err(error) = self.input.skip(size) {
            self.fail(&error, Some(shown.to_owned()));
        }
        None
    }

    fn is_in_order(&self, path: &RelPath) -> bool {
        self.last.as_ref().is_none_or(|last| last.as_str() == FIRST_ENTRY || last < path)
    }

    fn note_altered(&mut self, shown: &str) {
        if !std::mem::replace(&mut self.is_altered, true) {
            self.faults.push(ArchiveFault::Altered { path: Some(shown.to_owned()) });
        }
    }

    /// Reads the next header with its extension headers; `None` at the end mark.
    fn read_header(&mut self) -> io::Result<Option<TarHeader>> {
        self.skip_padding()?;
        let (mut raw, mut name, mut size) = (Vec::new(), None, None);
        loop {
            let block = self.block()?;
            if block == [0; BLOCK] {
                return Ok(None);
            }
            raw.extend(block);
            let header = Header::from_byte_slice(&block);
            check(header)?;
            match header.entry_type() {
                EntryType::XHeader => read_records(&self.extension(header, &mut raw)?, &mut name, &mut size),
                EntryType::XGlobalHeader => drop(self.extension(header, &mut raw)?),
                EntryType::GNULongName => {
                    let text = self.extension(header, &mut raw)?;
                    name = Some(text.split(|byte| *byte == 0).next().unwrap_or_default().to_vec());
                }
                kind => {
                    let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
                    let size = if has_bytes(kind) { size.map_or_else(|| header.entry_size(), Ok)? } else { 0 };
                    return Ok(Some(TarHeader { name, size, kind, raw }));
                }
            }
        }
    }

    /// Reads the content of an extension header, up to the next block.
    fn extension(&mut self, header: &Header, raw: &mut Vec<u8>) -> io::Result<Vec<u8>> {
        let size = header.entry_size()?;
        if size > LONGEST_EXTENSION {
            return Err(io::Error::other(format!("a header of {size} bytes")));
        }
        let mut text = vec![0; (size as usize).next_multiple_of(BLOCK)];
        self.input.read_exact(&mut text)?;
        raw.extend(&text);
        text.truncate(size as usize);
        Ok(text)
    }

    fn block(&mut self) -> io::Result<[u8; BLOCK]> {
        let mut block = [0; BLOCK];
        self.input.read_exact(&mut block).map(|()| block)
    }

    fn skip_padding(&mut self) -> io::Result<()> {
        let mut padding = vec![0; std::mem::take(&mut self.padding)];
        self.input.read_exact(&mut padding)?;
        if padding.iter().any(|byte| *byte != 0) {
            let path = self.last.as_ref().map(ToString::to_string).unwrap_or_default();
            self.note_altered(&path);
        }
        Ok(())
    }

    /// Returns how many zeros are left, up to [`MAX_ZEROS`], or `None` if there is anything else.
    fn count_zeros(&mut self) -> io::Result<Option<u64>> {
        let mut rest = Vec::new();
        self.input.by_ref().take(MAX_ZEROS + 1).read_to_end(&mut rest)?;
        let are_zeros = rest.iter().all(|byte| *byte == 0) && rest.len() as u64 <= MAX_ZEROS;
        Ok(are_zeros.then_some(rest.len() as u64))
    }

    /// Checks the second half of the end mark, and that nothing follows it.
    fn finish(&mut self) {
        self.is_done = true;
        match self.block() {
            Ok(block) if block == [0; BLOCK] => match self.count_zeros() {
                Ok(Some(0)) => {}
                Ok(Some(_)) => self.note_altered("its end"),
                Ok(None) => self.faults.push(ArchiveFault::Trailing),
                Err(error) => self.fail(&error, None),
            },
            Ok(_) => self.faults.push(ArchiveFault::Trailing),
            Err(error) => self.fail(&error, None),
        }
    }
}

fn check(header: &Header) -> io::Result<()> {
    let bytes = header.as_bytes();
    let summed: u32 = bytes[..148].iter().chain(&bytes[156..]).map(|byte| u32::from(*byte)).sum();
    match header.cksum() {
        Ok(stated) if stated == summed + 8 * u32::from(b' ') => Ok(()),
        _ => Err(io::Error::other("a header is damaged")),
    }
}

/// Parses pax records, `length key=value\n`; invalid ones are ignored, and found when the header is
/// compared.
fn read_records(text: &[u8], name: &mut Option<Vec<u8>>, size: &mut Option<u64>) {
    for record in ::tar::PaxExtensions::new(text).flatten() {
        match record.key_bytes() {
            b"path" => *name = Some(record.value_bytes().to_vec()),
            b"size" => *size = record.value().ok().and_then(|value| value.parse().ok()),
            _ => {}
        }
    }
}

/// Whether the size in the header counts bytes that follow it; that of a link does not.
fn has_bytes(kind: EntryType) -> bool {
    !matches!(
        kind,
        EntryType::Link
            | EntryType::Symlink
            | EntryType::Char
            | EntryType::Block
            | EntryType::Directory
            | EntryType::Fifo
    )
}

fn unsupported_kind(kind: EntryType) -> Option<&'static str> {
    match kind {
        EntryType::Regular => None,
        EntryType::Directory => Some("a folder"),
        EntryType::Symlink => Some("a symbolic link"),
        EntryType::Link => Some("a hard link"),
        EntryType::Char | EntryType::Block | EntryType::Fifo => Some("a device or pipe"),
        _ => Some("something special"),
    }
}
