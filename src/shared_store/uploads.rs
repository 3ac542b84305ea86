//! Uploads to the shared store, beside everything else that a run does.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use object_store::{Attributes, Error, ObjectStoreExt as _, PutMode, PutPayload, Result};
use tokio::fs::File;
use tokio::runtime::Handle;

use super::failure::reason;
use super::parts::{NewFile, unreadable};
use super::{SharedStore, SharedStoreUsage, entry_path, object_path};
use crate::cache_folder::{CacheBucket, is_whole};
use crate::domain::Object;

/// A file of the cache that the store gets.
#[derive(Clone, Debug)]
pub enum Upload {
    Object { object: Object, file: PathBuf },
    Entry { bucket: CacheBucket, name: String, file: PathBuf },
}

impl SharedStore {
    /// Begins to upload an object from the file `path`.
    pub fn upload(&self, path: PathBuf, object: Object) {
        self.note_used(object_path(object.sha256));
        self.begin_upload(Upload::Object { object, file: path });
    }

    /// Begins an upload; what goes wrong is told by [`SharedStore::finish`].
    pub(super) fn begin_upload(&self, upload: Upload) {
        // Without a runtime the run is over.
        let Ok(runtime) = Handle::try_current() else { return };
        if !self.may_write() {
            return;
        }
        let store = self.clone();
        let task = async move {
            let permits = match &upload {
                Upload::Object { .. } => &store.0.object_permits,
                Upload::Entry { .. } => &store.0.entry_permits,
            };
            let _permit = permits.acquire().await.expect("the semaphore is never closed");
            if store.may_write()
                && let Err(error) = store.run(upload).await
            {
                store.0.writing_failed.note(reason(&error));
            }
        };
        self.0.uploads.lock().spawn_on(task, &runtime);
    }

    /// Uploads a file of the cache now; returns whether the store lacked it.
    ///
    /// # Errors
    /// When it cannot be read or written; the error says why.
    pub async fn upload_now(&self, upload: Upload) -> std::result::Result<bool, String> {
        self.run(upload).await.map_err(|error| reason(&error))
    }

    /// Waits for uploads that are under way, for at most `limit`, and gives the others up; then
    /// leaves a mark of the run, and returns what was done.
    pub async fn finish(&self, limit: Duration) -> SharedStoreUsage {
        let mut uploads = std::mem::take(&mut *self.0.uploads.lock());
        let all = async {
            while uploads.join_next().await.is_some() {}
            self.leave_mark().await;
        };
        let is_done = tokio::time::timeout(limit, all).await.is_ok();
        let left = if is_done { 0 } else { uploads.len() };
        uploads.shutdown().await;
        self.usage(left, limit)
    }

    /// Runs an upload; returns whether the store lacked the file.
    async fn run(&self, upload: Upload) -> Result<bool> {
        self.0.is_asked.store(true, Ordering::Relaxed);
        match upload {
            Upload::Object { object, file } => match self.write_object(file, object).await {
                Ok(()) => {
                    self.0.uploaded.add_file(object.size);
                    Ok(true)
                }
                Err(Error::AlreadyExists { .. }) => Ok(false),
                Err(error) => Err(error),
            },
            Upload::Entry { bucket, name, file } => self.write_entry(&entry_path(bucket, &name), file).await,
        }
    }

    /// Writes an entry, which replaces another one, unless just this one was read; one that is gone
    /// or damaged meanwhile is left out.
    async fn write_entry(&self, path: &str, file: PathBuf) -> Result<bool> {
        let Ok(bytes) = tokio::fs::read(file).await else { return Ok(false) };
        let sum = bytes.last_chunk().copied();
        let is_known = sum.is_some() && self.0.read.lock().get(path) == sum.as_ref();
        if is_known || !is_whole(&bytes) {
            return Ok(false);
        }
        self.0.folder.objects.put(&self.key(path), PutPayload::from(bytes)).await?;
        self.0.uploaded.add_entry();
        Ok(true)
    }

    /// Writes an object, unless the store has it.
    async fn write_object(&self, path: PathBuf, object: Object) -> Result<()> {
        let file = File::open(path).await.map_err(unreadable)?;
        let key = self.key(&object_path(object.sha256));
        let new = NewFile { key: &key, object, attributes: Attributes::default(), mode: PutMode::Create };
        new.write(&*self.0.folder.objects, file).await
    }
}
