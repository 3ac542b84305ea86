//! The keys and paths of entries in pip's HTTP cache (`docs/facts/pip.md` 4.2).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Position;

use crate::domain::{Algorithm, Fingerprint, MaskedUrl, PackageName};

/// Returns the path of an entry below `http/` or `http-v2/`: the SHA-224 of its key, in six parts.
pub fn path(key: &str) -> String {
    let hash = Fingerprint::of(key.as_bytes(), &[Algorithm::Sha224]).digest(Algorithm::Sha224).hex;
    let folders = hash.chars().take(5).flat_map(|digit| [digit, '/']);
    folders.collect::<String>() + &hash
}

/// Returns the keys of a file: its URL as pip cleans a link on a page, and uncleaned as a
/// requirement may spell it, with either form of a `+`.
pub fn of_file(url: &MaskedUrl) -> BTreeSet<String> {
    spellings(url).iter().map(|path| key(url, path)).collect()
}

/// Returns the URLs by which pip knows a file, in the same spellings, without user and fragment.
pub fn links_of_file(url: &MaskedUrl) -> BTreeSet<String> {
    let public = url.secret();
    let host = &public[Position::BeforeHost..Position::BeforePath];
    let query = &public[Position::AfterPath..Position::AfterQuery];
    spellings(url).iter().map(|path| format!("{}://{host}{path}{query}", public.scheme())).collect()
}

fn spellings(url: &MaskedUrl) -> [String; 3] {
    let path = url.secret().path();
    let plus = path.replace("%2B", "+").replace("%2b", "+");
    [clean(path), path.to_owned(), plus]
}

/// Returns the key of a project's page.
pub fn of_page(index: &MaskedUrl, project: &PackageName) -> String {
    of_url(&index.project_page(project))
}

/// Returns the key of a URL that needs no cleaning.
pub fn of_url(url: &MaskedUrl) -> String {
    key(url, url.secret().path())
}

fn key(url: &MaskedUrl, path: &str) -> String {
    let public = url.secret();
    let host = &public[Position::BeforeHost..Position::BeforePath];
    let query = &public[Position::AfterPath..Position::AfterQuery];
    format!("{}://{host}{}", public.scheme(), normalize(&format!("{path}{query}")))
}

/// The characters that Python's `urllib.parse.quote` escapes.
const QUOTED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');

/// Returns the path of a link as pip cleans it: each part decoded and quoted anew, where `@` and an
/// encoded slash separate parts and stay.
fn clean(path: &str) -> String {
    let quote = |part: &str| utf8_percent_encode(&percent_decode_str(part).decode_utf8_lossy(), QUOTED).to_string();
    let between_slashes = |part: &str| {
        let parts = part.split("%2F").flat_map(|part| part.split("%2f"));
        parts.map(quote).collect::<Vec<_>>().join("%2F")
    };
    path.split('@').map(between_slashes).collect::<Vec<_>>().join("@")
}

/// Returns a URL as pip's HTTP library normalizes it (RFC 3986, 2.3): unreserved characters
/// decoded, other escapes in upper-case hex.
fn normalize(text: &str) -> String {
    let mut normal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        normal.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => normal.push(byte.into()),
            Some(byte) => write!(normal, "%{byte:02X}").expect("writing to a string cannot fail"),
            None => {
                normal.push('%');
                continue;
            }
        }
        rest = &rest[2..];
    }
    normal + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(url: &str) -> Vec<String> {
        of_file(&url.parse().unwrap()).into_iter().collect()
    }

    /// The vectors of `docs/facts/pip.md` 4.2.
    #[test]
    fn paths_are_where_pip_looks() {
        let wheel = "https://files.example.org/packages/aa/bb/demo_pkg-1.0-py3-none-any.whl";
        assert_eq!(path(wheel), "9/4/6/2/6/94626fdbddcc722cffcb4692933c6cde5fc1ec871588bce35216e448");
        for index in ["https://index.example.org/simple/", "https://me:pw@INDEX.example.org/simple"] {
            let page = of_page(&index.parse().unwrap(), &"Demo_Pkg".parse().unwrap());
            assert_eq!(path(&page), "8/9/0/c/9/890c9c5fd4991194c151a0288cfc26dc237e5b52cf3d12f5d0562b07");
        }
    }

    /// The link on a page and the key that pip 26.3 made of it (`docs/facts/pip.md` 4.2).
    #[test]
    fn links_are_cleaned_as_pip_cleans_them() {
        for (link, expected) in [
            ("https://f.example/demo-1.0+cpu.whl", "/demo-1.0%2Bcpu.whl"),
            ("https://f.example/demo-1.0%2Bcpu.whl", "/demo-1.0%2Bcpu.whl"),
            ("https://f.example/demo-1.0%2bcpu.whl", "/demo-1.0%2Bcpu.whl"),
            ("https://f.example/a b/", "/a%20b/"),
            ("https://f.example/%7Ex~/", "/~x~/"),
            ("https://f.example/x%2Fy/", "/x%2Fy/"),
            ("https://f.example/x%2fy/", "/x%2Fy/"),
            ("https://f.example/(x)!$'*,;:=/", "/%28x%29%21%24%27%2A%2C%3B%3A%3D/"),
            ("https://f.example/x@y/", "/x@y/"),
            ("https://f.example/files//w.whl", "/files//w.whl"),
            ("https://f.example/é.whl", "/%C3%A9.whl"),
            ("https://f.example/?a=1&b=%2f&c=+ x", "/?a=1&b=%2F&c=+%20x"),
            ("HTTPS://me:pw@F.example/a.whl#sha256=00", "/a.whl"),
        ] {
            let expected = format!("https://f.example{expected}");
            assert!(keys(link).contains(&expected), "{link}: {:?}", keys(link));
        }
    }

    #[test]
    fn a_plus_is_found_in_both_spellings() {
        for link in ["https://f.example/a+b.whl", "https://f.example/a%2Bb.whl"] {
            assert_eq!(keys(link), ["https://f.example/a%2Bb.whl", "https://f.example/a+b.whl"]);
        }
        assert_eq!(keys("https://f.example/a-1.0.whl").len(), 1);
    }
}
