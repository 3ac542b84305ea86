//! URLs that do not tell their secrets.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// A URL whose user name and password are masked wherever it is shown.
///
/// `Display` and `Debug` print `https://****@index.example/simple/`; whoever needs the real
/// thing to make a request says so by calling [`MaskedUrl::secret`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaskedUrl(Url);

impl MaskedUrl {
    pub fn new(url: Url) -> Self {
        Self(url)
    }

    /// The URL with its credentials, for the request itself.
    pub fn secret(&self) -> &Url {
        &self.0
    }

    /// The URL without credentials and fragment: what files, reports and manifests may hold.
    pub fn public(&self) -> String {
        let mut url = self.0.clone();
        url.set_fragment(None);
        // Both fail only for URLs that cannot have credentials.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.into()
    }

    /// The last part of the path, percent-decoded; empty where the path ends in a slash.
    pub fn filename(&self) -> String {
        let last = self.0.path().rsplit('/').next().unwrap_or_default();
        percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned()
    }

    /// `href` as a link on the page at this URL (RFC 3986 resolution).
    pub fn join(&self, href: &str) -> Result<Self, url::ParseError> {
        self.0.join(href).map(Self)
    }

    fn has_credentials(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }
}

impl fmt::Display for MaskedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.has_credentials() {
            return f.write_str(self.0.as_str());
        }
        let mut url = self.0.clone();
        let _ = url.set_password(None);
        let _ = url.set_username("****");
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for MaskedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MaskedUrl {
    type Err = url::ParseError;

    fn from_str(text: &str) -> Result<Self, url::ParseError> {
        Url::parse(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_dropped() {
        let url: MaskedUrl = "https://me:hunter2@index.example/a%20b.whl#sha256=00".parse().unwrap();
        assert_eq!(format!("{url} {url:?}").matches("hunter2").count(), 0);
        assert_eq!(url.to_string(), "https://****@index.example/a%20b.whl#sha256=00");
        assert_eq!(url.public(), "https://index.example/a%20b.whl");
        assert_eq!(url.filename(), "a b.whl");
        let token: MaskedUrl = "https://token@index.example/".parse().unwrap();
        assert_eq!(token.to_string(), "https://****@index.example/");
    }
}
