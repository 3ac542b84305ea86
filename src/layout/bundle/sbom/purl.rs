//! Package URLs (ECMA-427) of the type `pypi`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{ManifestBuiltFrom, ManifestFile, ManifestPackage};

/// The characters that are escaped: all but the unreserved ones and the colon (ECMA-427, 5.4).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// Returns the package URL of a release; its name is normalized (PEP 503), as vulnerability
/// databases have it.
pub fn of_release(package: &ManifestPackage) -> String {
    let version = package.version.as_ref().map(|version| format!("@{}", escaped(version)));
    format!("pkg:pypi/{}{}", escaped(&package.name), version.unwrap_or_default())
}

/// Returns the package URL of one file of a release.
pub fn of_file(package: &ManifestPackage, file: &ManifestFile) -> String {
    of_bytes(package, &file.sha256, &file.filename)
}

/// Returns the package URL of the source archive that a file of a release was built from.
pub fn of_archive(package: &ManifestPackage, archive: &ManifestBuiltFrom) -> String {
    of_bytes(package, &archive.sha256, &archive.filename)
}

fn of_bytes(package: &ManifestPackage, sha256: &str, filename: &str) -> String {
    format!("{}?checksum=sha256:{sha256}&file_name={}", of_release(package), escaped(filename))
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}
