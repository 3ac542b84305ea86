//! The HTTP client: requests with redirects, credentials and retries.

mod send;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_RANGE, RANGE,
};
use reqwest::{Response, StatusCode, Version};

pub(super) use send::status_error;

use super::body::{self, ResponseBody};
use super::circuit_breaker::Attempts;
use super::client_builder::ConnectionSharing;
use super::client_pool::ClientPools;
use super::concurrency::RequestPermit;
use super::error::HttpError;
use super::hosts::Hosts;
use super::page_content::PageContent;
use super::range::{ByteRange, ResumePoint, content_range};
use super::retry::AttemptOutcome;
use super::{HttpPage, HttpSettings, PageResponse, Validators, cache_control, header};
use crate::domain::{MaskedUrl, Sha256};

/// The size in bytes up to which a file shares the concurrency limit of pages.
///
/// The limit for large files, sixteen at once, would take files of 100 KB each to fill a line of
/// 100 Mbit/s and 130 ms.
const SMALL: u64 = 256 << 10;

/// Sends requests.
///
/// Cheap to make: connections and certificates are set up at the first request.
#[derive(Debug)]
pub struct HttpClient {
    settings: HttpSettings,
    pools: ClientPools,
    pub(super) hosts: Hosts,
    /// Whether any host lets pages share a connection.
    shares: AtomicBool,
}

impl HttpClient {
    pub fn new(settings: HttpSettings) -> Self {
        let hosts = Hosts::new(&settings);
        Self { settings, pools: ClientPools::default(), hosts, shares: AtomicBool::new(false) }
    }

    /// Fetches a page of at most `limit` bytes, unless `known` is still valid.
    ///
    /// # Errors
    /// When all attempts failed; the last failure.
    pub async fn page(
        &self,
        url: &MaskedUrl,
        accept: &'static str,
        known: &Validators,
        limit: usize,
    ) -> Result<PageResponse, HttpError> {
        let whole = |page: HttpPage<PageContent>| {
            let HttpPage { url, content_type, validators, cache_control, content } = page;
            Ok(HttpPage { url, content_type, validators, cache_control, content: content.whole()? })
        };
        self.page_as(url, accept, known, limit, whole).await
    }

    /// Fetches a page as [`HttpClient::page`] does, and reads it by `take` while it is
    /// decompressed.
    ///
    /// A failure of `take` counts as one of the request, which is retried if that may help.
    ///
    /// # Errors
    /// When all attempts failed; the last failure.
    pub async fn page_as<P>(
        &self,
        url: &MaskedUrl,
        accept: &'static str,
        known: &Validators,
        limit: usize,
        take: impl Fn(HttpPage<PageContent>) -> Result<P, HttpError>,
    ) -> Result<PageResponse<P>, HttpError> {
        let attempt = async || match self.page_once(url, accept, known, limit).await? {
            PageResponse::Page(page) => take(page).map(PageResponse::Page),
            PageResponse::NotModified { cache_control } => Ok(PageResponse::NotModified { cache_control }),
        };
        self.retrying(attempt).await
    }

    /// Returns a fingerprint of the credentials for `url`, in it or elsewhere, since the server may show different
    /// pages to different users, and of the trust in whoever answers; `None` without credentials,
    /// where the server is not trusted more than others.
    pub fn user_fingerprint(&self, url: &MaskedUrl) -> Option<Sha256> {
        let is_unproved = self.settings.is_trusted(url.secret());
        let login = self.settings.credentials.own_login(url.secret(), self.is_private(url.secret()));
        let certificate = self.settings.client_certificate.as_ref().map(|certificate| &certificate.path);
        let has_secret = url.secret_query().is_some();
        (login.is_some() || certificate.is_some() || has_secret || is_unproved).then(|| {
            let user = self.settings.credentials.fingerprint(login.as_ref(), certificate, url);
            if is_unproved { Sha256::of(format!("unproved {user}").as_bytes()) } else { user }
        })
    }

    /// Whether what `url` answers may have been opened by a password of the keyring, which is not part of
    /// [`HttpClient::user_fingerprint`].
    pub fn may_ask_keyring(&self, url: &MaskedUrl) -> bool {
        self.settings.credentials.may_ask_keyring(url.secret(), self.is_private(url.secret()))
    }

    /// Whether a host lets pages share a connection, so that
    /// [`SHARED_CONNECTION_FACTOR`](super::SHARED_CONNECTION_FACTOR) times as many may be requested
    /// at once.
    pub fn shares_a_connection(&self) -> bool {
        self.shares.load(Ordering::Relaxed)
    }

