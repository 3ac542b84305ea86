//! What the parsers of lock files share: checked names, digests and file names.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use url::Url;

use super::location::normalize;
use super::text_file::TextFile;
use super::version_range::VersionRange;
use super::{InputSource, Location, LockInput, Problem, RequirementsReader, Role};
use crate::domain::{
    Digest, DigestError, FilenameError, GroupSelection, LazyUrl, Lock, LockedFile, LockedPackage, LockedProject,
    LockedSource, MarkerId, MarkerTable, MaskedUrl, NotLocked, Origin, PackageName, ProjectFile, Specifiers, Target,
    Version, mask_credentials,
};

/// What is wrong with an entry, in a sentence.
pub(super) type Fault = String;

/// A parsed lock file, with what it says beside its packages.
pub(super) struct ParsedLock {
    pub lock: Arc<dyn Lock>,
    pub warnings: Vec<Problem>,
    /// Where its files are looked for, as far as it says.
    pub indexes: Vec<String>,
    /// The files of the project that its tool reads beside it.
    pub beside: Vec<ProjectFile>,
}

impl ParsedLock {
    /// Makes the result for a lock that states the URL of every file, or leaves the indexes to the
    /// settings.
    pub fn new(lock: impl Lock + 'static) -> Self {
        Self { lock: Arc::new(lock), warnings: Vec::new(), indexes: Vec::new(), beside: Vec::new() }
    }

    /// Adds warnings about the lock.
    #[must_use]
    pub fn with_warnings(self, warnings: impl IntoIterator<Item = Problem>) -> Self {
        Self { warnings: self.warnings.into_iter().chain(warnings).collect(), ..self }
    }
}

/// Reads a lock file with `parse`, which gets siblings of it from the source, and notes what it
/// says.
pub(super) fn read_lock(
    reader: &mut RequirementsReader<'_>,
    (location, role): (&Location, Role),
    format: &'static str,
    parse: impl FnOnce(&TextFile, &dyn InputSource) -> Result<ParsedLock, Vec<Problem>>,
) {
    if role == Role::Constraints {
        let why = "a lock file is no constraints file; name it with -r";
        return reader.read.problems.push(Problem::error(location.origin(0), why));
    }
    let parsed = TextFile::load(location, reader.input_source)
        .map_err(|problem| vec![problem])
        .and_then(|file| Ok((parse(&file, reader.input_source)?, file.text)));
    match parsed {
        Ok((parsed, text)) => take_lock(reader, location, format, parsed, text),
        Err(problems) => reader.read.problems.extend(problems),
    }
}

fn take_lock(
    reader: &mut RequirementsReader<'_>,
    location: &Location,
    format: &'static str,
    parsed: ParsedLock,
    text: String,
) {
    reader.read.has_groups = true;
    reader.read.problems.extend(parsed.warnings);
    let told = |why: String| Problem::error(location.origin(0), why);
    match reader.groups.select(parsed.lock.available()) {
        Err(unknown) => reader.read.problems.extend(unknown.iter().map(|unknown| told(unknown.to_string()))),
        Ok(_) if reader.read.lock.is_some() => {
            let why = "there is another lock file already, and one is the whole answer; name one of them";
            reader.read.problems.push(told(why.to_owned()));
        }
        Ok(groups) => {
            reader.note_project(location, &groups);
            let mut indexes = parsed.indexes.into_iter();
            let options = &mut reader.read.options;
            options.index_url = indexes.next().or(options.index_url.take());
            options.extra_index_urls.extend(indexes);
            let name = location.to_string();
            let is_default = GroupSelection::default().select(parsed.lock.available()).as_ref() == Ok(&groups);
            let lock_file = ProjectFile { path: location.filename(), text };
            let files = std::iter::once(lock_file).chain(parsed.beside).collect();
            let project = LockedProject { format, groups: groups.clone(), is_default, default_index: None, files };
            reader.read.lock = Some(LockInput { format, name, lock: parsed.lock, groups, project: project.into() });
        }
    }
}

/// Parses the name of a project.
pub(super) fn project_name(text: &str) -> Result<PackageName, Fault> {
    text.parse().map_err(|_| format!("`{text}` is no project name"))
}

/// Parses the name of an extra or a group.
pub(super) fn group_name<N: FromStr>(text: &str) -> Result<N, Fault> {
    text.parse().map_err(|_| format!("`{text}` is no name of an extra or a group"))
}

