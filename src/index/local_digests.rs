//! The cache of digests of local files for which no index promises one, so that the next run need
//! not hash them again.
//!
//! A file's entry in the `local` folder of the cache is named by the SHA-256 of its path; it is
//! replaced by a rename and read without a lock. It is valid while everything that the system
//! states about the file is unchanged ([`FileStamp::exact`]). Where the system states less
//! (Windows), nothing is remembered.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cache_folder::{CacheBucket, CacheLayout, FileStamp, Readers, real_entries, remove_anything};
use crate::domain::{MaskedUrl, Sha256};

/// The cache of digests of local files.
#[derive(Clone, Debug)]
pub struct LocalDigests {
    folder: PathBuf,
    layout: CacheLayout,
}

/// A local file with its stamp from before it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StampedFile {
    path: PathBuf,
    stamp: FileStamp,
}

impl LocalDigests {
    pub fn new(layout: &CacheLayout) -> Self {
        Self { folder: layout.folder(CacheBucket::Local), layout: layout.clone() }
    }

    /// Returns the file that `url` names with its current stamp, or `None` if it is no local file.
    pub fn stamp(url: &MaskedUrl) -> Option<StampedFile> {
        let path = url.local_path()?;
        let stamp = FileStamp::exact(&fs::metadata(&path).ok()?)?;
        Some(StampedFile { path, stamp })
    }

    /// Returns the digest of the file that `url` names, if it is known and the file is unchanged.
    pub fn get(&self, url: &MaskedUrl) -> Option<Sha256> {
        let stamped = Self::stamp(url)?;
        let (bytes, noted) = self.layout.read_stamped(&self.entry(&stamped.path))?;
        let (stamp, sha256): (FileStamp, Sha256) = postcard::from_bytes(&bytes).ok()?;
        (stamp == stamped.stamp && stamp.is_settled(&noted?)).then_some(sha256)
    }

    /// Remembers the digest of a file that was `stamped` before it was read, unless it changed
    /// meanwhile; a cache that cannot be written is no error, since it only saves time.
    pub fn insert(&self, stamped: &StampedFile, sha256: Sha256) {
        let now = fs::metadata(&stamped.path).ok().and_then(|metadata| FileStamp::exact(&metadata));
        if now.as_ref() == Some(&stamped.stamp) {
            let bytes = postcard::to_stdvec(&(&stamped.stamp, sha256)).expect("a stamp can always be encoded");
            let _ = self.layout.write(&self.entry(&stamped.path), &[&bytes], Readers::Umask);
        }
    }

    /// Forgets the files whose objects the store does not hold any more.
    pub fn retain(&self, is_held: impl Fn(Sha256) -> bool) {
        for entry in real_entries(&self.folder) {
            let known = self.layout.read(&entry.path());
            let known = known.and_then(|bytes| postcard::from_bytes::<(FileStamp, Sha256)>(&bytes).ok());
            if !known.is_some_and(|(_, sha256)| is_held(sha256)) {
                // What stays costs a few bytes, and is not believed.
                let _ = remove_anything(&entry.path());
            }
        }
    }

    fn entry(&self, path: &Path) -> PathBuf {
        self.folder.join(Sha256::of(path.as_os_str().as_encoded_bytes()).to_string())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use url::Url;

    use super::*;

    struct World {
        root: tempfile::TempDir,
        digests: LocalDigests,
        url: MaskedUrl,
    }

    const FIRST: &[u8] = b"first";
    const OTHER: &[u8] = b"other";

    impl World {
        /// Makes a world with a local file that was read.
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let digests = LocalDigests::new(&CacheLayout::new(root.path().join("cache")));
            let path = root.path().join("a.whl");
            fs::write(&path, FIRST).unwrap();
            let world = Self { digests, url: MaskedUrl::new(Url::from_file_path(&path).unwrap()), root };
            world.read();
            world
        }

        fn path(&self) -> PathBuf {
            self.root.path().join("a.whl")
        }

        fn read(&self) {
            let stamped = LocalDigests::stamp(&self.url).unwrap();
            self.digests.insert(&stamped, Sha256::of(&fs::read(self.path()).unwrap()));
        }

        fn entry(&self) -> PathBuf {
            self.digests.entry(&self.path())
        }

        /// Rewrites the entry as if it had been written long after the file changed.
        fn settle(&self) {
            let noted = fs::metadata(self.path()).unwrap().modified().unwrap() + std::time::Duration::from_secs(4);
            File::options().write(true).open(self.entry()).unwrap().set_modified(noted).unwrap();
        }

        fn get(&self) -> Option<Sha256> {
            self.digests.get(&self.url)
        }
    }

    #[test]
    fn a_file_is_known_again_once_every_change_would_show() {
        let world = World::new();
        assert_eq!(world.get(), None, "it was written within the same tick");
        world.settle();
        assert_eq!(world.get(), Some(Sha256::of(FIRST)));
        let elsewhere: MaskedUrl = "https://files.example/a.whl".parse().unwrap();
        assert_eq!((world.digests.get(&elsewhere), LocalDigests::stamp(&elsewhere)), (None, None));
    }

    #[test]
    fn other_bytes_of_the_same_size_and_time_are_noticed() {
        for replace in [
            |path: &Path| fs::write(path, OTHER).unwrap(),
            |path: &Path| {
                let aside = path.with_extension("new");
                fs::write(&aside, OTHER).unwrap();
                fs::rename(aside, path).unwrap();
            },
        ] {
            let world = World::new();
            world.settle();
            let time = fs::metadata(world.path()).unwrap().modified().unwrap();
            replace(&world.path());
            File::options().write(true).open(world.path()).unwrap().set_modified(time).unwrap();
            let metadata = fs::metadata(world.path()).unwrap();
            assert_eq!((metadata.len(), metadata.modified().unwrap()), (FIRST.len() as u64, time));
            assert_eq!(world.get(), None);
        }
    }

    #[test]
    fn what_changes_while_it_is_read_is_not_remembered() {
        let world = World::new();
        fs::remove_file(world.entry()).unwrap();
        let stamped = LocalDigests::stamp(&world.url).unwrap();
        File::options().write(true).open(world.path()).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        world.digests.insert(&stamped, Sha256::of(FIRST));
        assert!(!world.entry().exists());
    }

    #[test]
    fn damage_is_no_memory() {
        let world = World::new();
        let mut bytes = fs::read(world.entry()).unwrap();
        for position in 0..bytes.len() {
            bytes[position] ^= 1;
            fs::write(world.entry(), &bytes).unwrap();
            world.settle();
            assert_eq!(world.get(), None, "{position}");
            bytes[position] ^= 1;
        }
    }

    #[test]
    fn only_what_the_store_holds_stays() {
        let world = World::new();
        world.digests.retain(|sha256| sha256 == Sha256::of(FIRST));
        assert!(world.entry().exists());
        world.digests.retain(|_| false);
        assert!(!world.entry().exists());
    }
}
