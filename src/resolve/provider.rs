//! PubGrub's view of a target's world.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

use pubgrub::{Dependencies, DependencyProvider, PackageResolutionStatistics};
use rustc_hash::FxHashMap;

use super::node::{Node, Set, number};
use super::view::{Edge, ONLY, Stock, View};
use crate::domain::{ExtraName, Needs, PackageName, Unknown};
use crate::select::check_requires_python;

/// Answers PubGrub's questions from a [`View`].
pub(super) struct Provider<'v, 'a> {
    pub view: &'v View<'a>,
    /// When a node was met first: earlier ones are decided first, as pip walks breadth first.
    met: RefCell<FxHashMap<Node, usize>>,
    /// The last version tried of each project, which its extras try first.
    tried: RefCell<HashMap<PackageName, u32>>,
}

/// Greater is decided earlier: what is known before what is not, what leaves no choice first,
/// then what was part of conflicts, then in the order of meeting.
pub(super) type Priority = (bool, bool, u32, Reverse<usize>);

/// In the order of the nodes, so that the search never depends on a hash.
type Constraints = BTreeMap<Node, Set>;

impl<'v, 'a> Provider<'v, 'a> {
    pub fn new(view: &'v View<'a>) -> Self {
        Self { view, met: RefCell::default(), tried: RefCell::default() }
    }

    fn meet(&self, node: &Node) -> usize {
        let mut met = self.met.borrow_mut();
        let next = met.len();
        *met.entry(node.clone()).or_insert(next)
    }

    fn of_root(&self) -> Constraints {
        let mut constraints = Constraints::default();
        self.meet_in_order_of_lines();
        for (name, asked) in self.view.asked.iter().filter(|(_, asked)| asked.is_required()) {
            for requirement in &asked.requirements {
                let set = match requirement.specifiers() {
                    Some(specifiers) => self.view.allowed(name, specifiers),
                    None => Set::full(),
                };
                let extras =
                    if self.view.question.follow_dependencies { requirement.extras.clone() } else { Vec::new() };
                self.add(&mut constraints, Edge { name: (*name).clone(), extras, set });
            }
        }
        constraints
    }

    /// What the user names first is decided first, as by pip.
    fn meet_in_order_of_lines(&self) {
        let lines = self.view.question.requirements.iter().filter(|line| !line.constraint);
        for name in lines.filter_map(|line| line.name.as_ref()).filter(|name| self.view.asked.contains_key(name)) {
            self.meet(&Node::Project(name.clone()));
        }
    }

    /// Adds the project and its extras.
    fn add(&self, constraints: &mut Constraints, edge: Edge) {
        let Edge { name, extras, set } = edge;
        for extra in extras {
            self.bound(constraints, Node::Extra(name.clone(), extra), &set);
        }
        self.bound(constraints, Node::Project(name), &set);
    }

    fn bound(&self, constraints: &mut Constraints, node: Node, set: &Set) {
        self.meet(&node);
        constraints.entry(node).and_modify(|known| *known = known.intersection(set)).or_insert_with(|| set.clone());
    }

    fn of_project(&self, name: &PackageName, position: usize) -> Result<Constraints, String> {
        let mut constraints = Constraints::default();
        if let Some(needs) = self.known(name, position)? {
            let own = Node::Project(name.clone());
            self.add_needs(&mut constraints, needs, &[], &own, position)?;
        }
        Ok(constraints)
    }

    fn of_extra(&self, name: &PackageName, extra: &ExtraName, position: usize) -> Result<Constraints, String> {
        let mut constraints = Constraints::default();
        constraints.insert(Node::Project(name.clone()), Set::singleton(number(position)));
        if let Some(needs) = self.known(name, position)? {
            if !needs.extras.contains(extra) {
                self.view.missing_extras.borrow_mut().insert((name.clone(), extra.clone()));
            }
            let own = Node::Extra(name.clone(), extra.clone());
            self.add_needs(&mut constraints, needs, std::slice::from_ref(extra), &own, position)?;
        }
        Ok(constraints)
    }

