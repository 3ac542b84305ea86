//! The entries of the shared store, as a cache reads and writes them.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use async_trait::async_trait;

use super::{SharedStore, Upload, entry_path};
use crate::cache_folder::{CacheBucket, RemoteEntries, SharedBucket, content};

/// The size of the largest entry in bytes: many times that of the longest pages.
pub(super) const LARGEST_ENTRY: u64 = 64 << 20;

#[async_trait]
impl RemoteEntries for SharedStore {
    async fn get(&self, bucket: CacheBucket, name: &str) -> Option<Vec<u8>> {
        if SharedBucket::of(bucket).is_none() || self.0.is_distrusted.load(Ordering::Relaxed) {
            return None;
        }
        let path = entry_path(bucket, name);
        let entry = self.begin(&path).await?;
        if entry.size > LARGEST_ENTRY {
            self.discard_path(&path, path.clone()).await;
            return None;
        }
        let bytes = match entry.read().await {
            Ok(bytes) => bytes,
            Err(why) => {
                self.leave_alone(why);
                return None;
            }
        };
        let sum = bytes.last_chunk().copied();
        match (content(bytes), sum) {
            (Some(content), Some(sum)) => {
                self.0.read.lock().insert(path.clone(), sum);
                self.note_used(path);
                self.0.fetched.add_entry();
                Some(content)
            }
            _ => {
                self.discard_path(&path, path.clone()).await;
                None
            }
        }
    }

    fn offer(&self, bucket: CacheBucket, name: &str, file: PathBuf) {
        if SharedBucket::of(bucket).is_some() {
            self.note_used(entry_path(bucket, name));
            self.begin_upload(Upload::Entry { bucket, name: name.to_owned(), file });
        }
    }

    fn is_read(&self) -> bool {
        self.0.mode.reads()
    }
}
