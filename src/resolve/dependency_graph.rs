//! A solution as a graph of projects, with the lines by which they need each other.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::node::Node;
use super::search_view::SearchView;
use crate::domain::{Dependency, DependencySource, ExtraName, Origin, PackageName, Specifiers};

/// The decisions of a search: the version of each node.
pub(super) type Decisions = BTreeMap<Node, u32>;

/// The metadata lines that apply in a solution.
pub(super) struct DependencyGraph<'v> {
    /// The projects, sorted by name.
    projects: Vec<ProjectNode<'v>>,
}

struct ProjectNode<'v> {
    name: PackageName,
    lines: Vec<&'v Dependency>,
    /// Positions in [`DependencyGraph::projects`] of the other projects that it needs, rising.
    needed: Vec<usize>,
}

impl<'v> DependencyGraph<'v> {
    pub fn new(view: &SearchView<'v, '_>, decided: &Decisions) -> Self {
        let projects = decided.iter().filter_map(|(node, position)| match node {
            Node::Project(name) => Some((name, lines(view, name, *position as usize, decided))),
            _ => None,
        });
        let projects =
            projects.map(|(name, lines)| ProjectNode { name: name.clone(), lines, needed: Vec::new() }).collect();
        let mut graph = Self { projects };
        for own in 0..graph.projects.len() {
            let needed = graph.projects[own].lines.iter().filter_map(|line| graph.position(&line.name));
            let needed: BTreeSet<_> = needed.filter(|needed| *needed != own).collect();
            graph.projects[own].needed = needed.into_iter().collect();
        }
        graph
    }

    fn position(&self, name: &PackageName) -> Option<usize> {
        self.projects.binary_search_by(|project| project.name.cmp(name)).ok()
    }

