//! pdm.lock, as PDM 2.11 and later write it: with the groups and markers of each package.
//!
//! URLs are recorded only with the strategy `static_urls`.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::flat_lock::{Condition, FlatLock, Namesakes, PathKind};
use super::locking::{self, Fault, ParsedLock, last_part, read_lock};
use super::text_file::TextFile;
use super::version_range::VersionRange;
use super::{InputSource, Location, Problem, RequirementsReader, Role};
use crate::domain::{
    AvailableGroups, Dependency, GroupName, LockedFile, LockedPackage, LockedSource, MarkerTable, Origin,
};

#[derive(Deserialize)]
struct PdmLockToml {
    #[serde(default)]
    package: Vec<Spanned<PdmPackage>>,
    #[serde(default)]
    metadata: Metadata,
}

/// What every version of the format has.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    metadata: HeadMetadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct HeadMetadata {
    lock_version: Option<String>,
    strategy: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    groups: Vec<String>,
    targets: Vec<LockTarget>,
}

#[derive(Deserialize)]
struct LockTarget {
    requires_python: Option<String>,
}

#[derive(Deserialize)]
struct PdmPackage {
    name: String,
    version: Option<String>,
    /// An entry of its own, beside the one without them.
    #[serde(default)]
    extras: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    marker: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    files: Vec<File>,
    path: Option<String>,
    #[serde(default)]
    editable: bool,
    url: Option<String>,
    git: Option<String>,
    revision: Option<String>,
}

#[derive(Deserialize)]
struct File {
    file: Option<String>,
    url: Option<String>,
    hash: String,
}

/// The group of the project's own dependencies.
const DEFAULT: &str = "default";

/// Whether a file of this name is a lock of PDM.
pub fn recognizes(filename: &str) -> bool {
    filename.ends_with("pdm.lock")
}

/// Reads the lock at `location`.
pub fn read(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) {
    read_lock(reader, (location, role), "pdm.lock", parse);
}

