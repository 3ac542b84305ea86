//! Maintains the cache folder: lists and verifies its content, and removes what is not needed.

pub(super) mod identify;
mod import;
mod pip_cache_entry;
mod run_record;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::cache_folder::{CacheBucket, CacheEntries};
use crate::domain::{Sha256, Timestamp};
use crate::index::LocalDigests;
use crate::parallel;
use crate::store::{DiskStore, StoredObject};

use super::sdist_build::BuiltWheelCache;
use super::source_trees;

pub use self::identify::DistributionIdentity;
pub use self::import::{ImportResult, ImportedFile, import};
pub use self::run_record::{RecordedRun, RunRecord, UsedFile, record, write_record};

/// The content of the cache, and the runs that used it.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// All objects, sorted by digest.
    pub objects: Vec<StoredObject>,
    /// All remembered runs, the latest last.
    pub runs: Vec<RecordedRun>,
}

/// A file of a run that the store still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedFile {
    pub file: UsedFile,
    pub stored: StoredObject,
    /// The time of the last run that used it.
    pub last: SystemTime,
}

impl Inventory {
    /// Lists the whole cache without reading any object.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub fn read(store: &DiskStore) -> io::Result<Self> {
        Ok(Self { objects: store.objects()?, runs: run_record::runs(store) })
    }

    /// Returns the files with their names, sorted by project, version and file name.
    ///
    /// Objects that no run names, such as wheels' metadata, are not among them.
    pub fn items(&self) -> Vec<CachedFile> {
        let stored: HashMap<_, _> = self.objects.iter().map(|stored| (stored.object.sha256, stored)).collect();
        let mut items = BTreeMap::new();
        for (run, file) in self.named() {
            let Some(stored) = stored.get(&file.sha256) else { continue };
            let item = CachedFile { file: file.clone(), stored: **stored, last: run.last };
            // Later runs come later, so the last time stays.
            items.insert((file.name.clone(), file.version.clone(), file.filename.clone(), file.sha256), item);
        }
        items.into_values().collect()
    }

    /// Returns every file of every run.
    pub fn named(&self) -> impl Iterator<Item = (&RecordedRun, &UsedFile)> {
        self.runs.iter().flat_map(|run| run.record.files.iter().map(move |file| (run, file)))
    }

    /// Returns when each object was last used by a run, or else when it was stored.
    fn last_uses(&self) -> HashMap<Sha256, SystemTime> {
        let mut uses: HashMap<_, _> = self.objects.iter().map(|stored| (stored.object.sha256, stored.since)).collect();
        for (run, file) in self.named() {
            uses.entry(file.sha256).and_modify(|last| *last = run.last.max(*last));
        }
        uses
    }

    /// Returns the objects that the latest `count` runs used.
    fn used_by_last(&self, count: usize) -> HashSet<Sha256> {
        let last = self.runs.iter().rev().take(count);
        last.flat_map(|run| run.record.files.iter().map(|file| file.sha256)).collect()
    }

    /// Returns the size of all objects in bytes.
    pub fn size(&self) -> u64 {
        self.objects.iter().map(|stored| stored.object.size).sum()
    }
}

/// Reads every object again on all processors, and removes those that do not have their digest;
/// returns these.
///
/// # Errors
/// When an object cannot be read or removed.
pub fn verify(store: &DiskStore, inventory: &Inventory) -> io::Result<Vec<StoredObject>> {
    let threads = parallel::threads();
    store.remove_damaged(&inventory.objects, threads)
}

/// The limits by which objects are removed.
#[derive(Clone, Copy, Debug, Default)]
pub struct PruneLimits {
    /// Removes objects that were last used before this time.
    pub older_than: Option<SystemTime>,
    /// Removes the objects that were used longest ago, until no more than this many bytes are left.
    pub max_size: Option<u64>,
    /// Removes the objects that none of this many latest runs used.
    pub keep_last_runs: Option<usize>,
    /// Removes also objects that are hard-linked elsewhere, though that frees no space.
    pub linked: bool,
}

/// The objects that were, or would be, removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The removed objects, the longest unused first.
    pub removed: Vec<StoredObject>,
    /// The objects that are kept only because they are hard-linked elsewhere.
    pub kept: Vec<StoredObject>,
}

impl Pruned {
    /// Returns the number of bytes that are freed; linked objects still take their space.
    pub fn freed(&self) -> u64 {
        self.removed.iter().filter(|stored| !stored.is_linked).map(|stored| stored.object.size).sum()
    }
}

impl Inventory {
    /// Returns the objects to remove by `limits`.
    pub fn prunable(&self, limits: PruneLimits) -> Pruned {
        let uses = self.last_uses();
        let needed = limits.keep_last_runs.map(|count| self.used_by_last(count));
        let mut objects = self.objects.clone();
        objects.sort_by_key(|stored| (uses[&stored.object.sha256], stored.object.sha256));
        let mut left = self.size();
        let mut pruned = Pruned::default();
        for stored in objects {
            let is_old = limits.older_than.is_some_and(|limit| uses[&stored.object.sha256] < limit);
            let is_needless = needed.as_ref().is_some_and(|needed| !needed.contains(&stored.object.sha256));
            if !is_old && !is_needless && limits.max_size.is_none_or(|most| left <= most) {
                continue;
            }
            if stored.is_linked && !limits.linked {
                pruned.kept.push(stored);
                continue;
            }
            left -= stored.object.size;
            pruned.removed.push(stored);
        }
        pruned
    }
}

