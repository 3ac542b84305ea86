//! What stood in the way of an answer: which obstacles may pass, and which stay whatever is tried.

use std::error::Error;
use std::io;

use rustls::AlertDescription;

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Refused, reset, silent, cut: as far as anybody can tell, it may be better in a moment.
    Passing,
    /// The server's certificate is not believed.
    Certificate,
    /// The server does not believe ours, or misses it.
    ClientCertificate,
    /// What answers does not speak TLS, or no version that is spoken here.
    Protocol,
    /// There is no host of this name.
    UnknownHost,
    /// The proxy wants to know who asks.
    ProxyLogin,
    /// The request cannot be made at all.
    Malformed,
}

impl Trouble {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        if error.is_builder() {
            return Self::Malformed;
        }
        let mut next = Error::source(error);
        while let Some(cause) = next {
            if let Some(trouble) = judge(cause) {
                return trouble;
            }
            next = cause.source();
        }
        Self::Passing
    }

    /// Whether asking again may help.
    pub fn may_pass(self) -> bool {
        self == Self::Passing
    }

    /// Whether the place is down or out of reach, rather than that it is misconfigured.
    pub fn is_outage(self) -> bool {
        matches!(self, Self::Passing | Self::UnknownHost)
    }

    /// What to do.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Passing | Self::Malformed => "",
            Self::Certificate => {
                "; trust its authority with --cert FILE, or the host as it is with --trusted-host; if it is out of \
                 date, look at the clock of this machine, too"
            }
            Self::ClientCertificate => "; name a certificate and key that the server accepts with --client-cert FILE",
            Self::Protocol => "; only TLS 1.2 and 1.3 are spoken here: check the port, and whether http:// is meant",
            Self::UnknownHost => "; check its spelling, and the network and proxy of this machine",
            Self::ProxyLogin => "; the proxy wants a user and password in its URL (http://user:password@host:port)",
        }
    }
}

fn judge(cause: &(dyn Error + 'static)) -> Option<Trouble> {
    match inside::<rustls::Error>(cause) {
        Some(error) => Some(of_tls(error)),
        None => of_words(&cause.to_string()),
    }
}

/// `cause` as an `E`, also from inside errors of input and output, whose `source` leaves it out.
fn inside<'a, E: Error + 'static>(cause: &'a (dyn Error + 'static)) -> Option<&'a E> {
    cause.downcast_ref::<E>().or_else(|| inside(cause.downcast_ref::<io::Error>()?.get_ref()?))
}

fn of_tls(error: &rustls::Error) -> Trouble {
    use AlertDescription as Alert;
    match error {
        rustls::Error::InvalidCertificate(_) => Trouble::Certificate,
        rustls::Error::AlertReceived(alert) => match alert {
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied => Trouble::ClientCertificate,
            Alert::ProtocolVersion | Alert::HandshakeFailure | Alert::InsufficientSecurity => Trouble::Protocol,
            _ => Trouble::Passing,
        },
        rustls::Error::InvalidMessage(_) | rustls::Error::PeerIncompatible(_) => Trouble::Protocol,
        _ => Trouble::Passing,
    }
}

/// What resolvers and proxies have no types for. Resolvers, in the order of glibc (two), musl,
/// macOS and Windows; a server of names that does not answer may do so later.
fn of_words(words: &str) -> Option<Trouble> {
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
        Some(Trouble::UnknownHost)
    } else if has_any(&PROXY_LOGIN) {
        Some(Trouble::ProxyLogin)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{CertificateError, InvalidMessage};

    fn judged(error: impl Into<Box<dyn Error + Send + Sync>>) -> Trouble {
        judge(&io::Error::other(io::Error::other(error))).unwrap_or(Trouble::Passing)
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
        insta::assert_compact_debug_snapshot!(judgements, @"[Certificate, ClientCertificate, Protocol, Protocol, Passing, UnknownHost, Passing, ProxyLogin, Passing, Passing, Passing, Passing]");
    }
}
