//! The cache of core metadata, by the distribution; entries never expire.

use crate::cache_folder::{CacheBucket, CacheEntries};
use crate::domain::{CoreMetadata, MetadataUnavailable, PackageName, Sha256};

/// The core metadata of a file, or why it is unavailable.
pub type MetadataResult = Result<CoreMetadata, MetadataUnavailable>;

/// A distribution that metadata is about: its bytes, and the names by which they are read.
///
/// The names count, too, since an index may list any bytes under any name: what is wrong or
/// unreadable under one name says nothing of another.
#[derive(Clone, Copy, Debug)]
pub struct MetadataKey<'a> {
    pub sha256: Sha256,
    pub project: &'a PackageName,
    pub filename: &'a str,
    /// The [digest](super::Indexes::digest) of the indexes whose tools built it, if it was built.
    pub tools_of: Option<Sha256>,
}

impl MetadataKey<'_> {
    fn name(&self, prefix: &str) -> String {
        let key = postcard::to_stdvec(&(self.sha256, self.project.as_ref(), self.filename, self.tools_of));
        format!("{prefix}{}", Sha256::of(&key.expect("texts can always be encoded")))
    }
}

/// The core metadata of distributions.
#[derive(Clone, Debug)]
pub struct MetadataCache {
    entries: CacheEntries,
    bucket: CacheBucket,
    /// What comes before the digest of the key in the name of an entry.
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

    /// Returns the metadata of a distribution; `None` also if the cached file is damaged.
    pub fn read(&self, key: MetadataKey<'_>) -> Option<MetadataResult> {
        postcard::from_bytes(&self.entries.read(self.bucket, &key.name(&self.prefix))?).ok()
    }

    /// Returns the metadata that another machine read from a distribution: a claim until the file
    /// itself is here, so that it is not kept.
    pub async fn fetch(&self, key: MetadataKey<'_>) -> Option<CoreMetadata> {
        let bytes = self.entries.fetch(self.bucket, &key.name(&self.prefix)).await?;
        // What another machine could not read, this one tries itself.
        postcard::from_bytes::<MetadataResult>(&bytes).ok()?.ok()
    }

    /// Remembers metadata; a cache that cannot be written is no error, since it only saves time.
    pub fn write(&self, key: MetadataKey<'_>, metadata: &MetadataResult) {
        let bytes = postcard::to_stdvec(metadata).expect("metadata can always be encoded");
        let _ = self.entries.write(self.bucket, &key.name(&self.prefix), &[&bytes]);
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
        let project = "demo".parse().unwrap();
        let key =
            MetadataKey { sha256: Sha256::of(b"file"), project: &project, filename: "demo-1.0.tar.gz", tools_of: None };
        assert_eq!(cache.read(key), None);
        for metadata in
            [Ok(CoreMetadata { name: "demo".into(), ..CoreMetadata::default() }), Err(MetadataUnavailable::NeedsBuild)]
        {
            cache.write(key, &metadata);
            assert_eq!(cache.read(key), Some(metadata));
        }
        std::fs::write(entries.path(CacheBucket::Metadata, &key.name("")), [0xff; 9]).unwrap();
        assert_eq!(cache.read(key), None);
    }

    #[test]
    fn what_bytes_are_under_one_name_says_nothing_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let cache = MetadataCache::of_files(&CacheEntries::local(CacheLayout::new(folder.path().to_owned())));
        let [demo, other]: [PackageName; 2] = ["demo", "other"].map(|name| name.parse().unwrap());
        let key =
            MetadataKey { sha256: Sha256::of(b"file"), project: &demo, filename: "demo-1.0.tar.gz", tools_of: None };
        cache.write(key, &Err(MetadataUnavailable::NeedsBuild));
        assert_eq!(cache.read(MetadataKey { project: &other, ..key }), None);
        assert_eq!(cache.read(MetadataKey { filename: "demo-9.0.tar.gz", ..key }), None);
        assert_eq!(cache.read(MetadataKey { tools_of: Some(Sha256::of(b"index")), ..key }), None);
    }
}
