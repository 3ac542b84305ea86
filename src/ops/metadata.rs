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
    Candidate, CoreMetadata, Fingerprint, MaskedUrl, MetadataUnavailable, Object, PackageName, ResolutionMetadata,
    SourceFilename, WheelFilename,
};
use crate::http::{Answer, HttpClient, HttpError, Validators};
use crate::index::sdist_metadata::{self, SdistError};
use crate::index::wheel_metadata::{self, WheelError};
use crate::index::{Indexes, MetadataCache, MetadataFile, MetadataResult, wheel_tail};
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

/// What `candidate` needs.
///
/// # Errors
/// When it could not be asked for; that a file's metadata is unusable is an answer.
pub(super) async fn needs_of(
    project: &PackageName,
    candidate: &Candidate,
    places: &Places,
    listener: &Listener,
) -> Result<Result<ResolutionMetadata, MetadataUnavailable>, MetadataFailure> {
    let known = match (said_by_file(project, candidate, places).await, &places.builds) {
        (Ok(Err(MetadataUnavailable::NeedsBuild)), Some(builds)) => {
            said_by_build(project, candidate, places, builds, listener).await
        }
        (said, _) => said,
    };
    match known {
        Ok(known) => Ok(known.map(|metadata| ResolutionMetadata::of(&metadata))),
        Err(why) => Err(MetadataFailure { filename: candidate.filename.clone(), url: candidate.url.clone(), why }),
    }
}

/// What the wheel `candidate` needs, where no more than a part of it has to be fetched to tell.
pub(super) async fn needs_at_a_glance(
    candidate: &Candidate,
    places: &Places,
) -> Option<Result<ResolutionMetadata, MetadataUnavailable>> {
    let known = match remembered(candidate, places) {
        Some(known) => known,
        None => {
            let known = of_part(&candidate.filename.parse().ok()?, candidate, places).await.ok()??;
            remember(candidate, places, &known);
            known
        }
    };
    Some(known.map(|metadata| ResolutionMetadata::of(&metadata)))
}

/// What a file says of itself.
async fn said_by_file(
    project: &PackageName,
    candidate: &Candidate,
    places: &Places,
) -> Result<MetadataResult, FetchError> {
    if let Some(known) = remembered(candidate, places) {
        return Ok(known);
    }
    let known = match candidate.filename.parse::<WheelFilename>() {
        Ok(wheel) => of_wheel(&wheel, candidate, places).await,
        Err(_) => of_source(project, candidate, places).await,
    }?;
    remember(candidate, places, &known);
    Ok(known)
}

fn remembered(candidate: &Candidate, places: &Places) -> Option<MetadataResult> {
    places.metadata.read(candidate.promises.sha256()?)
}

/// Keeps what is known where a digest promises that it stays so.
fn remember(candidate: &Candidate, places: &Places, known: &MetadataResult) {
    if let Some(sha256) = candidate.promises.sha256() {
        places.metadata.write(sha256, known);
    }
}

async fn said_by_build(
    project: &PackageName,
    candidate: &Candidate,
    places: &Places,
    builds: &Builds,
    listener: &Listener,
) -> Result<MetadataResult, FetchError> {
    let archive = hold(candidate, places).await?;
    builds.metadata(archive.sha256, (project, &candidate.filename), &places.store, listener).await
}

async fn of_wheel(wheel: &WheelFilename, candidate: &Candidate, places: &Places) -> Result<MetadataResult, FetchError> {
    if let Some(known) = of_part(wheel, candidate, places).await? {
        return Ok(known);
    }
    let held = download(candidate, places).await?;
    Ok(judge_wheel(wheel_metadata::read(places.store.open(held.sha256)?, wheel)))
}

/// What a wheel says, unless the whole of it had to be fetched to tell.
async fn of_part(
    wheel: &WheelFilename,
    candidate: &Candidate,
    places: &Places,
) -> Result<Option<MetadataResult>, FetchError> {
    if let Some(held) = find_held(candidate, &places.store) {
        return Ok(Some(judge_wheel(wheel_metadata::read(places.store.open(held.sha256)?, wheel))));
    }
    if let Some(file) = read_in_place(wheel, candidate) {
        return Ok(Some(Ok(file.metadata)));
    }
    if let Some(file) = sidecar(wheel, candidate, &places.client).await? {
        return Ok(Some(Ok(file.metadata)));
    }
    // No digest vouches for a part of a file: one that makes no sense is told by the whole.
    if candidate.url.secret().scheme() != "file"
        && let Some(Ok(file)) = wheel_tail(&places.client, &candidate.url, wheel).await?
    {
        return Ok(Some(Ok(file.metadata)));
    }
    Ok(None)
}

/// What a local wheel says of which nobody promises a digest: nothing would be known better if all
/// of it were read.
fn read_in_place(wheel: &WheelFilename, candidate: &Candidate) -> Option<MetadataFile> {
    let path = candidate.url.local_path().filter(|_| !candidate.promises.has_digest())?;
    wheel_metadata::read(File::open(path).ok()?, wheel).ok()
}

fn judge_wheel(outcome: Result<MetadataFile, WheelError>) -> MetadataResult {
    outcome.map(|file| file.metadata).map_err(|why| MetadataUnavailable::Refused(why.to_string()))
}

/// No metadata file is this long, in bytes.
const LONGEST_SIDECAR: usize = 16 << 20;

/// The metadata file beside the wheel (PEP 658); `None` where there is none after all, or it is
/// not what the index promised or the wheel's name says: the wheel itself decides then.
async fn sidecar(
    wheel: &WheelFilename,
    candidate: &Candidate,
    client: &HttpClient,
) -> Result<Option<MetadataFile>, HttpError> {
    let Some(sidecar) = &candidate.sidecar else { return Ok(None) };
    let mut url = candidate.url.secret().clone();
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

async fn of_source(
    project: &PackageName,
    candidate: &Candidate,
    places: &Places,
) -> Result<MetadataResult, FetchError> {
    let archive = places.store.open(hold(candidate, places).await?.sha256)?;
    Ok(read_source(archive, project, &candidate.filename))
}

/// The whole file, in the store.
pub(super) async fn hold(candidate: &Candidate, places: &Places) -> Result<Object, FetchError> {
    match find_held(candidate, &places.store) {
        Some(held) => Ok(held),
        None => download(candidate, places).await,
    }
}

fn read_source(
    archive: impl Read + Seek,
    project: &PackageName,
    filename: &str,
) -> Result<CoreMetadata, MetadataUnavailable> {
    let source = SourceFilename::parse(filename, project).ok();
    let identity = source.as_ref().map(|source| (&source.name, &source.version));
    sdist_metadata::read(archive, filename, identity).map_err(|why| match why {
        SdistError::NeedsBuild => MetadataUnavailable::NeedsBuild,
        other => MetadataUnavailable::Refused(other.to_string()),
    })
}
