//! Configures connections: certificates, proxies and timeouts.

use reqwest::Client;
use rustls::pki_types::CertificateDer;

use super::HttpSettings;
use super::certificates::{ClientIdentity, identity};
use super::error::{HttpError, with_causes};
use super::tls;

/// The flow-control window of an HTTP/2 stream in bytes; a line of 1 Gbit/s and 20 ms holds 2.5 MB.
const STREAM_WINDOW: u32 = 2 << 20;

/// The flow-control window of all streams of an HTTP/2 connection together.
const CONNECTION_WINDOW: u32 = 16 << 20;

/// HTTP/1.1 as TLS names it (ALPN).
const HTTP1: &[u8] = b"http/1.1";

/// Whether a request shares its connection with others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionSharing {
    /// It shares a connection with all requests to its host, if HTTP/2 is offered: for many small
    /// responses.
    #[default]
    Shared,
    /// It has a connection of its own by HTTP/1.1: the windows of a connection limit its speed over
    /// a long distance, and large files need more (measured: `docs/network.md`).
    Own,
    /// As [`ConnectionSharing::Own`], for a request with a body: no response can be expected while
    /// that is sent, so that the sender itself limits how long nothing happens.
    Upload,
}

/// Builds a client that trusts `certificates`, or by default those of the platform; with
/// `accepts_any_certificate` any.
///
/// It follows no redirects, since each hop has its own credentials and trust, and decodes nothing,
/// since files are hashed as they are.
///
/// # Errors
/// When a setting cannot be used, such as a certificate that is none.
pub(super) fn build_client(
    settings: &HttpSettings,
    certificates: Option<Vec<CertificateDer<'static>>>,
    accepts_any_certificate: bool,
    sharing: ConnectionSharing,
) -> Result<Client, HttpError> {
    let wrong = |error: &dyn std::fmt::Display| HttpError::Settings(error.to_string());
    // A second installation, by another client, finds the first one in place.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("prefetch/", env!("CARGO_PKG_VERSION")))
        .no_gzip()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(settings.timeout)
        .no_proxy()
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW);
    if sharing != ConnectionSharing::Upload {
        builder = builder.read_timeout(settings.timeout);
    }
    if let Some(certificates) = certificates.filter(|_| !accepts_any_certificate) {
        let protocols: &[&[u8]] = if sharing == ConnectionSharing::Shared { &[b"h2", HTTP1] } else { &[HTTP1] };
        let identity = settings.client_certificate.as_ref().map(ClientIdentity::read).transpose()?;
        let config = tls::config(certificates, identity, protocols).map_err(|error| wrong(&error))?;
        builder = builder.tls_backend_preconfigured(config);
    } else {
        builder = builder.tls_danger_accept_invalid_certs(accepts_any_certificate);
        if let Some(certificate) = &settings.client_certificate {
            builder = builder.identity(identity(certificate)?);
        }
    }
    if sharing != ConnectionSharing::Shared {
        builder = builder.http1_only();
    }
    for proxy in settings.proxies.all() {
        // Its own words would repeat the password of the proxy.
        builder = builder.proxy(proxy.map_err(|_| wrong(&"the proxy is no URL"))?);
    }
    builder.build().map_err(|error| wrong(&with_causes(&error)))
}
