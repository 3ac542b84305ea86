//! Records that files were passed on, so that the cache knows what is of use.

use std::collections::HashMap;
use std::path::PathBuf;

use parking_lot::Mutex;

use super::wanted_file::WantedFile;
use crate::domain::{Object, Sha256, Timestamp};
use crate::http::blocking;
use crate::ops::cache::{RunRecord, UsedFile, write_record};
use crate::shared_store::SharedStore;
use crate::store::DiskStore;

/// For how many seconds a file that is passed on again needs no new record.
const INTERVAL: i64 = 3600;

/// Records each file that is passed on as if a run had used it.
///
/// Each file has a record of its own, so that a server that is killed has lost none, and one that runs
/// for long leaves no more of them than files.
pub struct UseRecords {
    folder: PathBuf,
    clock: fn() -> Timestamp,
    store: DiskStore,
    shared: Option<SharedStore>,
    recorded: Mutex<HashMap<Sha256, Timestamp>>,
}

impl UseRecords {
    /// Makes the records of a server that was started in `folder`.
    pub fn new(folder: PathBuf, clock: fn() -> Timestamp, store: DiskStore, shared: Option<SharedStore>) -> Self {
        Self { folder, clock, store, shared, recorded: Mutex::default() }
    }

    /// Records that a distribution was passed on; a cache that cannot be written is no error here.
    pub async fn note(&self, file: &WantedFile, object: Object) {
        let Some(identity) = &file.identity else { return };
        if !self.is_due(object.sha256) {
            return;
        }
        if let Some(shared) = &self.shared {
            shared.note_objects(std::iter::once(object.sha256));
        }
        let used = UsedFile {
            url: Some(file.link.url.public()),
            index: Some(file.link.index.public()),
            requires_python: file.link.requires_python.as_ref().map(ToString::to_string),
            yanked: file.link.yanked.0.as_deref().map(str::to_owned),
            requested_by: vec!["a client of a pull-through index".to_owned()],
            ..UsedFile::of(identity.clone(), object.sha256)
        };
        let record = RunRecord { folder: self.folder.display().to_string(), files: vec![used] };
        let store = self.store.clone();
        let _ = blocking(move || write_record(&store, &record)).await;
    }

    fn is_due(&self, sha256: Sha256) -> bool {
        let now = (self.clock)();
        let mut recorded = self.recorded.lock();
        let is_due = recorded.get(&sha256).is_none_or(|last| now.0 - last.0 >= INTERVAL);
        if is_due {
            recorded.insert(sha256, now);
        }
        is_due
    }
}
