//! Selects the packages of a poetry.lock before 2.1 for a target.
//!
//! It follows dependencies as Poetry's solver does when only the lock's packages are available.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::domain::{
    EvaluatedMarkers, ExtraName, GroupName, Lock, LockContents, MarkerId, MarkerSets, MarkerTable, NotLocked,
    PackageName, SelectedGroups, SelectedPackage, Target,
};
use crate::input::locking;
use crate::input::project_dependencies::DeclaredDependency;
use crate::input::selected_dependencies::with_own;
use crate::input::version_range::VersionRange;

/// A lock of Poetry whose packages have no conditions; packages are given by their position.
#[derive(Debug)]
pub struct PoetryLock {
    pub contents: LockContents,
    /// The dependencies of each package.
    pub nodes: Vec<Node>,
    pub by_name: BTreeMap<PackageName, Vec<usize>>,
    /// The project's requirements, and its name.
    pub roots: Vec<Root>,
    pub project: Option<PackageName>,
    /// The projects that Poetry left out of its locks on purpose, as far as this one lacks them.
    pub left_out: BTreeSet<PackageName>,
    pub markers: MarkerTable,
    pub requires_python: Option<VersionRange>,
}

/// The dependencies of a package.
#[derive(Debug)]
pub struct Node {
    pub python: Option<VersionRange>,
    pub marker: Option<MarkerId>,
    pub edges: Vec<Edge>,
    /// The optional dependencies of each extra.
    pub extras: BTreeMap<ExtraName, BTreeSet<PackageName>>,
}

/// One dependency.
#[derive(Debug)]
pub struct Edge {
    pub name: PackageName,
    pub version: Option<VersionRange>,
    pub extras: BTreeSet<ExtraName>,
    pub python: Option<VersionRange>,
    /// A value of `sys_platform`.
    pub platform: Option<String>,
    pub marker: Option<MarkerId>,
    pub optional: bool,
}

/// A requirement of the project.
#[derive(Debug)]
pub struct Root {
    pub asked: DeclaredDependency,
    pub edge: Edge,
}

impl Lock for PoetryLock {
    fn contents(&self) -> &LockContents {
        &self.contents
    }

    fn select(&self, target: &Target, groups: &SelectedGroups) -> Result<Vec<SelectedPackage<'_>>, Vec<NotLocked>> {
        locking::check_python(self.requires_python.as_ref(), target, &self.contents)?;
        let markers = self.markers.evaluate(target.markers());
        let mut walk = Walk { lock: self, target, markers: &markers, found: BTreeMap::new(), missing: BTreeSet::new() };
        walk.go(groups);
        let Walk { found, missing, .. } = walk;
        locking::check_complete(missing, &self.contents)?;
        Ok(self.contents.at(found.into_values()))
    }
}

impl PoetryLock {
    /// Returns a warning that names the projects that some package or the project needs, and that Poetry
    /// left out.
    pub fn left_out_warning(&self) -> Option<String> {
        let edges = self.nodes.iter().flat_map(|node| &node.edges);
        let edges = edges.chain(self.roots.iter().map(|root| &root.edge));
        let named: BTreeSet<_> = edges.map(|edge| &edge.name).filter(|name| self.left_out.contains(*name)).collect();
        let named: Vec<_> = named.into_iter().map(ToString::to_string).collect();
        (!named.is_empty()).then(|| {
            format!(
                "left out, though packages need it: {}, which Poetry of that time did not lock, but left to the environment",
                named.join(", ")
            )
        })
    }
}

struct Walk<'l> {
    lock: &'l PoetryLock,
    target: &'l Target,
    markers: &'l EvaluatedMarkers<'l>,
    /// The version of each project, with its dependencies.
    found: BTreeMap<PackageName, (usize, BTreeSet<PackageName>)>,
    missing: BTreeSet<PackageName>,
}

