//! The dependency provider, which PubGrub asks for versions and their dependencies.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::rc::Rc;

use pubgrub::{Dependencies, DependencyProvider, PackageResolutionStatistics};
use rustc_hash::FxHashMap;

use super::node::{Node, VersionSet, number};
use super::search_view::{DependencyEdge, ONLY, PackageSource, SearchView};
use super::target_requirements::ProjectRequirements;
use super::version_dependencies::{Constraints, VersionDependencies};
use crate::domain::{Dependency, MetadataUnavailable, PackageName, ResolutionMetadata};
use crate::select::{OptIn, check_requires_python};

/// Answers PubGrub from a [`SearchView`].
pub(super) struct Provider<'p, 'v, 'q> {
    view: &'p SearchView<'v, 'q>,
    /// The order in which nodes were discovered; earlier ones are decided first, as pip walks
    /// breadth first.
    discovery_order: RefCell<FxHashMap<Node, usize>>,
    /// The last version of each project that was tried, which its extras try first.
    tried: RefCell<FxHashMap<PackageName, u32>>,
    /// The decision on each project, and the versions among which it was made; may hold decisions
    /// that were taken back.
    decided: RefCell<FxHashMap<PackageName, (u32, VersionSet)>>,
    steps: Cell<usize>,
    /// The conflicts of the projects that have many.
    contested: RefCell<BTreeMap<PackageName, u32>>,
}

/// Why a search is broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Interruption {
    #[error("the search is repeated in another order")]
    OtherOrder,
    #[error("the search takes too long")]
    TooLong,
}

/// The number of steps after which a search is given up; pip gives up after as many rounds.
pub(super) const MOST_STEPS: usize = 200_000;

/// The number of projects and extras, beside those of the user's lines, after which a search is given up:
/// several times what any known project needs.
const MOST_NODES: usize = 10_000;

/// The number of conflicts that make a project one of those in which a search turns.
const MANY_CONFLICTS: u32 = 100;

/// The priority of a node; greater is decided earlier.
///
/// Known nodes come first, then those without a choice, then the learned order, then those in
/// conflicts, then the order of discovery.
pub(super) type Priority = (bool, bool, Reverse<u32>, u32, Reverse<usize>);

impl<'p, 'v, 'q> Provider<'p, 'v, 'q> {
    pub fn new(view: &'p SearchView<'v, 'q>) -> Self {
        Self {
            view,
            discovery_order: RefCell::default(),
            tried: RefCell::default(),
            decided: RefCell::default(),
            steps: Cell::default(),
            contested: RefCell::default(),
        }
    }

    /// Returns the projects in most conflicts, the most contested first.
    pub fn contested(&self) -> Vec<PackageName> {
        let mut contested: Vec<_> = self.contested.take().into_iter().collect();
        contested.sort_by_key(|(_, conflicts)| Reverse(*conflicts));
        contested.into_iter().map(|(name, _)| name).collect()
    }

    fn is_too_long(&self) -> bool {
        self.steps.set(self.steps.get() + 1);
        let most_nodes = MOST_NODES + self.view.problem.question.requirements.len();
        self.steps.get() > MOST_STEPS || self.discovery_order.borrow().len() > most_nodes
    }

    fn level(&self, node: &Node) -> u32 {
        node.project().map_or(0, |name| self.view.assumptions.order.level(name))
    }

    /// Records the projects whose decided version does not satisfy `node`, although another version
    /// would have done as well.
    ///
    /// pip takes back its decision on such a project; here the search is repeated with that project
    /// later.
    fn note_rivals(&self, node: &Node, constraints: &Constraints) {
        let Some(name) = node.project() else { return };
        for (dependency, set) in constraints {
            let Node::Project(other) = dependency else { continue };
            if self.could_be_other(other, set) && self.view.assumptions.order.may_put(name, other) {
                self.view.discovered.borrow_mut().rivals.insert((name.clone(), other.clone()));
            }
        }
    }

    fn could_be_other(&self, name: &PackageName, set: &VersionSet) -> bool {
        let decided = self.decided.borrow();
        let Some((version, among)) = decided.get(name) else { return false };
        !self.is_held(name) && !set.contains(version) && self.view.choose(name, &set.intersection(among)).is_some()
    }

    /// Whether a line names the project with an extra.
    ///
    /// In pip such an extra fixes the version of its project, and whatever needs another version
    /// gives way.
    fn is_held(&self, name: &PackageName) -> bool {
        let has_extra = |asked: &ProjectRequirements<'_>| asked.requirements.iter().any(|line| !line.extras.is_empty());
        self.follows() && self.view.requirements_of(name).is_some_and(has_extra)
    }

