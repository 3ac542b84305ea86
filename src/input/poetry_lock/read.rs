//! Parses a poetry.lock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::schema::{self, Markers};
use super::walk::{Edge, Node, PoetryLock, Root};
use crate::domain::{
    AvailableGroups, DistributionFilename, ExtraName, LockContents, LockedFile, LockedPackage, LockedSource, MarkerId,
    MarkerTable, Origin, PackageName, Version,
};
use crate::input::flat_lock::{FlatLock, Namesakes, PackageCondition, SelectionRule};
use crate::input::freshness;
use crate::input::locking::{self, Fault, ParsedLock, Problems, Repository, last_part};
use crate::input::poetry_dependency::PoetryDependency;
use crate::input::text_file::TextFile;
use crate::input::version_range::VersionRange;
use crate::input::{InputSource, Problem, project_dependencies as project};

/// The group of the project's own dependencies.
const MAIN: &str = "main";

/// The first lock-version whose packages state their conditions.
const WITH_GROUPS: (u64, u64) = (2, 1);

/// The first lock-version whose packages list their files, and into which every project goes.
const WITH_FILES: (u64, u64) = (2, 0);

/// The projects that Poetry called unsafe to lock.
const UNSAFE: [&str; 4] = ["distribute", "pip", "setuptools", "wheel"];

/// Parses `file`, with the project beside it.
///
/// # Errors
/// When anything is wrong with the file; all of it.
pub fn parse(file: &TextFile, input_source: &dyn InputSource) -> Result<ParsedLock, Problems> {
    let whole = |why: Fault| file.problem(None, why);
    let document: schema::Document = file.toml()?;
    let version = lock_version(document.metadata.lock_version.as_deref()).map_err(whole)?;
    let beside = file.beside("pyproject.toml", input_source)?;
    let project: Option<project::PyprojectToml> = beside.as_ref().map(TextFile::toml).transpose()?;
    let recorded = document.metadata.content_hash.as_deref();
    let stale = beside.as_ref().and_then(|beside| freshness::poetry(file, beside, recorded?));
    let reading = Reading { file, input_source, document: &document, markers: MarkerTable::default() };
    let packages = reading.packages()?;
    let available = available(&document, project.as_ref()).map_err(whole)?;
    let indexes = indexes(&document);
    let parsed = if version >= WITH_GROUPS {
        ParsedLock::new(reading.flat(packages, available)?)
    } else {
        let project = project.as_ref().ok_or(
            "a lock of this age needs the pyproject.toml beside it: it does not say itself which \
                                     package belongs to which group; or lock anew with Poetry 2",
        );
        let project = project.map_err(|why| whole(why.to_owned()))?;
        let lock = reading.walked(packages, available, (version, project))?;
        let warning = lock.left_out_warning().map(|why| file.warning(None, why));
        ParsedLock::new(lock).with_warnings(warning)
    };
    let unmet = stale.as_ref().and_then(|_| freshness::unmet(file, project.as_ref()?, parsed.lock.packages()));
    let parsed = parsed.with_warnings(stale).with_warnings(unmet).with_beside("pyproject.toml", beside);
    Ok(ParsedLock { indexes, ..parsed })
}

fn lock_version(text: Option<&str>) -> Result<(u64, u64), Fault> {
    // The betas of 1.0 wrote none.
    let Some(text) = text else { return Ok((0, 0)) };
    let number = |text: &str| text.parse::<u64>().ok();
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    match (number(major), number(minor)) {
        (Some(major @ 1..=2), Some(minor)) => Ok((major, minor)),
        _ => Err(locking::newer_version(text, "1.0 to 2.1")),
    }
}

/// Returns the sources with a URL of their own, which are asked as well.
fn indexes(document: &schema::Document) -> Vec<String> {
    let sources = document.package.iter().filter_map(|package| package.get_ref().source.as_ref());
    let mut urls: Vec<_> =
        sources.filter(|source| source.r#type == "legacy").map(|source| source.url.clone()).collect();
    urls.sort();
    urls.dedup();
    urls
}

fn available(document: &schema::Document, project: Option<&project::PyprojectToml>) -> Result<AvailableGroups, Fault> {
    let main = locking::group_name(MAIN)?;
    let locked = document.package.iter().flat_map(|package| &package.get_ref().groups);
    let mut groups: BTreeSet<_> = locked.map(|name| locking::group_name(name)).collect::<Result<_, _>>()?;
    let mut extras: BTreeSet<ExtraName> = document.extras.keys().filter_map(|name| name.parse().ok()).collect();
    let mut default_groups = groups.clone();
    if let Some(project) = project {
        let (all, default) = project.groups();
        groups.extend(all);
        default_groups = default;
        extras.extend(project.extras());
    }
    default_groups.remove(&main);
    groups.insert(main);
    Ok(AvailableGroups { extras, groups, default_groups, ..AvailableGroups::default() })
}

/// The state of reading one file.
struct Reading<'f> {
    file: &'f TextFile,
    input_source: &'f dyn InputSource,
    document: &'f schema::Document,
    markers: MarkerTable,
}

