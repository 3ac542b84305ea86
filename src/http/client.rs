//! The client: requests with their redirects, credentials and retries.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, DATE, HeaderMap, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE, RETRY_AFTER,
};
use reqwest::{Response, StatusCode, Version};
use url::Url;

use super::auth::{self, Credentials};
use super::background::blocking;
use super::body::{self, Body};
use super::connector::Line;
use super::content::Content;
use super::error::HttpError;
use super::health::{Attempts, Health};
use super::introduction::Introductions;
use super::netrc::Login;
use super::pace::{Hosts, Turn};
use super::pools::Pools;
use super::range::{Piece, Start, content_range};
use super::redirect::{next_hop, without_login};
use super::retry::{Outcome, retry_after};
use super::secure_origin::is_secure_origin;
use super::{Answer, HttpSettings, Page, Validators, cache_control, header};
use crate::domain::{MaskedUrl, Sha256};

/// Browsers follow 20; nobody means more.
const MOST_REDIRECTS: usize = 20;

/// Of files up to this size in bytes, as many may be under way as of pages: sixteen at once, which
/// is right for large ones, would take 100 KB each to fill a line of 100 Mbit/s over 130 ms.
const SMALL: u64 = 256 << 10;

/// Makes requests. Cheap to make: connections and certificates wait for the first request.
#[derive(Debug)]
pub struct HttpClient {
    settings: HttpSettings,
    pools: Pools,
    pub(super) files: Hosts,
    pages: Hosts,
    health: Health,
    introductions: Introductions,
    /// Some host lets pages share a connection.
    shares: AtomicBool,
}

impl HttpClient {
    pub fn new(settings: HttpSettings) -> Self {
        let (files, pages) = (Hosts::new(settings.files_per_host), Hosts::new(settings.pages_per_host));
        let (pools, health, introductions) = Default::default();
        let shares = AtomicBool::new(false);
        Self { settings, pools, files, pages, health, introductions, shares }
    }

    /// Reads a page of at most `limit` bytes, unless `known` is still right.
    ///
    /// # Errors
    /// The last of the failures, after the retries that it deserved.
    pub async fn page(
        &self,
        url: &MaskedUrl,
        accept: &'static str,
        known: &Validators,
        limit: usize,
    ) -> Result<Answer, HttpError> {
        let whole = |page: Page<Content>| {
            let Page { url, content_type, validators, cache_control, content } = page;
            Ok(Page { url, content_type, validators, cache_control, content: content.whole()? })
        };
        self.page_as(url, accept, known, limit, whole).await
    }

    /// The same, read by `take` while it is unpacked. A failure of `take` is one of the request,
    /// which is made again if that is worth it.
    ///
    /// # Errors
    /// The last of the failures, after the retries that it deserved.
    pub async fn page_as<P>(
        &self,
        url: &MaskedUrl,
        accept: &'static str,
        known: &Validators,
        limit: usize,
        take: impl Fn(Page<Content>) -> Result<P, HttpError>,
    ) -> Result<Answer<P>, HttpError> {
        let attempt = async || match self.page_once(url, accept, known, limit).await? {
            Answer::Page(page) => take(page).map(Answer::Page),
            Answer::NotModified { cache_control } => Ok(Answer::NotModified { cache_control }),
        };
        self.retrying(attempt).await
    }

    /// Tells those apart to whom the server of `url` may show different pages; `None` for a stranger.
    pub fn asker(&self, url: &MaskedUrl) -> Option<Sha256> {
        let login = self.settings.credentials.own_login(url.secret(), self.is_private(url.secret()));
        let certificate = self.settings.client_certificate.as_ref();
        (login.is_some() || certificate.is_some()).then(|| auth::fingerprint(login.as_ref(), certificate, url.secret()))
    }

    /// Whether a host lets pages share a connection, so that [`SHARED`](super::SHARED) times as
    /// many may be under way.
    pub fn shares_connections(&self) -> bool {
        self.shares.load(Ordering::Relaxed)
    }

    /// Waits until the host of `url` may be asked for a file of `size` bytes, if that is known. A
    /// small file has its turn among pages: what it takes is the way there and back, too.
    pub async fn turn(&self, url: &MaskedUrl, size: Option<u64>) -> Turn {
        let is_small = size.is_some_and(|size| size <= SMALL);
        let hosts = if is_small { &self.pages } else { &self.files };
        hosts.turn(url.secret()).await
    }

