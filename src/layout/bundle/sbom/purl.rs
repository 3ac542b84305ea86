//! Package URLs (ECMA-427) of the type `pypi`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{ManifestFile, ManifestPackage};

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
    let (sha256, filename) = (&file.sha256, escaped(&file.filename));
    format!("{}?checksum=sha256:{sha256}&file_name={filename}", of_release(package))
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}
