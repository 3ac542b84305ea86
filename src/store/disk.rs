//! The content-addressed store in a folder.
//!
//! An object appears under its name only by a rename, after its bytes were checked and flushed. So
//! readers need no lock, and any number of processes may write at once: they can only write the
//! same bytes. Its [seal](super::seal) tells whether it was written to since.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::atomic_file::AtomicFile;
use super::error::StoreError;
use super::seal::{is_sealed, seal};
use crate::cache_folder::{CacheBucket, CacheLayout, Readers, is_same_file};
use crate::domain::{Algorithm, Digest, ExpectedContent, Fingerprint, Object, Sha256, read_chunks};
use crate::regular_file;

/// The content-addressed store in a cache folder.
#[derive(Clone, Debug)]
pub struct DiskStore {
    layout: CacheLayout,
    objects: PathBuf,
    /// The objects that were added by this process, with the number of bytes received for each.
    arrived: Arc<Mutex<HashMap<Sha256, u64>>>,
}

impl DiskStore {
    /// Makes the store in the cache folder `root`, which is created when something is first
    /// written.
    pub fn new(root: PathBuf) -> Self {
        let layout = CacheLayout::new(root);
        Self { objects: layout.folder(CacheBucket::Objects), layout, arrived: Arc::default() }
    }

    /// Returns the cache folder.
    pub fn root(&self) -> &Path {
        self.layout.root()
    }

    /// Returns the layout of the cache folder.
    pub fn layout(&self) -> &CacheLayout {
        &self.layout
    }

    /// Returns the path of an object with this digest, whether it exists or not.
    pub fn path(&self, sha256: Sha256) -> PathBuf {
        let name = sha256.to_string();
        self.objects.join(&name[..2]).join(&name[2..])
    }

    /// Returns the object with this digest, if the store has it.
    ///
    /// That is one `stat`, unless the object may have been written to since it was checked; then it
    /// is hashed again, and removed if its bytes differ.
    pub fn find(&self, sha256: Sha256) -> Option<Object> {
        let metadata = fs::symlink_metadata(self.path(sha256)).ok()?;
        match metadata.is_file() && is_sealed(&metadata, sha256) {
            true => Some(Object { sha256, size: metadata.len() }),
            false => self.check_again(sha256).ok()?,
        }
    }

    /// Hashes the file under the name of an object; returns `None` and removes it if its bytes
    /// differ.
    ///
    /// # Errors
    /// When it cannot be read or removed, which says nothing about its bytes.
    pub fn check_again(&self, sha256: Sha256) -> io::Result<Option<Object>> {
        let path = self.path(sha256);
        let (mut file, metadata) = match regular_file::open_no_follow(&path) {
            Ok(opened) => opened,
            Err(why) if fs::symlink_metadata(&path).is_ok_and(|named| named.is_file()) => return Err(why),
            Err(_) => return self.remove(sha256).map(|()| None),
        };
        let found = Fingerprint::read(&mut file, &[])?;
        if found.sha256 == sha256 {
            // Without a seal it is hashed again the next time.
            let _ = seal(&file, sha256);
            return Ok(Some(Object { sha256, size: found.size }));
        }
        // Another process may have replaced it meanwhile.
        if fs::symlink_metadata(&path).is_ok_and(|named| is_same_file(&named, &metadata)) {
            self.remove(sha256)?;
        }
        Ok(None)
    }

    /// Returns the object with the digests of `expected`, if they name one; asks the disk only.
    pub fn find_expected(&self, expected: &ExpectedContent) -> Option<Object> {
        let named = expected.sha256().or_else(|| {
            let digests = expected.by_index.iter().chain(&expected.by_user);
            digests.filter_map(|digest| self.alias_target(digest)).next()
        });
        let object = self.find(named?)?;
        self.has_digests(object, expected).then_some(object)
    }

    /// Whether an object has the digests of `expected`; its size is ignored, since sizes on pages
    /// are often wrong.
    ///
    /// Digests by other algorithms are remembered, and computed if they are not known.
    fn has_digests(&self, object: Object, expected: &ExpectedContent) -> bool {
        let is_known = |digest: &Digest| match digest.algorithm {
            Algorithm::Sha256 => digest.as_sha256() == Some(object.sha256),
            _ => self.alias_target(digest) == Some(object.sha256),
        };
        let is_kept = expected.by_user.is_empty() || expected.by_user.iter().any(is_known);
        if is_kept && expected.by_index.iter().all(is_known) {
            return true;
        }
        let algorithms = expected.algorithms();
        let hashed = self.open(object.sha256).and_then(|mut file| {
            Fingerprint::read(&mut file, &algorithms).map_err(|why| StoreError::Read { sha256: object.sha256, why })
        });
        let Ok(found) = hashed else { return false };
        let digests = ExpectedContent { size: None, ..expected.clone() };
        let is_kept = found.sha256 == object.sha256 && digests.check(&found).is_ok();
        if is_kept {
            // What is not remembered is worked out again.
            let _ = algorithms.iter().try_for_each(|algorithm| self.add_alias(&found.digest(*algorithm), found.sha256));
        }
        is_kept
    }