    /// Records what lines allow, unless the project is decided and its version satisfies them; pip
    /// keeps what it has.
    fn note_opt_in(&self, name: &PackageName, asks: OptIn, set: &VersionSet) {
        let is_decided_well = self.decided.borrow().get(name).is_some_and(|(version, _)| set.contains(version));
        if !is_decided_well {
            self.view.note_opt_in(name, asks, set);
        }
    }

    /// Returns the version that was tried for the project of an extra.
    fn tried_before(&self, node: &Node, set: &VersionSet) -> Option<u32> {
        let Node::Extra(name, _) = node else { return None };
        self.tried.borrow().get(name).copied().filter(|tried| set.contains(tried))
    }

    /// Records a decision on a project.
    ///
    /// If its extra was decided with the same version before, the decision was made among the
    /// versions left then.
    fn note_decision(&self, name: &PackageName, version: u32, among: &VersionSet) {
        let mut decided = self.decided.borrow_mut();
        match decided.get(name) {
            Some((before, _)) if *before == version && among.as_singleton().is_some() => {}
            _ => drop(decided.insert(name.clone(), (version, among.clone()))),
        }
    }

    /// Forgets a decision that was taken back: `name` will be decided among `set`.
    fn forget_decision(&self, name: &PackageName, set: &VersionSet) {
        let mut decided = self.decided.borrow_mut();
        if decided.get(name).is_some_and(|(version, _)| set.as_singleton() != Some(version)) {
            decided.remove(name);
        }
    }

    fn discover(&self, node: &Node) -> usize {
        let mut discovery_order = self.discovery_order.borrow_mut();
        let next = discovery_order.len();
        match discovery_order.get(node) {
            Some(place) => *place,
            None => *discovery_order.entry(node.clone()).or_insert(next),
        }
    }

    fn of_root(&self) -> VersionDependencies {
        let mut dependencies = VersionDependencies::default();
        self.discover_in_line_order();
        for (name, asked) in self.view.problem.lines.required() {
            for requirement in &asked.requirements {
                let set = match requirement.specifiers() {
                    Some(specifiers) => self.view.allowed(name, specifiers),
                    None => VersionSet::full(),
                };
                let extras = if self.follows() { requirement.extras.clone() } else { Vec::new() };
                dependencies.add(DependencyEdge { name: name.clone(), extras, set });
            }
        }
        dependencies
    }

    fn follows(&self) -> bool {
        self.view.problem.question.follow_dependencies
    }

    /// Discovers the user's projects in the order of their lines, so that they are decided first,
    /// as by pip.
    fn discover_in_line_order(&self) {
        let lines = self.view.problem.question.requirements.iter().filter(|line| !line.constraint);
        for name in lines.filter_map(|line| line.name.as_ref()).filter(|name| self.view.requirements_of(name).is_some())
        {
            self.discover(&Node::Project(name.clone()));
        }
    }

    /// Returns the dependencies of a node in a version, cached if they are the same for every
    /// search.
    fn version_dependencies(&self, node: &Node, version: u32) -> Result<Rc<VersionDependencies>, String> {
        let Some(name) = node.project() else { return Ok(Rc::new(self.of_root())) };
        let (cache, opt_in) = (&self.view.problem.dependency_cache, self.view.opt_in(name));
        if self.view.assumes_no_file()
            && let Some(cached) = cache.get(node, version, opt_in)
        {
            return Ok(cached);
        }
        let position = version as usize;
        let Some(metadata) = self.usable_metadata(name, position)? else {
            return Ok(Rc::new(own_project(node, version)));
        };
        let dependencies = Rc::new(self.of_version(node, metadata, position)?);
        let is_lasting = !dependencies.names_url && dependencies.nodes.iter().all(|node| self.view.is_listed(node));
        if self.view.assumes_no_file() && is_lasting {
            cache.keep(node, version, opt_in, dependencies.clone());
        }
        Ok(dependencies)
    }

    /// Returns the dependencies of a version; an extra needs its project in the same version, and
    /// the extra's own lines.
    fn of_version(
        &self,
        node: &Node,
        metadata: &ResolutionMetadata,
        position: usize,
    ) -> Result<VersionDependencies, String> {
        let mut dependencies = own_project(node, number(position));
        for line in &metadata.dependencies {
            let is_meant = match node {
                Node::Extra(_, extra) => {
                    self.view.holds(line, std::slice::from_ref(extra)) && !self.view.holds(line, &[])
                }
                Node::Root | Node::Project(_) => self.view.holds(line, &[]),
            };
            if is_meant {
                self.add_dependency(&mut dependencies, line, node, position)?;
            }
        }
        Ok(dependencies)
    }

