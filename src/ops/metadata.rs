//! What a file needs, found out at the least cost: from memory, from the index's metadata file,
//! from the end of the wheel, or from the whole file, which is kept, since it will be wanted.

use std::fs::File;
use std::io::{Read, Seek};
use std::sync::Arc;

use super::Listener;
use super::build::Builds;
use super::fetch::{FetchError, download};
use super::held::find_held;
use crate::domain::{
    CoreMetadata, Fingerprint, MaskedUrl, Needs, Object, Offer, PackageName, SourceFilename, Unknown, WheelFilename,
};
use crate::http::{Answer, HttpClient, HttpError, Validators};
use crate::index::sdist_metadata::{self, SdistError};
use crate::index::wheel_metadata::{self, WheelError};
use crate::index::{Indexes, Known, MetadataCache, MetadataFile, wheel_tail};
use crate::store::DiskStore;

/// Everything that can be asked.
#[derive(Clone)]
pub struct Places {
    pub indexes: Arc<Indexes>,
    pub client: Arc<HttpClient>,
    pub store: DiskStore,
    pub metadata: MetadataCache,
    /// Where builds may be run.
    pub builds: Option<Builds>,
    /// What tells this build of the program from every other: what one decided, another may not.
    pub program: Arc<str>,
}

/// A file whose metadata could not be asked for.
#[derive(Debug, thiserror::Error)]
#[error("the metadata of {filename}: {why}")]
pub struct MetadataFailure {
    pub filename: Box<str>,
    pub url: MaskedUrl,
    pub why: FetchError,
}

/// What `offer` needs.
///
/// # Errors
/// When it could not be asked for; that a file's metadata is unusable is an answer.
pub(super) async fn needs_of(
    project: &PackageName,
    offer: &Offer,
    places: &Places,
    listener: &Listener,
) -> Result<Result<Needs, Unknown>, MetadataFailure> {
    let known = match (said_by_file(project, offer, places).await, &places.builds) {
        (Ok(Err(Unknown::NeedsBuild)), Some(builds)) => said_by_build(project, offer, places, builds, listener).await,
        (said, _) => said,
    };
    match known {
        Ok(known) => Ok(known.map(|metadata| Needs::of(&metadata))),
        Err(why) => Err(MetadataFailure { filename: offer.filename.clone(), url: offer.url.clone(), why }),
    }
}

/// What the wheel `offer` needs, where no more than a part of it has to be fetched to tell.
pub(super) async fn needs_at_a_glance(offer: &Offer, places: &Places) -> Option<Result<Needs, Unknown>> {
    let known = match remembered(offer, places) {
        Some(known) => known,
        None => {
            let known = of_part(&offer.filename.parse().ok()?, offer, places).await.ok()??;
            remember(offer, places, &known);
            known
        }
    };
    Some(known.map(|metadata| Needs::of(&metadata)))
}

/// What a file says of itself.
async fn said_by_file(project: &PackageName, offer: &Offer, places: &Places) -> Result<Known, FetchError> {
    if let Some(known) = remembered(offer, places) {
        return Ok(known);
    }
    let known = match offer.filename.parse::<WheelFilename>() {
        Ok(wheel) => of_wheel(&wheel, offer, places).await,
        Err(_) => of_source(project, offer, places).await,
    }?;
    remember(offer, places, &known);
    Ok(known)
}

fn remembered(offer: &Offer, places: &Places) -> Option<Known> {
    places.metadata.read(offer.promises.sha256()?)
}

/// Keeps what is known where a digest promises that it stays so.
fn remember(offer: &Offer, places: &Places, known: &Known) {
    if let Some(sha256) = offer.promises.sha256() {
        places.metadata.write(sha256, known);
    }
}

async fn said_by_build(
    project: &PackageName,
    offer: &Offer,
    places: &Places,
    builds: &Builds,
    listener: &Listener,
) -> Result<Known, FetchError> {
    let archive = hold(offer, places).await?;
    builds.metadata(archive.sha256, (project, &offer.filename), &places.store, listener).await
}

