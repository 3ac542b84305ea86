//! The dependency graph of the packages in a manifest.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Dependency, PackageName};

use super::manifest::{Manifest, ManifestPackage};

/// The dependency graph of a manifest's packages, which are numbered by their positions in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyGraph {
    /// For each package, the packages that it needs, by rising position.
    pub needs: Vec<Vec<DependencyEdge>>,
    /// For each package, the positions of the packages that need it, rising.
    pub needed_by: Vec<Vec<usize>>,
    /// For each package, the input lines that ask for it by name.
    pub asked_by: Vec<Vec<String>>,
}

/// An edge of the graph: a package that another package needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyEdge {
    pub package: usize,
    /// Positions of the targets on which it is needed, rising; empty if the manifest names no
    /// target that both packages serve.
    pub targets: Vec<usize>,
    /// Whether the package that needs it also serves targets on which it does not need it.
    pub is_partial: bool,
}

impl DependencyGraph {
    /// Builds the graph.
    ///
    /// Of several versions of a project, a package needs those that serve a target on which it
    /// needs the project.
    pub fn of(manifest: &Manifest) -> Self {
        let packages = &manifest.packages;
        let served: Vec<_> = packages.iter().map(|package| served(manifest, package)).collect();
        let mut needs = vec![Vec::new(); packages.len()];
        let mut needed_by = vec![Vec::new(); packages.len()];
        let mut by_name = BTreeMap::<_, Vec<usize>>::new();
        for (position, package) in packages.iter().enumerate() {
            by_name.entry(package.name.as_str()).or_default().push(position);
        }
        for (one, package) in packages.iter().enumerate() {
            let names: BTreeSet<_> = package.dependencies.iter().map(String::as_str).collect();
            let others: BTreeSet<_> = names.iter().filter_map(|name| by_name.get(name)).flatten().copied().collect();
            for other in others.into_iter().filter(|other| *other != one) {
                let on = match package.dependency_targets.get(&packages[other].name) {
                    Some(ids) => positions(manifest, |id| ids.contains(id)),
                    None => served[one].clone(),
                };
                let targets: Vec<_> = on.iter().copied().filter(|target| served[other].contains(target)).collect();
                if !targets.is_empty() || on.is_empty() || served[other].is_empty() {
                    let is_partial = targets != served[one];
                    needs[one].push(DependencyEdge { package: other, targets, is_partial });
                    needed_by[other].push(one);
                }
            }
        }
        let asked_by = asked_by(manifest, &needed_by);
        Self { needs, needed_by, asked_by }
    }

    /// Whether an input line asks for the package at `position` by name.
    pub fn is_asked(&self, position: usize) -> bool {
        !self.asked_by[position].is_empty()
    }
}

/// Returns the positions of the targets that a package serves.
fn served(manifest: &Manifest, package: &ManifestPackage) -> Vec<usize> {
    positions(manifest, |id| package.files.iter().any(|file| file.targets.contains(id)))
}

fn positions(manifest: &Manifest, is_wanted: impl Fn(&String) -> bool) -> Vec<usize> {
    let targets = manifest.targets.iter().enumerate();
    targets.filter(|(_, target)| is_wanted(&target.id)).map(|(position, _)| position).collect()
}

/// Returns, for each package, those of its `requested_by` lines that ask for it by name.
///
/// If a manifest has no requests, the packages that no other package needs count as asked for.
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
    use super::*;
    use crate::layout::bundle::manifest::{
        ManifestFile, ManifestOptions, ManifestRequest, ManifestRequirement, ManifestTarget,
    };

    fn package(name: &str, version: &str, lines: &[&str], dependencies: &[&str], targets: &str) -> ManifestPackage {
        let file = ManifestFile {
            filename: format!("{name}-{version}.zip"),
            path: format!("wheels/{name}-{version}.zip"),
            size: 1,
            sha256: String::new(),
            url: None,
            index: None,
            requires_python: None,
            uploaded: None,
            vcs_info: None,
            yanked: None,
            targets: targets.split(' ').map(str::to_owned).collect(),
            tools: Vec::new(),
            metadata: None,
            built_from: None,
        };
        ManifestPackage {
            name: name.into(),
            version: Some(version.into()),
            summary: None,
            license: None,
            requested_by: lines.iter().map(ToString::to_string).collect(),
            dependencies: dependencies.iter().map(ToString::to_string).collect(),
            dependency_targets: Default::default(),
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

    fn target(id: &str) -> ManifestTarget {
        ManifestTarget { id: id.into(), python_version: String::new(), platform: String::new(), description: None }
    }

    #[test]
    fn versions_meet_on_targets_and_lines_by_names() {
        let mut packages = vec![
            package("app", "1", &["r:1"], &["lib"], "old"),
            package("lib", "1", &["r:1", "r:2"], &["app"], "old"),
            package("lib", "2", &["r:1", "r:3"], &[], "new"),
            package("rest", "1", &["r:3"], &["lib"], "new"),
            package("some", "1", &["r:3"], &["app", "lib"], "old new"),
        ];
        packages[4].dependency_targets = [("lib".to_owned(), vec!["new".to_owned()])].into();
        let request = request(&[("app", "r:1"), ("Lib<2", "r:2"), ("lib>=2", "r:3")]);
        let targets = ["old", "new"].map(target).into();
        let mut manifest =
            Manifest { schema: 1, requests: vec![request], targets, packages, project: None, pages: Vec::new() };
        let graph = DependencyGraph::of(&manifest);
        let whole = |package, target| vec![DependencyEdge { package, targets: vec![target], is_partial: false }];
        let partial = |package, target| DependencyEdge { package, targets: vec![target], is_partial: true };
        let expected = [whole(1, 0), whole(0, 0), vec![], whole(2, 1), vec![partial(0, 0), partial(2, 1)]];
        assert_eq!(graph.needs, expected);
        assert_eq!(graph.needed_by, [vec![1, 4], vec![0], vec![3, 4], vec![], vec![]]);
        assert_eq!(graph.asked_by, [vec!["r:1"], vec!["r:2"], vec!["r:3"], vec![], vec![]]);
        manifest.requests.clear();
        assert_eq!(DependencyGraph::of(&manifest).asked_by, [vec![], vec![], vec![], vec!["r:3"], vec!["r:3"]]);
    }
}
