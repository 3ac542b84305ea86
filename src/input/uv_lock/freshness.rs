//! Checks whether a uv.lock is up to date with the pyproject.toml beside it, whose requirements it
//! contains.

use std::collections::{BTreeMap, BTreeSet};

use super::project::Project;
use super::schema::{Metadata, Package, StatedRequirement};
use crate::domain::{GroupName, Operator, PackageName, Specifiers, Version, VersionSpecifier};

/// The part of a project that requires another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RequiredBy {
    Project,
    /// Any of its extras.
    Extras,
    Group(Option<GroupName>),
}

/// What requires a project, and that project; several groups may require the same one.
type DependencyKey = (RequiredBy, PackageName);

/// The clauses of all that is required of a project; `None` if its location is stated instead.
type Clauses = Option<BTreeSet<Clause>>;

/// A clause with the length of its version if that matters: uv writes `<3` for `<3.0.0`, which is the same,
/// but `==3.*` is not `==3.0.*`.
type Clause = (Operator, Version, Option<usize>);

/// Returns a warning if the package of `project` was locked with other requirements than its file
/// has now.
///
/// Markers are not compared, since uv rewrites them; nor is what only a build of the project tells.
pub fn warning_if_stale(project: &Project, package: &Package) -> Option<String> {
    let mut locked = stated(package.metadata.as_ref()?);
    let mut asked = declared(project);
    locked.retain(|(by, _), _| !is_dynamic(by, project));
    asked.retain(|(by, _), _| !is_dynamic(by, project));
    let is_same = |now: &Clauses, then: &Clauses| now.is_none() || then.is_none() || now == then;
    let added = asked.iter().filter(|(key, now)| locked.get(key).is_none_or(|then| !is_same(now, then)));
    let removed = locked.keys().filter(|key| !asked.contains_key(key));
    let named: BTreeSet<_> = added.map(|(key, _)| &key.1).chain(removed.map(|key| &key.1)).collect();
    let named: Vec<_> =
        named.into_iter().filter(|name| name.as_ref() != package.name).map(ToString::to_string).collect();
    (!named.is_empty()).then(|| {
        format!(
            "pyproject.toml has changed since, in what it asks of {}: the lock does not know; `uv lock` brings it up to \
             date",
            named.join(", ")
        )
    })
}

/// Whether only a build tells what this part requires.
fn is_dynamic(by: &RequiredBy, project: &Project) -> bool {
    let field = match by {
        RequiredBy::Project => "dependencies",
        RequiredBy::Extras => "optional-dependencies",
        RequiredBy::Group(_) => return false,
    };
    project.dynamic.iter().any(|dynamic| dynamic == field)
}

fn stated(metadata: &Metadata) -> BTreeMap<DependencyKey, Clauses> {
    let is_optional =
        |requirement: &StatedRequirement| requirement.marker.as_deref().is_some_and(|text| text.contains("extra =="));
    let of_project = metadata.requires_dist.iter().map(|requirement| {
        (if is_optional(requirement) { RequiredBy::Extras } else { RequiredBy::Project }, requirement)
    });
    let of_groups = metadata.requires_dev.iter().flat_map(|(group, requirements)| {
        let group = RequiredBy::Group(group.parse().ok());
        requirements.iter().map(move |requirement| (group.clone(), requirement))
    });
    let mut all = BTreeMap::new();
    for (by, requirement) in of_project.chain(of_groups) {
        let Ok(name) = requirement.name.parse() else { continue };
        add(&mut all, (by, name), clauses(requirement));
    }
    all
}

fn clauses(requirement: &StatedRequirement) -> Clauses {
    const OF_PLACE: [&str; 6] = ["git", "url", "path", "directory", "editable", "virtual"];
    let has_place = OF_PLACE.iter().any(|key| requirement.place.contains_key(*key));
    if has_place { None } else { split(requirement.specifier.as_deref().unwrap_or_default()) }
}

fn declared(project: &Project) -> BTreeMap<DependencyKey, Clauses> {
    let mut all = BTreeMap::new();
    for asked in &project.asked {
        let clauses = match &asked.what.version {
            Some(version) => split(version),
            None => None,
        };
        let by = match (&asked.group, &asked.extras) {
            (Some(group), _) => RequiredBy::Group(Some(group.clone())),
            (None, Some(_)) => RequiredBy::Extras,
            (None, None) => RequiredBy::Project,
        };
        add(&mut all, (by, asked.name.clone()), clauses);
    }
    all
}

