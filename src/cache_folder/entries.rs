//! The entries of the cache: small files by folder and name, on this machine and, where a shared
//! store is used, also those that other machines wrote.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::entry::Readers;
use super::layout::{CacheBucket, CacheLayout, remove_anything};
use super::stamp::FileStamp;

/// The entries of other machines.
#[async_trait]
pub trait RemoteEntries: fmt::Debug + Send + Sync {
    /// Returns the content of an entry; `None` if there is none, or it is damaged or not read any
    /// more.
    async fn get(&self, bucket: CacheBucket, name: &str) -> Option<Vec<u8>>;

    /// Begins to give others an entry, which is the file `path`.
    fn offer(&self, bucket: CacheBucket, name: &str, path: PathBuf);

    /// Whether entries of others are read at all.
    fn is_read(&self) -> bool;
}

/// The entries of a cache folder, and those of other machines.
#[derive(Clone, Debug)]
pub struct CacheEntries {
    layout: CacheLayout,
    remote: Option<Arc<dyn RemoteEntries>>,
}

impl CacheEntries {
    /// Returns the entries of this machine alone.
    pub fn local(layout: CacheLayout) -> Self {
        Self { layout, remote: None }
    }

    /// Returns the entries of this machine, and those of `remote`.
    pub fn new(layout: CacheLayout, remote: Option<Arc<dyn RemoteEntries>>) -> Self {
        Self { layout, remote }
    }

    pub fn layout(&self) -> &CacheLayout {
        &self.layout
    }

    /// Whether entries of other machines are read, too.
    pub fn are_shared(&self) -> bool {
        self.remote.as_ref().is_some_and(|remote| remote.is_read())
    }

    /// Returns the path of an entry on this machine.
    pub fn path(&self, bucket: CacheBucket, name: &str) -> PathBuf {
        self.layout.folder(bucket).join(name)
    }

    /// Reads an entry of this machine; `None` if it is missing or damaged.
    pub fn read(&self, bucket: CacheBucket, name: &str) -> Option<Vec<u8>> {
        self.layout.read(&self.path(bucket, name))
    }

    /// Reads an entry as [`CacheEntries::read`] does, and returns its stamp, too.
    pub fn read_stamped(&self, bucket: CacheBucket, name: &str) -> Option<(Vec<u8>, Option<FileStamp>)> {
        self.layout.read_stamped(&self.path(bucket, name))
    }

    /// Returns the content of an entry of other machines, which is not kept on this one.
    pub async fn fetch(&self, bucket: CacheBucket, name: &str) -> Option<Vec<u8>> {
        self.remote.as_ref()?.get(bucket, name).await
    }

    /// Writes an entry for this machine and for others; returns the stamp of its file.
    ///
    /// # Errors
    /// When it cannot be written on this machine; then others do not get it, either.
    pub fn write(&self, bucket: CacheBucket, name: &str, parts: &[&[u8]]) -> io::Result<Option<FileStamp>> {
        let stamp = self.keep(bucket, name, parts, Readers::Umask)?;
        self.offer(bucket, name);
        Ok(stamp)
    }

    /// Writes an entry that only this machine keeps; returns the stamp of its file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(
        &self,
        bucket: CacheBucket,
        name: &str,
        parts: &[&[u8]],
        readers: Readers,
    ) -> io::Result<Option<FileStamp>> {
        self.layout.write(&self.path(bucket, name), parts, readers)
    }

    /// Gives others an entry of this machine.
    pub fn offer(&self, bucket: CacheBucket, name: &str) {
        if let Some(remote) = &self.remote {
            remote.offer(bucket, name, self.path(bucket, name));
        }
    }

    /// Removes an entry of this machine.
    ///
    /// # Errors
    /// When it cannot be removed; one that does not exist is no error.
    pub fn remove(&self, bucket: CacheBucket, name: &str) -> io::Result<()> {
        remove_anything(&self.path(bucket, name))
    }
}
