//! Whether the project's own lock in a bundle gives each target exactly what is packed for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use super::{Finding, FindingKind};
use crate::domain::{Content, GroupSelection, LockedSource, MemberSelection, Origin, Question, RelPath, Target, Tree};
use crate::input::{InputSource, LoadedFile, Location, LockInput, PathKind, RequirementsReader, Role};
use crate::layout::{MANIFEST_PATH, Manifest, ManifestPackage, ManifestProject, ProjectInstaller};
use crate::resolve::LockResolver;

/// Returns the text of the file of a bundle at this path.
pub type ReadPage<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// Returns what is wrong with the project's lock in the bundle that a tree is.
pub fn of_tree(tree: &Tree) -> Vec<Finding> {
    let page = |path: &str| match tree.get(&RelPath::new(path).ok()?)? {
        Content::Page(bytes) => Some(bytes.clone()),
        Content::Object { .. } | Content::PipCacheEntry(_) => None,
    };
    let manifest = page(MANIFEST_PATH).and_then(|text| Manifest::from_json(&text).ok());
    manifest.map(|manifest| findings(&manifest, &page)).unwrap_or_default()
}

/// Returns what is wrong with the project's lock in a bundle.
pub fn findings(manifest: &Manifest, page: ReadPage<'_>) -> Vec<Finding> {
    let Some(project) = manifest.project.as_ref() else { return Vec::new() };
    let Some(installer) = ProjectInstaller::of(project) else { return Vec::new() };
    let (Some(path), tool) = (installer.lock_path(), installer.name) else { return Vec::new() };
    let wrong = |why: String| Finding::new(FindingKind::Gap, why).at(path);
    let lock = match read(project, path, page) {
        Ok(lock) => lock,
        Err(why) => return vec![wrong(format!("{tool} would not read it: {why}"))],
    };
    let targets = match manifest.to_targets() {
        Ok(targets) => targets,
        Err(error) => return vec![wrong(error.to_string())],
    };
    let faults = targets.iter().filter_map(|target| {
        let why = differences(manifest, &lock, target)?;
        Some(wrong(format!("{tool} would not install from it what is packed: {why}")).on(vec![target.id().to_owned()]))
    });
    faults.collect()
}

fn read(project: &ManifestProject, path: &str, page: ReadPage<'_>) -> Result<LockInput, String> {
    let source = BundlePages { page };
    let mut reader = RequirementsReader::new(&source).with_groups(groups(project));
    reader.file(&Location::File(path.into()), Role::Requirements);
    let read = reader.finish();
    let problems = || read.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    read.lock.ok_or_else(problems)
}

fn groups(project: &ManifestProject) -> GroupSelection {
    let groups: BTreeSet<_> = project.groups.iter().filter_map(|name| name.parse().ok()).collect();
    let extras = project.extras.iter().filter_map(|name| name.parse().ok()).collect();
    let members = match (project.all_members, project.members.is_empty()) {
        (true, _) => MemberSelection::All,
        (false, true) => MemberSelection::Root,
        (false, false) => MemberSelection::Named(project.members.iter().filter_map(|name| name.parse().ok()).collect()),
    };
    match project.dependencies {
        true => GroupSelection { extras, groups, no_default_groups: true, members, ..GroupSelection::default() },
        false => GroupSelection { only_groups: groups, members, ..GroupSelection::default() },
    }
}

/// Returns what the lock gives to a target and the bundle has not packed for it, or the reverse.
fn differences(manifest: &Manifest, lock: &LockInput, target: &Target) -> Option<String> {
    let resolver =
        LockResolver { skip_source_trees: true, ..LockResolver::new(lock.lock.clone(), lock.groups.clone()) };
    let solution = match resolver.solve(&Question::default(), target, &BTreeMap::new()) {
        Ok(solution) => solution,
        Err(failures) => return failures.first().map(ToString::to_string),
    };
    let repositories: BTreeSet<_> = lock
        .lock
        .packages()
        .iter()
        .filter(|package| matches!(package.source, LockedSource::Repository(_)))
        .map(|package| package.name.as_ref())
        .collect();
    let is_packed = |targets: &[String], tools: &[String]| {
        let has = |ids: &[String]| ids.iter().any(|id| id == target.id());
        has(targets) && !has(tools)
    };
    // Its tool installs the project from its folder.
    let project = Origin::project().to_string();
    let is_own = |package: &ManifestPackage| package.requested_by.contains(&project);
    let packed: BTreeMap<_, _> = manifest
        .files()
        .filter(|(package, file)| {
            let is_other = repositories.contains(package.name.as_str()) || is_own(package);
            is_packed(&file.targets, &file.tools) && !is_other
        })
        .map(|(package, file)| (file.filename.as_str(), package.name.as_str()))
        .collect();
    let chosen: BTreeMap<_, _> =
        solution.packages.iter().map(|package| (&*package.file.filename, package.name.as_ref())).collect();
    let unpacked = chosen.keys().find(|filename| !packed.contains_key(*filename));
    let unpacked = unpacked.map(|filename| format!("it names {filename}, which is not packed for it"));
    let chosen: BTreeSet<_> = chosen.into_values().collect();
    unpacked.or_else(|| {
        let unnamed = packed.into_values().find(|name| !chosen.contains(name))?;
        Some(format!("it does not name {unnamed}, which is packed for it"))
    })
}

/// The pages of a bundle as an input source, whose root is the bundle.
struct BundlePages<'a> {
    page: ReadPage<'a>,
}

impl BundlePages<'_> {
    fn load_path(&self, path: &Path) -> Option<Vec<u8>> {
        let parts = path.components().filter_map(|part| match part {
            Component::Normal(part) => part.to_str(),
            _ => None,
        });
        (self.page)(&parts.collect::<Vec<_>>().join("/"))
    }
}

impl InputSource for BundlePages<'_> {
    fn load(&self, location: &Location) -> Result<LoadedFile, String> {
        let bytes = match location {
            Location::File(path) => self.load_path(path),
            _ => None,
        };
        let bytes = bytes.ok_or("it is not in the bundle")?;
        Ok(LoadedFile { bytes, content_type: None })
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn path_kind(&self, path: &Path) -> PathKind {
        if self.load_path(path).is_some() { PathKind::File } else { PathKind::Missing }
    }

    fn working_folder(&self) -> &Path {
        Path::new(if cfg!(windows) { "C:\\" } else { "/" })
    }
}
