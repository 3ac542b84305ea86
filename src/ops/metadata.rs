//! What a file needs, found out at the least cost: from memory, from the index's metadata file,
//! from the end of the wheel, or from the whole file, which is kept, since it will be wanted.

use std::sync::Arc;

use super::fetch::{FetchError, transfer};
use crate::domain::{
    DistributionFilename, MaskedUrl, Needs, Object, Offer, SourceFilename, Unknown, WheelFilename,
};
use crate::http::{HttpClient, HttpError};
use crate::index::sdist_metadata::{self, SdistError};
use crate::index::wheel_metadata;
use crate::index::{Indexes, MetadataCache, MetadataFile, Remote, WheelTail};
use crate::store::DiskStore;

/// Everything that can be asked.
#[derive(Clone)]
pub struct Places {
    pub indexes: Arc<Indexes>,
    pub client: Arc<HttpClient>,
    pub store: DiskStore,
    pub metadata: MetadataCache,
}

/// A file whose metadata could not be asked for.
#[derive(Debug, thiserror::Error)]
#[error("the metadata of {filename}: {why}")]
pub struct MetadataFailure {
    pub filename: Box<str>,
    pub why: FetchError,
}

/// What `offer` needs.
///
/// # Errors
/// When it could not be asked for; that a file's metadata is unusable is an answer.
pub(super) async fn needs_of(offer: &Offer, places: &Places) -> Result<Result<Needs, Unknown>, MetadataFailure> {
    let sha256 = offer.promises.sha256();
    if let Some(known) = sha256.and_then(|sha256| places.metadata.read(sha256)) {
        return Ok(understand(known));
    }
    let found = read(offer, places).await.map_err(|why| MetadataFailure { filename: offer.filename.clone(), why })?;
    if let Some(sha256) = sha256 {
        places.metadata.write(sha256, &found);
    }
    Ok(understand(found))
}
