//! Selects the packages of a pdm.lock without `inherit_metadata` for a target.
//!
//! It follows dependencies as PDM's resolver does when only the lock's packages are available.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::DEFAULT;
use crate::domain::{
    ExtraName, Lock, LockContents, Marker, NotLocked, PackageName, SelectedGroups, SelectedPackage, Specifiers, Target,
};
use crate::input::project_dependencies::DeclaredDependency;
use crate::input::selected_dependencies::{wanted, with_own};
use crate::input::version_range::VersionRange;
use crate::input::{locking, pyproject_toml};

/// A lock of PDM whose packages have no conditions; packages are given by their position.
#[derive(Debug)]
pub struct PdmLock {
    pub contents: LockContents,
    /// The entries of each key; with extras, a project has an entry of its own.
    pub entries: BTreeMap<Key, Vec<Entry>>,
    /// The project's requirements, and its name.
    pub asked: Vec<DeclaredDependency>,
    pub project: Option<PackageName>,
    pub requires_python: Option<VersionRange>,
}

/// A project with requested extras, which PDM treats as a candidate of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub name: PackageName,
    pub extras: BTreeSet<ExtraName>,
}

/// An entry of the lock.
#[derive(Debug)]
pub struct Entry {
    /// The package; `None` for an entry with extras, which needs the one without.
    pub package: Option<usize>,
    pub needs: Vec<Need>,
}

/// A dependency of an entry.
#[derive(Clone, Debug)]
pub struct Need {
    pub key: Key,
    pub versions: Specifiers,
    pub marker: Marker,
}

impl Lock for PdmLock {
    fn contents(&self) -> &LockContents {
        &self.contents
    }

    fn select(&self, target: &Target, groups: &SelectedGroups) -> Result<Vec<SelectedPackage<'_>>, Vec<NotLocked>> {
        locking::check_python(self.requires_python.as_ref(), target, &self.contents)?;
        let roots = self.roots(groups).map_err(|why| vec![self.contents.refusal(why)])?;
        let (found, missing) = self.walk(target, roots);
        locking::check_complete(missing, &self.contents)?;
        Ok(self.contents.at(found))
    }
}

impl PdmLock {
    /// Returns the project's requirements with these groups; extras are groups of the same name.
    fn roots(&self, groups: &SelectedGroups) -> Result<Vec<Need>, String> {
        let mut selected = groups.clone();
        selected.project |= groups.groups.iter().any(|group| group.as_ref() == DEFAULT);
        selected.extras.extend(groups.groups.iter().filter_map(|group| group.as_ref().parse().ok()));
        let selected = with_own(selected, self.project.as_ref(), self.asked.iter());
        let wanted = wanted(self.asked.clone(), self.project.as_ref(), &selected);
        let need = |asked: DeclaredDependency| {
            Ok(Need {
                marker: pyproject_toml::marker(&asked.what)?,
                versions: asked.what.version.as_deref().and_then(|text| text.parse().ok()).unwrap_or_default(),
                key: Key {
                    name: asked.name,
                    extras: asked.what.extras.iter().filter_map(|extra| extra.parse().ok()).collect(),
                },
            })
        };
        wanted.into_iter().map(need).collect()
    }

    /// Returns every package that is reached with the projects that it needs, or what the lock
    /// lacks.
    fn walk(
        &self,
        target: &Target,
        roots: Vec<Need>,
    ) -> (BTreeMap<usize, BTreeSet<PackageName>>, BTreeSet<PackageName>) {
        let holds = |need: &&Need| need.marker.evaluate(target.markers(), &[]);
        let mut found: BTreeMap<usize, BTreeSet<PackageName>> = BTreeMap::new();
        let mut missing = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut queue: VecDeque<&Need> = roots.iter().filter(holds).collect();
        while let Some(need) = queue.pop_front() {
            if self.project.as_ref() == Some(&need.key.name) {
                continue;
            }
            let Some((place, entry)) = self.entry(need) else {
                missing.insert(need.key.name.clone());
                continue;
            };
            if !seen.insert((&need.key, place)) {
                continue;
            }
            let needed: Vec<_> = entry.needs.iter().filter(holds).collect();
            let base = entry.package.or_else(|| self.base(&need.key.name, &entry.needs));
            if let Some(position) = base {
                let others = needed.iter().map(|need| &need.key.name).filter(|name| **name != need.key.name);
                found.entry(position).or_default().extend(others.cloned());
            }
            queue.extend(needed);
        }
        (found, missing)
    }

