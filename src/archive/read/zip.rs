//! Reads zip archives by their directory, and compares their records with those that this program
//! would write.

use std::io::{self, Read, Seek, SeekFrom};

use super::super::zip::records::{
    self, CENTRAL, CENTRAL_LENGTH, END, END_64, END_64_LENGTH, END_LENGTH, EXTRA_64, LARGE, LOCAL, LOCAL_LENGTH,
    LOCATOR_64, LOCATOR_64_LENGTH, MANY,
};
use super::{ArchiveFault, MemberEntry, MemberLocation, TarBytes, UniqueNames};
use crate::archive::volume_set::{VolumeSet, VolumeSetReader};

/// Returns the files and the faults of an archive.
pub fn scan(volumes: &VolumeSet) -> (Vec<MemberEntry>, Vec<ArchiveFault>) {
    let mut scan = ZipScan { volumes, names: UniqueNames::default(), entries: Vec::new(), faults: Vec::new() };
    match read_directory(volumes) {
        Ok(headers) => {
            headers.iter().for_each(|header| scan.take(header));
            scan.compare(&headers);
        }
        Err(error) => scan.faults.push(ArchiveFault::of_io(&error, None)),
    }
    (scan.entries, scan.faults)
}

/// The header of an entry in the directory.
struct ZipHeader {
    name: Vec<u8>,
    flags: u16,
    method: u16,
    crc32: u32,
    packed: u64,
    size: u64,
    offset: u64,
    /// The external attributes; the high half is the Unix mode.
    attributes: u32,
}

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const ENCRYPTED: u16 = 1;

struct ZipScan<'a> {
    volumes: &'a VolumeSet,
    names: UniqueNames,
    entries: Vec<MemberEntry>,
    faults: Vec<ArchiveFault>,
}

impl ZipScan<'_> {
    fn take(&mut self, header: &ZipHeader) {
        let shown = String::from_utf8_lossy(&header.name).into_owned();
        if header.name.ends_with(b"/") && header.size == 0 {
            return;
        }
        match self.entry(header, &shown) {
            Ok(entry) => self.entries.push(entry),
            Err(fault) => self.faults.push(fault),
        }
    }

    fn entry(&mut self, header: &ZipHeader, shown: &str) -> Result<MemberEntry, ArchiveFault> {
        let path = self.names.take(&header.name)?;
        if let Some(what) = unsupported_kind(header.attributes >> 16) {
            return Err(ArchiveFault::Kind { path: shown.to_owned(), what });
        }
        if header.flags & ENCRYPTED != 0 {
            return Err(ArchiveFault::Encrypted(shown.to_owned()));
        }
        let damaged = |error: io::Error| ArchiveFault::of_io(&error, Some(shown.to_owned()));
        let start = self.start(header).map_err(damaged)?;
        let volumes = self.volumes.clone();
        let location = match header.method {
            STORED if header.packed == header.size => MemberLocation::Stored { bytes: TarBytes::Plain(volumes), start },
            DEFLATED => MemberLocation::Deflated { volumes, start, packed: header.packed },
            method => return Err(ArchiveFault::Method { path: shown.to_owned(), method }),
        };
        Ok(MemberEntry { path, size: header.size, location })
    }

    /// Returns the offset of an entry's bytes, after its local header, of which only the lengths
    /// are used.
    fn start(&self, header: &ZipHeader) -> io::Result<u64> {
        let mut reader = self.volumes.reader();
        reader.seek(SeekFrom::Start(header.offset))?;
        let fixed = Fields::read::<LOCAL_LENGTH>(&mut reader)?;
        if fixed.bytes(0, 4) != LOCAL {
            return Err(io::Error::other("its header is not where the directory says"));
        }
        let start = header.offset + LOCAL_LENGTH as u64 + u64::from(fixed.u16(26)) + u64::from(fixed.u16(28));
        match start.checked_add(header.packed) {
            Some(end) if end <= self.volumes.size() => Ok(start),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Adds a fault for the first record that is not as this program would write it.
    fn compare(&mut self, headers: &[ZipHeader]) {
        let outcome = differs_at(self.volumes, headers);
        match outcome {
            Ok(None) => {}
            Ok(Some(path)) => self.faults.push(ArchiveFault::Altered { path }),
            Err(error) => self.faults.push(ArchiveFault::of_io(&error, None)),
        }
    }
}

/// Returns the name of the first entry whose header differs, `Some(None)` if the directory differs,
/// or `None` if nothing does.
fn differs_at(volumes: &VolumeSet, headers: &[ZipHeader]) -> io::Result<Option<Option<String>>> {
    let mut reader = volumes.reader();
    let (mut at, mut directory) = (0, Vec::new());
    for header in headers {
        let shown = || Some(String::from_utf8_lossy(&header.name).into_owned());
        let entry = records::ZipEntry {
            name: header.name.clone(),
            size: header.size,
            crc32: header.crc32,
            offset: header.offset,
        };
        let local = entry.local_header();
        if header.offset != at || !is_next(&mut reader, at, &local)? {
            return Ok(Some(shown()));
        }
        at += local.len() as u64 + header.size;
        directory.extend(entry.central_header());
    }
    let end = records::end(headers.len() as u64, at, directory.len() as u64);
    directory.extend(end);
    let is_same = is_next(&mut reader, at, &directory)? && at + directory.len() as u64 == volumes.size();
    Ok((!is_same).then_some(None))
}

fn is_next(reader: &mut VolumeSetReader, at: u64, expected: &[u8]) -> io::Result<bool> {
    reader.seek(SeekFrom::Start(at))?;
    let mut got = Vec::with_capacity(expected.len());
    reader.take(expected.len() as u64).read_to_end(&mut got)?;
    Ok(got == expected)
}

/// Returns what kind of special file a Unix mode states, if any; tools on other systems leave the
/// mode empty.
fn unsupported_kind(mode: u32) -> Option<&'static str> {
    match mode & 0o170_000 {
        0 | 0o100_000 => None,
        0o120_000 => Some("a symbolic link"),
        0o040_000 => Some("a folder with content"),
        _ => Some("a device or pipe"),
    }
}

