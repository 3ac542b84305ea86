//! Writes zip archives, in which every file is stored, since wheels are compressed already.

pub mod records;

use std::io::{self, Write};

use crate::domain::{Content, RelPath, Tree};

use super::objects::{ArchiveOutput, ObjectSource};
use super::random_access::RandomAccessWriter;
use super::{ArchiveError, entries};
use records::ZipEntry;

/// Writes `tree`; every header holds the checksum of its file, so it is written after it.
pub fn write(tree: &Tree, objects: &dyn ObjectSource, output: &mut RandomAccessWriter<'_>) -> Result<(), ArchiveError> {
    let mut written = Vec::new();
    for (path, content) in entries(tree) {
        written.push(write_body(path, content, objects, output)?);
    }
    let mut crc32s = output.fill(objects, true)?.into_iter();
    for ((path, content), entry) in entries(tree).zip(&mut written) {
        entry.crc32 = match content {
            Content::Generated(bytes) => crc32fast::hash(bytes),
            _ => crc32s.next().expect("each that is no page was put off"),
        };
        let header = entry.local_header();
        output.write_at(&header, entry.offset).map_err(|source| ArchiveError::Entry { path: path.clone(), source })?;
    }
    write_directory(&written, output).map_err(ArchiveError::Finish)
}

/// Reserves space for a header, and writes the content of `path` after it.
fn write_body(
    path: &RelPath,
    content: &Content,
    objects: &dyn ObjectSource,
    output: &mut RandomAccessWriter<'_>,
) -> Result<ZipEntry, ArchiveError> {
    let entry = ZipEntry { name: path.as_str().into(), size: content.size(), crc32: 0, offset: output.position() };
    let room = output.skip(entry.local_header().len() as u64);
    room.map_err(|source| ArchiveError::Entry { path: path.clone(), source })?;
    output.put(path, content, objects)?;
    Ok(entry)
}

fn write_directory(entries: &[ZipEntry], output: &mut RandomAccessWriter<'_>) -> io::Result<()> {
    let start = output.position();
    for entry in entries {
        output.write_all(&entry.central_header())?;
    }
    let size = output.position() - start;
    output.write_all(&records::end(entries.len() as u64, start, size))?;
    output.flush()
}
