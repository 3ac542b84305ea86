//! The page of one project on one index: from the cache if that may answer, else requested.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Indexes, LONGEST_PAGE};
use crate::domain::{Listing, MaskedUrl, PackageName, Sha256};
use crate::http::{HttpError, HttpPage, PageContent, PageResponse, Validators};
use crate::index::absence::is_absent_to_strangers;
use crate::index::cached_inputs::CachedInput;
use crate::index::error::{IndexError, StalePage};
use crate::index::listing_request::ListingRequest;
use crate::index::page::{self, ACCEPT};
use crate::index::page_cache::CachedPage;
use crate::index::settings::IndexSettings;

/// The listing of a page, `None` if the index does not have the project.
pub(super) struct PageListing {
    pub listing: Option<Listing>,
    /// Whether it came from the cache without being validated.
    pub unchecked: bool,
}

impl PageListing {
    /// Returns the listing of a cached page; `None` if the page is damaged.
    pub fn decode(page: &CachedPage<'_>, project: &PackageName, index: &Arc<MaskedUrl>) -> Option<Self> {
        let listing = match &page.listing {
            Some(bytes) => Some(Listing::decode(project.clone(), index.clone(), bytes.to_vec()).ok()?),
            None => None,
        };
        Some(Self { listing, unchecked: false })
    }
}

/// A request for the page of a project on an index that is a server.
pub(super) struct PageRequest<'a> {
    indexes: &'a Indexes,
    project: &'a PackageName,
    index: &'a Arc<MaskedUrl>,
    /// The URL of the page.
    url: MaskedUrl,
    request: &'a ListingRequest,
}

impl<'a> PageRequest<'a> {
    pub fn new(
        indexes: &'a Indexes,
        project: &'a PackageName,
        index: &'a Arc<MaskedUrl>,
        request: &'a ListingRequest,
    ) -> Self {
        Self { indexes, project, index, url: index.project_page(project), request }
    }

    /// Returns the listing, from the cache if that is fresh.
    ///
    /// # Errors
    /// When the index gives no answer that can be used, and the cache has none instead.
    pub async fn listing(&self) -> Result<PageListing, IndexError> {
        let (cached, input) = self.find_cached().await.unzip();
        let found = cached.as_ref().and_then(|page| Some((page, self.without_asking(page)?)));
        if let Some((page, found)) = found {
            self.note_input(input.flatten(), page, found.listing.as_ref());
            self.indexes.has_unchecked.store(true, Ordering::Relaxed);
            return Ok(PageListing { unchecked: !self.settings().offline, ..found });
        }
        self.ask(cached).await
    }

    fn settings(&self) -> &IndexSettings {
        &self.indexes.settings
    }

    fn user(&self) -> Option<Sha256> {
        self.indexes.client.user_fingerprint(&self.url)
    }

    fn must_check(&self) -> bool {
        self.indexes.must_check() || self.request.check
    }

    fn decode(&self, page: &CachedPage<'_>) -> Option<PageListing> {
        PageListing::decode(page, self.project, self.index)
    }

    /// Returns the cached page, or one that other machines share if that may be used.
    async fn find_cached(&self) -> Option<(CachedPage<'static>, Option<CachedInput>)> {
        let cache = &self.indexes.cache;
        match self.must_check() {
            true => cache.read(&self.url, self.user()),
            false => cache.find(&self.url, self.user(), |page| self.may_use(page)).await,
        }
    }

    /// Whether a cached page may be used without asking its index.
    fn may_use(&self, page: &CachedPage<'_>) -> bool {
        self.settings().offline || !self.must_check() && page.is_fresh(self.settings().now)
    }

    /// Returns the listing of a cached page, if its index need not be asked for it.
    fn without_asking(&self, page: &CachedPage<'_>) -> Option<PageListing> {
        let is_fresh = self.may_use(page);
        if !is_fresh && (!self.indexes.keeps_pins || self.must_check()) {
            return None;
        }
        let found = self.decode(page)?;
        (is_fresh || self.request.is_settled(page, found.listing.as_ref())).then_some(found)
    }