    fn add_needs(
        &self,
        constraints: &mut Constraints,
        needs: &Needs,
        extras: &[ExtraName],
        own: &Node,
        position: usize,
    ) -> Result<(), String> {
        for dependency in &needs.dependencies {
            let Some(edge) = self.view.edge(dependency, extras) else { continue };
            let mut edge = edge?;
            if own.project() == Some(&edge.name) {
                if !edge.set.contains(&number(position)) {
                    return Err(format!("it needs another version of itself ({dependency})"));
                }
                // `pkg[all]` needing `pkg[one]`: what is needed of oneself is the other extra.
                edge.extras.retain(|extra| *own != Node::Extra(edge.name.clone(), extra.clone()));
                if edge.extras.is_empty() {
                    continue;
                }
                edge.set = Set::singleton(number(position));
                for extra in std::mem::take(&mut edge.extras) {
                    self.bound(constraints, Node::Extra(edge.name.clone(), extra), &edge.set);
                }
                continue;
            }
            self.add(constraints, edge);
        }
        Ok(())
    }

    /// What a version needs; nothing while that is not known.
    fn known(&self, name: &PackageName, position: usize) -> Result<Option<&'a Needs>, String> {
        if !self.view.question.follow_dependencies {
            return Ok(None);
        }
        match self.view.needs(name, position) {
            // A build is asked for only if the version is in the solution: see `solve`.
            None | Some(Err(Unknown::NeedsBuild)) => Ok(None),
            Some(Err(Unknown::Refused(why))) => Err(why.clone()),
            Some(Ok(needs)) => {
                let fits = check_requires_python(needs.requires_python.as_ref(), self.view.target);
                fits.map_err(|why| why.to_string())?;
                match needs.unreadable.first() {
                    Some(line) => Err(format!("its `Requires-Dist: {line}` cannot be read")),
                    None => Ok(Some(needs)),
                }
            }
        }
    }
}

impl DependencyProvider for Provider<'_, '_> {
    type P = Node;
    type V = u32;
    type VS = Set;
    type Priority = Priority;
    type M = String;
    type Err = Infallible;

    fn prioritize(&self, node: &Node, set: &Set, statistics: &PackageResolutionStatistics) -> Priority {
        let (is_known, leaves_no_choice) = match node.project().map(|name| self.view.stock(name)) {
            Some(Stock::Unknown) => (false, false),
            Some(Stock::Direct(_)) | None => (true, true),
            Some(Stock::Listed(_)) => (true, set.as_singleton().is_some()),
        };
        (is_known, leaves_no_choice, statistics.conflict_count(), Reverse(self.meet(node)))
    }

    fn choose_version(&self, node: &Node, set: &Set) -> Result<Option<u32>, Infallible> {
        let Some(name) = node.project() else { return Ok(Some(number(ONLY))) };
        if let Node::Extra(..) = node
            && let Some(tried) = self.tried.borrow().get(name).filter(|tried| set.contains(tried))
        {
            return Ok(Some(*tried));
        }
        let chosen = self.view.choose(name, set).map(number);
        if let (Node::Project(name), Some(chosen)) = (node, chosen) {
            self.tried.borrow_mut().insert(name.clone(), chosen);
        }
        Ok(chosen)
    }

    fn get_dependencies(&self, node: &Node, version: &u32) -> Result<Dependencies<Node, Set, String>, Infallible> {
        let position = *version as usize;
        let constraints = match node {
            Node::Root => Ok(self.of_root()),
            Node::Project(name) => self.of_project(name, position),
            Node::Extra(name, extra) => self.of_extra(name, extra, position),
        };
        Ok(match constraints {
            Ok(constraints) => Dependencies::Available(constraints.into_iter().collect()),
            Err(why) => Dependencies::Unavailable(why),
        })
    }
}
