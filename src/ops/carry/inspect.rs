//! `prefetch inspect`: what is in a bundle, who needs it, under which licence.

use serde::Serialize;

use crate::layout::Manifest;

/// One version of one project, as a table shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InspectedPackage {
    pub name: String,
    pub version: Option<String>,
    pub license: Option<String>,
    /// Bytes of all its files.
    pub bytes: u64,
    pub files: usize,
    /// The lines that led to it.
    pub requested_by: Vec<String>,
    /// The projects that need it.
    pub needed_by: Vec<String>,
    /// Ids of the targets that it serves.
    pub targets: Vec<String>,
}

/// The packages of a bundle, in the order of their names.
pub fn inspect(manifest: &Manifest) -> Vec<InspectedPackage> {
    let packages = manifest.packages.iter().map(|package| {
        let needs_it = manifest.packages.iter().filter(|other| other.dependencies.contains(&package.name));
        let mut needed_by: Vec<_> = needs_it.map(|other| other.name.clone()).collect();
        needed_by.dedup();
        let is_served = |id: &String| package.files.iter().any(|file| file.targets.contains(id));
        InspectedPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            license: package.license.clone(),
            bytes: package.files.iter().map(|file| file.size).sum(),
            files: package.files.len(),
            requested_by: package.requested_by.clone(),
            needed_by,
            targets: manifest.targets.iter().map(|target| target.id.clone()).filter(is_served).collect(),
        }
    });
    packages.collect()
}
