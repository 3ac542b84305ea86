//! A parsed uv.lock: packages, and their dependencies.

use std::collections::BTreeMap;

use crate::domain::{ExtraName, GroupName, LockContents, MarkerId, MarkerTable, PackageName};
use crate::input::version_range::VersionRange;

/// A lock of uv; packages are given by their position.
#[derive(Debug)]
pub struct UvLock {
    pub contents: LockContents,
    /// The dependencies of each package.
    pub nodes: Vec<Node>,
    /// The project, or the members of the workspace.
    pub roots: Vec<usize>,
    /// The requirements of a script.
    pub requirements: Vec<ManifestRequirement>,
    /// The groups of a workspace whose root is no project.
    pub groups: BTreeMap<GroupName, Vec<ManifestRequirement>>,
    pub markers: MarkerTable,
    pub requires_python: Option<VersionRange>,
    /// The Python versions that the project requires now, if it may have changed since.
    pub project_python: Option<VersionRange>,
    /// The supported environments, of which one must hold; `None` for all.
    pub environments: Option<Vec<MarkerId>>,
    pub conflicts: Vec<Vec<Conflict>>,
}

/// The dependencies of a package.
#[derive(Debug, Default)]
pub struct Node {
    /// Whether it is no distribution itself (`package = false`).
    pub is_virtual: bool,
    /// The forks of the resolution that it belongs to; if empty, it belongs to all.
    pub forks: Vec<MarkerId>,
    pub dependencies: Vec<Edge>,
    pub extras: BTreeMap<ExtraName, Vec<Edge>>,
    pub groups: BTreeMap<GroupName, Vec<Edge>>,
}

/// One dependency of a package.
#[derive(Debug)]
pub struct Edge {
    /// The position of the package that is needed.
    pub to: usize,
    pub extras: Vec<ExtraName>,
    pub marker: Option<MarkerId>,
}

/// A requirement by name, without a version.
#[derive(Debug)]
pub struct ManifestRequirement {
    pub name: PackageName,
    /// Every package of that name, of which the target's fork has one.
    pub candidates: Vec<usize>,
    pub extras: Vec<ExtraName>,
    pub marker: Option<MarkerId>,
}

/// One of several extras or groups that exclude each other (`tool.uv.conflicts`).
#[derive(Debug)]
pub struct Conflict {
    /// Its name in markers, see [`activation`].
    pub activation: ExtraName,
    /// Its name for people.
    pub shown: String,
}

/// The items that can be active in a lock with conflicts.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    Project,
    Extra(&'a str),
    Group(&'a str),
}

/// Returns the name by which uv's markers refer to an item of a package: the kind, the length of
/// the package's name, the name, and the item (`extra == 'extra-3-app-cpu'`).
pub fn activation(package: &PackageName, item: Item<'_>) -> ExtraName {
    let length = package.as_ref().len();
    let text = match item {
        Item::Project => format!("project-{length}-{package}"),
        Item::Extra(extra) => format!("extra-{length}-{package}-{extra}"),
        Item::Group(group) => format!("group-{length}-{package}-{group}"),
    };
    text.parse().expect("names divided by dashes are a name")
}
