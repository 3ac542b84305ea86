//! Whether the locks in a bundle, the project's own and `pylock.toml`, give each target exactly what is
//! packed for it.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle_pages::{BundlePages, ReadPage};
use super::{Finding, FindingKind};
use crate::domain::{
    Content, FileLink, GroupSelection, LockedSource, MemberSelection, Origin, Question, RelPath, Target, Tree,
};
use crate::input::{Location, LockInput, RequirementsReader, Role};
use crate::layout::{MANIFEST_PATH, Manifest, ManifestPackage, ManifestProject, ProjectInstaller};
use crate::resolve::LockResolver;

/// The lock that every installer may read.
const PYLOCK: &str = "pylock.toml";

/// A lock in a bundle, and how it is read.
struct BundledLock {
    path: &'static str,
    /// The tool that installs by it.
    tool: &'static str,
    groups: GroupSelection,
}

/// Returns what is wrong with the locks in the bundle that a tree is.
pub fn of_tree(tree: &Tree) -> Vec<Finding> {
    let page = |path: &str| match tree.get(&RelPath::new(path).ok()?)? {
        Content::Generated(bytes) => Some(bytes.clone()),
        Content::Object { .. } | Content::PipCacheEntry(_) => None,
    };
    let manifest = page(MANIFEST_PATH).and_then(|text| Manifest::from_json(&text).ok());
    manifest.map(|manifest| findings(&manifest, &page)).unwrap_or_default()
}

/// Returns what is wrong with the locks in a bundle.
pub fn findings(manifest: &Manifest, page: ReadPage<'_>) -> Vec<Finding> {
    let has_pylock = manifest.pages.iter().any(|listed| listed.path == PYLOCK);
    let pylock = BundledLock { path: PYLOCK, tool: "pip", groups: GroupSelection::default() };
    let locks = own_lock(manifest).into_iter().chain(has_pylock.then_some(pylock));
    locks.flat_map(|lock| faults(manifest, &lock, page)).collect()
}

/// Returns the project's own lock.
fn own_lock(manifest: &Manifest) -> Option<BundledLock> {
    let project = manifest.project.as_ref()?;
    let installer = ProjectInstaller::of(project)?;
    Some(BundledLock { path: installer.lock_path()?, tool: installer.name, groups: groups(project) })
}

fn faults(manifest: &Manifest, lock: &BundledLock, page: ReadPage<'_>) -> Vec<Finding> {
    let BundledLock { path, tool, groups } = lock;
    let wrong = |why: String| Finding::new(FindingKind::Gap, why).at(*path);
    let lock = match read(path, groups, &BundlePages { manifest, page }) {
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

fn read(path: &str, groups: &GroupSelection, pages: &BundlePages<'_>) -> Result<LockInput, String> {
    let mut reader = RequirementsReader::new(pages).with_groups(groups.clone());
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
    let is_own = |package: &ManifestPackage| lock.format != PYLOCK && package.requested_by.contains(&project);
    let packed: BTreeMap<_, _> = manifest
        .files()
        .filter(|(package, file)| {
            let is_other = repositories.contains(package.name.as_str()) || is_own(package);
            is_packed(&file.targets, &file.tools) && !is_other
        })
        .map(|(package, file)| (file.filename.as_str(), (package.name.as_str(), file.sha256.as_str())))
        .collect();
    let is_packed_file = |file: &FileLink| {
        let packed = packed.get(&*file.filename);
        packed.is_some_and(|(_, sha256)| file.expected.sha256().is_none_or(|named| named.to_string() == *sha256))
    };
    let unpacked = solution.packages.iter().find(|package| !is_packed_file(&package.file));
    let unpacked = unpacked.map(|package| format!("it names {}, which is not packed for it", package.file.filename));
    let chosen: BTreeSet<_> = solution.packages.iter().map(|package| package.name.as_ref()).collect();
    unpacked.or_else(|| {
        let unnamed = packed.values().map(|(name, _)| name).find(|name| !chosen.contains(**name))?;
        Some(format!("it does not name {unnamed}, which is packed for it"))
    })
}
