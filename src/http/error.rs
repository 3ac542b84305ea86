//! HTTP errors: what happened to which URL.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;

use super::connect_error::ConnectErrorKind;
use super::proxies::ProxyServer;
use super::retry::AttemptOutcome;
use crate::domain::{HasRemedy, MaskedUrl, Remedy};

/// A failed request.
///
/// Displayed as the URL and [`HttpError::predicate`].
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    Offline {
        url: MaskedUrl,
    },
    Status {
        url: MaskedUrl,
        status: StatusCode,
        headers: Box<StatusHeaders>,
    },
    Unreachable {
        url: MaskedUrl,
        why: Arc<str>,
        kind: ConnectErrorKind,
    },
    Interrupted {
        url: MaskedUrl,
        why: String,
        is_silent: bool,
    },
    /// A page that is larger than the limit of pages.
    PageTooLarge {
        url: MaskedUrl,
        limit: usize,
    },
    /// A file that is larger than [`HttpSettings::max_file_size`](super::HttpSettings::max_file_size).
    FileTooLarge {
        url: MaskedUrl,
        limit: u64,
    },
    Redirect {
        url: MaskedUrl,
        why: String,
    },
    File {
        url: MaskedUrl,
        why: std::io::Error,
    },
    Scheme {
        url: MaskedUrl,
    },
    Settings(String),
    Certificate {
        path: PathBuf,
        named_by: String,
        why: String,
    },
}

/// The headers of an unsuccessful response that matter.
#[derive(Debug, Default)]
pub struct StatusHeaders {
    pub retry_after: Option<Duration>,
    /// What caches may do with the response, as
    /// [`HttpPage::cache_control`](super::HttpPage::cache_control).
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
            Self::Interrupted { is_silent, .. } => is_silent.then_some(Remedy::WaitLonger),
            Self::FileTooLarge { .. } => Some(Remedy::AllowLargerFiles),
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
    /// Returns the URL that failed, which after redirects may not be the requested one.
    pub fn url(&self) -> Option<&MaskedUrl> {
        match self {
            Self::Settings(_) | Self::Certificate { .. } => None,
            Self::Offline { url }
            | Self::Status { url, .. }
            | Self::Unreachable { url, .. }
            | Self::Interrupted { url, .. }
            | Self::PageTooLarge { url, .. }
            | Self::FileTooLarge { url, .. }
            | Self::Redirect { url, .. }
            | Self::File { url, .. }
            | Self::Scheme { url } => Some(url),
        }
    }

    /// Returns what happened, without the URL: the same for every URL that fails so.
    pub fn predicate(&self) -> String {
        match self {
            Self::Offline { .. } => "is needed, and nothing may be asked for: the run is offline".to_owned(),
            Self::Status { status, headers, .. } => match headers.retry_after.filter(|wait| !wait.is_zero()) {
                Some(wait) => format!("answered {status} (it asks to wait {} s)", wait.as_secs()),
                None => format!("answered {status}"),
            },
            Self::Unreachable { why, .. } => format!("could not be reached: {why}"),
            Self::Interrupted { why, .. } => format!("broke off after {why}"),
            Self::PageTooLarge { limit, .. } => format!("answered more than {limit} bytes, which is no page"),
            Self::FileTooLarge { limit, .. } => format!("has more than {limit} bytes, the most that a file may have"),
            Self::Redirect { why, .. } => format!("leads nowhere: {why}"),
            Self::File { why, .. } => format!("cannot be read: {why}"),
            Self::Scheme { .. } => "has a scheme that cannot be fetched (only http, https and file can)".to_owned(),
            Self::Settings(why) => format!("the network settings cannot be used: {why}"),
            Self::Certificate { path, named_by, why } => {
                format!("{} is named by {named_by} and cannot be used ({why}); name a PEM file there", path.display())
            }
        }
    }

    /// Whether no request was sent, since a network setting is unusable.
    pub fn is_about_settings(&self) -> bool {
        matches!(self, Self::Settings(_) | Self::Certificate { .. })
    }

    /// Returns the status of the response, if there was one.
    pub fn status_code(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(status.as_u16()),
            _ => None,
        }
    }

    /// Whether the response was that the resource does not exist (404 or 410; for a file, that it
    /// is missing).
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(*status, StatusCode::NOT_FOUND | StatusCode::GONE),
            Self::File { why, .. } => why.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Returns what caches may do with the response, if there was one.
    pub fn cache_control(&self) -> &str {
        match self {
            Self::Status { headers, .. } => &headers.cache_control,
            _ => "",
        }
    }

    /// Whether the server is down, and does not merely refuse; a cached page may then still be
    /// right.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Status { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Unreachable { kind, .. } => kind.is_outage(),
            other => other.outcome() == AttemptOutcome::ConnectionFailed,
        }
    }

    /// Returns the outcome by which [`Retry`](super::Retry) decides.
    pub fn outcome(&self) -> AttemptOutcome {
        match self {
            Self::Status { status, headers, .. } => {
                AttemptOutcome::Status { status: status.as_u16(), retry_after: headers.retry_after }
            }
            Self::Unreachable { kind, .. } if !kind.is_transient() => AttemptOutcome::Final,
            Self::Unreachable { .. } | Self::Interrupted { .. } => AttemptOutcome::ConnectionFailed,
            _ => AttemptOutcome::Final,
        }
    }

    /// Makes the error for a body that ended before all of the `expected` bytes, without an error
    /// of its own.
    pub fn truncated(url: &MaskedUrl, got: u64, expected: u64) -> Self {
        Self::broken(url, got, Some(expected), "it ended early; the server, a proxy or the line cut it short")
    }

    /// Makes the error for a response whose status does not fit the request.
    pub(super) fn status(url: &MaskedUrl, status: StatusCode) -> Self {
        Self::Status { url: url.clone(), status, headers: Box::default() }
    }

    pub(super) fn broken(url: &MaskedUrl, got: u64, expected: Option<u64>, why: &str) -> Self {
        let of = expected.map(|expected| format!(" of {expected}")).unwrap_or_default();
        Self::Interrupted { url: url.clone(), why: format!("{got}{of} bytes: {why}"), is_silent: false }
    }

    /// Makes the error for a body whose next bytes did not arrive.
    pub(super) fn interrupted(url: &MaskedUrl, got: u64, expected: Option<u64>, error: &reqwest::Error) -> Self {
        let mut broken = Self::broken(url, got, expected, &with_causes(error));
        if let Self::Interrupted { is_silent, .. } = &mut broken {
            *is_silent = error.is_timeout();
        }
        broken
    }

    /// Makes the error for an upload of which nothing more was taken, or that was not answered.
    pub(super) fn silent(url: &MaskedUrl, sent: u64) -> Self {
        let why = format!("{sent} bytes were sent: it stayed silent for too long");
        Self::Interrupted { url: url.clone(), why, is_silent: true }
    }

    pub(super) fn unreachable(url: &MaskedUrl, error: &reqwest::Error, proxy: Option<&ProxyServer>) -> Self {
        let through = proxy.map(|proxy| format!(", through the proxy {proxy}")).unwrap_or_default();
        let why = format!("{}{through}", with_causes(error));
        Self::Unreachable { url: url.clone(), why: why.into(), kind: ConnectErrorKind::of(error) }
    }
}

/// Returns the causes of an error, innermost last.
///
/// It leaves out reqwest's own text, which repeats the URL with all secrets, and hyper's, which
/// only says in which part of a client it happened.
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

/// Replaces a cause that is hard to understand by what it usually means.
///
/// What a proxy answers to a request for a tunnel is not part of the cause; some refuse a wrong
/// password there.
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
