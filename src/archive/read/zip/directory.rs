//! Finds and reads the directory of a zip archive.
//!
//! Only the last end record counts, and it must say exactly where the directory and the archive end:
//! Python's `zipfile` and Info-ZIP take the last one, too, but shift its offsets to fit, so that of two
//! archives one behind the other they would read another than a reader which searches on.

use std::io::{self, Read, Seek, SeekFrom};

use super::super::super::zip::records::{
    CENTRAL, CENTRAL_LENGTH, END, END_64, END_64_LENGTH, END_LENGTH, LARGE, LOCATOR_64, LOCATOR_64_LENGTH, MANY,
};
use super::fields::{Fields, large_numbers};
use crate::archive::volume_set::{VolumeSet, VolumeSetReader};

/// The header of an entry in the directory.
pub struct ZipHeader {
    pub name: Vec<u8>,
    pub flags: u16,
    pub method: u16,
    pub crc32: u32,
    pub packed: u64,
    pub size: u64,
    pub offset: u64,
    /// The external attributes; the high half is the Unix mode.
    pub attributes: u32,
    pub extra: Vec<u8>,
}

impl ZipHeader {
    /// Returns the name of the folder that this is, if it is one.
    pub fn folder(&self) -> Option<&[u8]> {
        self.name.strip_suffix(b"/").filter(|_| self.size == 0)
    }
}

/// The directory of an archive.
pub struct ZipDirectory {
    pub headers: Vec<ZipHeader>,
    /// The offset of the first header.
    pub start: u64,
    /// Whether bytes follow the end record and its comment.
    pub is_followed: bool,
}

/// The maximum length of a zip's comment in bytes.
const LONGEST_COMMENT: u64 = u16::MAX as u64;
/// The size limit of the directory in bytes, ten times that of a bundle with a hundred thousand
/// files.
const LARGEST_DIRECTORY: u64 = 256 << 20;

/// Reads the directory.
///
/// # Errors
/// When there is none, or it is not where its end record says.
pub fn read(volumes: &VolumeSet) -> io::Result<ZipDirectory> {
    let end = EndRecord::find(volumes)?;
    if end.size > LARGEST_DIRECTORY || end.start + end.size > volumes.size() {
        return Err(io::Error::other("its directory cannot be where it says"));
    }
    let mut reader = volumes.reader();
    reader.seek(SeekFrom::Start(end.start))?;
    let mut directory = Vec::new();
    reader.take(end.size).read_to_end(&mut directory)?;
    let mut headers = Vec::new();
    let mut rest = directory.as_slice();
    while !rest.is_empty() {
        headers.push(read_header(&mut rest)?);
    }
    if headers.len() as u64 != end.count {
        return Err(io::Error::other("its directory has another number of entries than it says"));
    }
    Ok(ZipDirectory { headers, start: end.start, is_followed: end.is_followed })
}

/// What the end record says of the directory.
struct EndRecord {
    start: u64,
    size: u64,
    count: u64,
    is_followed: bool,
}

impl EndRecord {
    /// Finds the last end record.
    fn find(volumes: &VolumeSet) -> io::Result<Self> {
        let tail_start = volumes.size().saturating_sub(LONGEST_COMMENT + END_LENGTH as u64);
        let mut reader = volumes.reader();
        reader.seek(SeekFrom::Start(tail_start))?;
        let mut tail = Vec::new();
        reader.read_to_end(&mut tail)?;
        let mut ends = (0..tail.len().saturating_sub(END_LENGTH - 1)).rev();
        let at = ends.find(|at| tail[*at..].starts_with(&END)).ok_or(io::ErrorKind::UnexpectedEof)?;
        let comment = usize::from(Fields(&tail[at..]).u16(20));
        let is_followed = at + END_LENGTH + comment != tail.len();
        let (record, end) = Self::read(&mut reader, &tail, at, tail_start)?;
        match record.start.checked_add(record.size) == Some(end) {
            true => Ok(Self { is_followed, ..record }),
            // That of an archive within this one, whose own is cut off.
            false if is_followed => Err(io::ErrorKind::UnexpectedEof.into()),
            false => Err(io::Error::other("its directory is not where it says, as if something was put before it")),
        }
    }

    /// Returns the end record at `at` of the tail, and where the directory should end.
    ///
    /// A zip64 record counts wherever one lies before, as for Python, and must say the same.
    fn read(reader: &mut VolumeSetReader, tail: &[u8], at: usize, tail_start: u64) -> io::Result<(Self, u64)> {
        let end = Fields(&tail[at..]);
        let small = [u64::from(end.u16(10)), end.u32(12).into(), end.u32(16).into()];
        let record = |[count, size, start]: [u64; 3]| Self { start, size, count, is_followed: false };
        let locator = at.checked_sub(LOCATOR_64_LENGTH).filter(|at| tail[*at..].starts_with(&LOCATOR_64));
        let Some(locator) = locator else { return Ok((record(small), tail_start + at as u64)) };
        let at = Fields(&tail[locator..]).u64(8);
        reader.seek(SeekFrom::Start(at))?;
        let end = Fields::read::<END_64_LENGTH>(reader)?;
        let large = [end.u64(32), end.u64(40), end.u64(48)];
        let is_same = small
            .iter()
            .zip(&large)
            .zip([MANY, LARGE, LARGE])
            .all(|((small, large), limit)| *small == (*large).min(limit));
        let is_before = at.checked_add(END_64_LENGTH as u64) == Some(tail_start + locator as u64);
        match end.bytes(0, 4) == END_64 && is_same && is_before {
            true => Ok((record(large), at)),
            false => Err(io::Error::other("its zip64 directory is not where it says")),
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
    let [size, packed, offset] = [24, 20, 42].map(|at| fields.u32_or_large(at, &mut large));
    Ok(ZipHeader {
        name: name.to_vec(),
        flags: fields.u16(8),
        method: fields.u16(10),
        crc32: fields.u32(16),
        packed,
        size,
        offset,
        attributes: fields.u32(38),
        extra: extra.to_vec(),
    })
}
