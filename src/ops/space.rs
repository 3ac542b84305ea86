//! Checks that the disks have space for what a run will write.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::bundle::output::BundleOutput;
use super::fetch::files_to_fetch;
use super::output::Output;
use super::stored_bytes::find_bytes;
use crate::domain::{
    Content, Fetched, FetchedFile, FetchedPackage, HasRemedy, Object, Plan, PlannedFile, RelPath, Remedy, Status, Tree,
};
use crate::layout::{FindLinks, Layout, WHEELS};
use crate::store::DiskStore;

/// The error for a disk that has less space than a run needs.
#[derive(Debug, thiserror::Error)]
#[error(
    "{needed} bytes are to be written to {}, and {} has {free} left",
    listed(places), if places.len() == 1 { "its disk" } else { "their disk" }
)]
pub struct DiskFull {
    pub places: Vec<PathBuf>,
    /// The number of bytes to be written.
    pub needed: u64,
    /// The number of free bytes.
    pub free: u64,
}

impl HasRemedy for DiskFull {
    fn remedy(&self) -> Option<Remedy> {
        Some(Remedy::MakeSpace)
    }
}

fn listed(places: &[PathBuf]) -> String {
    places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(" and ")
}

/// Checks that there is space for the missing files of `plan` in the store and for all of its files in
/// `outputs`, as far as sizes are known. A disk that cannot be asked passes.
///
/// # Errors
/// When a disk has too little.
pub fn check_space<'a>(
    plan: &Plan,
    store: &DiskStore,
    outputs: impl Iterator<Item = &'a Output>,
) -> Result<(), DiskFull> {
    let missing = files_to_fetch(plan, store).missing;
    let missing = missing.iter().filter_map(|link| link.expected.size).sum();
    let mut needs = vec![(store.root().to_owned(), missing)];
    let mut expected = None;
    for output in outputs.filter(|output| may_need_space(output, store)) {
        let fetched = expected.get_or_insert_with(|| expected_files(plan, store));
        needs.extend(output.path().map(|path| (path.to_owned(), bytes_of_output(output, fetched))));
    }
    check(needs)
}

/// Checks that there is space for `tree` in `folder`.
///
/// # Errors
/// When there is too little.
pub(super) fn check_folder(tree: &Tree, folder: &Path, store: &DiskStore) -> Result<(), DiskFull> {
    match shares_disk(folder, store) {
        true => Ok(()),
        false => check(vec![(folder.to_owned(), bytes_missing(tree, folder))]),
    }
}

/// Checks that there is space for the bundle of `tree`.
///
/// # Errors
/// When there is too little.
pub(super) fn check_bundle(tree: &Tree, output: &BundleOutput, store: &DiskStore) -> Result<(), DiskFull> {
    match (output.format, &output.stream) {
        _ if output.bucket.is_some() => Ok(()),
        (None, _) => check_folder(tree, &output.path, store),
        (Some(_), Some(_)) => Ok(()),
        (Some(_), None) => check(vec![(output.path.clone(), bytes_of_bundle(tree, output))]),
    }
}

/// Checks that each disk has space for what its places need at least, added up.
fn check(needs: Vec<(PathBuf, u64)>) -> Result<(), DiskFull> {
    let mut by_disk: BTreeMap<Option<Disk>, Vec<(PathBuf, u64)>> = BTreeMap::new();
    for (place, bytes) in needs.into_iter().filter(|(_, bytes)| *bytes > 0) {
        by_disk.entry(Disk::of(&place)).or_default().push((place, bytes));
    }
    by_disk.into_iter().filter(|(disk, _)| disk.is_some()).try_for_each(|(_, needs)| {
        let needed = needs.iter().map(|(_, bytes)| bytes).sum();
        let free = needs.first().and_then(|(place, _)| fs4::available_space(existing_ancestor(place)).ok());
        match free.filter(|free| *free < needed) {
            Some(free) => Err(DiskFull { places: needs.into_iter().map(|(place, _)| place).collect(), needed, free }),
            None => Ok(()),
        }
    })
}

/// Whether it is known before the fetch that `output` needs space: files of the store need none on its
/// own disk (links and clones), and the size of a delta is not known yet.
fn may_need_space(output: &Output, store: &DiskStore) -> bool {
    match output {
        Output::Folder { path, .. } => !shares_disk(path, store),
        Output::Bucket(_) | Output::Bundle(BundleOutput { bucket: Some(_), .. }) => false,
        Output::Bundle(BundleOutput { format: None, since: None, path, .. }) => !shares_disk(path, store),
        Output::Bundle(bundle) => bundle.since.is_none() && bundle.stream.is_none(),
    }
}

