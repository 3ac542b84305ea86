//! The cache of index pages in compact form, with their validators and lifetimes.
//!
//! A run with a warm cache reads these and sends no request.
//!
//! A page's file in the `pages` folder of the cache is named by the SHA-256 of the page's URL and
//! of the fingerprint of the credentials. It is replaced by a rename and read without a lock; a
//! page that cannot be read is requested again.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::cached_inputs::{CachedInput, CachedInputs};
use crate::cache_folder::{CacheBucket, CacheLayout, FileStamp, Readers};
use crate::domain::{IndexPage, Listing, MaskedUrl, Sha256, Timestamp};
use crate::http::Validators;

/// How long a page is fresh if its server does not say: as long as the large public indexes say.
pub(super) const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

/// An index page in the cache.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct CachedPage<'a> {
    /// When the index was last asked for the page, in seconds since 1970-01-01 UTC.
    checked: i64,
    /// How long the page is fresh, in seconds.
    lifetime: u64,
    etag: Option<String>,
    last_modified: Option<String>,
    /// Whether the page is only for the user who asked (`Cache-Control: private`).
    is_private: bool,
    /// The encoded listing; `None` if the index does not have the project.
    #[serde(borrow, with = "serde_bytes")]
    pub listing: Option<Cow<'a, [u8]>>,
}

impl<'a> CachedPage<'a> {
    /// Makes the page from a response at `now`; `None` if its server forbids caching.
    pub fn new(listing: Option<&'a [u8]>, validators: Validators, cache_control: &str, now: Timestamp) -> Option<Self> {
        let Permission { lifetime, is_private } = Permission::of(cache_control)?;
        let Validators { etag, last_modified } = validators;
        let listing = listing.map(Cow::Borrowed);
        Some(Self { checked: now.0, lifetime: lifetime.as_secs(), etag, last_modified, is_private, listing })
    }

    /// Whether the page may be used without asking its index.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.checked <= now.0 && now < self.stale_from()
    }

    /// Returns the moment from which on the page must be validated before use.
    fn stale_from(&self) -> Timestamp {
        Timestamp(self.checked.saturating_add_unsigned(self.lifetime))
    }

    /// Returns the validators for a conditional request.
    pub fn validators(&self) -> Validators {
        Validators { etag: self.etag.clone(), last_modified: self.last_modified.clone() }
    }

    /// Returns the page at `url` with its `listing`, if it is fresh at `now` or can be validated.
    pub fn to_index_page(&self, url: MaskedUrl, listing: Listing, now: Timestamp) -> Option<IndexPage> {
        (self.etag.is_some() || self.is_fresh(now)).then(|| IndexPage {
            url,
            listing,
            checked: Timestamp(self.checked),
            lifetime: self.lifetime,
            etag: self.etag.clone(),
        })
    }

    /// Returns the encoding up to the bytes of the listing, which are long and come last.
    fn head(&self) -> Vec<u8> {
        let length = self.listing.as_ref().map(|listing| listing.len());
        let head = (self.checked, self.lifetime, &self.etag, &self.last_modified, self.is_private, length);
        postcard::to_stdvec(&head).expect("a page can always be encoded")
    }

    fn into_owned(self) -> CachedPage<'static> {
        CachedPage { listing: self.listing.map(|listing| listing.into_owned().into()), ..self }
    }

    /// Returns the page as validated at `now`; `None` if its server forbids caching now.
    pub fn renewed(self, cache_control: &str, now: Timestamp) -> Option<Self> {
        let Permission { lifetime, is_private } = Permission::of(cache_control)?;
        Some(Self { checked: now.0, lifetime: lifetime.as_secs(), is_private, ..self })
    }
}

/// What `Cache-Control` permits.
#[derive(Debug, PartialEq, Eq)]
struct Permission {
    lifetime: Duration,
    is_private: bool,
}

impl Permission {
    /// Parses `Cache-Control`; `None` if it forbids caching.
    fn of(cache_control: &str) -> Option<Self> {
        let mut permission = Self { lifetime: DEFAULT_LIFETIME, is_private: false };
        let mut must_ask = false;
        for directive in cache_control.split(',').map(str::trim) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim_end().to_ascii_lowercase().as_str() {
                "no-store" => return None,
                "no-cache" => must_ask = true,
                "private" => permission.is_private = true,
                "max-age" => {
                    let seconds = value.trim().trim_matches('"').parse();
                    permission.lifetime = seconds.map(Duration::from_secs).unwrap_or_default();
                }
                _ => {}
            }
        }
        if must_ask {
            permission.lifetime = Duration::ZERO;
        }
        Some(permission)
    }
}

/// The folder of cached pages.
#[derive(Clone, Debug)]
pub(super) struct PageCache {
    folder: PathBuf,
    layout: CacheLayout,
}

impl PageCache {
    pub fn new(layout: CacheLayout) -> Self {
        Self { folder: layout.folder(CacheBucket::Pages), layout }
    }

    /// Returns a cached page with the record of its use for [`CachedInputs`]; `None` also if the
    /// file is damaged.
    pub fn read(&self, url: &MaskedUrl, asker: Option<Sha256>) -> Option<(CachedPage<'static>, Option<CachedInput>)> {
        let name = name(url, asker);
        let (bytes, stamp) = self.layout.read_stamped(&self.path(name))?;
        let page = postcard::from_bytes::<CachedPage<'_>>(&bytes).ok()?.into_owned();
        let cached_input = cached_input(name, &page, stamp);
        Some((page, cached_input))
    }