/// Parses the supported Python versions.
pub(super) fn requires_python(text: Option<&str>) -> Result<Option<Specifiers>, Fault> {
    text.map(|text| text.parse().map_err(|error| format!("requires-python: {error}"))).transpose()
}

/// Checks that the lock at `origin`, for the Python versions `wants`, is for `target`.
///
/// # Errors
/// When the target has another Python.
pub(super) fn check_python(
    wants: Option<&VersionRange>,
    target: &Target,
    origin: &Origin,
) -> Result<(), Vec<NotLocked>> {
    let Some(wants) = wants.filter(|wants| !wants.contains(target.python())) else { return Ok(()) };
    let why = format!("the lock is for Python {wants}, the target has {}", target.python());
    Err(vec![NotLocked { package: None, why, origin: origin.clone() }])
}

/// Checks that the lock at `origin` lacks nothing that the project beside it needs.
///
/// # Errors
/// When there are `missing` projects.
pub(super) fn check_complete(missing: BTreeSet<PackageName>, origin: &Origin) -> Result<(), Vec<NotLocked>> {
    let refuse = |name| NotLocked {
        package: Some(name),
        why: "it is needed, and the lock does not have it: pyproject.toml may have changed since; lock anew".to_owned(),
        origin: origin.clone(),
    };
    if missing.is_empty() { Ok(()) } else { Err(missing.into_iter().map(refuse).collect()) }
}

/// Parses a marker, and adds it to those of the lock.
pub(super) fn marker(markers: &mut MarkerTable, text: &str) -> Result<MarkerId, Fault> {
    markers.add(text).map_err(|error| format!("the marker `{text}`: {error}"))
}

/// Returns the fault of a file in a newer version of its format.
pub(super) fn newer_version(found: impl Display, known: &str) -> Fault {
    format!("version {found} of this format is not read here ({known} is): a newer prefetch may read it")
}

/// Returns what follows the last slash or backslash of a path.
pub(super) fn last_part(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

/// Parses a version.
pub(super) fn version(text: &str) -> Result<Version, Fault> {
    text.parse().map_err(|_| format!("`{text}` is no version"))
}

/// Parses a digest such as `sha256:…`, which must have its full length.
pub(super) fn digest(text: &str) -> Result<Digest, Fault> {
    let digest: Digest = text.parse().map_err(|error: DigestError| error.to_string())?;
    match digest.is_well_formed() {
        true => Ok(digest),
        false => Err(format!("`{}` is no {} digest: no file can match it", digest.hex, digest.algorithm)),
    }
}

/// Parses the URL of an index or an archive.
pub(super) fn url(text: &str) -> Result<MaskedUrl, Fault> {
    text.parse().map_err(|error| not_a_url(text, error))
}

/// Parses the URL of one of many files.
pub(super) fn file_url(text: &str) -> Result<LazyUrl, Fault> {
    text.parse().map_err(|error| not_a_url(text, error))
}

fn not_a_url(text: &str, error: url::ParseError) -> Fault {
    format!("`{}` is no URL: {error}", mask_credentials(text))
}

/// Returns the file name at the end of a URL or path, which must name no folder.
pub(super) fn filename(name: &str) -> Result<Box<str>, Fault> {
    let leads_away = name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', '\0']);
    if leads_away { Err(format!("`{name}` is no file name")) } else { Ok(name.into()) }
}

/// Resolves a relative path in the lock at `location` into a URL; `None` for a lock from a URL.
pub(super) fn local_url(location: &Location, input_source: &dyn InputSource, path: &Path) -> Option<MaskedUrl> {
    let folder = location.folder(input_source.working_folder())?;
    Url::from_file_path(normalize(&folder.join(path))).ok().map(MaskedUrl::new)
}

/// Checks that the files are named after their project; those that are no distributions, such as
/// eggs, are accepted and never used.
pub(super) fn check_files(package: &LockedPackage) -> Result<(), Fault> {
    let is_of_other = |(file, read): &(&LockedFile, Result<_, &FilenameError>)| {
        matches!(read, Err(FilenameError::OtherProject)) && !is_unnamed_archive(package, file)
    };
    match package.distributions().find(is_of_other) {
        Some((file, _)) => Err(format!("`{}` is no file of {}", file.filename, package.name)),
        None => Ok(()),
    }
}

/// Whether a file's name is not checked: that of an archive by URL may be any, and one without a
/// name has a digest.
fn is_unnamed_archive(package: &LockedPackage, file: &LockedFile) -> bool {
    file.filename.is_empty() || package.source == LockedSource::Archive && !file.filename.ends_with(".whl")
}