    /// Waits until a file of `size` bytes, if that is known, may be requested from the host of
    /// `url`.
    ///
    /// Small files share the limit of pages, since their time, too, is mostly the round trip.
    pub async fn permit(&self, url: &MaskedUrl, size: Option<u64>) -> RequestPermit {
        let is_small = size.is_some_and(|size| size <= SMALL);
        let host = self.hosts.of(url.secret());
        if is_small { host.pages.permit().await } else { host.files.permit().await }
    }

    /// Checks that a file of which there are `size` bytes at least may be fetched.
    ///
    /// # Errors
    /// When it is larger than [`HttpSettings::max_file_size`].
    pub fn check_file_size(&self, url: &MaskedUrl, size: u64) -> Result<(), HttpError> {
        match self.settings.max_file_size {
            Some(limit) if size > limit => Err(HttpError::FileTooLarge { url: url.clone(), limit }),
            _ => Ok(()),
        }
    }

    /// Requests a file, whose bytes are never decoded.
    ///
    /// They begin at `start`, or at 0 if the server does not support ranges or the file has
    /// changed.
    ///
    /// # Errors
    /// When this single attempt fails.
    pub async fn file(
        &self,
        permit: &RequestPermit,
        url: &MaskedUrl,
        start: &ResumePoint,
    ) -> Result<ResponseBody, HttpError> {
        if let Some(path) = local_path(url)? {
            return ResponseBody::open(url, &path);
        }
        if start.at > 0 {
            let answer = self.send(permit, url, file_headers(start), start.sharing).await;
            if let Some(body) = part(url, start, answer)? {
                return Ok(body);
            }
        }
        let whole = ResumePoint { at: 0, ..start.clone() };
        let response = self.send(permit, url, file_headers(&whole), start.sharing).await?;
        match response.status() {
            StatusCode::OK => Ok(ResponseBody::from_response(url.clone(), response, 0)),
            status => Err(HttpError::status(url, status)),
        }
    }

    /// Fetches the last `size` bytes of a file; `None` if the server does not support ranges.
    ///
    /// # Errors
    /// When all attempts failed; the last failure.
    pub async fn tail(&self, url: &MaskedUrl, size: u64) -> Result<Option<ByteRange>, HttpError> {
        self.retrying(|| self.range_once(url, format!("bytes=-{size}"), size)).await
    }

    /// Fetches the bytes of a file at `range`; `None` if the server does not support ranges.
    ///
    /// # Errors
    /// When all attempts failed; the last failure.
    pub async fn range(&self, url: &MaskedUrl, range: Range<u64>) -> Result<Option<ByteRange>, HttpError> {
        let size = range.end - range.start;
        let header = format!("bytes={}-{}", range.start, range.end - 1);
        let answer = self.retrying(|| self.range_once(url, header.clone(), size)).await?;
        Ok(answer.filter(|answer| answer.start == range.start))
    }

    /// Runs `attempt` until it succeeds or a retry cannot help.
    ///
    /// # Errors
    /// When all attempts failed; the last failure.
    pub async fn retrying<T, F>(&self, mut attempt: impl FnMut() -> F) -> Result<T, HttpError>
    where
        F: Future<Output = Result<T, HttpError>>,
    {
        let mut attempts = self.attempts();
        loop {
            match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) if self.pause(&mut attempts, &error).await => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Starts counting the attempts of a request.
    pub fn attempts(&self) -> Attempts {
        Attempts::new(self.settings.retries)
    }

    /// Waits until a request that failed with `error` may be sent again; returns `false` if it has
    /// failed for good.
    pub async fn pause(&self, attempts: &mut Attempts, error: &HttpError) -> bool {
        if error.outcome() == AttemptOutcome::ConnectionFailed {
            self.pools.renew(self.settings.timeout);
        }
        let Some(url) = error.url() else { return false };
        attempts.pause(&self.hosts.of(url.secret()).circuit_breaker, error, fastrand::f64()).await
    }

    async fn page_once(
        &self,
        url: &MaskedUrl,
        accept: &'static str,
        known: &Validators,
        limit: usize,
    ) -> Result<PageResponse<HttpPage<PageContent>>, HttpError> {
        if let Some(path) = local_path(url)? {
            return body::read_page(url, &path, limit).map(PageResponse::Page);
        }
        let permit = self.hosts.of(url.secret()).pages.permit().await;
        let gzip = (ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept)), gzip]);
        add_header(&mut headers, IF_NONE_MATCH, known.etag.as_deref());
        add_header(&mut headers, IF_MODIFIED_SINCE, known.last_modified.as_deref());
        let response = self.send(&permit, url, headers, ConnectionSharing::Shared).await?;
        if response.version() == Version::HTTP_2 {
            permit.record_shared_connection();
            self.shares.store(true, Ordering::Relaxed);
        }
        let cache_control = cache_control(response.headers());
        if response.status() == StatusCode::NOT_MODIFIED {
            let refused = HttpError::status(url, response.status());
            let is_asked = *known != Validators::default();
            return if is_asked { Ok(PageResponse::NotModified { cache_control }) } else { Err(refused) };
        }
        if response.status() == StatusCode::NO_CONTENT {
            return Err(HttpError::status(url, StatusCode::NO_CONTENT));
        }
        let content_type = header(response.headers(), &CONTENT_TYPE).unwrap_or_default();
        let validators = Validators::of(response.headers());
        let place = MaskedUrl::new(response.url().clone());
        let content = ResponseBody::from_response(url.clone(), response, 0).read_page(limit).await?;
        Ok(PageResponse::Page(HttpPage { url: place, content_type, validators, cache_control, content }))
    }

    async fn range_once(&self, url: &MaskedUrl, range: String, size: u64) -> Result<Option<ByteRange>, HttpError> {
        let permit = self.hosts.of(url.secret()).pages.permit().await;
        let mut headers = file_headers(&ResumePoint::default());
        add_header(&mut headers, RANGE, Some(&range));
        let response = match self.send(&permit, url, headers, ConnectionSharing::Shared).await {
            Err(HttpError::Status { status: StatusCode::RANGE_NOT_SATISFIABLE, .. }) => return Ok(None),
            other => other?,
        };
        let Some((Range { start, .. }, total)) = content_range(&response) else { return Ok(None) };
        let bytes = ResponseBody::from_response(url.clone(), response, start).read_all(size as usize).await?;
        Ok(Some(ByteRange { start, total, bytes }))
    }

    /// Returns the settings of every request.
    pub(super) fn settings(&self) -> &HttpSettings {
        &self.settings
    }
}

