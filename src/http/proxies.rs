//! Which requests go through a proxy.

use reqwest::{NoProxy, Proxy};
use url::Url;

/// Proxies by the scheme of what is asked for.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    pub https: Option<String>,
    pub http: Option<String>,
    /// Hosts that are asked directly, with commas: names with all below them, addresses and
    /// networks (`10.0.0.0/8`), or `*` for every host.
    pub except: String,
}

/// Their URLs may hold passwords.
impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proxies")
    }
}

impl Proxies {
    pub(super) fn all(&self) -> impl Iterator<Item = reqwest::Result<Proxy>> {
        let is_used = !self.exceptions().any(|host| host == "*");
        let https = self.https.iter().map(Proxy::https);
        let all = https.chain(self.http.iter().map(Proxy::http)).filter(move |_| is_used);
        all.map(|proxy| Ok(proxy?.no_proxy(NoProxy::from_string(&self.exceptions().collect::<Vec<_>>().join(",")))))
    }

    /// Without ports: pip heeds them, reqwest does not know them, and few mean one port only.
    fn exceptions(&self) -> impl Iterator<Item = &str> {
        self.except.split(',').map(str::trim).map(|host| match host.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') && port.parse::<u16>().is_ok() => name,
            _ => host,
        })
    }
}

/// Whether `text` names a proxy that can be used: a URL, or `host:port`. The client would leave out
/// any other without a word.
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
            https: Some("http://proxy.example:3128".to_owned()),
            http: None,
            except: except.to_owned(),
        };
        assert_eq!(proxies("").all().count(), 1);
        assert_eq!(proxies("a.example, *").all().count(), 0);
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
