//! Decodes requirements files as pip does (`docs/facts/pip.md` 1.1).

use encoding_rs::{DecoderResult, Encoding};

use crate::input::{LARGEST_FILE, LoadedFile, Location};

/// Why bytes cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("it is larger than {} MiB; a requirements file is not", LARGEST_FILE >> 20)]
    TooLarge,
    #[error("byte {at} is NUL, so it is no text (UTF-16 needs a byte order mark; better save it as UTF-8)")]
    Binary { at: usize },
    #[error(
        "byte {at} (line {line}) is not {encoding}; save it as UTF-8, or name its encoding in the first line: # coding: …"
    )]
    Undecodable { encoding: String, at: usize, line: usize },
    #[error("its first lines name the encoding `{0}`, which is not known; save it as UTF-8")]
    UnknownEncoding(String),
    #[error("it is an HTML page; is this the URL of the file itself (its raw text)?")]
    Html,
}

/// Decodes what was loaded from `location`.
///
/// # Errors
/// When it is no text in the encoding that it claims or must have.
pub fn decode(loaded: &LoadedFile, location: &Location) -> Result<String, DecodeError> {
    if loaded.bytes.len() > LARGEST_FILE {
        return Err(DecodeError::TooLarge);
    }
    let text = match location {
        Location::Url(url) => decode_answer(loaded, url)?,
        Location::File(_) | Location::StandardInput => decode_file(&loaded.bytes)?,
    };
    if text.trim_start().starts_with('<') { Err(DecodeError::Html) } else { Ok(text) }
}

enum Codec {
    Utf8,
    Utf16 { is_big: bool },
    Utf32 { is_big: bool },
    Ascii,
    Latin1,
    Other(&'static Encoding),
}

/// Byte order marks in pip's order: that of UTF-16 is the beginning of that of UTF-32.
const MARKS: [(&[u8], Codec); 5] = [
    (b"\xef\xbb\xbf", Codec::Utf8),
    (b"\xff\xfe\0\0", Codec::Utf32 { is_big: false }),
    (b"\0\0\xfe\xff", Codec::Utf32 { is_big: true }),
    (b"\xff\xfe", Codec::Utf16 { is_big: false }),
    (b"\xfe\xff", Codec::Utf16 { is_big: true }),
];

fn decode_file(bytes: &[u8]) -> Result<String, DecodeError> {
    if let Some((mark, codec)) = MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        return codec.decode(&bytes[mark.len()..]).map_err(|fault| fault.in_file(bytes, mark.len(), codec));
    }
    refuse_binary(bytes)?;
    let codec = match declared_encoding(bytes) {
        Some(name) => Codec::named(name).ok_or_else(|| DecodeError::UnknownEncoding(name.to_owned()))?,
        None => Codec::Utf8,
    };
    codec.decode(bytes).map_err(|fault| fault.in_file(bytes, 0, &codec))
}

fn refuse_binary(bytes: &[u8]) -> Result<(), DecodeError> {
    match bytes.iter().position(|byte| *byte == 0) {
        Some(at) => Err(DecodeError::Binary { at }),
        None => Ok(()),
    }
}

/// Returns the encoding in a `# coding: …` comment at the start of the first or second line (PEP
/// 263).
fn declared_encoding(bytes: &[u8]) -> Option<&str> {
    let lines = bytes.split(|byte| *byte == b'\n').take(2);
    lines.filter(|line| line.first() == Some(&b'#')).find_map(coding)
}

fn coding(line: &[u8]) -> Option<&str> {
    const KEY: &[u8] = b"coding";
    let ends = (KEY.len()..line.len()).filter(|end| line[..*end].ends_with(KEY) && matches!(line[*end], b':' | b'='));
    ends.map(|end| line[end + 1..].trim_ascii_start()).find_map(|value| {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let length = value.iter().position(|byte| !is_part(byte)).unwrap_or(value.len());
        std::str::from_utf8(&value[..length]).ok().filter(|name| !name.is_empty())
    })
}

/// The position of the first byte that a codec cannot read, relative to where it began.
struct UndecodableByte(usize);

impl UndecodableByte {
    fn in_file(self, bytes: &[u8], start: usize, codec: &Codec) -> DecodeError {
        let at = start + self.0;
        let line = 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
        DecodeError::Undecodable { encoding: codec.name().to_owned(), at, line }
    }
}

