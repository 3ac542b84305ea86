//! Core metadata by the digest of the file that it is of: true for ever.

use std::path::{Path, PathBuf};

use super::checksummed_files::ChecksummedFiles;
use crate::domain::{CoreMetadata, MetadataUnavailable, Sha256};

/// What is known of a file.
pub type MetadataResult = Result<CoreMetadata, MetadataUnavailable>;

/// The folder of known metadata: `metadata/<SHA-256 of the file>` in the cache folder.
#[derive(Clone, Debug)]
pub struct MetadataCache {
    folder: PathBuf,
    files: ChecksummedFiles,
}

impl MetadataCache {
    pub fn new(cache: PathBuf) -> Self {
        Self { folder: cache.join("metadata"), files: ChecksummedFiles::of(&cache) }
    }

    /// What builds said, run by `python`.
    pub fn of_builds(cache: &Path, python: &str) -> Self {
        Self { folder: cache.join("built").join(python), files: ChecksummedFiles::of(cache) }
    }

    /// What is known of the file with this digest; a damaged memory is none.
    pub fn read(&self, sha256: Sha256) -> Option<MetadataResult> {
        postcard::from_bytes(&self.files.read(&self.folder.join(sha256.to_string()))?).ok()
    }

    /// Remembers `metadata`. A cache that cannot be written costs time and nothing else.
    pub fn write(&self, sha256: Sha256, metadata: &MetadataResult) {
        let bytes = postcard::to_stdvec(metadata).expect("metadata can always be encoded");
        let _ = self.files.write(&self.folder.join(sha256.to_string()), &[&bytes]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = MetadataCache::new(folder.path().to_owned());
        let sha256 = Sha256::of(b"file");
        assert_eq!(cache.read(sha256), None);
        for metadata in
            [Ok(CoreMetadata { name: "demo".into(), ..CoreMetadata::default() }), Err(MetadataUnavailable::NeedsBuild)]
        {
            cache.write(sha256, &metadata);
            assert_eq!(cache.read(sha256), Some(metadata));
        }
        std::fs::write(folder.path().join("metadata").join(sha256.to_string()), [0xff; 9]).unwrap();
        assert_eq!(cache.read(sha256), None);
    }
}