    fn add_dependency(
        &self,
        dependencies: &mut VersionDependencies,
        line: &Dependency,
        own: &Node,
        position: usize,
    ) -> Result<(), String> {
        let project = own.project().unwrap_or(&line.name);
        let edge = self.view.edge(line, project, position)?;
        dependencies.names_url |= line.source.specifiers().is_none();
        if let Some(asks) = line.source.specifiers().map(OptIn::of).filter(|asks| *asks != OptIn::default()) {
            dependencies.opt_ins.push((edge.name.clone(), asks, edge.set.clone()));
        }
        if own.project() != Some(&edge.name) {
            dependencies.add(edge);
            return Ok(());
        }
        if !edge.set.contains(&number(position)) {
            return Err(format!("it needs another version of itself ({line})"));
        }
        // `pkg[all]` needing `pkg[one]`: what is needed of oneself is the other extra.
        let own_version = VersionSet::singleton(number(position));
        let others = edge.extras.into_iter().map(|extra| Node::Extra(edge.name.clone(), extra));
        for other in others.filter(|other| other != own) {
            dependencies.bound(other, &own_version);
        }
        Ok(())
    }

    /// Returns the metadata of a version; `None` while it is not known.
    fn usable_metadata(&self, name: &PackageName, position: usize) -> Result<Option<&'v ResolutionMetadata>, String> {
        if !self.follows() {
            return Ok(None);
        }
        match self.view.metadata(name, position) {
            Some(Err(MetadataUnavailable::NeedsBuild)) if self.view.assumptions.refuse_builds => {
                Err("what it needs is only known by running its build".to_owned())
            }
            None | Some(Err(MetadataUnavailable::NeedsBuild)) => Ok(None),
            Some(Err(MetadataUnavailable::Refused(why))) => Err(why.clone()),
            Some(Ok(metadata)) => {
                let fits = check_requires_python(metadata.requires_python.as_ref(), self.view.problem.target);
                fits.map_err(|why| why.to_string())?;
                match metadata.unreadable.first() {
                    Some(line) => Err(format!("its `Requires-Dist: {line}` cannot be read")),
                    None => Ok(Some(metadata)),
                }
            }
        }
    }
}

impl DependencyProvider for Provider<'_, '_, '_> {
    type P = Node;
    type V = u32;
    type VS = VersionSet;
    type Priority = Priority;
    type M = String;
    type Err = Interruption;

    fn should_cancel(&self) -> Result<(), Interruption> {
        match self.view.discovered.borrow().rivals.is_empty() {
            false => Err(Interruption::OtherOrder),
            true if self.is_too_long() => Err(Interruption::TooLong),
            true => Ok(()),
        }
    }

    fn prioritize(&self, node: &Node, set: &VersionSet, statistics: &PackageResolutionStatistics) -> Priority {
        let (is_known, leaves_no_choice) = match node.project().map(|name| self.view.source(name)) {
            Some(PackageSource::Pending) => (false, false),
            Some(PackageSource::Direct(_)) | None => (true, true),
            Some(PackageSource::Listed(_)) => (true, set.as_singleton().is_some()),
        };
        if let Node::Project(name) = node {
            self.forget_decision(name, set);
            if statistics.conflict_count() >= MANY_CONFLICTS {
                self.contested.borrow_mut().insert(name.clone(), statistics.conflict_count());
            }
        }
        (
            is_known,
            leaves_no_choice,
            Reverse(self.level(node)),
            statistics.conflict_count(),
            Reverse(self.discover(node)),
        )
    }

    fn choose_version(&self, node: &Node, set: &VersionSet) -> Result<Option<u32>, Interruption> {
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

    fn get_dependencies(
        &self,
        node: &Node,
        version: &u32,
    ) -> Result<Dependencies<Node, VersionSet, String>, Interruption> {
        let dependencies = match self.version_dependencies(node, *version) {
            Ok(dependencies) => dependencies,
            Err(why) => return Ok(Dependencies::Unavailable(why)),
        };
        for node in &dependencies.nodes {
            self.discover(node);
        }
        dependencies.opt_ins.iter().for_each(|(name, asks, set)| self.note_opt_in(name, *asks, set));
        self.note_rivals(node, &dependencies.constraints);
        let constraints = dependencies.constraints.iter();
        Ok(Dependencies::Available(constraints.map(|(node, set)| (node.clone(), set.clone())).collect()))
    }
}

/// Returns the dependency that every extra has: its project in the same version.
fn own_project(node: &Node, version: u32) -> VersionDependencies {
    let mut dependencies = VersionDependencies::default();
    if let Node::Extra(name, _) = node {
        dependencies.constraints.insert(Node::Project(name.clone()), VersionSet::singleton(version));
    }
    dependencies
}
