//! The cache of core metadata, by the SHA-256 of the distribution; entries never expire.

use crate::cache_folder::{CacheBucket, CacheEntries};
use crate::domain::{CoreMetadata, MetadataUnavailable, Sha256};

/// The core metadata of a file, or why it is unavailable.
pub type MetadataResult = Result<CoreMetadata, MetadataUnavailable>;

/// The core metadata of distributions, by their SHA-256.
#[derive(Clone, Debug)]
pub struct MetadataCache {
    entries: CacheEntries,
    bucket: CacheBucket,
    /// What comes before the digest in the name of an entry.
    prefix: String,
}

impl MetadataCache {
    /// Returns the cache of metadata that was read from hashed files.
    pub fn of_files(entries: &CacheEntries) -> Self {
        Self { entries: entries.clone(), bucket: CacheBucket::Metadata, prefix: String::new() }
    }

    /// Returns the cache of metadata that builds with the interpreter `python` produced, which only
    /// this machine keeps.
    pub fn of_builds(entries: &CacheEntries, python: &str) -> Self {
        let entries = CacheEntries::local(entries.layout().clone());
        Self { entries, bucket: CacheBucket::Built, prefix: format!("{python}/") }
    }

    /// Returns the metadata of the file with this digest; `None` also if the cached file is
    /// damaged.
    pub fn read(&self, sha256: Sha256) -> Option<MetadataResult> {
        postcard::from_bytes(&self.entries.read(self.bucket, &self.name(sha256))?).ok()
    }

    /// Returns the metadata that another machine read from the file with this digest: a claim until
    /// the file itself is here, so that it is not kept.
    pub async fn fetch(&self, sha256: Sha256) -> Option<CoreMetadata> {
        let bytes = self.entries.fetch(self.bucket, &self.name(sha256)).await?;
        // What another machine could not read, this one tries itself.
        postcard::from_bytes::<MetadataResult>(&bytes).ok()?.ok()
    }

    /// Remembers metadata; a cache that cannot be written is no error, since it only saves time.
    pub fn write(&self, sha256: Sha256, metadata: &MetadataResult) {
        let bytes = postcard::to_stdvec(metadata).expect("metadata can always be encoded");
        let _ = self.entries.write(self.bucket, &self.name(sha256), &[&bytes]);
    }

    fn name(&self, sha256: Sha256) -> String {
        format!("{}{sha256}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache_folder::CacheLayout;

    #[test]
    fn what_is_known_is_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let entries = CacheEntries::local(CacheLayout::new(folder.path().to_owned()));
        let cache = MetadataCache::of_files(&entries);
        let sha256 = Sha256::of(b"file");
        assert_eq!(cache.read(sha256), None);
        for metadata in
            [Ok(CoreMetadata { name: "demo".into(), ..CoreMetadata::default() }), Err(MetadataUnavailable::NeedsBuild)]
        {
            cache.write(sha256, &metadata);
            assert_eq!(cache.read(sha256), Some(metadata));
        }
        std::fs::write(entries.path(CacheBucket::Metadata, &sha256.to_string()), [0xff; 9]).unwrap();
        assert_eq!(cache.read(sha256), None);
    }
}
