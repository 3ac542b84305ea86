//! TLS that trusts the certificates of the settings, and no others.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::certificates::ClientIdentity;

/// Returns a configuration that trusts `trusted`, and offers `protocols` (ALPN), the preferred
/// first.
///
/// # Errors
/// When a certificate or a key is unusable.
pub(super) fn config(
    trusted: Vec<CertificateDer<'static>>,
    identity: Option<ClientIdentity>,
    protocols: &[&[u8]],
) -> Result<ClientConfig, Box<dyn std::error::Error>> {
    let provider = Arc::new(ring::default_provider());
    let mut authorities = RootCertStore::empty();
    for certificate in &trusted {
        authorities.add(certificate.clone())?;
    }
    let by_authority = WebPkiServerVerifier::builder_with_provider(authorities.into(), provider.clone()).build()?;
    let verifier = Arc::new(NamedVerifier { trusted, by_authority });
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(ClientIdentity { chain, key }) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

/// Accepts servers whose certificate is signed by a trusted authority, or is itself trusted.
#[derive(Debug)]
struct NamedVerifier {
    trusted: Vec<CertificateDer<'static>>,
    by_authority: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for NamedVerifier {
    /// Accepts a trusted certificate also if webpki refuses it as one of an authority.
    ///
    /// `openssl req -x509` marks its self-signed certificates as authorities, which must not be
    /// servers (webpki says so after checking the validity period); OpenSSL, and so pip, accepts
    /// them.
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.by_authority.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let is_trusted = || self.trusted.iter().any(|trusted| trusted.as_ref() == end_entity.as_ref());
        match verified {
            Err(Error::InvalidCertificate(CertificateError::Other(_))) if is_trusted() => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_authority.supported_verify_schemes()
    }
}
