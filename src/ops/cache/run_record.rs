//! What the cache remembers of runs: which files they used, from where, and for whom.
//!
//! `runs/<SHA-256 of the text>` in the cache folder holds what one run had, written whole by a
//! rename, so that it costs one small file and needs no lock. The same run again writes the same
//! name: the file's time is when it was last done.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::cache_folder::{CacheBucket, CacheLayout, Readers};
use crate::domain::{Fetched, Origin, Sha256, mask_credentials};
use crate::store::DiskStore;

/// A run that is remembered.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    pub record: RunRecord,
    pub last: SystemTime,
    pub(super) path: PathBuf,
}

/// What a run had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Where it ran, or what was imported.
    pub folder: String,
    /// Sorted by project and file name.
    pub files: Vec<UsedFile>,
}

/// One file that a run had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedFile {
    /// The project, normalized (PEP 503).
    pub name: String,
    pub version: Option<String>,
    pub filename: String,
    pub sha256: Sha256,
    /// Where it came from, without credentials.
    pub url: Option<String>,
    /// What listed it, likewise.
    pub index: Option<String>,
    pub requires_python: Option<String>,
    /// The reason, maybe empty, where the index had it withdrawn (PEP 592).
    pub yanked: Option<String>,
    /// `file:line`, sorted.
    pub requested_by: Vec<String>,
    /// Ids of targets.
    pub targets: Vec<String>,
}

impl RunRecord {
    fn of(fetched: &Fetched, folder: &Path) -> Self {
        let files = fetched.files().map(|(package, file)| UsedFile {
            name: package.name.to_string(),
            version: package.version.as_ref().map(ToString::to_string),
            filename: file.candidate.filename.to_string(),
            sha256: file.object.sha256,
            url: Some(file.candidate.url.public()),
            index: Some(file.candidate.index.public()),
            requires_python: file.candidate.requires_python.as_ref().map(ToString::to_string),
            yanked: file.candidate.yanked.0.as_deref().map(str::to_owned),
            requested_by: package.requested_by.iter().map(masked).collect(),
            targets: file.targets.iter().map(|position| fetched.targets[*position].id().to_owned()).collect(),
        });
        Self { folder: folder.display().to_string(), files: files.collect() }
    }
}

/// A requirements file may be a URL with a password in it.
fn masked(origin: &Origin) -> String {
    mask_credentials(&origin.to_string()).into_owned()
}

/// Remembers that a run in `folder` used `fetched`. A cache that cannot be written costs the
/// names of its files and nothing else, so failures are not told.
pub fn record(store: &DiskStore, fetched: &Fetched, folder: &Path) {
    let _ = write(store, &RunRecord::of(fetched, folder));
}

/// Remembers a run.
///
/// # Errors
/// When the cache cannot be written.
pub(super) fn write(store: &DiskStore, record: &RunRecord) -> io::Result<()> {
    let text = serde_json::to_vec(record).expect("strings and numbers can always be written");
    let path = folder_of(store).join(Sha256::of(&text).to_string());
    store.layout().write(&path, &[&text], Readers::Umask).map(drop)
}

/// Every run that is remembered, the latest last; damaged memories are none.
pub(super) fn runs(store: &DiskStore) -> Vec<RecordedRun> {
    let entries = fs::read_dir(folder_of(store)).into_iter().flatten().flatten();
    let mut runs: Vec<_> = entries.filter_map(|entry| read(store.layout(), entry.path())).collect();
    runs.sort_by(|a, b| (a.last, &a.path).cmp(&(b.last, &b.path)));
    runs
}

fn read(layout: &CacheLayout, path: PathBuf) -> Option<RecordedRun> {
    let record = serde_json::from_slice(&layout.read(&path)?).ok()?;
    let last = fs::metadata(&path).ok()?.modified().ok()?;
    Some(RecordedRun { record, last, path })
}

fn folder_of(store: &DiskStore) -> PathBuf {
    store.layout().folder(CacheBucket::Runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_run_is_remembered_once_and_damage_is_no_run() {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::new(folder.path().join("store"));
        assert!(runs(&store).is_empty());
        for place in ["/a", "/a", "/b"] {
            record(&store, &Fetched::default(), Path::new(place));
        }
        let mut folders: Vec<_> = runs(&store).into_iter().map(|run| run.record.folder).collect();
        folders.sort();
        assert_eq!(folders, ["/a", "/b"]);
        fs::write(folder_of(&store).join("damaged"), "{\"folder\":").unwrap();
        assert_eq!(runs(&store).len(), 2);
    }
}
