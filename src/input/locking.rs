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
    Digest, DigestError, EvaluatedMarkers, FilenameError, GroupSelection, LazyUrl, Lock, LockContents, LockedFile,
    LockedPackage, LockedProject, LockedSource, MarkerId, MarkerSets, MarkerTable, MaskedUrl, NotLocked, Origin,
    PackageName, ProjectFile, SourceFilename, Specifiers, Target, Version, git_url, mask_credentials,
};

/// What is wrong with an entry, in a sentence.
pub(super) type Fault = String;

/// Everything that is wrong with a lock file.
pub(super) struct Problems(pub Vec<Problem>);

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

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

    /// Adds the file at `path` that its tool reads beside the lock, if there is one.
    #[must_use]
    pub fn with_beside(mut self, path: &str, file: Option<TextFile>) -> Self {
        self.beside.extend(file.map(|file| ProjectFile { path: path.to_owned(), text: file.text }));
        self
    }
}

/// Reads a lock file with `parse`, which gets siblings of it from the source, and notes what it
/// says.
pub(super) fn read_lock(
    reader: &mut RequirementsReader<'_>,
    (location, role): (&Location, Role),
    format: &'static str,
    parse: impl FnOnce(&TextFile, &dyn InputSource) -> Result<ParsedLock, Problems>,
) {
    if role == Role::Constraints {
        let why = "a lock file is no constraints file; name it with -r";
        return reader.parsed.problems.push(Problem::error(location.origin(0), why));
    }
    let parsed = TextFile::load(location, reader.input_source)
        .map_err(Problems::from)
        .and_then(|file| Ok((parse(&file, reader.input_source)?, file.text)));
    match parsed {
        Ok((parsed, text)) => take_lock(reader, location, format, parsed, text),
        Err(Problems(problems)) => reader.parsed.problems.extend(problems),
    }
}

fn take_lock(
    reader: &mut RequirementsReader<'_>,
    location: &Location,
    format: &'static str,
    parsed: ParsedLock,
    text: String,
) {
    reader.parsed.has_groups = true;
    reader.parsed.problems.extend(parsed.warnings);
    let told = |why: String| Problem::error(location.origin(0), why);
    match reader.groups.select(parsed.lock.available()) {
        Err(unknown) => reader.parsed.problems.extend(unknown.iter().map(|unknown| told(unknown.to_string()))),
        Ok(_) if reader.parsed.lock.is_some() => {
            let why = "there is another lock file already, and one is the whole answer; name one of them";
            reader.parsed.problems.push(told(why.to_owned()));
        }
        Ok(groups) => {
            reader.note_project(location, &groups);
            let mut indexes = parsed.indexes.into_iter();
            let options = &mut reader.parsed.options;
            options.index_url = indexes.next().or(options.index_url.take());
            options.extra_index_urls.extend(indexes);
            let name = location.to_string();
            let is_default = GroupSelection::default().select(parsed.lock.available()).as_ref() == Ok(&groups);
            let lock_file = ProjectFile { path: location.filename(), text };
            let files = std::iter::once(lock_file).chain(parsed.beside).collect();
            let project = LockedProject { format, groups: groups.clone(), is_default, default_index: None, files };
            reader.parsed.lock = Some(LockInput { format, name, lock: parsed.lock, groups, project: project.into() });
        }
    }
}

/// An entry that is not read yet: its name, its offset in the file as far as that is known, and
/// what it says.
pub(super) type RawEntry<'d, P> = (&'d str, Option<usize>, P);

/// Returns the entries of a TOML file.
pub(super) fn toml_entries<'d, P>(
    packages: &'d [toml::Spanned<P>],
    name: fn(&P) -> &String,
) -> impl Iterator<Item = RawEntry<'d, &'d P>> {
    packages.iter().map(move |package| (&**name(package.get_ref()), Some(package.span().start), package.get_ref()))
}

