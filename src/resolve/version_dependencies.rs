//! The dependencies of versions as PubGrub takes them, cached since searches are repeated.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::node::{Node, VersionSet};
use super::search_view::DependencyEdge;
use crate::domain::PackageName;
use crate::select::OptIn;

/// The allowed versions of each node; sorted, so that the search never depends on a hash.
pub(super) type Constraints = BTreeMap<Node, VersionSet>;

/// The dependencies of one version.
#[derive(Default)]
pub(super) struct VersionDependencies {
    pub constraints: Constraints,
    /// The nodes, in the order of the lines that name them.
    pub nodes: Vec<Node>,
    /// What lines allow in addition, and among which versions.
    pub opt_ins: Vec<(PackageName, OptIn, VersionSet)>,
    /// Whether a line names a URL, which every search must discover.
    pub names_url: bool,
}

impl VersionDependencies {
    /// Adds the project of an edge and its extras.
    pub fn add(&mut self, edge: DependencyEdge) {
        let DependencyEdge { name, extras, set } = edge;
        for extra in extras {
            self.bound(Node::Extra(name.clone(), extra), &set);
        }
        self.bound(Node::Project(name), &set);
    }

    pub fn bound(&mut self, node: Node, set: &VersionSet) {
        self.nodes.push(node.clone());
        let known = self.constraints.entry(node);
        known.and_modify(|known| *known = known.intersection(set)).or_insert_with(|| set.clone());
    }
}

/// Caches the dependencies of versions, by position and by what specifiers allow.
#[derive(Default)]
pub(super) struct DependencyCache(RefCell<FxHashMap<Node, Vec<CachedDependencies>>>);

struct CachedDependencies {
    version: u32,
    opt_in: OptIn,
    needed: Rc<VersionDependencies>,
}

impl DependencyCache {
    pub fn get(&self, node: &Node, version: u32, opt_in: OptIn) -> Option<Rc<VersionDependencies>> {
        let all = self.0.borrow();
        let known = all.get(node)?.iter().find(|known| known.version == version && known.opt_in == opt_in)?;
        Some(known.needed.clone())
    }

    pub fn keep(&self, node: &Node, version: u32, opt_in: OptIn, needed: Rc<VersionDependencies>) {
        self.0.borrow_mut().entry(node.clone()).or_default().push(CachedDependencies { version, opt_in, needed });
    }
}
