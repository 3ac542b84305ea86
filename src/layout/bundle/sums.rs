//! `SHA256SUMS` of a bundle: what `sha256sum -c`, and every system's own tool, can check.

use crate::domain::Sha256;

/// The text of the file for these paths, which come sorted.
pub fn sums<'a>(files: impl Iterator<Item = (&'a str, Sha256)>) -> String {
    files.map(|(path, sha256)| format!("{sha256}  {path}\n")).collect()
}
