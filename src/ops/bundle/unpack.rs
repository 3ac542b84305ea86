//! `prefetch unpack`: unpacks a bundle into a folder, and checks every digest on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tempfile::NamedTempFile;

use super::finding::{Finding, FindingKind};
use super::manifest_file::{LARGEST_PAGE, manifest_at};
use super::{BundleError, DELTA_PATH};
use crate::archive::{ArchiveMember, ArchiveReader, CancelFlag, check_cancelled, check_volumes, sweep, temporary};
use crate::domain::{Hasher, RelPath, Sha256, read_chunks};
use crate::layout::{MANIFEST_PATH, Manifest, SIGNATURE_PATH, SUMS_PATH};
use crate::regular_file;

/// The numbers of files that were unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// The number of files that were written.
    pub written: usize,
    /// The number of files that were correct already, from an earlier attempt.
    pub kept: usize,
}

/// Unpacks the bundle at `path` into `folder`, which is created if necessary.
///
/// Files that are correct there already stay, so that an interrupted attempt is continued; the
/// manifest is written last.
///
/// # Errors
/// When the bundle is damaged or cannot be read, the disk cannot be written, a folder below
/// `folder` is a link, or `cancel` was set meanwhile. No file has its final name then that is not
/// as the manifest states.
pub fn unpack(path: &Path, folder: &Path, threads: usize, cancel: &CancelFlag) -> Result<Unpacked, BundleError> {
    // What is wrong with the archive is told below.
    if let Ok(Some(_)) = ArchiveReader::open(path)?.page(DELTA_PATH, LARGEST_PAGE) {
        return Err(BundleError::OnlyDelta(path.to_owned()));
    }
    unpack_files(path, folder, threads, true, cancel)
}

/// Unpacks a bundle, or unless `is_whole` a delta, which lacks files that its manifest lists.
pub(super) fn unpack_files(
    path: &Path,
    folder: &Path,
    threads: usize,
    is_whole: bool,
    cancel: &CancelFlag,
) -> Result<Unpacked, BundleError> {
    let damaged = |findings| BundleError::Damaged { path: path.to_owned(), findings };
    let volumes = check_volumes(path, false).unwrap_or_default();
    if !volumes.is_empty() {
        return Err(damaged(volumes.iter().map(Finding::archive).collect()));
    }
    let manifest = manifest_at(path)?;
    fs::create_dir_all(folder).map_err(|why| BundleError::Write { path: folder.to_owned(), why })?;
    let expected = expected(&manifest, is_whole);
    refuse_links(folder, expected.keys())?;
    let work = Unpacking {
        folder,
        cancel,
        expected,
        last: Mutex::default(),
        findings: Mutex::default(),
        refused: Mutex::default(),
        seen: Mutex::default(),
        written: AtomicUsize::new(0),
        kept: AtomicUsize::new(0),
    };
    let paths = work.expected.keys().filter(|path| RelPath::new(path.as_str()).is_ok());
    let folders: BTreeSet<_> = paths.filter_map(|path| Path::new(path).parent()).collect();
    folders.iter().for_each(|inner| sweep(&folder.join(inner)));
    let limit = manifest.size().saturating_add(LARGEST_PAGE);
    let faults = ArchiveReader::open(path)?.cancelled_by(cancel).visit(limit, threads, &|found| work.take(found))?;
    check_cancelled(cancel).map_err(|why| BundleError::Write { path: folder.to_owned(), why })?;
    let mut findings: Vec<_> = faults.iter().map(Finding::archive).collect();
    if is_whole {
        findings.extend(work.missing());
    }
    if !findings.is_empty() {
        findings.extend(check_volumes(path, true).unwrap_or_default().iter().map(Finding::archive));
    }
    work.finish(path, findings)
}

/// Returns size and digest of each path; without them for the files that the manifest does not
/// list.
fn expected(manifest: &Manifest, is_whole: bool) -> BTreeMap<String, Option<(u64, String)>> {
    let files = manifest.files().map(|(_, file)| (file.path.clone(), Some((file.size, file.sha256.clone()))));
    let pages = manifest.pages.iter().map(|page| (page.path.clone(), Some((page.size, page.sha256.clone()))));
    let own = [MANIFEST_PATH, SUMS_PATH, SIGNATURE_PATH].map(|path| (path.to_owned(), None));
    let delta = (!is_whole).then(|| (DELTA_PATH.to_owned(), None));
    files.chain(pages).chain(own).chain(delta).collect()
}

struct Unpacking<'a> {
    folder: &'a Path,
    cancel: &'a AtomicBool,
    expected: BTreeMap<String, Option<(u64, String)>>,
    /// The files that are written when all others are there.
    last: Mutex<BTreeMap<String, Vec<u8>>>,
    findings: Mutex<Vec<Finding>>,
    /// The errors of files that could not be written.
    refused: Mutex<Vec<BundleError>>,
    seen: Mutex<BTreeSet<String>>,
    written: AtomicUsize,
    kept: AtomicUsize,
}

