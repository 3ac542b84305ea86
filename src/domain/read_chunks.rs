//! Reads to the end in chunks, for everything that is hashed or copied while it is read.

use std::io::{self, Read};

/// The number of bytes that are read at once.
pub const CHUNK_SIZE: usize = 256 << 10;

/// Passes everything that `input` has left to `take`, in chunks.
///
/// # Errors
/// When `input` cannot be read, or `take` fails.
pub fn read_chunks<E: From<io::Error>>(
    input: &mut (impl Read + ?Sized),
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut chunk = vec![0; CHUNK_SIZE];
    loop {
        match input.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(length) => take(&chunk[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
