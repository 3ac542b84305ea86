//! Maintains a shared store: fills it from the cache of this machine and the other way round, and
//! checks and prunes it.

mod progress;

use std::collections::HashSet;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use self::progress::CheckProgress;
use super::shared_objects::{SharedOutcome, fetch_shared};
use crate::cache_folder::{CacheBucket, CacheEntries, Proof, Readers, RemoteEntries, SHARED_BUCKETS, real_entries};
use crate::domain::{ExpectedContent, Object, Sha256, Timestamp};
use crate::shared_store::{SharedFile, SharedFileKind, SharedStore, Upload, entry_path, object_path};
use crate::store::{DiskStore, StoreError};

/// The number of files that are copied or read at once.
const AT_ONCE: usize = 8;

/// Why a shared store could not be maintained.
#[derive(Debug, thiserror::Error)]
pub enum SharedCacheError {
    /// The shared store failed.
    #[error("{0}")]
    Store(String),
    #[error("the cache cannot be read or written: {0}")]
    Cache(#[from] std::io::Error),
    #[error(transparent)]
    Disk(#[from] StoreError),
}

impl From<String> for SharedCacheError {
    fn from(why: String) -> Self {
        Self::Store(why)
    }
}

/// What was copied into a shared store or out of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// The number of distributions and other objects.
    pub files: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// The number of smaller entries.
    pub entries: usize,
    /// The number of files and entries that were there already.
    pub kept: usize,
    /// The number of objects that were left out, since their bytes are wrong.
    pub wrong: usize,
}

/// Uploads what the shared store lacks of this machine's cache, except what is soon outdated.
///
/// # Errors
/// When the store cannot be listed or written, or the cache not read.
pub async fn push(store: &DiskStore, shared: &SharedStore) -> Result<Copied, SharedCacheError> {
    let there: HashSet<_> = shared.contents().await?.into_iter().map(|file| file.path).collect();
    let mut copied = Copied::default();
    let mut uploads = Vec::new();
    for Object { sha256, size } in store.objects()?.into_iter().map(|stored| stored.object) {
        match there.contains(&object_path(sha256)) {
            true => copied.kept += 1,
            false => uploads.push(Upload::Object { object: Object { sha256, size }, file: store.path(sha256) }),
        }
    }
    for bucket in lasting_entries() {
        for entry in real_entries(&store.layout().folder(bucket)) {
            let name = entry.file_name().to_string_lossy().into_owned();
            match there.contains(&entry_path(bucket, &name)) {
                true => copied.kept += 1,
                false => uploads.push(Upload::Entry { bucket, name, file: entry.path() }),
            }
        }
    }
    let mut sent = stream::iter(uploads).map(|upload| send(shared, upload)).buffer_unordered(AT_ONCE);
    while let Some(sent) = sent.next().await {
        copied.add(sent?);
    }
    Ok(copied)
}

async fn send(shared: &SharedStore, upload: Upload) -> Result<Copied, SharedCacheError> {
    let one = match &upload {
        Upload::Object { object, .. } => Copied::object(*object),
        Upload::Entry { .. } => Copied { entries: 1, ..Copied::default() },
    };
    let is_new = shared.upload_now(upload).await?;
    Ok(if is_new { one } else { Copied { kept: 1, ..Copied::default() } })
}

/// Returns the folders of entries that do not change, beside the objects.
fn lasting_entries() -> impl Iterator<Item = CacheBucket> {
    let lasting = SHARED_BUCKETS.iter().filter(|shared| !shared.changes && shared.proof != Proof::Name);
    lasting.map(|shared| shared.bucket)
}

/// Takes what this machine's cache lacks of the shared store: objects, and the entries that nothing
/// else proves; what a distribution proves is read from that.
///
/// # Errors
/// When the store cannot be listed or read, or the cache not written.
pub async fn pull(store: &DiskStore, shared: &SharedStore) -> Result<Copied, SharedCacheError> {
    let contents = shared.contents().await?;
    let (mut copied, mut missing) = (Copied::default(), Vec::new());
    for file in contents {
        let is_held = match file.kind {
            SharedFileKind::Object(sha256) => store.find(sha256).is_some(),
            SharedFileKind::Entry(bucket) if is_taken(bucket) => store.layout().root().join(&file.path).exists(),
            SharedFileKind::Entry(_) | SharedFileKind::Mark => continue,
        };
        if is_held {
            copied.kept += 1;
        } else {
            missing.push(file);
        }
    }
    store.check_space(missing.iter().map(|file| file.size).sum())?;
    let mut taken = stream::iter(missing).map(|file| take(store, shared, file)).buffer_unordered(AT_ONCE);
    while let Some(taken) = taken.next().await {
        copied.add(taken?);
    }
    Ok(copied)
}

/// Whether entries of a bucket are taken in one by one, without being asked for.
fn is_taken(bucket: CacheBucket) -> bool {
    SHARED_BUCKETS.iter().any(|shared| shared.bucket == bucket && !shared.changes && shared.proof == Proof::Nothing)
}

async fn take(store: &DiskStore, shared: &SharedStore, file: SharedFile) -> Result<Copied, SharedCacheError> {
    let taken = match file.kind {
        SharedFileKind::Object(sha256) => take_object(store, shared, sha256, &file.path).await?,
        SharedFileKind::Entry(bucket) => take_entry(store, shared, bucket, &file.path).await?,
        SharedFileKind::Mark => Copied::default(),
    };
    match shared.failure() {
        Some(why) => Err(SharedCacheError::Store(why.to_owned())),
        None => Ok(taken),
    }
}

async fn take_object(
    store: &DiskStore,
    shared: &SharedStore,
    sha256: Sha256,
    path: &str,
) -> Result<Copied, SharedCacheError> {
    let incoming = store.begin(ExpectedContent { by_index: vec![sha256.into()], ..ExpectedContent::default() })?;
    Ok(match fetch_shared(shared, sha256, (0, path), incoming, None, &|_| ()).await? {
        SharedOutcome::Fetched(object) => Copied::object(object),
        SharedOutcome::Mismatch => Copied { wrong: 1, ..Copied::default() },
        SharedOutcome::Missing(_) => Copied::default(),
    })
}

async fn take_entry(
    store: &DiskStore,
    shared: &SharedStore,
    bucket: CacheBucket,
    path: &str,
) -> Result<Copied, SharedCacheError> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some(content) = RemoteEntries::get(shared, bucket, name).await else { return Ok(Copied::default()) };
    CacheEntries::local(store.layout().clone()).keep(bucket, name, &[&content], Readers::Umask)?;
    Ok(Copied { entries: 1, ..Copied::default() })
}

