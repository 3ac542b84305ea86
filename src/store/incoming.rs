//! Writes an object into the store: hashes its bytes, and checks them before they get a name.

use std::fs::File;
use std::io::{self, IoSlice, Write};

use super::atomic_file::{AtomicFile, ResumableFile};
use super::disk::DiskStore;
use super::error::StoreError;
use crate::domain::{BrokenPromise, Hasher, Object, Promises};

/// An object that is being written into the store. Dropped before [`Incoming::keep`], it leaves
/// nothing, or, once [`Incoming::keep_partial`] was called, what a later claim goes on with.
pub struct Incoming {
    store: DiskStore,
    file: AtomicFile,
    hasher: Hasher,
    promises: Promises,
    received: u64,
    /// How many of them an earlier run left.
    resumed: u64,
    origin: Option<String>,
}

impl Incoming {
    pub(super) fn new(store: DiskStore, file: AtomicFile, promises: Promises) -> Self {
        let hasher = Hasher::new(&promises.algorithms());
        Self { store, file, hasher, promises, received: 0, resumed: 0, origin: None }
    }

    /// Goes on with what `named` holds, unless that is more than was promised.
    pub(super) fn resume(store: DiskStore, mut named: ResumableFile, promises: Promises) -> Result<Self, StoreError> {
        let mut hasher = Hasher::new(&promises.algorithms());
        let received = named.read(|bytes| hasher.update(bytes)).map_err(|why| store.cannot_write(why))?;
        let origin = if received > 0 { named.origin() } else { None };
        let is_too_long = promises.size.is_some_and(|size| size < received);
        let mut incoming =
            Self { store, file: AtomicFile::Resumable(named), hasher, promises, received, resumed: received, origin };
        if is_too_long {
            incoming.restart()?;
        }
        Ok(incoming)
    }

    /// Bytes that are here.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Where they come from, as told to [`Incoming::keep_partial`].
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Lets what arrives outlive this run, however it ends, with a note of its origin.
    pub fn keep_partial(&mut self, origin: Option<&str>) {
        self.file.note_origin(origin);
    }

    /// Adds bytes, hashing them as they pass.
    ///
    /// # Errors
    /// When the disk does not take them, or they are more than was promised.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.write_all(&[bytes])
    }

    /// As [`Incoming::write`], for bytes in several parts.
    ///
    /// # Errors
    /// The same.
    pub fn write_all(&mut self, parts: &[impl AsRef<[u8]>]) -> Result<(), StoreError> {
        self.received += parts.iter().map(|part| part.as_ref().len() as u64).sum::<u64>();
        if let Some(expected) = self.promises.size.filter(|size| *size < self.received) {
            return Err(BrokenPromise::Size { expected, got: self.received }.into());
        }
        parts.iter().for_each(|part| self.hasher.update(part.as_ref()));
        write_vectored(self.file.file(), parts).map_err(|why| self.store.cannot_write(why))
    }

    /// Forgets all bytes.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        self.hasher = Hasher::new(&self.promises.algorithms());
        (self.received, self.resumed, self.origin) = (0, 0, None);
        self.file.clear().map_err(|why| self.store.cannot_write(why))
    }

    /// Checks every promise, flushes, and gives the bytes their name.
    ///
    /// # Errors
    /// When a promise is broken, or the disk does not take the bytes. Nothing is kept of bytes
    /// that broke a promise.
    pub fn keep(self) -> Result<Object, StoreError> {
        let (store, resumed) = (self.store.clone(), self.resumed);
        let object = self.keep_own()?;
        store.note_arrival(object.sha256, object.size - resumed);
        Ok(object)
    }

    /// The same for bytes that were at hand, which did not come from elsewhere.
    pub(super) fn keep_own(mut self) -> Result<Object, StoreError> {
        let hasher = std::mem::replace(&mut self.hasher, Hasher::new(&[]));
        let got = hasher.finish();
        if let Err(broken) = self.promises.check(&got) {
            self.restart()?;
            return Err(broken.into());
        }
        let store = self.store;
        let object = Object { sha256: got.sha256, size: got.size };
        store.place(self.file, object.sha256).map_err(|why| store.cannot_write(why))?;
        for digest in self.promises.algorithms().into_iter().map(|algorithm| got.digest(algorithm)) {
            store.add_alias(&digest, object.sha256).map_err(|why| store.cannot_write(why))?;
        }
        Ok(object)
    }
}

/// Writes all parts, as many at a time as the platform takes.
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
