//! Imports distributions from elsewhere on the machine: wheelhouses, and the caches of pip,
//! pip-accel and buildout (`docs/facts/legacy-pip.md` 2, 9 and 10; `docs/facts/pip.md` 4).
//!
//! Each file is read to its end first, and its name is compared with its own metadata. Whether it
//! is what an index promises is checked when a run needs it, since the store finds files by digest
//! only.

use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::identify::{self, DistributionIdentity, IdentifyError};
use super::pip_cache_entry;
use super::run_record::{RunRecord, UsedFile, write_record};
use crate::archive::{CancelFlag, CancellableReader, check_cancelled};
use crate::domain::{Algorithm, MaskedUrl, Object, is_distribution};
use crate::regular_file;
use crate::store::DiskStore;

/// The result for one distribution.
#[derive(Debug)]
pub struct ImportResult {
    pub path: PathBuf,
    pub outcome: Result<ImportedFile, String>,
}

/// A distribution that is now in the store.
#[derive(Clone, Debug)]
pub struct ImportedFile {
    pub identity: DistributionIdentity,
    pub object: Object,
    /// Whether it was in the store before.
    pub was_held: bool,
    /// The URL it once came from, if its cache states that.
    pub url: Option<String>,
}

/// Imports everything at or below `path`, and calls back for each distribution; other files are
/// skipped.
///
/// # Errors
/// When `path` cannot be read or the store not written, or `cancel` was set meanwhile.
pub fn import(
    store: &DiskStore,
    path: &Path,
    cancel: &CancelFlag,
    listener: &mut dyn FnMut(&ImportResult),
) -> io::Result<()> {
    let mut used = Vec::new();
    // A pipe that somebody names is meant to be read; one that lies in a folder is not.
    let open: fn(&Path) -> io::Result<File> = if path.is_dir() { regular_file::open } else { |path| File::open(path) };
    let imported = files(path)?.into_iter().try_for_each(|path| {
        let outcome = take(store, &path, open, cancel)?;
        check_cancelled(cancel)?;
        let Some(outcome) = outcome else { return Ok(()) };
        if let Ok(imported) = &outcome {
            used.push(used_file(imported));
        }
        listener(&ImportResult { path, outcome });
        Ok(())
    });
    if !used.is_empty() {
        write_record(store, &RunRecord { folder: path.display().to_string(), files: used })?;
    }
    imported
}

/// Returns every file at or below `path`, sorted; folders behind symbolic links are not entered.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let is_folder = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir());
            if is_folder { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// What a file is according to its name.
enum FileKind {
    /// A distribution under its own name.
    Named(String),
    /// An entry of a download cache, named by its quoted URL.
    Quoted(MaskedUrl),
    /// The body of an entry of pip 23.3 and later.
    Body,
    /// An entry of pip 6.0 to 23.2.1, or the headers of a later one.
    Entry,
}

/// The number of hex digits of a SHA-224, by which pip's HTTP cache names its entries.
const KEY_LENGTH: usize = 56;

fn kind(name: &str) -> Option<FileKind> {
    let is_key = |text: &str| text.len() == KEY_LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_key(name) {
        Some(FileKind::Entry)
    } else if name.strip_suffix(".body").is_some_and(is_key) {
        Some(FileKind::Body)
    } else if name.starts_with("http%3A") || name.starts_with("https%3A") {
        let url: MaskedUrl = percent_decode_str(name).decode_utf8().ok()?.parse().ok()?;
        is_distribution(&url.filename()).then_some(FileKind::Quoted(url))
    } else {
        is_distribution(name).then(|| FileKind::Named(name.to_owned()))
    }
}

/// Imports a file; `None` if it is no distribution, and the inner error if it is a damaged one.
fn take(
    store: &DiskStore,
    path: &Path,
    open: fn(&Path) -> io::Result<File>,
    cancel: &CancelFlag,
) -> io::Result<Option<Result<ImportedFile, String>>> {
    let Some(kind) = path.file_name().and_then(|name| kind(name.to_str()?)) else { return Ok(None) };
    let mut file = match open(path) {
        Ok(file) => CancellableReader::new(file, cancel),
        Err(error) => return Ok(Some(Err(format!("it cannot be read: {error}")))),
    };
    match kind {
        FileKind::Named(name) => {
            let identity = identify::check(&mut file, &name);
            keep(store, file, identity, None).map(Some)
        }
        FileKind::Quoted(url) => {
            let identity = identify::check(&mut file, &url.filename());
            keep(store, file, identity, Some(url.public())).map(Some)
        }
        FileKind::Body => unnamed(store, file),
        FileKind::Entry => match pip_cache_entry::body(file) {
            Ok(Some(body)) => unnamed(store, Cursor::new(body)),
            Ok(None) => Ok(None),
            Err(why) => Ok(Some(Err(why))),
        },
    }
}

/// Imports bytes without a file name, which are named by their own metadata.
fn unnamed(store: &DiskStore, mut bytes: impl Read + Seek) -> io::Result<Option<Result<ImportedFile, String>>> {
    match identify::identify(&mut bytes) {
        Ok(identity) => keep(store, bytes, Ok(identity), None).map(Some),
        Err(IdentifyError::NotADistribution) => Ok(None),
        Err(IdentifyError::Damaged(why)) => Ok(Some(Err(why))),
    }
}

/// The algorithms of digests by which indexes identify files, including old ones.
const NAMES: [Algorithm; 3] = [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha512];

fn keep(
    store: &DiskStore,
    bytes: impl Read + Seek,
    identity: Result<DistributionIdentity, String>,
    url: Option<String>,
) -> io::Result<Result<ImportedFile, String>> {
    let identity = match identity {
        Ok(identity) => identity,
        Err(why) => return Ok(Err(why)),
    };
    let (object, was_held) = store.take(bytes, &NAMES).map_err(io::Error::other)?;
    Ok(Ok(ImportedFile { identity, object, was_held, url }))
}

fn used_file(imported: &ImportedFile) -> UsedFile {
    UsedFile {
        url: imported.url.clone(),
        requested_by: vec!["prefetch cache import".to_owned()],
        ..UsedFile::of(imported.identity.clone(), imported.object.sha256)
    }
}
