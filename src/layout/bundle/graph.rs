//! Who needs whom among the packages of a manifest.

use std::collections::BTreeSet;

use crate::domain::{Dependency, PackageName};

use super::manifest::{Manifest, ManifestPackage};

/// The packages of a manifest by their positions, and what leads from one to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// The packages that each needs, rising.
    pub needs: Vec<Vec<usize>>,
    /// The packages that need each, rising.
    pub needed_by: Vec<Vec<usize>>,
    /// The lines that ask for each by its name.
    pub asked_by: Vec<Vec<String>>,
}

impl Graph {
    /// Of several versions of a project, a package needs those that serve a target of its own.
    pub fn of(manifest: &Manifest) -> Self {
        let packages = &manifest.packages;
        let served: Vec<_> = packages.iter().map(served).collect();
        let meet = |one: usize, other: usize| {
            served[one].is_empty() || served[other].is_empty() || !served[one].is_disjoint(&served[other])
        };
        let mut needs = vec![Vec::new(); packages.len()];
        let mut needed_by = vec![Vec::new(); packages.len()];
        for (one, package) in packages.iter().enumerate() {
            for (other, needed) in packages.iter().enumerate() {
                if one != other && package.dependencies.contains(&needed.name) && meet(one, other) {
                    needs[one].push(other);
                    needed_by[other].push(one);
                }
            }
        }
        let asked_by = asked_by(manifest, &needed_by);
        Self { needs, needed_by, asked_by }
    }

    /// Whether the package at `position` is asked for by its name.
    pub fn is_asked(&self, position: usize) -> bool {
        !self.asked_by[position].is_empty()
    }
}

/// Ids of the targets that a package serves.
fn served(package: &ManifestPackage) -> BTreeSet<&str> {
    package.files.iter().flat_map(|file| &file.targets).map(String::as_str).collect()
}

/// The lines that ask for each package: of all that led to it, those that name it. Where a manifest
/// does not tell what was asked, that is what nobody needs.
fn asked_by(manifest: &Manifest, needed_by: &[Vec<usize>]) -> Vec<Vec<String>> {
    let requirements = manifest.requests.iter().flat_map(|request| &request.requirements);
    let asking = requirements.filter(|requirement| !requirement.constraint);
    let lines: BTreeSet<(PackageName, &str)> = asking
        .filter_map(|line| Some((line.requirement.parse::<Dependency>().ok()?.name, line.source.as_str())))
        .collect();
    let names = |package: &ManifestPackage, line: &String| {
        package.name.parse().is_ok_and(|name: PackageName| lines.contains(&(name, line)))
    };
    let packages = manifest.packages.iter().zip(needed_by);
    packages
        .map(|(package, above)| {
            let counts = |line: &&String| if lines.is_empty() { above.is_empty() } else { names(package, line) };
            package.requested_by.iter().filter(counts).cloned().collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::manifest::{ManifestFile, ManifestOptions, ManifestRequest, ManifestRequirement};
    use super::*;

    fn package(name: &str, version: &str, lines: &[&str], dependencies: &[&str], target: &str) -> ManifestPackage {
        let file = ManifestFile {
            filename: format!("{name}-{version}.zip"),
            path: format!("wheels/{name}-{version}.zip"),
            size: 1,
            sha256: String::new(),
            url: None,
            index: None,
            requires_python: None,
            uploaded: None,
            yanked: None,
            targets: vec![target.into()],
            tools: Vec::new(),
        };
        ManifestPackage {
            name: name.into(),
            version: Some(version.into()),
            summary: None,
            license: None,
            requested_by: lines.iter().map(ToString::to_string).collect(),
            dependencies: dependencies.iter().map(ToString::to_string).collect(),
            files: vec![file],
        }
    }

    fn request(lines: &[(&str, &str)]) -> ManifestRequest {
        let requirements = lines.iter().map(|(requirement, source)| ManifestRequirement {
            requirement: (*requirement).into(),
            hashes: Vec::new(),
            constraint: false,
            source: (*source).into(),
        });
        ManifestRequest {
            requirements: requirements.collect(),
            options: ManifestOptions {
                only_binary: Vec::new(),
                no_binary: Vec::new(),
                all_releases: Vec::new(),
                only_final: Vec::new(),
                prefer_binary: false,
                require_hashes: false,
                dependencies: true,
            },
            targets: Vec::new(),
        }
    }

    #[test]
    fn versions_meet_on_targets_and_lines_by_names() {
        let packages = vec![
            package("app", "1", &["r:1"], &["lib"], "old"),
            package("lib", "1", &["r:1", "r:2"], &["app"], "old"),
            package("lib", "2", &["r:1", "r:3"], &[], "new"),
            package("rest", "1", &["r:3"], &["lib"], "new"),
        ];
        let request = request(&[("app", "r:1"), ("Lib<2", "r:2"), ("lib>=2", "r:3")]);
        let mut manifest =
            Manifest { schema: 1, requests: vec![request], targets: Vec::new(), packages, pages: Vec::new() };
        let graph = Graph::of(&manifest);
        assert_eq!(graph.needs, [vec![1], vec![0], vec![], vec![2]]);
        assert_eq!(graph.needed_by, [vec![1], vec![0], vec![3], vec![]]);
        assert_eq!(graph.asked_by, [vec!["r:1"], vec!["r:2"], vec!["r:3"], vec![]]);
        manifest.requests.clear();
        assert_eq!(Graph::of(&manifest).asked_by, [vec![], vec![], vec![], vec!["r:3".to_owned()]]);
    }
}
