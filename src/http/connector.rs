//! Certificates, proxies and time-outs: how connections are made.

use std::path::Path;

use super::error::{HttpError, with_causes};
use super::{Authorities, HttpSettings};

/// A stream may run this far ahead of its reader, in bytes: at 1 Gbit/s and 20 ms, 2.5 MB are
/// under way.
const STREAM_WINDOW: u32 = 2 << 20;

/// All streams of a connection together, likewise.
const CONNECTION_WINDOW: u32 = 16 << 20;

/// How a request travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Line {
    /// With all others to its host, where HTTP/2 is offered: for many small answers.
    #[default]
    Shared,
    /// On a connection of its own, by HTTP/1.1: what one connection carries over a long way is
    /// bounded by its windows, and large files need more (measured: `docs/network.md`).
    Own,
}

/// A client by `settings`; one that is `trusting` believes any certificate. It follows no
/// redirects, since each hop has its own credentials and its own trust, and unpacks nothing,
/// since the bytes of files count as they are.
pub(super) fn connector(settings: &HttpSettings, trusting: bool, line: Line) -> Result<reqwest::Client, HttpError> {
    let wrong = |error: &dyn std::fmt::Display| HttpError::Settings(error.to_string());
    // A second installation, by another client, finds the first one in place.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("prefetch/", env!("CARGO_PKG_VERSION")))
        .no_gzip()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(settings.timeout)
        .read_timeout(settings.timeout)
        .no_proxy()
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .tls_danger_accept_invalid_certs(trusting);
    if let Some(authorities) = &settings.authorities {
        builder = builder.tls_certs_only(certificates(authorities)?);
    }
    if let Some(path) = &settings.client_certificate {
        builder = builder.identity(identity(path)?);
    }
    if line == Line::Own {
        builder = builder.http1_only();
    }
    for proxy in settings.proxies.all() {
        // Its own words would repeat the password of the proxy.
        builder = builder.proxy(proxy.map_err(|_| wrong(&"the proxy is no URL"))?);
    }
    builder.build().map_err(|error| wrong(&with_causes(&error)))
}

fn certificates(authorities: &Authorities) -> Result<Vec<reqwest::Certificate>, HttpError> {
    let named_by = authorities.named_by.as_str();
    let mut found = Vec::new();
    for path in &authorities.paths {
        match std::fs::read_dir(path) {
            Ok(entries) => found.extend(entries.flatten().flat_map(|entry| in_folder(&entry.path()))),
            // OpenSSL passes over what is missing of a list, too.
            Err(_) if authorities.paths.len() > 1 && !path.exists() => {}
            Err(_) => {
                let read = reqwest::Certificate::from_pem_bundle(&read(path, named_by)?);
                found.extend(read.map_err(|error| unusable(path, named_by, &with_causes(&error)))?);
            }
        }
    }
    match authorities.paths.first() {
        Some(first) if found.is_empty() => Err(unusable(first, named_by, "there is no certificate in it")),
        _ => Ok(found),
    }
}

/// The certificates of a file that may be something else.
fn in_folder(path: &Path) -> Vec<reqwest::Certificate> {
    let bytes = std::fs::read(path).unwrap_or_default();
    reqwest::Certificate::from_pem_bundle(&bytes).unwrap_or_default()
}

fn identity(path: &Path) -> Result<reqwest::Identity, HttpError> {
    const OPTION: &str = "--client-cert";
    reqwest::Identity::from_pem(&read(path, OPTION)?).map_err(|error| unusable(path, OPTION, &with_causes(&error)))
}

fn read(path: &Path, named_by: &str) -> Result<Vec<u8>, HttpError> {
    std::fs::read(path).map_err(|error| unusable(path, named_by, &error.to_string()))
}

fn unusable(path: &Path, named_by: &str, why: &str) -> HttpError {
    HttpError::Certificate { path: path.to_owned(), named_by: named_by.to_owned(), why: why.to_owned() }
}
