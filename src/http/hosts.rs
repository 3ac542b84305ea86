//! The state of each host: whether it answers, how many requests it accepts at once, and whether it
//! speaks HTTP/2.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use url::Url;

use super::HttpSettings;
use super::circuit_breaker::CircuitBreaker;
use super::concurrency::HostLimit;
use super::http2_probe::Http2Probe;

/// The hosts of a client, which are added when they are first asked.
#[derive(Debug)]
pub(super) struct Hosts {
    files_at_once: usize,
    pages_at_once: usize,
    known: Mutex<HashMap<String, Arc<Host>>>,
}

/// One host; a slow one delays no requests to another.
#[derive(Debug)]
pub(super) struct Host {
    pub files: Arc<HostLimit>,
    /// The limit for pages, small files and parts of files.
    pub pages: Arc<HostLimit>,
    pub circuit_breaker: CircuitBreaker,
    pub http2_probe: Http2Probe,
}

impl Hosts {
    pub fn new(settings: &HttpSettings) -> Self {
        let (files_at_once, pages_at_once) = (settings.files_per_host, settings.pages_per_host);
        Self { files_at_once, pages_at_once, known: Mutex::default() }
    }

    /// Returns the state of the host of `url`, with its port.
    pub fn of(&self, url: &Url) -> Arc<Host> {
        let name = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0));
        let mut known = self.known.lock();
        known.entry(name).or_insert_with(|| Arc::new(self.unknown())).clone()
    }

    fn unknown(&self) -> Host {
        let limit = |at_once| Arc::new(HostLimit::new(at_once));
        Host {
            files: limit(self.files_at_once),
            pages: limit(self.pages_at_once),
            circuit_breaker: CircuitBreaker::default(),
            http2_probe: Http2Probe::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_its_name_and_port() {
        let hosts = Hosts::new(&HttpSettings::default());
        let host = |url: &str| hosts.of(&url.parse().unwrap());
        let first = host("https://a.example/simple/");
        assert!(Arc::ptr_eq(&first, &host("https://A.example:443/other")));
        for other in ["https://b.example/", "https://a.example:444/", "http://a.example/"] {
            assert!(!Arc::ptr_eq(&first, &host(other)), "{other}");
        }
    }
}
