//! The dependencies of a package on each target, since markers make them differ.

use std::collections::BTreeMap;
use std::collections::btree_map::IntoIter;

use serde::{Deserialize, Serialize};

use super::PackageName;

/// The projects that a package needs, each with the positions of the targets on which it does,
/// rising.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetDependencies(BTreeMap<PackageName, Vec<usize>>);

impl TargetDependencies {
    /// Adds that the package needs each of `names` on the target at `position`.
    pub fn add(&mut self, position: usize, names: impl IntoIterator<Item = PackageName>) {
        for name in names {
            let targets = self.0.entry(name).or_default();
            if let Err(place) = targets.binary_search(&position) {
                targets.insert(place, position);
            }
        }
    }

    /// Adds the dependencies of `other`.
    pub fn merge(&mut self, other: Self) {
        for (name, targets) in other.0 {
            let all = self.0.entry(name).or_default();
            all.extend(targets);
            all.sort_unstable();
            all.dedup();
        }
    }

    /// Replaces each target's position `n` by `positions[n]`.
    pub fn moved(self, positions: &[usize]) -> Self {
        let mut moved = Self::default();
        let at = |targets: Vec<usize>| targets.into_iter().map(|target| positions[target]).collect();
        moved.merge(self.0.into_iter().map(|(name, targets)| (name, at(targets))).collect());
        moved
    }

    /// Returns the names of all projects, sorted.
    pub fn names(&self) -> impl Iterator<Item = &PackageName> {
        self.0.keys()
    }

    /// Returns the projects that are needed on some of `targets` only, with these; `targets` must
    /// rise.
    pub fn partial<'a>(&'a self, targets: &'a [usize]) -> impl Iterator<Item = (&'a PackageName, &'a [usize])> {
        self.0.iter().filter(move |(_, on)| *on != targets).map(|(name, on)| (name, on.as_slice()))
    }
}

impl FromIterator<(PackageName, Vec<usize>)> for TargetDependencies {
    fn from_iter<I: IntoIterator<Item = (PackageName, Vec<usize>)>>(edges: I) -> Self {
        Self(edges.into_iter().collect())
    }
}

impl IntoIterator for TargetDependencies {
    type Item = (PackageName, Vec<usize>);
    type IntoIter = IntoIter<PackageName, Vec<usize>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(all: &[(&str, &[usize])]) -> TargetDependencies {
        all.iter().map(|(name, targets)| (name.parse().unwrap(), targets.to_vec())).collect()
    }

    #[test]
    fn what_every_target_needs_is_told_from_what_some_do() {
        let name = |text: &str| text.parse().unwrap();
        let mut all = TargetDependencies::default();
        all.add(1, [name("b"), name("a")]);
        all.add(0, [name("a")]);
        all.merge(edges(&[("a", &[0, 1])]));
        assert_eq!(all, edges(&[("a", &[0, 1]), ("b", &[1])]));
        assert_eq!(all.names().map(AsRef::as_ref).collect::<Vec<&str>>(), ["a", "b"]);
        assert_eq!(all.partial(&[0, 1]).collect::<Vec<_>>(), [(&name("b"), &[1][..])]);
        assert_eq!(all.moved(&[5, 2]), edges(&[("a", &[2, 5]), ("b", &[2])]));
    }
}
