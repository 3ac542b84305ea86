//! Numbers and extra fields in the records of a zip archive.

use std::io::{self, Read, Seek, SeekFrom};

use super::super::super::zip::records::{EXTRA_64, LARGE, LOCAL, LOCAL_LENGTH};

/// Little-endian numbers in a record that is known to be long enough.
pub struct Fields<B>(pub B);

impl Fields<Vec<u8>> {
    pub fn read<const LENGTH: usize>(reader: &mut impl Read) -> io::Result<Self> {
        let mut bytes = [0; LENGTH];
        reader.read_exact(&mut bytes)?;
        Ok(Self(bytes.to_vec()))
    }

    /// Reads the fixed part of the local header at `offset`.
    ///
    /// # Errors
    /// When it cannot be read, or something else is there.
    pub fn read_local_header(reader: &mut (impl Read + Seek), offset: u64) -> io::Result<Self> {
        reader.seek(SeekFrom::Start(offset))?;
        let fixed = Self::read::<LOCAL_LENGTH>(reader)?;
        match fixed.bytes(0, 4) == LOCAL {
            true => Ok(fixed),
            false => Err(io::Error::other("its header is not where the directory says")),
        }
    }
}

impl<B: AsRef<[u8]>> Fields<B> {
    pub fn bytes(&self, at: usize, length: usize) -> &[u8] {
        &self.0.as_ref()[at..at + length]
    }

    fn number(&self, at: usize, length: usize) -> u64 {
        self.bytes(at, length).iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    pub fn u16(&self, at: usize) -> u16 {
        self.number(at, 2) as u16
    }

    pub fn u32(&self, at: usize) -> u32 {
        self.number(at, 4) as u32
    }

    pub fn u64(&self, at: usize) -> u64 {
        self.number(at, 8)
    }

    /// Returns a 32-bit number, or the next of the numbers `large` of the zip64 field if it refers to that.
    pub fn u32_or_large(&self, at: usize, large: &mut impl Iterator<Item = u64>) -> u64 {
        match u64::from(self.u32(at)) {
            LARGE => large.next().unwrap_or(LARGE),
            small => small,
        }
    }
}

/// Returns the extra fields with their ids, up to the first that is cut off.
pub fn extra_fields(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = extra.split_at_checked(4)?;
        let (field, rest) = rest.split_at_checked(usize::from(Fields(head).u16(2)))?;
        extra = rest;
        Some((Fields(head).u16(0), field))
    })
}

/// Returns the numbers of the zip64 field, in the order of the fields that they replace.
pub fn large_numbers(extra: &[u8]) -> impl Iterator<Item = u64> {
    let field = extra_fields(extra).filter(|(id, _)| *id == EXTRA_64).last().map_or(&[][..], |(_, field)| field);
    field.chunks_exact(8).map(|bytes| Fields(bytes).u64(0))
}
