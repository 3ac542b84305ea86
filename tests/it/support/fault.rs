//! What can go wrong between an index and its reader, each as often as a test says.

use std::sync::Mutex;

use super::answer::{Answer, Ending};
use super::sdist::gzip;

/// One way to fail. Where a fault needs the right answer (to cut it, say), it starts from that.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status, with a short text.
    Status(u16),
    /// This status with a `Retry-After` of the given text.
    RetryAfter(u16, String),
    /// The connection ends instead of an answer.
    Closed,
    /// The connection ends after so many bytes of the body.
    CutAfter(usize),
    /// The body ends after so many bytes, as if that were all: no length was announced.
    Unannounced(usize),
    /// Nothing follows so many bytes of the body until the test calls `release`.
    HangAfter(usize),
    /// Nothing more comes on this connection until the test calls `release`.
    Mute,
    /// These bytes instead, with the right headers.
    Bytes(Vec<u8>),
    /// A `Content-Length` that is not the body's: the answer is cut there, or never complete.
    ContentLength(usize),
    /// The right body under another `Content-Type`.
    ContentType(String),
    /// Another header, or another value of one.
    Header(&'static str, String),
    /// The first, and to its answer the second.
    Both(Box<Fault>, Box<Fault>),
    /// A page for people, with status 200, as a portal answers to strangers.
    LoginPage,
    /// 302 to this URL.
    RedirectTo(String),
    /// 302 to itself.
    RedirectLoop,
    /// `Content-Encoding: gzip`, and half of it.
    HalfGzip,
    /// A page of links of this many bytes.
    HugePage(usize),
}

const LOGIN_PAGE: &str = "<!DOCTYPE html><title>Sign in</title><form method=post><input name=user></form>";

impl Fault {
    /// This fault, and then `other` on top.
    pub fn and(self, other: Self) -> Self {
        Self::Both(Box::new(self), Box::new(other))
    }

    /// What becomes of `answer`, which was right for `path`.
    pub(super) fn spoil(&self, path: &str, answer: Answer) -> Answer {
        match self {
            Self::Status(status) => Answer::text(*status, "as the test wishes"),
            Self::RetryAfter(status, after) => Answer::text(*status, "as the test wishes").with("retry-after", after),
            Self::Closed => answer.ending(Ending::Nothing),
            Self::CutAfter(bytes) => answer.ending(Ending::Cut(*bytes)),
            Self::Unannounced(bytes) => {
                let first = answer.body.slice(..*bytes);
                answer.holding(first).with("transfer-encoding", "chunked")
            }
            Self::HangAfter(bytes) => answer.ending(Ending::Hang(*bytes)),
            Self::Mute => answer.ending(Ending::Mute),
            Self::Bytes(bytes) => answer.holding(bytes.clone()),
            Self::ContentLength(bytes) => answer.with("content-length", &bytes.to_string()),
            Self::ContentType(value) => answer.with("content-type", value),
            Self::Header(name, value) => answer.with(name, value),
            Self::Both(first, second) => second.spoil(path, first.spoil(path, answer)),
            Self::LoginPage => Answer::html(LOGIN_PAGE),
            Self::RedirectTo(url) => Answer::redirect(302, url),
            Self::RedirectLoop => Answer::redirect(302, path),
            Self::HalfGzip => half_gzip(answer),
            Self::HugePage(bytes) => Answer::html(&huge_page(*bytes)),
        }
    }
}

fn half_gzip(answer: Answer) -> Answer {
    let mut packed = gzip(&answer.body);
    packed.truncate(packed.len() / 2);
    answer.with("content-encoding", "gzip").holding(packed)
}

fn huge_page(bytes: usize) -> String {
    let anchor = "<a href=\"../../files/other-0.tar.gz\">other-0.tar.gz</a><br>\n";
    anchor.repeat(bytes.div_ceil(anchor.len()))
}

/// The faults of an index. For one request the first that fits and is not used up decides.
#[derive(Default)]
pub(super) struct Faults(Mutex<Vec<Arranged>>);

struct Arranged {
    part: String,
    /// How often still; `None`: always.
    left: Option<usize>,
    fault: Fault,
}

impl Faults {
    /// Arranges `fault` for paths that hold `part`.
    pub fn add(&self, part: &str, times: Option<usize>, fault: Fault) {
        self.0.lock().unwrap().push(Arranged { part: part.into(), left: times, fault });
    }

    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// `answer` as the client gets it.
    pub fn apply(&self, path: &str, answer: Answer) -> Answer {
        match self.take(path) {
            Some(fault) => fault.spoil(path, answer),
            None => answer,
        }
    }

    /// The fault that `path` gets now, which counts.
    pub fn take(&self, path: &str) -> Option<Fault> {
        let mut arranged = self.0.lock().unwrap();
        let found = arranged.iter_mut().find(|entry| path.contains(&entry.part) && entry.left != Some(0))?;
        found.left = found.left.map(|left| left - 1);
        Some(found.fault.clone())
    }
}
