//! Classifies connection errors: transient ones, and those that a retry cannot mend.

use std::error::Error;
use std::io;

use rustls::AlertDescription;

use crate::domain::Remedy;

/// Why there was no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectErrorKind {
    /// The connection was refused, reset or broken, which may be better in a moment.
    Transient,
    /// The server sent nothing until the timeout.
    Silent,
    /// The server's certificate is not trusted.
    Certificate,
    /// The server does not trust the client certificate, or requires one.
    ClientCertificate,
    /// The server does not speak TLS, or no supported version of it.
    Protocol,
    /// The host name is unknown.
    UnknownHost,
    /// The proxy requires a login.
    ProxyLogin,
    /// The request is invalid and cannot be sent.
    Malformed,
}

impl ConnectErrorKind {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        if error.is_builder() {
            return Self::Malformed;
        }
        if error.is_timeout() {
            return Self::Silent;
        }
        let mut next = Error::source(error);
        while let Some(cause) = next {
            if let Some(kind) = classify(cause) {
                return kind;
            }
            next = cause.source();
        }
        Self::Transient
    }

    /// Whether a retry may help.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Transient | Self::Silent)
    }

    /// Whether the host is down or out of reach, and not misconfigured.
    pub fn is_outage(self) -> bool {
        self.is_transient() || self == Self::UnknownHost
    }

    /// Returns what helps against it.
    pub(super) fn remedy(self) -> Option<Remedy> {
        match self {
            Self::Transient | Self::Malformed => None,
            Self::Silent => Some(Remedy::WaitLonger),
            Self::Certificate => Some(Remedy::TrustCertificate),
            Self::ClientCertificate => Some(Remedy::NameClientCertificate),
            Self::Protocol => Some(Remedy::CheckTlsVersion),
            Self::UnknownHost => Some(Remedy::CheckHostName),
            Self::ProxyLogin => Some(Remedy::GiveProxyCredentials),
        }
    }
}

fn classify(cause: &(dyn Error + 'static)) -> Option<ConnectErrorKind> {
    match downcast::<rustls::Error>(cause) {
        Some(error) => Some(from_tls(error)),
        None => from_message(&cause.to_string()),
    }
}

/// Returns `cause` as an `E`, also from inside an `io::Error`, whose `source` skips it.
fn downcast<'a, E: Error + 'static>(cause: &'a (dyn Error + 'static)) -> Option<&'a E> {
    cause.downcast_ref::<E>().or_else(|| downcast(cause.downcast_ref::<io::Error>()?.get_ref()?))
}

fn from_tls(error: &rustls::Error) -> ConnectErrorKind {
    use AlertDescription as Alert;
    match error {
        rustls::Error::InvalidCertificate(_) => ConnectErrorKind::Certificate,
        rustls::Error::AlertReceived(alert) => match alert {
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied => ConnectErrorKind::ClientCertificate,
            Alert::ProtocolVersion | Alert::HandshakeFailure | Alert::InsufficientSecurity => {
                ConnectErrorKind::Protocol
            }
            _ => ConnectErrorKind::Transient,
        },
        rustls::Error::InvalidMessage(_) | rustls::Error::PeerIncompatible(_) => ConnectErrorKind::Protocol,
        _ => ConnectErrorKind::Transient,
    }
}

/// Recognizes errors of resolvers and proxies that have no type of their own.
///
/// The resolver messages are those of glibc (two), musl, macOS and Windows; a name server that does
/// not answer is not among them, since it may do so later.
fn from_message(words: &str) -> Option<ConnectErrorKind> {
    const UNKNOWN_HOST: [&str; 5] = [
        "Name or service not known",
        "No address associated with hostname",
        "Name does not resolve",
        "nodename nor servname provided",
        "No such host is known",
    ];
    const PROXY_LOGIN: [&str; 3] = [
        "proxy authorization required",
        "does not support user/pass authentication",
        "user/pass authentication failed",
    ];
    let has_any = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if has_any(&UNKNOWN_HOST) {
        Some(ConnectErrorKind::UnknownHost)
    } else if has_any(&PROXY_LOGIN) {
        Some(ConnectErrorKind::ProxyLogin)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{CertificateError, InvalidMessage};

    fn judged(error: impl Into<Box<dyn Error + Send + Sync>>) -> ConnectErrorKind {
        classify(&io::Error::other(io::Error::other(error))).unwrap_or(ConnectErrorKind::Transient)
    }

    #[test]
    fn what_stays_is_told_from_what_passes() {
        let alert = |alert| judged(rustls::Error::AlertReceived(alert));
        let judgements = [
            judged(rustls::Error::InvalidCertificate(CertificateError::Expired)),
            alert(AlertDescription::CertificateRequired),
            alert(AlertDescription::ProtocolVersion),
            judged(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)),
            alert(AlertDescription::InternalError),
            judged("failed to lookup address information: Name or service not known"),
            judged("failed to lookup address information: Temporary failure in name resolution"),
            judged("tunnel error: proxy authorization required"),
            judged("tunnel error: unsuccessful"),
            judged("Connection refused (os error 111)"),
            judged("Connection reset by peer (os error 104)"),
            judged("tls handshake eof"),
        ];
        insta::assert_compact_debug_snapshot!(judgements, @"[Certificate, ClientCertificate, Protocol, Protocol, Transient, UnknownHost, Transient, ProxyLogin, Transient, Transient, Transient, Transient]");
    }
}
