//! Selects the packages of a uv.lock for a target, following dependencies as `uv sync --frozen`
//! does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::graph::{Edge, Item, ManifestRequirement, UvLock, activation};
use crate::domain::{
    EvaluatedMarkers, ExtraName, Lock, LockContents, MarkerSets, NotLocked, PackageName, SelectedGroups,
    SelectedPackage, Target,
};
use crate::input::locking;

impl Lock for UvLock {
    fn contents(&self) -> &LockContents {
        &self.contents
    }

    fn has_project(&self) -> bool {
        true
    }

    fn select(&self, target: &Target, groups: &SelectedGroups) -> Result<Vec<SelectedPackage<'_>>, Vec<NotLocked>> {
        locking::check_python(self.requires_python.as_ref(), target, &self.contents)?;
        locking::check_project_python(self.project_python.as_ref(), target, &self.contents)?;
        let markers = self.markers.evaluate(target.markers());
        let lock = (&self.contents, " (tool.uv.environments)");
        locking::check_environments(self.environments.as_deref(), &markers, lock)?;
        let mut start = Start { lock: self, markers: &markers, active: MarkerSets::default(), visits: Vec::new() };
        start.roots(groups);
        self.check_conflicts(&start.active).map_err(|why| vec![self.contents.refusal(why)])?;
        start.requirements(groups)?;
        let Start { active, visits, .. } = start;
        let mut walk = Walk { lock: self, markers: &markers, active, is_growing: true };
        if !self.conflicts.is_empty() {
            walk.go(&visits);
        }
        walk.is_growing = false;
        let found = walk.go(&visits).into_iter().filter(|(position, _)| !self.nodes[*position].is_virtual);
        Ok(self.contents.at(found))
    }
}

/// A package, and the extra whose dependencies are followed; `None` for its own.
type Visit = (usize, Option<ExtraName>);

impl UvLock {
    fn check_conflicts(&self, active: &MarkerSets) -> Result<(), String> {
        for set in &self.conflicts {
            let together: Vec<_> = set.iter().filter(|item| active.extras.contains(&item.activation)).collect();
            if let [one, other, ..] = together[..] {
                return Err(format!("{} and {} cannot be had together (tool.uv.conflicts)", one.shown, other.shown));
            }
        }
        Ok(())
    }

    fn activate(&self, edge: &Edge) -> impl Iterator<Item = ExtraName> {
        let package = &self.contents.packages[edge.to].name;
        edge.extras.iter().map(move |extra| activation(package, Item::Extra(extra.as_ref())))
    }

    /// Returns the candidate that belongs to the target's fork.
    fn in_fork(&self, requirement: &ManifestRequirement, markers: &EvaluatedMarkers<'_>) -> Result<usize, String> {
        let nothing = MarkerSets::default();
        let is_in_fork = |position: &&usize| {
            let forks = &self.nodes[**position].forks;
            forks.is_empty() || forks.iter().any(|fork| markers.holds(Some(*fork), &nothing))
        };
        match requirement.candidates.iter().filter(is_in_fork).collect::<Vec<_>>()[..] {
            [only] => Ok(*only),
            [] => Err("no version of the lock is for this target".to_owned()),
            _ => Err("several versions of the lock are for this target".to_owned()),
        }
    }
}

/// Where a walk begins, and what is active then.
struct Start<'l> {
    lock: &'l UvLock,
    markers: &'l EvaluatedMarkers<'l>,
    /// The active extras and groups in conflict markers.
    active: MarkerSets,
    visits: Vec<Visit>,
}

