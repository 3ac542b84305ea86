//! Finds out a file's dependencies at the least cost: from the cache, from the index's metadata
//! file, from the end of the wheel, or from the whole file, which is kept for the fetch.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use super::Listener;
use super::claimed_metadata::ClaimedMetadata;
use super::download::download;
use super::fetch_context::{BuildSource, FetchContext, MetadataBuilder};
use super::fetch_error::FetchError;
use super::inconsistent_metadata::InconsistentMetadata;
use super::stored_bytes::find_bytes;
use crate::domain::{
    CoreMetadata, FileLink, Fingerprint, MaskedUrl, MetadataUnavailable, Object, PackageName, ResolutionMetadata,
    Sha256, SourceFilename, WheelFilename,
};
use crate::http::{HttpClient, HttpError, PageResponse, Validators};
use crate::index::sdist_metadata::{self, SdistError};
use crate::index::wheel_metadata::{self, WheelError};
use crate::index::{MetadataFile, MetadataKey, MetadataResult, wheel_tail};
use crate::regular_file;
use crate::store::{DiskStore, StoreError};

/// A file whose metadata could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("the metadata of {filename}: {why}")]
pub struct MetadataFailure {
    pub filename: Box<str>,
    pub url: MaskedUrl,
    pub why: FetchError,
}

/// The metadata of a file, and who states it.
pub(super) struct StatedMetadata {
    known: MetadataResult,
    /// Whether the index states it, and not the file itself.
    is_claimed: bool,
}

impl StatedMetadata {
    /// Returns the dependencies of the file of `link`, and adds a claim of its index to
    /// `claimed`.
    ///
    /// # Errors
    /// When they cannot be known; the error says why.
    pub fn metadata(
        self,
        link: &FileLink,
        claimed: &ClaimedMetadata,
    ) -> Result<ResolutionMetadata, MetadataUnavailable> {
        let metadata = self.known?;
        let resolved = ResolutionMetadata::of(&metadata);
        if self.is_claimed {
            claimed.add(&link.url, metadata);
        }
        Ok(resolved)
    }

    /// Replaces metadata that a build may contradict by "needs a build", if `context` demands that.
    fn admitted(self, context: &FetchContext) -> Self {
        let is_refused = |metadata: &CoreMetadata| context.strict_metadata && metadata.source.is_unreliable();
        match self.known {
            Ok(metadata) if is_refused(&metadata) => Self::by_file(Err(MetadataUnavailable::NeedsBuild)),
            known => Self { known, ..self },
        }
    }

    fn by_file(known: MetadataResult) -> Self {
        Self { known, is_claimed: false }
    }

    fn by_index(metadata: CoreMetadata) -> Self {
        Self { known: Ok(metadata), is_claimed: true }
    }
}

/// Returns the metadata of the file of `link`.
///
/// # Errors
/// When it could not be fetched; unusable metadata is no error.
pub(super) async fn metadata_of(
    project: &PackageName,
    link: &FileLink,
    context: &FetchContext,
    listener: &Listener,
) -> Result<StatedMetadata, MetadataFailure> {
    let stated = stated_without_build(project, link, context, listener).await;
    let stated = match (stated.map(|stated| stated.admitted(context)), &context.builds) {
        (Ok(StatedMetadata { known: Err(MetadataUnavailable::NeedsBuild), .. }), Some(builds)) => {
            metadata_from_build(project, link, context, &**builds, listener).await.map(StatedMetadata::by_file)
        }
        (stated, _) => stated,
    };
    stated.map_err(|why| MetadataFailure { filename: link.filename.clone(), url: link.url.clone(), why })
}

/// Returns the metadata of the wheel of `link`, unless the whole wheel must be fetched for it.
pub(super) async fn metadata_without_download(link: &FileLink, context: &FetchContext) -> Option<StatedMetadata> {
    let wheel: WheelFilename = link.filename.parse().ok()?;
    match cached(&wheel.name, link, context).await {
        Some(stated) => Some(stated),
        None => of_partial_wheel(&wheel, link, context).await.ok()?,
    }
}

async fn stated_without_build(
    project: &PackageName,
    link: &FileLink,
    context: &FetchContext,
    listener: &Listener,
) -> Result<StatedMetadata, FetchError> {
    if let Some(stated) = cached(project, link, context).await {
        return Ok(stated);
    }
    if let Ok(wheel) = link.filename.parse::<WheelFilename>()
        && let Some(stated) = of_partial_wheel(&wheel, link, context).await?
    {
        return Ok(stated);
    }
    metadata_of_stored(ensure_stored(link, context, listener).await?, project, link, context)
        .await
        .map(StatedMetadata::by_file)
}

