//! Pages of indexes as they were last seen, in compact form, with what their server said of
//! their age. A warm run reads these and asks nobody.
//!
//! `pages/<SHA-256 of the page's URL>` in the cache folder; replaced by rename, read without a
//! lock, and simply asked for again where it cannot be read.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{MaskedUrl, Sha256, Timestamp};
use crate::http::Validators;

/// How long a page is fresh where its server says nothing: what the large public indexes say.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

/// A page that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CachedPage {
    /// Seconds since 1970-01-01 UTC.
    checked: i64,
    /// Seconds.
    lifetime: u64,
    etag: Option<String>,
    last_modified: Option<String>,
    /// The compact listing; absent where the index does not know the project.
    #[serde(with = "serde_bytes")]
    pub listing: Option<Vec<u8>>,
}

impl CachedPage {
    /// A page as it was answered at `now`; `None` where its server forbids keeping it.
    pub fn new(listing: Option<Vec<u8>>, validators: Validators, cache_control: &str, now: Timestamp) -> Option<Self> {
        let lifetime = lifetime(cache_control)?.as_secs();
        let Validators { etag, last_modified } = validators;
        Some(Self { checked: now.0, lifetime, etag, last_modified, listing })
    }

    /// Whether it may be used without asking.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        let age = now.0.saturating_sub(self.checked);
        u64::try_from(age).is_ok_and(|age| age < self.lifetime)
    }

    /// What lets the server say that it is still right.
    pub fn validators(&self) -> Validators {
        Validators { etag: self.etag.clone(), last_modified: self.last_modified.clone() }
    }

    /// The same page, found still right at `now`.
    pub fn renewed(self, cache_control: &str, now: Timestamp) -> Self {
        let lifetime = lifetime(cache_control).unwrap_or_default().as_secs();
        Self { checked: now.0, lifetime, ..self }
    }
}

/// What `Cache-Control` allows; `None` forbids keeping the page at all.
fn lifetime(cache_control: &str) -> Option<Duration> {
    let mut lifetime = DEFAULT_LIFETIME;
    for directive in cache_control.split(',').map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.to_ascii_lowercase().as_str() {
            "no-store" => return None,
            "no-cache" => return Some(Duration::ZERO),
            "max-age" => lifetime = value.trim_matches('"').parse().map(Duration::from_secs).unwrap_or_default(),
            _ => {}
        }
    }
    Some(lifetime)
}

/// The folder of cached pages.
#[derive(Clone, Debug)]
pub(super) struct PageCache {
    folder: PathBuf,
}

impl PageCache {
    pub fn new(cache: PathBuf) -> Self {
        Self { folder: cache.join("pages") }
    }

    /// The page as last seen; damaged ones were never seen.
    pub fn read(&self, url: &MaskedUrl) -> Option<CachedPage> {
        postcard::from_bytes(&std::fs::read(self.path(url)).ok()?).ok()
    }

    /// Keeps `page`. A cache that cannot be written costs time and nothing else, so failures
    /// are not told: the store, in the same folder, will tell.
    pub fn write(&self, url: &MaskedUrl, page: &CachedPage) {
        let bytes = postcard::to_stdvec(page).expect("a page can always be encoded");
        let _ = self.try_write(url, &bytes);
    }

    fn try_write(&self, url: &MaskedUrl, bytes: &[u8]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.persist(self.path(url))?;
        Ok(())
    }

    fn path(&self, url: &MaskedUrl) -> PathBuf {
        self.folder.join(Sha256::of(url.public().as_bytes()).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(cache_control: &str) -> Option<CachedPage> {
        CachedPage::new(Some(vec![1]), Validators::default(), cache_control, Timestamp(1000))
    }

    #[test]
    fn freshness_is_what_the_server_says() {
        let fresh = |cache_control, now| page(cache_control).unwrap().is_fresh(Timestamp(now));
        assert!(fresh("", 1599) && !fresh("", 1600));
        assert!(fresh("public, max-age=10", 1009) && !fresh("public, max-age=10", 1010));
        assert!(!fresh("no-cache, max-age=10", 1000));
        assert!(!fresh("max-age=nonsense", 1000));
        assert!(!fresh("", 999), "a page from the future is not trusted");
        assert_eq!(page("no-store"), None);
        assert!(page("max-age=0").unwrap().renewed("max-age=5", Timestamp(2000)).is_fresh(Timestamp(2004)));
    }

    #[test]
    fn what_is_written_is_read_and_damage_is_a_miss() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PageCache::new(folder.path().to_owned());
        let url: MaskedUrl = "https://me:pw@index.example/simple/demo/".parse().unwrap();
        assert_eq!(cache.read(&url), None);
        let page = page("").unwrap();
        cache.write(&url, &page);
        assert_eq!(cache.read(&url), Some(page));
        std::fs::write(cache.path(&url), [0xff; 5]).unwrap();
        assert_eq!(cache.read(&url), None);
    }
}