    /// Returns the package of an entry with extras: the version that it requires of itself.
    fn base(&self, name: &PackageName, needs: &[Need]) -> Option<usize> {
        self.entry(needs.iter().find(|need| need.key.name == *name)?)?.1.package
    }

    /// Returns the first entry of the key with an allowed version, and its position among those of
    /// the key.
    fn entry(&self, need: &Need) -> Option<(usize, &Entry)> {
        let all = self.entries.get(&need.key)?;
        let is_allowed = |entry: &Entry| {
            let version = entry.package.and_then(|position| self.contents.packages[position].version.as_ref());
            version.is_none_or(|version| need.versions.contains(version))
        };
        let place = all.iter().position(is_allowed).unwrap_or_default();
        Some((place, all.get(place)?))
    }
}

#[cfg(test)]
mod tests {
    use crate::input::fake_source::FakeSource;
    use crate::input::lock_tests::{groups, on};
    use crate::input::{Location, RequirementsReader, Role};

    const LOCK: &str = "\
[metadata]
lock_version = '4.2'
[[package]]
name = 'demo'
version = '1.0'
dependencies = ['helper[fast]>=1', 'colors; sys_platform == \"win32\"']
[[package]]
name = 'helper'
version = '2.0'
[[package]]
name = 'helper'
version = '2.0'
extras = ['fast']
dependencies = ['helper==2.0', 'speedups']
[[package]]
name = 'speedups'
version = '3.0'
[[package]]
name = 'colors'
version = '0.1'
[[package]]
name = 'linter'
version = '1.0'
[metadata.files]
'demo 1.0' = [{file = 'demo-1.0-py3-none-any.whl', hash = 'sha256:1111111111111111111111111111111111111111111111111111111111111111'}]
";

    #[test]
    fn a_lock_without_groups_is_walked_from_the_project() {
        let project = "[project]\nname = 'app'\ndependencies = ['demo']\n[tool.pdm.dev-dependencies]\ntest = \
                       ['linter', '-e file:///${PROJECT_ROOT}/tool#egg=speedups']\n";
        let machine = FakeSource::new().file("/w/pdm.lock", LOCK).file("/w/pyproject.toml", project);
        let read = |asked| {
            let mut reader = RequirementsReader::new(&machine).with_groups(asked);
            reader.file(&Location::parse("pdm.lock"), Role::Requirements);
            reader.finish()
        };
        let all = read(groups(&[], &[]));
        let expected = ["demo 1.0", "helper 2.0", "linter 1.0", "speedups 3.0"];
        assert_eq!(on("3.12", "linux-x86_64", &all), expected);
        assert_eq!(on("3.12", "windows-x86_64", &all)[0], "colors 0.1");
        let lock = &all.lock.as_ref().unwrap().lock;
        assert_eq!(&*lock.packages()[0].files[0].filename, "demo-1.0-py3-none-any.whl");
        let bare = read(crate::domain::GroupSelection { no_default_groups: true, ..groups(&[], &[]) });
        assert_eq!(on("3.12", "linux-x86_64", &bare), ["demo 1.0", "helper 2.0", "speedups 3.0"]);
    }

    #[test]
    fn the_project_itself_is_passed_over() {
        let project = "[project]\nname = 'app'\ndependencies = ['demo']\n";
        let lock = format!("{LOCK}\n").replace("'speedups']", "'speedups', 'app>=1']");
        let lock = lock.replace("[metadata.files]", "[[package]]\nname = 'app'\nversion = '0.9'\n[metadata.files]");
        let machine = FakeSource::new().file("/w/pdm.lock", lock).file("/w/pyproject.toml", project);
        let read = crate::input::read(&Location::parse("pdm.lock"), Role::Requirements, &machine);
        assert_eq!(on("3.12", "linux-x86_64", &read), ["demo 1.0", "helper 2.0", "speedups 3.0"]);
    }

    #[test]
    fn what_the_project_needs_since_then_is_told() {
        let project = "[project]\nname = 'app'\ndependencies = ['newer']\n";
        let machine = FakeSource::new().file("/w/pdm.lock", LOCK).file("/w/pyproject.toml", project);
        let read = crate::input::read(&Location::parse("pdm.lock"), Role::Requirements, &machine);
        assert!(on("3.12", "linux-x86_64", &read)[0].contains("pyproject.toml may have changed since"));
        let alone = FakeSource::new().file("/w/pdm.lock", LOCK);
        let read = crate::input::read(&Location::parse("pdm.lock"), Role::Requirements, &alone);
        assert!(read.problems[0].message.contains("needs the pyproject.toml beside it"), "{:?}", read.problems);
    }
}
