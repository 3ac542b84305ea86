//! Zip archives. Everything is stored: wheels are compressed already.

pub mod records;

use std::io::{self, SeekFrom, Write};

use crc32fast::Hasher as Crc;

use crate::domain::{Content, RelPath, Sha256, Tree};

use super::objects::{Checksums, Objects, Sink, copy};
use super::{ArchiveError, Output, entries};
use records::Entry;

pub fn write(tree: &Tree, objects: &dyn Objects, output: &mut dyn Output) -> Result<(), ArchiveError> {
    let mut written = Vec::new();
    let mut offset = 0;
    for (path, content) in entries(tree) {
        let entry = write_entry(path, content, offset, objects, output)?;
        offset += entry.local_header().len() as u64 + entry.size;
        written.push(entry);
    }
    for ((path, content), entry) in entries(tree).zip(&mut written) {
        complete(path, content, entry, objects, output)?;
    }
    output.seek(SeekFrom::Start(offset)).map_err(ArchiveError::Finish)?;
    write_directory(&written, offset, output).map_err(ArchiveError::Finish)
}

/// Of an object the checksum is not known before it was read to its end.
fn write_entry(
    path: &RelPath,
    content: &Content,
    offset: u64,
    objects: &dyn Objects,
    output: &mut dyn Output,
) -> Result<Entry, ArchiveError> {
    let fail = |source| ArchiveError::Entry { path: path.clone(), source };
    let mut entry = Entry { name: path.as_str().into(), size: content.size(), crc32: 0, offset };
    if let Content::Page(bytes) = content {
        entry.crc32 = crc32fast::hash(bytes);
    }
    output.write_all(&entry.local_header()).map_err(fail)?;
    if matches!(content, Content::Page(_)) || told(content, objects).is_some() {
        copy(path, content, objects, output)?;
    } else {
        let mut body = Checked { output, crc: Crc::new() };
        copy(path, content, objects, &mut body)?;
        entry.crc32 = body.crc.finalize();
    }
    Ok(entry)
}

/// Writes the header of an object once more, with its checksum.
fn complete(
    path: &RelPath,
    content: &Content,
    entry: &mut Entry,
    objects: &dyn Objects,
    output: &mut dyn Output,
) -> Result<(), ArchiveError> {
    if matches!(content, Content::Page(_)) {
        return Ok(());
    }
    if let Some((checksums, sha256)) = told(content, objects) {
        entry.crc32 = checksums.crc32(sha256)?;
    }
    let again = output.seek(SeekFrom::Start(entry.offset)).and_then(|_| output.write_all(&entry.local_header()));
    again.map_err(|source| ArchiveError::Entry { path: path.clone(), source })
}

/// Who tells the checksum of an object, and of which.
fn told<'a>(content: &Content, objects: &'a dyn Objects) -> Option<(&'a dyn Checksums, Sha256)> {
    match content {
        Content::Object { sha256, .. } => Some((objects.checksums()?, *sha256)),
        _ => None,
    }
}

fn write_directory(entries: &[Entry], start: u64, output: &mut dyn Output) -> io::Result<()> {
    let mut size = 0;
    for entry in entries {
        let header = entry.central_header();
        output.write_all(&header)?;
        size += header.len() as u64;
    }
    output.write_all(&records::end(entries.len() as u64, start, size))
}

/// Passes bytes on and checksums them.
struct Checked<'a> {
    output: &'a mut dyn Output,
    crc: Crc,
}

impl Sink for Checked<'_> {}

impl Write for Checked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.output.write(bytes)?;
        self.crc.update(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