    /// Returns how many bytes were received for an object by this process; `None` if it existed
    /// before.
    pub fn arrived(&self, sha256: Sha256) -> Option<u64> {
        self.arrived.lock().get(&sha256).copied()
    }

    /// Returns how many objects were added by this process, and how many bytes were received for
    /// them.
    pub fn arrivals(&self) -> (usize, u64) {
        let arrived = self.arrived.lock();
        (arrived.len(), arrived.values().sum())
    }

    /// Opens an object for reading.
    ///
    /// # Errors
    /// When the object does not exist or cannot be read.
    pub fn open(&self, sha256: Sha256) -> Result<File, StoreError> {
        regular_file::open_no_follow(&self.path(sha256))
            .map(|(file, _)| file)
            .map_err(|why| StoreError::Read { sha256, why })
    }

    /// Returns the free space of the store's disk in bytes, if the system states it.
    pub fn free_space(&self) -> Option<u64> {
        let folder = self.root().ancestors().find(|folder| folder.exists())?;
        fs4::available_space(folder).ok()
    }

    /// Checks that the disk has space for `needed` more bytes.
    ///
    /// # Errors
    /// When it has not; if the free space is unknown, a later write will fail instead.
    pub fn check_space(&self, needed: u64) -> Result<(), StoreError> {
        match self.free_space() {
            Some(free) if free < needed => Err(StoreError::Full { folder: self.root().to_owned(), needed, free }),
            _ => Ok(()),
        }
    }

    /// Adds an object with these bytes.
    ///
    /// # Errors
    /// When the object cannot be written.
    pub fn insert(&self, bytes: &[u8]) -> Result<Object, StoreError> {
        let size = bytes.len() as u64;
        if let Some(held) = self.find(Sha256::of(bytes)).filter(|held| held.size == size) {
            return Ok(held);
        }
        let mut incoming = self.begin(ExpectedContent { size: Some(size), ..ExpectedContent::default() })?;
        incoming.write(bytes)?;
        incoming.keep_uncounted()
    }

    /// Adds all of `source` as an object, with its digests of `algorithms`; returns whether it
    /// existed before.
    ///
    /// `source` is read once if the object exists, else twice.
    ///
    /// # Errors
    /// When `source` cannot be read or the object not written.
    pub fn take(&self, mut source: impl Read + Seek, algorithms: &[Algorithm]) -> Result<(Object, bool), StoreError> {
        let fail = |why| self.cannot_write(why);
        source.rewind().map_err(fail)?;
        let fingerprint = Fingerprint::read(&mut source, algorithms).map_err(fail)?;
        let object = Object { sha256: fingerprint.sha256, size: fingerprint.size };
        let was_held = self.find(object.sha256) == Some(object);
        if !was_held {
            let mut incoming =
                self.begin(ExpectedContent { by_index: vec![object.sha256.into()], ..ExpectedContent::default() })?;
            source.rewind().map_err(fail)?;
            read_chunks(&mut source, |chunk| incoming.write(chunk).map_err(io::Error::other)).map_err(fail)?;
            incoming.keep_uncounted()?;
        }
        let names = algorithms.iter().map(|algorithm| fingerprint.digest(*algorithm));
        names.into_iter().try_for_each(|digest| self.add_alias(&digest, object.sha256)).map_err(fail)?;
        Ok((object, was_held))
    }

    fn alias_target(&self, digest: &Digest) -> Option<Sha256> {
        postcard::from_bytes(&self.layout.read(&self.alias_path(digest)?)?).ok()
    }

    /// Returns the path of an alias; `None` for invalid hex, which must not become a path, and for
    /// SHA-256, which needs no alias.
    fn alias_path(&self, digest: &Digest) -> Option<PathBuf> {
        let hex = digest.hex.to_ascii_lowercase();
        let is_hex = hex.len() >= 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_other = is_hex && digest.algorithm != Algorithm::Sha256;
        is_other.then(|| self.layout.folder(CacheBucket::Aliases).join(digest.algorithm.name()).join(hex))
    }
}

