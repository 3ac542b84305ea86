//! Parses a pixi.lock into a [`PixiLock`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::lock::{DEFAULT, PixiLock, PlatformEnvironment};
use super::schema::{self, Document, Head};
use crate::domain::{
    AvailableGroups, Dependency, GroupName, LazyUrl, LockContents, LockedFile, LockedPackage, LockedSource, Origin,
    PackageName, Version, list_first,
};
use crate::input::locking::{self, Fault, ParsedLock, Problems, last_part};
use crate::input::text_file::TextFile;
use crate::input::{InputSource, Problem};

/// The supported versions of the format.
const VERSIONS: std::ops::RangeInclusive<u64> = 5..=7;

/// The number of conda packages that a warning names.
const NAMED: usize = 10;

/// Parses `file`; warnings are part of the lock.
///
/// # Errors
/// When anything is wrong with the file; all of it.
pub fn parse(file: &TextFile, input_source: &dyn InputSource) -> Result<ParsedLock, Problems> {
    let whole = |why: Fault| file.problem(None, why);
    let head: Head = file.yaml()?;
    check_version(head.version).map_err(whole)?;
    let document: Document = file.yaml()?;
    let reading = Reading { file, input_source };
    let Packages { packages, dependencies, positions } = reading.packages(&document)?;
    let subdirs: HashMap<_, _> = document
        .platforms
        .iter()
        .filter_map(|platform| Some((platform.name.as_str(), platform.subdir.as_deref()?)))
        .collect();
    let mut environments: BTreeMap<GroupName, BTreeMap<String, PlatformEnvironment>> = BTreeMap::new();
    for (name, environment) in &document.environments {
        let by_platform = environments.entry(locking::group_name(name).map_err(whole)?).or_default();
        for (platform, references) in &environment.packages {
            let subdir = subdirs.get(platform.as_str()).copied().unwrap_or(platform);
            by_platform.insert(subdir.to_owned(), reading.environment(references, &positions).map_err(whole)?);
        }
    }
    let available = available(&environments).map_err(whole)?;
    let contents = LockContents { packages, available, origin: file.location.origin(0) };
    let lock = PixiLock { contents, dependencies, environments };
    Ok(ParsedLock::new(lock).with_warnings(left_out(file, &document)))
}

fn check_version(version: u64) -> Result<(), Fault> {
    match version {
        version if VERSIONS.contains(&version) => Ok(()),
        older if older < *VERSIONS.start() => {
            Err(format!("version {older} of this format is too old to be read here; `pixi lock` writes it anew"))
        }
        newer => Err(locking::newer_version(newer, "5 to 7")),
    }
}

fn available(
    environments: &BTreeMap<GroupName, BTreeMap<String, PlatformEnvironment>>,
) -> Result<AvailableGroups, Fault> {
    let default: GroupName = locking::group_name(DEFAULT)?;
    let groups: BTreeSet<_> = environments.keys().cloned().collect();
    let default_groups = groups.iter().filter(|group| **group == default).cloned().collect();
    Ok(AvailableGroups { groups, default_groups, ..AvailableGroups::default() })
}

/// Returns a warning that names the conda packages.
fn left_out(file: &TextFile, document: &Document) -> Option<Problem> {
    let platforms = document.environments.values().flat_map(|environment| environment.packages.values());
    let urls: BTreeSet<_> = platforms.flatten().filter_map(|reference| reference.conda.as_deref()).collect();
    let names: BTreeSet<_> = urls.iter().filter_map(|url| Some(conda_name_and_version(url)?.0)).collect();
    let why = format!("left out, since they are conda packages: {}; pixi fetches them", list_first(&names, NAMED));
    (!names.is_empty()).then(|| file.warning(None, why))
}