fn add(all: &mut BTreeMap<DependencyKey, Clauses>, key: DependencyKey, clauses: Clauses) {
    match all.entry(key).or_insert_with(|| Some(BTreeSet::new())) {
        Some(known) if clauses.is_some() => known.extend(clauses.into_iter().flatten()),
        entry => *entry = None,
    }
}

fn split(text: &str) -> Clauses {
    let specifiers: Specifiers = text.parse().ok()?;
    Some(specifiers.clauses().iter().map(clause).collect())
}

fn clause(specifier: &VersionSpecifier) -> Clause {
    let (operator, version) = (*specifier.operator(), specifier.version());
    let counts = matches!(operator, Operator::EqualStar | Operator::NotEqualStar | Operator::TildeEqual);
    (operator, version.clone(), counts.then(|| version.release().len()))
}

#[cfg(test)]
mod tests {
    use crate::input::fake_source::FakeSource;
    use crate::input::{Location, Role, read};

    const LOCK: &str = r#"version = 1
[[package]]
name = "app"
version = "1"
source = { virtual = "." }
[package.metadata]
requires-dist = [{ name = "demo", specifier = ">=1,<2" }, { name = "here", git = "https://git.example/here" }]
[package.metadata.requires-dev]
dev = [{ name = "linter" }]
"#;

    fn told(lock: &str, project: &str) -> String {
        let machine = FakeSource::new().file("/w/uv.lock", lock).file("/w/pyproject.toml", project);
        let read = read(&Location::parse("uv.lock"), Role::Requirements, &machine);
        assert!(!read.has_errors(), "{:?}", read.problems);
        read.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_build_tells_is_not_compared() {
        let lock =
            LOCK.replace("requires-dist = [", "requires-dist = [{ name = \"fast\", marker = \"extra == 'speed'\" }, ");
        let project = "[project]\nname = 'app'\ndynamic = ['version', 'dependencies']\n[dependency-groups]\ndev = \
                       ['linter']\n[project.optional-dependencies]\nspeed = ['fast']\n";
        assert_eq!(told(&lock, project), "");
        assert!(told(&lock, &project.replace("'linter'", "'other'")).contains("of linter, other:"));
        assert!(told(&lock, &project.replace("'fast'", "'faster'")).contains("of fast, faster:"));
        let without = project.replace("'dependencies']", "'dependencies', 'optional-dependencies']");
        assert_eq!(told(&lock, &without.replace("[project.optional-dependencies]\nspeed = ['fast']\n", "")), "");
    }

    #[test]
    fn versions_are_compared_and_not_their_spelling() {
        let lock = |specifier: &str| LOCK.replace(">=1,<2", specifier);
        let project = |specifier: &str| {
            format!(
                "[project]\nname = 'app'\ndependencies = ['demo{specifier}', 'here']\n[dependency-groups]\ndev = ['linter']\n"
            )
        };
        for (then, now, is_same) in [
            (">=2.0.0,<3", ">=2,<3.0.0", true),
            ("==1.0", "==1.0.0", true),
            ("==3.*", "==3.0.*", false),
            ("~=1.4", "~=1.4.0", false),
            (">=1", ">1", false),
        ] {
            assert_eq!(told(&lock(then), &project(now)).is_empty(), is_same, "{then}: {now}");
        }
    }

    #[test]
    fn a_project_that_asks_for_something_else_is_told() {
        let project = "[project]\nname = 'app'\ndependencies = ['demo<2, >=1', 'here>=3']\n[dependency-groups]\ndev = ['linter']\n";
        let told = |project: &str| told(LOCK, project);
        assert_eq!(told(project), "");
        for (old, new, named) in [
            ("demo<2, ", "demo<3, ", "of demo:"),
            ("'linter'", "'linter>=2'", "of linter:"),
            ("'linter'", "", "of linter:"),
            ("'here>=3'", "'here>=3', 'newer'", "of newer:"),
        ] {
            let changed = told(&project.replace(old, new));
            assert!(
                changed.contains("pyproject.toml has changed since") && changed.contains(named),
                "{new}: {changed}"
            );
        }
    }
}