    /// Asks the index, which may answer that the cached page is still right.
    async fn ask(&self, cached: Option<CachedPage<'_>>) -> Result<PageListing, IndexError> {
        let cached = cached.filter(|page| self.decode(page).is_some());
        let known = cached.as_ref().map(CachedPage::validators).unwrap_or_default();
        let (client, now) = (&self.indexes.client, self.settings().now);
        match client.page_as(&self.url, ACCEPT, &known, LONGEST_PAGE, |page| self.parse_and_cache(page)).await {
            Ok(PageResponse::NotModified { cache_control }) => {
                let page = cached.expect("only a cached page has validators");
                let known = self.decode(&page).expect("the page was read before");
                self.put(page.renewed(&cache_control, now), known.listing.as_ref());
                Ok(known)
            }
            Ok(PageResponse::Page(parsed)) => parsed,
            Err(error) if error.is_not_found() => {
                self.put(CachedPage::new(None, Validators::default(), error.cache_control(), now), None);
                Ok(PageListing { listing: None, unchecked: false })
            }
            // Other runs may not take that for an absence.
            Err(error) if self.is_taken_for_absent(&error) => {
                self.indexes.cached_inputs.add(None);
                Ok(PageListing { listing: None, unchecked: false })
            }
            Err(error) => match cached.filter(|_| self.settings().prefer_cached && error.is_outage()) {
                Some(page) => {
                    self.indexes.cached_inputs.add(None);
                    self.note_stale(error);
                    Ok(self.decode(&page).expect("the page was read before"))
                }
                None => {
                    let (project, index) = (self.project.clone(), self.index.clone());
                    Err(IndexError::Http { project, index, source: error.into() })
                }
            },
        }
    }

    /// Parses and caches the page that the index sent.
    ///
    /// # Errors
    /// When its body is cut off, so that the request is worth another attempt; the inner error is
    /// that of a page that is whole, and wrong.
    fn parse_and_cache(&self, page: HttpPage<PageContent>) -> Result<Result<PageListing, IndexError>, HttpError> {
        let listing = match page::listing(&page, self.project, self.index.clone())? {
            Ok(listing) => listing,
            Err(source) => return Ok(Err(IndexError::Page { project: self.project.clone(), source: source.into() })),
        };
        if listing.has_credentials() {
            self.indexes.cached_inputs.add(None);
        } else {
            let (bytes, now) = (listing.bytes(), self.settings().now);
            self.put(CachedPage::new(Some(bytes), page.validators, &page.cache_control, now), Some(&listing));
        }
        Ok(Ok(PageListing { listing: Some(listing), unchecked: false }))
    }

    /// Whether `error` means that the index does not have the project.
    ///
    /// It does if the settings say so, or if an extra index answers so without credentials; the
    /// latter is noted for a warning.
    fn is_taken_for_absent(&self, error: &HttpError) -> bool {
        let Some(status) = error.status_code() else { return false };
        let (index, IndexSettings { indexes, main, .. }) = (self.index, self.settings());
        let is_extra = indexes.contains(index) && indexes.get(*main).is_some_and(|main| main != index);
        let is_stranger = || self.indexes.client.user_fingerprint(index).is_none();
        let is_assumed = is_extra && is_absent_to_strangers(status) && is_stranger();
        let is_ignored = self.settings().ignored_statuses.has(index, status);
        if is_assumed && !is_ignored {
            self.indexes.assumed_absent.note(index, status, self.project);
        }
        is_assumed || is_ignored
    }

    fn note_stale(&self, why: HttpError) {
        self.indexes.stale.lock().push(StalePage { project: self.project.clone(), why: Arc::new(why) });
    }

    /// Caches a page, unless its server forbids that, and records its use.
    fn put(&self, page: Option<CachedPage<'_>>, listing: Option<&Listing>) {
        let is_private = self.indexes.client.may_ask_keyring(&self.url);
        match page.map(|page| if is_private { page.into_private() } else { page }) {
            Some(page) => {
                let input = self.indexes.cache.write(&self.url, self.user(), &page);
                self.note_input(input, &page, listing);
            }
            None => self.indexes.cached_inputs.add(None),
        }
    }

    /// Records the use of a page, for plans that depend on it.
    fn note_input(&self, input: Option<CachedInput>, page: &CachedPage<'_>, listing: Option<&Listing>) {
        let is_settled = self.indexes.keeps_pins && self.request.is_settled(page, listing);
        self.indexes.cached_inputs.add(if is_settled { input.map(CachedInput::settled) } else { input });
    }
}
