//! Parses links: the name of the file they lead to, and its expected digest.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;

use crate::domain::{Algorithm, SourceExtension, Timestamp};

/// A link of a page, split into its parts.
pub(super) struct Link<'a> {
    /// The last part of the path, percent-decoded once.
    ///
    /// It may be any text; [`RelPath`](crate::domain::RelPath) decides whether it is a valid file
    /// name.
    pub filename: Cow<'a, str>,
    /// The link without fragment and surrounding white space, maybe relative.
    pub href: &'a str,
    /// The first digest in the fragment.
    pub digest: Option<(Algorithm, &'a str)>,
}

impl<'a> Link<'a> {
    pub fn new(text: &'a str) -> Self {
        match memchr::memrchr(b'/', text.as_bytes()).map(|slash| (&text[..slash], &text[slash + 1..])) {
            // Most links are the path of a file and nothing else.
            Some((folder, last))
                if is_plain(text) && !last.is_empty() && !folder.is_empty() && !folder.ends_with('/') =>
            {
                Self { filename: Cow::Borrowed(last), href: text, digest: None }
            }
            _ => Self::of_any(text),
        }
    }

    fn of_any(text: &'a str) -> Self {
        let (href, fragment) = text.trim().split_once('#').unwrap_or((text.trim(), ""));
        let parts = || fragment.split('&');
        let egg = parts().find_map(|part| part.strip_prefix("egg="));
        let filename = match egg.filter(|egg| !egg.is_empty()) {
            Some(egg) => named_by_egg(egg, filename(href)),
            None => filename(href),
        };
        Self { filename, href, digest: parts().find_map(digest) }
    }
}

/// Whether the text has no query, fragment, escape or white space.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() & !matches!(byte, b'?' | b'#' | b'%');
    text.as_bytes().iter().fold(true, |all, byte| all & is_plain(byte))
}

/// Returns the last part of the link's path; a slash after it is tolerated, as in pip
/// (`docs/facts/pip.md` 3.6).
fn filename(href: &str) -> Cow<'_, str> {
    let last = last_part(href.split('?').next().unwrap_or_default());
    if last.contains('%') { percent_decode_str(last).decode_utf8_lossy() } else { Cow::Borrowed(last) }
}

/// Returns the part after the last slash.
///
/// If a slash at the end or a double slash could change that part, the path is taken out of the
/// link first.
fn last_part(href: &str) -> &str {
    let (before, last) = href.rsplit_once('/').unwrap_or(("-", href));
    if last.is_empty() || before.is_empty() || before.ends_with('/') {
        return path(href).trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    }
    last
}

/// Returns a link without scheme and host.
fn path(href: &str) -> &str {
    match href.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') => {
            rest.split_once('/').map_or("", |(_, path)| path)
        }
        _ => href,
    }
}

/// Returns the file name by `#egg=name-version`, which names a source archive whose path does not
/// (`docs/facts/pip.md` 3.6).
fn named_by_egg<'a>(egg: &str, filename: Cow<'a, str>) -> Cow<'a, str> {
    match SourceExtension::split(&filename) {
        Some((_, extension)) => Cow::Owned(format!("{egg}{extension}")),
        None => filename,
    }
}

/// Parses `algorithm=hex` with a known algorithm; `None` if the hex digits are missing.
pub(super) fn digest(text: &str) -> Option<(Algorithm, &str)> {
    let (name, hex) = text.split_once('=').filter(|(_, hex)| !hex.is_empty())?;
    Some((Algorithm::named(name)?, hex))
}

/// Parses an RFC 3339 timestamp (PEP 700) as seconds since 1970-01-01 UTC.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    usual_timestamp(text).or_else(|| text.parse().ok().map(|moment: Timestamp| moment.0))
}

