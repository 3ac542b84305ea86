//! HTTP errors: what happened to which URL.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;

use super::connect_error::ConnectErrorKind;
use super::proxies::ProxyServer;
use super::retry::Outcome;
use crate::domain::{HasRemedy, MaskedUrl, Remedy};

/// A request that did not succeed. Shown, it is the address and [`HttpError::predicate`].
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    Offline { url: MaskedUrl },
    Status { url: MaskedUrl, status: StatusCode, headers: Box<StatusHeaders> },
    Unreachable { url: MaskedUrl, why: Arc<str>, kind: ConnectErrorKind },
    Broken { url: MaskedUrl, why: String, is_silent: bool },
    TooLong { url: MaskedUrl, limit: usize },
    Redirect { url: MaskedUrl, why: String },
    File { url: MaskedUrl, why: std::io::Error },
    Scheme { url: MaskedUrl },
    Settings(String),
    Certificate { path: PathBuf, named_by: String, why: String },
}

/// What an answer without success says beside its status.
#[derive(Debug, Default)]
pub struct StatusHeaders {
    pub retry_after: Option<Duration>,
    /// What caches may do with the answer, as [`HttpPage::cache_control`](super::HttpPage::cache_control).
    pub cache_control: String,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.url() {
            Some(url) => write!(f, "{url} {}", self.predicate()),
            None => f.write_str(&self.predicate()),
        }
    }
}

impl HasRemedy for HttpError {
    fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Unreachable { kind, .. } => kind.remedy(),
            Self::Broken { is_silent, .. } => is_silent.then_some(Remedy::WaitLonger),
            Self::Status { status, .. } => match *status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Some(Remedy::GiveCredentials),
                StatusCode::NOT_FOUND | StatusCode::GONE => Some(Remedy::CheckAddress),
                StatusCode::PROXY_AUTHENTICATION_REQUIRED => Some(Remedy::GiveProxyCredentials),
                StatusCode::TOO_MANY_REQUESTS => Some(Remedy::AskLess),
                other => other.is_server_error().then_some(Remedy::TryLater),
            },
            _ => None,
        }
    }
}

impl HttpError {
    /// The address that it happened at, of which redirects may have made another.
    pub fn url(&self) -> Option<&MaskedUrl> {
        match self {
            Self::Settings(_) | Self::Certificate { .. } => None,
            Self::Offline { url }
            | Self::Status { url, .. }
            | Self::Unreachable { url, .. }
            | Self::Broken { url, .. }
            | Self::TooLong { url, .. }
            | Self::Redirect { url, .. }
            | Self::File { url, .. }
            | Self::Scheme { url } => Some(url),
        }
    }

    /// What happened, without the address: the same for every address that it happens at.
    pub fn predicate(&self) -> String {
        match self {
            Self::Offline { .. } => "is needed, and nothing may be asked for: the run is offline".to_owned(),
            Self::Status { status, headers, .. } => match headers.retry_after.filter(|wait| !wait.is_zero()) {
                Some(wait) => format!("answered {status} (it asks to wait {} s)", wait.as_secs()),
                None => format!("answered {status}"),
            },
            Self::Unreachable { why, .. } => format!("could not be reached: {why}"),
            Self::Broken { why, .. } => format!("broke off after {why}"),
            Self::TooLong { limit, .. } => format!("answered more than {limit} bytes, which is no page"),
            Self::Redirect { why, .. } => format!("leads nowhere: {why}"),
            Self::File { why, .. } => format!("cannot be read: {why}"),
            Self::Scheme { .. } => "has a scheme that cannot be fetched (only http, https and file can)".to_owned(),
            Self::Settings(why) => format!("the network settings cannot be used: {why}"),
            Self::Certificate { path, named_by, why } => {
                format!("{} is named by {named_by} and cannot be used ({why}); name a PEM file there", path.display())
            }
        }
    }

    /// Whether no request was made, since what decides how is unusable.
    pub fn is_about_settings(&self) -> bool {
        matches!(self, Self::Settings(_) | Self::Certificate { .. })
    }

