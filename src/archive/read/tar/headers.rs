//! The headers of a file in a tar archive, and what programs that unpack it read in different ways.

use std::io;

use ::tar::{EntryType, Header};

/// A header together with its extension headers.
pub struct TarHeader {
    pub name: Vec<u8>,
    pub size: u64,
    pub kind: EntryType,
    /// What programs that unpack it may understand in another way.
    pub ambiguity: Option<&'static str>,
    /// The bytes of all these headers.
    pub raw: Vec<u8>,
}

/// What extension headers say of the file that follows.
#[derive(Default)]
pub struct Extensions {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    ambiguity: Option<&'static str>,
}

impl Extensions {
    pub fn name(&mut self, name: &[u8]) {
        if self.name.as_ref().is_some_and(|other| other != name) {
            self.ambiguity = Some("it has a second name");
        }
        self.name = Some(name.to_vec());
    }

    /// Parses pax records, `length key=value\n`.
    pub fn records(&mut self, text: &[u8]) {
        for record in ::tar::PaxExtensions::new(text) {
            match record.as_ref().map(|record| (record.key_bytes(), record.value_bytes())) {
                Ok((b"path", name)) => self.name(name),
                Ok((b"size", _)) => self.size = record.ok().and_then(|record| record.value().ok()?.parse().ok()),
                Ok((key, _)) if key.starts_with(SPARSE) => self.ambiguity = Some("it is a sparse file for some"),
                Ok(_) => {}
                Err(_) => self.ambiguity = Some("a header of it cannot be read"),
            }
        }
    }

    /// Parses the records of a header for all files that follow.
    pub fn global_records(&mut self, text: &[u8]) {
        let mut records = ::tar::PaxExtensions::new(text);
        let is_of_one = |key: &[u8]| matches!(key, b"path" | b"size" | b"linkpath") || key.starts_with(SPARSE);
        if records.any(|record| record.map_or(true, |record| is_of_one(record.key_bytes()))) {
            self.ambiguity = Some("a header for all files names one");
        }
    }

    /// Makes the header of a file.
    pub fn header(self, header: &Header, raw: Vec<u8>) -> io::Result<TarHeader> {
        let kind = header.entry_type();
        let small = if has_bytes(kind) { header.entry_size() } else { Ok(0) };
        let is_other = self.size.is_some_and(|size| small.as_ref().is_ok_and(|small| ![0, size].contains(small)));
        let other_size = is_other.then_some("it has a second size");
        // Some programs put this field before any name, others only where the format has it.
        let is_prefixed = header.as_ustar().is_none() && header.as_bytes()[PREFIX].iter().any(|byte| *byte != 0);
        let prefix = is_prefixed.then_some("it has a second name");
        let size = if has_bytes(kind) { self.size.map_or(small, Ok)? } else { 0 };
        let name = self.name.unwrap_or_else(|| header.path_bytes().into_owned());
        Ok(TarHeader { name, size, kind, ambiguity: self.ambiguity.or(other_size).or(prefix), raw })
    }
}

/// The prefix of the keys of pax records with which GNU tar marks a sparse file, and gives it another name.
const SPARSE: &[u8] = b"GNU.sparse.";

/// The bytes of a header that begin the path in the format `ustar`.
const PREFIX: std::ops::Range<usize> = 345..500;

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
