//! Fetches a plan: downloads every file into the store concurrently, and checks it on the way.

use tokio::task::JoinSet;

use super::download::Download;
use super::fetch_context::FetchContext;
use super::fetch_error::{FetchError, FetchFailure, NoDistribution};
use super::metadata::check_claim;
use super::plan_cache;
use super::stored_bytes::find_bytes;
use super::{Event, Listener};
use crate::domain::{
    Fetched, FetchedFile, FileLink, Object, Plan, PlannedFile, Specifiers, Status, Timestamp, WheelFilename,
};
use crate::index::sdist_metadata;
use crate::index::wheel_metadata;
use crate::store::DiskStore;

/// The settings of a fetch.
#[derive(Clone, Copy, Debug)]
pub struct FetchSettings {
    /// Whether each wheel's `METADATA` is stored, too.
    pub metadata: bool,
    /// The current time, by which abandoned files of killed runs are recognized.
    pub now: Timestamp,
}

/// Fetches every file of `plan` into the store, and checks that its dependencies are those that the
/// plan depends on.
///
/// # Errors
/// When files could not be fetched, or have another size or digest than expected; the errors of all
/// such files. The others are kept in the store, where the next run finds them.
pub async fn fetch(
    plan: Plan,
    context: &FetchContext,
    settings: FetchSettings,
    listener: &Listener,
) -> Result<Fetched, Vec<FetchFailure>> {
    let stored = fetch_all(&plan, context, settings, listener).await?;
    check_claims(&plan, &stored, context).await?;
    let mut stored = stored.into_iter();
    let mut take = |file: PlannedFile| {
        let StoredFile { object, metadata, requires_python, status } =
            stored.next().expect("every planned file is held");
        let requires_python = file.link.requires_python.clone().or(requires_python);
        FetchedFile {
            link: FileLink { requires_python, ..file.link },
            targets: file.targets,
            tools: file.tools,
            object,
            metadata,
            metadata_source: file.metadata_source,
            built_from: file.built_from,
            status,
        }
    };
    let packages = plan.packages.into_iter().map(|package| package.map_files(&mut take));
    Ok(Fetched { targets: plan.targets, packages: packages.collect() })
}

async fn check_claims(plan: &Plan, stored: &[StoredFile], context: &FetchContext) -> Result<(), Vec<FetchFailure>> {
    let mut failures = Vec::new();
    for (stored, (package, file)) in stored.iter().zip(plan.files()) {
        let Some(claimed) = &file.claimed else { continue };
        if let Err(why) = check_claim(stored.object, &package.name, &file.link, claimed, context).await {
            let FileLink { filename, url, .. } = file.link.clone();
            failures.push(FetchFailure { filename, url, why });
        }
    }
    if failures.is_empty() {
        plan_cache::confirm(context);
        return Ok(());
    }
    plan_cache::forget(context);
    Err(failures)
}

/// A file in the store.
struct StoredFile {
    object: Object,
    metadata: Option<Object>,
    /// The Pythons that this metadata allows, if it was read.
    requires_python: Option<Specifiers>,
    status: Status,
}

impl StoredFile {
    fn new(object: Object, status: Status) -> Self {
        Self { object, metadata: None, requires_python: None, status }
    }
}

async fn fetch_all(
    plan: &Plan,
    context: &FetchContext,
    settings: FetchSettings,
    listener: &Listener,
) -> Result<Vec<StoredFile>, Vec<FetchFailure>> {
    let store = &context.store;
    let mut transfers = JoinSet::new();
    let mut stored: Vec<Option<StoredFile>> = Vec::new();
    let mut failures = Vec::new();
    let missing = fill_from_store(plan, store, listener, &mut stored);
    let bytes = missing.iter().map(|(_, link)| link.expected.size).sum();
    listener(Event::Planned { files: missing.len(), bytes });
    sweep(store, settings.now, !missing.is_empty());
    for (file, link) in missing {
        let download = Download { file, listener: listener.clone(), ..Download::new(link, context) };
        transfers.spawn(async move {
            let result = download.run().await;
            (download, result)
        });
    }
    while let Some(transfer) = transfers.join_next().await {
        let (download, result) = transfer.expect("a transfer does not panic");
        match result {
            Ok((object, status)) => {
                let filename = download.link.filename.clone();
                listener(Event::Stored { file: download.file, filename, bytes: object.size, status });
                stored[download.file] = Some(StoredFile::new(object, status));
            }
            Err(why) => {
                listener(Event::Failed { file: download.file });
                let FileLink { filename, url, .. } = download.link;
                failures.push((download.file, FetchFailure { filename, url, why }));
            }
        }
    }
    let stored: Vec<_> = stored.into_iter().flatten().collect();
    if failures.is_empty() {
        let non_distributions = non_distributions(plan, store, &stored);
        return if non_distributions.is_empty() {
            with_metadata(plan, store, settings, stored)
        } else {
            Err(non_distributions)
        };
    }
    failures.sort_by_key(|(file, _)| *file);
    Err(failures.into_iter().map(|(_, failure)| failure).collect())
}

