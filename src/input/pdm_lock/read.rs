//! Parses a pdm.lock; it has URLs only with the strategy `static_urls`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::DEFAULT;
use super::schema::{Document, File, Head, HeadMetadata, Metadata, Package};
use super::walk::{self, Key, Need, PdmLock};
use crate::domain::{
    AvailableGroups, Dependency, DependencySource, ExtraName, GroupName, LazyUrl, LockContents, LockedFile,
    LockedPackage, LockedSource, MarkerTable, Origin, PackageName,
};
use crate::input::InputSource;
use crate::input::flat_lock::{FlatLock, Namesakes, PackageCondition, SelectionRule};
use crate::input::freshness;
use crate::input::locking::{self, Fault, ParsedLock, Problems, Repository, last_part};
use crate::input::project_dependencies as project;
use crate::input::text_file::TextFile;
use crate::input::version_range::VersionRange;

/// Whether the packages of a lock state their groups.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LockKind {
    /// They do, by the strategy `inherit_metadata`.
    WithGroups,
    Bare,
}

/// Parses `file`, with the project beside it; warnings are part of the lock.
///
/// # Errors
/// When anything is wrong with the file; all of it.
pub fn parse(file: &TextFile, input_source: &dyn InputSource) -> Result<ParsedLock, Problems> {
    let whole = |why: Fault| file.problem(None, why);
    // Its version first: older ones have other shapes.
    let head: Head = file.toml()?;
    let kind = kind(&head.metadata).map_err(whole)?;
    let document: Document = file.toml()?;
    let beside = file.beside("pyproject.toml", input_source)?;
    let known: Option<Result<project::PyprojectToml, _>> = beside.as_ref().map(TextFile::toml);
    let parsed = match kind {
        LockKind::WithGroups => {
            let project = known.as_ref().and_then(|project| project.as_ref().ok());
            ParsedLock::new(flat(file, input_source, (&document, project))?)
        }
        LockKind::Bare => {
            let project = known.as_ref().ok_or(
                "a lock without the strategy `inherit_metadata` needs the pyproject.toml beside it: it does not say itself \
                 which package belongs to which group",
            );
            let project = project.map_err(|why| whole(why.to_owned()))?.as_ref().map_err(Clone::clone)?;
            ParsedLock::new(walked(file, input_source, &document, project)?)
        }
    };
    let recorded = document.metadata.content_hash.as_deref();
    let stale = beside.as_ref().and_then(|beside| freshness::pdm(file, beside, recorded?));
    let project = known.and_then(Result::ok);
    let unmet = stale.as_ref().and_then(|_| freshness::unmet(file, project.as_ref()?, parsed.lock.packages()));
    Ok(parsed.with_warnings(stale).with_warnings(unmet).with_beside("pyproject.toml", beside))
}

fn kind(metadata: &HeadMetadata) -> Result<LockKind, Fault> {
    let version = metadata.lock_version.as_deref().unwrap_or("0");
    let major = version.split('.').next().and_then(|major| major.parse::<u64>().ok());
    match major {
        Some(4) if metadata.strategy.iter().any(|strategy| strategy == "inherit_metadata") => Ok(LockKind::WithGroups),
        Some(4) => Ok(LockKind::Bare),
        Some(0..=3) => {
            Err("it is of a PDM before 2.0, and PDM itself would lock anew: `pdm lock --update-reuse`".to_owned())
        }
        _ => Err(locking::newer_version(version, "4")),
    }
}

