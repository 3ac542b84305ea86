//! Finds what programs that unpack zip archives read in different ways: some by the directory, some by
//! the local headers, one after the other.

use std::io::{self, Read};

use super::super::super::zip::records::LOCAL_LENGTH;
use super::directory::{ZipDirectory, ZipHeader};
use super::fields::{Fields, extra_fields, large_numbers};
use crate::archive::volume_set::{VolumeSet, VolumeSetReader};

/// The flag for sizes that follow the bytes of a file, since they were not known before.
const DESCRIPTOR: u16 = 1 << 3;
/// The possible lengths of such a descriptor in bytes: with a signature or not, in zip64 or not.
const DESCRIPTOR_LENGTHS: [u64; 5] = [0, 12, 16, 20, 24];
/// The id of the extra field with a name in UTF-8, which Info-ZIP takes instead of the name itself.
const UNICODE_PATH: u16 = 0x7075;

/// Returns the first entry of which two things are said, and which; `None` for the entry if bytes
/// belong to none.
///
/// # Errors
/// When a local header cannot be read.
pub fn find(volumes: &VolumeSet, directory: &ZipDirectory) -> io::Result<Option<(Option<String>, &'static str)>> {
    let mut reader = volumes.reader();
    let mut headers: Vec<_> = directory.headers.iter().collect();
    headers.sort_by_key(|header| header.offset);
    let mut starts = vec![0];
    for header in headers {
        let shown = || Some(String::from_utf8_lossy(&header.name).into_owned());
        if !starts.contains(&header.offset) {
            return Ok(Some((shown(), GAP)));
        }
        let local = LocalHeader::read(&mut reader, header.offset)?;
        if let Some(what) = local.contradiction(header) {
            return Ok(Some((shown(), what)));
        }
        let lengths = if local.flags & DESCRIPTOR == 0 { &DESCRIPTOR_LENGTHS[..1] } else { &DESCRIPTOR_LENGTHS };
        let end = header.offset.saturating_add(local.length).saturating_add(header.packed);
        starts = lengths.iter().map(|length| end.saturating_add(*length)).collect();
    }
    Ok((!starts.contains(&directory.start)).then_some((None, GAP)))
}

const GAP: &str = "there are bytes before it that belong to no file of the directory";

/// The header before the bytes of a file.
struct LocalHeader {
    name: Vec<u8>,
    flags: u16,
    packed: u64,
    size: u64,
    extra: Vec<u8>,
    /// The number of its bytes.
    length: u64,
}

impl LocalHeader {
    fn read(reader: &mut VolumeSetReader, offset: u64) -> io::Result<Self> {
        let fixed = Fields::read_local_header(reader, offset)?;
        let [name_length, extra_length] = [26, 28].map(|at| usize::from(fixed.u16(at)));
        let mut variable = vec![0; name_length + extra_length];
        reader.read_exact(&mut variable)?;
        let extra = variable.split_off(name_length);
        let (packed, size) = sizes(&fixed, &extra);
        let length = (LOCAL_LENGTH + name_length + extra_length) as u64;
        Ok(Self { name: variable, flags: fixed.u16(6), packed, size, extra, length })
    }

    /// Returns what is not as the directory says.
    fn contradiction(&self, header: &ZipHeader) -> Option<&'static str> {
        let names_other = |extra: &[u8]| {
            let mut names = extra_fields(extra).filter(|(id, _)| *id == UNICODE_PATH);
            names.any(|(_, field)| field.get(5..) != Some(&header.name))
        };
        if self.name != header.name || names_other(&self.extra) || names_other(&header.extra) {
            return Some("it has a second name");
        }
        let is_open = self.flags & DESCRIPTOR != 0;
        let is_other = (self.packed, self.size) != (header.packed, header.size);
        (!is_open && is_other).then_some("it has a second size")
    }
}

/// Returns the packed and the unpacked size by a local header.
fn sizes(fixed: &Fields<Vec<u8>>, extra: &[u8]) -> (u64, u64) {
    let mut large = large_numbers(extra);
    let size = fixed.u32_or_large(22, &mut large);
    (fixed.u32_or_large(18, &mut large), size)
}