impl<'l> Walk<'l> {
    fn go(&mut self, groups: &SelectedGroups) {
        let main = GroupName::from("main".parse::<ExtraName>().expect("it is a name"));
        let lock = self.lock;
        let selected = SelectedGroups { project: groups.project || groups.groups.contains(&main), ..groups.clone() };
        let groups = with_own(selected, lock.project.as_ref(), lock.roots.iter().map(|root| &root.asked));
        let roots = lock.roots.iter().filter(|root| root.asked.is_selected(&groups)).map(|root| &root.edge);
        let mut queue: VecDeque<&'l Edge> = roots.filter(|edge| self.holds(edge, &groups.extras)).collect();
        let mut seen = BTreeSet::new();
        while let Some(edge) = queue.pop_front() {
            if lock.project.as_ref() == Some(&edge.name) || lock.left_out.contains(&edge.name) {
                continue;
            }
            let Some(position) = self.choose(edge) else {
                self.missing.insert(edge.name.clone());
                continue;
            };
            if !seen.insert((position, &edge.extras)) {
                continue;
            }
            let node = &lock.nodes[position];
            let of_extras = edge.extras.iter().filter_map(|extra| node.extras.get(extra)).flatten();
            let allowed: BTreeSet<_> = of_extras.collect();
            let is_asked = |needed: &&Edge| !needed.optional || allowed.contains(&needed.name);
            let needed: Vec<_> =
                node.edges.iter().filter(is_asked).filter(|needed| self.holds(needed, &edge.extras)).collect();
            let entry = self.found.entry(edge.name.clone()).or_insert_with(|| (position, BTreeSet::new()));
            entry.0 = position;
            entry.1.extend(needed.iter().map(|edge| edge.name.clone()));
            queue.extend(needed);
        }
    }

    /// Whether a dependency applies to the target, with these extras of the package that has it.
    fn holds(&self, edge: &Edge, extras: &BTreeSet<ExtraName>) -> bool {
        let sets = MarkerSets { extras: extras.clone(), groups: BTreeSet::new() };
        edge.python.as_ref().is_none_or(|python| python.contains(self.target.python()))
            && edge.platform.as_ref().is_none_or(|platform| platform == self.target.markers().sys_platform())
            && self.markers.holds(edge.marker, &sets)
    }