/// Parses a lock whose packages state their groups and markers.
fn flat(
    file: &TextFile,
    input_source: &dyn InputSource,
    (document, project): (&Document, Option<&project::PyprojectToml>),
) -> Result<FlatLock, Problems> {
    let whole = |why: Fault| file.problem(None, why);
    let mut markers = MarkerTable::default();
    let mut seen = BTreeSet::new();
    let all = locking::toml_entries(&document.package, |package| &package.name);
    let own = project.and_then(project::PyprojectToml::name);
    let bare = all.filter(|(.., package)| package.extras.is_empty() && !is_project(package, own.as_ref()));
    let read = locking::read_each(file, bare, |package, origin| {
        let locked = locked(file, input_source, (package, document), origin)?;
        match seen.insert((locked.name.clone(), locked.version.clone(), package.marker.clone())) {
            true => Ok((locked, entry(package, &mut markers)?)),
            false => Err("the lock has it twice: lock anew".to_owned()),
        }
    })?;
    let (packages, entries) = read.into_iter().unzip();
    Ok(FlatLock {
        contents: LockContents {
            packages,
            available: available(&document.metadata, project).map_err(whole)?,
            origin: file.location.origin(0),
        },
        entries,
        markers,
        requires_python: requires_python(&document.metadata, project).map_err(whole)?,
        environments: None,
        project_group: DEFAULT.parse().ok(),
        extras_are_groups: true,
        namesakes: Namesakes::LastCounts,
        made_for: None,
    })
}

/// Parses a lock in which the project's dependencies are followed.
fn walked(
    file: &TextFile,
    input_source: &dyn InputSource,
    document: &Document,
    project: &project::PyprojectToml,
) -> Result<PdmLock, Problems> {
    let whole = |why: Fault| file.problem(None, why);
    let mut packages = Vec::new();
    let mut entries: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let all = locking::toml_entries(&document.package, |package| &package.name);
    locking::read_each(file, all, |package, origin| {
        let key = key(&package.name, &package.extras)?;
        let needs = package.dependencies.iter().map(|text| need(text)).collect::<Result<_, _>>()?;
        let position = packages.len();
        if package.extras.is_empty() {
            packages.push(locked(file, input_source, (package, document), origin)?);
        }
        let package = package.extras.is_empty().then_some(position);
        entries.entry(key).or_default().push(walk::Entry { package, needs });
        Ok(())
    })?;
    let available = match document.metadata.groups {
        Some(_) => available(&document.metadata, Some(project)),
        None => project_groups(project),
    };
    Ok(PdmLock {
        contents: LockContents { packages, available: available.map_err(whole)?, origin: file.location.origin(0) },
        entries,
        asked: project.dependencies().map_err(|why| whole(format!("pyproject.toml: {why}")))?,
        project: project.name(),
        requires_python: requires_python(&document.metadata, Some(project)).map_err(whole)?,
    })
}

/// Whether an entry is the project itself, which PDM never installs from the lock; a package that needs the
/// project brings it there.
fn is_project(package: &Package, project: Option<&PackageName>) -> bool {
    let has_source = package.path.is_some() || package.url.is_some() || package.git.is_some();
    !has_source && project.is_some_and(|project| package.name.parse().as_ref() == Ok(project))
}

fn key(name: &str, extras: &[String]) -> Result<Key, Fault> {
    let extras = extras.iter().map(|extra| locking::group_name(extra)).collect::<Result<_, _>>()?;
    Ok(Key { name: locking::project_name(name)?, extras })
}

/// Parses a dependency, which is a requirement (PEP 508) or an editable line.
fn need(text: &str) -> Result<Need, Fault> {
    if let Some(name) = project::editable_name(text) {
        return Ok(Need { key: key(&name, &[])?, versions: Default::default(), marker: Default::default() });
    }
    let what: Dependency = text.parse().map_err(|error| format!("`{text}` is no requirement: {error}"))?;
    let versions = match what.source {
        DependencySource::Versions(versions) => versions,
        DependencySource::Url(_) => Default::default(),
    };
    Ok(Need { key: Key { name: what.name, extras: what.extras.into_iter().collect() }, versions, marker: what.marker })
}

/// Returns the groups of the project, for a lock that does not state which were locked.
fn project_groups(project: &project::PyprojectToml) -> Result<AvailableGroups, Fault> {
    let default: GroupName = locking::group_name(DEFAULT)?;
    let (groups, default_groups) = project.groups();
    let groups = groups.into_iter().chain([default]).collect();
    Ok(AvailableGroups { extras: project.extras(), groups, default_groups, ..AvailableGroups::default() })
}

