//! Core metadata files: `METADATA` of wheels, `PKG-INFO` of source archives, and the sidecars of
//! PEP 658.

use std::borrow::Cow;
use std::io::{self, Read};

use crate::domain::{CoreMetadata, PackageName, ProjectSummary, Version};

/// A metadata file, both parsed and as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataFile {
    pub metadata: CoreMetadata,
    /// The file's bytes, which a layout serves as the sidecar of PEP 658.
    pub bytes: Vec<u8>,
}

/// The error for metadata that is of another project or version than its file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its metadata is of `{found}`, its file name of `{expected}`: do not trust it")]
pub struct WrongIdentity {
    pub expected: String,
    pub found: String,
}

/// The size limit of a metadata file in bytes: many times that of real ones, but small enough for
/// the memory.
const LARGEST: u64 = 16 << 20;

/// The size in bytes that most metadata files do not exceed.
const USUAL: usize = 16 << 10;

impl MetadataFile {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { metadata: parse_core_metadata(&bytes), bytes }
    }

    /// Reads one metadata file to its end.
    ///
    /// # Errors
    /// When reading fails, or the file is larger than 16 MiB.
    pub(super) fn read(file: impl Read) -> io::Result<Self> {
        let mut bytes = Vec::with_capacity(USUAL);
        if file.take(LARGEST + 1).read_to_end(&mut bytes)? as u64 > LARGEST {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a metadata file over 16 MiB is refused"));
        }
        bytes.shrink_to_fit();
        Ok(Self::new(bytes))
    }

    /// Checks that the metadata is of this release, as pip does.
    ///
    /// # Errors
    /// When name or version differ.
    pub fn check(&self, name: &PackageName, version: &Version) -> Result<(), WrongIdentity> {
        let same_name = self.metadata.name.parse::<PackageName>().is_ok_and(|found| found == *name);
        if same_name && self.metadata.version.parse::<Version>().is_ok_and(|found| found == *version) {
            return Ok(());
        }
        let found = format!("{} {}", self.metadata.name, self.metadata.version);
        Err(WrongIdentity { expected: format!("{name} {version}"), found: found.trim().to_owned() })
    }
}

/// Parses the header fields of a metadata file as Python's `email` package does.
///
/// Names may have any case and values may be folded over lines; the first line that is no field
/// ends the header.
pub fn parse_core_metadata(bytes: &[u8]) -> CoreMetadata {
    let text = header(bytes);
    let mut metadata = CoreMetadata::default();
    for (name, value) in fields(&text) {
        match name.to_ascii_lowercase().as_str() {
            "metadata-version" => set(&mut metadata.metadata_version, value),
            "name" => set(&mut metadata.name, value),
            "version" => set(&mut metadata.version, value),
            "requires-python" => {
                metadata.requires_python.get_or_insert(value);
            }
            "requires-dist" => metadata.requires_dist.push(value),
            "provides-extra" => metadata.provides_extra.push(value),
            "dynamic" => metadata.dynamic.push(value.to_ascii_lowercase()),
            _ => {}
        }
    }
    metadata.requires_python.take_if(|text| text.is_empty());
    metadata
}

/// Returns the summary and the licence of a metadata file.
///
/// The licence is the SPDX expression (PEP 639), else the older field if it is a name and not a
/// text, else the classifiers.
pub fn project_summary(bytes: &[u8]) -> ProjectSummary {
    let text = header(bytes);
    let (mut summary, mut expression, mut name, mut classifiers) = (None, None, None, Vec::new());
    for (field, value) in fields(&text) {
        match field.to_ascii_lowercase().as_str() {
            "license-expression" => expression = Some(value),
            "license" if value.len() <= LONGEST_LICENSE_NAME => name = Some(value),
            "summary" => summary = Some(value),
            "classifier" => classifiers.extend(value.strip_prefix("License :: ").map(last_part)),
            _ => {}
        }
    }
    let classified = (!classifiers.is_empty()).then(|| classifiers.join(", "));
    let is_told = |text: &String| !text.is_empty() && text != UNKNOWN;
    ProjectSummary { license: expression.or(name).filter(is_told).or(classified), summary: summary.filter(is_told) }
}

/// Returns every field of a metadata file, in order, and the text after the fields as its
/// `Description`.
pub fn metadata_fields(bytes: &[u8]) -> Vec<(String, String)> {
    let text = header(bytes);
    let mut all: Vec<_> = fields(&text).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let body = String::from_utf8_lossy(&bytes[text_start(bytes)..]);
    let body = body.trim_matches(['\r', '\n']);
    if !body.is_empty() {
        all.push((DESCRIPTION.to_owned(), body.to_owned()));
    }
    all
}

/// The field that may also stand after all others, as it is.
const DESCRIPTION: &str = "Description";

/// The value that old tools write for a missing field.
const UNKNOWN: &str = "UNKNOWN";

/// The longest name of a licence in characters; a longer field holds the licence's text.
const LONGEST_LICENSE_NAME: usize = 100;

fn last_part(classifier: &str) -> String {
    classifier.rsplit(" :: ").next().unwrap_or_default().to_owned()
}

/// Sets a field unless it is set, since the first occurrence of a field counts.
fn set(field: &mut String, value: String) {
    if field.is_empty() {
        *field = value;
    }
}