/// Parses a timestamp as most indexes write it: `2024-05-01T12:34:56.789012Z`, before the 29th of a
/// month and without leap seconds.
fn usual_timestamp(text: &str) -> Option<i64> {
    let (moment, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let is_template = moment.iter().zip(b"dddd-dd-ddTdd:dd:dd").all(|(byte, wanted)| match wanted {
        b'd' => byte.is_ascii_digit(),
        _ => byte == wanted,
    });
    let fraction = rest.strip_suffix(b"Z")?;
    let is_fraction = match fraction {
        [] => true,
        [b'.', digits @ ..] => (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let number =
        |range: Range<usize>| moment[range].iter().fold(0, |number, digit| number * 10 + i64::from(digit & 0xf));
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let (hour, minute, second) = (number(11..13), number(14..16), number(17..19));
    let is_usual = (1970..=9998).contains(&year)
        && (1..=12).contains(&month)
        && (1..=28).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let seconds = || ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    (is_template && is_fraction && is_usual).then(seconds)
}

/// Returns the days from 1970-01-01 to a later date.
///
/// Years are taken to begin in March, so that a leap day is the last day of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    const TO_1970: i64 = 719_469;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - TO_1970
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_links_are_taken_apart_as_any(text in "(https?:/)?(/{0,2}[a-z.]{0,3}){0,4}[a-z.%#? é=]{0,3}") {
            let [plain, any] = [Link::new(&text), Link::of_any(&text)].map(|link| (link.filename, link.href, link.digest));
            prop_assert_eq!(plain, any);
        }

        #[test]
        fn usual_moments_are_read_as_any(second in 0..253_000_000_000_i64, end in r"Z|\.[0-9]{0,10}Z|z|\+01:00|") {
            let text = Timestamp(second).to_string().replace('Z', &end);
            if let Some(usual) = usual_timestamp(&text) {
                prop_assert_eq!(text.parse::<Timestamp>().ok(), Some(Timestamp(usual)));
            }
        }
    }

    #[test]
    fn usual_moments_are_usual() {
        assert_eq!(usual_timestamp("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(usual_timestamp("2024-05-01T12:34:56.5Z"), Some(1_714_566_896));
        for text in [
            "2024-02-30T00:00:00Z",
            "2024-05-01T24:00:00Z",
            "2024-05-01 00:00:00Z",
            "2024-05-01T00:00:00.Z",
            "2024-05-01",
        ] {
            assert_eq!(usual_timestamp(text), None, "{text}");
        }
    }

    fn filename(text: &str) -> String {
        Link::new(text).filename.into_owned()
    }

    #[test]
    fn the_name_is_the_last_part_of_the_path_decoded_once() {
        for (link, expected) in [
            ("demo-1.0.tar.gz", "demo-1.0.tar.gz"),
            ("https://files.example/a/demo-1.0.tar.gz?token=a/b#sha256=00", "demo-1.0.tar.gz"),
            ("//files.example/demo-1.0.tar.gz", "demo-1.0.tar.gz"),
            ("../../files/demo-1.0.tar.gz/", "demo-1.0.tar.gz"),
            ("demo-1.0%2Blocal.zip", "demo-1.0+local.zip"),
            ("demo-1.0+local.zip", "demo-1.0+local.zip"),
            ("demo%252e.zip", "demo%2e.zip"),
            ("%", "%"),
            ("demo-%ff.zip", "demo-\u{fffd}.zip"),
            ("https://demo-1.0.tar.gz", ""),
            ("#top", ""),
            ("?C=N;O=D", ""),
            ("../", ".."),
            ("", ""),
        ] {
            assert_eq!(filename(link), expected, "{link}");
        }
    }

    #[test]
    fn hostile_names_come_out_as_text() {
        assert_eq!(filename("..%2f..%2fdemo-1.0.whl"), "../../demo-1.0.whl");
        assert_eq!(filename("%2fetc%2fdemo-1.0.whl"), "/etc/demo-1.0.whl");
        assert_eq!(filename("demo%00-1.0.whl"), "demo\0-1.0.whl");
        assert_eq!(filename(&"x".repeat(300)).len(), 300);
    }

    #[test]
    fn eggs_name_source_archives_alone() {
        assert_eq!(filename("https://files.example/tip.tar.gz#egg=demo-1.0"), "demo-1.0.tar.gz");
        assert_eq!(filename("demo-1.0-py3-none-any.whl#egg=other-2"), "demo-1.0-py3-none-any.whl");
    }

    #[test]
    fn the_first_known_digest_of_the_fragment_counts() {
        let digest = |text: &'static str| Link::new(text).digest;
        assert_eq!(digest("a.zip#sha256=ab"), Some((Algorithm::Sha256, "ab")));
        assert_eq!(digest("a.zip#egg=a-1&md5=cd&sha256=ab"), Some((Algorithm::Md5, "cd")));
        assert_eq!(digest("a.zip#blake2b=ab"), None);
        assert_eq!(digest("a.zip#sha256="), None);
        assert_eq!(digest("a.zip#sha256=&md5=cd"), Some((Algorithm::Md5, "cd")));
        assert_eq!(digest("a.zip?sha256=ab"), None);
        assert_eq!(Link::new(" a.zip#sha256=ab ").href, "a.zip");
    }
}
