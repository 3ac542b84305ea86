//! Parses a pdm.lock; it has URLs only with the strategy `static_urls`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::DEFAULT;
use super::schema::{Document, File, Head, HeadMetadata, Metadata, Package};
use super::walk::{self, Key, Need, PdmLock};
use crate::domain::{
    AvailableGroups, Dependency, DependencySource, GroupName, LazyUrl, LockContents, LockedFile, LockedPackage,
    LockedSource, MarkerTable, Origin,
};
use crate::input::InputSource;
use crate::input::flat_lock::{FlatLock, Namesakes, PackageCondition, SelectionRule};
use crate::input::freshness;
use crate::input::locking::{self, Fault, ParsedLock, Problems, last_part};
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
    let parsed = match kind {
        LockKind::WithGroups => ParsedLock::new(flat(file, input_source, &document)?),
        LockKind::Bare => {
            let project = beside.as_ref().ok_or(
                "a lock without the strategy `inherit_metadata` needs the pyproject.toml beside it: it does not say itself \
                 which package belongs to which group",
            );
            let project = project.map_err(|why| whole(why.to_owned()))?.toml()?;
            ParsedLock::new(walked(file, input_source, &document, &project)?)
        }
    };
    let recorded = document.metadata.content_hash.as_deref();
    let doubt = beside.as_ref().and_then(|beside| freshness::pdm(file, beside, recorded?));
    Ok(parsed.with_warnings(doubt).with_beside("pyproject.toml", beside))
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
fn flat(file: &TextFile, input_source: &dyn InputSource, document: &Document) -> Result<FlatLock, Problems> {
    let whole = |why: Fault| file.problem(None, why);
    let mut markers = MarkerTable::default();
    let mut seen = BTreeSet::new();
    let all = locking::toml_entries(&document.package, |package| &package.name);
    let bare = all.filter(|(.., package)| package.extras.is_empty());
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
            available: available(&document.metadata).map_err(whole)?,
            origin: file.location.origin(0),
        },
        entries,
        markers,
        requires_python: requires_python(&document.metadata).map_err(whole)?,
        environments: None,
        project_group: DEFAULT.parse().ok(),
        extras_are_groups: true,
        namesakes: Namesakes::LastCounts,
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
        Some(_) => available(&document.metadata),
        None => project_groups(project),
    };
    Ok(PdmLock {
        contents: LockContents { packages, available: available.map_err(whole)?, origin: file.location.origin(0) },
        entries,
        asked: project.dependencies().map_err(|why| whole(format!("pyproject.toml: {why}")))?,
        project: project.name(),
        requires_python: requires_python(&document.metadata).map_err(whole)?,
    })
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

/// Returns the Python versions of all targets of the lock.
fn requires_python(metadata: &Metadata) -> Result<Option<VersionRange>, Fault> {
    let texts: Option<Vec<_>> = metadata.targets.iter().map(|target| target.requires_python.as_deref()).collect();
    texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join(" || ").parse()).transpose()
}

/// Returns the locked groups, including extras, all of which PDM installs by default.
fn available(metadata: &Metadata) -> Result<AvailableGroups, Fault> {
    let default: GroupName = locking::group_name(DEFAULT)?;
    let named = metadata.groups.as_deref().unwrap_or_default();
    let all: BTreeSet<GroupName> = named.iter().map(|name| locking::group_name(name)).collect::<Result<_, _>>()?;
    let extras = named.iter().filter_map(|name| name.parse().ok());
    let extras = extras.filter(|extra| GroupName::from(crate::domain::ExtraName::clone(extra)) != default).collect();
    let default_groups = all.iter().filter(|group| **group != default).cloned().collect();
    let groups = all.into_iter().chain([default]).collect();
    Ok(AvailableGroups { extras, groups, default_groups, ..AvailableGroups::default() })
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
        locking::repository("git", git, package.revision.as_ref())
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