/// The files of a plan, by whether the store has them.
pub struct FilesToFetch<'a> {
    /// The files that the store has, with their sizes.
    pub stored: Vec<(&'a FileLink, u64)>,
    pub missing: Vec<&'a FileLink>,
    /// The free space in bytes where the missing files will be stored, if the system states it.
    pub free: Option<u64>,
}

/// Returns which files of `plan` the store has, and which it has not.
pub fn files_to_fetch<'a>(plan: &'a Plan, store: &DiskStore) -> FilesToFetch<'a> {
    let (mut stored, mut missing) = (Vec::new(), Vec::new());
    for (_, file) in plan.files() {
        match find_bytes(&file.link, store) {
            Some(object) => stored.push((&file.link, object.size)),
            None => missing.push(&file.link),
        }
    }
    FilesToFetch { stored, missing, free: store.free_space() }
}

/// Removes abandoned files while transfers run, if there are any.
fn sweep(store: &DiskStore, now: Timestamp, has_time: bool) {
    if has_time {
        let store = store.clone();
        drop(tokio::task::spawn_blocking(move || store.sweep(now)));
    }
}

/// Fills in the files that the store has; returns the others.
fn fill_from_store(
    plan: &Plan,
    store: &DiskStore,
    listener: &Listener,
    stored: &mut Vec<Option<StoredFile>>,
) -> Vec<(usize, FileLink)> {
    let mut missing = Vec::new();
    for (file, (_, planned)) in plan.files().enumerate() {
        let found = find_bytes(&planned.link, store);
        let status = |object: Object| match store.arrived(object.sha256) {
            Some(_) => Status::Downloaded,
            None => Status::Cached,
        };
        if let Some(object) = found {
            let filename = planned.link.filename.clone();
            listener(Event::Stored { file, filename, bytes: object.size, status: status(object) });
        } else {
            missing.push((file, planned.link.clone()));
        }
        stored.push(found.map(|object| StoredFile::new(object, status(object))));
    }
    missing
}

/// Returns errors for files without an expected digest that are no distributions, such as a login
/// page or a truncated file.
fn non_distributions(plan: &Plan, store: &DiskStore, stored: &[StoredFile]) -> Vec<FetchFailure> {
    let without_digest = plan.files().zip(stored).filter(|((_, file), _)| !file.link.expected.has_digest());
    let checked = without_digest.filter_map(|((_, file), stored)| {
        let (filename, url) = (file.link.filename.clone(), file.link.url.clone());
        let why = check_distribution(store, stored.object, &filename).err()?;
        Some(FetchFailure { filename, url, why })
    });
    checked.collect()
}

/// Checks that an object is the wheel or source archive whose file name it has.
fn check_distribution(store: &DiskStore, object: Object, filename: &str) -> Result<(), FetchError> {
    let bytes = store.open(object.sha256)?;
    if filename.parse::<WheelFilename>().is_ok() {
        zip::ZipArchive::new(bytes).map_err(NoDistribution::from)?;
    } else {
        sdist_metadata::check_contents(bytes, filename).map_err(NoDistribution::from)?;
    }
    Ok(())
}

fn with_metadata(
    plan: &Plan,
    store: &DiskStore,
    settings: FetchSettings,
    mut stored: Vec<StoredFile>,
) -> Result<Vec<StoredFile>, Vec<FetchFailure>> {
    let mut failures = Vec::new();
    for (stored, (_, file)) in stored.iter_mut().zip(plan.files()).filter(|_| settings.metadata) {
        let Ok(filename) = file.link.filename.parse() else { continue };
        match take_metadata(store, stored.object, &filename) {
            Ok((metadata, requires_python)) => {
                (stored.metadata, stored.requires_python) = (Some(metadata), requires_python);
            }
            Err(why) => {
                failures.push(FetchFailure { filename: file.link.filename.clone(), url: file.link.url.clone(), why })
            }
        }
    }
    if failures.is_empty() { Ok(stored) } else { Err(failures) }
}

/// Takes the wheel's own metadata into the store; returns it, and the Pythons that it is for.
fn take_metadata(
    store: &DiskStore,
    wheel: Object,
    filename: &WheelFilename,
) -> Result<(Object, Option<Specifiers>), FetchError> {
    let metadata = wheel_metadata::read(store.open(wheel.sha256)?, filename)?;
    let requires_python = metadata.metadata.requires_python.as_deref().and_then(|text| text.parse().ok());
    Ok((store.insert(&metadata.bytes)?, requires_python))
}
