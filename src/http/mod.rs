//! URLs and bytes: one client for `http:`, `https:` and `file:`, with retries.
//!
//! Knows nothing of packages, indexes or digests. URLs in errors are masked.

mod auth;
mod blocking;
mod body;
mod certificates;
mod circuit_breaker;
mod client;
mod client_builder;
mod client_pool;
mod concurrency;
mod connect_error;
mod error;
mod hosts;
mod http2_probe;
mod netrc;
mod object_store_connector;
mod outgoing_request;
mod page_content;
mod parallel_ranges;
mod proxies;
mod range;
mod redirect;
mod retry;
mod secure_origin;
mod tls;
mod upload_form;

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderName, LAST_MODIFIED, VARY};
use url::Url;

pub use auth::{Credentials, Keyring};
pub use blocking::blocking;
pub use body::ResponseBody;
pub use circuit_breaker::Attempts;
pub use client::HttpClient;
pub use client_builder::ConnectionSharing;
pub use concurrency::{RequestPermit, SHARED_CONNECTION_FACTOR};
pub use connect_error::ConnectErrorKind;
pub use error::HttpError;
pub use netrc::{Login, Netrc, NetrcError};
pub use object_store_connector::ObjectStoreConnector;
pub use page_content::PageContent;
pub use parallel_ranges::MIN_PARALLEL_SIZE;
pub use proxies::{Proxies, ProxyServer, is_proxy};
pub use range::{ByteRange, ResumePoint};
pub use retry::{AttemptOutcome, Retry, retry_after};
pub use secure_origin::is_secure_origin;
pub use upload_form::{FormResponse, UploadForm};

use crate::domain::MaskedUrl;

/// The settings for all requests.
#[derive(Clone, Debug, Default)]
pub struct HttpSettings {
    /// How long a connection may be silent.
    pub timeout: Duration,
    /// How often a failed request is retried.
    pub retries: u32,
    /// The number of large files that are fetched from one host at once.
    pub files_per_host: usize,
    /// The number of pages, small files and parts of files that are fetched from one host at once;
    /// [`SHARED_CONNECTION_FACTOR`] times as many if they share a connection.
    pub pages_per_host: usize,
    /// Hosts, each as `host` or `host:port`, that may be asked by plain HTTP, and whose
    /// certificates are not checked.
    pub trusted_hosts: HashSet<String>,
    /// The authorities to trust instead of the platform's.
    pub authorities: Option<CertificateAuthorities>,
    pub client_certificate: Option<ClientCertificate>,
    pub proxies: Proxies,
    /// Whether requests to the network are forbidden.
    pub offline: bool,
    /// The largest size in bytes that a file may have; by default there is no limit.
    pub max_file_size: Option<u64>,
    /// The users and passwords, and which hosts receive them.
    pub credentials: Credentials,
}

impl HttpSettings {
    /// Whether the host of `url` is one of the trusted hosts.
    pub fn is_trusted(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
        let is_it = |trusted: &String| trusted.eq_ignore_ascii_case(host) || trusted.eq_ignore_ascii_case(&with_port);
        self.trusted_hosts.iter().any(is_it)
    }
}

/// A PEM file with a client certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    pub path: PathBuf,
    /// The option or variable that names it.
    pub named_by: String,
}

/// Certificate authorities that are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateAuthorities {
    /// PEM files, and folders of PEM files.
    pub paths: Vec<PathBuf>,
    /// The option or variable that names the paths.
    pub named_by: String,
}

/// The validators of a cached page or file, for conditional requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        Self { etag: header(headers, &ETAG), last_modified: header(headers, &LAST_MODIFIED) }
    }
}

/// A response that was read as a whole.
#[derive(Debug)]
pub struct HttpPage<C = Vec<u8>> {
    /// The URL of the response, after redirects.
    pub url: MaskedUrl,
    pub content_type: String,
    pub validators: Validators,
    /// What caches may do with the response: the value of `Cache-Control`, and `no-store` if `Vary:
    /// *` says that no other request is like this one.
    pub cache_control: String,
    pub content: C,
}

/// The response to a conditional request.
#[derive(Debug)]
pub enum PageResponse<P = HttpPage> {
    Page(P),
    /// The cached page is still valid (304); with the new `Cache-Control`.
    NotModified {
        cache_control: String,
    },
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// Returns the value of [`HttpPage::cache_control`].
///
/// Other values of `Vary` name headers that are the same in all of our requests, except credentials
/// ([`HttpClient::user_fingerprint`]).
fn cache_control(headers: &HeaderMap) -> String {
    let values = |name| headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    let is_unlike_any = values(VARY).any(|value| value.split(',').any(|name| name.trim() == "*"));
    values(CACHE_CONTROL).chain(is_unlike_any.then_some("no-store")).collect::<Vec<_>>().join(", ")
}