    /// Returns the highest version that the dependency allows and that supports the target.
    fn choose(&self, edge: &Edge) -> Option<usize> {
        let all = self.lock.by_name.get(&edge.name)?;
        if let [only] = all[..] {
            return Some(only);
        }
        let version = |position: &usize| self.lock.contents.packages[*position].version.as_ref();
        let is_allowed = |position: &usize| {
            let allows = |range: &VersionRange| version(position).is_some_and(|version| range.contains(version));
            edge.version.as_ref().is_none_or(allows)
        };
        let nothing = MarkerSets::default();
        let is_for_target = |position: &usize| {
            let node = &self.lock.nodes[*position];
            node.python.as_ref().is_none_or(|python| python.contains(self.target.python()))
                && self.markers.holds(node.marker, &nothing)
        };
        let allowed: Vec<_> = all.iter().copied().filter(is_allowed).collect();
        let fitting: Vec<_> = allowed.iter().copied().filter(is_for_target).collect();
        let candidates = if fitting.is_empty() { allowed } else { fitting };
        candidates.into_iter().max_by_key(|position| version(position))
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::{GroupSelection, LockedSource};
    use crate::input::fake_source::FakeSource;
    use crate::input::lock_tests::{groups, on};
    use crate::input::{Location, ParsedInput, RequirementsReader, Role};

    const PROJECT: &str = "[tool.poetry]\nname = 'App'\n[tool.poetry.dependencies]\npython = '^3.8'\ndemo = \
                           '^1.0'\n[tool.poetry.dev-dependencies]\nplugin = '*'\n";

    const LOCK: &str = "\
[[package]]
name = 'demo'
version = '1.0'
[package.dependencies]
setuptools = '>=40'
helper = ['>1.2', '<3.0']
[[package]]
name = 'helper'
version = '2.0'
[package.source]
type = 'git'
url = 'git@git.example:me/helper.git'
resolved_reference = '0123456789012345678901234567890123456789'
subdirectory = 'sub'
[[package]]
name = 'plugin'
version = '1.0'
[package.dependencies]
app = '^1.0'
[metadata]
lock-version = '1.0'
python-versions = '^3.8'
content-hash = '0000000000000000000000000000000000000000000000000000000000000000'
";

    fn read(lock: &str, project: &str, asked: GroupSelection) -> ParsedInput {
        let machine = FakeSource::new().file("/w/poetry.lock", lock).file("/w/pyproject.toml", project);
        let mut reader = RequirementsReader::new(&machine).with_groups(asked);
        reader.file(&Location::parse("poetry.lock"), Role::Requirements);
        reader.finish()
    }

    fn told(read: &ParsedInput) -> String {
        read.problems.iter().map(|problem| format!("{problem}\n")).collect()
    }

    /// As Poetry 1.1 does: its locks have no setuptools, and the project satisfies what needs it.
    #[test]
    fn neither_the_project_nor_what_poetry_left_out_is_missing() {
        let old = read(LOCK, PROJECT, groups(&[], &[]));
        assert_eq!(on("3.12", "linux-x86_64", &old), ["demo 1.0", "helper 2.0", "plugin 1.0"]);
        assert!(told(&old).contains("left out, though packages need it: setuptools, which Poetry"), "{}", told(&old));
        let newer = read(&LOCK.replace("'1.0'\npython", "'2.0'\npython"), PROJECT, groups(&[], &[]));
        let missing = on("3.12", "linux-x86_64", &newer);
        assert!(missing[0].starts_with("- setuptools: it is needed, and the lock does not have it"), "{missing:?}");
        let without = read(&LOCK.replace("setuptools = '>=40'\n", ""), PROJECT, groups(&[], &[]));
        assert!(!told(&without).contains("setuptools"));
    }

    #[test]
    fn an_extra_of_the_project_may_take_another() {
        let project = "[project]\nname = 'app'\ndependencies = []\n[project.optional-dependencies]\nall = \
                       ['app[one]']\none = ['demo']\n";
        let all = read(LOCK, project, groups(&["all"], &[]));
        assert_eq!(on("3.12", "linux-x86_64", &all), ["demo 1.0", "helper 2.0"]);
    }

    #[test]
    fn gits_short_spelling_of_a_repository_is_read_with_its_folder() {
        let read = read(LOCK, PROJECT, groups(&[], &[]));
        let packages = read.lock.as_ref().unwrap().lock.packages();
        let url = "git+ssh://git@git.example/me/helper.git@0123456789012345678901234567890123456789#subdirectory=sub";
        assert_eq!(packages[1].source, LockedSource::Repository(url.to_owned()));
    }

    #[test]
    fn a_stale_lock_names_the_versions_that_are_not_what_is_asked_for() {
        let changed = read(LOCK, &PROJECT.replace("'^1.0'", "'^2.0'"), groups(&[], &[]));
        assert!(told(&changed).contains("not what pyproject.toml asks for: demo 1.0 (not ^2.0)"), "{}", told(&changed));
        assert!(!told(&read(LOCK, PROJECT, groups(&[], &[]))).contains("asks for: "));
    }

    #[test]
    fn an_empty_group_is_one() {
        let project = format!("{PROJECT}[tool.poetry.group.docs.dependencies]\n").replace("plugin = '*'\n", "");
        for name in ["dev", "docs"] {
            let only = GroupSelection { only_groups: [name.parse().unwrap()].into(), ..groups(&[], &[]) };
            let read = read(LOCK, &project, only);
            assert!(on("3.12", "linux-x86_64", &read).is_empty(), "{name}");
        }
    }
}
