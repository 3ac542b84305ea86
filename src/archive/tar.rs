//! Writes tar archives, plain or in a container.
//!
//! Headers are POSIX ustar; what does not fit into one is in a pax header before it.

use std::io::{self, Write};

use ::tar::{EntryType, Header};

use crate::domain::{RelPath, Tree};

use super::objects::{ArchiveOutput, ObjectSource};
use super::random_access::RandomAccessWriter;
use super::stored_container::{self, Container};
use super::{ArchiveError, entries};

pub const BLOCK: usize = 512;

/// The date of every file, 1980-01-01 UTC, as in a zip; old tars warn of 1970.
const DATE: u64 = 315_532_800;

/// The largest size that fits into twelve octal digits with an end mark.
const LARGEST_IN_USTAR: u64 = 0o777_7777_7777;

pub fn write(tree: &Tree, objects: &dyn ObjectSource, output: &mut dyn ArchiveOutput) -> Result<(), ArchiveError> {
    for (path, content) in entries(tree) {
        let fail = |source| ArchiveError::Entry { path: path.clone(), source };
        output.write_all(&header_bytes(path, content.size()).map_err(fail)?).map_err(fail)?;
        output.put(path, content, objects)?;
        write_padding(content.size(), output).map_err(fail)?;
    }
    output.write_all(&[0; 2 * BLOCK]).map_err(ArchiveError::Finish)
}

pub fn write_random_access(
    tree: &Tree,
    objects: &dyn ObjectSource,
    output: &mut RandomAccessWriter<'_>,
) -> Result<(), ArchiveError> {
    write(tree, objects, output)?;
    output.fill(objects, false).map(drop)
}

pub fn write_gzip(tree: &Tree, objects: &dyn ObjectSource, output: &mut dyn ArchiveOutput) -> Result<(), ArchiveError> {
    write_stored(Container::Gzip, tree, objects, output)
}

pub fn write_zstd(tree: &Tree, objects: &dyn ObjectSource, output: &mut dyn ArchiveOutput) -> Result<(), ArchiveError> {
    write_stored(Container::Zstd, tree, objects, output)
}

fn write_stored(
    container: Container,
    tree: &Tree,
    objects: &dyn ObjectSource,
    output: &mut dyn ArchiveOutput,
) -> Result<(), ArchiveError> {
    let mut stored = stored_container::begin(container, output).map_err(ArchiveError::Finish)?;
    write(tree, objects, &mut stored)?;
    stored.finish().map_err(ArchiveError::Finish)
}

/// Returns the header of a file of `size` bytes, preceded by a pax header if necessary.
///
/// # Errors
/// When no header can hold the path.
pub fn header_bytes(path: &RelPath, size: u64) -> io::Result<Vec<u8>> {
    let mut header = header(EntryType::Regular, size);
    let mut bytes = Vec::new();
    let fits = path.as_str().is_ascii() && header.set_path(path.as_str()).is_ok();
    let mut records = Vec::new();
    if !fits {
        header.set_path("long-name")?;
        records.extend(record("path", path.as_str()));
    }
    if size > LARGEST_IN_USTAR {
        records.extend(record("size", &size.to_string()));
    }
    if !records.is_empty() {
        write_pax(&records, &mut bytes)?;
    }
    header.set_cksum();
    bytes.extend(header.as_bytes());
    Ok(bytes)
}

/// Returns a header in which every field that could reveal a machine, a user or a time is fixed.
///
/// A size beyond [`LARGEST_IN_USTAR`] is written in binary, as tars without pax do.
fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(DATE);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn write_pax(records: &[u8], output: &mut dyn Write) -> io::Result<()> {
    let mut header = header(EntryType::XHeader, records.len() as u64);
    header.set_path("pax-header")?;
    header.set_cksum();
    output.write_all(header.as_bytes())?;
    output.write_all(records)?;
    write_padding(records.len() as u64, output)
}

/// Returns a pax record, `length key=value\n`, whose length counts its own digits, too.
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let digits = (1..).find(|digits| (rest.len() + digits).to_string().len() <= *digits).expect("lengths are finite");
    format!("{}{rest}", rest.len() + digits).into_bytes()
}

fn write_padding(size: u64, output: &mut dyn Write) -> io::Result<()> {
    let used = (size % BLOCK as u64) as usize;
    output.write_all(&[0; BLOCK][..(BLOCK - used) % BLOCK])
}

#[cfg(test)]
mod tests {
    use super::super::tests::path;
    use super::*;

    /// GNU tar 1.34 and Python's `tarfile` list the same from such a header.
    #[test]
    fn a_size_beyond_8_gib_is_told_twice() {
        let blocks = header_bytes(&path("large.whl"), 9 << 30).unwrap();
        assert_eq!(&blocks[BLOCK..][..19], b"19 size=9663676416\n");
        let header = Header::from_byte_slice(blocks[2 * BLOCK..].try_into().unwrap());
        assert_eq!(header.entry_size().unwrap(), 9 << 30);
    }

    #[test]
    fn a_record_counts_its_own_digits() {
        assert_eq!(record("path", "x"), b"9 path=x\n");
        assert_eq!(record("path", "xx"), b"11 path=xx\n");
        let long = record("path", &"x".repeat(90));
        assert_eq!((long.len(), &long[..4]), (99, &b"99 p"[..]));
        assert_eq!(record("path", &"x".repeat(91)).len(), 101);
    }
}
