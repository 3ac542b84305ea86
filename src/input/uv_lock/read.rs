//! Parses a uv.lock into a [`UvLock`].

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use super::freshness;
use super::graph::{Conflict, Edge, Item, ManifestRequirement, Node, UvLock, activation};
use super::project::{self, Project};
use super::roots::{available, roots};
use super::schema;
use super::wheel_lists::WheelLists;
use crate::domain::{
    LazyUrl, LockContents, LockedFile, LockedPackage, LockedSource, MarkerId, MarkerTable, MaskedUrl, MemberSelection,
    Origin, ProjectFile,
};
use crate::input::locking::{self, Fault, ParsedLock, Problems, last_part};
use crate::input::text_file::TextFile;
use crate::input::{InputSource, Problem};

/// The version of the format that is read here; revisions of it are compatible.
const VERSION: u64 = 1;

/// Parses the lock of a project, with the project beside it; warnings are part of the lock.
///
/// # Errors
/// When anything is wrong with the file; all of it.
pub fn parse_project(
    file: &TextFile,
    input_source: &dyn InputSource,
    members: &MemberSelection,
) -> Result<ParsedLock, Problems> {
    let document = document(file)?;
    let place = project_path(&document, members);
    let project = project::at(&place, file, input_source)?;
    let (lock, warnings) = Reading::new(file, input_source, members).lock(&document, project.as_ref())?;
    let beside = project_files(file, input_source, &document)?;
    Ok(ParsedLock { beside, ..ParsedLock::new(lock).with_warnings(warnings) })
}

/// Parses the lock of a script, with the script beside it.
///
/// # Errors
/// When anything is wrong with the file; all of it.
pub fn parse_script(file: &TextFile, input_source: &dyn InputSource) -> Result<ParsedLock, Problems> {
    let document = document(file)?;
    let (lock, warnings) = Reading::new(file, input_source, &MemberSelection::Root).lock(&document, None)?;
    let filename = file.location.filename();
    let path = filename.strip_suffix(".lock").unwrap_or_default();
    let script = file.beside(path, input_source)?;
    Ok(ParsedLock::new(lock).with_warnings(warnings).with_beside(path, script))
}

fn document(file: &TextFile) -> Result<schema::Document, Problems> {
    let wheels = WheelLists::read(&file.text);
    let mut document = file.toml_of(&wheels.rest)?;
    wheels.add_to(&mut document);
    check_version(document.version).map_err(|why| file.problem(None, why))?;
    Ok(document)
}

/// Loads the pyproject.toml of the project and of the members of its workspace.
fn project_files(
    file: &TextFile,
    input_source: &dyn InputSource,
    document: &schema::Document,
) -> Result<Vec<ProjectFile>, Problem> {
    let members = member_projects(document).map(|(_, path)| path);
    let mut files = Vec::new();
    for path in std::iter::once(ROOT_PROJECT.to_owned()).chain(members) {
        let found = file.beside(&path, input_source)?;
        files.extend(found.map(|found| ProjectFile { path, text: found.text }));
    }
    Ok(files)
}

/// The project in whose folder the lock is.
const ROOT_PROJECT: &str = "pyproject.toml";