fn bytes_of_output(output: &Output, fetched: &Fetched) -> u64 {
    // A tree that cannot be made is told when it is to be written.
    let wheels = || FindLinks.tree(fetched).ok().zip(RelPath::new(WHEELS).ok()).map(|(tree, at)| tree.under(&at));
    match output {
        Output::Folder { layout, path, .. } => layout.tree(fetched).map_or(0, |tree| bytes_missing(&tree, path)),
        Output::Bucket(_) => 0,
        Output::Bundle(bundle) => wheels().map_or(0, |tree| bytes_of_bundle(&tree, bundle)),
    }
}

fn bytes_of_bundle(tree: &Tree, output: &BundleOutput) -> u64 {
    match output.format {
        None => bytes_missing(tree, &output.path),
        Some(format) if format.is_compressed() => 0,
        Some(_) => tree.iter().map(|(_, content)| size(content)).sum(),
    }
}

/// Returns the bytes of the files of `tree` that `folder` does not have, judged by their sizes.
fn bytes_missing(tree: &Tree, folder: &Path) -> u64 {
    let is_there = |path: &RelPath, size: u64| {
        let found = fs::symlink_metadata(folder.join(path.as_str()));
        found.is_ok_and(|found| found.is_file() && found.len() == size)
    };
    let sizes = tree.iter().map(|(path, content)| (path, size(content)));
    sizes.filter(|(path, size)| *size > 0 && !is_there(path, *size)).map(|(_, size)| size).sum()
}

/// Returns the size of a file; pages count as nothing, since they are small and may yet change.
fn size(content: &Content) -> u64 {
    match content {
        Content::Object { size, .. } => *size,
        Content::PipCacheEntry(entry) => entry.size(),
        Content::Generated(_) => 0,
    }
}

/// Returns the files of `plan` as they will be once fetched, if their digest and size are known.
fn expected_files(plan: &Plan, store: &DiskStore) -> Fetched {
    let mut packages = Vec::new();
    for package in &plan.packages {
        let files = package.files.iter().filter_map(|file| expected_file(file, store)).collect();
        packages.push(FetchedPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            requested_by: package.requested_by.clone(),
            dependencies: package.dependencies.clone(),
            files,
        });
    }
    Fetched { targets: plan.targets.clone(), packages }
}

fn expected_file(file: &PlannedFile, store: &DiskStore) -> Option<FetchedFile> {
    let PlannedFile { link, targets, tools, metadata_source, built_from, .. } = file.clone();
    let expected = &link.expected;
    let promised = || Some(Object { sha256: expected.sha256()?, size: expected.size? });
    let object = find_bytes(&link, store).or_else(promised)?;
    let (metadata, status) = (None, Status::Planned);
    Some(FetchedFile { link, targets, tools, object, metadata, metadata_source, built_from, status })
}

fn shares_disk(place: &Path, store: &DiskStore) -> bool {
    Disk::of(place).is_some_and(|disk| Disk::of(store.root()) == Some(disk))
}

/// A file system, identified by its device number or its volume.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Disk(String);

impl Disk {
    /// Returns the file system that `place` is on or will be on.
    #[cfg(unix)]
    fn of(place: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        Some(Self(fs::metadata(existing_ancestor(place)).ok()?.dev().to_string()))
    }

    /// Returns the file system that `place` is on or will be on.
    #[cfg(not(unix))]
    fn of(place: &Path) -> Option<Self> {
        let path = fs::canonicalize(existing_ancestor(place)).ok()?;
        Some(Self(path.components().next()?.as_os_str().to_string_lossy().into_owned()))
    }
}

/// Returns the nearest ancestor of `place` that exists.
fn existing_ancestor(place: &Path) -> &Path {
    place.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_to_one_disk_counts_together() {
        let folder = tempfile::tempdir().unwrap();
        let (store, dest) = (folder.path().join("store"), folder.path().join("not/there/yet"));
        let needs = |each| vec![(store.clone(), each), (dest.clone(), each)];
        check(needs(1)).unwrap();
        let half = fs4::available_space(folder.path()).unwrap() / 3 * 2;
        let error = check(needs(half)).unwrap_err();
        assert_eq!((error.needed, &error.places), (half * 2, &vec![store.clone(), dest.clone()]));
        check(vec![(store, half)]).unwrap();
    }

    #[test]
    fn files_that_are_there_need_no_room() {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::new();
        for (name, size) in [("a.whl", 5), ("b.whl", 7)] {
            let sha256 = crate::domain::Sha256::of(name.as_bytes());
            tree.insert(RelPath::new(name).unwrap(), Content::Object { sha256, size });
        }
        assert_eq!(bytes_missing(&tree, folder.path()), 12);
        fs::write(folder.path().join("a.whl"), b"wheel").unwrap();
        fs::write(folder.path().join("b.whl"), b"cut").unwrap();
        assert_eq!(bytes_missing(&tree, folder.path()), 7);
    }
}
