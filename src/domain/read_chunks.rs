//! Reading to the end in chunks: the one loop for all that is hashed or copied while it passes.

use std::io::{self, Read};

/// Bytes that are read at once.
pub const CHUNK_SIZE: usize = 256 << 10;

/// Hands all that `input` has left to `take`, in chunks.
///
/// # Errors
/// When it cannot be read, and the errors of `take`.
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
