//! Decides which requests use a proxy.

use std::net::IpAddr;

use reqwest::{NoProxy, Proxy};
use url::Url;

use crate::domain::mask_credentials;

/// The proxies, by the scheme of the requested URL.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    pub https: Option<ProxyServer>,
    pub http: Option<ProxyServer>,
    /// Hosts without a proxy, separated by commas: domains with their subdomains, addresses,
    /// networks (`10.0.0.0/8`), or `*` for every host.
    pub except: String,
}

/// A proxy, and the setting that names it.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyServer {
    /// The URL, maybe without a scheme.
    pub url: String,
    /// The option, variable or file that names it.
    pub named_by: String,
}

impl std::fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", mask_credentials(&self.url), self.named_by)
    }
}

/// Hides the proxies' URLs, which may contain passwords.
impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proxies")
    }
}

impl Proxies {
    pub(super) fn all(&self) -> impl Iterator<Item = reqwest::Result<Proxy>> {
        let is_used = !self.exceptions().any(|host| host == "*");
        let https = self.https.iter().map(|proxy| Proxy::https(&proxy.url));
        let all = https.chain(self.http.iter().map(|proxy| Proxy::http(&proxy.url))).filter(move |_| is_used);
        all.map(|proxy| Ok(proxy?.no_proxy(NoProxy::from_string(&self.exceptions().collect::<Vec<_>>().join(",")))))
    }

    /// Returns the proxy that a request for `url` used, for messages.
    ///
    /// An address counts as exempt if any of the exceptions is a network.
    pub(super) fn server_for(&self, url: &Url) -> Option<&ProxyServer> {
        let host = url.host_str()?.trim_matches(['[', ']']);
        let is_below = |name: &str| {
            host.len() > name.len() && host.ends_with(name) && host[..host.len() - name.len()].ends_with('.')
        };
        let is_exempt = |exception: &str| {
            let name = exception.trim_matches(['[', ']']).trim_start_matches('.').to_ascii_lowercase();
            let is_name = !name.is_empty() && (host == name || is_below(&name));
            name == "*" || is_name || name.contains('/') && host.parse::<IpAddr>().is_ok()
        };
        let server = if url.scheme() == "https" { &self.https } else { &self.http };
        server.as_ref().filter(|_| !self.exceptions().any(is_exempt))
    }

    /// Returns the exceptions without ports: pip heeds ports, reqwest does not support them, and
    /// few exceptions mean one port only.
    fn exceptions(&self) -> impl Iterator<Item = &str> {
        self.except.split(',').map(str::trim).map(|host| match host.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') && port.parse::<u16>().is_ok() => name,
            _ => host,
        })
    }
}

/// Whether `text` is a usable proxy: a URL, or `host:port`.
///
/// reqwest would silently ignore any other.
pub fn is_proxy(text: &str) -> bool {
    let (scheme, place) = text.split_once("://").unwrap_or(("http", text));
    let is_known = matches!(scheme, "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h");
    is_known && Url::parse(&format!("http://{place}")).is_ok_and(|url| url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_exempts_every_host_and_ports_do_not_matter() {
        let proxies = |except: &str| Proxies {
            https: Some(ProxyServer {
                url: "http://me:pw@proxy.example:3128".to_owned(),
                named_by: "https_proxy".to_owned(),
            }),
            http: None,
            except: except.to_owned(),
        };
        assert_eq!(proxies("").all().count(), 1);
        assert_eq!(proxies("a.example, *").all().count(), 0);
        let told = |except: &str, url: &str| proxies(except).server_for(&url.parse().unwrap()).map(ToString::to_string);
        let proxy = Some("http://****@proxy.example:3128 (https_proxy)".to_owned());
        assert_eq!(told("b.example,.c.example,10.0.0.0/8", "https://xb.example/"), proxy);
        assert_eq!(told("", "http://a.example/"), None);
        for (except, url) in
            [("*", "https://a/"), ("A.example:1", "https://x.a.example/"), ("10.0.0.0/8", "https://10.1.1.1/")]
        {
            assert_eq!(told(except, url), None, "{except}");
        }
        let exempt = proxies("a.example:8080, 10.0.0.0/8,[::1],::1");
        assert_eq!(exempt.exceptions().collect::<Vec<_>>(), ["a.example", "10.0.0.0/8", "[::1]", "::1"]);
    }

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
