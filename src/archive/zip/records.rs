//! The records of a zip archive as this program writes them (APPNOTE 6.3.10): files are stored,
//! have one date, and zip64 is used only where numbers are too large.

/// The data of an entry that is in both of its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZipEntry {
    pub name: Vec<u8>,
    /// Size in bytes.
    pub size: u64,
    pub crc32: u32,
    /// The offset of its local header.
    pub offset: u64,
}

pub const LOCAL: [u8; 4] = *b"PK\x03\x04";
pub const CENTRAL: [u8; 4] = *b"PK\x01\x02";
pub const END: [u8; 4] = *b"PK\x05\x06";
pub const END_64: [u8; 4] = *b"PK\x06\x06";
pub const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";

/// The lengths of records in bytes, without their variable fields.
pub const LOCAL_LENGTH: usize = 30;
pub const CENTRAL_LENGTH: usize = 46;
pub const END_LENGTH: usize = 22;
pub const END_64_LENGTH: usize = 56;
pub const LOCATOR_64_LENGTH: usize = 20;

/// The value of a 32-bit field that says that the real number is in the zip64 field.
pub const LARGE: u64 = u32::MAX as u64;
/// The value of a 16-bit count that says the same.
pub const MANY: u64 = u16::MAX as u64;

/// The id of the zip64 extra field.
pub const EXTRA_64: u16 = 1;

/// The date of every entry: 1980-01-01, the first that a zip can state.
const DATE: u16 = (1 << 5) | 1;
const STORED: u16 = 0;
/// The zip version that a reader must support: 1.0, or 4.5 for zip64.
const VERSION: u16 = 10;
const VERSION_64: u16 = 45;
const UNIX: u16 = 3 << 8;
/// The flag for names in UTF-8.
const UTF8: u16 = 1 << 11;
/// A regular file that everybody may read, in the high half as on Unix.
const REGULAR: u32 = 0o100_644 << 16;

impl ZipEntry {
    /// Returns the local header, which precedes the file's bytes.
    pub fn local_header(&self) -> Vec<u8> {
        let mut record = LOCAL.to_vec();
        let extra = if self.is_large() { extra(&[self.size, self.size]) } else { Vec::new() };
        put16(&mut record, &[if self.is_large() { VERSION_64 } else { VERSION }]);
        self.put_common(&mut record, &extra);
        record.extend(&self.name);
        record.extend(extra);
        record
    }

    /// Returns the header in the directory.
    pub fn central_header(&self) -> Vec<u8> {
        let mut record = CENTRAL.to_vec();
        let sizes = if self.is_large() { vec![self.size, self.size] } else { Vec::new() };
        let offset = (self.offset >= LARGE).then_some(self.offset);
        let large: Vec<_> = sizes.into_iter().chain(offset).collect();
        let extra = if large.is_empty() { Vec::new() } else { extra(&large) };
        let version = if large.is_empty() { VERSION } else { VERSION_64 };
        put16(&mut record, &[UNIX | version, version]);
        self.put_common(&mut record, &extra);
        put16(&mut record, &[0, 0, 0]);
        put32(&mut record, &[REGULAR, clamped(self.offset)]);
        record.extend(&self.name);
        record.extend(extra);
        record
    }

    /// Appends the fields that both headers have, in the same order.
    fn put_common(&self, record: &mut Vec<u8>, extra: &[u8]) {
        let flags = if self.name.is_ascii() { 0 } else { UTF8 };
        put16(record, &[flags, STORED, 0, DATE]);
        put32(record, &[self.crc32, clamped(self.size), clamped(self.size)]);
        put16(record, &[self.name.len() as u16, extra.len() as u16]);
    }

    fn is_large(&self) -> bool {
        self.size >= LARGE
    }
}

/// Returns the records after a directory of `count` headers in `size` bytes from `start` on.
pub fn end(count: u64, start: u64, size: u64) -> Vec<u8> {
    let mut record = Vec::new();
    if count >= MANY || start >= LARGE || size >= LARGE {
        record.extend(END_64);
        put64(&mut record, &[44]);
        put16(&mut record, &[UNIX | VERSION_64, VERSION_64]);
        put32(&mut record, &[0, 0]);
        put64(&mut record, &[count, count, size, start]);
        record.extend(LOCATOR_64);
        put32(&mut record, &[0]);
        put64(&mut record, &[start + size]);
        put32(&mut record, &[1]);
    }
    let count = count.min(MANY) as u16;
    record.extend(END);
    put16(&mut record, &[0, 0, count, count]);
    put32(&mut record, &[clamped(size), clamped(start)]);
    put16(&mut record, &[0]);
    record
}

fn extra(numbers: &[u64]) -> Vec<u8> {
    let mut field = Vec::new();
    put16(&mut field, &[EXTRA_64, (numbers.len() * 8) as u16]);
    put64(&mut field, numbers);
    field
}

fn clamped(number: u64) -> u32 {
    number.min(LARGE) as u32
}

fn put16(record: &mut Vec<u8>, numbers: &[u16]) {
    record.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn put32(record: &mut Vec<u8>, numbers: &[u32]) {
    record.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn put64(record: &mut Vec<u8>, numbers: &[u64]) {
    record.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}