/// Reads every entry, each with its origin.
///
/// # Errors
/// When any entry is wrong; all faults.
pub(super) fn read_each<'d, P, T>(
    file: &TextFile,
    entries: impl Iterator<Item = RawEntry<'d, P>>,
    mut read: impl FnMut(P, Origin) -> Result<T, Fault>,
) -> Result<Vec<T>, Problems> {
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for (name, at, entry) in entries {
        match read(entry, at.map_or_else(|| file.location.origin(0), |at| file.origin(at))) {
            Ok(one) => all.push(one),
            Err(why) => problems.push(file.problem(at, format!("{name}: {why}"))),
        }
    }
    if problems.is_empty() { Ok(all) } else { Err(Problems(problems)) }
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

/// Checks that `lock`, for the Python versions `wants`, is for `target`.
///
/// # Errors
/// When the target has another Python.
pub(super) fn check_python(
    wants: Option<&VersionRange>,
    target: &Target,
    lock: &LockContents,
) -> Result<(), Vec<NotLocked>> {
    refuse_python("the lock is for", wants, target, lock)
}

/// Checks that the project beside `lock`, which `wants` these Python versions now, is for `target`.
///
/// # Errors
/// When the target has another Python.
pub(super) fn check_project_python(
    wants: Option<&VersionRange>,
    target: &Target,
    lock: &LockContents,
) -> Result<(), Vec<NotLocked>> {
    refuse_python("the project of the lock is for", wants, target, lock)
}

fn refuse_python(
    what: &str,
    wants: Option<&VersionRange>,
    target: &Target,
    lock: &LockContents,
) -> Result<(), Vec<NotLocked>> {
    let python = target.python();
    let Some(wants) = wants.filter(|wants| !wants.contains(python)) else { return Ok(()) };
    let release = target.releases_from_own().find(|release| wants.contains(release));
    let way = release.map(|release| format!("; a target of Python {release} is one of them"));
    let why = format!("{what} Python {wants}, the target has {python}{}", way.unwrap_or_default());
    Err(vec![lock.refusal(why)])
}

/// Checks that one of the environments that `lock` supports holds; `None` are all.
///
/// # Errors
/// When none holds; `setting` says where the lock's tool has them from.
pub(super) fn check_environments(
    environments: Option<&[MarkerId]>,
    markers: &EvaluatedMarkers<'_>,
    (lock, setting): (&LockContents, &str),
) -> Result<(), Vec<NotLocked>> {
    let nothing = MarkerSets::default();
    let is_supported =
        |environments: &[MarkerId]| environments.iter().any(|marker| markers.holds(Some(*marker), &nothing));
    match environments.is_none_or(is_supported) {
        true => Ok(()),
        false => {
            let why = format!("the target is none of the environments that the lock is for{setting}");
            Err(vec![lock.refusal(why)])
        }
    }
}

/// Checks that `lock` lacks nothing that the project beside it needs.
///
/// # Errors
/// When there are `missing` projects.
pub(super) fn check_complete(missing: BTreeSet<PackageName>, lock: &LockContents) -> Result<(), Vec<NotLocked>> {
    let why = "it is needed, and the lock does not have it: pyproject.toml may have changed since; lock anew";
    let refuse = |name| NotLocked { package: Some(name), ..lock.refusal(why.to_owned()) };
    if missing.is_empty() { Ok(()) } else { Err(missing.into_iter().map(refuse).collect()) }
}

/// Parses a marker, and adds it to those of the lock.
pub(super) fn marker(markers: &mut MarkerTable, text: &str) -> Result<MarkerId, Fault> {
    markers.add(text).map_err(|error| format!("the marker `{text}`: {error}"))
}

/// Parses the marker of an entry that may have none.
pub(super) fn optional_marker(
    markers: &mut MarkerTable,
    text: Option<impl AsRef<str>>,
) -> Result<Option<MarkerId>, Fault> {
    text.map(|text| marker(markers, text.as_ref())).transpose()
}

/// A repository as the tables of most tools state it.
pub(super) struct Repository<'e> {
    /// The version control system.
    pub system: &'e str,
    /// A URL, or git's short spelling of one.
    pub url: &'e str,
    /// The commit that was locked, or the revision that was asked for.
    pub revision: Option<&'e str>,
    /// The folder of the project.
    pub subdirectory: Option<&'e str>,
}

impl Repository<'_> {
    /// Returns pip's URL of the repository at the revision.
    pub fn pip_url(&self) -> String {
        let Self { system, url, revision, subdirectory } = self;
        let revision = revision.map(|revision| format!("@{revision}")).unwrap_or_default();
        let folder = subdirectory.map(|folder| format!("#subdirectory={folder}")).unwrap_or_default();
        format!("{system}+{}{revision}{folder}", git_url(url))
    }
}

impl From<Repository<'_>> for LockedSource {
    fn from(repository: Repository<'_>) -> Self {
        Self::Repository(repository.pip_url())
    }
}

/// Whether the path of a file or folder is that of a wheel or a source archive.
pub(super) fn is_archive(path: &str) -> bool {
    let name = last_part(path);
    name.ends_with(".whl") || SourceFilename::guess(&name).is_ok()
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

/// Checks that the files of a package are named after their project; those that are no
/// distributions, such as eggs, are accepted and never used.
///
/// # Errors
/// When a file is one of another project.
pub(super) fn check_files(package: LockedPackage) -> Result<LockedPackage, Fault> {
    let is_of_other = |(file, read): &(&LockedFile, Result<_, &FilenameError>)| {
        matches!(read, Err(FilenameError::OtherProject)) && !is_unnamed_archive(&package, file)
    };
    let foreign = package.distributions().find(is_of_other);
    let fault = foreign.map(|(file, _)| format!("`{}` is no file of {}", file.filename, package.name));
    fault.map_or(Ok(package), Err)
}

/// Whether a file's name is not checked: that of an archive by URL may be any, and one without a
/// name has a digest.
fn is_unnamed_archive(package: &LockedPackage, file: &LockedFile) -> bool {
    file.filename.is_empty() || package.source == LockedSource::Archive && !file.filename.ends_with(".whl")
}
