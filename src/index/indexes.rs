//! The indexes and find-links locations of a run, asked for the files of a project.

mod page_request;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::OnceCell;

use self::page_request::{PageListing, PageRequest};
use super::absence::{AssumedAbsences, AssumedAbsent};
use super::cached_inputs::{CachedInputs, InputCollector};
use super::error::{IndexError, StalePage};
use super::flat_index::FlatIndex;
use super::index_metadata::{IndexMetadataCache, Trust};
use super::listing_request::ListingRequest;
use super::local_index::project_page;
use super::page::{ACCEPT, Page};
use super::page_cache::PageCache;
use super::settings::{IndexSettings, IndexStrategy};
use crate::cache_folder::CacheEntries;
use crate::domain::{
    Candidates, CoreMetadata, FileLink, IndexPage, MaskedUrl, PackageName, Sha256, Timestamp, is_distribution,
};
use crate::http::{HttpClient, PageResponse, Validators};

/// The size limit of a page in bytes; the longest known project pages are a tenth of this.
const LONGEST_PAGE: usize = 256 << 20;

/// An index, and the fingerprint of the credentials with which it is asked.
type AskedIndex<'a> = (&'a MaskedUrl, Option<Sha256>);

/// The indexes that are asked, and how.
#[derive(Serialize)]
pub struct AskedIndexes<'a> {
    /// The indexes in order.
    indexes: Vec<AskedIndex<'a>>,
    /// The only index of a project, where one is stated.
    of_projects: BTreeMap<&'a PackageName, AskedIndex<'a>>,
    all_indexes: bool,
    keeps_pins: bool,
}

/// All indexes and find-links locations of a run.
pub struct Indexes {
    settings: IndexSettings,
    client: Arc<HttpClient>,
    cache: PageCache,
    index_metadata: IndexMetadataCache,
    /// Whether pages of any age may answer for pinned versions that are settled.
    keeps_pins: bool,
    find_links: OnceCell<Vec<FlatIndex>>,
    /// Whether any listing came from the cache without being validated.
    has_unchecked: AtomicBool,
    /// Whether cached pages must be validated from now on.
    is_distrusted: AtomicBool,
    stale: Mutex<Vec<StalePage>>,
    assumed_absent: AssumedAbsences,
    cached_inputs: InputCollector,
}

impl Indexes {
    pub fn new(settings: IndexSettings, client: Arc<HttpClient>, entries: &CacheEntries) -> Self {
        Self {
            settings,
            client,
            cache: PageCache::new(entries.clone()),
            index_metadata: IndexMetadataCache::new(entries.clone()),
            keeps_pins: entries.are_shared(),
            find_links: OnceCell::new(),
            has_unchecked: AtomicBool::default(),
            is_distrusted: AtomicBool::default(),
            stale: Mutex::default(),
            assumed_absent: AssumedAbsences::default(),
            cached_inputs: InputCollector::default(),
        }
    }

    /// Returns the same indexes for a later moment, without what was noted so far; cached pages of any age
    /// answer for an index that is down.
    pub fn at(&self, now: Timestamp, entries: &CacheEntries) -> Self {
        let settings = IndexSettings { now, prefer_cached: true, ..self.settings.clone() };
        Self::new(settings, self.client.clone(), entries)
    }

    /// Returns the possibly outdated pages that were used, sorted by project name.
    pub fn stale(&self) -> Vec<StalePage> {
        let mut stale = self.stale.lock().clone();
        stale.sort_by(|a, b| a.project.cmp(&b.project));
        stale
    }

    /// Requires that every cached page is validated from now on, since what was taken from the
    /// cache failed.
    ///
    /// Returns whether that can help: unvalidated pages were used, and the run is not offline.
    pub fn distrust_cache(&self) -> bool {
        self.cached_inputs.reset();
        !self.settings.offline
            && self.has_unchecked.load(Ordering::Relaxed)
            && !self.is_distrusted.swap(true, Ordering::Relaxed)
    }

    /// Whether every cached page must be validated.
    fn must_check(&self) -> bool {
        self.settings.refresh || self.is_distrusted.load(Ordering::Relaxed)
    }

