//! The digests of local files of which nobody promises one, so that the next run need not read
//! them again.
//!
//! `local/<SHA-256 of the path>` in the cache folder; replaced by rename, and read without a lock.
//! A file counts as the one that was read while all that the system tells of it is the same: its
//! device, number, size, and the moments to the nanosecond at which its bytes and its status last
//! changed. The last of these nobody can set. But what changes twice within one tick of a file
//! system's clock looks the same before and after, so, as in git's index, a file that had changed
//! shortly before it was noted down is not believed to be unchanged. Where the system tells less
//! (Windows), nothing is remembered.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::checksummed_files::{ChecksummedFiles, FileStamp};
use crate::domain::{MaskedUrl, Sha256};

/// The folder in the cache folder.
pub const LOCAL: &str = "local";

/// The format of what is written; what is in another is not read.
const VERSION: u8 = 1;

/// The longest tick of a file system's clock (that of FAT).
const TICK: Duration = Duration::from_secs(2);

/// The digests of local files.
#[derive(Clone, Debug)]
pub struct LocalDigests {
    folder: PathBuf,
    files: ChecksummedFiles,
}

/// A local file as it was before it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StampedFile {
    path: PathBuf,
    stamp: InodeStamp,
}

/// Tells a file from whatever has its name later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct InodeStamp {
    device: u64,
    number: u64,
    /// Bytes.
    size: u64,
    /// When its bytes changed: nanoseconds since 1970-01-01 UTC.
    modified: i128,
    /// When anything of it changed, its name or permissions, too.
    changed: i128,
}

impl LocalDigests {
    pub fn of(cache: &Path) -> Self {
        Self { folder: cache.join(LOCAL), files: ChecksummedFiles::of(cache) }
    }

    /// What `url` names now; nothing where that is no local file.
    pub fn stamp(url: &MaskedUrl) -> Option<StampedFile> {
        let path = url.local_path()?;
        let stamp = InodeStamp::of(&fs::metadata(&path).ok()?)?;
        Some(StampedFile { path, stamp })
    }

    /// The digest of the file that `url` names, if it was read and is unchanged.
    pub fn get(&self, url: &MaskedUrl) -> Option<Sha256> {
        let stamped = Self::stamp(url)?;
        let (bytes, noted) = self.files.read_stamped(&self.entry(&stamped.path))?;
        let (version, stamp, sha256): (u8, InodeStamp, Sha256) = postcard::from_bytes(&bytes).ok()?;
        (version == VERSION && stamp == stamped.stamp && stamp.is_settled(noted?)).then_some(sha256)
    }

    /// Remembers what the file is that was `stamped` before it was read, unless it changed meanwhile.
    /// A cache that cannot be written costs time and nothing else.
    pub fn insert(&self, stamped: &StampedFile, sha256: Sha256) {
        let now = fs::metadata(&stamped.path).ok().and_then(|metadata| InodeStamp::of(&metadata));
        if now.as_ref() == Some(&stamped.stamp) {
            let bytes = postcard::to_stdvec(&(VERSION, &stamped.stamp, sha256)).expect("a stamp can always be encoded");
            let _ = self.files.write(&self.entry(&stamped.path), &[&bytes]);
        }
    }

    /// Forgets the files of which the store holds nothing any more.
    pub fn retain(&self, is_held: impl Fn(Sha256) -> bool) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let known = self.files.read(&entry.path());
            let known = known.and_then(|bytes| postcard::from_bytes::<(u8, InodeStamp, Sha256)>(&bytes).ok());
            if !known.is_some_and(|(_, _, sha256)| is_held(sha256)) {
                // What stays costs a few bytes, and is not believed.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn entry(&self, path: &Path) -> PathBuf {
        self.folder.join(Sha256::of(path.as_os_str().as_encoded_bytes()).to_string())
    }
}

impl InodeStamp {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let moment = |seconds: i64, nanoseconds: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        metadata.is_file().then(|| Self {
            device: metadata.dev(),
            number: metadata.ino(),
            size: metadata.len(),
            modified: moment(metadata.mtime(), metadata.mtime_nsec()),
            changed: moment(metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Option<Self> {
        None
    }

    /// Whether every later change shows, given when this was noted down.
    fn is_settled(&self, noted: FileStamp) -> bool {
        let last = self.modified.max(self.changed);
        u128::try_from(last).is_ok_and(|last| last + TICK.as_nanos() < noted.written)
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
        /// A file that was read.
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let digests = LocalDigests::of(&root.path().join("cache"));
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

        /// What was noted down long after the file changed.
        fn settle(&self) {
            let noted = fs::metadata(self.path()).unwrap().modified().unwrap() + 2 * TICK;
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
    fn damage_and_other_versions_are_no_memory() {
        let world = World::new();
        let stamp = LocalDigests::stamp(&world.url).unwrap().stamp;
        let other = postcard::to_stdvec(&(VERSION + 1, stamp, Sha256::of(OTHER))).unwrap();
        world.digests.files.write(&world.entry(), &[&other]).unwrap();
        world.settle();
        assert_eq!(world.get(), None);
        world.read();
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
