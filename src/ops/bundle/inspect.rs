//! `prefetch inspect`: lists the packages of a bundle with their dependents and licences.

use serde::Serialize;

use crate::layout::{DependencyGraph, Manifest, ManifestPackage};

/// One version of one project, as a row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InspectedPackage {
    pub name: String,
    pub version: Option<String>,
    pub license: Option<String>,
    /// The size of all its files in bytes.
    pub bytes: u64,
    pub files: usize,
    /// The input lines that led to it.
    pub requested_by: Vec<String>,
    /// The projects that need it.
    pub needed_by: Vec<String>,
    /// Those of `requested_by` that ask for it by name.
    pub asked_by: Vec<String>,
    /// The upload time of its oldest file (RFC 3339), if the index states one.
    pub uploaded: Option<String>,
    /// Ids of the targets that it serves.
    pub targets: Vec<String>,
}

/// Returns the packages of a bundle, sorted by name.
pub fn inspect(manifest: &Manifest) -> Vec<InspectedPackage> {
    let graph = DependencyGraph::of(manifest);
    let look = |(position, package): (usize, &ManifestPackage)| {
        let mut needed_by: Vec<_> =
            graph.needed_by[position].iter().map(|above| manifest.packages[*above].name.clone()).collect();
        needed_by.dedup();
        let is_served = |id: &String| package.files.iter().any(|file| file.targets.contains(id));
        InspectedPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            license: package.license.clone(),
            bytes: package.files.iter().map(|file| file.size).fold(0, u64::saturating_add),
            files: package.files.len(),
            requested_by: package.requested_by.clone(),
            needed_by,
            asked_by: graph.asked_by[position].clone(),
            uploaded: package.files.iter().filter_map(|file| file.uploaded.clone()).min(),
            targets: manifest.targets.iter().map(|target| target.id.clone()).filter(is_served).collect(),
        }
    };
    manifest.packages.iter().enumerate().map(look).collect()
}