/// Returns the Python versions of all targets of the lock; before there were targets, a lock was for those of
/// the project.
fn requires_python(
    metadata: &Metadata,
    project: Option<&project::PyprojectToml>,
) -> Result<Option<VersionRange>, Fault> {
    if metadata.targets.is_empty() {
        let text = project.and_then(project::PyprojectToml::requires_python);
        return text.map(|text| text.parse()).transpose().map_err(|why| format!("pyproject.toml: {why}"));
    }
    let texts: Option<Vec<_>> = metadata.targets.iter().map(|target| target.requires_python.as_deref()).collect();
    texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join(" || ").parse()).transpose()
}

/// Returns the locked groups, all of which PDM installs by default; a lock does not say which of them are
/// extras, but its project does.
fn available(metadata: &Metadata, project: Option<&project::PyprojectToml>) -> Result<AvailableGroups, Fault> {
    let default: GroupName = locking::group_name(DEFAULT)?;
    let named = metadata.groups.as_deref().unwrap_or_default();
    let mut locked: BTreeSet<ExtraName> =
        named.iter().map(|name| locking::group_name(name)).collect::<Result<_, _>>()?;
    locked.retain(|name| GroupName::from(name.clone()) != default);
    let known_extras = project.map(project::PyprojectToml::extras).unwrap_or_default();
    let known_groups = project.map(|project| project.groups().0).unwrap_or_default();
    let is_group = |name: &ExtraName| known_groups.contains(&GroupName::from(name.clone()));
    let is_extra = |name: &&ExtraName| known_extras.contains(*name) || !is_group(name);
    let may_be_group = |name: &&ExtraName| is_group(name) || !known_extras.contains(*name);
    let extras: BTreeSet<_> = locked.iter().filter(is_extra).cloned().collect();
    let groups: BTreeSet<GroupName> = locked.iter().filter(may_be_group).cloned().map(GroupName::from).collect();
    let default_extras = extras.intersection(&known_extras).cloned().collect();
    let default_groups = groups.clone();
    let groups = groups.into_iter().chain([default]).collect();
    Ok(AvailableGroups { extras, groups, default_extras, default_groups, ..AvailableGroups::default() })
}

fn locked(
    file: &TextFile,
    input_source: &dyn InputSource,
    (package, document): (&Package, &Document),
    origin: Origin,
) -> Result<LockedPackage, Fault> {
    let local = |path: &str| locking::local_url(&file.location, input_source, Path::new(path));
    let stated = package.version.as_deref().unwrap_or_default();
    let apart = document.metadata.files.get(&format!("{} {stated}", package.name));
    let files = package.files.iter().chain(apart.into_iter().flatten());
    let mut files: Vec<_> = files.map(locked_file).collect::<Result<_, _>>()?;
    let is_archive = |path: &&String| locking::is_archive(path) && (!package.editable || path.ends_with(".whl"));
    let source = if let Some(git) = &package.git {
        let subdirectory = package.subdirectory.as_deref();
        Repository { system: "git", url: git, revision: package.revision.as_deref(), subdirectory }.into()
    } else if let Some(url) = &package.url {
        let url = locking::file_url(url)?;
        set_place(&mut files, &url.filename(), Some(url))?;
        LockedSource::Archive
    } else if let Some(path) = package.path.as_ref().filter(is_archive) {
        set_place(&mut files, &last_part(path), local(path).map(LazyUrl::from))?;
        LockedSource::Archive
    } else if let Some(folder) = &package.path {
        LockedSource::Folder(folder.clone())
    } else {
        LockedSource::Index(None)
    };
    let version = package.version.as_deref().map(locking::version).transpose()?;
    let name = locking::project_name(&package.name)?;
    locking::check_files(LockedPackage::new(name, version, source, files, origin))
}

/// Sets the URL of the only file of an archive.
fn set_place(files: &mut Vec<LockedFile>, name: &str, url: Option<LazyUrl>) -> Result<(), Fault> {
    let hashes = files.iter().flat_map(|file| file.hashes.iter().cloned()).collect();
    *files = vec![LockedFile { filename: locking::filename(name)?, url, hashes, ..LockedFile::default() }];
    Ok(())
}

