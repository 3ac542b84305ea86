//! `SHA256SUMS` of a bundle, which `sha256sum -c` and similar tools can check.

use crate::domain::Sha256;

/// Returns the text of the file for these paths, which must be sorted.
pub fn sums<'a>(files: impl Iterator<Item = (&'a str, Sha256)>) -> String {
    files.map(|(path, sha256)| format!("{sha256}  {path}\n")).collect()
}
