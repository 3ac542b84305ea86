//! A uv.lock understood: packages, and the edges between them.

use std::collections::BTreeMap;

use crate::domain::{
    AvailableGroups, ExtraName, GroupName, LockedPackage, MarkerId, MarkerTable, Origin, PackageName, Specifiers,
};

/// A lock of uv. Packages go by their position.
#[derive(Debug)]
pub struct UvLock {
    pub packages: Vec<LockedPackage>,
    /// What each package needs.
    pub nodes: Vec<Node>,
    /// The project, or the members of the workspace.
    pub roots: Vec<usize>,
    /// What a script asks for.
    pub requirements: Vec<Requirement>,
    /// The groups of a workspace whose root is no project.
    pub groups: BTreeMap<GroupName, Vec<Requirement>>,
    pub markers: MarkerTable,
    pub requires_python: Option<Specifiers>,
    /// One of them must hold; without any, everything is supported.
    pub supported: Vec<MarkerId>,
    pub conflicts: Vec<Vec<Conflict>>,
    pub available: AvailableGroups,
    /// The file itself.
    pub origin: Origin,
}

/// What a package needs.
#[derive(Debug, Default)]
pub struct Node {
    /// It is no distribution itself (`package = false`).
    pub is_virtual: bool,
    /// The forks of the resolution that it belongs to; none: to all of them.
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

/// What is asked for by name, without a version.
#[derive(Debug)]
pub struct Requirement {
    pub name: PackageName,
    /// Every package of that name; the target's fork has one of them.
    pub candidates: Vec<usize>,
    pub extras: Vec<ExtraName>,
    pub marker: Option<MarkerId>,
}

/// One of several things that cannot be had together (`tool.uv.conflicts`).
#[derive(Debug)]
pub struct Conflict {
    /// As markers call it, see [`activation`].
    pub activation: ExtraName,
    /// As a person calls it.
    pub shown: String,
}

/// What can be active where a lock has conflicts.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    Project,
    Extra(&'a str),
    Group(&'a str),
}

/// The name by which uv's markers ask whether an item of a package is active: the kind, the length
/// of the package's name, the name, and the item (`extra == 'extra-3-app-cpu'`).
pub fn activation(package: &PackageName, item: Item<'_>) -> ExtraName {
    let length = package.as_ref().len();
    let text = match item {
        Item::Project => format!("project-{length}-{package}"),
        Item::Extra(extra) => format!("extra-{length}-{package}-{extra}"),
        Item::Group(group) => format!("group-{length}-{package}-{group}"),
    };
    text.parse().expect("names divided by dashes are a name")
}
