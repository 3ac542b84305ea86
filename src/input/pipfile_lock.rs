//! Pipfile.lock, pipenv's lock, which has digests but no URLs, for the packages that the locking
//! machine needed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::flat_lock::{FlatLock, Namesakes, PackageCondition, SelectionRule};
use super::freshness;
use super::index_url::expand_variables;
use super::locking::{self, Fault, ParsedLock, Problems, Repository, last_part, read_lock};
use super::text_file::TextFile;
use super::{InputSource, Location, RequirementsReader, Role};
use crate::domain::{
    AvailableGroups, GroupName, LazyUrl, LockContents, LockedFile, LockedPackage, LockedSource, MarkerTable, MaskedUrl,
    Origin, Version,
};

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "_meta")]
    meta: Meta,
    /// The categories: `default`, `develop`, and whatever a Pipfile has besides.
    #[serde(flatten)]
    categories: BTreeMap<String, BTreeMap<String, Package>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Meta {
    pipfile_spec: Option<u64>,
    /// The digest of the Pipfile that was locked.
    #[serde(default)]
    hash: BTreeMap<String, String>,
    #[serde(default)]
    sources: Vec<Source>,
    requires: Option<Requires>,
}

/// The Python that the Pipfile asks for: its version, or its release.
#[derive(Deserialize)]
struct Requires {
    python_version: Option<String>,
    python_full_version: Option<String>,
}

#[derive(Deserialize)]
struct Source {
    name: Option<String>,
    url: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Package {
    version: Option<String>,
    hashes: Vec<String>,
    /// The only digest, in old files.
    hash: Option<String>,
    markers: Option<String>,
    /// The name of a source.
    index: Option<String>,
    file: Option<String>,
    path: Option<String>,
    git: Option<String>,
    r#ref: Option<String>,
    subdirectory: Option<String>,
    editable: bool,
}

/// The supported version of the format.
const VERSION: u64 = 6;

/// The category of the project's own dependencies.
const DEFAULT: &str = "default";

/// Whether a file of this name is a lock of pipenv.
pub fn recognizes(filename: &str) -> bool {
    filename.ends_with("Pipfile.lock")
}

/// Reads the lock at `location`.
pub fn read(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) {
    read_lock(reader, (location, role), "Pipfile.lock", parse);
}

fn parse(file: &TextFile, input_source: &dyn InputSource) -> Result<ParsedLock, Problems> {
    let document: Document = file.json()?;
    let whole = |why: Fault| file.problem(None, why);
    check_version(&document.meta).map_err(whole)?;
    let mut reading = Reading { file, input_source, document: &document, markers: MarkerTable::default() };
    let all = ordered(&document.categories).map(|(category, name, package)| {
        (name, position_of_entry(&file.text, category, name), (category, name, package))
    });
    let read = locking::read_each(file, all, |entry, origin| reading.package(entry, origin))?;
    let (packages, entries) = read.into_iter().unzip();
    let indexes = reading.indexes().map_err(whole)?;
    let markers = reading.markers;
    let lock = FlatLock {
        contents: LockContents {
            packages,
            available: available(&document).map_err(whole)?,
            origin: file.location.origin(0),
        },
        entries,
        markers,
        requires_python: None,
        environments: None,
        project_group: DEFAULT.parse().ok(),
        extras_are_groups: false,
        namesakes: Namesakes::LastCounts,
        made_for: document.meta.requires.as_ref().and_then(Requires::python),
    };
    let beside = file.beside("Pipfile", input_source)?;
    let stale = beside.and_then(|beside| freshness::pipenv(file, &beside, document.meta.hash.get("sha256")?));
    Ok(ParsedLock { indexes, ..ParsedLock::new(lock).with_warnings(stale) })
}

impl Requires {
    fn python(&self) -> Option<Version> {
        self.python_full_version.as_ref().or(self.python_version.as_ref())?.parse().ok()
    }
}

fn check_version(meta: &Meta) -> Result<(), Fault> {
    match meta.pipfile_spec {
        Some(newer) if newer > VERSION => Err(locking::newer_version(newer, "6")),
        _ => Ok(()),
    }
}

/// Returns every entry; pipenv installs the other categories over `default`.
fn ordered(categories: &BTreeMap<String, BTreeMap<String, Package>>) -> impl Iterator<Item = (&str, &str, &Package)> {
    let first = categories.iter().filter(|(category, _)| *category == DEFAULT);
    let others = categories.iter().filter(|(category, _)| *category != DEFAULT);
    let all = first.chain(others);
    all.flat_map(|(category, packages)| packages.iter().map(move |(name, package)| (&**category, &**name, package)))
}

/// Returns the position of an entry.
fn position_of_entry(text: &str, category: &str, name: &str) -> Option<usize> {
    let start = text.find(&format!("\"{category}\": {{"))?;
    Some(start + text[start..].find(&format!("\"{name}\": {{"))?)
}

fn available(document: &Document) -> Result<AvailableGroups, Fault> {
    let names = document.categories.keys().map(|name| locking::group_name(name));
    let mut groups: BTreeSet<GroupName> = names.collect::<Result<_, _>>()?;
    groups.insert(locking::group_name(DEFAULT)?);
    Ok(AvailableGroups { groups, ..AvailableGroups::default() })
}

/// The state of reading one file.
struct Reading<'f> {
    file: &'f TextFile,
    input_source: &'f dyn InputSource,
    document: &'f Document,
    markers: MarkerTable,
}

