//! The cache of built wheels: which object of the store a build made, by everything that decides it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cache_folder::{CacheBucket, CacheLayout, Readers};
use crate::domain::{Sha256, Timestamp};

/// Everything that decides what a build makes. The build requirements count by what asks for them: a
/// release of one of them that comes later builds nothing anew.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BuildKey<'a> {
    pub archive: Sha256,
    /// The interpreter: its tag, its platform with the C library, and its full version.
    pub interpreter: [&'a str; 3],
    pub requires: &'a [String],
    pub exclude_newer: Option<Timestamp>,
}

/// What came of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltWheel {
    pub filename: Box<str>,
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
    /// What took part in it: `setuptools==80.9.0`, sorted.
    pub requires: Vec<String>,
}

/// A folder of such entries, each named by the digest of its key.
#[derive(Clone, Debug)]
pub struct BuiltWheels {
    layout: CacheLayout,
}

impl BuiltWheels {
    pub fn new(layout: &CacheLayout) -> Self {
        Self { layout: layout.clone() }
    }

    /// The wheel that was built for this key; a damaged entry is none.
    pub fn read(&self, key: &BuildKey<'_>) -> Option<BuiltWheel> {
        postcard::from_bytes(&self.layout.read(&self.path(key))?).ok()
    }

    /// Remembers `wheel`. A cache that cannot be written costs time and nothing else.
    pub fn write(&self, key: &BuildKey<'_>, wheel: &BuiltWheel) {
        let bytes = postcard::to_stdvec(wheel).expect("an entry can always be encoded");
        let _ = self.layout.write(&self.path(key), &[&bytes], Readers::Umask);
    }

    fn path(&self, key: &BuildKey<'_>) -> PathBuf {
        let key = serde_json::to_vec(key).expect("a key can always be encoded");
        self.layout.folder(CacheBucket::BuiltWheels).join(Sha256::of(&key).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_is_found_by_all_that_decides_it() {
        let folder = tempfile::tempdir().unwrap();
        let wheels = BuiltWheels::new(&CacheLayout::new(folder.path().to_owned()));
        let requires = ["setuptools".to_owned()];
        let interpreter = ["cp311", "manylinux_2_36_x86_64", "3.11.7"];
        let key = BuildKey { archive: Sha256::of(b"a"), interpreter, requires: &requires, exclude_newer: None };
        let wheel = BuiltWheel {
            filename: "demo-1.0-py3-none-any.whl".into(),
            sha256: Sha256::of(b"wheel"),
            size: 5,
            requires: vec!["setuptools==80.9.0".into()],
        };
        assert_eq!(wheels.read(&key), None);
        wheels.write(&key, &wheel);
        assert_eq!(wheels.read(&key), Some(wheel));
        let others = [
            BuildKey { archive: Sha256::of(b"b"), ..key },
            BuildKey { interpreter: ["cp311", "musllinux_1_2_x86_64", "3.11.7"], ..key },
            BuildKey { requires: &[], ..key },
            BuildKey { exclude_newer: Some(Timestamp(1)), ..key },
        ];
        assert!(others.iter().all(|other| wheels.read(other).is_none()));
    }
}
