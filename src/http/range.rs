//! Range requests: the requested bytes of a file, and those of a response (RFC 9110, 14).

use std::ops::Range;

use reqwest::header::CONTENT_RANGE;
use reqwest::{Response, StatusCode};

use super::{ConnectionSharing, Validators, header};

/// Where a transfer starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResumePoint {
    /// The number of bytes that are already on the disk.
    pub at: u64,
    /// The version of the file that these bytes are of, as a value of `If-Range`.
    pub validator: Option<String>,
    pub sharing: ConnectionSharing,
    /// Whether caches on the way must be bypassed, since one of them served wrong bytes.
    pub past_caches: bool,
}

impl Validators {
    /// Returns the value for `If-Range`: a strong entity tag, else the date (RFC 9110, 13.1.5).
    pub fn for_range(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|tag| !tag.starts_with("W/"));
        strong.or(self.last_modified.as_deref())
    }
}

/// A range of a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The offset of the first byte.
    pub start: u64,
    /// The size of the whole file in bytes.
    pub total: u64,
    pub bytes: Vec<u8>,
}

/// Returns the range and the total size of a partial response.
pub(super) fn content_range(response: &Response) -> Option<(Range<u64>, u64)> {
    let is_partial = response.status() == StatusCode::PARTIAL_CONTENT;
    let text = header(response.headers(), &CONTENT_RANGE).filter(|_| is_partial)?;
    parse(&text)
}

/// Parses `bytes 5-9/10`.
fn parse(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, last) = range.split_once('-')?;
    let (start, last, total): (u64, u64, u64) = (start.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    (start <= last && last < total).then_some((start..last + 1, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sound_ranges_count() {
        assert_eq!(parse("bytes 5-9/10"), Some((5..10, 10)));
        assert_eq!(parse("bytes 5-8/10"), Some((5..9, 10)));
        for wrong in ["bytes 5-10/10", "bytes 9-5/10", "bytes 5-9/*", "bytes */10", "5-9/10", ""] {
            assert_eq!(parse(wrong), None, "{wrong}");
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