impl DiskStore {
    /// Records another digest of an object, replacing an earlier record of that digest.
    pub(super) fn add_alias(&self, digest: &Digest, sha256: Sha256) -> io::Result<()> {
        let Some(path) = self.alias_path(digest) else { return Ok(()) };
        let bytes = postcard::to_stdvec(&sha256).expect("a digest can always be encoded");
        self.layout.write(&path, &[&bytes], Readers::Umask).map(drop)
    }

    /// Flushes `file`, which was found to be the object `sha256`, and renames it to its final name.
    pub(super) fn place(&self, mut file: AtomicFile, sha256: Sha256) -> io::Result<()> {
        let path = self.path(sha256);
        make_read_only(file.file());
        // Without a seal it is hashed before it is used.
        let _ = seal(file.file(), sha256);
        file.file().sync_data()?;
        match self.layout.rename_into_place(file, &path, |file, path| file.rename(path)) {
            // Another process was first, on a system that refuses to replace a read-only file.
            Err(error) if self.find(sha256).is_none() => Err(error),
            _ => Ok(()),
        }
    }

    /// Records that `received` bytes of an object came from elsewhere.
    pub(super) fn note_arrival(&self, sha256: Sha256, received: u64) {
        self.arrived.lock().insert(sha256, received);
    }

    pub(super) fn cannot_write(&self, why: io::Error) -> StoreError {
        StoreError::Write { folder: self.root().to_owned(), why }
    }
}

/// Makes an object readable for all and writable for nobody, since it is shared by hard links; on
/// file systems without permissions this has no effect.
#[cfg(unix)]
fn make_read_only(file: &File) {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o444);
    let _ = file.set_permissions(permissions);
}

/// Does nothing: Windows neither replaces nor removes read-only files, and links share the flag.
#[cfg(not(unix))]
fn make_read_only(_file: &File) {}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn store() -> (tempfile::TempDir, DiskStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::new(folder.path().join("store"));
        (folder, store)
    }

    pub fn files_below(folder: &Path) -> usize {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 }).sum()
    }

    #[test]
    fn what_is_kept_is_found_by_every_promised_digest() {
        let (_folder, store) = store();
        let md5: Digest = "md5:900150983cd24fb0d6963f7d28e17f72".parse().unwrap();
        let expected = ExpectedContent { by_index: vec![md5.clone()], size: Some(3), ..ExpectedContent::default() };
        assert_eq!(store.find_expected(&expected), None);
        let mut incoming = store.begin(expected.clone()).unwrap();
        incoming.write(b"ab").unwrap();
        incoming.write(b"c").unwrap();
        let object = incoming.keep().unwrap();
        assert_eq!(object, Object { sha256: Sha256::of(b"abc"), size: 3 });
        assert_eq!(store.find(object.sha256), Some(object));
        assert_eq!(store.find_expected(&expected), Some(object));
        assert_eq!(store.find_expected(&ExpectedContent { size: Some(4), ..expected }), Some(object));
        assert_eq!(io::read_to_string(store.open(object.sha256).unwrap()).unwrap(), "abc");
        assert_eq!(store.insert(b"abc").unwrap(), object);
    }

    #[test]
    fn broken_promises_and_dropped_writes_leave_nothing() {
        let (_folder, store) = store();
        let expected = ExpectedContent { size: Some(4), ..ExpectedContent::default() };
        let mut incoming = store.begin(expected).unwrap();
        incoming.write(b"abc").unwrap();
        assert!(matches!(incoming.keep(), Err(StoreError::Mismatch(_))));
        let mut dropped = store.begin(ExpectedContent::default()).unwrap();
        dropped.write(b"abc").unwrap();
        drop(dropped);
        assert_eq!(files_below(store.root()), 0);
    }

    #[test]
    fn space_is_counted_beforehand() {
        let (_folder, store) = store();
        store.check_space(1).unwrap();
        let error = store.check_space(u64::MAX).unwrap_err();
        assert!(matches!(error, StoreError::Full { needed: u64::MAX, .. }), "{error}");
    }

    #[test]
    fn a_digest_that_is_no_hex_is_no_path() {
        let (_folder, store) = store();
        let hostile: Digest = "sha512:../../../../../../etc/hostname-hostname".parse().unwrap();
        assert_eq!(store.alias_path(&hostile), None);
    }
}
