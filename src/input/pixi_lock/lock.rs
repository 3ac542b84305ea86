//! Selects the packages of a pixi.lock for a target: the files of an environment on the target's
//! platform.

use std::collections::BTreeMap;

use crate::domain::{
    ExtraName, GroupName, Lock, LockContents, NotLocked, PackageName, Platform, SelectedGroups, SelectedPackage,
    System, Target, Version,
};

/// The environment that is used if none is requested.
pub const DEFAULT: &str = "default";

/// A lock of pixi; packages are given by their position, and environments are treated as groups.
#[derive(Debug)]
pub struct PixiLock {
    pub contents: LockContents,
    /// The dependencies of each package, on any platform.
    pub dependencies: Vec<Vec<PackageName>>,
    pub environments: BTreeMap<GroupName, BTreeMap<String, PlatformEnvironment>>,
}

/// An environment on one platform.
#[derive(Debug, Default)]
pub struct PlatformEnvironment {
    pub packages: Vec<usize>,
    /// The version of its Python, which is a conda package.
    pub python: Option<Version>,
}

impl Lock for PixiLock {
    fn contents(&self) -> &LockContents {
        &self.contents
    }

    fn select(&self, target: &Target, groups: &SelectedGroups) -> Result<Vec<SelectedPackage<'_>>, Vec<NotLocked>> {
        let refuse = |package: Option<PackageName>, why| vec![NotLocked { package, ..self.contents.refusal(why) }];
        let mut picks: BTreeMap<&PackageName, usize> = BTreeMap::new();
        for name in wanted(groups) {
            let environment = self.environment(&name, target).map_err(|why| refuse(None, why))?;
            for position in &environment.packages {
                let project = &self.contents.packages[*position].name;
                if picks.insert(project, *position).is_some_and(|known| known != *position) {
                    let why = "the environments that are asked for have different files of it: ask for one of them";
                    return Err(refuse(Some(project.clone()), why.to_owned()));
                }
            }
        }
        let is_there = |name: &&PackageName| picks.contains_key(*name);
        let pick = |position: &usize| SelectedPackage {
            package: &self.contents.packages[*position],
            dependencies: self.dependencies[*position].iter().filter(is_there).cloned().collect(),
        };
        Ok(picks.values().map(pick).collect())
    }
}

impl PixiLock {
    fn environment(&self, name: &GroupName, target: &Target) -> Result<&PlatformEnvironment, String> {
        let subdir = subdir(target.platform());
        let platforms = self.environments.get(name);
        let found = subdir.and_then(|subdir| platforms?.get(subdir));
        let environment = found.ok_or_else(|| {
            let known: Vec<_> = platforms.into_iter().flat_map(BTreeMap::keys).map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            format!("the environment `{name}` is not for this platform (it is for {known})")
        })?;
        let is_same = |python: &&Version| minor(python) == minor(target.python());
        match environment.python.as_ref().filter(|python| !is_same(python)) {
            None => Ok(environment),
            Some(python) => {
                Err(format!("the environment `{name}` has Python {python}, the target has {}", target.python()))
            }
        }
    }
}

/// Returns the requested environments; the default one only if no other is requested.
fn wanted(groups: &SelectedGroups) -> Vec<GroupName> {
    let default = GroupName::from(DEFAULT.parse::<ExtraName>().expect("it is a name"));
    let named: Vec<_> = groups.groups.iter().filter(|group| **group != default).cloned().collect();
    if named.is_empty() { vec![default] } else { named }
}

fn minor(version: &Version) -> &[u64] {
    let release = version.release();
    &release[..release.len().min(2)]
}

/// Returns conda's name of a platform.
fn subdir(platform: &Platform) -> Option<&'static str> {
    match (&platform.system, &*platform.architecture) {
        (System::Manylinux(_) | System::Linux, "x86_64") => Some("linux-64"),
        (System::Manylinux(_) | System::Linux, "aarch64") => Some("linux-aarch64"),
        (System::Manylinux(_) | System::Linux, "ppc64le") => Some("linux-ppc64le"),
        (System::Macos(_), "x86_64") => Some("osx-64"),
        (System::Macos(_), "arm64") => Some("osx-arm64"),
        (System::Windows, "amd64") => Some("win-64"),
        (System::Windows, "arm64") => Some("win-arm64"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::input::fake_source::FakeSource;
    use crate::input::lock_tests::{groups, on};
    use crate::input::{Location, ParsedInput, RequirementsReader, Role};

    const LOCK: &str = include_str!("../../../testdata/locks/pixi.lock");

    fn read(text: &str, group: &[&str]) -> ParsedInput {
        let machine = FakeSource::new().file("/w/pixi.lock", text);
        let mut reader = RequirementsReader::new(&machine).with_groups(groups(&[], group));
        reader.file(&Location::parse("pixi.lock"), Role::Requirements);
        reader.finish()
    }

    #[test]
    fn each_environment_has_its_files_for_each_platform() {
        let default = read(LOCK, &[]);
        assert_eq!(on("3.12", "linux-x86_64", &default), ["app ", "demo 1.0", "tool 2.0"]);
        assert_eq!(on("3.12", "windows-x86_64", &default), ["demo 1.0"]);
        assert_eq!(on("3.12", "linux-x86_64", &read(LOCK, &["docs"])), ["demo 2.0"]);
        let told = default.problems[0].message.clone();
        assert!(
            !default.has_errors() && told.contains("left out, since they are conda packages: python, zlib;"),
            "{told}"
        );
        let files: Vec<_> = default.lock.as_ref().unwrap().lock.packages().iter().flat_map(|one| &one.files).collect();
        assert_eq!(&*files[0].filename, "demo-1.0-py3-none-any.whl");
        assert!(files[0].url.as_ref().unwrap().get().public().starts_with("https://files.example/"));
    }

    #[test]
    fn targets_that_an_environment_is_not_for_are_told() {
        let default = read(LOCK, &[]);
        assert!(on("3.12", "macos-arm64", &default)[0].contains("not for this platform (it is for linux-64, win-64)"));
        assert!(on("3.11", "linux-x86_64", &default)[0].contains("has Python 3.12.7, the target has 3.11"));
        assert!(on("3.12", "musllinux_1_2_x86_64", &default)[0].contains("not for this platform"));
    }

    #[test]
    fn a_damaged_lock_is_refused_with_its_place() {
        for (text, part) in [
            (LOCK.replace("version: 6", "version: 8"), "version 8 of this format is not read here"),
            (LOCK.replace("version: 6", "version: 4"), "`pixi lock` writes it anew"),
            (LOCK.replace("sha256: 10", "sha256: x0"), "is no sha256 digest"),
            (LOCK.replace("demo-1.0-py3-none-any.whl\n", "other-1.0-py3-none-any.whl\n"), "is no file of demo"),
            (
                LOCK.replace("- pypi: ./app\n  name", "- pypi: ./gone\n  name"),
                "refers to `./app`, which the lock does not have",
            ),
            (LOCK.replace("environments:", "environments: ["), "it is damaged"),
            (LOCK.replace("version: 6", "version: &a 6\nother: [*a, *a]"), "it is damaged"),
        ] {
            let told = read(&text, &[]).problems.iter().map(ToString::to_string).collect::<String>();
            assert!(told.contains(part) && told.starts_with("pixi.lock"), "{part}: {told}");
        }
    }
}
