//! The cache of core metadata, by the SHA-256 of the distribution; entries never expire.

use std::path::PathBuf;

use crate::cache_folder::{CacheBucket, CacheLayout, Readers};
use crate::domain::{CoreMetadata, MetadataUnavailable, Sha256};

/// The core metadata of a file, or why it is unavailable.
pub type MetadataResult = Result<CoreMetadata, MetadataUnavailable>;

/// A folder of core metadata, by the SHA-256 of the distribution.
#[derive(Clone, Debug)]
pub struct MetadataCache {
    folder: PathBuf,
    layout: CacheLayout,
}

impl MetadataCache {
    /// Returns the cache of metadata that was read from hashed files.
    pub fn of_files(layout: &CacheLayout) -> Self {
        Self { folder: layout.folder(CacheBucket::Metadata), layout: layout.clone() }
    }

    /// Returns the cache of metadata that builds with the interpreter `python` produced.
    pub fn of_builds(layout: &CacheLayout, python: &str) -> Self {
        Self { folder: layout.folder(CacheBucket::Built).join(python), layout: layout.clone() }
    }

    /// Returns the metadata of the file with this digest; `None` also if the cached file is
    /// damaged.
    pub fn read(&self, sha256: Sha256) -> Option<MetadataResult> {
        postcard::from_bytes(&self.layout.read(&self.path(sha256))?).ok()
    }

    /// Remembers metadata; a cache that cannot be written is no error, since it only saves time.
    pub fn write(&self, sha256: Sha256, metadata: &MetadataResult) {
        let bytes = postcard::to_stdvec(metadata).expect("metadata can always be encoded");
        let _ = self.layout.write(&self.path(sha256), &[&bytes], Readers::Umask);
    }

    fn path(&self, sha256: Sha256) -> PathBuf {
        self.folder.join(sha256.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = MetadataCache::of_files(&CacheLayout::new(folder.path().to_owned()));
        let sha256 = Sha256::of(b"file");
        assert_eq!(cache.read(sha256), None);
        for metadata in
            [Ok(CoreMetadata { name: "demo".into(), ..CoreMetadata::default() }), Err(MetadataUnavailable::NeedsBuild)]
        {
            cache.write(sha256, &metadata);
            assert_eq!(cache.read(sha256), Some(metadata));
        }
        std::fs::write(cache.path(sha256), [0xff; 9]).unwrap();
        assert_eq!(cache.read(sha256), None);
    }
}