/// Removes the objects in `pruned`, and what is useless without them.
///
/// # Errors
/// When something cannot be removed.
pub fn prune(store: &DiskStore, inventory: &Inventory, pruned: &Pruned, now: SystemTime) -> io::Result<()> {
    pruned.removed.iter().try_for_each(|stored| store.remove(stored.object.sha256))?;
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    store.sweep_dead(Timestamp(i64::try_from(seconds).unwrap_or(i64::MAX)));
    store.layout().remove_outdated()?;
    store.prune_aliases()?;
    source_trees::prune(store.layout(), |sha256| store.find(sha256).is_some(), now)?;
    BuiltWheelCache::new(&CacheEntries::local(store.layout().clone())).retain(|sha256| store.find(sha256).is_some());
    LocalDigests::new(store.layout()).retain(|sha256| store.find(sha256).is_some());
    let is_useless = |run: &&RecordedRun| !run.record.files.iter().any(|file| store.find(file.sha256).is_some());
    inventory.runs.iter().filter(is_useless).try_for_each(|run| fs::remove_file(&run.path))
}

/// Removes everything of this program in the cache folder, and the folder itself if it is then
/// empty.
///
/// # Errors
/// When something cannot be removed.
pub fn clean(store: &DiskStore) -> io::Result<()> {
    store.layout().remove_all()
}

/// The number and size of the files in a folder of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketUsage {
    pub bucket: CacheBucket,
    pub files: u64,
    pub bytes: u64,
}

/// Returns the usage of each folder of the cache; unreadable folders count as empty.
pub fn usage(store: &DiskStore) -> Vec<BucketUsage> {
    let usage = |bucket| {
        let (files, bytes) = count_files(&store.layout().folder(bucket));
        BucketUsage { bucket, files, bytes }
    };
    CacheBucket::ALL.into_iter().map(usage).collect()
}

/// Returns the number of files below `folder`, and their bytes.
fn count_files(folder: &Path) -> (u64, u64) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.fold((0, 0), |(files, bytes), entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => {
            let below = count_files(&entry.path());
            (files + below.0, bytes + below.1)
        }
        Ok(metadata) => (files + 1, bytes + metadata.len()),
        Err(_) => (files, bytes),
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::domain::Object;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn stored(bytes: &[u8], since: u64, is_linked: bool) -> StoredObject {
        StoredObject { object: Object { sha256: Sha256::of(bytes), size: 10 }, is_linked, since: at(since) }
    }

    /// Four objects of ten bytes, last used at 1, 2, 3 and 4; the second is linked.
    fn inventory() -> Inventory {
        let objects =
            vec![stored(b"d", 4, false), stored(b"a", 1, false), stored(b"b", 2, true), stored(b"c", 3, false)];
        Inventory { objects, runs: Vec::new() }
    }

    fn used(bytes: &[u8]) -> UsedFile {
        let (name, filename) = ("demo".to_owned(), "demo-1.0.tar.gz".to_owned());
        UsedFile::of(DistributionIdentity { name, version: None, filename }, Sha256::of(bytes))
    }

    fn removed(limits: PruneLimits) -> Vec<u64> {
        let times = inventory().prunable(limits).removed.into_iter().map(|stored| stored.since);
        times.map(|time| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()).collect()
    }

    #[test]
    fn the_longest_unused_goes_first_and_what_is_linked_stays() {
        assert_eq!(removed(PruneLimits::default()), Vec::<u64>::new());
        assert_eq!(removed(PruneLimits { older_than: Some(at(3)), ..PruneLimits::default() }), [1]);
        assert_eq!(removed(PruneLimits { older_than: Some(at(3)), linked: true, ..PruneLimits::default() }), [1, 2]);
        assert_eq!(removed(PruneLimits { max_size: Some(20), ..PruneLimits::default() }), [1, 3]);
        assert_eq!(removed(PruneLimits { max_size: Some(39), ..PruneLimits::default() }), [1]);
        assert_eq!(removed(PruneLimits { max_size: Some(40), ..PruneLimits::default() }), Vec::<u64>::new());
        assert_eq!(removed(PruneLimits { max_size: Some(0), ..PruneLimits::default() }), [1, 3, 4]);
    }

    #[test]
    fn what_the_last_runs_used_stays() {
        let run = |contents: &[&[u8]], seconds| {
            let files = contents.iter().map(|bytes| used(bytes));
            let record = RunRecord { folder: "/project".to_owned(), files: files.collect() };
            RecordedRun { record, last: at(seconds), path: PathBuf::new() }
        };
        let runs = vec![run(&[b"a", b"b", b"d"], 5), run(&[b"c"], 6), run(&[b"c", b"d"], 7)];
        let inventory = Inventory { runs, ..inventory() };
        let removed = |count| {
            let limits = PruneLimits { keep_last_runs: Some(count), linked: true, ..PruneLimits::default() };
            let removed = inventory.prunable(limits).removed.into_iter().map(|stored| stored.object.sha256);
            removed.collect::<HashSet<_>>()
        };
        let of = |contents: &[&[u8]]| contents.iter().map(|bytes| Sha256::of(bytes)).collect::<HashSet<_>>();
        assert_eq!(removed(1), of(&[b"a", b"b"]));
        assert_eq!(removed(2), of(&[b"a", b"b"]));
        assert_eq!(removed(3), of(&[]));
        assert_eq!(removed(0), of(&[b"a", b"b", b"c", b"d"]));
    }

    #[test]
    fn only_what_is_not_linked_is_freed() {
        let pruned = inventory().prunable(PruneLimits { max_size: Some(0), linked: true, ..PruneLimits::default() });
        assert_eq!((pruned.removed.len(), pruned.freed()), (4, 30));
        let kept = inventory().prunable(PruneLimits { max_size: Some(0), ..PruneLimits::default() }).kept;
        assert_eq!(kept, [stored(b"b", 2, true)]);
    }
}
