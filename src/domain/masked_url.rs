//! URLs whose secrets are masked wherever they are printed.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use url::Url;

use super::secret_parameter::{has_secret, secret_values, without_secrets};
use super::{Algorithm, Digest, PackageName};

/// A URL whose secrets are masked when it is printed: the user name, the password, and secret query
/// parameters (a signature, a token).
///
/// `Display` and `Debug` print `https://****@index.example/simple/`; code that needs the real URL
/// for a request calls [`MaskedUrl::secret`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaskedUrl(Url);

impl MaskedUrl {
    pub fn new(url: Url) -> Self {
        Self(url)
    }

    /// Returns the URL with its secrets, for the request itself.
    pub fn secret(&self) -> &Url {
        &self.0
    }

    /// Returns the URL without secrets and fragment, for files, reports and manifests.
    pub fn public(&self) -> String {
        let mut url = self.address();
        let query = url.query().and_then(without_secrets);
        url.set_query(query.as_deref());
        url.into()
    }

    /// Returns the URL without user, password and fragment, but with its whole query, which may
    /// hold a secret: the same for every user.
    pub fn address(&self) -> Url {
        let mut url = without_login(&self.0);
        url.set_fragment(None);
        url
    }

    /// Returns the query, if there is a secret in it.
    pub fn secret_query(&self) -> Option<&str> {
        self.0.query().filter(|query| has_secret(query))
    }

    /// Returns the last part of the path, percent-decoded; empty if the path ends in a slash.
    pub fn filename(&self) -> String {
        let last = self.0.path().rsplit('/').next().unwrap_or_default();
        percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned()
    }

    /// Returns the first digest in the fragment: `#sha256=…`, or `#egg=name&md5=…`; one without hex
    /// digits is ignored.
    pub fn digest(&self) -> Option<Digest> {
        let parts = self.0.fragment()?.split('&').filter_map(|part| part.split_once('='));
        let parts = parts.filter(|(_, hex)| !hex.is_empty());
        let mut digests = parts.filter_map(|(key, hex)| Some(Digest::new(key.parse::<Algorithm>().ok()?, hex)));
        digests.next()
    }

    /// Whether it is a `file:` URL.
    pub fn is_local(&self) -> bool {
        self.0.scheme() == "file"
    }

    /// Returns the path of a `file:` URL. (`Url::to_file_path` returns one for `http://localhost`,
    /// too.)
    pub fn local_path(&self) -> Option<PathBuf> {
        self.is_local().then(|| self.0.to_file_path().ok()).flatten()
    }

    /// Returns the page of `project` on the index at this URL, which may end in a slash or not (PEP
    /// 503).
    pub fn project_page(&self, project: &PackageName) -> Self {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(project.as_ref()).push("");
        }
        Self(url)
    }

    /// Returns the URL of the metadata file beside this one (PEP 658).
    pub fn sidecar(&self) -> Self {
        let mut url = self.0.clone();
        url.set_path(&format!("{}.metadata", url.path()));
        Self(url)
    }

    /// Whether the URL leads to a file that can be fetched, unlike `git+https:`.
    pub fn is_fetchable(&self) -> bool {
        matches!(self.0.scheme(), "http" | "https" | "file")
    }

    /// Resolves `href` as a link on the page at this URL (RFC 3986).
    ///
    /// # Errors
    /// When it is no valid URL.
    pub fn join(&self, href: &str) -> Result<Self, url::ParseError> {
        if lacks_host(href) { Err(url::ParseError::EmptyHost) } else { self.0.join(href).map(Self) }
    }

    /// Whether the URL has a user, a password, or a secret in its query.
    pub fn has_credentials(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some() || self.secret_query().is_some()
    }
}

impl fmt::Display for MaskedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.has_credentials() {
            return f.write_str(self.0.as_str());
        }
        f.write_str(&mask_credentials(self.0.as_str()))
    }
}

impl fmt::Debug for MaskedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for MaskedUrl {
    /// Writes [`MaskedUrl::public`], so that no secret reaches a file.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.public())
    }
}

impl<'de> Deserialize<'de> for MaskedUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl From<Url> for MaskedUrl {
    fn from(url: Url) -> Self {
        Self(url)
    }
}

impl FromStr for MaskedUrl {
    type Err = url::ParseError;

    /// Parses a URL.
    ///
    /// # Errors
    /// When it is invalid, or has no host.
    fn from_str(text: &str) -> Result<Self, url::ParseError> {
        if lacks_host(text) { Err(url::ParseError::EmptyHost) } else { Url::parse(text).map(Self) }
    }
}

/// Returns a URL without its user and password.
pub fn without_login(url: &Url) -> Url {
    let mut url = url.clone();
    // Both fail only for URLs that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// Whether the URL is like `https:///path`, in which the URL standard of browsers, but no
/// installer, takes the first part of the path for the host.
fn lacks_host(text: &str) -> bool {
    let is_web = |scheme: &str| ["http", "https", "ftp"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let parts = text.split_once("://").filter(|(scheme, _)| is_web(scheme.trim_start()));
    parts.is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with(['/', '\\', '?', '#']))
}

/// The number of characters that are searched for the end of an unusual password; a limit, since
/// each `://` may precede one.
const LONGEST_SECRET: usize = 4096;

/// The text that replaces a secret.
const MASK: &str = "****";

/// Returns `text` with the secrets of all URLs in it masked, also if it is no valid URL itself.
pub fn mask_credentials(text: &str) -> Cow<'_, str> {
    let secrets = credentials(text);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::new();
    let mut end = 0;
    for secret in secrets {
        masked.extend([&text[end..secret.start], MASK]);
        end = secret.end;
    }
    Cow::Owned(masked + &text[end..])
}