fn locked_file(file: &File) -> Result<LockedFile, Fault> {
    let url = file.url.as_deref().map(locking::file_url).transpose()?;
    let name = file.file.clone().or_else(|| url.as_ref().map(LazyUrl::filename)).unwrap_or_default();
    Ok(LockedFile {
        filename: locking::filename(&name)?,
        url,
        hashes: vec![locking::digest(&file.hash)?],
        ..LockedFile::default()
    })
}

fn entry(package: &Package, markers: &mut MarkerTable) -> Result<SelectionRule, Fault> {
    let marker = locking::optional_marker(markers, package.marker.as_deref())?;
    let conditions =
        package.groups.iter().map(|name| Ok(PackageCondition { group: Some(locking::group_name(name)?), marker }));
    let name_of = |text: &String| text.parse::<Dependency>().ok().map(|dependency| dependency.name);
    Ok(SelectionRule {
        conditions: conditions.collect::<Result<_, Fault>>()?,
        requires_python: None,
        dependencies: package.dependencies.iter().filter_map(name_of).collect(),
    })
}

#[cfg(test)]
mod tests {
    use crate::domain::GroupSelection;
    use crate::input::fake_source::FakeSource;
    use crate::input::lock_tests::{groups, on};
    use crate::input::{Location, ParsedInput, RequirementsReader, Role};

    const LOCK: &str = "\
[metadata]
groups = ['default', 'dev', 'fast', 'gone']
strategy = ['inherit_metadata']
lock_version = '4.4.1'
[[package]]
name = 'app'
version = '1'
groups = ['dev']
[[package]]
name = 'demo'
version = '1.0'
groups = ['default']
[[package]]
name = 'linter'
version = '1.0'
groups = ['dev']
[[package]]
name = 'old'
version = '1.0'
groups = ['gone']
[[package]]
name = 'speedups'
version = '1.0'
groups = ['fast']
";

    const PROJECT: &str = "[project]\nname = 'app'\nrequires-python = '>=3.11'\ndependencies = \
                           ['demo']\n[project.optional-dependencies]\nfast = ['speedups']\n[dependency-groups]\ndev = \
                           ['linter']\n";

    fn read(asked: GroupSelection) -> ParsedInput {
        let machine = FakeSource::new().file("/w/pdm.lock", LOCK).file("/w/pyproject.toml", PROJECT);
        let mut reader = RequirementsReader::new(&machine).with_groups(asked);
        reader.file(&Location::parse("pdm.lock"), Role::Requirements);
        reader.finish()
    }

    /// As `pdm sync`, `pdm sync --prod -G :all` and `pdm sync --prod -G dev`.
    #[test]
    fn the_project_tells_which_locked_groups_are_extras() {
        let selected = |asked| on("3.12", "linux-x86_64", &read(asked)).join(" | ");
        let bare = |asked| GroupSelection { no_default_groups: true, ..asked };
        assert_eq!(selected(groups(&[], &[])), "demo 1.0 | linter 1.0 | old 1.0 | speedups 1.0");
        assert_eq!(selected(bare(groups(&["fast"], &[]))), "demo 1.0 | speedups 1.0");
        assert_eq!(selected(bare(groups(&[], &["dev"]))), "demo 1.0 | linter 1.0");
        let all = GroupSelection { all_extras: true, ..groups(&[], &[]) };
        assert_eq!(
            selected(bare(all)),
            "demo 1.0 | old 1.0 | speedups 1.0",
            "what the project no longer has may be one"
        );
        let told = read(groups(&["dev"], &[])).problems;
        assert!(told.iter().any(|problem| problem.message.contains("there is no extra `dev`")), "{told:?}");
    }

    #[test]
    fn a_lock_without_targets_is_for_the_pythons_of_the_project() {
        let read = read(groups(&[], &[]));
        assert_eq!(on("3.10", "linux-x86_64", &read), ["- the lock is for Python >=3.11, the target has 3.10.0"]);
    }
}
