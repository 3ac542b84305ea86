//! Selects the packages of a poetry.lock before 2.1 for a target.
//!
//! It follows dependencies as Poetry's solver does when only the lock's packages are available.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::domain::{
    EvaluatedMarkers, ExtraName, GroupName, Lock, LockContents, MarkerId, MarkerSets, MarkerTable, NotLocked,
    PackageName, SelectedGroups, SelectedPackage, Target,
};
use crate::input::locking;
use crate::input::version_range::VersionRange;

/// A lock of Poetry whose packages have no conditions; packages are given by their position.
#[derive(Debug)]
pub struct PoetryLock {
    pub contents: LockContents,
    /// The dependencies of each package.
    pub nodes: Vec<Node>,
    pub by_name: BTreeMap<PackageName, Vec<usize>>,
    /// The project's requirements.
    pub roots: Vec<Root>,
    pub markers: MarkerTable,
    pub requires_python: Option<VersionRange>,
}

/// The dependencies of a package.
#[derive(Debug)]
pub struct Node {
    pub python: Option<VersionRange>,
    pub marker: Option<MarkerId>,
    pub edges: Vec<Edge>,
    /// The optional dependencies of each extra.
    pub extras: BTreeMap<ExtraName, BTreeSet<PackageName>>,
}

/// One dependency.
#[derive(Debug)]
pub struct Edge {
    pub name: PackageName,
    pub version: Option<VersionRange>,
    pub extras: BTreeSet<ExtraName>,
    pub python: Option<VersionRange>,
    /// A value of `sys_platform`.
    pub platform: Option<String>,
    pub marker: Option<MarkerId>,
    pub optional: bool,
}

/// A requirement of the project.
#[derive(Debug)]
pub struct Root {
    /// The group; `None` for the project's own dependencies.
    pub group: Option<GroupName>,
    /// The extras that require it, if it is optional.
    pub extras: Option<BTreeSet<ExtraName>>,
    pub edge: Edge,
}

impl Lock for PoetryLock {
    fn contents(&self) -> &LockContents {
        &self.contents
    }

    fn select(&self, target: &Target, groups: &SelectedGroups) -> Result<Vec<SelectedPackage<'_>>, Vec<NotLocked>> {
        locking::check_python(self.requires_python.as_ref(), target, &self.contents)?;
        let markers = self.markers.evaluate(target.markers());
        let mut walk = Walk { lock: self, target, markers: &markers, found: BTreeMap::new(), missing: BTreeSet::new() };
        walk.go(groups);
        let Walk { found, missing, .. } = walk;
        locking::check_complete(missing, &self.contents)?;
        Ok(self.contents.at(found.into_values()))
    }
}

struct Walk<'l> {
    lock: &'l PoetryLock,
    target: &'l Target,
    markers: &'l EvaluatedMarkers<'l>,
    /// The version of each project, with its dependencies.
    found: BTreeMap<PackageName, (usize, BTreeSet<PackageName>)>,
    missing: BTreeSet<PackageName>,
}

impl<'l> Walk<'l> {
    fn go(&mut self, groups: &SelectedGroups) {
        let main = GroupName::from("main".parse::<ExtraName>().expect("it is a name"));
        let is_project = groups.project || groups.groups.contains(&main);
        let is_wanted = |root: &&Root| {
            let of_group = root.group.as_ref().map_or(is_project, |group| groups.groups.contains(group));
            of_group && root.extras.as_ref().is_none_or(|extras| !extras.is_disjoint(&groups.extras))
        };
        let lock = self.lock;
        let roots: Vec<_> = lock.roots.iter().filter(is_wanted).map(|root| &root.edge).collect();
        let mut queue: VecDeque<&'l Edge> = roots.into_iter().filter(|edge| self.holds(edge, &groups.extras)).collect();
        let mut seen = BTreeSet::new();
        while let Some(edge) = queue.pop_front() {
            let Some(position) = self.choose(edge) else {
                self.missing.insert(edge.name.clone());
                continue;
            };
            if !seen.insert((position, &edge.extras)) {
                continue;
            }
            let node = &lock.nodes[position];
            let of_extras = edge.extras.iter().filter_map(|extra| node.extras.get(extra)).flatten();
            let allowed: BTreeSet<_> = of_extras.collect();
            let is_asked = |needed: &&Edge| !needed.optional || allowed.contains(&needed.name);
            let needed: Vec<_> =
                node.edges.iter().filter(is_asked).filter(|needed| self.holds(needed, &edge.extras)).collect();
            let entry = self.found.entry(edge.name.clone()).or_insert_with(|| (position, BTreeSet::new()));
            entry.0 = position;
            entry.1.extend(needed.iter().map(|edge| edge.name.clone()));
            queue.extend(needed);
        }
    }

    /// Whether a dependency applies to the target, with these extras of the package that has it.
    fn holds(&self, edge: &Edge, extras: &BTreeSet<ExtraName>) -> bool {
        let sets = MarkerSets { extras: extras.clone(), groups: BTreeSet::new() };
        edge.python.as_ref().is_none_or(|python| python.contains(self.target.python()))
            && edge.platform.as_ref().is_none_or(|platform| platform == self.target.markers().sys_platform())
            && self.markers.holds(edge.marker, &sets)
    }

    /// Returns the highest version that the dependency allows and that supports the target.
    fn choose(&self, edge: &Edge) -> Option<usize> {
        let all = self.lock.by_name.get(&edge.name)?;
        if let [only] = all[..] {
            return Some(only);
        }
        let version = |position: &usize| self.lock.contents.packages[*position].version.as_ref();
        let is_allowed = |position: &usize| {
            let allows = |range: &VersionRange| version(position).is_some_and(|version| range.contains(version));
            edge.version.as_ref().is_none_or(allows)
        };
        let nothing = MarkerSets::default();
        let is_for_target = |position: &usize| {
            let node = &self.lock.nodes[*position];
            node.python.as_ref().is_none_or(|python| python.contains(self.target.python()))
                && self.markers.holds(node.marker, &nothing)
        };
        let allowed: Vec<_> = all.iter().copied().filter(is_allowed).collect();
        let fitting: Vec<_> = allowed.iter().copied().filter(is_for_target).collect();
        let candidates = if fitting.is_empty() { allowed } else { fitting };
        candidates.into_iter().max_by_key(|position| version(position))
    }
}
