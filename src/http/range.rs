//! Parts of files: which bytes are asked for, and which an answer holds (RFC 9110, 14).

use std::ops::Range;

use reqwest::header::CONTENT_RANGE;
use reqwest::{Response, StatusCode};

use super::{ConnectionSharing, Validators, header};

/// Where a transfer is to begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResumePoint {
    /// Bytes that are here already.
    pub at: u64,
    /// Which version of the file they are of: the value of an `If-Range`.
    pub validator: Option<String>,
    pub line: ConnectionSharing,
    /// Past every cache on the way: what one of them answered was wrong.
    pub past_caches: bool,
}

impl Validators {
    /// What `If-Range` may hold: a strong entity tag, else the date (RFC 9110, 13.1.5).
    pub fn for_range(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|tag| !tag.starts_with("W/"));
        strong.or(self.last_modified.as_deref())
    }
}

/// Some bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// Where they begin.
    pub start: u64,
    /// Bytes of the whole file.
    pub total: u64,
    pub bytes: Vec<u8>,
}

/// The range and total of a partial answer.
pub(super) fn content_range_of(response: &Response) -> Option<(Range<u64>, u64)> {
    let is_partial = response.status() == StatusCode::PARTIAL_CONTENT;
    let text = header(response.headers(), &CONTENT_RANGE).filter(|_| is_partial)?;
    parse(&text)
}

/// `bytes 5-9/10`.
fn parse(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, last) = range.split_once('-')?;
    let (start, last, total): (u64, u64, u64) = (start.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    (start <= last && last < total).then_some((start..last + 1, total))
}

/// Start and total of `bytes 5-9/10`, which must reach the end of the file where `to_end`.
pub(super) fn content_range(text: &str, to_end: bool) -> Option<(u64, u64)> {
    let (range, total) = parse(text)?;
    (!to_end || range.end == total).then_some((range.start, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sound_ranges_count() {
        assert_eq!(content_range("bytes 5-9/10", true), Some((5, 10)));
        assert_eq!(content_range("bytes 5-8/10", false), Some((5, 10)));
        for wrong in ["bytes 5-8/10", "bytes 5-10/10", "bytes 9-5/10", "bytes 5-9/*", "bytes */10", "5-9/10", ""] {
            assert_eq!(content_range(wrong, true), None, "{wrong}");
        }
    }

    #[test]
    fn weak_tags_name_no_bytes() {
        let validators = |etag: &str| Validators { etag: Some(etag.into()), last_modified: Some("a day".into()) };
        assert_eq!(validators("\"1\"").for_range(), Some("\"1\""));
        assert_eq!(validators("W/\"1\"").for_range(), Some("a day"));
        assert_eq!(Validators::default().for_range(), None);
    }
}
