//! File names of wheels (PEP 427).

use super::{FilenameError, parse_version};
use crate::domain::{PackageName, Version};

/// A wheel's file name, `name-version(-build)?-python-abi-platform.whl` (the binary distribution
/// format, PEP 427).
#[derive(Clone, Debug, PartialEq)]
pub struct WheelFilename {
    pub name: PackageName,
    pub version: Version,
    pub build: Option<BuildTag>,
    /// The Python tags, in lower case as `packaging` compares them; alternatives are separated by
    /// dots.
    pub python: Box<str>,
    pub abi: Box<str>,
    pub platform: Box<str>,
}

/// A wheel's build tag: a number, then text; later builds are greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BuildTag {
    pub number: u64,
    pub suffix: Box<str>,
}

impl std::str::FromStr for WheelFilename {
    type Err = FilenameError;

    fn from_str(filename: &str) -> Result<Self, FilenameError> {
        let stem = filename.strip_suffix(".whl").ok_or(FilenameError::Extension)?;
        let parts: Vec<_> = stem.split('-').collect();
        let (name, version, build, tags) = match parts.as_slice() {
            [name, version, tags @ ..] if tags.len() == 3 => (name, version, None, tags),
            [.., label] if is_variant(&parts) => return Err(FilenameError::Variant((*label).to_owned())),
            [name, version, build, tags @ ..] if tags.len() == 3 => (name, version, Some(*build), tags),
            _ => return Err(FilenameError::WheelParts),
        };
        Ok(Self {
            name: wheel_name(name)?,
            version: parse_version(version)?,
            build: build.map(str::parse).transpose()?,
            python: tag_set(tags[0])?,
            abi: tag_set(tags[1])?,
            platform: tag_set(tags[2])?,
        })
    }
}

/// Whether the parts are those of a wheel variant, whose label comes last (PEP 825).
///
/// Of six parts the third must be a build tag, which begins with a digit.
fn is_variant(parts: &[&str]) -> bool {
    let is_build = |part: &str| part.starts_with(|first: char| first.is_ascii_digit());
    let is_label = |label: &str| !label.is_empty() && is_escaped(label);
    match parts {
        [_, _, third, .., label] if parts.len() == 6 => !is_build(third) && is_label(label),
        [_, _, third, .., label] if parts.len() == 7 => is_build(third) && is_label(label),
        _ => false,
    }
}

/// Whether a part has only the characters that wheel names may have (PEP 427).
///
/// Other characters could mean something to programs that read names later, such as a shell.
fn is_escaped(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

fn tag_set(text: &str) -> Result<Box<str>, FilenameError> {
    match is_escaped(text) && text.split('.').all(|tag| !tag.is_empty()) {
        true => Ok(text.to_ascii_lowercase().into()),
        false => Err(FilenameError::Tag(text.to_owned())),
    }
}

/// Parses a wheel's project name, in which every run of `-_.` is one `_`, so that two in a row are
/// invalid (pip 25.3).
fn wheel_name(name: &str) -> Result<PackageName, FilenameError> {
    let wrong = || FilenameError::Name(name.to_owned());
    if name.contains("__") { Err(wrong()) } else { name.parse().map_err(|_| wrong()) }
}

impl std::str::FromStr for BuildTag {
    type Err = FilenameError;

    fn from_str(text: &str) -> Result<Self, FilenameError> {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, suffix) = text.split_at(digits);
        match number.parse() {
            Ok(number) if is_escaped(suffix) => Ok(Self { number, suffix: suffix.into() }),
            _ => Err(FilenameError::Build(text.to_owned())),
        }
    }
}
