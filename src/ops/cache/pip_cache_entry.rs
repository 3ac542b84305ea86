//! Extracts the body from an entry of pip's HTTP cache (`docs/facts/pip.md` 4.3).

use std::io::Read;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::ZlibDecoder;
use serde::Deserialize;
use serde_bytes::ByteBuf;

/// The size limit of an entry in bytes; it is held in memory, as it is by pip.
const LARGEST: u64 = 4 << 30;

#[derive(Deserialize)]
struct CachedEntry<Body> {
    response: CachedResponse<Body>,
}

#[derive(Deserialize)]
struct CachedResponse<Body> {
    body: Body,
    status: u16,
}

/// Returns the body of the cached response; `None` if the entry has none, since it is a file of its
/// own or the response was no success.
///
/// # Errors
/// When the entry has an unknown format; the error says why.
pub fn body(entry: impl Read) -> Result<Option<Vec<u8>>, String> {
    let mut bytes = Vec::new();
    entry.take(LARGEST).read_to_end(&mut bytes).map_err(|error| format!("it cannot be read: {error}"))?;
    let damaged = |why: &dyn std::fmt::Display| format!("the entry of pip's cache is damaged: {why}");
    let (status, body) = match bytes.split_at_checked(b"cc=N,".len()) {
        Some((b"cc=4,", rest)) => {
            let entry: CachedEntry<ByteBuf> = rmp_serde::from_slice(rest).map_err(|error| damaged(&error))?;
            (entry.response.status, entry.response.body.into_vec())
        }
        Some((b"cc=2,", rest)) => {
            let text = ZlibDecoder::new(rest).take(LARGEST);
            let entry: CachedEntry<String> = serde_json::from_reader(text).map_err(|error| damaged(&error))?;
            (entry.response.status, BASE64_STANDARD.decode(entry.response.body).map_err(|error| damaged(&error))?)
        }
        _ => return Err("it is an entry of pip's cache in a form that is not known here, or damaged".to_owned()),
    };
    Ok(Some(body).filter(|body| status == 200 && !body.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of `docs/facts/pip.md` 4.3 with a body of three bytes.
    #[test]
    fn both_forms_are_read() {
        let binary = b"cc=4,\x81\xa8response\x83\xa4body\xc4\x03abc\xa7headers\x81\xa4date\xa1x\xa6status\xcc\xc8";
        assert_eq!(body(&binary[..]).unwrap().unwrap(), b"abc");
        let text = br#"{"response": {"body": "YWJj", "headers": {}, "status": 200, "reason": "T0s="}, "vary": {}}"#;
        let mut packed = b"cc=2,".to_vec();
        flate2::read::ZlibEncoder::new(&text[..], flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
        assert_eq!(body(&packed[..]).unwrap().unwrap(), b"abc");
    }

    #[test]
    fn heads_and_failures_hold_nothing_and_damage_is_told() {
        let head = b"cc=4,\x81\xa8response\x83\xa4body\xc4\x00\xa7headers\x80\xa6status\xcc\xc8";
        assert_eq!(body(&head[..]), Ok(None));
        let not_found = b"cc=4,\x81\xa8response\x83\xa4body\xc4\x01x\xa7headers\x80\xa6status\xcd\x01\x94";
        assert_eq!(body(&not_found[..]), Ok(None));
        for damaged in [&b"cc=4,\x81\xa8resp"[..], b"cc=2,xx", b"", b"cc=1,", b"PK\x03\x04"] {
            assert!(body(damaged).is_err());
        }
    }
}