    /// Writes a page and returns the record of its use for [`CachedInputs`].
    ///
    /// A cache that cannot be written is no error here, since it only saves time; the store in the
    /// same folder reports such problems.
    pub fn write(&self, url: &MaskedUrl, asker: Option<Sha256>, page: &CachedPage<'_>) -> Option<CachedInput> {
        let name = name(url, asker);
        let parts = [&*page.head(), page.listing.as_deref().unwrap_or_default()];
        let readers = if page.is_private { Readers::Owner } else { Readers::Umask };
        let stamp = self.layout.write(&self.path(name), &parts, readers);
        cached_input(name, page, stamp.ok()?)
    }

    /// Whether every page of `cached_inputs` is unchanged in the cache, and fresh at `now` if that
    /// is given.
    pub fn is_fresh(&self, cached_inputs: &CachedInputs, now: Option<Timestamp>) -> bool {
        let is_fresh = |cached_input: &CachedInput| {
            now.is_none_or(|now| cached_input.checked <= now && now < cached_input.stale_from)
        };
        cached_inputs.pages.iter().all(is_fresh)
            && cached_inputs
                .pages
                .iter()
                .all(|cached_input| FileStamp::at(&self.path(cached_input.page)) == Some(cached_input.stamp))
    }

    fn path(&self, name: Sha256) -> PathBuf {
        self.folder.join(name.to_string())
    }
}

/// Returns the file name of a page in the cache.
fn name(url: &MaskedUrl, asker: Option<Sha256>) -> Sha256 {
    match asker {
        Some(asker) => Sha256::of(format!("{} {asker}", url.address()).as_bytes()),
        None => Sha256::of(url.address().as_str().as_bytes()),
    }
}

fn cached_input(page: Sha256, cached: &CachedPage<'_>, stamp: Option<FileStamp>) -> Option<CachedInput> {
    Some(CachedInput { page, stamp: stamp?, checked: Timestamp(cached.checked), stale_from: cached.stale_from() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(cache_control: &str) -> Option<CachedPage<'static>> {
        CachedPage::new(Some(&[1]), Validators::default(), cache_control, Timestamp(1000))
    }

    #[test]
    fn freshness_is_what_the_server_says() {
        let fresh = |cache_control, now| page(cache_control).unwrap().is_fresh(Timestamp(now));
        assert!(fresh("", 1599) && !fresh("", 1600));
        assert!(fresh("public, max-age=10", 1009) && !fresh("public, max-age=10", 1010));
        assert!(!fresh("no-cache, max-age=10", 1000));
        assert!(!fresh("max-age=nonsense", 1000));
        assert!(!fresh("", 999), "a page from the future is not trusted");
        assert!(!fresh("max-age=10, no-cache", 1000));
        for forbidden in ["no-store", "private, No-Store , max-age=9"] {
            assert_eq!(page(forbidden), None);
            assert_eq!(page("").unwrap().renewed(forbidden, Timestamp(2000)), None);
        }
        assert!(page("Private").unwrap().is_private && !page("public").unwrap().is_private);
        assert!(page("max-age=0").unwrap().renewed("max-age=5", Timestamp(2000)).unwrap().is_fresh(Timestamp(2004)));
    }

    #[test]
    fn what_is_written_is_read_and_damage_is_a_miss() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PageCache::new(CacheLayout::new(folder.path().to_owned()));
        let url: MaskedUrl = "https://me:pw@index.example/simple/demo/".parse().unwrap();
        assert_eq!(cache.read(&url, None), None);
        let page = page("").unwrap();
        let cached_input = cache.write(&url, None, &page);
        assert_eq!(cache.read(&url, None), Some((page, cached_input)));
        std::fs::write(cache.path(name(&url, None)), [0xff; 5]).unwrap();
        assert_eq!(cache.read(&url, None), None);
    }

    #[test]
    fn what_one_asker_was_shown_another_does_not_see() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PageCache::new(CacheLayout::new(folder.path().to_owned()));
        let url: MaskedUrl = "https://index.example/simple/demo/".parse().unwrap();
        let (me, you) = (Some(Sha256::of(b"me")), Some(Sha256::of(b"you")));
        cache.write(&url, me, &page("private").unwrap());
        assert!(cache.read(&url, me).is_some());
        assert_eq!([cache.read(&url, you), cache.read(&url, None)], [None, None]);
    }

    #[test]
    fn a_page_holds_what_was_taken_from_it_while_it_is_fresh_and_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PageCache::new(CacheLayout::new(folder.path().to_owned()));
        let url: MaskedUrl = "https://index.example/simple/demo/".parse().unwrap();
        let cached_input = cache.write(&url, None, &page("max-age=10").unwrap()).unwrap();
        let cached_inputs = CachedInputs { pages: vec![cached_input] };
        assert!(cache.is_fresh(&cached_inputs, Some(Timestamp(1009))) && cache.is_fresh(&cached_inputs, None));
        assert!(!cache.is_fresh(&cached_inputs, Some(Timestamp(1010))));
        assert!(!cache.is_fresh(&cached_inputs, Some(Timestamp(999))), "it was asked for under a clock that was ahead");
        let other = CachedPage { listing: Some(Cow::Borrowed(&[1, 2])), ..page("max-age=10").unwrap() };
        cache.write(&url, None, &other);
        assert!(!cache.is_fresh(&cached_inputs, None), "another page has its name");
        std::fs::remove_file(cache.path(name(&url, None))).unwrap();
        assert!(!cache.is_fresh(&cached_inputs, None));
    }
}
