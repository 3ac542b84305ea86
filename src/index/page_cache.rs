//! The cache of index pages in compact form, with their validators and lifetimes.
//!
//! A run with a warm cache reads these and sends no request.
//!
//! A page's entry in the `pages` folder of the cache is named by the SHA-256 of the page's URL and
//! of the fingerprint of the credentials. It is replaced by a rename and read without a lock; a
//! page that cannot be read is requested again. Machines share what is not private.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::cached_inputs::{CachedInput, CachedInputs};
use crate::cache_folder::{CacheBucket, CacheEntries, FileStamp, Readers};
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

    /// Keeps the page from other machines.
    pub fn into_private(self) -> Self {
        Self { is_private: true, ..self }
    }

    /// Whether the page may be used without asking its index.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.checked <= now.0 && now < self.stale_from()
    }

    /// Returns when the index was last asked for the page.
    pub fn checked(&self) -> Timestamp {
        Timestamp(self.checked)
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
            checked: self.checked(),
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

/// The cached pages.
#[derive(Clone, Debug)]
pub(super) struct PageCache {
    entries: CacheEntries,
}

impl PageCache {
    pub fn new(entries: CacheEntries) -> Self {
        Self { entries }
    }

    /// Returns a page that this machine cached, with the record of its use for [`CachedInputs`];
    /// `None` also if the file is damaged.
    pub fn read(&self, url: &MaskedUrl, user: Option<Sha256>) -> Option<(CachedPage<'static>, Option<CachedInput>)> {
        self.read_named(name(url, user))
    }

    /// Returns a page as [`PageCache::read`] does, or, if that is missing or not `usable`, the page
    /// that other machines share, if that was validated later.
    pub async fn find(
        &self,
        url: &MaskedUrl,
        user: Option<Sha256>,
        usable: impl Fn(&CachedPage<'_>) -> bool,
    ) -> Option<(CachedPage<'static>, Option<CachedInput>)> {
        let own = self.read(url, user);
        if own.as_ref().is_some_and(|(page, _)| usable(page)) {
            return own;
        }
        let name = name(url, user);
        let shared = self.entries.fetch(CacheBucket::Pages, &name.to_string()).await.and_then(decode);
        let is_newer = |shared: &CachedPage<'_>| own.as_ref().is_none_or(|(own, _)| own.checked < shared.checked);
        match shared.filter(|shared| !shared.is_private && is_newer(shared)) {
            Some(shared) => {
                let parts = [&*shared.head(), shared.listing.as_deref().unwrap_or_default()];
                let stamp = self.entries.keep(CacheBucket::Pages, &name.to_string(), &parts, Readers::Umask);
                let input = cached_input(name, &shared, stamp.ok().flatten());
                Some((shared, input))
            }
            None => own,
        }
    }

    /// Writes a page and returns the record of its use for [`CachedInputs`]; other machines get it
    /// unless it is private.
    ///
    /// A cache that cannot be written is no error here, since it only saves time; the store in the
    /// same folder reports such problems.
    pub fn write(&self, url: &MaskedUrl, user: Option<Sha256>, page: &CachedPage<'_>) -> Option<CachedInput> {
        let name = name(url, user);
        let parts = [&*page.head(), page.listing.as_deref().unwrap_or_default()];
        let stamp = match page.is_private {
            true => self.entries.keep(CacheBucket::Pages, &name.to_string(), &parts, Readers::Owner),
            false => self.entries.write(CacheBucket::Pages, &name.to_string(), &parts),
        };
        cached_input(name, page, stamp.ok()?)
    }

    /// Whether every page of `cached_inputs` is unchanged in the cache, and fresh at `now` if that
    /// is given.
    pub fn is_fresh(&self, cached_inputs: &CachedInputs, now: Option<Timestamp>) -> bool {
        let is_fresh = |cached_input: &CachedInput| {
            now.is_none_or(|now| cached_input.checked <= now && now < cached_input.stale_from)
        };
        let pages = &cached_inputs.pages;
        pages.iter().all(is_fresh) && pages.iter().all(|cached_input| self.is_unchanged(cached_input))
    }

    /// Whether this machine knows no other state of a page; of one that another machine read, no
    /// later one.
    fn is_unchanged(&self, cached_input: &CachedInput) -> bool {
        match cached_input.stamp {
            Some(stamp) => FileStamp::at(&self.path(cached_input.page)) == Some(stamp),
            None => self.read_named(cached_input.page).is_none_or(|(own, _)| own.checked() <= cached_input.checked),
        }
    }

    fn read_named(&self, name: Sha256) -> Option<(CachedPage<'static>, Option<CachedInput>)> {
        let (bytes, stamp) = self.entries.read_stamped(CacheBucket::Pages, &name.to_string())?;
        let page = decode(bytes)?;
        let cached_input = cached_input(name, &page, stamp);
        Some((page, cached_input))
    }

    fn path(&self, name: Sha256) -> PathBuf {
        self.entries.path(CacheBucket::Pages, &name.to_string())
    }
}

fn decode(bytes: Vec<u8>) -> Option<CachedPage<'static>> {
    Some(postcard::from_bytes::<CachedPage<'_>>(&bytes).ok()?.into_owned())
}

/// Returns the file name of a page in the cache.
fn name(url: &MaskedUrl, user: Option<Sha256>) -> Sha256 {
    match user {
        Some(user) => Sha256::of(format!("{} {user}", url.address()).as_bytes()),
        None => Sha256::of(url.address().as_str().as_bytes()),
    }
}

fn cached_input(page: Sha256, cached: &CachedPage<'_>, stamp: Option<FileStamp>) -> Option<CachedInput> {
    Some(CachedInput {
        page,
        stamp: Some(stamp?),
        checked: cached.checked(),
        stale_from: cached.stale_from(),
        is_private: cached.is_private,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cache_folder::{CacheLayout, RemoteEntries};

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
        let cache = PageCache::new(CacheEntries::local(CacheLayout::new(folder.path().to_owned())));
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
        let cache = PageCache::new(CacheEntries::local(CacheLayout::new(folder.path().to_owned())));
        let url: MaskedUrl = "https://index.example/simple/demo/".parse().unwrap();
        let (me, you) = (Some(Sha256::of(b"me")), Some(Sha256::of(b"you")));
        cache.write(&url, me, &page("private").unwrap());
        assert!(cache.read(&url, me).is_some());
        assert_eq!([cache.read(&url, you), cache.read(&url, None)], [None, None]);
    }

    #[test]
    fn a_page_holds_what_was_taken_from_it_while_it_is_fresh_and_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PageCache::new(CacheEntries::local(CacheLayout::new(folder.path().to_owned())));
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

    /// The entries of another machine's folder, which nobody adds to.
    #[derive(Debug)]
    struct Other(CacheEntries);

    #[async_trait::async_trait]
    impl RemoteEntries for Other {
        async fn get(&self, bucket: CacheBucket, name: &str) -> Option<Vec<u8>> {
            self.0.read(bucket, name)
        }

        fn offer(&self, _: CacheBucket, _: &str, _: PathBuf) {}

        fn is_read(&self) -> bool {
            true
        }
    }

    /// A machine, and another one whose pages it reads.
    struct Machines {
        _folder: tempfile::TempDir,
        own: PageCache,
        other: PageCache,
        url: MaskedUrl,
    }

    impl Machines {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let entries = |name| CacheEntries::local(CacheLayout::new(folder.path().join(name)));
            let other = entries("other");
            let remote = Arc::new(Other(other.clone())) as Arc<dyn RemoteEntries>;
            let own = CacheEntries::new(entries("own").layout().clone(), Some(remote));
            let url = "https://index.example/simple/demo/".parse().unwrap();
            Self { own: PageCache::new(own), other: PageCache::new(other), url, _folder: folder }
        }

        async fn find(&self, now: i64) -> Option<i64> {
            let fresh = |page: &CachedPage<'_>| page.is_fresh(Timestamp(now));
            self.own.find(&self.url, None, fresh).await.map(|(page, _)| page.checked)
        }
    }

    fn checked_at(now: i64, cache_control: &str) -> CachedPage<'static> {
        page(cache_control).unwrap().renewed(cache_control, Timestamp(now)).unwrap()
    }

    #[tokio::test]
    async fn a_page_of_another_machine_is_taken_where_it_was_validated_later() {
        let machines = Machines::new();
        assert_eq!(machines.find(1000).await, None);
        machines.other.write(&machines.url, None, &checked_at(1000, "max-age=10"));
        assert_eq!(machines.find(1005).await, Some(1000));
        assert!(machines.own.read(&machines.url, None).is_some(), "it is kept");
        machines.other.write(&machines.url, None, &checked_at(1100, "max-age=10"));
        assert_eq!(machines.find(1005).await, Some(1000), "the own one is fresh");
        assert_eq!(machines.find(1105).await, Some(1100));
        machines.own.write(&machines.url, None, &checked_at(1200, "max-age=10"));
        assert_eq!(machines.find(1300).await, Some(1200), "the own one was validated later");
    }

    #[tokio::test]
    async fn a_private_page_of_another_machine_is_not_taken() {
        let machines = Machines::new();
        machines.other.write(&machines.url, None, &checked_at(1000, "private, max-age=10"));
        assert_eq!(machines.find(1005).await, None);
    }

    /// A plan of another machine rests on pages that this one may never have seen.
    #[test]
    fn inputs_of_another_machine_hold_unless_this_one_knows_a_later_page() {
        let Machines { own, other, url, _folder } = Machines::new();
        let input = other.write(&url, None, &checked_at(1000, "max-age=10")).unwrap();
        let inputs = CachedInputs { pages: vec![input] };
        assert!(!own.is_fresh(&inputs, None), "the stamp is that of a file elsewhere");
        let inputs = inputs.of_another_machine();
        assert!(own.is_fresh(&inputs, Some(Timestamp(1009))) && !own.is_fresh(&inputs, Some(Timestamp(1010))));
        own.write(&url, None, &checked_at(1000, "max-age=10"));
        assert!(own.is_fresh(&inputs, Some(Timestamp(1009))));
        own.write(&url, None, &checked_at(1001, "max-age=10"));
        assert!(!own.is_fresh(&inputs, Some(Timestamp(1009))));
    }
}
