//! How connections are made: certificates, proxies and time-outs.

use reqwest::Client;
use rustls::pki_types::CertificateDer;

use super::HttpSettings;
use super::certificates::{ClientIdentity, identity};
use super::error::{HttpError, with_causes};
use super::tls;

/// A stream may run this far ahead of its reader, in bytes: at 1 Gbit/s and 20 ms, 2.5 MB are
/// under way.
const STREAM_WINDOW: u32 = 2 << 20;

/// All streams of a connection together, likewise.
const CONNECTION_WINDOW: u32 = 16 << 20;

/// HTTP/1.1 as TLS names it (ALPN).
const HTTP1: &[u8] = b"http/1.1";

/// How a request travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionSharing {
    /// With all others to its host, where HTTP/2 is offered: for many small answers.
    #[default]
    Shared,
    /// On a connection of its own, by HTTP/1.1: what one connection carries over a long way is
    /// bounded by its windows, and large files need more (measured: `docs/network.md`).
    Own,
}

/// A client by `settings`, which believes these `certificates`, if they are told; one that is
/// `accepts_any_certificate` believes any. It follows no redirects, since each hop has its own credentials and its
/// own trust, and unpacks nothing, since the bytes of files count as they are.
pub(super) fn build_client(
    settings: &HttpSettings,
    certificates: Option<Vec<CertificateDer<'static>>>,
    accepts_any_certificate: bool,
    line: ConnectionSharing,
) -> Result<Client, HttpError> {
    let wrong = |error: &dyn std::fmt::Display| HttpError::Settings(error.to_string());
    // A second installation, by another client, finds the first one in place.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("prefetch/", env!("CARGO_PKG_VERSION")))
        .no_gzip()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(settings.timeout)
        .read_timeout(settings.timeout)
        .no_proxy()
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW);
    if let Some(certificates) = certificates.filter(|_| !accepts_any_certificate) {
        let protocols: &[&[u8]] = if line == ConnectionSharing::Own { &[HTTP1] } else { &[b"h2", HTTP1] };
        let identity = settings.client_certificate.as_ref().map(ClientIdentity::read).transpose()?;
        let config = tls::config(certificates, identity, protocols).map_err(|error| wrong(&error))?;
        builder = builder.tls_backend_preconfigured(config);
    } else {
        builder = builder.tls_danger_accept_invalid_certs(accepts_any_certificate);
        if let Some(certificate) = &settings.client_certificate {
            builder = builder.identity(identity(certificate)?);
        }
    }
    if line == ConnectionSharing::Own {
        builder = builder.http1_only();
    }
    for proxy in settings.proxies.all() {
        // Its own words would repeat the password of the proxy.
        builder = builder.proxy(proxy.map_err(|_| wrong(&"the proxy is no URL"))?);
    }
    builder.build().map_err(|error| wrong(&with_causes(&error)))
}
