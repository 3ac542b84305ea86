//! Records of runs in the cache: which files they used, from where, and for which targets.
//!
//! A record is a file in the `runs` folder of the cache, named by the SHA-256 of its text. It is
//! written by a rename, so it needs no lock. The same run again writes the same file, whose time is
//! that of the last such run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::identify::DistributionIdentity;
use crate::cache_folder::{CacheBucket, CacheLayout, Readers};
use crate::domain::{Fetched, Origin, Sha256, mask_credentials};
use crate::store::DiskStore;

/// A run that is on record.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    pub record: RunRecord,
    pub last: SystemTime,
    pub(super) path: PathBuf,
}

/// The content of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The working folder of the run, or the path that was imported.
    pub folder: String,
    /// The files, sorted by project and file name.
    pub files: Vec<UsedFile>,
}

/// A file that a run used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedFile {
    /// The project's name, normalized (PEP 503).
    pub name: String,
    pub version: Option<String>,
    pub filename: String,
    pub sha256: Sha256,
    /// The URL it came from, without credentials.
    pub url: Option<String>,
    /// The URL of the index or page that listed it, without credentials.
    pub index: Option<String>,
    pub requires_python: Option<String>,
    /// The reason, maybe empty, if the index says that the file was yanked (PEP 592).
    pub yanked: Option<String>,
    /// The input lines that led to it, each as `file:line`, sorted.
    pub requested_by: Vec<String>,
    /// Ids of the targets.
    pub targets: Vec<String>,
}

impl UsedFile {
    /// Makes the entry of a file of which nothing else is known.
    pub fn of(identity: DistributionIdentity, sha256: Sha256) -> Self {
        let DistributionIdentity { name, version, filename } = identity;
        Self {
            name,
            version,
            filename,
            sha256,
            url: None,
            index: None,
            requires_python: None,
            yanked: None,
            requested_by: Vec::new(),
            targets: Vec::new(),
        }
    }
}

impl RunRecord {
    fn of(fetched: &Fetched, folder: &Path) -> Self {
        let files = fetched.files().map(|(package, file)| UsedFile {
            name: package.name.to_string(),
            version: package.version.as_ref().map(ToString::to_string),
            filename: file.link.filename.to_string(),
            sha256: file.object.sha256,
            url: Some(file.link.url.public()),
            index: Some(file.link.index.public()),
            requires_python: file.link.requires_python.as_ref().map(ToString::to_string),
            yanked: file.link.yanked.0.as_deref().map(str::to_owned),
            requested_by: package.requested_by.iter().map(masked).collect(),
            targets: file.targets.iter().map(|position| fetched.targets[*position].id().to_owned()).collect(),
        });
        Self { folder: folder.display().to_string(), files: files.collect() }
    }
}

/// Masks the password of a requirements file that is a URL.
fn masked(origin: &Origin) -> String {
    mask_credentials(&origin.to_string()).into_owned()
}

/// Records that a run in `folder` used `fetched`.
///
/// A cache that cannot be written is no error here, since only the names of its files are lost.
pub fn record(store: &DiskStore, fetched: &Fetched, folder: &Path) {
    let _ = write_record(store, &RunRecord::of(fetched, folder));
}

/// Writes a record.
///
/// # Errors
/// When the cache cannot be written.
pub fn write_record(store: &DiskStore, record: &RunRecord) -> io::Result<()> {
    let text = serde_json::to_vec(record).expect("strings and numbers can always be written");
    let path = folder_of(store).join(Sha256::of(&text).to_string());
    store.layout().write(&path, &[&text], Readers::Umask).map(drop)
}

/// Returns every run on record, the latest last; damaged records are skipped.
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