    fn project(&self, name: &PackageName) -> Option<&ProjectNode<'v>> {
        Some(&self.projects[self.position(name)?])
    }

    /// Returns every project.
    pub fn projects(&self) -> impl Iterator<Item = &PackageName> {
        self.projects.iter().map(|project| &project.name)
    }

    /// Returns the other projects that `name` needs, sorted.
    pub fn dependencies(&self, name: &PackageName) -> impl Iterator<Item = &PackageName> {
        let needed = self.project(name).into_iter().flat_map(|project| &project.needed);
        needed.map(|position| &self.projects[*position].name)
    }

    /// Returns what metadata requires of each project: all specifiers together, and every URL.
    pub fn demands(&self) -> BTreeMap<&PackageName, CombinedDemand<'_>> {
        let mut lines: BTreeMap<&PackageName, (Vec<&Specifiers>, Vec<&str>)> = BTreeMap::new();
        for line in self.projects.iter().flat_map(|project| &project.lines) {
            let (specifiers, urls) = lines.entry(&line.name).or_default();
            match &line.source {
                DependencySource::Versions(more) => specifiers.push(more),
                DependencySource::Url(url) => urls.push(url),
            }
        }
        let combined = |(specifiers, urls): (Vec<&Specifiers>, Vec<_>)| CombinedDemand {
            specifiers: Specifiers::all(specifiers),
            urls,
        };
        lines.into_iter().map(|(name, lines)| (name, combined(lines))).collect()
    }

    /// Returns the user's lines that lead to each project.
    pub fn requested_by(&self, view: &SearchView<'_, '_>) -> BTreeMap<&PackageName, BTreeSet<Origin>> {
        let mut requested: Vec<BTreeSet<&Origin>> = vec![BTreeSet::new(); self.projects.len()];
        for (name, asked) in view.problem.lines.required() {
            for position in self.reachable([name], |_| true) {
                requested[position].extend(asked.requirements.iter().map(|requirement| &requirement.origin));
            }
        }
        let origins = requested.into_iter().map(|origins| origins.into_iter().cloned().collect());
        self.projects().zip(origins).collect()
    }

    /// Explains how the first of the user's lines leads to `name`, a sentence for each step; empty
    /// if a line names it.
    pub fn chain(&self, view: &SearchView<'_, '_>, decided: &Decisions, name: &PackageName) -> Vec<String> {
        let mut parents: BTreeMap<&PackageName, Option<&PackageName>> = BTreeMap::new();
        let mut waiting: VecDeque<_> = view.problem.lines.required().map(|(asked, _)| (asked, None)).collect();
        while let Some((project, parent)) = waiting.pop_front() {
            if let Entry::Vacant(place) = parents.entry(project) {
                place.insert(parent);
                waiting.extend(self.dependencies(project).map(|needed| (needed, Some(project))));
            }
        }
        let parent = |of: &&PackageName| parents.get(of).copied().flatten();
        let way: Vec<_> = std::iter::successors(Some(name), parent).collect();
        let steps = way.windows(2).rev().map(|step| self.sentence(view, decided, step[1], step[0]));
        steps.collect()
    }

    fn sentence(
        &self,
        view: &SearchView<'_, '_>,
        decided: &Decisions,
        who: &PackageName,
        needed: &PackageName,
    ) -> String {
        let position = decided.get(&Node::Project(who.clone())).copied().unwrap_or_default();
        let version = view.version(who, position as usize).map(|version| format!(" {version}")).unwrap_or_default();
        let mut lines = self.project(who).into_iter().flat_map(|project| &project.lines);
        let line = lines.find(|line| line.name == *needed);
        let line = line.map_or_else(|| needed.to_string(), |line| view.quoted(line));
        format!("{who}{version} needs {line}")
    }

    /// Whether `meant` can be reached from `names` over projects that satisfy `pass`.
    pub fn leads_to<'a>(
        &self,
        names: impl IntoIterator<Item = &'a PackageName>,
        pass: impl Fn(&PackageName) -> bool,
        meant: &BTreeSet<&PackageName>,
    ) -> bool {
        self.reachable(names, pass).any(|position| meant.contains(&self.projects[position].name))
    }

    /// Returns the positions of those of `names` that satisfy `pass`, and of all dependencies that
    /// are reached over such projects.
    fn reachable<'a>(
        &self,
        names: impl IntoIterator<Item = &'a PackageName>,
        pass: impl Fn(&PackageName) -> bool,
    ) -> impl Iterator<Item = usize> {
        let mut reached = vec![false; self.projects.len()];
        let mut waiting: Vec<_> = names.into_iter().filter_map(|name| self.position(name)).collect();
        while let Some(position) = waiting.pop() {
            if !reached[position] && pass(&self.projects[position].name) {
                reached[position] = true;
                waiting.extend(&self.projects[position].needed);
            }
        }
        reached.into_iter().enumerate().filter_map(|(position, is_reached)| is_reached.then_some(position))
    }
}

/// What metadata requires of one project.
#[derive(Debug)]
pub(super) struct CombinedDemand<'v> {
    pub specifiers: Specifiers,
    pub urls: Vec<&'v str>,
}

/// Returns the lines of a version that apply with the decided extras.
fn lines<'v>(
    view: &SearchView<'v, '_>,
    name: &PackageName,
    position: usize,
    decided: &Decisions,
) -> Vec<&'v Dependency> {
    if !view.problem.question.follow_dependencies {
        return Vec::new();
    }
    let Some(Ok(metadata)) = view.metadata(name, position) else { return Vec::new() };
    let extras = extras(name, decided);
    let holds = |line: &&Dependency| {
        view.holds(line, &[]) || extras.iter().any(|extra| view.holds(line, std::slice::from_ref(*extra)))
    };
    metadata.dependencies.iter().filter(holds).collect()
}

/// Returns the decided extras of `name`.
pub(super) fn extras<'d>(name: &PackageName, decided: &'d Decisions) -> Vec<&'d ExtraName> {
    let first = Node::Extra(name.clone(), FIRST_EXTRA.parse().expect("a digit is the name of an extra"));
    let nodes = decided.range(first..).map_while(|(node, _)| match node {
        Node::Extra(project, extra) if project == name => Some(extra),
        _ => None,
    });
    nodes.collect()
}

/// A text that sorts before every extra, as these begin with a digit or a letter.
const FIRST_EXTRA: &str = "0";
