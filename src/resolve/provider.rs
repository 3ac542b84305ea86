//! PubGrub's view of a target's world.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use pubgrub::{Dependencies, DependencyProvider, PackageResolutionStatistics};
use rustc_hash::FxHashMap;

use super::node::{Node, Set, number};
use super::view::{Edge, ONLY, Stock, View};
use crate::domain::{Dependency, DependencySource, ExtraName, Needs, PackageName, Unknown};
use crate::select::check_requires_python;

/// Answers PubGrub's questions from a [`View`].
pub(super) struct Provider<'p, 'v, 'q> {
    view: &'p View<'v, 'q>,
    /// When a node was met first: earlier ones are decided first, as pip walks breadth first.
    met: RefCell<FxHashMap<Node, usize>>,
    /// The last version tried of each project, which its extras try first.
    tried: RefCell<FxHashMap<PackageName, u32>>,
    /// What is decided of each project, and among which versions that was; may hold more than
    /// what is decided.
    decided: RefCell<FxHashMap<PackageName, (u32, Set)>>,
}

/// The search is to be repeated in another order.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the search is repeated in another order")]
pub(super) struct Repeat;

/// Greater is decided earlier: what is known before what is not, what leaves no choice first,
/// then by the order that was learned, then what was part of conflicts, then in the order of
/// meeting.
pub(super) type Priority = (bool, bool, Reverse<u32>, u32, Reverse<usize>);

/// In the order of the nodes, so that the search never depends on a hash.
type Constraints = BTreeMap<Node, Set>;

impl<'p, 'v, 'q> Provider<'p, 'v, 'q> {
    pub fn new(view: &'p View<'v, 'q>) -> Self {
        Self { view, met: RefCell::default(), tried: RefCell::default(), decided: RefCell::default() }
    }

    fn level(&self, node: &Node) -> u32 {
        node.project().map_or(0, |name| self.view.assumed.order.level(name))
    }

    /// Notes the projects whose decided version is not what a version of `node` needs, though
    /// another one would have done as well. pip takes its decision on such a project back; here
    /// the search is repeated with that project later.
    fn note_rivals(&self, node: &Node, constraints: &Constraints) {
        let Some(name) = node.project() else { return };
        for (needed, set) in constraints {
            let Node::Project(other) = needed else { continue };
            if self.could_be_other(other, set) && self.view.assumed.order.may_put(name, other) {
                self.view.met.borrow_mut().rivals.insert((name.clone(), other.clone()));
            }
        }
    }

    fn could_be_other(&self, name: &PackageName, set: &Set) -> bool {
        let decided = self.decided.borrow();
        let Some((version, among)) = decided.get(name) else { return false };
        !set.contains(version) && self.view.choose(name, &set.intersection(among)).is_some()
    }

    /// Notes what a line opts in to, unless the project is decided and that fits: pip keeps what
    /// it has.
    fn note_opt_in(&self, edge: &Edge, line: &Dependency) {
        let is_decided_well =
            self.decided.borrow().get(&edge.name).is_some_and(|(version, _)| edge.set.contains(version));
        if let DependencySource::Versions(specifiers) = &line.source
            && !is_decided_well
        {
            self.view.note_opt_in(&edge.name, specifiers, &edge.set);
        }
    }

    /// An extra is tried with the version that its project was tried with.
    fn tried_before(&self, node: &Node, set: &Set) -> Option<u32> {
        let Node::Extra(name, _) = node else { return None };
        self.tried.borrow().get(name).copied().filter(|tried| set.contains(tried))
    }

    /// Notes a decision on a project. One that its extra was decided with before was made among
    /// what was left then.
    fn note_decision(&self, name: &PackageName, version: u32, among: &Set) {
        let mut decided = self.decided.borrow_mut();
        match decided.get(name) {
            Some((known, _)) if *known == version && among.as_singleton().is_some() => {}
            _ => drop(decided.insert(name.clone(), (version, among.clone()))),
        }
    }

    /// Forgets a decision that was taken back: `name` is to be decided among `set`.
    fn forget_decision(&self, name: &PackageName, set: &Set) {
        let mut decided = self.decided.borrow_mut();
        if decided.get(name).is_some_and(|(version, _)| set.as_singleton() != Some(version)) {
            decided.remove(name);
        }
    }

    fn meet(&self, node: &Node) -> usize {
        let mut met = self.met.borrow_mut();
        let next = met.len();
        *met.entry(node.clone()).or_insert(next)
    }

    fn of_root(&self) -> Constraints {
        let mut constraints = Constraints::default();
        self.meet_in_order_of_lines();
        for (name, asked) in self.view.case.lines.required() {
            for requirement in &asked.requirements {
                let set = match requirement.specifiers() {
                    Some(specifiers) => self.view.allowed(name, specifiers),
                    None => Set::full(),
                };
                let extras = if self.follows() { requirement.extras.clone() } else { Vec::new() };
                self.add(&mut constraints, Edge { name: name.clone(), extras, set });
            }
        }
        constraints
    }

    fn follows(&self) -> bool {
        self.view.case.question.follow_dependencies
    }

