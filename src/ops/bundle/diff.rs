//! `prefetch diff`: compares two bundles.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::layout::Manifest;

/// The differences between an old bundle and a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BundleDiff {
    /// The changed projects, sorted by name.
    pub changes: Vec<VersionChange>,
    /// Ids of the targets that only the new bundle has.
    pub targets_added: Vec<String>,
    pub targets_removed: Vec<String>,
    /// The size in bytes of the files that only the new bundle has, which is that of a delta.
    pub bytes_added: u64,
    /// The size in bytes of the files that only the old bundle has.
    pub bytes_removed: u64,
    pub files_added: Vec<String>,
    pub files_removed: Vec<String>,
}

/// A project whose versions differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionChange {
    pub name: String,
    /// The old versions, sorted as text; none if the project is new.
    pub old: Vec<String>,
    /// The new versions; none if the project is gone.
    pub new: Vec<String>,
}

/// Compares two bundles by their manifests.
pub fn compare(old: &Manifest, new: &Manifest) -> BundleDiff {
    let (old_versions, new_versions) = (versions(old), versions(new));
    let names: BTreeSet<_> = old_versions.keys().chain(new_versions.keys()).collect();
    let of =
        |versions: &BTreeMap<String, BTreeSet<String>>, name: &String| versions.get(name).cloned().unwrap_or_default();
    let changes = names.into_iter().filter_map(|name| {
        let (old, new) = (of(&old_versions, name), of(&new_versions, name));
        (old != new).then(|| VersionChange {
            name: name.clone(),
            old: old.into_iter().collect(),
            new: new.into_iter().collect(),
        })
    });
    let (files_added, bytes_added) = only_in(new, old);
    let (files_removed, bytes_removed) = only_in(old, new);
    BundleDiff {
        changes: changes.collect(),
        targets_added: targets_only_in(new, old),
        targets_removed: targets_only_in(old, new),
        bytes_added,
        bytes_removed,
        files_added,
        files_removed,
    }
}

fn versions(manifest: &Manifest) -> BTreeMap<String, BTreeSet<String>> {
    let mut versions = BTreeMap::<_, BTreeSet<_>>::new();
    for package in &manifest.packages {
        let version = package.version.clone().unwrap_or_else(|| "of unknown version".to_owned());
        versions.entry(package.name.clone()).or_default().insert(version);
    }
    versions
}

/// Returns the names of the files whose content only `one` has, and their size.
fn only_in(one: &Manifest, other: &Manifest) -> (Vec<String>, u64) {
    let held: BTreeSet<_> = other.files().map(|(_, file)| &file.sha256).collect();
    let only: Vec<_> = one.files().map(|(_, file)| file).filter(|file| !held.contains(&file.sha256)).collect();
    (
        only.iter().map(|file| file.filename.clone()).collect(),
        only.iter().fold(0, |sum, file| sum.saturating_add(file.size)),
    )
}

fn targets_only_in(one: &Manifest, other: &Manifest) -> Vec<String> {
    let is_new = |id: &&String| !other.targets.iter().any(|target| target.id == **id);
    one.targets.iter().map(|target| &target.id).filter(is_new).cloned().collect()
}
