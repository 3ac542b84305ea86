//! Wheels that were built before: on this machine, or on one that shares its store.

use super::BuildJob;
use super::built_wheels::{BuiltWheel, BuiltWheelCache};
use super::check::check_wheel;
use crate::domain::{ExpectedContent, Sha256};
use crate::index::wheel_linkage;
use crate::ops::fetch_context::FetchContext;
use crate::ops::fetch_error::FetchError;
use crate::ops::shared_objects::{SharedOutcome, fetch_shared};
use crate::shared_store::SharedStore;

/// Returns the wheel of a build that this machine holds.
pub fn held_wheel(key: Sha256, context: &FetchContext) -> Option<BuiltWheel> {
    BuiltWheelCache::new(&context.entries).read(key).filter(|wheel| context.store.find(wheel.sha256).is_some())
}

/// Returns the wheel of a build that this machine holds, or that another one shares.
///
/// # Errors
/// When a shared wheel cannot be written on this machine.
pub async fn known_wheel(key: Sha256, job: &BuildJob<'_>) -> Result<Option<BuiltWheel>, FetchError> {
    match (held_wheel(key, job.context), &job.context.shared) {
        (None, Some(shared)) => shared_wheel(key, job, shared).await,
        (held, _) => Ok(held),
    }
}

/// Takes the wheel that another machine built, if its bytes are there and are of the release.
async fn shared_wheel(key: Sha256, job: &BuildJob<'_>, shared: &SharedStore) -> Result<Option<BuiltWheel>, FetchError> {
    let wheels = BuiltWheelCache::new(&job.context.entries);
    let Some(wheel) = wheels.fetch(key).await else { return Ok(None) };
    let store = &job.context.store;
    let object = match store.find(wheel.sha256) {
        Some(held) => held,
        None => {
            // The size is only what the entry says; wrong bytes are known by their digest.
            let incoming =
                store.begin(ExpectedContent { by_index: vec![wheel.sha256.into()], ..ExpectedContent::default() })?;
            match fetch_shared(shared, wheel.sha256, (0, &wheel.filename), incoming, None, &|_| ()).await? {
                SharedOutcome::Fetched(object) => object,
                SharedOutcome::Missing(_) | SharedOutcome::Mismatch => return Ok(None),
            }
        }
    };
    let file = || store.open(object.sha256);
    if check_wheel(file()?, &wheel.filename, job.source.project, job.source.filename).is_err() {
        return Ok(None);
    }
    let wheel = BuiltWheel { size: object.size, linkage: wheel_linkage::read(file()?)?, ..wheel };
    wheels.keep(key, &wheel);
    Ok(Some(wheel))
}