    /// What the user names first is decided first, as by pip.
    fn meet_in_order_of_lines(&self) {
        let lines = self.view.case.question.requirements.iter().filter(|line| !line.constraint);
        for name in lines.filter_map(|line| line.name.as_ref()).filter(|name| self.view.asked(name).is_some()) {
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
        for dependency in self.known(name, position)?.map_or(&[][..], |needs| &needs.dependencies) {
            if self.view.holds(dependency, &[]) {
                self.add_need(&mut constraints, dependency, &Node::Project(name.clone()), position)?;
            }
        }
        Ok(constraints)
    }

    /// An extra needs its project in the same version, and what the extra adds to that.
    fn of_extra(&self, name: &PackageName, extra: &ExtraName, position: usize) -> Result<Constraints, String> {
        let mut constraints = Constraints::default();
        constraints.insert(Node::Project(name.clone()), Set::singleton(number(position)));
        for dependency in self.known(name, position)?.map_or(&[][..], |needs| &needs.dependencies) {
            if self.view.holds(dependency, std::slice::from_ref(extra)) && !self.view.holds(dependency, &[]) {
                let own = Node::Extra(name.clone(), extra.clone());
                self.add_need(&mut constraints, dependency, &own, position)?;
            }
        }
        Ok(constraints)
    }

    fn add_need(
        &self,
        constraints: &mut Constraints,
        dependency: &Dependency,
        own: &Node,
        position: usize,
    ) -> Result<(), String> {
        let project = own.project().unwrap_or(&dependency.name);
        let edge = self.view.edge(dependency, project, position)?;
        self.note_opt_in(&edge, dependency);
        if own.project() != Some(&edge.name) {
            self.add(constraints, edge);
            return Ok(());
        }
        if !edge.set.contains(&number(position)) {
            return Err(format!("it needs another version of itself ({dependency})"));
        }
        // `pkg[all]` needing `pkg[one]`: what is needed of oneself is the other extra.
        let own_version = Set::singleton(number(position));
        let others = edge.extras.into_iter().map(|extra| Node::Extra(edge.name.clone(), extra));
        for other in others.filter(|other| other != own) {
            self.bound(constraints, other, &own_version);
        }
        Ok(())
    }

    /// What a version needs; nothing while that is not known.
    fn known(&self, name: &PackageName, position: usize) -> Result<Option<&'v Needs>, String> {
        if !self.follows() {
            return Ok(None);
        }
        match self.view.needs(name, position) {
            Some(Err(Unknown::NeedsBuild)) if self.view.assumed.refuse_builds => {
                Err("what it needs is only known by running its build".to_owned())
            }
            None | Some(Err(Unknown::NeedsBuild)) => Ok(None),
            Some(Err(Unknown::Refused(why))) => Err(why.clone()),
            Some(Ok(needs)) => {
                let fits = check_requires_python(needs.requires_python.as_ref(), self.view.case.target);
                fits.map_err(|why| why.to_string())?;
                match needs.unreadable.first() {
                    Some(line) => Err(format!("its `Requires-Dist: {line}` cannot be read")),
                    None => Ok(Some(needs)),
                }
            }
        }
    }
}

impl DependencyProvider for Provider<'_, '_, '_> {
    type P = Node;
    type V = u32;
    type VS = Set;
    type Priority = Priority;
    type M = String;
    type Err = Repeat;

    fn should_cancel(&self) -> Result<(), Repeat> {
        if self.view.met.borrow().rivals.is_empty() { Ok(()) } else { Err(Repeat) }
    }

    fn prioritize(&self, node: &Node, set: &Set, statistics: &PackageResolutionStatistics) -> Priority {
        let (is_known, leaves_no_choice) = match node.project().map(|name| self.view.stock(name)) {
            Some(Stock::Unknown) => (false, false),
            Some(Stock::Direct(_)) | None => (true, true),
            Some(Stock::Listed(_)) => (true, set.as_singleton().is_some()),
        };
        if let Node::Project(name) = node {
            self.forget_decision(name, set);
        }
        (is_known, leaves_no_choice, Reverse(self.level(node)), statistics.conflict_count(), Reverse(self.meet(node)))
    }

    fn choose_version(&self, node: &Node, set: &Set) -> Result<Option<u32>, Repeat> {
        let Some(name) = node.project() else { return Ok(Some(number(ONLY))) };
        let chosen = self.tried_before(node, set).or_else(|| self.view.choose(name, set).map(number));
        if let Some(chosen) = chosen {
            self.note_decision(name, chosen, set);
            if matches!(node, Node::Project(_)) {
                self.tried.borrow_mut().insert(name.clone(), chosen);
            }
        }
        Ok(chosen)
    }

    fn get_dependencies(&self, node: &Node, version: &u32) -> Result<Dependencies<Node, Set, String>, Repeat> {
        let position = *version as usize;
        let constraints = match node {
            Node::Root => Ok(self.of_root()),
            Node::Project(name) => self.of_project(name, position),
            Node::Extra(name, extra) => self.of_extra(name, extra, position),
        };
        Ok(match constraints {
            Ok(constraints) => {
                self.note_rivals(node, &constraints);
                Dependencies::Available(constraints.into_iter().collect())
            }
            Err(why) => Dependencies::Unavailable(why),
        })
    }
}
