//! Secure origins: those whose responses nobody on the way can read or change (pip's
//! `SECURE_ORIGINS`, after Chrome's list).

use url::{Host, Url};

/// Whether `url` is on this machine, or requested by TLS.
pub fn is_secure_origin(url: &Url) -> bool {
    match url.host() {
        _ if url.scheme() != "http" => true,
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secure_is_what_pip_calls_so() {
        let is_secure = |url: &str| is_secure_origin(&url.parse().unwrap());
        for url in ["https://a.example/", "http://localhost:1/", "http://127.9.9.9/", "http://[::1]:8/", "file:///srv"]
        {
            assert!(is_secure(url), "{url}");
        }
        for url in ["http://a.example/", "http://localhost.example/", "http://10.0.0.1/", "http://[::2]/"] {
            assert!(!is_secure(url), "{url}");
        }
    }
}