    /// Begins to read a file: the bytes as the server holds them, never decoded. They begin at
    /// `start`, or at 0 where the server has no ranges or the file is another one by now.
    ///
    /// # Errors
    /// The failure of this one attempt.
    pub async fn file(&self, turn: &Turn, url: &MaskedUrl, start: &Start) -> Result<Body, HttpError> {
        if let Some(path) = local_path(url)? {
            return Body::open(url, &path);
        }
        if start.at > 0 {
            let answer = self.send(turn, url, file_headers(start), start.line).await;
            if let Some(body) = part(url, start, answer)? {
                return Ok(body);
            }
        }
        let whole = Start { at: 0, ..start.clone() };
        let response = self.send(turn, url, file_headers(&whole), start.line).await?;
        match response.status() {
            StatusCode::OK => Ok(Body::from_response(url.clone(), response, 0)),
            status => Err(HttpError::status(url, status)),
        }
    }

    /// The last `size` bytes of a file; `None` where the server gives no ranges.
    ///
    /// # Errors
    /// The last of the failures, after the retries that it deserved.
    pub async fn tail(&self, url: &MaskedUrl, size: u64) -> Result<Option<Piece>, HttpError> {
        self.retrying(|| self.piece(url, format!("bytes=-{size}"), size)).await
    }

    /// The bytes of a file at `range`; `None` where the server gives no ranges.
    ///
    /// # Errors
    /// The last of the failures, after the retries that it deserved.
    pub async fn range(&self, url: &MaskedUrl, range: Range<u64>) -> Result<Option<Piece>, HttpError> {
        let size = range.end - range.start;
        let header = format!("bytes={}-{}", range.start, range.end - 1);
        let piece = self.retrying(|| self.piece(url, header.clone(), size)).await?;
        Ok(piece.filter(|piece| piece.start == range.start))
    }

    /// Runs `attempt` again while its failures are worth it.
    ///
    /// # Errors
    /// The last failure.
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

    /// The attempts that a request may have.
    pub fn attempts(&self) -> Attempts {
        Attempts::new(self.settings.retries)
    }

    /// Waits until a request that failed with `error` may be made again; `false` if the error is
    /// to be told instead.
    pub async fn pause(&self, attempts: &mut Attempts, error: &HttpError) -> bool {
        if error.outcome() == Outcome::Broken {
            self.pools.renew(self.settings.timeout);
        }
        attempts.pause(&self.health, error, fastrand::f64()).await
    }

    async fn page_once(
        &self,
        url: &MaskedUrl,
        accept: &'static str,
        known: &Validators,
        limit: usize,
    ) -> Result<Answer<Page<Content>>, HttpError> {
        if let Some(path) = local_path(url)? {
            return body::read_page(url, &path, limit).map(Answer::Page);
        }
        let turn = self.pages.turn(url.secret()).await;
        let gzip = (ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept)), gzip]);
        add(&mut headers, IF_NONE_MATCH, known.etag.as_deref());
        add(&mut headers, IF_MODIFIED_SINCE, known.last_modified.as_deref());
        let response = self.send(&turn, url, headers, Line::Shared).await?;
        if response.version() == Version::HTTP_2 {
            turn.note_shared();
            self.shares.store(true, Ordering::Relaxed);
        }
        let cache_control = cache_control(response.headers());
        if response.status() == StatusCode::NOT_MODIFIED {
            let refused = HttpError::status(url, response.status());
            let is_asked = *known != Validators::default();
            return if is_asked { Ok(Answer::NotModified { cache_control }) } else { Err(refused) };
        }
        let content_type = header(response.headers(), &CONTENT_TYPE).unwrap_or_default();
        let validators = Validators::of(response.headers());
        let place = MaskedUrl::new(response.url().clone());
        let content = Body::from_response(url.clone(), response, 0).read_page(limit).await?;
        Ok(Answer::Page(Page { url: place, content_type, validators, cache_control, content }))
    }

    async fn piece(&self, url: &MaskedUrl, range: String, size: u64) -> Result<Option<Piece>, HttpError> {
        let turn = self.pages.turn(url.secret()).await;
        let mut headers = file_headers(&Start::default());
        add(&mut headers, RANGE, Some(&range));
        let response = match self.send(&turn, url, headers, Line::Shared).await {
            Err(HttpError::Status { status: StatusCode::RANGE_NOT_SATISFIABLE, .. }) => return Ok(None),
            other => other?,
        };
        let Some((start, total)) = place(&response, false) else { return Ok(None) };
        let bytes = Body::from_response(url.clone(), response, start).read_all(size as usize).await?;
        Ok(Some(Piece { start, total, bytes }))
    }

    /// Follows redirects, each hop with the credentials of its own host.
    pub(super) async fn send(
        &self,
        turn: &Turn,
        url: &MaskedUrl,
        headers: HeaderMap,
        line: Line,
    ) -> Result<Response, HttpError> {
        if self.settings.offline {
            return Err(HttpError::Offline { url: url.clone() });
        }
        let mut hop = url.clone();
        let mut was_encrypted = false;
        for _ in 0..=MOST_REDIRECTS {
            let is_encrypted = hop.secret().scheme() == "https";
            let is_private = is_encrypted || !was_encrypted && self.is_private(hop.secret());
            was_encrypted |= is_encrypted;
            let response = self.send_once(&hop, is_private, &headers, line).await?;
            turn.note(response.status().as_u16());
            self.health.answered(hop.secret(), response.status().as_u16());
            match next_hop(&hop, &response)? {
                Some(next) => hop = next,
                None => return judged(url, response),
            }
        }
        Err(HttpError::Redirect { url: url.clone(), why: format!("more than {MOST_REDIRECTS} redirects") })
    }

    async fn send_once(
        &self,
        url: &MaskedUrl,
        is_private: bool,
        headers: &HeaderMap,
        line: Line,
    ) -> Result<Response, HttpError> {
        let login = self.settings.credentials.login(url.secret(), is_private);
        let response = self.request(url, login.as_ref(), headers, line).await?;
        let is_refused = response.status() == StatusCode::UNAUTHORIZED;
        if !is_refused || !is_private || !self.settings.credentials.has_keyring() {
            return Ok(response);
        }
        match ask_keyring(self.settings.credentials.clone(), url.secret().clone(), login).await {
            Some(better) => self.request(url, Some(&better), headers, line).await,
            None => Ok(response),
        }
    }

    async fn request(
        &self,
        url: &MaskedUrl,
        login: Option<&Login>,
        headers: &HeaderMap,
        line: Line,
    ) -> Result<Response, HttpError> {
        self.health.check(url)?;
        let client = self.pools.client(&self.settings, self.settings.is_trusted(url.secret()), line)?;
        let request = client.get(without_login(url.secret())).headers(headers.clone());
        let request = match login {
            Some(login) => request.basic_auth(&login.user, Some(&login.password)),
            None => request,
        };
        let answer = self.introductions.make(url.secret(), request.send()).await;
        answer.map_err(|error| HttpError::unreachable(url, &error))
    }

    /// Whether nobody but the server of `url` reads what it is sent, as far as anybody can tell.
    fn is_private(&self, url: &Url) -> bool {
        is_secure_origin(url) || self.settings.is_trusted(url)
    }
}