/// Returns the byte ranges of secrets in the URLs of `text`, from left to right: users with their
/// passwords, and values of secret parameters.
pub fn credentials(text: &str) -> Vec<Range<usize>> {
    let mut found = users_of_urls(text);
    found.extend(users_without_scheme(text));
    found.extend(secret_values(text));
    found.sort_by_key(|secret| secret.start);
    let mut end = 0;
    found.retain(|secret| {
        let is_new = secret.start >= end;
        end = end.max(secret.end);
        is_new
    });
    found
}

fn users_of_urls(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("://") {
        let start = from + at + "://".len();
        let length = user_information(&text[start..]);
        found.extend((length > 0).then_some(start..start + length));
        from = start + length;
    }
    found
}

/// Returns the `user:password` of each `user:password@host` without a scheme.
fn users_without_scheme(text: &str) -> impl Iterator<Item = Range<usize>> {
    let words = text.split(ends_word).filter(|word| !word.contains("://"));
    words.filter_map(move |word| {
        let (before, after) = (word.find(':')?, word.rfind('@')?);
        let start = word[..before].rfind(['=', '(', ',', '<']).map_or(0, |at| at + 1);
        let user = &word[start..before];
        let is_drive = user.len() == 1 && word[before + 1..].starts_with(['\\', '/']);
        let is_user = !user.is_empty() && user != "file" && !is_drive && before + 1 < after;
        let offset = word.as_ptr() as usize - text.as_ptr() as usize;
        is_user.then_some(offset + start..offset + after)
    })
}

fn ends_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\'' | '"' | '`')
}

/// Returns the number of bytes before the `@` that ends a URL's user information; `after` begins
/// after `://`.
///
/// A password may have an unescaped `/`; it is recognized by a port that is no number.
fn user_information(after: &str) -> usize {
    let end = after.find(|next: char| ends_word(next) || matches!(next, '/' | '?' | '#'));
    let authority = &after[..end.unwrap_or(after.len())];
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    match authority.rfind('@') {
        Some(length) => length,
        None if port.bytes().all(|digit| digit.is_ascii_digit()) => 0,
        None => {
            let word = after.char_indices().take(LONGEST_SECRET).take_while(|(_, next)| !ends_word(*next));
            word.filter(|(_, next)| *next == '@').last().map_or(0, |(at, _)| at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_text_are_masked() {
        for (text, expected) in [
            ("foo @ git+https://me:pw@host.example/r@v1", "foo @ git+https://****@host.example/r@v1"),
            ("-i https://a@x.example -f http://b:c@y.example", "-i https://****@x.example -f http://****@y.example"),
            ("https://me:p/w@host.example/", "https://****@host.example/"),
            ("https://host.example:80/r@v1 ://", "https://host.example:80/r@v1 ://"),
            ("git+ssh://git@host.example:me/r", "git+ssh://****@host.example:me/r"),
            ("`me:pw@host.example/simple` is", "`****@host.example/simple` is"),
            ("--index-url=me:p@w@host.example", "--index-url=****@host.example"),
            ("http:/me:pw@host.example", "****@host.example"),
            ("https://a:b@x.example/?sig=s@t&v=1", "https://****@x.example/?sig=****&v=1"),
            ("git@host.example:me/r C:\\a@b C:/a@b file:a@b", "git@host.example:me/r C:\\a@b C:/a@b file:a@b"),
        ] {
            assert_eq!(mask_credentials(text), expected);
        }
    }

    #[test]
    fn no_part_of_a_path_is_taken_for_a_host() {
        let page: MaskedUrl = "https://index.example/simple/demo/".parse().unwrap();
        for text in ["https:///a.zip", "http://", "HTTPS:///a.zip", "https://?x", "ftp:///a.zip", "https://\\a.zip"] {
            assert!(text.parse::<MaskedUrl>().is_err() && page.join(text).is_err(), "{text}");
        }
        for text in ["https://a.zip", "file:///a.zip", "https://files.example//a.zip"] {
            assert!(text.parse::<MaskedUrl>().is_ok() && page.join(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn only_file_urls_are_paths() {
        let path = |url: &str| url.parse::<MaskedUrl>().unwrap().local_path();
        assert_eq!(path("https://localhost:8000/simple/"), None);
        assert_eq!(path("http://localhost/etc/passwd"), None);
        assert!(path(if cfg!(windows) { "file:///C:/srv" } else { "file:///srv" }).is_some());
    }

    #[test]
    fn secrets_are_masked_and_dropped() {
        let url: MaskedUrl = "https://me:hunter2@index.example/a%20b.whl#sha256=00".parse().unwrap();
        assert_eq!(format!("{url} {url:?}").matches("hunter2").count(), 0);
        assert_eq!(url.to_string(), "https://****@index.example/a%20b.whl#sha256=00");
        assert_eq!(url.public(), "https://index.example/a%20b.whl");
        assert_eq!(url.filename(), "a b.whl");
        let signed: MaskedUrl = "https://files.example/a.whl?v=1&X-Amz-Date=2&X-Amz-Signature=hunter2".parse().unwrap();
        assert_eq!(signed.to_string(), "https://files.example/a.whl?v=1&X-Amz-Date=2&X-Amz-Signature=****");
        assert_eq!(signed.public(), "https://files.example/a.whl?v=1");
        assert!(signed.has_credentials() && signed.address().as_str().ends_with("hunter2"));
        let token: MaskedUrl = "https://token@index.example/".parse().unwrap();
        assert_eq!(token.to_string(), "https://****@index.example/");
    }
}
