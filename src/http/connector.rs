//! Certificates, proxies and time-outs: how connections are made.

use std::path::Path;

use super::HttpSettings;
use super::error::{HttpError, with_causes};

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
    if let Some(path) = &settings.certificates {
        builder = builder.tls_certs_only(certificates(path)?);
    }
    if let Some(path) = &settings.client_certificate {
        builder = builder.identity(identity(path)?);
    }
    if let Some(proxy) = &settings.proxy {
        // Its own words would repeat the password of the proxy.
        let why = "the proxy is no URL; write it as http://host:port, https://… or socks5://…";
        builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(|_| wrong(&why))?);
    }
    builder.build().map_err(|error| wrong(&with_causes(&error)))
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, HttpError> {
    let found = reqwest::Certificate::from_pem_bundle(&read(path, "--cert")?);
    let found = found.map_err(|error| unusable(path, "--cert", &with_causes(&error)))?;
    if found.is_empty() {
        return Err(unusable(path, "--cert", "there is no certificate in it"));
    }
    Ok(found)
}

fn identity(path: &Path) -> Result<reqwest::Identity, HttpError> {
    const OPTION: &str = "--client-cert";
    reqwest::Identity::from_pem(&read(path, OPTION)?).map_err(|error| unusable(path, OPTION, &with_causes(&error)))
}

fn read(path: &Path, option: &'static str) -> Result<Vec<u8>, HttpError> {
    std::fs::read(path).map_err(|error| unusable(path, option, &error.to_string()))
}

fn unusable(path: &Path, option: &'static str, why: &str) -> HttpError {
    HttpError::Certificate { path: path.to_owned(), option, why: why.to_owned() }
}
