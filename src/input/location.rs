//! The locations of requirements files, and the resolution of relative names in them
//! (`docs/facts/pip.md` 1.5).

use std::fmt;
use std::path::{Component, Path, PathBuf};

use url::Url;

use crate::domain::{Origin, mask_credentials};

/// The location of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    StandardInput,
    /// A path as the user would write it: relative to the working folder, or absolute.
    File(PathBuf),
    /// A URL with the scheme `http`, `https` or `file`, with its credentials.
    Url(String),
}

impl Location {
    /// Parses a location as the user writes it; `-` is standard input.
    pub fn parse(text: &str) -> Self {
        match text {
            "-" => Self::StandardInput,
            text if is_file_url(text) => Self::Url(text.to_owned()),
            path => Self::File(path.into()),
        }
    }

    /// Whether it is on the network, so that others decide about its content.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self, Self::Url(url) if !is_local_url(url))
    }

    /// Resolves the value of `-r` in a file at this location.
    pub(super) fn join(&self, value: &str) -> Self {
        match self {
            Self::Url(base) => {
                let joined = Url::parse(base).and_then(|base| base.join(value));
                Self::Url(joined.map_or_else(|_| value.to_owned(), Into::into))
            }
            _ if is_file_url(value) => Self::Url(value.to_owned()),
            Self::File(path) => Self::File(normalize(&path.with_file_name("").join(value))),
            Self::StandardInput => Self::File(normalize(Path::new(value))),
        }
    }

    /// Returns a location that is the same for all names of one file, so that cycles are detected.
    pub(super) fn identity(&self, working_folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(normalize(&working_folder.join(path))),
            other => other.clone(),
        }
    }

    /// Returns the folder that `--find-links` in this file may be relative to; `None` for a URL.
    pub(super) fn folder(&self, working_folder: &Path) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(normalize(&working_folder.join(path)).with_file_name("")),
            Self::StandardInput => Some(working_folder.to_owned()),
            Self::Url(_) => None,
        }
    }

    /// Returns the last part of the path.
    pub(super) fn filename(&self) -> String {
        match self {
            Self::StandardInput => String::new(),
            Self::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Self::Url(url) => {
                let path = url.split(['?', '#']).next().unwrap_or_default();
                path.rsplit('/').next().unwrap_or_default().to_owned()
            }
        }
    }

    pub(super) fn origin(&self, line: usize) -> Origin {
        Origin { file: self.to_string().into(), line }
    }
}

impl fmt::Display for Location {
    /// Writes the location as the user would name it; a URL is masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandardInput => f.write_str("standard input"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(&mask_credentials(url)),
        }
    }
}

fn is_file_url(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https" | "file"))
}

fn is_local_url(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("file"))
}

/// Removes `.` from `path`, and `..` if a name precedes it; links are not followed.
pub(super) fn normalize(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match (part, normal.components().next_back()) {
            (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                normal.pop();
            }
            _ => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str, value: &str) -> String {
        Location::parse(base).join(value).to_string()
    }

    #[test]
    fn nested_names_are_relative_to_their_file() {
        for (base, value, expected) in [
            ("requirements.txt", "base.txt", "base.txt"),
            ("requirements/dev.txt", "base.txt", "requirements/base.txt"),
            ("requirements/dev.txt", "../base.txt", "base.txt"),
            ("dev.txt", "../base.txt", "../base.txt"),
            ("/a/dev.txt", "../../../base.txt", "/base.txt"),
            ("a/dev.txt", "/b.txt", "/b.txt"),
            ("a/dev.txt", "-", "a/-"),
            ("-", "./b.txt", "b.txt"),
            ("a/dev.txt", "HTTPS://files.example/b.txt", "HTTPS://files.example/b.txt"),
            ("https://files.example/a/dev.txt", "../b.txt", "https://files.example/b.txt"),
            ("https://files.example/a/dev.txt", "/b.txt", "https://files.example/b.txt"),
            ("https://me:pw@files.example/a/dev.txt", "b.txt", "https://****@files.example/a/b.txt"),
            ("file:///a/dev.txt", "b.txt", "file:///a/b.txt"),
        ] {
            assert_eq!(joined(base, value), expected, "{value} in {base}");
        }
    }

    #[test]
    fn a_file_has_one_identity() {
        let folder = Path::new("/w");
        let identity = |text: &str| Location::parse(text).identity(folder);
        assert_eq!(identity("a/../b.txt"), identity("/w/./b.txt"));
        assert_eq!(Location::parse("a/b.txt").folder(folder), Some("/w/a/".into()));
    }
}
