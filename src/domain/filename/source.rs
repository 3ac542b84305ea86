//! File names of source archives (PEP 625, and older forms).

use std::fmt;

use super::{FilenameError, is_same_name, parse_version};
use crate::domain::{PackageName, Version};

/// A source archive's file name: `name-version.tar.gz` (PEP 625), or an older form.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceFilename {
    pub name: PackageName,
    pub version: Version,
    pub extension: SourceExtension,
}

/// The archive formats that pip accepts as source distributions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceExtension {
    TarGz,
    Zip,
    Tgz,
    Tar,
    TarBz2,
    Tbz,
    TarXz,
    Txz,
    Tlz,
    TarLz,
    TarLzma,
}

impl SourceExtension {
    const ALL: [(&'static str, Self); 11] = [
        (".tar.gz", Self::TarGz),
        (".zip", Self::Zip),
        (".tgz", Self::Tgz),
        (".tar.bz2", Self::TarBz2),
        (".tbz", Self::Tbz),
        (".tar.xz", Self::TarXz),
        (".txz", Self::Txz),
        (".tlz", Self::Tlz),
        (".tar.lzma", Self::TarLzma),
        (".tar.lz", Self::TarLz),
        (".tar", Self::Tar),
    ];

    /// Splits a file name into the part before its extension, and the extension; case matters, as
    /// on an index page.
    pub fn split(filename: &str) -> Option<(&str, Self)> {
        Self::ALL.iter().find_map(|(text, extension)| Some((filename.strip_suffix(text)?, *extension)))
    }

    /// Whether pip 24 and later find files with this extension in a plain find-links folder.
    pub fn is_seen_in_a_folder(self) -> bool {
        matches!(self, Self::TarGz | Self::Zip)
    }
}

impl fmt::Display for SourceExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, _) = Self::ALL.iter().find(|(_, extension)| extension == self).expect("every extension is listed");
        f.write_str(text)
    }
}

impl SourceFilename {
    /// Parses `filename` as a source archive of `project`; as old names are ambiguous
    /// (`a-b-1.tar.gz`), the project decides where its name ends.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(filename: &str, project: &PackageName) -> Result<Self, FilenameError> {
        let (stem, extension) = SourceExtension::split(filename).ok_or(FilenameError::Extension)?;
        let version = source_version(stem, project).ok_or(FilenameError::OtherProject)?;
        Ok(Self { name: project.clone(), version: parse_version(version)?, extension })
    }

    /// Parses `filename` without a known project: the version is what follows the last `-`.
    ///
    /// # Errors
    /// When there is no version.
    pub fn guess(filename: &str) -> Result<Self, FilenameError> {
        let (stem, extension) = SourceExtension::split(filename).ok_or(FilenameError::Extension)?;
        let (name, version) = stem.rsplit_once('-').ok_or_else(|| FilenameError::Version(stem.to_owned()))?;
        let wrong = |_| FilenameError::Name(name.to_owned());
        Ok(Self { name: name.parse().map_err(wrong)?, version: parse_version(version)?, extension })
    }
}

/// Returns what follows the project's name in an archive's name, without a `-py3.9` suffix.
pub(super) fn source_version<'a>(stem: &'a str, project: &PackageName) -> Option<&'a str> {
    let dashes = stem.match_indices('-').map(|(at, _)| at);
    let at = dashes.into_iter().find(|at| is_same_name(&stem[..*at], project))?;
    let version = &stem[at + 1..];
    Some(match version.rfind("-py") {
        Some(suffix) if is_python_suffix(&version[suffix + 3..]) => &version[..suffix],
        _ => version,
    })
}

/// Whether the text is `3` or `3.9`; pip knows minor versions of one digit here.
fn is_python_suffix(text: &str) -> bool {
    matches!(text.as_bytes(), [b'1'..=b'3'] | [b'1'..=b'3', b'.', b'0'..=b'9'])
}
