//! Checks whether a uv.lock is up to date with the pyproject.toml beside it, whose requirements it
//! contains.

use std::collections::{BTreeMap, BTreeSet};

use super::project::Project;
use super::schema::{Metadata, Package, StatedRequirement};
use crate::domain::{GroupName, PackageName, Specifiers};

/// The group and the project of a requirement; several groups may require the same project.
type DependencyKey = (Option<GroupName>, PackageName);

/// The clauses of all that is required of a project; `None` if its location is stated instead.
type Clauses = Option<BTreeSet<String>>;

/// Returns a warning if the package of `project` was locked with other requirements than its file
/// has now.
///
/// Markers are not compared, since uv rewrites them.
pub fn warning_if_stale(project: &Project, package: &Package) -> Option<String> {
    let locked = stated(package.metadata.as_ref()?);
    let asked = declared(project);
    let is_same = |now: &Clauses, then: &Clauses| now.is_none() || then.is_none() || now == then;
    let added = asked.iter().filter(|(asker, now)| locked.get(asker).is_none_or(|then| !is_same(now, then)));
    let removed = locked.keys().filter(|asker| !asked.contains_key(asker));
    let named: BTreeSet<_> = added.map(|(asker, _)| &asker.1).chain(removed.map(|asker| &asker.1)).collect();
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

fn stated(metadata: &Metadata) -> BTreeMap<DependencyKey, Clauses> {
    let of_project = metadata.requires_dist.iter().map(|requirement| (None, requirement));
    let of_groups = metadata.requires_dev.iter().flat_map(|(group, requirements)| {
        let group: Option<GroupName> = group.parse().ok();
        requirements.iter().map(move |requirement| (group.clone(), requirement))
    });
    let mut all = BTreeMap::new();
    for (group, requirement) in of_project.chain(of_groups) {
        let Ok(name) = requirement.name.parse() else { continue };
        add(&mut all, (group, name), clauses(requirement));
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
        add(&mut all, (asked.group.clone(), asked.name.clone()), clauses);
    }
    all
}

fn add(all: &mut BTreeMap<DependencyKey, Clauses>, asker: DependencyKey, clauses: Clauses) {
    match all.entry(asker).or_insert_with(|| Some(BTreeSet::new())) {
        Some(known) if clauses.is_some() => known.extend(clauses.into_iter().flatten()),
        entry => *entry = None,
    }
}

fn split(text: &str) -> Clauses {
    let specifiers: Specifiers = text.parse().ok()?;
    Some(specifiers.clauses().iter().map(ToString::to_string).collect())
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

    #[test]
    fn a_project_that_asks_for_something_else_is_told() {
        let project = "[project]\nname = 'app'\ndependencies = ['demo<2, >=1', 'here>=3']\n[dependency-groups]\ndev = ['linter']\n";
        let told = |project: &str| {
            let machine = FakeSource::new().file("/w/uv.lock", LOCK).file("/w/pyproject.toml", project);
            let read = read(&Location::parse("uv.lock"), Role::Requirements, &machine);
            assert!(!read.has_errors(), "{:?}", read.problems);
            read.problems.iter().map(ToString::to_string).collect::<String>()
        };
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