/// Returns the members of the workspace in folders below the lock, each with its pyproject.toml.
fn member_projects(document: &schema::Document) -> impl Iterator<Item = (&str, String)> {
    let packages = document.package.iter().map(|package| package.get_ref());
    let members = packages.filter(|package| document.manifest.members.contains(&package.name));
    let is_inside = |folder: &&String| !folder.split(['/', '\\']).any(|part| matches!(part, "" | "." | ".."));
    members.filter_map(move |package| {
        let source = &package.source;
        let folder = source.editable.as_ref().or(source.r#virtual.as_ref()).or(source.directory.as_ref());
        let folder = folder.filter(is_inside)?;
        Some((package.name.as_str(), format!("{folder}/{ROOT_PROJECT}")))
    })
}

/// Returns the pyproject.toml whose default groups count: that of the only requested member, else
/// that beside the lock.
fn project_path(document: &schema::Document, members: &MemberSelection) -> String {
    let only = match members {
        MemberSelection::Named(named) if named.len() == 1 => named.first(),
        _ => None,
    };
    let of_member = only.and_then(|only| member_projects(document).find(|(name, _)| *name == only.as_ref()));
    of_member.map_or_else(|| ROOT_PROJECT.to_owned(), |(_, path)| path)
}

fn check_version(version: Option<u64>) -> Result<(), Fault> {
    match version {
        Some(VERSION) => Ok(()),
        Some(newer) if newer > VERSION => Err(locking::newer_version(newer, "1")),
        _ => Err("it states no version, or that of a pre-release of uv: `uv lock` writes it anew".to_owned()),
    }
}

/// The state of reading one file.
struct Reading<'f> {
    file: &'f TextFile,
    input_source: &'f dyn InputSource,
    members: &'f MemberSelection,
    markers: MarkerTable,
    /// The URLs of registries, each once.
    indexes: HashMap<String, Arc<MaskedUrl>>,
}

/// The positions of packages by name.
type ByName<'d> = HashMap<&'d str, Vec<usize>>;

impl<'f> Reading<'f> {
    fn new(file: &'f TextFile, input_source: &'f dyn InputSource, members: &'f MemberSelection) -> Self {
        Self { file, input_source, members, markers: MarkerTable::default(), indexes: HashMap::new() }
    }

    fn lock(
        &mut self,
        document: &schema::Document,
        project: Option<&Project>,
    ) -> Result<(UvLock, Vec<Problem>), Problems> {
        let all = || locking::toml_entries(&document.package, |package| &package.name);
        let packages = locking::read_each(self.file, all(), |package, origin| self.package(package, origin))?;
        let by_name = by_name(document);
        let nodes = locking::read_each(self.file, all(), |package, _| {
            let node = self.node(package, document, &by_name)?;
            refuse_duplicate(document, package, &by_name).map(|()| node)
        })?;
        let whole = |why: Fault| self.file.problem(None, why);
        let (roots, warning) = roots(document, project, self.members).map_err(whole)?;
        let root = roots.first().filter(|_| roots.len() == 1).map(|root| document.package[*root].get_ref());
        let stale = project.zip(root).and_then(|(project, root)| {
            let is_of_root = project.name.as_ref().is_some_and(|name| root.name == name.as_ref());
            if is_of_root { freshness::warning_if_stale(project, root) } else { None }
        });
        let warnings = warning.into_iter().chain(stale).map(|why| self.file.warning(None, why)).collect();
        let lock = self.rest(document, project, (packages, nodes, roots), &by_name).map_err(whole)?;
        Ok((lock, warnings))
    }

    fn rest(
        &mut self,
        document: &schema::Document,
        project: Option<&Project>,
        (packages, nodes, roots): (Vec<LockedPackage>, Vec<Node>, Vec<usize>),
        by_name: &ByName<'_>,
    ) -> Result<UvLock, Fault> {
        let manifest = &document.manifest;
        let requirements = self.requirements(&manifest.requirements, by_name)?;
        let mut groups = BTreeMap::new();
        for (name, group) in &manifest.dependency_groups {
            groups.insert(locking::group_name(name)?, self.requirements(group, by_name)?);
        }
        let available = available(document, project, &roots, &nodes, groups.keys());
        let environments: Vec<_> = self.markers(&document.supported_markers)?;
        Ok(UvLock {
            contents: LockContents { packages, available, origin: self.file.location.origin(0) },
            requires_python: locking::requires_python(document.requires_python.as_deref())?.map(Into::into),
            project_python: project.and_then(|project| project.requires_python.clone()),
            environments: Some(environments).filter(|environments| !environments.is_empty()),
            conflicts: conflicts(&document.conflicts)?,
            markers: std::mem::take(&mut self.markers),
            nodes,
            roots,
            requirements,
            groups,
        })
    }