impl Codec {
    /// Returns the codec that Python calls `name`.
    fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace('_', "-");
        Some(match name.as_str() {
            "utf-8" | "utf8" | "u8" | "utf" | "utf-8-sig" | "cp65001" => Self::Utf8,
            "ascii" | "us-ascii" | "646" => Self::Ascii,
            "latin-1" | "latin1" | "latin" | "l1" | "iso-8859-1" | "iso8859-1" | "8859" | "cp819" => Self::Latin1,
            "mac-roman" | "macroman" => Self::Other(encoding_rs::MACINTOSH),
            "cp932" => Self::Other(encoding_rs::SHIFT_JIS),
            "cp936" => Self::Other(encoding_rs::GBK),
            "cp949" => Self::Other(encoding_rs::EUC_KR),
            "cp950" => Self::Other(encoding_rs::BIG5),
            other => Self::Other(Encoding::for_label_no_replacement(other.as_bytes())?),
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16 { .. } => "UTF-16",
            Self::Utf32 { .. } => "UTF-32",
            Self::Ascii => "ASCII",
            Self::Latin1 => "Latin-1",
            Self::Other(encoding) => encoding.name(),
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<String, UndecodableByte> {
        match self {
            Self::Utf8 => decode_utf8(bytes),
            Self::Utf16 { is_big: true } => decode_strictly(encoding_rs::UTF_16BE, bytes),
            Self::Utf16 { is_big: false } => decode_strictly(encoding_rs::UTF_16LE, bytes),
            Self::Utf32 { is_big } => decode_utf32(bytes, *is_big),
            Self::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
                Some(at) => Err(UndecodableByte(at)),
                None => decode_utf8(bytes),
            },
            Self::Latin1 => Ok(latin1(bytes)),
            Self::Other(encoding) => decode_strictly(encoding, bytes),
        }
    }
}

fn decode_utf8(bytes: &[u8]) -> Result<String, UndecodableByte> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| UndecodableByte(error.valid_up_to()))
}

fn decode_utf32(bytes: &[u8], is_big: bool) -> Result<String, UndecodableByte> {
    let number = |chunk: &[u8]| {
        let four = <[u8; 4]>::try_from(chunk).ok()?;
        char::from_u32(if is_big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    };
    let chunks = bytes.chunks(4).enumerate();
    chunks.map(|(index, chunk)| number(chunk).ok_or(UndecodableByte(index * 4))).collect()
}

/// Decodes Latin-1; the web's `iso-8859-1` is Windows-1252 instead, Python's is not.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn decode_strictly(encoding: &'static Encoding, bytes: &[u8]) -> Result<String, UndecodableByte> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let capacity = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len() * 3);
    let mut text = String::with_capacity(capacity);
    match decoder.decode_to_string_without_replacement(bytes, &mut text, true) {
        (DecoderResult::InputEmpty, _) => Ok(text),
        (DecoderResult::Malformed(length, after), read) => {
            Err(UndecodableByte(read.saturating_sub(usize::from(length) + usize::from(after))))
        }
        (DecoderResult::OutputFull, read) => Err(UndecodableByte(read)),
    }
}

/// Decodes an HTTP response as pip does: byte order marks and coding lines are ignored, and invalid
/// bytes are replaced.
///
/// A `file:` URL is treated as a response of the type `text/plain`.
fn decode_answer(loaded: &LoadedFile, url: &str) -> Result<String, DecodeError> {
    let is_file = url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"));
    let fallback = if is_file { "text/plain" } else { "" };
    let content_type = loaded.content_type.as_deref().unwrap_or(fallback).to_ascii_lowercase();
    let charset = content_type.split(';').find_map(|part| part.trim().strip_prefix("charset="));
    let charset = charset.map(|charset| charset.trim_matches(['"', '\'', ' ']));
    if let Some(text) = charset.and_then(|charset| wide(&loaded.bytes, charset)) {
        return Ok(text);
    }
    refuse_binary(&loaded.bytes)?;
    Ok(match charset.map(Codec::named) {
        Some(Some(Codec::Other(encoding))) => encoding.decode_without_bom_handling(&loaded.bytes).0.into_owned(),
        Some(Some(Codec::Latin1)) => latin1(&loaded.bytes),
        None if content_type.contains("text") => latin1(&loaded.bytes),
        _ => String::from_utf8_lossy(&loaded.bytes).into_owned(),
    })
}

