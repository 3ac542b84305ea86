//! Marks of runs: a small file for each set of things that runs used, whose time is that of the last
//! such run. What no mark names is removed after a while ([`SharedStore::unused_since`]).

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_store::{ObjectStoreExt as _, PutPayload};

use super::contents::{SharedFile, SharedFileKind};
use super::entries::LARGEST_ENTRY;
use super::failure::reason;
use super::{SharedStore, object_path};
use crate::domain::{Sha256, Timestamp};

/// The folder of marks; each is a list of paths, named by its SHA-256.
pub(super) const MARKS: &str = "marks-v1";

/// The number of marks that are read at once.
const AT_ONCE: usize = 16;

impl SharedStore {
    /// Notes that the run used objects, wherever they came from.
    pub fn note_objects(&self, objects: impl Iterator<Item = Sha256>) {
        self.0.used.lock().extend(objects.map(object_path));
    }

    pub(super) fn note_used(&self, path: String) {
        self.0.used.lock().insert(path);
    }

    /// Leaves a mark of what the run used, if it needed the store at all.
    pub(super) async fn leave_mark(&self) {
        let used: Vec<_> = std::mem::take(&mut *self.0.used.lock()).into_iter().collect();
        if used.is_empty() || !self.0.is_asked.load(Ordering::Relaxed) || !self.may_write() {
            return;
        }
        let text = used.join("\n");
        let path = format!("{MARKS}/{}", Sha256::of(text.as_bytes()));
        if let Err(error) = self.0.folder.objects.put(&self.key(&path), PutPayload::from(text)).await {
            self.0.writing_failed.note(reason(&error));
        }
    }

    /// Returns those of `files` that were written before `limit`, and that no run since then named.
    ///
    /// # Errors
    /// When a mark cannot be read; the error says why.
    pub async fn unused_since<'a>(
        &self,
        files: &'a [SharedFile],
        limit: Timestamp,
    ) -> Result<Vec<&'a SharedFile>, String> {
        let is_mark = |file: &&SharedFile| file.kind == SharedFileKind::Mark && file.size <= LARGEST_ENTRY;
        let marks = files.iter().filter(is_mark).filter(|file| file.written >= limit);
        let marks = stream::iter(marks).map(|mark| self.read_mark(mark)).buffer_unordered(AT_ONCE);
        let named: HashSet<String> = marks.try_concat().await?;
        Ok(files.iter().filter(|file| file.written < limit && !named.contains(&file.path)).collect())
    }

    async fn read_mark(&self, mark: &SharedFile) -> Result<HashSet<String>, String> {
        let text = self.read_whole(mark).await?;
        Ok(String::from_utf8_lossy(&text).lines().map(ToOwned::to_owned).collect())
    }
}