impl Reading<'_> {
    fn packages(&self) -> Result<Vec<LockedPackage>, Problems> {
        let mut seen = BTreeSet::new();
        self.each(|package, origin| {
            let locked = self.package(package, origin)?;
            let place = package.source.as_ref().map(|source| source.url.clone());
            match seen.insert((locked.name.clone(), locked.version.clone(), place)) {
                true => Ok(locked),
                false => Err("the lock has the same version from the same source twice".to_owned()),
            }
        })
    }

    fn each<T>(&self, read: impl FnMut(&schema::Package, Origin) -> Result<T, Fault>) -> Result<Vec<T>, Problems> {
        let all = locking::toml_entries(&self.document.package, |package| &package.name);
        locking::read_each(self.file, all, read)
    }

    fn package(&self, package: &schema::Package, origin: Origin) -> Result<LockedPackage, Fault> {
        let name = locking::project_name(&package.name)?;
        let version = locking::version(&package.version)?;
        let (source, url) = self.source(package)?;
        let mut files = self.files(package, &name, &version)?;
        if let Some(url) = url {
            files.truncate(1);
            let mut file = files
                .pop()
                .unwrap_or(LockedFile { filename: locking::filename(&url.filename())?, ..LockedFile::default() });
            file.url = Some(url.into());
            files.push(file);
        }
        locking::check_files(LockedPackage::new(name, Some(version), source, files, origin))
    }

    /// Returns the source of a package, and the URL of its only file if that is stated.
    fn source(&self, package: &schema::Package) -> Result<(LockedSource, Option<crate::domain::MaskedUrl>), Fault> {
        let Some(source) = &package.source else { return Ok((LockedSource::Index(None), None)) };
        Ok(match source.r#type.as_str() {
            "legacy" => (LockedSource::Index(Some(locking::url(&source.url)?.into())), None),
            "url" => (LockedSource::Archive, Some(locking::url(&source.url)?)),
            "file" => {
                let url = locking::local_url(&self.file.location, self.input_source, Path::new(&source.url));
                (LockedSource::Archive, url)
            }
            "directory" => (LockedSource::Folder(source.url.clone()), None),
            system => {
                let repository = Repository {
                    system,
                    url: &source.url,
                    revision: source.resolved_reference.as_deref(),
                    subdirectory: source.subdirectory.as_deref(),
                };
                (repository.into(), None)
            }
        })
    }

    /// Returns the files of a package; before 2.0 those of all versions of a name share one list.
    fn files(
        &self,
        package: &schema::Package,
        name: &PackageName,
        version: &Version,
    ) -> Result<Vec<LockedFile>, Fault> {
        let metadata = &self.document.metadata;
        let is_own = |file: &&schema::File| {
            let read = DistributionFilename::parse(&file.file, name);
            read.is_ok_and(|distribution| distribution.version() == version)
        };
        let shared = of_name(&metadata.files, &package.name);
        let files = package.files.iter().chain(shared.into_iter().flatten().filter(is_own));
        let digests = of_name(&metadata.hashes, &package.name);
        let named = files.map(|file| locked_file(&file.file, &file.hash));
        let unnamed = digests
            .into_iter()
            .flatten()
            .map(|hex| Ok(LockedFile { filename: "".into(), ..locked_file("-", &format!("sha256:{hex}"))? }));
        named.chain(unnamed).collect()
    }

    fn flat(mut self, packages: Vec<LockedPackage>, available: AvailableGroups) -> Result<FlatLock, Problems> {
        let mut markers = std::mem::take(&mut self.markers);
        let entries = self.each(|package, _| entry(package, &mut markers))?;
        Ok(FlatLock {
            contents: LockContents { packages, available, origin: self.file.location.origin(0) },
            entries,
            markers,
            requires_python: self.requires_python()?,
            environments: None,
            project_group: MAIN.parse().ok(),
            extras_are_groups: false,
            namesakes: Namesakes::LastCounts,
            made_for: None,
        })
    }

    fn walked(
        mut self,
        packages: Vec<LockedPackage>,
        available: AvailableGroups,
        (version, project): ((u64, u64), &project::PyprojectToml),
    ) -> Result<PoetryLock, Problems> {
        let mut markers = std::mem::take(&mut self.markers);
        let nodes = self.each(|package, _| node(package, &mut markers))?;
        let whole = |why: Fault| self.file.problem(None, why);
        let asked = project.dependencies().map_err(|why| whole(format!("pyproject.toml: {why}")))?;
        let roots = asked.into_iter().map(|asked| {
            let edge = edge(&asked.name, &asked.what, &mut markers)?;
            Ok(Root { asked, edge })
        });
        let roots: Vec<_> =
            roots.collect::<Result<_, Fault>>().map_err(|why| whole(format!("pyproject.toml: {why}")))?;
        let mut by_name: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (position, package) in packages.iter().enumerate() {
            by_name.entry(package.name.clone()).or_default().push(position);
        }
        Ok(PoetryLock {
            contents: LockContents { packages, available, origin: self.file.location.origin(0) },
            left_out: left_out(version, &by_name),
            project: project.name(),
            nodes,
            by_name,
            roots,
            markers,
            requires_python: self.requires_python()?,
        })
    }

    fn requires_python(&self) -> Result<Option<VersionRange>, Problem> {
        let text = self.document.metadata.python_versions.as_deref();
        text.map(str::parse).transpose().map_err(|why: Fault| self.file.problem(None, why))
    }
}