/// What `verify` found in a shared store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The number of files that were read now.
    pub read: usize,
    /// The number of files that an interrupted check had read before.
    pub known: usize,
    /// The size of all these files in bytes.
    pub bytes: u64,
    /// The files that do not have the content that their names promise.
    pub damaged: Vec<SharedFile>,
}

/// Reads every file of the shared store and removes what is not what its name says, if it may; goes
/// on where an interrupted check of the same store ended.
///
/// # Errors
/// When the store cannot be listed, read or written, or the cache not written.
pub async fn verify(store: &DiskStore, shared: &SharedStore) -> Result<Checked, SharedCacheError> {
    let contents = shared.contents().await?;
    let mut progress = CheckProgress::open(store.layout(), shared.location())?;
    let mut checked = Checked { bytes: contents.iter().map(|file| file.size).sum(), ..Checked::default() };
    let (known, left): (Vec<_>, Vec<_>) = contents.into_iter().partition(|file| progress.has(file));
    checked.known = known.len();
    let judge = async |file: SharedFile| Ok::<_, String>((shared.is_whole(&file).await?, file));
    let mut judged = stream::iter(left).map(judge).buffer_unordered(AT_ONCE);
    while let Some((is_whole, file)) = judged.try_next().await? {
        checked.read += 1;
        match is_whole {
            true => progress.add(&file)?,
            false => checked.damaged.push(file),
        }
    }
    drop(judged);
    if shared.writes() {
        shared.remove(&checked.damaged.iter().collect::<Vec<_>>()).await?;
    }
    progress.finish()?;
    checked.damaged.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(checked)
}

/// Removes what was written before `limit` and no run since then named, unless `is_dry`; returns it.
///
/// # Errors
/// When the store cannot be listed, read or written.
pub async fn prune(shared: &SharedStore, limit: Timestamp, is_dry: bool) -> Result<Vec<SharedFile>, SharedCacheError> {
    let contents = shared.contents().await?;
    let unused = shared.unused_since(&contents, limit).await?;
    if !is_dry {
        shared.remove(&unused).await?;
    }
    Ok(unused.into_iter().cloned().collect())
}

impl Copied {
    fn object(object: Object) -> Self {
        Self { files: 1, bytes: object.size, ..Self::default() }
    }

    fn add(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.entries += other.entries;
        self.kept += other.kept;
        self.wrong += other.wrong;
    }
}