async fn of_wheel(wheel: &WheelFilename, offer: &Offer, places: &Places) -> Result<Known, FetchError> {
    if let Some(known) = of_part(wheel, offer, places).await? {
        return Ok(known);
    }
    let held = download(offer, places).await?;
    Ok(judge_wheel(wheel_metadata::read(places.store.open(held.sha256)?, wheel)))
}

/// What a wheel says, unless the whole of it had to be fetched to tell.
async fn of_part(wheel: &WheelFilename, offer: &Offer, places: &Places) -> Result<Option<Known>, FetchError> {
    if let Some(held) = find_held(offer, &places.store) {
        return Ok(Some(judge_wheel(wheel_metadata::read(places.store.open(held.sha256)?, wheel))));
    }
    if let Some(file) = read_in_place(wheel, offer) {
        return Ok(Some(Ok(file.metadata)));
    }
    if let Some(file) = sidecar(wheel, offer, &places.client).await? {
        return Ok(Some(Ok(file.metadata)));
    }
    // No digest vouches for a part of a file: one that makes no sense is told by the whole.
    if offer.url.secret().scheme() != "file"
        && let Some(Ok(file)) = wheel_tail(&places.client, &offer.url, wheel).await?
    {
        return Ok(Some(Ok(file.metadata)));
    }
    Ok(None)
}

/// What a local wheel says of which nobody promises a digest: nothing would be known better if all
/// of it were read.
fn read_in_place(wheel: &WheelFilename, offer: &Offer) -> Option<MetadataFile> {
    let is_promised = !offer.promises.index.is_empty() || !offer.promises.asked.is_empty();
    let path = offer.url.local_path().filter(|_| !is_promised)?;
    wheel_metadata::read(File::open(path).ok()?, wheel).ok()
}

fn judge_wheel(outcome: Result<MetadataFile, WheelError>) -> Known {
    outcome.map(|file| file.metadata).map_err(|why| Unknown::Refused(why.to_string()))
}

/// No metadata file is this long, in bytes.
const LONGEST_SIDECAR: usize = 16 << 20;

/// The metadata file beside the wheel (PEP 658); `None` where there is none after all, or it is
/// not what the index promised or the wheel's name says: the wheel itself decides then.
async fn sidecar(wheel: &WheelFilename, offer: &Offer, client: &HttpClient) -> Result<Option<MetadataFile>, HttpError> {
    let Some(sidecar) = &offer.sidecar else { return Ok(None) };
    let mut url = offer.url.secret().clone();
    url.set_path(&format!("{}.metadata", url.path()));
    let bytes = match client.page(&url.into(), "*/*", &Validators::default(), LONGEST_SIDECAR).await {
        Ok(Answer::Page(page)) => page.content,
        Ok(Answer::NotModified { .. }) => return Ok(None),
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    let keeps = |digest: &crate::domain::Digest| {
        Fingerprint::of(&bytes, &[digest.algorithm]).digest(digest.algorithm).agrees_with(digest)
    };
    if !sidecar.digest.as_ref().is_none_or(keeps) {
        return Ok(None);
    }
    let file = MetadataFile::new(bytes);
    Ok(file.check(&wheel.name, &wheel.version).is_ok().then_some(file))
}

async fn of_source(project: &PackageName, offer: &Offer, places: &Places) -> Result<Known, FetchError> {
    let archive = places.store.open(hold(offer, places).await?.sha256)?;
    Ok(read_source(archive, project, &offer.filename))
}

/// The whole file, in the store.
pub(super) async fn hold(offer: &Offer, places: &Places) -> Result<Object, FetchError> {
    match find_held(offer, &places.store) {
        Some(held) => Ok(held),
        None => download(offer, places).await,
    }
}

fn read_source(archive: impl Read + Seek, project: &PackageName, filename: &str) -> Result<CoreMetadata, Unknown> {
    let source = SourceFilename::parse(filename, project).ok();
    let identity = source.as_ref().map(|source| (&source.name, &source.version));
    sdist_metadata::read(archive, filename, identity).map_err(|why| match why {
        SdistError::NeedsBuild => Unknown::NeedsBuild,
        other => Unknown::Refused(other.to_string()),
    })
}
