//! The metadata file beside a wheel (PEP 658).

use crate::domain::{Candidate, Digest, ExpectedContent, FileLink, Object, Sha256, WheelFilename};
use crate::http::blocking;
use crate::index::wheel_metadata;
use crate::store::DiskStore;

/// Returns the digest of a file's metadata: what has none is not passed on, since nothing tells whether
/// it is right.
pub fn promised(file: &Candidate) -> Option<&Digest> {
    file.sidecar.as_ref()?.digest.as_ref()
}

/// Returns the metadata file of a wheel, to be fetched.
pub fn file_link(wheel: &Candidate) -> Option<FileLink> {
    let digest = promised(wheel)?.clone();
    let file = FileLink::of(wheel, &[]);
    Some(FileLink {
        filename: format!("{}.metadata", wheel.filename).into(),
        url: wheel.url.sidecar(),
        expected: ExpectedContent { by_index: vec![digest], ..ExpectedContent::default() },
        ..file
    })
}

/// Stores the metadata of a wheel that the store has, if it has the digest that the index promises, so
/// that its index need not be asked.
pub async fn store_metadata_of(wheel: &Candidate, store: &DiskStore) {
    let Some(promised) = promised(wheel).and_then(Digest::as_sha256) else { return };
    let (store, expected) = (store.clone(), FileLink::of(wheel, &[]).expected);
    let filename = wheel.filename.clone();
    blocking(move || store_metadata(promised, &filename, &expected, &store)).await;
}

/// Stores the metadata file; returns `None` if the store has it already, or cannot make it.
fn store_metadata(promised: Sha256, filename: &str, wheel: &ExpectedContent, store: &DiskStore) -> Option<Object> {
    if store.find(promised).is_some() {
        return None;
    }
    let held = store.find_expected(wheel)?;
    let filename: WheelFilename = filename.parse().ok()?;
    let bytes = wheel_metadata::read(store.open(held.sha256).ok()?, &filename).ok()?.bytes;
    (Sha256::of(&bytes) == promised).then(|| store.insert(&bytes).ok())?
}
