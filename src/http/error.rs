//! Requests that did not succeed: what happened to which address, and what to do.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::StatusCode;

use super::retry::Outcome;
use crate::domain::MaskedUrl;

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("{url} is needed and --offline forbids asking for it")]
    Offline { url: MaskedUrl },
    #[error("{url} answered {status}{}", advice(*status, *retry_after))]
    Status { url: MaskedUrl, status: StatusCode, retry_after: Option<Duration> },
    #[error("{url} could not be reached: {why}")]
    Unreachable { url: MaskedUrl, why: String },
    #[error("{url} broke off after {why}")]
    Broken { url: MaskedUrl, why: String },
    #[error("{url} answered more than {limit} bytes, which is no page")]
    TooLong { url: MaskedUrl, limit: usize },
    #[error("{url} leads nowhere: {why}")]
    Redirect { url: MaskedUrl, why: String },
    #[error("{url} cannot be read: {why}")]
    File { url: MaskedUrl, why: std::io::Error },
    #[error("{url} has a scheme that cannot be fetched (only http, https and file can)")]
    Scheme { url: MaskedUrl },
    #[error("the network settings cannot be used: {0}")]
    Settings(String),
    #[error("{} cannot be used ({why}); name a PEM file with {option}", path.display())]
    Certificate { path: PathBuf, option: &'static str, why: String },
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

    /// Whether the place is down, rather than that it refuses: what was seen of it before may
    /// still be right.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Status { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            other => other.outcome() == Outcome::Broken,
        }
    }

    /// What [`Retry`](super::Retry) judges.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Status { status, retry_after, .. } => {
                Outcome::Status { status: status.as_u16(), retry_after: *retry_after }
            }
            Self::Unreachable { why, .. } if is_about_certificates(why) => Outcome::Final,
            Self::Unreachable { .. } | Self::Broken { .. } => Outcome::Broken,
            _ => Outcome::Final,
        }
    }

    /// A body that ended before all of the `expected` bytes were there, and said nothing of it.
    pub fn truncated(url: &MaskedUrl, got: u64, expected: u64) -> Self {
        Self::broken(url, got, Some(expected), "it ended early; the server, a proxy or the line cut it short")
    }

    pub(super) fn broken(url: &MaskedUrl, got: u64, expected: Option<u64>, why: &str) -> Self {
        let of = expected.map(|expected| format!(" of {expected}")).unwrap_or_default();
        Self::Broken { url: url.clone(), why: format!("{got}{of} bytes: {why}") }
    }

    pub(super) fn unreachable(url: &MaskedUrl, error: &reqwest::Error) -> Self {
        let mut why = with_causes(error);
        if is_about_certificates(&why) {
            why.push_str("; trust its authority with --cert FILE, or the host as it is with --trusted-host");
        }
        Self::Unreachable { url: url.clone(), why }
    }
}

/// Whether `why` is what TLS says of a certificate that it does not believe; the kind of such an
/// error is hidden below several layers, its words are not.
fn is_about_certificates(why: &str) -> bool {
    why.contains("invalid peer certificate")
}

fn advice(status: StatusCode, retry_after: Option<Duration>) -> String {
    let advice = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "; give a user and password in the index URL (https://user:password@…) or in ~/.netrc, or check that they \
             may read this"
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            "; it is not there any more: run again with --refresh, or ask the owner of the index"
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => "; the proxy wants a user and password in its URL",
        StatusCode::TOO_MANY_REQUESTS => "; the server asks for fewer requests: try again later, or with a lower -j",
        status if status.is_server_error() => "; the server is in trouble: try again later, or with more --retries",
        _ => "",
    };
    match retry_after.filter(|wait| !wait.is_zero()) {
        Some(wait) => format!("{advice} (it asks to wait {} s)", wait.as_secs()),
        None => advice.to_owned(),
    }
}

/// The causes of an error, innermost last. Left out are its own text, which repeats the URL with
/// all secrets, and hyper's, which says in which part of a client it happened.
pub(super) fn with_causes(error: &reqwest::Error) -> String {
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
