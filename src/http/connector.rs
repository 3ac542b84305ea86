//! Certificates, proxies and time-outs: how connections are made.

use std::path::Path;

use url::Url;

use super::error::{HttpError, with_causes};
use super::{Authorities, HttpSettings};

/// A stream may run this far ahead of its reader, in bytes: at 1 Gbit/s and 20 ms, 2.5 MB are
/// under way.
const STREAM_WINDOW: u32 = 2 << 20;

/// All streams of a connection together, likewise.
const CONNECTION_WINDOW: u32 = 16 << 20;

/// A client by `settings`; one that is `trusting` believes any certificate. It follows no
/// redirects, since each hop has its own credentials and its own trust, and unpacks nothing,
/// since the bytes of files count as they are.
pub(super) fn connector(settings: &HttpSettings, trusting: bool) -> Result<reqwest::Client, HttpError> {
    let wrong = |error: &dyn std::fmt::Display| HttpError::Settings(error.to_string());
    // A second installation, by another client, finds the first one in place.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("prefetch/", env!("CARGO_PKG_VERSION")))
        .no_gzip()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(settings.timeout)
        .read_timeout(settings.timeout)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .tls_danger_accept_invalid_certs(trusting);
    if let Some(authorities) = &settings.authorities {
        builder = builder.tls_certs_only(certificates(authorities)?);
    }
    if let Some(path) = &settings.client_certificate {
        builder = builder.identity(identity(path)?);
    }
    if let Some(proxy) = &settings.proxy {
        // Its own words would repeat the password of the proxy.
        builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(|_| wrong(&"the proxy is no URL"))?);
    }
    builder.build().map_err(|error| wrong(&with_causes(&error)))
}

/// Whether connections can go through the proxy called `text`: a URL, or `host:port`. What is
/// none would be left out without a word.
pub fn is_proxy(text: &str) -> bool {
    let (scheme, place) = text.split_once("://").unwrap_or(("http", text));
    let is_known = matches!(scheme, "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h");
    is_known && Url::parse(&format!("http://{place}")).is_ok_and(|url| url.has_host())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_told_from_what_is_none() {
        for proxy in ["http://a.example:3128", "a.example:3128", "https://me:p%40w@a.example", "socks5h://[::1]:1080/"]
        {
            assert!(is_proxy(proxy), "{proxy}");
        }
        for other in ["ftp://a.example:21", "socks://a.example", "http://", "http://[", "http://a.example:99999", ""] {
            assert!(!is_proxy(other), "{other}");
        }
    }
}