/// Returns the cached metadata from the file itself, else that from its index, else what other
/// machines read of it or were told.
async fn cached(project: &PackageName, link: &FileLink, context: &FetchContext) -> Option<StatedMetadata> {
    let key = key(link.expected.sha256()?, project, link);
    if let Some(known) = context.metadata.read(key) {
        return Some(StatedMetadata::by_file(known));
    }
    if let Some(stated) = context.indexes.recall_metadata(link) {
        return Some(StatedMetadata::by_index(stated));
    }
    // Nobody vouches for what others read before the file is here, as for what its index says.
    let (read, stated) = tokio::join!(context.metadata.fetch(key), context.indexes.recall_shared_metadata(link));
    read.or(stated).map(StatedMetadata::by_index)
}

/// Returns the key of the metadata of the file of `link`.
fn key<'a>(sha256: Sha256, project: &'a PackageName, link: &'a FileLink) -> MetadataKey<'a> {
    MetadataKey { sha256, project, filename: &link.filename, tools_of: None }
}

async fn metadata_from_build(
    project: &PackageName,
    link: &FileLink,
    context: &FetchContext,
    builds: &dyn MetadataBuilder,
    listener: &Listener,
) -> Result<MetadataResult, FetchError> {
    let archive = ensure_stored(link, context, listener).await?;
    let source = BuildSource { archive: archive.sha256, project, filename: &link.filename };
    builds.metadata(source, context, listener).await
}

/// Returns the metadata of a wheel, unless the whole wheel must be fetched for it.
async fn of_partial_wheel(
    wheel: &WheelFilename,
    link: &FileLink,
    context: &FetchContext,
) -> Result<Option<StatedMetadata>, FetchError> {
    if let Some(stored) = find_bytes(link, &context.store) {
        return metadata_of_stored(stored, &wheel.name, link, context).await.map(StatedMetadata::by_file).map(Some);
    }
    if let Some(file) = read_in_place(wheel, link) {
        return Ok(Some(StatedMetadata::by_file(Ok(file.metadata))));
    }
    let file = match sidecar(wheel, link, &context.client).await? {
        Some(file) => Some(file),
        // No digest vouches for a part of a file: one that makes no sense is told by the whole.
        None if !link.url.is_local() => wheel_tail(&context.client, &link.url, wheel).await?.and_then(Result::ok),
        None => None,
    };
    Ok(file.map(|file| {
        context.indexes.remember_metadata(link, &file.metadata);
        StatedMetadata::by_index(file.metadata)
    }))
}

/// Returns the metadata of a file in the store, and caches it for ever, as its bytes were hashed.
///
/// A failing disk says nothing about the file, and bytes that make no sense are hashed again before
/// they are blamed.
async fn metadata_of_stored(
    stored: Object,
    project: &PackageName,
    link: &FileLink,
    context: &FetchContext,
) -> Result<MetadataResult, FetchError> {
    let known = read_stored(stored.sha256, project, link, &context.store)?;
    let known = match known {
        Err(MetadataUnavailable::Refused(_))
            if context.store.check_again(stored.sha256).map_err(unreadable(stored))?.is_none() =>
        {
            let silent: Listener = Arc::new(|_| ());
            let again = download(link, context, &silent).await?;
            read_stored(again.sha256, project, link, &context.store)?
        }
        known => known,
    };
    context.metadata.write(key(stored.sha256, project, link), &known);
    Ok(known)
}

fn read_stored(
    sha256: Sha256,
    project: &PackageName,
    link: &FileLink,
    store: &DiskStore,
) -> Result<MetadataResult, FetchError> {
    let mut file = ErrorRecordingFile { file: store.open(sha256)?, failed: None };
    let known = match link.filename.parse::<WheelFilename>() {
        Ok(wheel) => wheel_outcome(wheel_metadata::read(&mut file, &wheel)),
        Err(_) => read_source(&mut file, project, &link.filename),
    };
    match file.failed {
        Some(why) => Err(StoreError::Read { sha256, why }.into()),
        None => Ok(known),
    }
}

