//! The cache of built wheels: which object of the store a build made, by everything that the build
//! depends on.

use serde::{Deserialize, Serialize};

use super::config_settings::BackendSettings;
use crate::cache_folder::{CacheBucket, CacheEntries, Readers, real_entries, remove_anything};
use crate::domain::{Linkage, Sha256, Timestamp};

/// Everything that a build depends on.
///
/// Build requirements count as the archive states them: a later release of one of them builds
/// nothing anew.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BuildKey<'a> {
    pub archive: Sha256,
    /// The interpreter: its tag, its platform with the C library, and its full version.
    pub interpreter: [&'a str; 3],
    pub requires: &'a [String],
    pub config_settings: &'a BackendSettings,
    pub exclude_newer: Option<Timestamp>,
}

impl BuildKey<'_> {
    /// Returns the digest that names the build.
    pub fn digest(&self) -> Sha256 {
        Sha256::of(&serde_json::to_vec(self).expect("a key can always be encoded"))
    }
}

/// A wheel that was built, as an object of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltWheel {
    pub filename: Box<str>,
    pub sha256: Sha256,
    /// Size in bytes.
    pub size: u64,
    /// The build requirements that were installed, sorted: `setuptools==80.9.0`.
    pub requires: Vec<String>,
    pub linkage: Linkage,
}

/// The cache of built wheels, each under the digest of its `BuildKey`.
#[derive(Clone, Debug)]
pub struct BuiltWheelCache {
    entries: CacheEntries,
}

impl BuiltWheelCache {
    pub fn new(entries: &CacheEntries) -> Self {
        Self { entries: entries.clone() }
    }

    /// Returns the wheel of the build with this digest; `None` also if the entry is damaged.
    pub fn read(&self, key: Sha256) -> Option<BuiltWheel> {
        postcard::from_bytes(&self.entries.read(CacheBucket::BuiltWheels, &key.to_string())?).ok()
    }

    /// Returns the wheel that another machine made by the build with this digest.
    pub async fn fetch(&self, key: Sha256) -> Option<BuiltWheel> {
        postcard::from_bytes(&self.entries.fetch(CacheBucket::BuiltWheels, &key.to_string()).await?).ok()
    }

    /// Remembers a wheel, also for other machines; a cache that cannot be written is no error,
    /// since it only saves time.
    pub fn write(&self, key: Sha256, wheel: &BuiltWheel) {
        let _ = self.entries.write(CacheBucket::BuiltWheels, &key.to_string(), &[&encode(wheel)]);
    }

    /// Remembers a wheel of another machine.
    pub fn keep(&self, key: Sha256, wheel: &BuiltWheel) {
        let _ = self.entries.keep(CacheBucket::BuiltWheels, &key.to_string(), &[&encode(wheel)], Readers::Umask);
    }

    /// Forgets the wheels that the store does not hold any more.
    pub fn retain(&self, is_held: impl Fn(Sha256) -> bool) {
        let layout = self.entries.layout();
        for entry in real_entries(&layout.folder(CacheBucket::BuiltWheels)) {
            let wheel = layout.read(&entry.path()).and_then(|bytes| postcard::from_bytes::<BuiltWheel>(&bytes).ok());
            if !wheel.is_some_and(|wheel| is_held(wheel.sha256)) {
                // What stays costs a few bytes, and is not used.
                let _ = remove_anything(&entry.path());
            }
        }
    }
}

fn encode(wheel: &BuiltWheel) -> Vec<u8> {
    postcard::to_stdvec(wheel).expect("an entry can always be encoded")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache_folder::CacheLayout;

    fn wheel() -> BuiltWheel {
        BuiltWheel {
            filename: "demo-1.0-py3-none-any.whl".into(),
            sha256: Sha256::of(b"wheel"),
            size: 5,
            requires: vec!["setuptools==80.9.0".into()],
            linkage: Linkage::default(),
        }
    }

    #[test]
    fn a_wheel_is_found_by_all_that_its_build_depends_on() {
        let folder = tempfile::tempdir().unwrap();
        let wheels = BuiltWheelCache::new(&CacheEntries::local(CacheLayout::new(folder.path().to_owned())));
        let requires = ["setuptools".to_owned()];
        let settings = BackendSettings::from([("debug".to_owned(), vec!["1".to_owned()])]);
        let none = BackendSettings::new();
        let interpreter = ["cp311", "manylinux_2_36_x86_64", "3.11.7"];
        let key = BuildKey {
            archive: Sha256::of(b"a"),
            interpreter,
            requires: &requires,
            config_settings: &none,
            exclude_newer: None,
        };
        assert_eq!(wheels.read(key.digest()), None);
        wheels.write(key.digest(), &wheel());
        assert_eq!(wheels.read(key.digest()), Some(wheel()));
        let others = [
            BuildKey { archive: Sha256::of(b"b"), ..key },
            BuildKey { interpreter: ["cp311", "musllinux_1_2_x86_64", "3.11.7"], ..key },
            BuildKey { requires: &[], ..key },
            BuildKey { config_settings: &settings, ..key },
            BuildKey { exclude_newer: Some(Timestamp(1)), ..key },
        ];
        assert!(others.iter().all(|other| wheels.read(other.digest()).is_none()));
    }

    #[test]
    fn a_wheel_that_the_store_lost_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let wheels = BuiltWheelCache::new(&CacheEntries::local(CacheLayout::new(folder.path().to_owned())));
        let [kept, lost] = [b"kept", b"lost"].map(|bytes| Sha256::of(bytes));
        for sha256 in [kept, lost] {
            wheels.write(sha256, &BuiltWheel { sha256, ..wheel() });
        }
        wheels.retain(|sha256| sha256 == kept);
        assert!(wheels.read(kept).is_some() && wheels.read(lost).is_none());
        let left = std::fs::read_dir(folder.path().join(CacheBucket::BuiltWheels.folder_name())).unwrap();
        assert_eq!(left.count(), 1);
    }
}