impl Start<'_> {
    fn roots(&mut self, groups: &SelectedGroups) {
        let lock = self.lock;
        for root in &lock.roots {
            let (name, node) = (&lock.contents.packages[*root].name, &lock.nodes[*root]);
            if groups.project {
                self.active.extras.insert(activation(name, Item::Project));
                let extras = groups.extras.iter().filter(|extra| node.extras.contains_key(*extra));
                self.active.extras.extend(extras.map(|extra| activation(name, Item::Extra(extra.as_ref()))));
            }
            let wanted = groups.groups.iter().filter(|group| node.groups.contains_key(*group));
            self.active.extras.extend(wanted.map(|group| activation(name, Item::Group(group.as_ref()))));
        }
        for root in &lock.roots {
            let node = &lock.nodes[*root];
            if groups.project {
                self.visit(*root, groups.extras.iter().filter(|extra| node.extras.contains_key(*extra)));
            }
            for edge in groups.groups.iter().filter_map(|group| node.groups.get(group)).flatten() {
                self.edge(edge);
            }
        }
    }

    fn requirements(&mut self, groups: &SelectedGroups) -> Result<(), Vec<NotLocked>> {
        let lock = self.lock;
        let of_groups = groups.groups.iter().filter_map(|group| lock.groups.get(group)).flatten();
        let scripted = lock.requirements.iter().filter(|_| groups.project);
        let mut missing = Vec::new();
        for requirement in scripted.chain(of_groups) {
            if !self.markers.holds(requirement.marker, &self.active) {
                continue;
            }
            match lock.in_fork(requirement, self.markers) {
                Ok(position) => {
                    let name = &lock.contents.packages[position].name;
                    let extras = requirement.extras.iter();
                    self.active.extras.extend(extras.map(|extra| activation(name, Item::Extra(extra.as_ref()))));
                    self.visit(position, requirement.extras.iter());
                }
                Err(why) => {
                    missing.push(NotLocked { package: Some(requirement.name.clone()), ..lock.contents.refusal(why) })
                }
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    }

    fn visit<'e>(&mut self, position: usize, extras: impl Iterator<Item = &'e ExtraName>) {
        self.visits.push((position, None));
        self.visits.extend(extras.map(|extra| (position, Some(extra.clone()))));
    }

    /// Follows an edge, activating its extras before its own marker is evaluated.
    fn edge(&mut self, edge: &Edge) {
        let mut active = self.active.clone();
        active.extras.extend(self.lock.activate(edge));
        if self.markers.holds(edge.marker, &active) {
            self.active = active;
            self.visit(edge.to, edge.extras.iter());
        }
    }
}

/// A breadth-first walk along the edges whose markers hold.
struct Walk<'l> {
    lock: &'l UvLock,
    markers: &'l EvaluatedMarkers<'l>,
    active: MarkerSets,
    /// Whether the extras of followed edges are activated; a second walk then uses what the first
    /// one found.
    is_growing: bool,
}

impl Walk<'_> {
    /// Returns every package that is reached, with the projects that it needs.
    fn go(&mut self, start: &[Visit]) -> BTreeMap<usize, BTreeSet<PackageName>> {
        let lock = self.lock;
        let mut found: BTreeMap<usize, BTreeSet<PackageName>> = BTreeMap::new();
        let mut seen: BTreeSet<Visit> = start.iter().cloned().collect();
        let mut queue: VecDeque<Visit> = start.iter().cloned().collect();
        while let Some((position, extra)) = queue.pop_front() {
            let node = &lock.nodes[position];
            let edges = match &extra {
                None => node.dependencies.as_slice(),
                Some(extra) => node.extras.get(extra).map(Vec::as_slice).unwrap_or_default(),
            };
            let needed = found.entry(position).or_default();
            for edge in edges.iter().filter(|edge| self.follows(edge)) {
                needed.insert(lock.contents.packages[edge.to].name.clone());
                let extras = edge.extras.iter().cloned().map(Some);
                let visits = std::iter::once(None).chain(extras).map(|extra| (edge.to, extra));
                queue.extend(visits.filter(|visit| seen.insert(visit.clone())));
            }
        }
        found
    }

    fn follows(&mut self, edge: &Edge) -> bool {
        if !self.is_growing {
            return self.markers.holds(edge.marker, &self.active);
        }
        let mut active = self.active.clone();
        active.extras.extend(self.lock.activate(edge));
        let holds = self.markers.holds(edge.marker, &active);
        if holds {
            self.active = active;
        }
        holds
    }
}
