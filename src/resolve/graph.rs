//! A solution as a graph: which project needs which, by which lines.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::node::Node;
use super::view::View;
use crate::domain::{Dependency, DependencySource, ExtraName, Origin, PackageName, Specifiers};

/// The decisions of a search.
pub(super) type Decided = BTreeMap<Node, u32>;

/// The lines of metadata that hold in a solution.
pub(super) struct Graph<'v> {
    /// Of every project, sorted.
    needed: BTreeMap<PackageName, Vec<&'v Dependency>>,
}

impl<'v> Graph<'v> {
    pub fn new(view: &View<'v, '_>, decided: &Decided) -> Self {
        let projects = decided.iter().filter_map(|(node, position)| match node {
            Node::Project(name) => Some((name.clone(), lines(view, name, *position as usize, decided))),
            _ => None,
        });
        Self { needed: projects.collect() }
    }

    /// Every project.
    pub fn projects(&self) -> impl Iterator<Item = &PackageName> {
        self.needed.keys()
    }

    /// The other projects that `name` needs, sorted.
    pub fn dependencies(&self, name: &PackageName) -> BTreeSet<&PackageName> {
        let lines = self.needed.get(name).into_iter().flatten();
        lines.map(|line| &line.name).filter(|needed| *needed != name).collect()
    }

    /// What metadata asks of each project: all specifiers together, and every URL.
    pub fn demands(&self) -> BTreeMap<&PackageName, Demand<'_>> {
        let mut demands: BTreeMap<&PackageName, Demand<'_>> = BTreeMap::new();
        for line in self.needed.values().flatten() {
            let demand = demands.entry(&line.name).or_default();
            match &line.source {
                DependencySource::Versions(more) => demand.specifiers = demand.specifiers.and(more),
                DependencySource::Url(url) => demand.urls.push(url),
            }
        }
        demands
    }

    /// The user's lines that lead to each project.
    pub fn requested_by(&self, view: &View<'_, '_>) -> BTreeMap<&PackageName, BTreeSet<Origin>> {
        let mut requested: BTreeMap<&PackageName, BTreeSet<Origin>> = BTreeMap::new();
        for (name, asked) in view.case.lines.required() {
            for project in self.reachable([name], |_| true) {
                let lines = asked.requirements.iter().map(|requirement| requirement.origin.clone());
                requested.entry(project).or_default().extend(lines);
            }
        }
        requested
    }

    /// How the first of the user's lines that does leads to `name`, a sentence for each step; none
    /// where it is named.
    pub fn chain(&self, view: &View<'_, '_>, decided: &Decided, name: &PackageName) -> Vec<String> {
        let mut parents: BTreeMap<&PackageName, Option<&PackageName>> = BTreeMap::new();
        let mut waiting: VecDeque<_> = view.case.lines.required().map(|(asked, _)| (asked, None)).collect();
        while let Some((project, parent)) = waiting.pop_front() {
            if let Entry::Vacant(place) = parents.entry(project) {
                place.insert(parent);
                waiting.extend(self.dependencies(project).into_iter().map(|needed| (needed, Some(project))));
            }
        }
        let parent = |of: &&PackageName| parents.get(of).copied().flatten();
        let way: Vec<_> = std::iter::successors(Some(name), parent).collect();
        let steps = way.windows(2).rev().map(|step| self.sentence(view, decided, step[1], step[0]));
        steps.collect()
    }

    fn sentence(&self, view: &View<'_, '_>, decided: &Decided, who: &PackageName, needed: &PackageName) -> String {
        let position = decided.get(&Node::Project(who.clone())).copied().unwrap_or_default();
        let version = view.version(who, position as usize).map(|version| format!(" {version}")).unwrap_or_default();
        let mut lines = self.needed.get(who).into_iter().flatten();
        let line =
            lines.find(|line| line.name == *needed).map_or_else(|| needed.to_string(), |line| format!("{line:#}"));
        format!("{who}{version} needs {line}")
    }

    /// Those of `names` that `pass`, and all that they need, directly or not, on ways on which
    /// every project does.
    pub fn reachable<'a>(
        &self,
        names: impl IntoIterator<Item = &'a PackageName>,
        pass: impl Fn(&PackageName) -> bool,
    ) -> BTreeSet<&PackageName> {
        let mut reached = BTreeSet::new();
        let names = names.into_iter().filter_map(|name| self.needed.get_key_value(name));
        let mut waiting: Vec<_> = names.map(|(name, _)| name).collect();
        while let Some(name) = waiting.pop() {
            if !reached.contains(name) && pass(name) {
                reached.insert(name);
                waiting.extend(self.dependencies(name));
            }
        }
        reached
    }
}

/// What metadata asks of one project.
#[derive(Debug, Default)]
pub(super) struct Demand<'v> {
    pub specifiers: Specifiers,
    pub urls: Vec<&'v str>,
}

/// The lines of a version that hold with the extras that were decided on.
fn lines<'v>(view: &View<'v, '_>, name: &PackageName, position: usize, decided: &Decided) -> Vec<&'v Dependency> {
    if !view.case.question.follow_dependencies {
        return Vec::new();
    }
    let Some(Ok(needs)) = view.needs(name, position) else { return Vec::new() };
    let extras = extras(name, decided);
    let holds = |line: &&Dependency| {
        view.holds(line, &[]) || extras.iter().any(|extra| view.holds(line, std::slice::from_ref(*extra)))
    };
    needs.dependencies.iter().filter(holds).collect()
}

/// The extras of `name` that were decided on.
pub(super) fn extras<'d>(name: &PackageName, decided: &'d Decided) -> Vec<&'d ExtraName> {
    let first = Node::Extra(name.clone(), FIRST_EXTRA.parse().expect("a digit is the name of an extra"));
    let nodes = decided.range(first..).map_while(|(node, _)| match node {
        Node::Extra(project, extra) if project == name => Some(extra),
        _ => None,
    });
    nodes.collect()
}

/// No name of an extra sorts before it: they begin with a digit or a letter.
const FIRST_EXTRA: &str = "0";