impl Unpacking<'_> {
    fn take(&self, mut found: ArchiveMember) {
        self.seen.lock().insert(found.path.to_string());
        let outcome = match self.expected.get(found.path.as_str()) {
            None => Err(Finding::new(FindingKind::Unexpected, "it does not belong to the bundle").into()),
            Some(None) => self.keep_for_the_end(&mut found),
            Some(Some((size, sha256))) => self.write(&mut found, *size, sha256),
        };
        match outcome {
            Ok(()) => {}
            Err(UnpackFault::Bundle(finding)) => {
                self.findings.lock().push(finding.at(found.path.as_str()));
            }
            Err(UnpackFault::Disk(why)) => {
                let path = self.folder.join(found.path.as_str());
                self.refused.lock().push(BundleError::Write { path, why });
            }
        }
    }

    fn missing(&self) -> Vec<Finding> {
        let seen = self.seen.lock();
        let told = self.expected.iter().filter(|(_, promise)| promise.is_some()).map(|(path, _)| path);
        let missing = told.filter(|path| !seen.contains(*path));
        missing.map(|path| Finding::new(FindingKind::Missing, "it is not there").at(path)).collect()
    }

    fn keep_for_the_end(&self, found: &mut ArchiveMember) -> Result<(), UnpackFault> {
        let mut bytes = Vec::new();
        found.bytes.by_ref().take(LARGEST_PAGE).read_to_end(&mut bytes).map_err(|error| Finding::archive(&error))?;
        self.last.lock().insert(found.path.to_string(), bytes);
        Ok(())
    }

    fn write(&self, found: &mut ArchiveMember, size: u64, sha256: &str) -> Result<(), UnpackFault> {
        let file = self.folder.join(found.path.as_str());
        if is_right(&file, size, sha256, self.cancel) {
            self.kept.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let mut temporary = create(&file).map_err(UnpackFault::Disk)?;
        let got = copy(&mut found.bytes, temporary.as_file_mut(), self.cancel)?;
        if got.to_string() != sha256 {
            let message = format!("its SHA-256 is {got}, and the manifest says {sha256}");
            return Err(Finding::new(FindingKind::Digest, message).into());
        }
        temporary.persist(&file).map_err(|error| UnpackFault::Disk(error.error))?;
        self.written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn finish(self, path: &Path, faults: Vec<Finding>) -> Result<Unpacked, BundleError> {
        if let Some(refused) = self.refused.into_inner().into_iter().next() {
            return Err(refused);
        }
        let mut findings = self.findings.into_inner();
        findings.extend(faults);
        if !findings.is_empty() {
            findings.sort_by(|a, b| a.path.cmp(&b.path));
            return Err(BundleError::Damaged { path: path.to_owned(), findings });
        }
        let (mut written, mut kept) = (self.written.into_inner(), self.kept.into_inner());
        let last = self.last.into_inner();
        for (name, bytes) in
            last.iter().filter(|(name, _)| *name != MANIFEST_PATH).chain(last.get_key_value(MANIFEST_PATH))
        {
            match write_changed(&self.folder.join(name), bytes)? {
                true => written += 1,
                false => kept += 1,
            }
        }
        Ok(Unpacked { written, kept })
    }
}

/// Writes a small file unless it is there as it should be; returns whether it was written.
fn write_changed(path: &Path, content: &[u8]) -> Result<bool, BundleError> {
    let held = regular_file::open_no_follow(path).and_then(|(file, _)| {
        let mut held = Vec::new();
        file.take(content.len() as u64 + 1).read_to_end(&mut held)?;
        Ok(held)
    });
    if held.is_ok_and(|held| held == content) {
        return Ok(false);
    }
    let fail = |why| BundleError::Write { path: path.to_owned(), why };
    let mut temporary = create(path).map_err(fail)?;
    temporary.write_all(content).map_err(fail)?;
    temporary.persist(path).map_err(|error| fail(error.error))?;
    Ok(true)
}

/// Refuses to write through a link below `folder`.
///
/// `folder` itself and what is above it is the user's choice, and a link in the place of a file is
/// replaced.
fn refuse_links<'a>(folder: &Path, paths: impl Iterator<Item = &'a String>) -> Result<(), BundleError> {
    let parents = paths.filter_map(|path| RelPath::new(path).ok()).flat_map(|path| {
        let parents = Path::new(path.as_str()).ancestors().skip(1).map(|parent| folder.join(parent));
        parents.filter(|parent| parent != folder).collect::<Vec<_>>()
    });
    match parents.collect::<BTreeSet<_>>().into_iter().find(|parent| parent.is_symlink()) {
        Some(link) => Err(BundleError::Link(link)),
        None => Ok(()),
    }
}

/// Creates a temporary file beside `file`, with the permissions of any new file.
fn create(file: &Path) -> io::Result<NamedTempFile> {
    let parent = file.parent().unwrap_or(file);
    fs::create_dir_all(parent)?;
    temporary(parent)
}

fn is_right(file: &Path, size: u64, sha256: &str, cancel: &AtomicBool) -> bool {
    let is_regular = fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.len() == size);
    let digest = || copy(&mut File::open(file).ok()?, &mut io::sink(), cancel).ok();
    is_regular && digest().is_some_and(|got| got.to_string() == sha256)
}

/// Why a file was not unpacked.
enum UnpackFault {
    Bundle(Finding),
    Disk(io::Error),
}

impl From<io::Error> for UnpackFault {
    fn from(unreadable: io::Error) -> Self {
        Self::Bundle(Finding::archive(&unreadable))
    }
}

impl From<Finding> for UnpackFault {
    fn from(finding: Finding) -> Self {
        Self::Bundle(finding)
    }
}

fn copy(input: &mut dyn Read, output: &mut dyn Write, cancel: &AtomicBool) -> Result<Sha256, UnpackFault> {
    let mut hasher = Hasher::new(&[]);
    read_chunks(input, |chunk| {
        hasher.update(chunk);
        check_cancelled(cancel).and_then(|()| output.write_all(chunk)).map_err(UnpackFault::Disk)
    })?;
    Ok(hasher.finish().sha256)
}