fn unreadable(stored: Object) -> impl FnOnce(io::Error) -> StoreError {
    move |why| StoreError::Read { sha256: stored.sha256, why }
}

/// A file that records system errors, since a reader of the archive may report them as faults of
/// the archive.
struct ErrorRecordingFile {
    file: File,
    failed: Option<io::Error>,
}

impl ErrorRecordingFile {
    fn watch<T>(&mut self, outcome: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &outcome
            && let Some(number) = error.raw_os_error()
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failed.get_or_insert(io::Error::from_raw_os_error(number));
        }
        outcome
    }
}

impl Read for ErrorRecordingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer);
        self.watch(read)
    }
}

impl Seek for ErrorRecordingFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // To seek to before the start is a fault of the archive.
        self.file.seek(to)
    }
}

/// Checks that the fetched file of `link` has the dependencies that its index `claimed`, on
/// which the plan depends.
///
/// # Errors
/// When it has others: the plan is wrong then, and the next run will use the file's own metadata.
pub(super) async fn check_claim(
    stored: Object,
    project: &PackageName,
    link: &FileLink,
    claimed: &CoreMetadata,
    context: &FetchContext,
) -> Result<(), FetchError> {
    let known = match context.metadata.read(key(stored.sha256, project, link)) {
        Some(known) => known,
        None => metadata_of_stored(stored, project, link, context).await?,
    };
    match known {
        Ok(own) if own == *claimed => Ok(()),
        Ok(own) => {
            let (own, claimed) = (ResolutionMetadata::of(&own), ResolutionMetadata::of(claimed));
            match own.agrees_with(&claimed) {
                true => Ok(()),
                false => Err(Box::new(InconsistentMetadata::new(link, &own, &claimed)).into()),
            }
        }
        Err(MetadataUnavailable::Refused(why)) => Err(FetchError::Refused(why)),
        Err(MetadataUnavailable::NeedsBuild) => Ok(()),
    }
}

/// Returns the metadata of a local wheel without an expected digest, which is read in place, since
/// hashing it would add nothing.
fn read_in_place(wheel: &WheelFilename, link: &FileLink) -> Option<MetadataFile> {
    let path = link.url.local_path().filter(|_| !link.expected.has_digest())?;
    wheel_metadata::read(regular_file::open(&path).ok()?, wheel).ok()
}

fn wheel_outcome(outcome: Result<MetadataFile, WheelError>) -> MetadataResult {
    outcome.map(|file| file.metadata).map_err(|why| MetadataUnavailable::Refused(why.to_string()))
}

/// The size limit of a metadata file in bytes.
const LONGEST_SIDECAR: usize = 16 << 20;

/// Returns the metadata file beside the wheel (PEP 658).
///
/// Returns `None` if there is none, or it does not have the digest that the index promises or the
/// name of the wheel: then the wheel itself decides.
async fn sidecar(
    wheel: &WheelFilename,
    link: &FileLink,
    client: &HttpClient,
) -> Result<Option<MetadataFile>, HttpError> {
    let Some(sidecar) = &link.sidecar else { return Ok(None) };
    let bytes = match client.page(&link.url.sidecar(), "*/*", &Validators::default(), LONGEST_SIDECAR).await {
        Ok(PageResponse::Page(page)) => page.content,
        Ok(PageResponse::NotModified { .. }) => return Ok(None),
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

/// Returns the file in the store, and fetches it if it is not there.
pub(super) async fn ensure_stored(
    link: &FileLink,
    context: &FetchContext,
    listener: &Listener,
) -> Result<Object, FetchError> {
    match find_bytes(link, &context.store) {
        Some(stored) => Ok(stored),
        None => download(link, context, listener).await,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder cannot be read as a file; the error comes from the system, not from the bytes.
    #[cfg(unix)]
    #[test]
    fn a_disk_that_fails_is_no_fault_of_the_archive() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = ErrorRecordingFile { file: File::open(folder.path()).unwrap(), failed: None };
        let wheel = "demo-1.0-py3-none-any.whl".parse().unwrap();
        assert!(wheel_metadata::read(&mut file, &wheel).is_err());
        assert!(file.failed.is_some());
        std::fs::write(folder.path().join("file"), "no wheel").unwrap();
        let mut file = ErrorRecordingFile { file: File::open(folder.path().join("file")).unwrap(), failed: None };
        assert!(wheel_metadata::read(&mut file, &wheel).is_err());
        assert!(file.failed.is_none());
    }
}