/// A keyring may be slow, or wait for a person.
async fn ask_keyring(credentials: Credentials, url: Url, shown: Option<Login>) -> Option<Login> {
    blocking(move || credentials.ask_keyring(&url, shown.as_ref())).await
}

pub(super) fn file_headers(start: &Start) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
    if start.at > 0 {
        add(&mut headers, RANGE, Some(&format!("bytes={}-", start.at)));
        add(&mut headers, IF_RANGE, start.validator.as_deref());
    }
    if start.past_caches {
        add(&mut headers, CACHE_CONTROL, Some("no-cache"));
    }
    headers
}

pub(super) fn add(headers: &mut HeaderMap, name: reqwest::header::HeaderName, value: Option<&str>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
        headers.insert(name, value);
    }
}

/// The answer to a request for the rest of a file; `None` where the whole is to be asked for.
fn part(url: &MaskedUrl, start: &Start, answer: Result<Response, HttpError>) -> Result<Option<Body>, HttpError> {
    let response = match answer {
        Err(HttpError::Status { status: StatusCode::RANGE_NOT_SATISFIABLE, .. }) => return Ok(None),
        other => other?,
    };
    if response.status() == StatusCode::OK {
        return Ok(Some(Body::from_response(url.clone(), response, 0)));
    }
    let is_right = place(&response, true).is_some_and(|(at, _)| at == start.at);
    Ok(is_right.then(|| Body::from_response(url.clone(), response, start.at)))
}

/// Start and total of a partial answer.
fn place(response: &Response, to_end: bool) -> Option<(u64, u64)> {
    let is_partial = response.status() == StatusCode::PARTIAL_CONTENT;
    header(response.headers(), &CONTENT_RANGE).filter(|_| is_partial).and_then(|text| content_range(&text, to_end))
}

fn judged(url: &MaskedUrl, response: Response) -> Result<Response, HttpError> {
    let status = response.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return Ok(response);
    }
    let date = header(response.headers(), &DATE);
    let retry_after = header(response.headers(), &RETRY_AFTER).and_then(|value| retry_after(&value, date.as_deref()));
    let cache_control = cache_control(response.headers()).into();
    Err(HttpError::Status { url: url.clone(), status, retry_after, cache_control })
}

/// The file that a `file:` URL names; `None` for what is asked over the network.
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
        let turns = |size| -> Vec<_> { std::iter::from_fn(|| client.turn(&url, size).now_or_never()).collect() };
        let (large, small) = (turns(Some(SMALL + 1)), turns(Some(SMALL)));
        assert_eq!((large.len(), small.len()), (2, 5));
        drop(small);
        assert!(turns(None).is_empty(), "it may be large");
    }
}
