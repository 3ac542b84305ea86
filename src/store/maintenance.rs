//! Maintenance of the store: counting, checking and removing objects.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::DiskStore;
use crate::cache_folder::{CacheBucket, real_entries, remove_anything};
use crate::domain::{Object, Sha256};
use crate::parallel;

/// An object of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredObject {
    pub object: Object,
    /// Whether it is hard-linked elsewhere, so that removing it here would free nothing.
    pub is_linked: bool,
    /// When it was added.
    pub since: SystemTime,
}

impl DiskStore {
    /// Returns every object, sorted by digest; files with other names are ignored.
    ///
    /// # Errors
    /// When a folder cannot be read; a store that does not exist is empty.
    pub fn objects(&self) -> io::Result<Vec<StoredObject>> {
        let mut all = Vec::new();
        for folder in entries(&self.layout().folder(CacheBucket::Objects))? {
            for file in entries(&folder)? {
                all.extend(digest_of(&folder, &file).map(|sha256| stored(sha256, &file)).transpose()?);
            }
        }
        all.sort_by_key(|stored| stored.object.sha256);
        Ok(all)
    }

    /// Reads the objects again on `threads` threads, and removes those that do not have their
    /// digest; returns these in order.
    ///
    /// # Errors
    /// When an object cannot be read or removed; the first such error.
    pub fn remove_damaged(&self, objects: &[StoredObject], threads: usize) -> io::Result<Vec<StoredObject>> {
        let checked = parallel::map(objects, threads, |stored| {
            Ok(self.check_again(stored.object.sha256)?.is_none().then_some(*stored))
        });
        let mut found = checked.into_iter().filter_map(Result::transpose).collect::<io::Result<Vec<_>>>()?;
        found.sort_by_key(|stored| stored.object.sha256);
        Ok(found)
    }

    /// Removes an object, or whatever has its name; hard links to it elsewhere stay.
    ///
    /// # Errors
    /// When it cannot be removed; an object that does not exist is no error.
    pub fn remove(&self, sha256: Sha256) -> io::Result<()> {
        remove_anything(&self.path(sha256))
    }

    /// Removes the aliases of objects that do not exist, and damaged ones.
    ///
    /// # Errors
    /// When a folder cannot be read or a file not removed.
    pub fn prune_aliases(&self) -> io::Result<()> {
        for folder in real_entries(&self.layout().folder(CacheBucket::Aliases)) {
            for file in real_entries(&folder.path()).map(|entry| entry.path()) {
                let named = self.layout().read(&file).and_then(|bytes| postcard::from_bytes(&bytes).ok());
                if named.and_then(|sha256| self.find(sha256)).is_none() {
                    remove_anything(&file)?;
                }
            }
        }
        Ok(())
    }
}

fn stored(sha256: Sha256, file: &Path) -> io::Result<StoredObject> {
    let metadata = fs::symlink_metadata(file)?;
    #[cfg(unix)]
    let is_linked = std::os::unix::fs::MetadataExt::nlink(&metadata) > 1;
    #[cfg(not(unix))]
    let is_linked = false;
    Ok(StoredObject { object: Object { sha256, size: metadata.len() }, is_linked, since: metadata.modified()? })
}

/// Returns the entries of a folder in no order; none if there is no such folder.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(error) => Err(error),
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
    }
}

/// Returns the digest that a path below `objects` stands for.
fn digest_of(folder: &Path, file: &Path) -> Option<Sha256> {
    format!("{}{}", folder.file_name()?.to_str()?, file.file_name()?.to_str()?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(contents: &[&[u8]]) -> (tempfile::TempDir, DiskStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::new(folder.path().join("store"));
        contents.iter().for_each(|bytes| assert!(store.insert(bytes).is_ok()));
        (folder, store)
    }

    fn spoil(store: &DiskStore, bytes: &[u8]) {
        let path = store.path(Sha256::of(bytes));
        let _ = fs::remove_file(&path);
        fs::write(&path, b"spoiled").unwrap();
    }

    #[test]
    fn every_damaged_object_is_found_by_any_number_of_threads() {
        let (_folder, store) = store(&[b"a", b"b", b"c", b"d"]);
        for threads in [1, 3, 8] {
            spoil(&store, b"b");
            spoil(&store, b"d");
            let objects = store.objects().unwrap();
            assert_eq!(objects.len(), 4);
            let found: Vec<_> =
                store.remove_damaged(&objects, threads).unwrap().iter().map(|one| one.object.sha256).collect();
            let mut expected = vec![Sha256::of(b"b"), Sha256::of(b"d")];
            expected.sort();
            assert_eq!(found, expected);
            assert_eq!(store.objects().unwrap().len(), 2);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_leads_to_is_not_swept() {
        let (folder, store) = store(&[]);
        let theirs = folder.path().join("theirs");
        fs::create_dir_all(theirs.join("md5")).unwrap();
        fs::write(theirs.join("md5/file"), "").unwrap();
        fs::write(theirs.join("file"), "").unwrap();
        fs::create_dir_all(store.root()).unwrap();
        for bucket in [CacheBucket::Aliases, CacheBucket::Incoming] {
            std::os::unix::fs::symlink(&theirs, store.layout().folder(bucket)).unwrap();
        }
        store.prune_aliases().unwrap();
        store.sweep_dead(crate::domain::Timestamp(i64::MAX));
        assert!(theirs.join("md5/file").exists() && theirs.join("file").exists());
    }

    #[test]
    fn a_store_that_is_not_there_is_empty() {
        let (_folder, store) = store(&[]);
        assert_eq!(store.objects().unwrap(), []);
        store.prune_aliases().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn linked_objects_are_told() {
        let (folder, store) = store(&[b"a"]);
        assert!(!store.objects().unwrap()[0].is_linked);
        fs::hard_link(store.path(Sha256::of(b"a")), folder.path().join("view")).unwrap();
        assert!(store.objects().unwrap()[0].is_linked);
        store.remove(Sha256::of(b"a")).unwrap();
        store.remove(Sha256::of(b"a")).unwrap();
        assert_eq!(fs::read(folder.path().join("view")).unwrap(), b"a");
    }
}
