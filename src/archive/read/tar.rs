//! Reads tar archives block by block, and compares each header with the one that this program would
//! write.

mod headers;

use std::io::{self, Read, Seek, SeekFrom};

use ::tar::{EntryType, Header};

use super::super::FIRST_ENTRY;
use super::super::tar::{BLOCK, header_bytes};
use super::{ArchiveFault, MemberEntry, MemberLocation, SeekableInput, TarBytes, UniqueNames};
use crate::domain::RelPath;
use headers::{Extensions, TarHeader};

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
                self.take_folder(&read_header.name, &shown);
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
                    let path = Some(shown);
                    self.faults.extend(read_header.ambiguity.map(|what| ArchiveFault::Ambiguous { path, what }));
                }
                self.last = Some(path.clone());
                Some((path, read_header.size))
            }
        }
    }

    /// Notes a folder, which no archive of this program has, and checks its name.
    fn take_folder(&mut self, name: &[u8], shown: &str) {
        self.note_altered(shown);
        let name = name.strip_suffix(b"/").unwrap_or(name);
        if !matches!(name, b"" | b".") {
            self.faults.extend(self.names.take(name).err());
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
        let (mut raw, mut extensions) = (Vec::new(), Extensions::default());
        loop {
            let block = self.block()?;
            if block == [0; BLOCK] {
                return Ok(None);
            }
            raw.extend(block);
            let header = Header::from_byte_slice(&block);
            check_checksum(header)?;
            match header.entry_type() {
                EntryType::XHeader => extensions.records(&self.extension(header, &mut raw)?),
                EntryType::XGlobalHeader => extensions.global_records(&self.extension(header, &mut raw)?),
                EntryType::GNULongName => {
                    let text = self.extension(header, &mut raw)?;
                    extensions.name(text.split(|byte| *byte == 0).next().unwrap_or_default());
                }
                _ => return extensions.header(header, raw).map(Some),
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

/// Checks the sum of a header's bytes, in which its own field counts as spaces (POSIX ustar).
fn check_checksum(header: &Header) -> io::Result<()> {
    let bytes = header.as_bytes();
    let summed: u32 = bytes[..148].iter().chain(&bytes[156..]).map(|byte| u32::from(*byte)).sum();
    match header.cksum() {
        Ok(stated) if stated == summed + 8 * u32::from(b' ') => Ok(()),
        _ => Err(io::Error::other("a header is damaged")),
    }
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
