//! Trees of files, which layouts make and archives contain: paths with their content.

use std::collections::{BTreeMap, btree_map};
use std::fmt;

use super::{PipCacheEntry, Sha256, is_control};

/// A relative path that is safe to create on every system, with `/` between its parts.
///
/// Data becomes a path in no other way: [`RelPath::new`] refuses everything that could lead out of
/// its folder, or that Windows does not support.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(Box<str>);

/// Why a text is no valid path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot be a file name here: {why}", path.escape_debug())]
pub struct RelPathError {
    pub path: String,
    pub why: &'static str,
}

/// The longest file name that common file systems support, in bytes.
const LONGEST_PART: usize = 255;

impl RelPath {
    /// Checks `path`, whose parts are separated by `/`.
    ///
    /// # Errors
    /// When the text breaks a rule; the error names the first one.
    pub fn new(path: impl Into<String>) -> Result<Self, RelPathError> {
        let path = path.into();
        match path.split('/').find_map(fault) {
            Some(why) => Err(RelPathError { path, why }),
            None => Ok(Self(path.into())),
        }
    }

    /// Returns what keeps `name` from being a file name, if anything does.
    pub fn file_name_fault(name: &str) -> Option<&'static str> {
        if is_ordinary(name) {
            return None;
        }
        if name.contains('/') { Some("it holds a slash") } else { fault(name) }
    }

    /// Returns this path below the folder `parent`.
    pub fn under(&self, parent: &RelPath) -> Self {
        Self(format!("{parent}/{self}").into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `name` looks like the usual names of archives, so that no rule needs to be checked: a
/// page may list 20,000 of them.
fn is_ordinary(name: &str) -> bool {
    let is_ordinary = |byte: &u8| byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'_' | b'+' | b'.');
    // No device has a name of five letters and digits.
    name.as_bytes().first_chunk::<5>().is_some_and(|start| !start.contains(&b'.'))
        && name.len() <= LONGEST_PART
        && !name.ends_with('.')
        && name.as_bytes().iter().fold(true, |all, byte| all & is_ordinary(byte))
}

fn fault(part: &str) -> Option<&'static str> {
    let stem = part.split('.').next().unwrap_or_default();
    if part.is_empty() {
        Some("it is absolute or has an empty part")
    } else if part == "." || part == ".." {
        Some("it has a `.` or `..` part")
    } else if part.len() > LONGEST_PART {
        Some("it is longer than 255 bytes")
    } else if let Some(why) = part.bytes().find_map(byte_fault) {
        Some(why)
    } else if part.contains(is_control) {
        Some("it holds a character that cannot be seen, or that ends lines")
    } else if part.contains("${") {
        Some("it holds `${`, where pip reads a variable")
    } else if part.ends_with(['.', ' ']) {
        Some("it ends in a dot or a space, which Windows drops")
    } else if is_device(stem) {
        Some("it is the name of a Windows device")
    } else {
        None
    }
}

fn byte_fault(byte: u8) -> Option<&'static str> {
    match byte {
        0..0x20 | 0x7f => Some("it holds a control character"),
        b'\\' | b':' | b'*' | b'?' | b'"' | b'<' | b'>' | b'|' => Some("it holds a character that Windows forbids"),
        _ => None,
    }
}

fn is_device(stem: &str) -> bool {
    let stem = stem.trim_end();
    let is = |name: &&str| stem.eq_ignore_ascii_case(name);
    if ["CON", "PRN", "AUX", "NUL"].iter().any(is) {
        return true;
    }
    let is_port = |port: &&str| stem.get(..port.len()).is_some_and(|start| start.eq_ignore_ascii_case(port));
    ["COM", "LPT"].iter().find(|port| is_port(port)).is_some_and(|port| {
        matches!(&stem[port.len()..], "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
    })
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The content of a path: an object of the store, a generated page, or an object inside generated
/// text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Object {
        sha256: Sha256,
        /// Size in bytes.
        size: u64,
    },
    Page(Vec<u8>),
    /// An object of the store inside generated text.
    PipCacheEntry(PipCacheEntry),
}

impl Content {
    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Object { size, .. } => *size,
            Self::Page(bytes) => bytes.len() as u64,
            Self::PipCacheEntry(entry) => entry.size(),
        }
    }
}

/// Everything that an output consists of, sorted by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(BTreeMap<RelPath, Content>);

impl Tree {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a path, replacing its content.
    pub fn insert(&mut self, path: RelPath, content: Content) {
        self.0.insert(path, content);
    }

    pub fn get(&self, path: &RelPath) -> Option<&Content> {
        self.0.get(path)
    }

    /// Returns paths and contents, sorted by path.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&RelPath, &Content)> {
        self.0.iter()
    }

    /// Returns this tree as the folder `parent` of another.
    pub fn under(self, parent: &RelPath) -> Self {
        Self(self.0.into_iter().map(|(path, content)| (path.under(parent), content)).collect())
    }

    /// Adds all of `other`, whose contents replace those of equal paths.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

impl IntoIterator for Tree {
    type Item = (RelPath, Content);
    type IntoIter = btree_map::IntoIter<RelPath, Content>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_paths_are_taken() {
        for path in ["a.whl", "simple/zope-interface/index.html", ".content-type", "a%2Fb", "é.whl", "com", "com10"] {
            assert_eq!(RelPath::new(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn hostile_paths_are_refused() {
        let long = "x".repeat(300);
        let hostile = [
            "",
            "/etc/passwd",
            "../x.whl",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "a\\b",
            "C:x",
            "a\0b",
            "a\nb",
            "con",
            "NUL.whl",
            "com1.tar.gz",
            "x.",
            "x ",
            "a?b",
            "a\u{2028}b",
            "a\u{202e}b",
            "${HOME}.zip",
            &long,
        ];
        for path in hostile {
            assert!(RelPath::new(path).is_err(), "{path:?} was taken");
        }
        assert!(RelPath::file_name_fault("a/b").is_some());
    }

    proptest! {
        #[test]
        fn no_rule_is_broken_by_an_ordinary_name(name in r"(?i)(con|com1|lpt¹|a|[a-z0-9 ]{0,6})[a-z0-9._+ :-]{0,8}") {
            if is_ordinary(&name) {
                prop_assert_eq!(fault(&name), None);
            }
            prop_assert_eq!(RelPath::file_name_fault(&name), fault(&name));
        }
    }

    #[test]
    fn names_of_archives_are_ordinary() {
        assert!(is_ordinary("demo-1.0+local.1-cp312-cp312-manylinux_2_28_x86_64.whl"));
        for name in ["con.whl", "demo/1.0.zip", "demo1.", &"x".repeat(256)] {
            assert!(!is_ordinary(name), "{name}");
        }
    }

    #[test]
    fn errors_show_the_name_escaped() {
        let error = RelPath::new("a\0b").unwrap_err();
        assert_eq!(error.to_string(), r"`a\0b` cannot be a file name here: it holds a control character");
    }
}
