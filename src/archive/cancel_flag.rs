//! The flag that stops work on other threads.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that tells work on another thread to stop.
pub type CancelFlag = Arc<AtomicBool>;

/// Fails once `cancel` is set.
///
/// # Errors
/// When `cancel` is set.
pub fn check_cancelled(cancel: &AtomicBool) -> io::Result<()> {
    if cancel.load(Ordering::Relaxed) { Err(io::Error::other("interrupted")) } else { Ok(()) }
}

/// A reader that fails once its flag is set.
pub struct CancellableReader<'a, R> {
    inner: R,
    cancel: &'a AtomicBool,
}

impl<'a, R> CancellableReader<'a, R> {
    pub fn new(inner: R, cancel: &'a AtomicBool) -> Self {
        Self { inner, cancel }
    }
}

impl<R: Read> Read for CancellableReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        check_cancelled(self.cancel)?;
        self.inner.read(buffer)
    }
}

impl<R: Seek> Seek for CancellableReader<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
