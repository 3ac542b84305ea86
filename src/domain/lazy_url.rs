//! URLs of lock files, of which a lock has thousands and a run needs a few.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use super::MaskedUrl;

/// A valid URL that is parsed when it is first needed.
#[derive(Clone)]
pub struct LazyUrl(Repr);

#[derive(Clone)]
enum Repr {
    /// A URL that is valid by its characters alone, and that parsing leaves as it is.
    Plain {
        text: Box<str>,
        parsed: OnceLock<MaskedUrl>,
    },
    Parsed(MaskedUrl),
}

impl LazyUrl {
    /// Returns the URL.
    pub fn get(&self) -> &MaskedUrl {
        match &self.0 {
            Repr::Plain { text, parsed } => parsed.get_or_init(|| text.parse().expect("a plain URL is valid")),
            Repr::Parsed(url) => url,
        }
    }

    /// Returns the last part of the path, percent-decoded; empty if the path ends in a slash.
    pub fn filename(&self) -> String {
        match &self.0 {
            Repr::Plain { text, .. } => text.rsplit('/').next().unwrap_or_default().to_owned(),
            Repr::Parsed(url) => url.filename(),
        }
    }
}

/// Whether `text` is certainly a valid URL, and the same once it is parsed: of HTTPS, on a host of
/// ASCII letters, without credentials, port, escapes, query, or relative parts of the path.
fn is_plain(text: &str) -> bool {
    let Some((host, path)) = text.strip_prefix("https://").and_then(|rest| rest.split_once('/')) else { return false };
    let is_plain_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'~');
    let mut before = b'/';
    let is_plain_path = path.bytes().all(|byte| {
        let starts_with_dot = before == b'/' && byte == b'.';
        before = byte;
        (byte == b'/' || is_plain_byte(byte)) && !starts_with_dot
    });
    is_plain_path && is_plain_host(host)
}

/// Whether a host is lower-case ASCII, and neither an IP address nor an encoded name (`xn--…`).
fn is_plain_host(host: &str) -> bool {
    let is_plain_label =
        |label: &str| label.starts_with(|first: char| first.is_ascii_lowercase()) && !label.contains("--");
    let is_plain_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    host.bytes().all(is_plain_byte) && host.split('.').all(is_plain_label)
}

impl FromStr for LazyUrl {
    type Err = url::ParseError;

    fn from_str(text: &str) -> Result<Self, url::ParseError> {
        match is_plain(text) {
            true => Ok(Self(Repr::Plain { text: text.into(), parsed: OnceLock::new() })),
            false => text.parse().map(|url: MaskedUrl| url.into()),
        }
    }
}

impl From<MaskedUrl> for LazyUrl {
    fn from(url: MaskedUrl) -> Self {
        Self(Repr::Parsed(url))
    }
}

impl PartialEq for LazyUrl {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl fmt::Debug for LazyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_plain_urls_are_parsed_later() {
        for (text, plain) in [
            ("https://files.example/packages/ab/cd/demo-1.0+cpu-py3-none-any.whl", true),
            ("https://index.example/", true),
            ("http://files.example/demo-1.0.zip", false),
            ("https://me:pw@files.example/demo-1.0.zip", false),
            ("https://files.example:8443/demo-1.0.zip", false),
            ("https://files.example/demo-1.0%2Bcpu.zip", false),
            ("https://files.example/demo-1.0.zip?token=x", false),
            ("https://files.example/demo-1.0.zip#sha256=00", false),
            ("https://files.example/../demo-1.0.zip", false),
            ("https://Files.example/demo-1.0.zip", false),
            ("https://10.0.0.1/demo-1.0.zip", false),
            ("https://xn--bcher-kva.example/demo-1.0.zip", false),
        ] {
            let url: LazyUrl = text.parse().unwrap();
            assert_eq!(matches!(url.0, Repr::Plain { .. }), plain, "{text}");
            assert_eq!(*url.get(), text.parse().unwrap(), "{text}");
            assert_eq!(url.filename(), url.get().filename(), "{text}");
        }
        for text in ["https:///demo.zip", "https://a b/demo.zip", "demo.zip", "https://1.2.3.400/x"] {
            assert!(text.parse::<LazyUrl>().is_err(), "{text}");
        }
    }

    proptest! {
        /// What is taken for plain is valid and stays as it is.
        #[test]
        fn plain_urls_are_what_parsing_gives(host in "[a-z0-9.x-]{1,20}", path in "[a-zA-Z0-9_./+~-]{0,30}") {
            let text = format!("https://{host}/{path}");
            if is_plain(&text) {
                let parsed: MaskedUrl = text.parse().unwrap();
                prop_assert_eq!(parsed.secret().as_str(), text);
            }
        }
    }
}
