//! URLs and bytes: one client for `http:`, `https:` and `file:`, which retries what is worth it.
//!
//! Knows nothing of packages, indexes or digests. Addresses in errors are masked.

mod auth;
mod body;
mod retry;

use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, RANGE};
use reqwest::{Response, StatusCode};

pub use auth::Credentials;
pub use body::Body;
pub use retry::{Outcome, Retry};

use crate::domain::MaskedUrl;

/// What decides how requests are made.
#[derive(Clone, Debug, Default)]
pub struct HttpSettings {
    /// How long a connection may stay silent.
    pub timeout: Duration,
    /// How often a request is made again after the first time.
    pub retries: u32,
    /// `host` or `host:port` whose certificates are not checked.
    pub trusted_hosts: HashSet<String>,
    /// PEM certificates to trust instead of the platform's.
    pub certificates: Option<PathBuf>,
    /// PEM with a client's certificate and key.
    pub client_certificate: Option<PathBuf>,
    /// A proxy for everything; otherwise the usual variables decide.
    pub proxy: Option<String>,
    /// Never send a packet.
    pub offline: bool,
    /// Who may see which user and password.
    pub credentials: Credentials,
}

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("{url} is needed and --offline forbids asking for it")]
    Offline { url: MaskedUrl },
    #[error("{url} answered {status}{}", advice(*status))]
    Status { url: MaskedUrl, status: StatusCode },
    #[error("{url} could not be reached: {why}")]
    Unreachable { url: MaskedUrl, why: String },
    #[error("{url} broke off: {why}")]
    Broken { url: MaskedUrl, why: String },
    #[error("{url} answered more than {limit} bytes, which is no page")]
    TooLong { url: MaskedUrl, limit: usize },
    #[error("{url} cannot be read: {why}")]
    File { url: MaskedUrl, why: std::io::Error },
    #[error("{url} has a scheme that cannot be fetched (only http, https and file can)")]
    Scheme { url: MaskedUrl },
    #[error("the network settings cannot be used: {0}")]
    Settings(String),
}

impl HttpError {
    /// Whether the answer was that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(*status, StatusCode::NOT_FOUND | StatusCode::GONE),
            Self::File { why, .. } => why.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Status { status, .. } => Outcome::Status(status.as_u16()),
            Self::Unreachable { .. } | Self::Broken { .. } => Outcome::Broken,
            _ => Outcome::Final,
        }
    }
}

fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "; put the user and password into the index URL (https://user:password@…)"
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => "; the proxy wants a user and password in its URL",
        StatusCode::TOO_MANY_REQUESTS => "; the server asks for fewer requests: try again later, or with a lower -j",
        _ => "",
    }
}

/// What a server may know of a page we hold already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// A small answer, whole.
#[derive(Debug)]
pub struct Page {
    /// Where it came from after redirects.
    pub url: MaskedUrl,
    pub content_type: String,
    pub validators: Validators,
    /// The value of `Cache-Control`.
    pub cache_control: String,
    pub bytes: Vec<u8>,
}

/// Some bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where they begin.
    pub start: u64,
    /// Bytes of the whole file.
    pub total: u64,
    pub bytes: Vec<u8>,
}

impl Piece {
    /// Start and total of `bytes 5-9/10`.
    fn place(content_range: &str) -> Option<(u64, u64)> {
        let (range, total) = content_range.strip_prefix("bytes ")?.split_once('/')?;
        Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()?))
    }
}

/// An answer to a conditional request.
#[derive(Debug)]
pub enum Answer {
    Page(Page),
    /// What we hold is still right (304); the new `Cache-Control`.
    NotModified {
        cache_control: String,
    },
}

/// Makes requests. Cheap to make: connections and certificates wait for the first request.
#[derive(Debug)]
pub struct HttpClient {
    settings: HttpSettings,
    strict: OnceLock<reqwest::Client>,
    trusting: OnceLock<reqwest::Client>,
}

impl HttpClient {
    pub fn new(settings: HttpSettings) -> Self {
        Self { settings, strict: OnceLock::new(), trusting: OnceLock::new() }
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
        self.retrying(|| self.page_once(url, accept, known, limit)).await
    }

