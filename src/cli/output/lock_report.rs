//! The output of `prefetch parse` for a lock file.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::cli::plural;
use crate::domain::{LockedPackage, LockedSource, PackageName, Question, SelectedPackage, Solution, Target};
use crate::input::LockInput;
use crate::resolve::{Failure, LockResolver};

/// A lock file and what it selects for each target; keys are stable, additions are allowed.
#[derive(Debug, Serialize)]
pub struct LockReport {
    pub format: &'static str,
    pub file: String,
    /// The number of packages in the lock, for whatever target.
    pub packages: usize,
    pub extras: Vec<String>,
    pub groups: Vec<String>,
    pub default_extras: Vec<String>,
    pub default_groups: Vec<String>,
    pub targets: Vec<LockedTarget>,
}

/// What the lock selects for one target.
#[derive(Debug, Serialize)]
pub struct LockedTarget {
    pub id: String,
    pub packages: Vec<LockedPackageReport>,
    /// Why the target cannot have everything.
    pub problems: Vec<String>,
}

/// A package that is selected for a target.
#[derive(Debug, Serialize)]
pub struct LockedPackageReport {
    pub name: String,
    pub version: Option<String>,
    /// The kind of its source: `index`, `archive`, `repository`, or `folder` (which is not
    /// fetched).
    pub source: &'static str,
    /// The file for the target, if the lock alone determines it.
    pub file: Option<String>,
}

impl LockReport {
    /// Makes the report on `input` for `targets`, without asking any index.
    pub fn of(input: &LockInput, targets: &[Arc<Target>]) -> Self {
        let available = input.lock.available();
        let resolver =
            LockResolver { skip_source_trees: true, ..LockResolver::new(input.lock.clone(), input.groups.clone()) };
        Self {
            format: input.format,
            file: input.name.clone(),
            packages: input.lock.packages().len(),
            extras: names(&available.extras),
            groups: names(&available.groups),
            default_extras: names(&available.default_extras),
            default_groups: names(&available.default_groups),
            targets: targets.iter().map(|target| LockedTarget::of(&resolver, target)).collect(),
        }
    }
}

impl fmt::Display for LockReport {
    /// Writes the report for people: the available extras and groups, and a line for each package
    /// of each target.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {}", self.file, self.format, plural::count(self.packages, "package"))?;
        for (kind, names, defaults) in
            [("extras", &self.extras, &self.default_extras), ("groups", &self.groups, &self.default_groups)]
        {
            let shown = names.iter().map(|name| match defaults.contains(name) {
                true => format!("{name} (by default)"),
                false => name.clone(),
            });
            let shown: Vec<_> = shown.collect();
            if !shown.is_empty() {
                write!(f, "\n{kind}: {}", shown.join(", "))?;
            }
        }
        self.targets.iter().try_for_each(|target| write!(f, "\n{target}"))
    }
}

impl fmt::Display for LockedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.id)?;
        for LockedPackageReport { name, version, source, file } in &self.packages {
            let version = version.as_deref().map(|version| format!("=={version}")).unwrap_or_default();
            let shown = file.as_deref().unwrap_or(source);
            write!(f, "\n  {name}{version} ({shown})")?;
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl LockedTarget {
    fn of(resolver: &LockResolver, target: &Target) -> Self {
        let id = target.id().to_owned();
        let picks = match resolver.lock.select(target, &resolver.groups) {
            Ok(picks) => picks,
            Err(refused) => {
                let problems = refused.iter().map(ToString::to_string).collect();
                return Self { id, packages: Vec::new(), problems };
            }
        };
        let (solution, failures) = match resolver.solve(&Question::default(), target, &BTreeMap::new()) {
            Ok(solution) => (solution, Vec::new()),
            Err(failures) => (Solution::default(), failures),
        };
        let needs_index = |failure: &&Failure| {
            let is_it = |pick: &SelectedPackage<'_>| {
                failure.package.as_ref() == Some(&pick.package.name) && pick.package.needs_index()
            };
            picks.iter().any(is_it)
        };
        let problems = failures.iter().filter(|failure| !needs_index(failure)).map(ToString::to_string).collect();
        let packages = picks.iter().map(|pick| LockedPackageReport::of(pick.package, &solution)).collect();
        Self { id, packages, problems }
    }
}

impl LockedPackageReport {
    fn of(package: &LockedPackage, solution: &Solution) -> Self {
        let name: &PackageName = &package.name;
        let is_it = |pick: &&crate::domain::ResolvedPackage| pick.name == *name && pick.version == package.version;
        Self {
            name: name.to_string(),
            version: package.version.as_ref().map(ToString::to_string),
            source: match &package.source {
                LockedSource::Index(_) => "index",
                LockedSource::Archive => "archive",
                LockedSource::Repository(_) => "repository",
                LockedSource::Folder(_) => "folder",
            },
            file: solution.packages.iter().find(is_it).map(|pick| pick.file.filename.to_string()),
        }
    }
}

fn names<T: ToString>(names: &std::collections::BTreeSet<T>) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
