//! Writes an object into the store: hashes its bytes, and checks them before the object gets its
//! name.

use std::fs::File;
use std::io::{self, IoSlice, Write};

use super::atomic_file::{AtomicFile, ResumableFile};
use super::disk::DiskStore;
use super::error::StoreError;
use crate::domain::{ContentMismatch, ExpectedContent, Hasher, Object};

/// An object that is being written into the store.
///
/// Dropped before [`Incoming::keep`], it leaves nothing, or, after [`Incoming::keep_partial`], a
/// partial file that a later claim resumes.
pub struct Incoming {
    store: DiskStore,
    file: AtomicFile,
    hasher: Hasher,
    expected: ExpectedContent,
    received: u64,
    /// The number of bytes that an earlier run left.
    resumed: u64,
    origin: Option<String>,
}

impl Incoming {
    pub(super) fn new(store: DiskStore, file: AtomicFile, expected: ExpectedContent) -> Self {
        let hasher = Hasher::new(&expected.algorithms());
        Self { store, file, hasher, expected, received: 0, resumed: 0, origin: None }
    }

    /// Resumes the object in `named`, unless that has more bytes than promised.
    pub(super) fn resume(
        store: DiskStore,
        mut named: ResumableFile,
        expected: ExpectedContent,
    ) -> Result<Self, StoreError> {
        let mut hasher = Hasher::new(&expected.algorithms());
        let received = named.read(|bytes| hasher.update(bytes)).map_err(|why| store.cannot_write(why))?;
        let origin = if received > 0 { named.origin() } else { None };
        let is_too_long = expected.size.is_some_and(|size| size < received);
        let mut incoming =
            Self { store, file: AtomicFile::Resumable(named), hasher, expected, received, resumed: received, origin };
        if is_too_long {
            incoming.restart()?;
        }
        Ok(incoming)
    }

    /// Returns the number of bytes so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Opens the file once more, to read what is written so far; it can be read to its end also after
    /// it got its name.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self) -> Result<File, StoreError> {
        self.file.reopen().map_err(|why| self.store.cannot_write(why))
    }

    /// Returns the origin of the bytes, as passed to [`Incoming::keep_partial`].
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Lets the bytes outlive this run, however it ends, with a record of their origin.
    pub fn keep_partial(&mut self, origin: Option<&str>) {
        self.file.note_origin(origin);
    }

    /// Adds and hashes bytes.
    ///
    /// # Errors
    /// When they cannot be written, or are more than promised.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.write_all(&[bytes])
    }

    /// Adds and hashes bytes in several parts.
    ///
    /// # Errors
    /// As [`Incoming::write`].
    pub fn write_all(&mut self, parts: &[impl AsRef<[u8]>]) -> Result<(), StoreError> {
        self.received += parts.iter().map(|part| part.as_ref().len() as u64).sum::<u64>();
        if let Some(expected) = self.expected.size.filter(|size| *size < self.received) {
            return Err(ContentMismatch::Size { expected, got: self.received }.into());
        }
        parts.iter().for_each(|part| self.hasher.update(part.as_ref()));
        write_vectored(self.file.file(), parts).map_err(|why| self.store.cannot_write(why))
    }

    /// Discards all bytes.
    ///
    /// # Errors
    /// When the file cannot be truncated.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        self.hasher = Hasher::new(&self.expected.algorithms());
        (self.received, self.resumed, self.origin) = (0, 0, None);
        self.file.clear().map_err(|why| self.store.cannot_write(why))
    }

    /// Checks the size and digests, flushes, and gives the object its name.
    ///
    /// # Errors
    /// When the size or a digest differs, or the object cannot be written. Wrong bytes are not
    /// kept.
    pub fn keep(self) -> Result<Object, StoreError> {
        let (store, resumed) = (self.store.clone(), self.resumed);
        let object = self.keep_uncounted()?;
        store.note_arrival(object.sha256, object.size - resumed);
        Ok(object)
    }

    /// Keeps an object as [`Incoming::keep`] does, without counting its bytes as received.
    pub(super) fn keep_uncounted(mut self) -> Result<Object, StoreError> {
        let hasher = std::mem::replace(&mut self.hasher, Hasher::new(&[]));
        let got = hasher.finish();
        if let Err(broken) = self.expected.check(&got) {
            self.restart()?;
            return Err(broken.into());
        }
        let store = self.store;
        let object = Object { sha256: got.sha256, size: got.size };
        store.place(self.file, object.sha256).map_err(|why| store.cannot_write(why))?;
        for digest in self.expected.algorithms().into_iter().map(|algorithm| got.digest(algorithm)) {
            store.add_alias(&digest, object.sha256).map_err(|why| store.cannot_write(why))?;
        }
        Ok(object)
    }
}

/// Writes all parts, as many at a time as the platform allows.
fn write_vectored(file: &mut File, parts: &[impl AsRef<[u8]>]) -> io::Result<()> {
    let mut slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part.as_ref())).collect();
    let mut rest = slices.as_mut_slice();
    // Without this, empty parts would look like a disk that takes nothing.
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
