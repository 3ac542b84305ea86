//! What an index was asked, in the order of arrival.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use hyper::body::Bytes;

/// A test that waits this long for a request has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query, still percent-encoded.
    pub path: String,
    /// `HTTP/1.1`, `HTTP/2.0`.
    pub protocol: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Request {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A growing list that a test can wait on.
#[derive(Default)]
pub(super) struct RequestLog {
    requests: Mutex<Vec<Request>>,
    grown: Condvar,
}

impl RequestLog {
    pub fn add(&self, request: Request) {
        self.requests.lock().unwrap().push(request);
        self.grown.notify_all();
    }

    pub fn all(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub fn clear(&self) {
        self.requests.lock().unwrap().clear();
    }

    /// Returns when `count` requests had `part` in their path.
    pub fn wait_for(&self, part: &str, count: usize) {
        let is_short = |requests: &mut Vec<Request>| matching(requests, part) < count;
        let guard = self.requests.lock().unwrap();
        let (guard, outcome) = self.grown.wait_timeout_while(guard, PATIENCE, is_short).unwrap();
        assert!(!outcome.timed_out(), "waited for {count} requests of `{part}`, saw {guard:#?}");
    }
}

pub(super) fn matching(requests: &[Request], part: &str) -> usize {
    requests.iter().filter(|request| request.path.contains(part)).count()
}