    fn package(&mut self, package: &schema::Package, origin: Origin) -> Result<LockedPackage, Fault> {
        let source = self.source(&package.source)?;
        let files = package.wheels.iter().chain(&package.sdist);
        let files: Vec<_> = files.map(|file| self.file(file, &package.source)).collect::<Result<_, _>>()?;
        let version = package.version.as_deref().map(locking::version).transpose()?;
        let name = locking::project_name(&package.name)?;
        locking::check_files(LockedPackage::new(name, version, source, files, origin))
    }

    fn source(&mut self, source: &schema::Source) -> Result<LockedSource, Fault> {
        let folder = source.editable.as_ref().or(source.directory.as_ref()).or(source.r#virtual.as_ref());
        Ok(match (&source.registry, &source.git, folder) {
            (Some(registry), ..) => LockedSource::Index(self.index(registry)?),
            (_, Some(git), _) => LockedSource::Repository(repository_url(git)),
            (_, _, Some(folder)) => LockedSource::Folder(folder.clone()),
            _ if source.url.is_some() || source.path.is_some() => LockedSource::Archive,
            _ => return Err("its source is of a kind that is not known here".to_owned()),
        })
    }

    fn index(&mut self, registry: &str) -> Result<Option<Arc<MaskedUrl>>, Fault> {
        if let Some(known) = self.indexes.get(registry) {
            return Ok(Some(known.clone()));
        }
        let url = match registry.contains("://") {
            true => Some(locking::url(registry)?),
            false => locking::local_url(&self.file.location, self.input_source, Path::new(registry)),
        };
        let index = url.map(Arc::new);
        self.indexes.extend(index.clone().map(|index| (registry.to_owned(), index)));
        Ok(index)
    }

    fn file(&self, file: &schema::File, source: &schema::Source) -> Result<LockedFile, Fault> {
        let local = |path: &Path| locking::local_url(&self.file.location, self.input_source, path).map(LazyUrl::from);
        let (name, url) = match (&file.url, &file.path, &source.url, &source.path) {
            (Some(url), ..) | (None, None, Some(url), _) => {
                let url = locking::file_url(url)?;
                (url.filename(), Some(url))
            }
            (None, Some(path), ..) => {
                let folder = source.registry.as_deref().unwrap_or_default();
                (last_part(path), local(&Path::new(folder).join(path)))
            }
            (None, None, None, Some(path)) => (last_part(path), local(Path::new(path))),
            _ => return Err("a file has neither a URL nor a path".to_owned()),
        };
        let name = file.filename.clone().unwrap_or(name);
        let uploaded = file.upload_time.as_deref().and_then(|time| time.parse().ok());
        let hashes = file.hash.as_deref().map(locking::digest).transpose()?.into_iter().collect();
        Ok(LockedFile { filename: locking::filename(&name)?, url, hashes, size: file.size, uploaded })
    }

    fn node(
        &mut self,
        package: &schema::Package,
        document: &schema::Document,
        by_name: &ByName<'_>,
    ) -> Result<Node, Fault> {
        Ok(Node {
            is_virtual: package.source.r#virtual.is_some(),
            forks: self.markers(&package.resolution_markers)?,
            dependencies: self.edges(&package.dependencies, document, by_name)?,
            extras: self.named_edges(&package.optional_dependencies, document, by_name)?,
            groups: self.named_edges(&package.dev_dependencies, document, by_name)?,
        })
    }

    fn named_edges<N: FromStr + Ord>(
        &mut self,
        all: &BTreeMap<String, Vec<schema::Edge>>,
        document: &schema::Document,
        by_name: &ByName<'_>,
    ) -> Result<BTreeMap<N, Vec<Edge>>, Fault> {
        all.iter()
            .map(|(name, edges)| Ok((locking::group_name(name)?, self.edges(edges, document, by_name)?)))
            .collect()
    }

    fn edges(
        &mut self,
        edges: &[schema::Edge],
        document: &schema::Document,
        by_name: &ByName<'_>,
    ) -> Result<Vec<Edge>, Fault> {
        edges.iter().map(|edge| self.edge(edge, document, by_name)).collect()
    }

    fn edge(&mut self, edge: &schema::Edge, document: &schema::Document, by_name: &ByName<'_>) -> Result<Edge, Fault> {
        let is_meant = |position: &&usize| {
            let package = document.package[**position].get_ref();
            let is_same_version = edge.version.is_none() || edge.version == package.version;
            is_same_version && edge.source.as_ref().is_none_or(|source| *source == package.source)
        };
        let namesakes = by_name.get(edge.name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let to = match namesakes {
            [only] => *only,
            several => match several.iter().filter(is_meant).collect::<Vec<_>>()[..] {
                [only] => *only,
                [] => return Err(format!("it needs {}, which the lock does not have", edge.name)),
                _ => return Err(format!("it needs {}, of which the lock has several", edge.name)),
            },
        };
        let extras = edge.extra.iter().map(|name| locking::group_name(name)).collect::<Result<_, _>>()?;
        Ok(Edge { to, extras, marker: locking::optional_marker(&mut self.markers, edge.marker.as_deref())? })
    }

    fn requirements(
        &mut self,
        all: &[schema::Requirement],
        by_name: &ByName<'_>,
    ) -> Result<Vec<ManifestRequirement>, Fault> {
        let each = all.iter().map(|requirement| {
            Ok(ManifestRequirement {
                name: locking::project_name(&requirement.name)?,
                candidates: by_name.get(requirement.name.as_str()).cloned().unwrap_or_default(),
                extras: requirement.extras.iter().map(|name| locking::group_name(name)).collect::<Result<_, _>>()?,
                marker: locking::optional_marker(&mut self.markers, requirement.marker.as_deref())?,
            })
        });
        each.collect()
    }

    fn markers(&mut self, texts: &[String]) -> Result<Vec<MarkerId>, Fault> {
        texts.iter().map(|text| locking::marker(&mut self.markers, text)).collect()
    }
}

fn by_name(document: &schema::Document) -> ByName<'_> {
    let mut by_name = ByName::new();
    for (position, package) in document.package.iter().enumerate() {
        by_name.entry(package.get_ref().name.as_str()).or_default().push(position);
    }
    by_name
}

/// Refuses an entry with the name, version and source of another.
fn refuse_duplicate(document: &schema::Document, package: &schema::Package, by_name: &ByName<'_>) -> Result<(), Fault> {
    let namesakes = by_name[package.name.as_str()].iter().map(|position| document.package[*position].get_ref());
    let is_same = |other: &&schema::Package| other.version == package.version && other.source == package.source;
    match namesakes.into_iter().find(is_same) {
        Some(first) if !std::ptr::eq(first, package) => {
            Err("the lock has the same version from the same source twice".to_owned())
        }
        _ => Ok(()),
    }
}

fn conflicts(sets: &[Vec<schema::Conflict>]) -> Result<Vec<Vec<Conflict>>, Fault> {
    let item = |conflict: &schema::Conflict| {
        let package = locking::project_name(&conflict.package)?;
        let (item, shown) = match (&conflict.extra, &conflict.group) {
            (Some(extra), _) => (Item::Extra(extra), format!("the extra `{extra}`")),
            (None, Some(group)) => (Item::Group(group), format!("the group `{group}`")),
            (None, None) => (Item::Project, format!("`{package}`")),
        };
        Ok(Conflict { activation: activation(&package, item), shown })
    };
    sets.iter().map(|set| set.iter().map(item).collect()).collect()
}

/// Converts `https://host/repo?rev=main&subdirectory=folder#commit` into pip's form, with the
/// commit as revision.
fn repository_url(git: &str) -> String {
    let (address, commit) = git.split_once('#').unwrap_or((git, ""));
    let (address, query) = address.split_once('?').unwrap_or((address, ""));
    let subdirectory = query.split('&').find_map(|part| part.strip_prefix("subdirectory="));
    let commit = if commit.is_empty() { String::new() } else { format!("@{commit}") };
    let fragment = subdirectory.map(|folder| format!("#subdirectory={}", folder.replace("%2F", "/")));
    format!("git+{address}{commit}{}", fragment.unwrap_or_default())
}
