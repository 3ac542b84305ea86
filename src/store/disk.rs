//! The store in a folder.
//!
//! ```text
//! objects/ab/cdef…     the bytes whose SHA-256 is abcdef…, read-only
//! aliases/md5/…           the SHA-256 of an object, by another digest of it
//! aliases/size/…          the SHA-256 and size of an object of which no index promised a size
//! incoming/            files being written; nothing here counts before it has its final name
//! ```
//!
//! An object appears under its name only by a rename, after its bytes were checked and flushed.
//! So readers need no lock, and any number of processes may write at once: they can only bring
//! the same bytes.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::atomic_file::AtomicFile;
use super::claim::INCOMING;
use super::error::StoreError;
use crate::domain::{Algorithm, Digest, Hasher, Object, Promises, Sha256};

/// The content-addressed store below one folder.
#[derive(Clone, Debug)]
pub struct DiskStore {
    root: PathBuf,
}

impl DiskStore {
    /// The store in `root`, which is made when something is first written.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder that it is in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where an object with this digest lies, or would.
    pub fn path(&self, sha256: Sha256) -> PathBuf {
        let name = sha256.to_string();
        self.root.join("objects").join(&name[..2]).join(&name[2..])
    }

    /// The object with this digest, if it is held: one `stat`.
    pub fn find(&self, sha256: Sha256) -> Option<Object> {
        let metadata = fs::metadata(self.path(sha256)).ok()?;
        metadata.is_file().then_some(Object { sha256, size: metadata.len() })
    }

    /// The object that keeps `promises`, as far as they name one; asks the disk only. Its size
    /// must be the promised one, or the one that it had when it came.
    pub fn find_promised(&self, promises: &Promises) -> Option<Object> {
        let named = promises.sha256().or_else(|| {
            let digests = promises.index.iter().chain(&promises.asked);
            digests.filter_map(|digest| self.alias_target(digest)).next()
        });
        let object = self.find(named?)?;
        if promises.size == Some(object.size) {
            return Some(object);
        }
        let is_whole = self.size_of(object.sha256).map_or(promises.size.is_none(), |size| size == object.size);
        is_whole.then_some(object)
    }

    /// Opens an object for reading.
    ///
    /// # Errors
    /// When it is not held or cannot be read.
    pub fn open(&self, sha256: Sha256) -> Result<File, StoreError> {
        File::open(self.path(sha256)).map_err(|why| StoreError::Read { sha256, why })
    }

    /// Whether the disk has room for so many bytes more.
    ///
    /// # Errors
    /// When it has not; where it cannot be asked, the writing will tell.
    pub fn check_space(&self, needed: u64) -> Result<(), StoreError> {
        let folder = self.root.ancestors().find(|folder| folder.exists());
        match folder.and_then(|folder| fs4::available_space(folder).ok()) {
            Some(free) if free < needed => Err(StoreError::Full { folder: self.root.clone(), needed, free }),
            _ => Ok(()),
        }
    }

    /// Takes in bytes at hand.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn insert(&self, bytes: &[u8]) -> Result<Object, StoreError> {
        let size = bytes.len() as u64;
        if let Some(held) = self.find(Sha256::of(bytes)).filter(|held| held.size == size) {
            return Ok(held);
        }
        let mut incoming = self.begin(Promises { size: Some(size), ..Promises::default() })?;
        incoming.write(bytes)?;
        incoming.keep()
    }

    /// Takes in all of `source`, which is read once where the object is held already and else
    /// twice, and remembers it by its digests of `algorithms`, too. Whether it was held.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn take(&self, mut source: impl Read + Seek, algorithms: &[Algorithm]) -> Result<(Object, bool), StoreError> {
        let fail = |why| self.cannot_write(why);
        let mut hasher = Hasher::new(algorithms);
        source.rewind().map_err(fail)?;
        let hashed = read_chunks(&mut source, |chunk| {
            hasher.update(chunk);
            Ok(())
        });
        hashed.map_err(fail)?;
        let fingerprint = hasher.finish();
        let object = Object { sha256: fingerprint.sha256, size: fingerprint.size };
        let was_held = self.find(object.sha256) == Some(object);
        if !was_held {
            let mut incoming = self.begin(Promises { index: vec![object.sha256.into()], ..Promises::default() })?;
            source.rewind().map_err(fail)?;
            read_chunks(&mut source, |chunk| incoming.write(chunk).map_err(io::Error::other)).map_err(fail)?;
            incoming.keep()?;
        }
        let names = algorithms.iter().map(|algorithm| fingerprint.digest(*algorithm));
        names.into_iter().try_for_each(|digest| self.add_alias(&digest, object.sha256)).map_err(fail)?;
        Ok((object, was_held))
    }

    fn alias_target(&self, digest: &Digest) -> Option<Sha256> {
        fs::read_to_string(self.alias_path(digest)?).ok()?.parse().ok()
    }

    /// `None` for hex that is none: it must not become a path.
    fn alias_path(&self, digest: &Digest) -> Option<PathBuf> {
        let hex = digest.hex.to_ascii_lowercase();
        let is_hex = hex.len() >= 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| self.root.join("aliases").join(digest.algorithm.name()).join(hex))
    }
}

