//! Reads the manifest of a bundle.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::BundleError;
use crate::archive::{ArchiveReader, ReadError};
use crate::layout::{MANIFEST_PATH, Manifest};

/// The size limit of a manifest or a page in bytes.
pub const LARGEST_PAGE: u64 = 64 << 20;

/// Reads the manifest of a bundle, of an unpacked one, or from a file of its own.
///
/// # Errors
/// When there is no manifest, or it cannot be read.
pub fn manifest_at(path: &Path) -> Result<Manifest, BundleError> {
    parse(path, &manifest_text_at(path)?)
}

/// Returns the text of the manifest.
///
/// # Errors
/// When there is no manifest.
pub fn manifest_text_at(path: &Path) -> Result<Vec<u8>, BundleError> {
    if let Ok(mut file) = fs::File::open(path)
        && file.metadata().is_ok_and(|metadata| metadata.is_file())
    {
        let mut first = [0];
        if file.read_exact(&mut first).is_ok() && first == *b"{" {
            let fail = |why| BundleError::Read(ReadError::Unreadable { path: path.to_owned(), why });
            return fs::read(path).map_err(fail);
        }
    }
    let page = ArchiveReader::open(path)?.page(MANIFEST_PATH, LARGEST_PAGE)?;
    page.ok_or_else(|| BundleError::NoManifest(path.to_owned()))
}

/// Parses the manifest of the bundle at `path`.
pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Manifest, BundleError> {
    Manifest::from_json(text).map_err(|why| BundleError::Manifest { path: path.to_owned(), why })
}
