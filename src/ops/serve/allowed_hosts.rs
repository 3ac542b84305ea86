//! The host names by which clients may address this server.
//!
//! A browser that a website makes send requests here, under a name of the website's own, is refused
//! (DNS rebinding).

use std::net::IpAddr;

/// The names that were allowed beside addresses and `localhost`, which no website can have.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// Allows `names`, too; `*` allows every name.
    pub fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| name_of(name)).collect())
    }

    /// Whether a request may have this `Host` field.
    pub fn allows(&self, host: &str) -> bool {
        let name = name_of(host);
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        is_address || name == "localhost" || self.0.iter().any(|allowed| *allowed == name || allowed == "*")
    }
}

/// Returns the name in a `Host` field in lower case, without port and trailing dot.
fn name_of(host: &str) -> String {
    let host = host.trim();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            if port.bytes().all(|digit| digit.is_ascii_digit()) { name } else { host }
        }
        _ => host,
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_allowed_names_are_ours() {
        let hosts = AllowedHosts::new(&["Index.example".to_owned()]);
        for host in
            ["127.0.0.1:8000", "10.1.2.3", "[::1]:80", "[::1]", "::1", "LOCALHOST:1", "localhost.", "index.example:8"]
        {
            assert!(hosts.allows(host), "{host}");
        }
        for host in ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "", "x:y"]
        {
            assert!(!hosts.allows(host), "{host}");
        }
        assert!(AllowedHosts::new(&["*".to_owned()]).allows("any.example:1"));
    }
}
