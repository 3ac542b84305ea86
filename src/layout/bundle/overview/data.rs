//! The JSON data that the script of the overview page reads.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Manifest, ManifestPackage, license, uploaded};
use crate::layout::bundle::package_graph::PackageGraph;

#[derive(Serialize)]
struct Data<'a> {
    packages: Vec<PackageRow<'a>>,
}

#[derive(Serialize)]
struct PackageRow<'a> {
    name: &'a str,
    version: Option<&'a str>,
    summary: Option<&'a str>,
    license: Option<String>,
    uploaded: Option<&'a str>,
    /// The input lines that ask for it by name.
    asked_by: &'a [String],
    /// The input lines that led to it.
    lines: &'a [String],
    kind: InstallKind,
    /// Positions of the packages that it needs.
    needs: Vec<usize>,
    /// The dependencies that it needs on only some of its targets: the positions of these targets,
    /// by the position of the dependency.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    needs_on: BTreeMap<usize, &'a [usize]>,
    /// Positions of the targets that it serves.
    targets: Vec<usize>,
    files: Vec<File>,
}

/// How the files of a package can be installed.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum InstallKind {
    /// All files are wheels for every platform.
    Pure,
    /// All files are wheels, some of them for certain platforms only.
    Compiled,
    /// Some file is a source archive, which is built where it is installed.
    Source,
}

impl InstallKind {
    fn of(package: &ManifestPackage) -> Self {
        let mut names = package.files.iter().map(|file| file.filename.as_str());
        if names.clone().any(|name| !name.ends_with(".whl")) {
            Self::Source
        } else if names.all(|name| name.ends_with("-any.whl")) {
            Self::Pure
        } else {
            Self::Compiled
        }
    }
}

#[derive(Serialize)]
struct File {
    bytes: u64,
    targets: Vec<usize>,
}

/// Returns the data as JSON in which every `<` is escaped, so that nothing can end the HTML element
/// around it.
pub fn text(manifest: &Manifest, graph: &PackageGraph) -> String {
    let packages =
        manifest.packages.iter().enumerate().map(|(position, package)| describe(manifest, graph, position, package));
    let data = Data { packages: packages.collect() };
    serde_json::to_string(&data).expect("strings and numbers can always be written").replace('<', "\\u003c")
}

fn describe<'a>(
    manifest: &Manifest,
    graph: &'a PackageGraph,
    position: usize,
    package: &'a ManifestPackage,
) -> PackageRow<'a> {
    let positions = |ids: &[String]| {
        let targets = manifest.targets.iter().enumerate();
        targets.filter(|(_, target)| ids.contains(&target.id)).map(|(position, _)| position).collect::<Vec<_>>()
    };
    let files: Vec<_> =
        package.files.iter().map(|file| File { bytes: file.size, targets: positions(&file.targets) }).collect();
    let mut targets: Vec<_> = files.iter().flat_map(|file| file.targets.iter().copied()).collect();
    targets.sort_unstable();
    targets.dedup();
    let needs = &graph.needs[position];
    let partial = needs.iter().filter(|need| need.is_partial);
    PackageRow {
        name: &package.name,
        version: package.version.as_deref(),
        summary: package.summary.as_deref(),
        license: license(package).map(|license| license.to_string()),
        uploaded: uploaded(package),
        asked_by: &graph.asked_by[position],
        lines: &package.requested_by,
        kind: InstallKind::of(package),
        needs: needs.iter().map(|need| need.package).collect(),
        needs_on: partial.map(|need| (need.package, need.targets.as_slice())).collect(),
        targets,
        files,
    }
}