    /// Returns the remembered metadata of a file that its index served, if it can be trusted until
    /// the file itself is fetched.
    pub fn recall_metadata(&self, link: &FileLink) -> Option<CoreMetadata> {
        self.index_metadata.read(link, self.client.user_fingerprint(&link.index), self.trust())
    }

    /// Returns the metadata of a file that its index served to another machine, as
    /// [`Indexes::recall_metadata`] does.
    pub async fn recall_shared_metadata(&self, link: &FileLink) -> Option<CoreMetadata> {
        self.index_metadata.fetch(link, self.client.user_fingerprint(&link.index), self.trust()).await
    }

    fn trust(&self) -> Trust {
        let IndexSettings { now, offline, .. } = self.settings;
        Trust { now, refresh: self.must_check(), offline }
    }

    /// Remembers the metadata of a file that its index served.
    pub fn remember_metadata(&self, link: &FileLink, metadata: &CoreMetadata) {
        self.index_metadata.write(link, self.client.user_fingerprint(&link.index), metadata, self.settings.now);
    }

    /// Returns the projects that indexes presumably do not have, as they answered with an ambiguous
    /// status.
    pub fn assumed_absent(&self) -> Vec<AssumedAbsent> {
        self.assumed_absent.all()
    }

    /// Returns what a remembered plan depends on; `None` if a location is no index on a server, so
    /// that cached pages cannot stand for all locations.
    pub fn plan_key<'a>(&'a self) -> Option<AskedIndexes<'a>> {
        let IndexSettings { indexes, of_projects, find_links, strategy, .. } = &self.settings;
        let mut all = indexes.iter().chain(of_projects.values());
        let are_remote = find_links.is_empty() && all.all(|index| index.local_path().is_none());
        let asked = |index: &'a Arc<MaskedUrl>| (&**index, self.client.user_fingerprint(index));
        are_remote.then(|| AskedIndexes {
            indexes: indexes.iter().map(asked).collect(),
            of_projects: of_projects.iter().map(|(project, index)| (project, asked(index))).collect(),
            all_indexes: *strategy == IndexStrategy::BestMatch,
            keeps_pins: self.keeps_pins,
        })
    }

    /// Returns a digest of all locations and of who asks them: of what other indexes offer nothing can
    /// be said from these.
    pub fn digest(&self) -> Sha256 {
        let IndexSettings { indexes, of_projects, find_links, .. } = &self.settings;
        let locations = indexes.iter().chain(of_projects.values()).chain(find_links);
        let asked: Vec<_> = locations.map(|url| (url.public(), self.client.user_fingerprint(url))).collect();
        Sha256::of(&postcard::to_stdvec(&asked).expect("texts can always be encoded"))
    }

    /// Returns the index whose public URL is `public`, with its credentials.
    pub fn find(&self, public: &MaskedUrl) -> Option<Arc<MaskedUrl>> {
        let mut all = self.settings.indexes.iter().chain(self.settings.of_projects.values());
        all.find(|index| index.public() == public.public()).cloned()
    }

    /// Returns the cached pages that all listings so far came from, or `None` if a listing came
    /// from elsewhere.
    pub fn cached_inputs(&self) -> Option<CachedInputs> {
        self.cached_inputs.all()
    }

    /// Whether the same requests would be answered now from the same cached pages.
    pub fn is_fresh(&self, cached_inputs: &CachedInputs) -> bool {
        let now = (!self.settings.offline).then_some(self.settings.now);
        let is_fresh = !self.must_check() && self.cache.is_fresh(cached_inputs, now);
        self.has_unchecked.fetch_or(is_fresh, Ordering::Relaxed);
        is_fresh
    }

    /// Returns the candidates of `project`.
    ///
    /// find-links locations come first, since they cost nothing, then the first index that has the
    /// project, or every index if the request or the strategy says so. If the project has an index of
    /// its own, nothing else is asked.
    ///
    /// # Errors
    /// When a location cannot be read; going on without it might take the project from the wrong
    /// one.
    pub async fn candidates(&self, project: &PackageName, request: &ListingRequest) -> Result<Candidates, IndexError> {
        let (mut listings, mut asked, mut unchecked) = (Vec::new(), Vec::new(), false);
        let (find_links, indexes) = match self.settings.of_projects.get(project) {
            Some(only) => ([].as_slice(), std::slice::from_ref(only)),
            None => (self.find_links().await?.as_slice(), self.settings.indexes.as_slice()),
        };
        let mut unusable = Vec::new();
        for flat_index in find_links {
            asked.push(flat_index.location().clone());
            let listing = flat_index.listing(project);
            let place = if listing.is_blank() { &mut unusable } else { &mut listings };
            place.push(listing);
        }
        let everywhere = request.everywhere || self.settings.strategy == IndexStrategy::BestMatch;
        let mut indexes = indexes.iter();
        for index in indexes.by_ref() {
            asked.push(index.clone());
            let page_listing = self.listing(project, index, request).await?;
            unchecked |= page_listing.unchecked;
            let found = page_listing.listing.is_some();
            listings.extend(page_listing.listing.map(|listing| request.narrow(listing)));
            if found && !everywhere {
                break;
            }
        }
        if listings.is_empty() {
            // They explain why there is nothing.
            listings.extend(unusable.into_iter().filter(|listing| !listing.ignored().is_empty()));
        }
        let mut candidates = Candidates::new(listings, asked, unchecked);
        candidates.shadowed = indexes.cloned().collect();
        candidates.narrowed = !request.versions.is_any();
        Ok(candidates)
    }

    /// Returns the page of `project` on `index`, if the cache holds one that can be reused.
    pub fn index_page(&self, index: &Arc<MaskedUrl>, project: &PackageName) -> Option<IndexPage> {
        let url = index.project_page(project);
        let (page, _) = self.cache.read(&url, self.client.user_fingerprint(&url))?;
        page.to_index_page(url, PageListing::decode(&page, project, index)?.listing?, self.settings.now)
    }

    async fn find_links(&self) -> Result<&Vec<FlatIndex>, IndexError> {
        let places = &self.settings.find_links;
        let read = async || {
            let mut all = Vec::with_capacity(places.len());
            for place in places {
                all.push(self.read_flat(place).await?);
            }
            Ok(all)
        };
        self.find_links.get_or_try_init(read).await
    }

    /// Reads a find-links location: a file, a folder, a page at a URL, or an archive at a URL, told
    /// by its name.
    async fn read_flat(&self, place: &Arc<MaskedUrl>) -> Result<FlatIndex, IndexError> {
        let location = MaskedUrl::clone(place);
        if let Some(path) = place.local_path() {
            return FlatIndex::read(&path).map_err(|source| IndexError::Local { location, source });
        }
        if is_distribution(&place.filename()) {
            return Ok(FlatIndex::of_file(place.clone()));
        }
        match self.client.page(place, ACCEPT, &Validators::default(), LONGEST_PAGE).await {
            Ok(PageResponse::Page(page)) => {
                let page = Page { body: &page.content, content_type: &page.content_type, url: &page.url };
                FlatIndex::of_page(&page, place.clone()).map_err(|source| IndexError::FindLinks { source })
            }
            Ok(PageResponse::NotModified { .. }) => unreachable!("the request had no conditions"),
            Err(source) => Err(IndexError::Unreachable { source }),
        }
    }

    /// Returns the listing of `project` on `index`, from the cache if that is fresh.
    async fn listing(
        &self,
        project: &PackageName,
        index: &Arc<MaskedUrl>,
        request: &ListingRequest,
    ) -> Result<PageListing, IndexError> {
        let Some(folder) = index.local_path() else {
            return PageRequest::new(self, project, index, request).listing().await;
        };
        self.cached_inputs.add(None);
        let fail = |source| IndexError::Local { location: MaskedUrl::clone(index), source };
        let listing = project_page(&folder, project, index.clone()).map_err(fail)?;
        Ok(PageListing { listing, unchecked: false })
    }
}