impl Reading<'_> {
    fn package(
        &mut self,
        (category, name, package): (&str, &str, &Package),
        origin: Origin,
    ) -> Result<(LockedPackage, SelectionRule), Fault> {
        let marker = locking::optional_marker(&mut self.markers, package.markers.as_deref())?;
        let condition = PackageCondition { group: Some(locking::group_name(category)?), marker };
        let (source, files) = self.source(package)?;
        let version = package.version.as_deref().filter(|version| *version != "*");
        let version = version.map(|text| locking::version(text.trim_start_matches('='))).transpose()?;
        let locked = LockedPackage::new(locking::project_name(name)?, version, source, files, origin);
        Ok((locking::check_files(locked)?, SelectionRule { conditions: vec![condition], ..SelectionRule::default() }))
    }

    fn source(&self, package: &Package) -> Result<(LockedSource, Vec<LockedFile>), Fault> {
        let digests = package.hashes.iter().chain(&package.hash).map(|text| locking::digest(text));
        let hashes: Vec<_> = digests.collect::<Result<_, _>>()?;
        let of_archive = |name: String, url: Option<MaskedUrl>| {
            let file = LockedFile {
                filename: locking::filename(&name)?,
                url: url.map(LazyUrl::from),
                hashes: hashes.clone(),
                ..LockedFile::default()
            };
            Ok((LockedSource::Archive, vec![file]))
        };
        if let Some(git) = &package.git {
            let subdirectory = package.subdirectory.as_deref();
            let revision = package.r#ref.as_deref();
            return Ok((Repository { system: "git", url: git, revision, subdirectory }.into(), Vec::new()));
        }
        match package.file.as_deref().or(package.path.as_deref()) {
            Some(text) if text.contains("://") => {
                let url = locking::url(text)?;
                of_archive(url.filename(), Some(url))
            }
            Some(path) if !package.editable && locking::is_archive(path) => {
                of_archive(last_part(path), locking::local_url(&self.file.location, self.input_source, Path::new(path)))
            }
            Some(folder) => Ok((LockedSource::Folder(folder.to_owned()), Vec::new())),
            None => {
                // Each digest is of some file of the version; only an index knows of which.
                let unnamed = hashes.into_iter().map(|hash| LockedFile { hashes: vec![hash], ..LockedFile::default() });
                let index = package.index.as_ref().map(|name| self.index(name)).transpose()?;
                Ok((LockedSource::Index(index), unnamed.collect()))
            }
        }
    }

    /// Returns the source of this name.
    fn index(&self, name: &str) -> Result<std::sync::Arc<MaskedUrl>, Fault> {
        let mut named = self.document.meta.sources.iter().filter(|source| source.name.as_deref() == Some(name));
        let source = named.next().ok_or_else(|| format!("its index `{name}` is none of the sources"))?;
        Ok(locking::url(&expand_variables(&source.url, self.input_source)?)?.into())
    }

    fn indexes(&self) -> Result<Vec<String>, Fault> {
        self.document.meta.sources.iter().map(|source| expand_variables(&source.url, self.input_source)).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::input::fake_source::FakeSource;
    use crate::input::lock_tests::target;
    use crate::input::{Location, Role, read};

    #[test]
    fn a_lock_for_another_python_is_doubted() {
        let warning = |requires: &str| {
            let lock = format!("{{\"_meta\": {{\"requires\": {requires}}}, \"default\": {{}}}}");
            let machine = FakeSource::new().file("/w/Pipfile.lock", lock);
            let read = read(&Location::parse("Pipfile.lock"), Role::Requirements, &machine);
            read.lock.unwrap().lock.warning(&target("3.12", "linux-x86_64"))
        };
        assert!(warning("{\"python_version\": \"3.6\"}").unwrap().contains("made for Python 3.6 alone"));
        for same in ["{\"python_version\": \"3.12\"}", "{\"python_full_version\": \"3.12.4\"}", "{}", "null"] {
            assert_eq!(warning(same), None, "{same}");
        }
    }
}
