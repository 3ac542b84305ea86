//! Core metadata by the digest of the file that it is of: true for ever.

use std::path::{Path, PathBuf};

use super::scratch::Scratch;
use crate::domain::{CoreMetadata, Sha256, Unknown};

/// What is known of a file.
pub type Known = Result<CoreMetadata, Unknown>;

/// The folder of known metadata: `metadata/<SHA-256 of the file>` in the cache folder.
#[derive(Clone, Debug)]
pub struct MetadataCache {
    folder: PathBuf,
    scratch: Scratch,
}

impl MetadataCache {
    pub fn new(cache: PathBuf) -> Self {
        Self { folder: cache.join("metadata"), scratch: Scratch::of(&cache) }
    }

    /// What builds said, run by `python`.
    pub fn of_builds(cache: &Path, python: &str) -> Self {
        Self { folder: cache.join("built").join(python), scratch: Scratch::of(cache) }
    }

    /// What is known of the file with this digest; a damaged memory is none.
    pub fn read(&self, sha256: Sha256) -> Option<Known> {
        postcard::from_bytes(&self.scratch.read(&self.folder.join(sha256.to_string()))?).ok()
    }

    /// Remembers `known`. A cache that cannot be written costs time and nothing else.
    pub fn write(&self, sha256: Sha256, known: &Known) {
        let bytes = postcard::to_stdvec(known).expect("metadata can always be encoded");
        let _ = self.scratch.write(&self.folder.join(sha256.to_string()), &[&bytes]);
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
        for known in [Ok(CoreMetadata { name: "demo".into(), ..CoreMetadata::default() }), Err(Unknown::NeedsBuild)] {
            cache.write(sha256, &known);
            assert_eq!(cache.read(sha256), Some(known));
        }
        std::fs::write(folder.path().join("metadata").join(sha256.to_string()), [0xff; 9]).unwrap();
        assert_eq!(cache.read(sha256), None);
    }
}
