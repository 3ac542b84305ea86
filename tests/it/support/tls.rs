//! A certificate authority for one test, and a server's certificate from it.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What makes a server answer in TLS, and what makes a client believe it.
pub(super) struct Identity {
    pub acceptor: TlsAcceptor,
    /// The authority's certificate in PEM: what `--cert` takes.
    pub authority: String,
}

impl Identity {
    /// An identity for `127.0.0.1` and `localhost`, offering HTTP/2 before HTTP/1.1.
    pub fn new() -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        // OpenSSL takes a certificate for self-signed if its issuer has the same name.
        authority.distinguished_name.push(DnType::CommonName, "authority of a test");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate().unwrap();
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();

        let mut server = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
        server.use_authority_key_identifier_extension = true;
        let server_key = KeyPair::generate().unwrap();
        let certificate = server.signed_by(&server_key, &Issuer::new(authority, authority_key)).unwrap();

        Self::of(certificate.der().clone(), &server_key, authority_pem)
    }

    /// One for `names` by the server's own word, as `openssl req -x509` makes it: an authority, too.
    pub fn self_signed(names: &[String], until: i32) -> Self {
        let mut server = CertificateParams::new(names).unwrap();
        server.distinguished_name.push(DnType::CommonName, "a server of a test");
        server.not_after = rcgen::date_time_ymd(until, 1, 1);
        server.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = server.self_signed(&key).unwrap();
        Self::of(certificate.der().clone(), &key, certificate.pem())
    }

    fn of(certificate: CertificateDer<'static>, key: &KeyPair, authority: String) -> Self {
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), authority }
    }
}
