//! The body of a response that is a part of a file.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::pin::Pin;

use bytes::Bytes;
use futures::Stream;
use futures::stream::try_unfold;
use http_body_util::StreamBody;
use hyper::body::Frame;

use crate::archive::Extent;

/// The number of bytes that are read at once; a thousand running responses hold twice as much each.
const PIECE: u64 = 64 << 10;

/// The frames of a part of a file.
type Frames = Pin<Box<dyn Stream<Item = std::io::Result<Frame<Bytes>>> + Send>>;

/// The body: it is read piece by piece, as fast as the client takes it.
pub type FileBody = StreamBody<Frames>;

/// Returns the body with the bytes of `extent` in `file`; it ends with an error if the file is
/// shorter.
pub fn file_body(file: File, extent: &Extent) -> FileBody {
    let state = (file, extent.start, extent.start + extent.size);
    StreamBody::new(Box::pin(try_unfold(state, |(file, at, end)| async move {
        if at == end {
            return Ok(None);
        }
        let length = (end - at).min(PIECE);
        let (file, piece) = tokio::task::spawn_blocking(move || read(file, at, length)).await??;
        Ok(Some((Frame::data(piece), (file, at + length, end))))
    })))
}

/// Returns the file, and `length` of its bytes from the position `at`.
fn read(mut file: File, at: u64, length: u64) -> std::io::Result<(File, Bytes)> {
    let mut piece = vec![0; length as usize];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut piece)?;
    Ok((file, piece.into()))
}
