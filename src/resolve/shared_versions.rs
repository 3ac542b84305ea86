//! Decides which targets share versions, and keeps the versions that they share.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{ForkStrategy, PackageName, Solution, Target, Version};

/// The positions of the targets, grouped by which of them share versions.
///
/// Within a group the oldest Python comes first, since the others can mostly use what it can. So the
/// order in which targets are named decides nothing, except among targets of one Python.
pub(super) struct SharingGroups(Vec<Vec<usize>>);

impl SharingGroups {
    pub fn new(strategy: ForkStrategy, targets: &[Arc<Target>]) -> Self {
        let mut by_age: Vec<_> = (0..targets.len()).collect();
        by_age.sort_by_key(|position| targets[*position].python());
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for position in by_age {
            let shares = |group: &&mut Vec<usize>| match strategy {
                ForkStrategy::PerTarget => false,
                ForkStrategy::RequiresPython => {
                    group.iter().all(|other| targets[*other].python_version() == targets[position].python_version())
                }
                ForkStrategy::Fewest => true,
            };
            match groups.iter_mut().find(shares) {
                Some(group) => group.push(position),
                None => groups.push(vec![position]),
            }
        }
        Self(groups)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Vec<usize>> {
        self.0.iter()
    }
}

/// The versions that were chosen for the earlier targets of a group, those of the first target first.
#[derive(Default)]
pub(super) struct SharedVersions(BTreeMap<PackageName, Vec<Version>>);

impl SharedVersions {
    pub fn of(&self, project: &PackageName) -> &[Version] {
        self.0.get(project).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn add(&mut self, solution: &Solution) {
        for package in &solution.packages {
            let Some(version) = &package.version else { continue };
            let known = self.0.entry(package.name.clone()).or_default();
            if !known.contains(version) {
                known.push(version.clone());
            }
        }
    }
}
