//! PubGrub's view of a target's world.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::rc::Rc;

use pubgrub::{Dependencies, DependencyProvider, PackageResolutionStatistics};
use rustc_hash::FxHashMap;

use super::lines::Asked;
use super::needed::{Constraints, Needed};
use super::node::{Node, Set, number};
use super::view::{Edge, ONLY, Stock, View};
use crate::domain::{Dependency, Needs, PackageName, Unknown};
use crate::select::{OptIn, check_requires_python};

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
        !self.is_held(name) && !set.contains(version) && self.view.choose(name, &set.intersection(among)).is_some()
    }

    /// Whether a line names the project with an extra: in pip such an extra holds its project to the
    /// version that both were decided with, and whatever needs another gives way.
    fn is_held(&self, name: &PackageName) -> bool {
        let has_extra = |asked: &Asked<'_>| asked.requirements.iter().any(|line| !line.extras.is_empty());
        self.follows() && self.view.asked(name).is_some_and(has_extra)
    }

    /// Notes what lines opt in to, unless the project is decided and that fits: pip keeps what
    /// it has.
    fn note_opt_in(&self, name: &PackageName, asks: OptIn, set: &Set) {
        let is_decided_well = self.decided.borrow().get(name).is_some_and(|(version, _)| set.contains(version));
        if !is_decided_well {
            self.view.note_opt_in(name, asks, set);
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
        match met.get(node) {
            Some(place) => *place,
            None => *met.entry(node.clone()).or_insert(next),
        }
    }

    fn of_root(&self) -> Needed {
        let mut needed = Needed::default();
        self.meet_in_order_of_lines();
        for (name, asked) in self.view.case.lines.required() {
            for requirement in &asked.requirements {
                let set = match requirement.specifiers() {
                    Some(specifiers) => self.view.allowed(name, specifiers),
                    None => Set::full(),
                };
                let extras = if self.follows() { requirement.extras.clone() } else { Vec::new() };
                needed.add(Edge { name: name.clone(), extras, set });
            }
        }
        needed
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

    /// What a node needs in a version, from the memo where no search can tell it otherwise.
    fn needed(&self, node: &Node, version: u32) -> Result<Rc<Needed>, String> {
        let Some(name) = node.project() else { return Ok(Rc::new(self.of_root())) };
        let (memo, opt_in) = (&self.view.case.needed, self.view.opt_in(name));
        if self.view.assumes_no_file()
            && let Some(known) = memo.get(node, version, opt_in)
        {
            return Ok(known);
        }
        let position = version as usize;
        let Some(needs) = self.known(name, position)? else { return Ok(Rc::new(own_project(node, version))) };
        let needed = Rc::new(self.of_version(node, needs, position)?);
        let is_lasting = !needed.names_url && needed.met.iter().all(|node| self.view.is_listed(node));
        if self.view.assumes_no_file() && is_lasting {
            memo.keep(node, version, opt_in, needed.clone());
        }
        Ok(needed)
    }

    /// An extra needs its project in the same version, and what the extra adds to that.
    fn of_version(&self, node: &Node, needs: &Needs, position: usize) -> Result<Needed, String> {
        let mut needed = own_project(node, number(position));
        for line in &needs.dependencies {
            let is_meant = match node {
                Node::Extra(_, extra) => {
                    self.view.holds(line, std::slice::from_ref(extra)) && !self.view.holds(line, &[])
                }
                Node::Root | Node::Project(_) => self.view.holds(line, &[]),
            };
            if is_meant {
                self.add_need(&mut needed, line, node, position)?;
            }
        }
        Ok(needed)
    }

    fn add_need(&self, needed: &mut Needed, line: &Dependency, own: &Node, position: usize) -> Result<(), String> {
        let project = own.project().unwrap_or(&line.name);
        let edge = self.view.edge(line, project, position)?;
        needed.names_url |= line.source.specifiers().is_none();
        if let Some(asks) = line.source.specifiers().map(OptIn::of).filter(|asks| *asks != OptIn::default()) {
            needed.opt_ins.push((edge.name.clone(), asks, edge.set.clone()));
        }
        if own.project() != Some(&edge.name) {
            needed.add(edge);
            return Ok(());
        }
        if !edge.set.contains(&number(position)) {
            return Err(format!("it needs another version of itself ({line})"));
        }
        // `pkg[all]` needing `pkg[one]`: what is needed of oneself is the other extra.
        let own_version = Set::singleton(number(position));
        let others = edge.extras.into_iter().map(|extra| Node::Extra(edge.name.clone(), extra));
        for other in others.filter(|other| other != own) {
            needed.bound(other, &own_version);
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
        let needed = match self.needed(node, *version) {
            Ok(needed) => needed,
            Err(why) => return Ok(Dependencies::Unavailable(why)),
        };
        for node in &needed.met {
            self.meet(node);
        }
        needed.opt_ins.iter().for_each(|(name, asks, set)| self.note_opt_in(name, *asks, set));
        self.note_rivals(node, &needed.constraints);
        let constraints = needed.constraints.iter();
        Ok(Dependencies::Available(constraints.map(|(node, set)| (node.clone(), set.clone())).collect()))
    }
}

/// What an extra needs whatever it adds: its project in the same version.
fn own_project(node: &Node, version: u32) -> Needed {
    let mut needed = Needed::default();
    if let Node::Extra(name, _) = node {
        needed.constraints.insert(Node::Project(name.clone()), Set::singleton(version));
    }
    needed
}
