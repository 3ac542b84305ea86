//! The body of a response that is a part of a file.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::archive::Extent;

/// About how many bytes the pieces of all running responses have together.
const TOGETHER: usize = 4 << 20;

/// The sizes in bytes of the smallest and of the largest piece.
const PIECES: [usize; 2] = [8 << 10, 64 << 10];

/// A counter of the responses that are under way: each holds a reference to it.
pub type RunningResponses = Arc<()>;

/// A part of a file, which is read piece by piece, as fast as the client takes it.
///
/// A piece is read at once, and not on a thread for waiting: it mostly is in memory already, and the
/// hand-over would cost more than the reading.
pub struct FileBody {
    file: File,
    left: u64,
    running: RunningResponses,
}

impl FileBody {
    /// Makes the body with the bytes of `extent` in `file`.
    ///
    /// # Errors
    /// When the file cannot be read from there.
    pub fn new(mut file: File, extent: &Extent, running: &RunningResponses) -> io::Result<Self> {
        file.seek(SeekFrom::Start(extent.start))?;
        Ok(Self { file, left: extent.size, running: running.clone() })
    }

    fn next_piece(&self) -> usize {
        let [least, most] = PIECES;
        let share = (TOGETHER / Arc::strong_count(&self.running)).clamp(least, most);
        usize::try_from(self.left).unwrap_or(usize::MAX).min(share)
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    /// Returns the next piece; an error if the file is shorter.
    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = vec![0; self.next_piece()];
        let read = self.file.read_exact(&mut piece);
        self.left -= piece.len() as u64;
        Poll::Ready(Some(read.map(|()| Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