impl DiskStore {
    pub(super) fn add_alias(&self, digest: &Digest, sha256: Sha256) -> io::Result<()> {
        let Some(path) = self.alias_path(digest) else { return Ok(()) };
        let mut file = NamedTempFile::new_in(self.root.join(INCOMING))?;
        file.write_all(sha256.to_string().as_bytes())?;
        place(AtomicFile::Unnamed(file), &path)
    }

    /// Notes the size of an object of which nobody promised any: readers notice then if it is cut
    /// short. Not flushed, since what cannot be read is as if it were not there.
    pub(super) fn remember_size(&self, object: Object) -> io::Result<()> {
        let path = self.size_path(object.sha256);
        let mut file = NamedTempFile::new_in(self.root.join(INCOMING))?;
        write!(file, "{}\n{}", object.sha256, object.size)?;
        let persisted = match file.persist(&path) {
            Err(failed) if failed.error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path.parent().unwrap_or(&path))?;
                failed.file.persist(&path)
            }
            other => other,
        };
        Ok(persisted.map(drop)?)
    }

    fn size_of(&self, sha256: Sha256) -> Option<u64> {
        let text = fs::read_to_string(self.size_path(sha256)).ok()?;
        let (name, size) = text.split_once('\n')?;
        if name.parse().ok() == Some(sha256) { size.parse().ok() } else { None }
    }

    fn size_path(&self, sha256: Sha256) -> PathBuf {
        self.root.join("aliases").join("size").join(sha256.to_string())
    }

    pub(super) fn cannot_write(&self, why: io::Error) -> StoreError {
        StoreError::Write { folder: self.root.clone(), why }
    }
}

/// What is read of a file at once, in bytes.
const CHUNK: usize = 256 << 10;

/// Hands everything that `source` gives to `take`.
pub(super) fn read_chunks(source: &mut impl Read, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match source.read(&mut chunk)? {
            0 => return Ok(()),
            length => take(&chunk[..length])?,
        }
    }
}

/// Flushes `file` and gives it its final name, read-only.
pub(super) fn place(mut file: AtomicFile, path: &Path) -> io::Result<()> {
    make_read_only(file.file())?;
    file.file().sync_data()?;
    match file.rename(path) {
        Ok(()) => Ok(()),
        Err((error, file)) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            file.rename(path).map_err(|(error, _)| error)
        }
        // Another process was first, on a system that refuses to replace a read-only file.
        Err(_) if path.exists() => Ok(()),
        Err((error, _)) => Err(error),
    }
}

/// A view made by hard links shows the object to anybody: all may read, nobody may write.
fn make_read_only(file: &File) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o444);
    #[cfg(not(unix))]
    permissions.set_readonly(true);
    file.set_permissions(permissions)
}

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
        let promises = Promises { index: vec![md5.clone()], size: Some(3), ..Promises::default() };
        assert_eq!(store.find_promised(&promises), None);
        let mut incoming = store.begin(promises.clone()).unwrap();
        incoming.write(b"ab").unwrap();
        incoming.write(b"c").unwrap();
        let object = incoming.keep().unwrap();
        assert_eq!(object, Object { sha256: Sha256::of(b"abc"), size: 3 });
        assert_eq!(store.find(object.sha256), Some(object));
        assert_eq!(store.find_promised(&promises), Some(object));
        assert_eq!(store.find_promised(&Promises { size: Some(4), ..promises }), None);
        assert_eq!(io::read_to_string(store.open(object.sha256).unwrap()).unwrap(), "abc");
        assert_eq!(store.insert(b"abc").unwrap(), object);
    }

    #[test]
    fn broken_promises_and_dropped_writes_leave_nothing() {
        let (_folder, store) = store();
        let promises = Promises { size: Some(4), ..Promises::default() };
        let mut incoming = store.begin(promises).unwrap();
        incoming.write(b"abc").unwrap();
        assert!(matches!(incoming.keep(), Err(StoreError::Broken(_))));
        let mut dropped = store.begin(Promises::default()).unwrap();
        dropped.write(b"abc").unwrap();
        drop(dropped);
        assert_eq!(files_below(&store.root), 0);
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