/// Returns the projects that Poetry before 1.2 left out of its locks, as part of every environment, as far as
/// this lock lacks them.
fn left_out(version: (u64, u64), by_name: &BTreeMap<PackageName, Vec<usize>>) -> BTreeSet<PackageName> {
    let names = UNSAFE.iter().filter(|_| version < WITH_FILES).filter_map(|name| name.parse().ok());
    names.filter(|name| !by_name.contains_key(name)).collect()
}

/// Returns the value of a name in a table whose keys need not be normalized.
fn of_name<'t, T>(table: &'t BTreeMap<String, T>, name: &str) -> Option<&'t T> {
    let wanted = name.parse::<PackageName>().ok()?;
    table.get(name).or_else(|| {
        let mut all = table.iter().filter(|(key, _)| key.parse().as_ref() == Ok(&wanted));
        all.next().map(|(_, value)| value)
    })
}

fn locked_file(name: &str, hash: &str) -> Result<LockedFile, Fault> {
    Ok(LockedFile {
        filename: locking::filename(&last_part_of_url(name))?,
        hashes: vec![locking::digest(hash)?],
        ..LockedFile::default()
    })
}

/// Returns the file name of a URL source, of which some versions write the whole URL.
fn last_part_of_url(name: &str) -> String {
    if name.contains("://") { last_part(name) } else { name.to_owned() }
}

fn entry(package: &schema::Package, markers: &mut MarkerTable) -> Result<SelectionRule, Fault> {
    let conditions = package.groups.iter().map(|name| {
        let marker = match &package.markers {
            None => None,
            Some(Markers::All(text)) => Some(text),
            Some(Markers::ByGroup(by_group)) => by_group.get(name),
        };
        let marker = locking::optional_marker(markers, marker)?;
        Ok(PackageCondition { group: Some(locking::group_name(name)?), marker })
    });
    Ok(SelectionRule {
        conditions: conditions.collect::<Result<_, Fault>>()?,
        requires_python: None,
        dependencies: package.dependencies.keys().filter_map(|name| name.parse().ok()).collect(),
    })
}

fn node(package: &schema::Package, markers: &mut MarkerTable) -> Result<Node, Fault> {
    let mut edges = Vec::new();
    for (name, dependencies) in &package.dependencies {
        let name = locking::project_name(name)?;
        for what in dependencies.tables() {
            edges.push(edge(&name, &what, markers)?);
        }
    }
    // `name (>=1)`, or the bare name.
    let name_of = |text: &String| {
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(text.len());
        text[..end].parse().ok()
    };
    let extras = package
        .extras
        .iter()
        .filter_map(|(extra, members)| Some((extra.parse().ok()?, members.iter().filter_map(name_of).collect())));
    Ok(Node {
        python: package.python_versions.as_deref().map(str::parse).transpose()?,
        marker: optional_marker(package.marker.as_deref(), markers)?,
        edges,
        extras: extras.collect(),
    })
}

fn edge(name: &PackageName, what: &PoetryDependency, markers: &mut MarkerTable) -> Result<Edge, Fault> {
    Ok(Edge {
        name: name.clone(),
        version: what.version.as_deref().map(str::parse).transpose()?,
        extras: what.extras.iter().filter_map(|name| name.parse().ok()).collect(),
        python: what.python.as_deref().map(str::parse).transpose()?,
        platform: what.platform.clone(),
        marker: optional_marker(what.markers.as_deref(), markers)?,
        optional: what.optional,
    })
}

fn optional_marker(text: Option<&str>, markers: &mut MarkerTable) -> Result<Option<MarkerId>, Fault> {
    locking::optional_marker(markers, text.filter(|text| !text.is_empty()))
}