/// The maximum length of a zip's comment in bytes.
const LONGEST_COMMENT: u64 = u16::MAX as u64;
/// The size limit of the directory in bytes, ten times that of a bundle with a hundred thousand
/// files.
const LARGEST_DIRECTORY: u64 = 256 << 20;

fn read_directory(volumes: &VolumeSet) -> io::Result<Vec<ZipHeader>> {
    let (start, size) = find_directory(volumes)?;
    if size > LARGEST_DIRECTORY || start.checked_add(size).is_none_or(|end| end > volumes.size()) {
        return Err(io::Error::other("its directory cannot be where it says"));
    }
    let mut reader = volumes.reader();
    reader.seek(SeekFrom::Start(start))?;
    let mut directory = Vec::new();
    reader.take(size).read_to_end(&mut directory)?;
    let mut headers = Vec::new();
    let mut rest = directory.as_slice();
    while !rest.is_empty() {
        headers.push(read_header(&mut rest)?);
    }
    Ok(headers)
}

/// Returns the offset and size of the directory.
///
/// It is the last one that its own end record follows directly: a stored file may be a zip itself,
/// but the offsets in it count from the beginning of that file.
fn find_directory(volumes: &VolumeSet) -> io::Result<(u64, u64)> {
    let tail_start = volumes.size().saturating_sub(LONGEST_COMMENT + END_LENGTH as u64);
    let mut reader = volumes.reader();
    reader.seek(SeekFrom::Start(tail_start))?;
    let mut tail = Vec::new();
    reader.read_to_end(&mut tail)?;
    let ends = (0..tail.len().saturating_sub(END_LENGTH - 1)).rev().filter(|at| tail[*at..].starts_with(&END));
    for at in ends {
        let (start, size, end) = directory_before(&mut reader, &tail, at, tail_start)?;
        if start.checked_add(size) == Some(end) {
            return Ok((start, size));
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// Returns the offset and size of the directory by the end record at `at`, and where it should end.
fn directory_before(
    reader: &mut VolumeSetReader,
    tail: &[u8],
    at: usize,
    tail_start: u64,
) -> io::Result<(u64, u64, u64)> {
    let end = Fields(&tail[at..]);
    let (count, size, start) = (end.u16(10), end.u32(12), end.u32(16));
    let is_large = u64::from(count) == MANY || u64::from(size) == LARGE || u64::from(start) == LARGE;
    match at.checked_sub(LOCATOR_64_LENGTH).filter(|at| is_large && tail[*at..].starts_with(&LOCATOR_64)) {
        None => Ok((start.into(), size.into(), tail_start + at as u64)),
        Some(locator) => {
            let at = Fields(&tail[locator..]).u64(8);
            reader.seek(SeekFrom::Start(at))?;
            let end = Fields::read::<END_64_LENGTH>(reader)?;
            match end.bytes(0, 4) == END_64 {
                true => Ok((end.u64(48), end.u64(40), at)),
                false => Err(io::Error::other("its zip64 directory is not where it says")),
            }
        }
    }
}

fn read_header(rest: &mut &[u8]) -> io::Result<ZipHeader> {
    let short = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (fixed, after) = rest.split_at_checked(CENTRAL_LENGTH).ok_or_else(short)?;
    let fields = Fields(fixed);
    if fields.bytes(0, 4) != CENTRAL {
        return Err(io::Error::other("its directory holds something else than files"));
    }
    let lengths = [28, 30, 32].map(|at| usize::from(fields.u16(at)));
    let (name, after) = after.split_at_checked(lengths[0]).ok_or_else(short)?;
    let (extra, after) = after.split_at_checked(lengths[1]).ok_or_else(short)?;
    let (_comment, after) = after.split_at_checked(lengths[2]).ok_or_else(short)?;
    *rest = after;
    let mut large = large_numbers(extra);
    let mut number = |at| match u64::from(fields.u32(at)) {
        LARGE => large.next().unwrap_or(LARGE),
        small => small,
    };
    let (size, packed, offset) = (number(24), number(20), number(42));
    Ok(ZipHeader {
        name: name.to_vec(),
        flags: fields.u16(8),
        method: fields.u16(10),
        crc32: fields.u32(16),
        packed,
        size,
        offset,
        attributes: fields.u32(38),
    })
}

/// Returns the numbers of the zip64 field, in the order of the fields that they replace.
fn large_numbers(mut extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut found: &[u8] = &[];
    while extra.len() >= 4 {
        let (kind, length) = (Fields(extra).u16(0), usize::from(Fields(extra).u16(2)));
        let Some(field) = extra.get(4..4 + length) else { break };
        if kind == EXTRA_64 {
            found = field;
        }
        extra = &extra[4 + length..];
    }
    found.chunks_exact(8).map(|bytes| Fields(bytes).u64(0)).collect::<Vec<_>>().into_iter()
}

/// Little-endian numbers in a record that is known to be long enough.
struct Fields<B>(B);

impl Fields<Vec<u8>> {
    fn read<const LENGTH: usize>(reader: &mut impl Read) -> io::Result<Self> {
        let mut bytes = [0; LENGTH];
        reader.read_exact(&mut bytes)?;
        Ok(Self(bytes.to_vec()))
    }
}

impl<B: AsRef<[u8]>> Fields<B> {
    fn bytes(&self, at: usize, length: usize) -> &[u8] {
        &self.0.as_ref()[at..at + length]
    }

    fn number(&self, at: usize, length: usize) -> u64 {
        self.bytes(at, length).iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn u16(&self, at: usize) -> u16 {
        self.number(at, 2) as u16
    }

    fn u32(&self, at: usize) -> u32 {
        self.number(at, 4) as u32
    }

    fn u64(&self, at: usize) -> u64 {
        self.number(at, 8)
    }
}
