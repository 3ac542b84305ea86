//! The body of a response that is a file which is still being fetched.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio::sync::watch;

use crate::ops::arrival::{Arrival, ArrivalStage};

/// The number of bytes that are read at once.
const PIECE: usize = 64 << 10;

/// A file that arrives, from its beginning.
#[derive(Clone, Debug)]
pub struct ArrivingFile {
    arrival: watch::Receiver<Arrival>,
    file: Arc<File>,
    attempt: u32,
    /// The size in bytes, if the server that it comes from states it.
    pub size: Option<u64>,
}

/// The body that a client gets.
pub type ArrivingBody = StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>;

impl ArrivingFile {
    /// Returns the file of a download; `None` if nothing of it is there yet, or all of it is.
    pub(in crate::ops) fn of(arrival: &watch::Receiver<Arrival>) -> Option<Self> {
        let now = arrival.borrow();
        match &now.stage {
            ArrivalStage::Partial { file, .. } => {
                let (file, attempt, size) = (file.clone(), now.attempt, now.size);
                Some(Self { arrival: arrival.clone(), file, attempt, size })
            }
            _ => None,
        }
    }

    /// Returns the bytes as they arrive; an error ends them if the file turns out to be wrong, so that no
    /// client takes it for complete.
    pub fn into_body(self) -> ArrivingBody {
        let pieces = stream::try_unfold((self, 0), |(mut file, position)| async move {
            let piece = file.piece(position).await?;
            let next = position + piece.len() as u64;
            Ok((!piece.is_empty()).then(|| (Frame::data(piece), (file, next))))
        });
        StreamBody::new(pieces.boxed())
    }

    /// Waits for bytes at `position`; there are none if the file ends there.
    async fn piece(&mut self, position: u64) -> io::Result<Bytes> {
        loop {
            let (written, is_whole) = self.written()?;
            if position < written {
                let length = usize::try_from(written - position).unwrap_or(PIECE).min(PIECE);
                return read_at(&self.file, position, length);
            }
            if is_whole {
                return Ok(Bytes::new());
            }
            self.arrival.changed().await.map_err(io::Error::other)?;
        }
    }

    /// Returns how many bytes may be passed on, and whether these are all.
    ///
    /// One byte is held back until the digest was checked, so that nobody has a wrong file whole.
    fn written(&mut self) -> io::Result<(u64, bool)> {
        let now = self.arrival.borrow_and_update();
        match &now.stage {
            _ if now.attempt != self.attempt => Err(io::Error::other("the download was begun anew")),
            ArrivalStage::Awaited => Ok((0, false)),
            ArrivalStage::Partial { written, .. } => Ok((written.saturating_sub(1), false)),
            ArrivalStage::Stored(object) => Ok((object.size, true)),
            ArrivalStage::Failed(why) => Err(io::Error::other(why.to_string())),
        }
    }
}

/// Reads exactly `length` bytes, wherever another reader of the file is.
fn read_at(file: &File, position: u64, length: usize) -> io::Result<Bytes> {
    let mut piece = vec![0; length];
    read_exact_at(file, &mut piece, position)?;
    Ok(piece.into())
}

#[cfg(unix)]
fn read_exact_at(file: &File, piece: &mut [u8], position: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, piece, position)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut piece: &mut [u8], mut position: u64) -> io::Result<()> {
    while !piece.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, piece, position)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => (piece, position) = (&mut piece[read..], position + read as u64),
        }
    }
    Ok(())
}