fn parse(file: &TextFile, input_source: &dyn InputSource) -> Result<ParsedLock, Vec<Problem>> {
    let whole = |why: Fault| vec![file.problem(None, why)];
    // Its version first: older ones have other shapes.
    let head: Head = file.toml().map_err(|problem| vec![problem])?;
    check_version(&head.metadata).map_err(whole)?;
    let document: PdmLockToml = file.toml().map_err(|problem| vec![problem])?;
    let mut markers = MarkerTable::default();
    let (mut packages, mut entries, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for package in document.package.iter().filter(|package| package.get_ref().extras.is_empty()) {
        let place = package.span().start;
        let package = package.get_ref();
        let read = locked(file, input_source, package, file.origin(place))
            .and_then(|locked| Ok((locked, entry(package, &mut markers)?)));
        match read {
            Ok((locked, _)) if !seen.insert((locked.name.clone(), locked.version.clone(), package.marker.clone())) => {
                problems.push(file.problem(Some(place), format!("{}: the lock has it twice: lock anew", package.name)));
            }
            Ok((locked, entry)) => {
                packages.push(locked);
                entries.push(entry);
            }
            Err(why) => problems.push(file.problem(Some(place), format!("{}: {why}", package.name))),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(ParsedLock::new(FlatLock {
        packages,
        entries,
        markers,
        requires_python: requires_python(&document.metadata).map_err(whole)?,
        environments: None,
        available: available(&document.metadata).map_err(whole)?,
        project_group: DEFAULT.parse().ok(),
        extras_are_groups: true,
        namesakes: Namesakes::LastCounts,
        origin: file.location.origin(0),
    }))
}

fn check_version(metadata: &HeadMetadata) -> Result<(), Fault> {
    let version = metadata.lock_version.as_deref().unwrap_or("0");
    let major = version.split('.').next().and_then(|major| major.parse::<u64>().ok());
    match major {
        Some(0..=4) if metadata.strategy.iter().any(|strategy| strategy == "inherit_metadata") => Ok(()),
        Some(0..=4) => Err("it does not say which package belongs to which group, as those of PDM 2.11 and later do; \
                            `pdm lock --update-reuse --strategy inherit_metadata` adds that"
            .to_owned()),
        _ => Err(locking::newer_version(version, "4")),
    }
}

/// Any of the targets may be meant.
fn requires_python(metadata: &Metadata) -> Result<Option<VersionRange>, Fault> {
    let texts: Option<Vec<_>> = metadata.targets.iter().map(|target| target.requires_python.as_deref()).collect();
    texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join(" || ").parse()).transpose()
}

/// PDM installs every group that was locked unless told otherwise, extras among them.
fn available(metadata: &Metadata) -> Result<AvailableGroups, Fault> {
    let default: GroupName = locking::group_name(DEFAULT)?;
    let all: BTreeSet<GroupName> =
        metadata.groups.iter().map(|name| locking::group_name(name)).collect::<Result<_, _>>()?;
    let extras = metadata.groups.iter().filter_map(|name| name.parse().ok());
    let extras = extras.filter(|extra| GroupName::from(crate::domain::ExtraName::clone(extra)) != default).collect();
    let default_groups = all.iter().filter(|group| **group != default).cloned().collect();
    let groups = all.into_iter().chain([default]).collect();
    Ok(AvailableGroups { extras, groups, default_extras: BTreeSet::new(), default_groups })
}

fn locked(
    file: &TextFile,
    input_source: &dyn InputSource,
    package: &PdmPackage,
    origin: Origin,
) -> Result<LockedPackage, Fault> {
    let local = |path: &str| locking::local_url(&file.location, input_source, Path::new(path));
    let mut files: Vec<_> = package.files.iter().map(locked_file).collect::<Result<_, _>>()?;
    let is_archive =
        |path: &String| !package.editable && crate::domain::SourceFilename::guess(&last_part(path)).is_ok();
    let is_wheel = |path: &String| path.ends_with(".whl");
    let source = if let Some(git) = &package.git {
        let commit = package.revision.as_ref().map(|commit| format!("@{commit}")).unwrap_or_default();
        LockedSource::Repository(format!("git+{git}{commit}"))
    } else if let Some(url) = &package.url {
        let url = locking::url(url)?;
        set_place(&mut files, &url.filename(), Some(url))?;
        LockedSource::Archive
    } else if let Some(path) = package.path.as_ref().filter(|path| is_wheel(path) || is_archive(path)) {
        set_place(&mut files, &last_part(path), local(path))?;
        LockedSource::Archive
    } else if let Some(folder) = &package.path {
        LockedSource::Folder(folder.clone())
    } else {
        LockedSource::Index(None)
    };
    let locked = LockedPackage {
        name: locking::project_name(&package.name)?,
        version: package.version.as_deref().map(locking::version).transpose()?,
        source,
        files,
        origin,
    };
    locking::check_files(&locked)?;
    Ok(locked)
}

/// The only file of an archive, which is at `url`.
fn set_place(files: &mut Vec<LockedFile>, name: &str, url: Option<crate::domain::MaskedUrl>) -> Result<(), Fault> {
    let hashes = files.iter().flat_map(|file| file.hashes.iter().cloned()).collect();
    *files = vec![LockedFile { filename: locking::filename(name)?, url, hashes, size: None, uploaded: None }];
    Ok(())
}

fn locked_file(file: &File) -> Result<LockedFile, Fault> {
    let url = file.url.as_deref().map(locking::url).transpose()?;
    let name = file.file.clone().or_else(|| url.as_ref().map(crate::domain::MaskedUrl::filename)).unwrap_or_default();
    Ok(LockedFile {
        filename: locking::filename(&name)?,
        url,
        hashes: vec![locking::digest(&file.hash)?],
        size: None,
        uploaded: None,
    })
}

fn entry(package: &PdmPackage, markers: &mut MarkerTable) -> Result<PathKind, Fault> {
    let marker = package.marker.as_deref().map(|text| locking::marker(markers, text)).transpose()?;
    let conditions =
        package.groups.iter().map(|name| Ok(Condition { group: Some(locking::group_name(name)?), marker }));
    let name_of = |text: &String| text.parse::<Dependency>().ok().map(|dependency| dependency.name);
    Ok(PathKind {
        conditions: conditions.collect::<Result<_, Fault>>()?,
        requires_python: None,
        dependencies: package.dependencies.iter().filter_map(name_of).collect(),
    })
}
