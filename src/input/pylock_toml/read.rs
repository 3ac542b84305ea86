//! Parses a pylock.toml.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use super::schema;
use crate::domain::{
    AvailableGroups, Digest, LazyUrl, LockContents, LockedFile, LockedPackage, LockedSource, MarkerTable, MaskedUrl,
    Origin,
};
use crate::input::InputSource;
use crate::input::flat_lock::{FlatLock, Namesakes, PackageCondition, SelectionRule};
use crate::input::locking::{self, Fault, ParsedLock, Problems, Repository, last_part};
use crate::input::text_file::TextFile;

/// Parses `file`; warnings are part of the lock.
///
/// # Errors
/// When anything is wrong with the file; all of it.
pub fn parse(file: &TextFile, source: &dyn InputSource) -> Result<ParsedLock, Problems> {
    let document: schema::Document = file.toml()?;
    let whole = |why: Fault| file.problem(None, why);
    let warning = check_version(&document).map_err(whole)?;
    let mut reading = Reading { file, source, markers: MarkerTable::default(), indexes: HashMap::new() };
    let all = locking::toml_entries(&document.packages, |package| &package.name);
    let read = locking::read_each(file, all, |package, origin| reading.package(package, origin))?;
    let (packages, entries) = read.into_iter().unzip();
    let environments = document.environments.iter().flatten().map(|text| locking::marker(&mut reading.markers, text));
    let environments: Vec<_> = environments.collect::<Result<_, _>>().map_err(whole)?;
    let lock = FlatLock {
        contents: LockContents {
            packages,
            available: available(&document).map_err(whole)?,
            origin: file.location.origin(0),
        },
        entries,
        markers: reading.markers,
        requires_python: locking::requires_python(document.requires_python.as_deref()).map_err(whole)?.map(Into::into),
        environments: document.environments.is_some().then_some(environments),
        project_group: None,
        extras_are_groups: false,
        namesakes: Namesakes::Refused,
        made_for: None,
    };
    Ok(ParsedLock::new(lock).with_warnings(warning.map(|why| file.warning(None, why))))
}

/// Checks the version of the format; a later minor version gets a warning (PEP 751).
fn check_version(document: &schema::Document) -> Result<Option<String>, Fault> {
    let version = &document.lock_version;
    if document.created_by.as_deref() == Some("pipenv") {
        return Err("pipenv wrote it, with URLs that it made up; name the Pipfile.lock instead".to_owned());
    }
    match version.split_once('.') {
        Some(("1", "0")) => Ok(None),
        Some(("1", _)) => Ok(Some(format!("lock-version {version} is newer than what is read here (1.0)"))),
        _ => Err(locking::newer_version(version, "1.0")),
    }
}

fn available(document: &schema::Document) -> Result<AvailableGroups, Fault> {
    Ok(AvailableGroups {
        extras: names(&document.extras)?,
        groups: names(&document.dependency_groups)?.into_iter().chain(names(&document.default_groups)?).collect(),
        default_groups: names(&document.default_groups)?,
        ..AvailableGroups::default()
    })
}

fn names<N: FromStr + Ord>(texts: &[String]) -> Result<BTreeSet<N>, Fault> {
    texts.iter().map(|text| locking::group_name(text)).collect()
}

/// The state of reading one file.
struct Reading<'f> {
    file: &'f TextFile,
    source: &'f dyn InputSource,
    markers: MarkerTable,
    /// The URLs of indexes, each once.
    indexes: HashMap<String, Arc<MaskedUrl>>,
}

impl Reading<'_> {
    fn package(&mut self, package: &schema::Package, origin: Origin) -> Result<(LockedPackage, SelectionRule), Fault> {
        let name = locking::project_name(&package.name)?;
        let source = self.source(package)?;
        let files = package.archive.iter().chain(&package.wheels).chain(&package.sdist);
        let files = files.map(|file| self.file(file)).collect::<Result<_, _>>()?;
        let version = package.version.as_deref().map(locking::version).transpose()?;
        let marker = locking::optional_marker(&mut self.markers, package.marker.as_deref())?;
        let entry = SelectionRule {
            conditions: vec![PackageCondition { group: None, marker }],
            requires_python: locking::requires_python(package.requires_python.as_deref())?,
            dependencies: package
                .dependencies
                .iter()
                .filter_map(|dependency| dependency.name.as_ref()?.parse().ok())
                .collect(),
        };
        Ok((locking::check_files(LockedPackage::new(name, version, source, files, origin))?, entry))
    }

    /// Returns the source of a package; an archive, a repository and a folder exclude each other.
    fn source(&mut self, package: &schema::Package) -> Result<LockedSource, Fault> {
        if let Some(vcs) = &package.vcs {
            let place = vcs.url.as_ref().or(vcs.path.as_ref()).ok_or("its repository has neither URL nor path")?;
            let revision = vcs.commit_id.as_deref().map(commit).transpose()?;
            let (system, subdirectory) = (vcs.r#type.as_str(), vcs.subdirectory.as_deref());
            return Ok(Repository { system, url: place, revision, subdirectory }.into());
        }
        if let Some(directory) = &package.directory {
            return Ok(LockedSource::Folder(directory.path.clone()));
        }
        if package.archive.is_some() {
            return Ok(LockedSource::Archive);
        }
        package.index.as_deref().map(|index| self.index(index)).transpose().map(LockedSource::Index)
    }

    fn index(&mut self, text: &str) -> Result<Arc<MaskedUrl>, Fault> {
        if let Some(known) = self.indexes.get(text) {
            return Ok(known.clone());
        }
        let index = Arc::new(locking::url(text)?);
        self.indexes.insert(text.to_owned(), index.clone());
        Ok(index)
    }

    fn file(&self, file: &schema::File) -> Result<LockedFile, Fault> {
        let (last, url) = match (&file.url, &file.path) {
            (Some(url), _) => {
                let url = locking::file_url(url)?;
                (url.filename(), Some(url))
            }
            (None, Some(path)) => (
                last_part(path),
                locking::local_url(&self.file.location, self.source, Path::new(path)).map(LazyUrl::from),
            ),
            (None, None) => return Err("a file has neither a URL nor a path".to_owned()),
        };
        Ok(LockedFile {
            filename: locking::filename(file.name.as_deref().unwrap_or(&last))?,
            url,
            hashes: hashes(&file.hashes)?,
            size: file.size,
            uploaded: file.upload_time.and_then(|time| time.to_string().parse().ok()),
        })
    }
}

/// Returns the digests with known algorithms; there may be others beside them.
fn hashes(table: &BTreeMap<String, String>) -> Result<Vec<Digest>, Fault> {
    let known = table.iter().filter(|(algorithm, _)| crate::domain::Algorithm::named(algorithm).is_some());
    let hashes: Vec<_> =
        known.map(|(algorithm, hex)| locking::digest(&format!("{algorithm}:{hex}"))).collect::<Result<_, _>>()?;
    match hashes.is_empty() && !table.is_empty() {
        true => Err("a file has digests of unknown algorithms alone".to_owned()),
        false => Ok(hashes),
    }
}

/// Checks the hash of a commit; a branch or a tag is no pin (PEP 751).
///
/// # Errors
/// When `id` is no full hash.
fn commit(id: &str) -> Result<&str, Fault> {
    let is_hash = matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { Ok(id) } else { Err(format!("`{id}` is no hash of a commit")) }
}