    /// The status of the answer, where there was one.
    pub fn status_code(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(status.as_u16()),
            _ => None,
        }
    }

    /// Whether the answer was that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(*status, StatusCode::NOT_FOUND | StatusCode::GONE),
            Self::File { why, .. } => why.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// What caches may do with the answer, where there was one.
    pub fn cache_control(&self) -> &str {
        match self {
            Self::Status { headers, .. } => &headers.cache_control,
            _ => "",
        }
    }

    /// Whether the place is down, rather than that it refuses: what was seen of it before may
    /// still be right.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Status { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Unreachable { kind, .. } => kind.is_outage(),
            other => other.outcome() == Outcome::Broken,
        }
    }

    /// What [`Retry`](super::Retry) judges.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Status { status, headers, .. } => {
                Outcome::Status { status: status.as_u16(), retry_after: headers.retry_after }
            }
            Self::Unreachable { kind, .. } if !kind.is_transient() => Outcome::Final,
            Self::Unreachable { .. } | Self::Broken { .. } => Outcome::Broken,
            _ => Outcome::Final,
        }
    }

    /// A body that ended before all of the `expected` bytes were there, and said nothing of it.
    pub fn truncated(url: &MaskedUrl, got: u64, expected: u64) -> Self {
        Self::broken(url, got, Some(expected), "it ended early; the server, a proxy or the line cut it short")
    }

    /// An answer that is none to the request, whatever else it says.
    pub(super) fn status(url: &MaskedUrl, status: StatusCode) -> Self {
        Self::Status { url: url.clone(), status, headers: Box::default() }
    }

    pub(super) fn broken(url: &MaskedUrl, got: u64, expected: Option<u64>, why: &str) -> Self {
        let of = expected.map(|expected| format!(" of {expected}")).unwrap_or_default();
        Self::Broken { url: url.clone(), why: format!("{got}{of} bytes: {why}"), is_silent: false }
    }

    /// A body whose next bytes did not come.
    pub(super) fn interrupted(url: &MaskedUrl, got: u64, expected: Option<u64>, error: &reqwest::Error) -> Self {
        let mut broken = Self::broken(url, got, expected, &with_causes(error));
        if let Self::Broken { is_silent, .. } = &mut broken {
            *is_silent = error.is_timeout();
        }
        broken
    }

    pub(super) fn unreachable(url: &MaskedUrl, error: &reqwest::Error, proxy: Option<&ProxyServer>) -> Self {
        let through = proxy.map(|proxy| format!(", through the proxy {proxy}")).unwrap_or_default();
        let why = format!("{}{through}", with_causes(error));
        Self::Unreachable { url: url.clone(), why: why.into(), kind: ConnectErrorKind::of(error) }
    }
}

/// The causes of an error, innermost last. Left out are its own text, which repeats the URL with
/// all secrets, and hyper's, which says in which part of a client it happened.
pub(super) fn with_causes(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it stayed silent for too long".to_owned();
    }
    let first: Option<&dyn std::error::Error> = std::error::Error::source(error);
    let causes = std::iter::successors(first, |cause| cause.source());
    let texts = causes.map(|cause| in_words(cause.to_string())).filter(|text| !text.starts_with("client error ("));
    let mut texts: Vec<_> = texts.collect();
    texts.dedup();
    if texts.is_empty() { "the request could not be made".to_owned() } else { texts.join(": ") }
}

/// What a proxy said to a request for a tunnel is not passed on; some answer a wrong password so.
fn in_words(cause: String) -> String {
    match cause.as_str() {
        "received corrupt message of type InvalidContentType" => {
            "what answers there does not speak TLS: it may be a server of plain HTTP (http://)".to_owned()
        }
        "invalid HTTP version parsed" => {
            "what answers there does not speak plain HTTP: it may be a server of TLS (https://)".to_owned()
        }
        "tunnel error: unsuccessful" => {
            "the proxy would not connect to it; check the proxy's user and password, and the address".to_owned()
        }
        _ => cause,
    }
}