/// Decodes a response in UTF-16 or UTF-32, which has NUL bytes.
///
/// As in Python, a byte order mark counts if the charset states no byte order, and without one the
/// order is little-endian.
fn wide(bytes: &[u8], charset: &str) -> Option<String> {
    let (kind, order) = match charset.replace(['-', '_'], "").strip_prefix("utf")?.split_at_checked(2)? {
        (kind @ ("16" | "32"), order) => (kind.to_owned(), order.to_owned()),
        _ => return None,
    };
    let is_wide = kind == "32";
    let marks: [&[u8]; 2] = if is_wide { [b"\xff\xfe\0\0", b"\0\0\xfe\xff"] } else { [b"\xff\xfe", b"\xfe\xff"] };
    let (bytes, is_big) = match order.as_str() {
        "le" => (bytes, false),
        "be" => (bytes, true),
        "" => match marks.map(|mark| bytes.strip_prefix(mark)) {
            [_, Some(rest)] => (rest, true),
            [Some(rest), _] => (rest, false),
            [None, None] => (bytes, false),
        },
        _ => return None,
    };
    if is_wide {
        return decode_utf32(bytes, is_big).ok();
    }
    let encoding = if is_big { encoding_rs::UTF_16BE } else { encoding_rs::UTF_16LE };
    Some(encoding.decode_without_bom_handling(bytes).0.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> Result<String, String> {
        let loaded = LoadedFile { bytes: bytes.to_vec(), content_type: None };
        decode(&loaded, &Location::StandardInput).map_err(|error| error.to_string())
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn marks_come_before_coding_lines_and_those_before_utf_8() {
        let utf32: Vec<u8> = "é".chars().flat_map(|character| (character as u32).to_le_bytes()).collect();
        for (bytes, expected) in [
            (b"\xef\xbb\xbfx\xc3\xa9".to_vec(), "xé"),
            ([b"\xff\xfe".to_vec(), utf16("é")].concat(), "é"),
            ([b"\xff\xfe\0\0".to_vec(), utf32].concat(), "é"),
            (b"\xfe\xff\0x".to_vec(), "x"),
            (b"\xef\xbb\xbf# coding: latin-1\n\xc3\xa9".to_vec(), "# coding: latin-1\né"),
            (b"# -*- coding: latin-1 -*-\n\xe9\x85".to_vec(), "# -*- coding: latin-1 -*-\né\u{85}"),
            (b"\n# vim: set fileencoding=cp1252 :\n\x80".to_vec(), "\n# vim: set fileencoding=cp1252 :\n€"),
            (b" # coding: latin-1\n\xc3\xa9".to_vec(), " # coding: latin-1\né"),
            (b"\n\n# coding: latin-1\n\xc3\xa9".to_vec(), "\n\n# coding: latin-1\né"),
            (b"\xc3\xa9".to_vec(), "é"),
        ] {
            assert_eq!(file(&bytes).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_place() {
        let huge = vec![b'#'; LARGEST_FILE + 1];
        for (bytes, part) in [
            (&b"a\nb\xff"[..], "byte 3 (line 2) is not UTF-8"),
            (b"# coding: shift_jis\n\x81", "byte 20 (line 2) is not Shift_JIS"),
            (b"# coding: ascii\n\xc3\xa9", "byte 16 (line 2) is not ASCII"),
            (b"# coding: nonsense\n", "`nonsense`"),
            (b"\xff\xfe\x00\xd8", "is not UTF-16"),
            (b"PK\x03\x04\0", "byte 4 is NUL"),
            (b"\n<!doctype html>", "HTML page"),
            (&huge, "larger than 16 MiB"),
        ] {
            let error = file(bytes).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn answers_follow_their_content_type() {
        let decode_as = |bytes: &[u8], content_type: Option<&str>, url: &str| {
            let loaded = LoadedFile { bytes: bytes.to_vec(), content_type: content_type.map(Into::into) };
            decode(&loaded, &Location::Url(url.into())).unwrap()
        };
        let url = "https://files.example/r.txt";
        assert_eq!(decode_as(b"\xc3\xa9", Some("text/plain"), url), "Ã©");
        assert_eq!(decode_as(b"\xc3\xa9", Some("text/plain; charset=\"UTF-8\""), url), "é");
        assert_eq!(decode_as(b"\xef\xbb\xbfx", Some("text/plain; charset=utf-8"), url), "\u{feff}x");
        assert_eq!(decode_as(b"\xc3\xa9\xff", None, url), "é\u{fffd}");
        assert_eq!(decode_as(b"\xc3\xa9", None, "FILE:///r.txt"), "Ã©");
        assert_eq!(decode_as(b"\xc3\xa9", Some("text/plain; charset=nonsense"), url), "é");
        let little = [b"\xff\xfe".to_vec(), utf16("dé")].concat();
        for (bytes, charset) in [
            (&*little, "utf-16"),
            (&utf16("dé"), "UTF-16"),
            (&utf16("dé"), "utf-16le"),
            (b"\xfe\xff\0d\0\xe9", "\"utf_16\""),
            (b"\0d\0\xe9", "utf-16-be"),
            (b"\xff\xfe\0\0d\0\0\0\xe9\0\0\0", "utf-32"),
        ] {
            assert_eq!(decode_as(bytes, Some(&format!("text/plain; charset={charset}")), url), "dé", "{charset}");
        }
    }
}