/// Returns name and version in the URL of a conda package, which ends in
/// `NAME-VERSION-BUILD.conda`.
fn conda_name_and_version(url: &str) -> Option<(&str, &str)> {
    let mut parts = url.rsplit('/').next()?.rsplitn(3, '-');
    let (_build, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((name, version))
}

/// The state of reading one file.
struct Reading<'f> {
    file: &'f TextFile,
    input_source: &'f dyn InputSource,
}

/// Positions of packages by the URL or path that refers to them.
type Positions<'d> = HashMap<&'d str, usize>;

/// The packages of a lock, each with its dependencies.
struct Packages<'d> {
    packages: Vec<LockedPackage>,
    dependencies: Vec<Vec<PackageName>>,
    positions: Positions<'d>,
}

impl Reading<'_> {
    fn packages<'d>(&self, document: &'d Document) -> Result<Packages<'d>, Problems> {
        let (mut dependencies, mut positions) = (Vec::new(), Positions::new());
        let all = document.packages.iter().filter_map(|package| {
            let reference = package.reference()?;
            // The entry of a package is the last place that has its URL.
            let at = self.file.text.rfind(reference);
            Some((package.name.as_deref().unwrap_or(reference), at, (reference, package)))
        });
        let packages = locking::read_each(self.file, all, |(reference, package), origin| {
            positions.insert(reference, dependencies.len());
            let needs = package.requires_dist.iter().filter_map(|text| text.parse::<Dependency>().ok());
            dependencies.push(needs.map(|dependency| dependency.name).collect());
            self.package(reference, package, origin)
        })?;
        Ok(Packages { packages, dependencies, positions })
    }

    fn package(&self, reference: &str, package: &schema::Package, origin: Origin) -> Result<LockedPackage, Fault> {
        let name = locking::project_name(package.name.as_deref().ok_or("it has no name")?)?;
        let version = package.version.as_deref().map(locking::version).transpose()?;
        let (source, files) = self.source(reference, package.sha256.as_deref())?;
        locking::check_files(LockedPackage::new(name, version, source, files, origin))
    }

    /// Returns the source of a package; the digest of a folder is one of its files, and of no
    /// archive.
    fn source(&self, reference: &str, sha256: Option<&str>) -> Result<(LockedSource, Vec<LockedFile>), Fault> {
        let reference = reference.strip_prefix("direct+").unwrap_or(reference);
        let filename = last_part(reference.split(['#', '?']).next().unwrap_or_default());
        let url = match reference.split_once("://") {
            Some((scheme, _)) if scheme.contains('+') => {
                return Ok((LockedSource::Repository(reference.to_owned()), Vec::new()));
            }
            Some(_) => Some(locking::file_url(reference)?),
            None if locking::is_archive(&filename) => {
                locking::local_url(&self.file.location, self.input_source, Path::new(reference)).map(LazyUrl::from)
            }
            None => return Ok((LockedSource::Folder(reference.to_owned()), Vec::new())),
        };
        let filename = url.as_ref().map_or(filename, LazyUrl::filename);
        let hashes = sha256.map(|hex| locking::digest(&format!("sha256:{hex}"))).transpose()?.into_iter().collect();
        let file = LockedFile { filename: locking::filename(&filename)?, url, hashes, ..LockedFile::default() };
        Ok((LockedSource::Archive, vec![file]))
    }

    fn environment(
        &self,
        references: &[schema::Reference],
        positions: &Positions<'_>,
    ) -> Result<PlatformEnvironment, Fault> {
        let mut environment = PlatformEnvironment::default();
        for reference in references {
            if let Some(url) = &reference.conda {
                let python = conda_name_and_version(url).filter(|(name, _)| *name == "python");
                let python = python.and_then(|(_, version)| version.parse::<Version>().ok());
                environment.python = environment.python.or(python);
            }
            if let Some(text) = &reference.pypi {
                let position = positions.get(text.as_str());
                let missing = || format!("an environment refers to `{text}`, which the lock does not have");
                environment.packages.push(*position.ok_or_else(missing)?);
            }
        }
        Ok(environment)
    }
}
