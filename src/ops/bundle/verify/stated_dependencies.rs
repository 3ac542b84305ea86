//! Compares the dependencies in a manifest with those in the wheels; an index may have stated
//! others when the bundle was planned.

use std::collections::BTreeSet;

use crate::layout::{Manifest, ManifestPackage};
use crate::ops::bundle::finding::{Finding, FindingKind};
use crate::ops::bundle::verify::completeness::AvailableFiles;

/// Returns a finding for each dependency that the manifest states and no wheel of the package has.
pub fn unjustified(manifest: &Manifest, available: &AvailableFiles<'_>) -> Vec<Finding> {
    manifest.packages.iter().flat_map(|package| unjustified_of(package, available)).collect()
}

/// Returns the findings about a package; none if it has no wheel, or the metadata of any of its
/// wheels is unknown.
fn unjustified_of(package: &ManifestPackage, available: &AvailableFiles<'_>) -> Vec<Finding> {
    let wheels = package.files.iter().filter(|file| file.filename.ends_with(".whl"));
    let stated = wheels
        .map(|file| available.files.get(&file.path)?.inspection.metadata.as_ref().ok())
        .collect::<Option<Vec<_>>>();
    let Some((stated, first)) = stated.filter(|all| !all.is_empty()).zip(package.files.first()) else {
        return Vec::new();
    };
    let names: BTreeSet<_> =
        stated.iter().flat_map(|metadata| &metadata.dependencies).map(|dependency| dependency.name.as_ref()).collect();
    let unjustified = package.dependencies.iter().filter(|name| !names.contains(name.as_str()));
    let finding = |name: &String| {
        let message = format!("the manifest says that it needs {name}, and its own metadata does not");
        Finding::new(FindingKind::Distribution, message).at(&first.path)
    };
    unjustified.map(finding).collect()
}