/// Returns the text before the first empty line; the description after it can be long.
fn header(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&bytes[..text_start(bytes)])
}

/// Returns the position of the first empty line, behind which the description begins.
fn text_start(bytes: &[u8]) -> usize {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines.take_while(|line| *line != b"\n" && *line != b"\r\n").map(<[u8]>::len).sum()
}

fn fields(text: &str) -> Vec<(&str, String)> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in text.trim_start_matches('\u{feff}').lines().take_while(|line| !line.is_empty()) {
        if line.starts_with([' ', '\t']) {
            if let Some((name, value)) = fields.last_mut() {
                unfold(value, line.trim(), if name.eq_ignore_ascii_case(DESCRIPTION) { '\n' } else { ' ' });
            }
        } else if let Some((name, value)) = line.split_once(':').filter(|(name, _)| is_field_name(name)) {
            fields.push((name, value.trim().to_owned()));
        } else {
            break;
        }
    }
    fields
}

/// Adds a folded line to the value that it continues.
fn unfold(value: &mut String, line: &str, separator: char) {
    if !value.is_empty() && !line.is_empty() {
        value.push(separator);
    }
    value.push_str(line);
}

fn is_field_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MetadataSource;

    #[test]
    fn fields_are_read_up_to_the_description() {
        let text = b"Metadata-Version: 2.2\r\nname: Demo.Pkg\r\nVersion: 1.0\r\nRequires-Python: >=3.8\r\n\
            Requires-Dist: idna (>=2);\r\n  python_version < '3.9'\r\nREQUIRES-DIST:six\r\nProvides-Extra: socks\r\n\
            Dynamic: Requires-Dist\r\nAuthor: Zo\xeb\r\nName: other\r\n\r\nRequires-Dist: not-this\r\n";
        let metadata = parse_core_metadata(text);
        let expected = CoreMetadata {
            metadata_version: "2.2".into(),
            name: "Demo.Pkg".into(),
            version: "1.0".into(),
            requires_python: Some(">=3.8".into()),
            requires_dist: vec!["idna (>=2); python_version < '3.9'".into(), "six".into()],
            provides_extra: vec!["socks".into()],
            dynamic: vec!["requires-dist".into()],
            source: MetadataSource::Declared,
        };
        assert_eq!(metadata, expected);
    }

    /// A copy for every line would move 100 GB here.
    #[test]
    fn a_field_folded_over_very_many_lines_is_read_in_one_pass() {
        let text = format!("Name: a\nSummary:\n{}Version: 1\n", " \n x\n".repeat(300_000));
        assert_eq!(project_summary(text.as_bytes()).summary.map(|summary| summary.len()), Some(599_999));
        assert_eq!(parse_core_metadata(text.as_bytes()).version, "1");
    }

    /// As `email.parser` of Python: a line that is no field ends the fields.
    #[test]
    fn what_is_no_field_ends_the_fields() {
        assert_eq!(parse_core_metadata(b"Name: a\nbroken line\nVersion: 1\n").version, "");
        assert_eq!(parse_core_metadata(b"\nName: a\n").name, "");
        assert_eq!(parse_core_metadata(b" folded\nName: a\n").name, "a");
        assert_eq!(parse_core_metadata(b""), CoreMetadata::default());
    }

    #[test]
    fn licences_are_names_and_not_texts() {
        let long = format!("License: {}\nClassifier: License :: OSI Approved :: MIT License\n", "x ".repeat(99));
        for (text, expected) in [
            ("License: old\nLicense-Expression: MIT OR Apache-2.0\n", Some("MIT OR Apache-2.0")),
            ("License: BSD\nClassifier: License :: OSI Approved :: MIT License\n", Some("BSD")),
            ("License: UNKNOWN\n", None),
            ("License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n", Some("MIT License")),
            (&long, Some("MIT License")),
            ("Name: demo\n", None),
        ] {
            assert_eq!(project_summary(text.as_bytes()).license.as_deref(), expected, "{text}");
        }
        let summary = |text: &str| project_summary(text.as_bytes()).summary;
        assert_eq!(summary("Name: demo\nSummary: Folded\n  words\n\nSummary: no\n").as_deref(), Some("Folded words"));
        assert_eq!([summary("Summary: UNKNOWN\n"), summary("Name: demo\n")], [None, None]);
    }

    #[test]
    fn metadata_of_another_release_is_told() {
        let file = MetadataFile::new(b"Name: Demo_Pkg\nVersion: 1.0.0\n".to_vec());
        let check = |name: &str, version: &str| file.check(&name.parse().unwrap(), &version.parse().unwrap());
        assert_eq!(check("demo-pkg", "1.0"), Ok(()));
        assert_eq!(check("demo-pkg", "1.0+local").unwrap_err().found, "Demo_Pkg 1.0.0");
        assert_eq!(
            check("demo", "1.0").unwrap_err().to_string(),
            "its metadata is of `Demo_Pkg 1.0.0`, its file name of `demo 1.0`: do not trust it"
        );
    }

    #[test]
    fn endless_files_are_refused() {
        assert_eq!(MetadataFile::read(io::repeat(b'a')).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