    /// Begins to read a file: the bytes as the server holds them, never decoded.
    ///
    /// # Errors
    /// The last of the failures, after the retries that it deserved.
    pub async fn file(&self, url: &MaskedUrl) -> Result<Body, HttpError> {
        if let Some(path) = local_path(url)? {
            return Body::open(url, &path);
        }
        let identity = [(ACCEPT_ENCODING, HeaderValue::from_static("identity"))];
        let response = self.send(url, HeaderMap::from_iter(identity)).await?;
        Ok(Body::from_response(url.clone(), response))
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

    async fn piece(&self, url: &MaskedUrl, range: String, size: u64) -> Result<Option<Piece>, HttpError> {
        let range = HeaderValue::try_from(range).expect("a range is plain text");
        let headers = [(RANGE, range), (ACCEPT_ENCODING, HeaderValue::from_static("identity"))];
        let response = match self.send(url, HeaderMap::from_iter(headers)).await {
            Err(HttpError::Status { status: StatusCode::RANGE_NOT_SATISFIABLE, .. }) => return Ok(None),
            other => other?,
        };
        let place = header(&response, "content-range").and_then(|text| Piece::place(&text));
        let Some((start, total)) = place.filter(|_| response.status() == StatusCode::PARTIAL_CONTENT) else {
            return Ok(None);
        };
        let bytes = Body::from_response(url.clone(), response).read_all(size as usize).await?;
        Ok(Some(Piece { start, total, bytes }))
    }

    /// Runs `attempt` again while its failures are worth it.
    ///
    /// # Errors
    /// The last failure.
    pub async fn retrying<T, F>(&self, mut attempt: impl FnMut() -> F) -> Result<T, HttpError>
    where
        F: Future<Output = Result<T, HttpError>>,
    {
        let mut retry = Retry::new(self.settings.retries);
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match retry.after(error.outcome()) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(error),
            }
        }
    }

    async fn page_once(
        &self,
        url: &MaskedUrl,
        accept: &'static str,
        known: &Validators,
        limit: usize,
    ) -> Result<Answer, HttpError> {
        if let Some(path) = local_path(url)? {
            return body::read_page(url, &path).map(Answer::Page);
        }
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
        headers.extend(conditions(known));
        let response = self.send(url, headers).await?;
        let cache_control = header(&response, "cache-control").unwrap_or_default();
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Answer::NotModified { cache_control });
        }
        Ok(Answer::Page(Page {
            url: MaskedUrl::new(response.url().clone()),
            content_type: header(&response, "content-type").unwrap_or_default(),
            validators: Validators {
                etag: header(&response, "etag"),
                last_modified: header(&response, "last-modified"),
            },
            cache_control,
            bytes: Body::from_response(url.clone(), response).read_all(limit).await?,
        }))
    }

    async fn send(&self, url: &MaskedUrl, headers: HeaderMap) -> Result<Response, HttpError> {
        if self.settings.offline {
            return Err(HttpError::Offline { url: url.clone() });
        }
        let address = self.settings.credentials.add_to(url.secret());
        let request = self.client_for(url)?.get(address).headers(headers);
        let response = request.send().await.map_err(|error| unreachable(url, &error))?;
        match response.status() {
            status if status.is_success() || status == StatusCode::NOT_MODIFIED => Ok(response),
            status => Err(HttpError::Status { url: url.clone(), status }),
        }
    }

    fn client_for(&self, url: &MaskedUrl) -> Result<&reqwest::Client, HttpError> {
        let trusting = self.is_trusted(url);
        let cell = if trusting { &self.trusting } else { &self.strict };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = build(&self.settings, trusting)?;
        Ok(cell.get_or_init(|| client))
    }

    fn is_trusted(&self, url: &MaskedUrl) -> bool {
        let Some(host) = url.secret().host_str() else { return false };
        let port = url.secret().port_or_known_default().unwrap_or_default();
        let hosts = &self.settings.trusted_hosts;
        hosts.contains(host) || hosts.contains(&format!("{host}:{port}"))
    }
}

/// A stream may run this far ahead of its reader, in bytes: at 1 Gbit/s and 20 ms, 2.5 MB are
/// under way.
const STREAM_WINDOW: u32 = 2 << 20;

/// All streams of a connection together, likewise.
const CONNECTION_WINDOW: u32 = 16 << 20;

fn build(settings: &HttpSettings, trusting: bool) -> Result<reqwest::Client, HttpError> {
    let wrong = |error: &dyn std::fmt::Display| HttpError::Settings(error.to_string());
    // A second installation, by another client, finds the first one in place.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("prefetch/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(settings.timeout)
        .read_timeout(settings.timeout)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .tls_danger_accept_invalid_certs(trusting);
    if let Some(path) = &settings.certificates {
        let certificates = reqwest::Certificate::from_pem_bundle(&read(path)?).map_err(|error| wrong(&error))?;
        builder = builder.tls_certs_only(certificates);
    }
    if let Some(path) = &settings.client_certificate {
        builder = builder.identity(reqwest::Identity::from_pem(&read(path)?).map_err(|error| wrong(&error))?);
    }
    if let Some(proxy) = &settings.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(|error| wrong(&error))?);
    }
    builder.build().map_err(|error| wrong(&with_causes(&error)))
}

fn read(path: &std::path::Path) -> Result<Vec<u8>, HttpError> {
    std::fs::read(path).map_err(|error| HttpError::Settings(format!("{}: {error}", path.display())))
}

fn conditions(known: &Validators) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let etag = known.etag.iter().map(|etag| (reqwest::header::IF_NONE_MATCH, etag));
    let date = known.last_modified.iter().map(|date| (reqwest::header::IF_MODIFIED_SINCE, date));
    etag.chain(date).filter_map(|(name, value)| Some((name, HeaderValue::from_str(value).ok()?)))
}

fn header(response: &Response, name: &str) -> Option<String> {
    Some(response.headers().get(name)?.to_str().ok()?.to_owned())
}

/// The file that a `file:` URL names; `None` for what is asked over the network.
fn local_path(url: &MaskedUrl) -> Result<Option<PathBuf>, HttpError> {
    match url.secret().scheme() {
        "http" | "https" => Ok(None),
        "file" => url.secret().to_file_path().map(Some).map_err(|()| HttpError::Scheme { url: url.clone() }),
        _ => Err(HttpError::Scheme { url: url.clone() }),
    }
}

fn unreachable(url: &MaskedUrl, error: &reqwest::Error) -> HttpError {
    HttpError::Unreachable { url: url.clone(), why: with_causes(error) }
}

/// The causes of an error, innermost last. Left out are its own text, which repeats the URL with
/// all secrets, and hyper's, which says in which part of a client it happened.
fn with_causes(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it stayed silent for too long (--timeout)".to_owned();
    }
    let first: Option<&dyn std::error::Error> = std::error::Error::source(error);
    let causes = std::iter::successors(first, |cause| cause.source());
    let texts = causes.map(ToString::to_string).filter(|text| !text.starts_with("client error ("));
    let mut texts: Vec<_> = texts.collect();
    texts.dedup();
    if texts.is_empty() { "the request could not be made".to_owned() } else { texts.join(": ") }
}