pub(super) fn file_headers(start: &ResumePoint) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
    if start.at > 0 {
        add_header(&mut headers, RANGE, Some(&format!("bytes={}-", start.at)));
        add_header(&mut headers, IF_RANGE, start.validator.as_deref());
    }
    if start.past_caches {
        add_header(&mut headers, CACHE_CONTROL, Some("no-cache"));
    }
    headers
}

pub(super) fn add_header(headers: &mut HeaderMap, name: reqwest::header::HeaderName, value: Option<&str>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
        headers.insert(name, value);
    }
}

/// Returns the body of a response to a range request, or `None` if the whole file must be requested
/// instead.
fn part(
    url: &MaskedUrl,
    start: &ResumePoint,
    answer: Result<Response, HttpError>,
) -> Result<Option<ResponseBody>, HttpError> {
    let response = match answer {
        Err(HttpError::Status { status: StatusCode::RANGE_NOT_SATISFIABLE, .. }) => return Ok(None),
        other => other?,
    };
    if response.status() == StatusCode::OK {
        return Ok(Some(ResponseBody::from_response(url.clone(), response, 0)));
    }
    let is_right = content_range(&response).is_some_and(|(range, total)| range == (start.at..total));
    Ok(is_right.then(|| ResponseBody::from_response(url.clone(), response, start.at)))
}

/// Returns the path of a `file:` URL, or `None` for a URL that is requested over the network.
fn local_path(url: &MaskedUrl) -> Result<Option<PathBuf>, HttpError> {
    match url.secret().scheme() {
        "http" | "https" => Ok(None),
        "file" => url.secret().to_file_path().map(Some).map_err(|()| HttpError::Scheme { url: url.clone() }),
        _ => Err(HttpError::Scheme { url: url.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn small_files_have_their_turns_among_pages() {
        let settings = HttpSettings { files_per_host: 2, pages_per_host: 5, ..HttpSettings::default() };
        let (client, url) = (HttpClient::new(settings), "https://files.example/a".parse().unwrap());
        let turns = |size| -> Vec<_> { std::iter::from_fn(|| client.permit(&url, size).now_or_never()).collect() };
        let (large, small) = (turns(Some(SMALL + 1)), turns(Some(SMALL)));
        assert_eq!((large.len(), small.len()), (2, 5));
        drop(small);
        assert!(turns(None).is_empty(), "it may be large");
    }

    /// What a server says whose certificate nobody checked is for runs alone that do not check it either.
    #[test]
    fn whoever_trusts_a_host_more_asks_as_another() {
        let trusting = HttpSettings { trusted_hosts: ["own.example".to_owned()].into(), ..HttpSettings::default() };
        let (usual, trusting) = (HttpClient::new(HttpSettings::default()), HttpClient::new(trusting));
        for url in ["https://own.example/simple/", "https://me:hunter2@own.example/simple/"] {
            let url = url.parse().unwrap();
            assert_ne!(usual.user_fingerprint(&url), trusting.user_fingerprint(&url));
        }
        let other = "https://index.example/simple/".parse().unwrap();
        assert_eq!((usual.user_fingerprint(&other), trusting.user_fingerprint(&other)), (None, None));
    }
}
