//! The entries of pip's HTTP cache in its two formats (`docs/facts/pip.md` 4.3).

use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use crate::domain::Timestamp;

/// The first bytes of an entry of pip 6.0 to 23.2.1, in the form that all of them read.
pub const MARK_2: &[u8] = b"cc=2,";

/// The first bytes of an entry of pip 23.3 and later.
const MARK_4: &[u8] = b"cc=4,";

/// The `Date` of every entry.
///
/// An age is never below zero, so an answer is fresh until then, however short its lifetime
/// (`docs/facts/pip.md` 4.4).
const DATE: &str = "Fri, 01 Jan 2100 00:00:00 GMT";
const LIFETIME: &str = "max-age=1";

/// The content type of a page of links (PEP 503).
pub const HTML: &str = "text/html; charset=utf-8";

/// The headers of a cached response.
///
/// A file has no content type: pip would choose its unpacker by that, and not by the file's name.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct EntryHeaders {
    date: Cow<'static, str>,
    cache_control: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_length: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'static str>,
}

impl EntryHeaders {
    /// Returns the headers of a file of `size` bytes.
    pub fn of_file(size: u64) -> Self {
        Self {
            date: DATE.into(),
            cache_control: LIFETIME.into(),
            etag: None,
            content_length: Some(size.to_string()),
            content_type: None,
        }
    }

    /// Returns the headers of a page of `size` bytes.
    pub fn of_page(size: u64, content_type: &'static str) -> Self {
        Self { content_type: Some(content_type), ..Self::of_file(size) }
    }

    /// Returns the headers of a JSON page that was last validated at `checked`.
    ///
    /// They state no length: headers and body are two files, and pip mistrusts a body that is
    /// shorter.
    pub fn of_seen_page(checked: Timestamp, lifetime: u64, etag: Option<String>) -> Self {
        let moment = UNIX_EPOCH + Duration::from_secs(checked.0.max(0).unsigned_abs());
        Self {
            date: httpdate::fmt_http_date(moment).into(),
            cache_control: format!("max-age={lifetime}").into(),
            etag,
            content_length: None,
            content_type: Some("application/vnd.pypi.simple.v1+json"),
        }
    }
}

#[derive(Serialize)]
struct WrittenEntry<'a> {
    response: WrittenResponse<'a>,
}

#[derive(Serialize)]
struct WrittenResponse<'a> {
    /// Empty where the body is a file of its own.
    #[serde(with = "serde_bytes")]
    body: &'a [u8],
    headers: &'a EntryHeaders,
    status: u16,
}

/// Returns an entry of CacheControl's fourth format; pip 23.3 and later have the body in a file of its
/// own, and an empty one here.
pub fn binary(headers: &EntryHeaders, body: &[u8]) -> Vec<u8> {
    let entry = WrittenEntry { response: WrittenResponse { body, headers, status: 200 } };
    let mut bytes = MARK_4.to_vec();
    rmp_serde::encode::write_named(&mut bytes, &entry).expect("writing to memory cannot fail");
    bytes
}

/// Returns what stands before and after the base64 body in the JSON of an entry for pip 6.0 to
/// 23.2.1.
///
/// Every header name and value is base64 there, too.
pub fn text_around_body(headers: &EntryHeaders) -> (Vec<u8>, Vec<u8>) {
    let length = headers.content_length.as_deref().map(|length| ("content-length", length));
    let all = [("date", &*headers.date), ("cache-control", &*headers.cache_control)];
    let encoded =
        all.into_iter().chain(length).map(|(name, value)| format!("\"{}\":\"{}\"", base64(name), base64(value)));
    let encoded = encoded.collect::<Vec<_>>().join(",");
    let reason = base64("OK");
    let tail = format!(
        "\",\"headers\":{{{encoded}}},\"status\":200,\"version\":11,\"reason\":\"{reason}\",\"strict\":0,\
         \"decode_content\":false}},\"vary\":{{}}}}"
    );
    (b"{\"response\":{\"body\":\"".to_vec(), tail.into_bytes())
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest entry that pip 26.3 accepted (`docs/facts/pip.md` 4.3).
    #[test]
    fn the_smallest_entry() {
        let vector = "63633d342c81a8726573706f6e736583a4626f6479c400a76865616465727382a464617465bd\
                      4672692c203031204a616e20323130302030303a30303a303020474d54ad63616368652d636f\
                      6e74726f6ca96d61782d6167653d31a6737461747573ccc8";
        let bytes = binary(&EntryHeaders { content_length: None, ..EntryHeaders::of_file(0) }, b"");
        assert_eq!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), vector);
    }

    #[test]
    fn the_text_around_a_body_is_json() {
        let (head, tail) = text_around_body(&EntryHeaders::of_file(5));
        let text = [head, b"d2hlZWw=".to_vec(), tail].concat();
        let entry: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(entry["response"]["body"], "d2hlZWw=");
        assert_eq!(entry["response"]["headers"][base64("content-length")], base64("5"));
        assert_eq!(entry["response"]["reason"], "T0s=");
        assert!(entry["vary"].as_object().unwrap().is_empty());
    }
}
