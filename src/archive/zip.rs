//! Zip archives. Everything is stored: wheels are compressed already.

pub mod records;

use std::io::{self, SeekFrom, Write};

use crc32fast::Hasher as Crc;

use crate::domain::{Content, RelPath, Tree};

use super::objects::{Objects, Sink, copy};
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
    write_directory(&written, offset, output).map_err(ArchiveError::Finish)
}

fn write_entry(
    path: &RelPath,
    content: &Content,
    offset: u64,
    objects: &dyn Objects,
    output: &mut dyn Output,
) -> Result<Entry, ArchiveError> {
    let fail = |source| ArchiveError::Entry { path: path.clone(), source };
    let mut entry = Entry { name: path.as_str().into(), size: content.size(), crc32: 0, offset };
    output.write_all(&entry.local_header()).map_err(fail)?;
    let mut body = Checked { output: &mut *output, crc: Crc::new() };
    copy(path, content, objects, &mut body)?;
    entry.crc32 = body.crc.finalize();
    write_again(&entry, output).map_err(fail)?;
    Ok(entry)
}

/// The header once more, since only now its checksum is known.
fn write_again(entry: &Entry, output: &mut dyn Output) -> io::Result<()> {
    let end = output.stream_position()?;
    let header = entry.local_header();
    output.seek(SeekFrom::Start(end - entry.size - header.len() as u64))?;
    output.write_all(&header)?;
    output.seek(SeekFrom::Start(end)).map(drop)
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
