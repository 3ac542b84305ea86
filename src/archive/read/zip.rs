//! Reads zip archives by their directory, and compares their records with those that this program
//! would write.

mod ambiguity;
mod directory;
mod fields;

use std::io::{self, Read, Seek, SeekFrom};

use super::super::zip::records::{self, LOCAL_LENGTH};
use super::{ArchiveFault, MemberEntry, MemberLocation, TarBytes, UniqueNames};
use crate::archive::volume_set::{VolumeSet, VolumeSetReader};
use directory::{ZipDirectory, ZipHeader};
use fields::Fields;

/// Returns the files and the faults of an archive.
pub fn scan(volumes: &VolumeSet) -> (Vec<MemberEntry>, Vec<ArchiveFault>) {
    let mut scan = ZipScan { volumes, names: UniqueNames::default(), entries: Vec::new(), faults: Vec::new() };
    match directory::read(volumes) {
        Ok(directory) => {
            directory.headers.iter().for_each(|header| scan.take(header));
            scan.compare(&directory);
        }
        Err(error) => scan.faults.push(ArchiveFault::of_io(&error, None)),
    }
    (scan.entries, scan.faults)
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
        let entry = match header.folder() {
            Some(folder) => self.names.take(folder).map(|_| None),
            None => self.entry(header, &shown).map(Some),
        };
        match entry {
            Ok(entry) => self.entries.extend(entry),
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
        let fixed = Fields::read_local_header(&mut self.volumes.reader(), header.offset)?;
        let start = header.offset + LOCAL_LENGTH as u64 + u64::from(fixed.u16(26)) + u64::from(fixed.u16(28));
        match start.checked_add(header.packed) {
            Some(end) if end <= self.volumes.size() => Ok(start),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Adds a fault for the first record that is not as this program would write it, and for the first
    /// that other programs may read in another way.
    fn compare(&mut self, directory: &ZipDirectory) {
        if directory.is_followed {
            self.faults.push(ArchiveFault::Trailing);
        }
        let found = differs_at(self.volumes, &directory.headers).and_then(|altered| match altered {
            Some(path) => Ok((Some(path), ambiguity::find(self.volumes, directory)?)),
            None => Ok((None, None)),
        });
        match found {
            Ok((altered, ambiguous)) => {
                self.faults.extend(altered.map(|path| ArchiveFault::Altered { path }));
                self.faults.extend(ambiguous.map(|(path, what)| ArchiveFault::Ambiguous { path, what }));
            }
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
        if header.folder().is_some() || header.offset != at || !is_next(&mut reader, at, &local)? {
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
