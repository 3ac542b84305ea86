//! Reads pyproject.toml: the dependencies of a project in the standard tables (PEP 621, PEP 735)
//! and in those of tools.

use std::collections::BTreeSet;

use super::location::normalize;
use super::locking::{self, Fault, Repository};
use super::poetry_dependency::PoetryDependency;
use super::project_dependencies::{DeclaredDependency, PyprojectToml};
use super::project_indexes::{ProjectIndex, ProjectIndexes};
use super::selected_dependencies::{wanted, with_own};
use super::text_file::TextFile;
use super::version_range::VersionRange;
use super::{InputSource, Location, PathKind, Problem, RequirementsReader, Role, setup_cfg};
use crate::domain::{AvailableGroups, Marker, PackageName, Requirement, SelectedGroups, Source, UnknownGroup};

/// Whether a file of this name is the description of a project.
pub fn recognizes(filename: &str) -> bool {
    filename == "pyproject.toml"
}

/// Reads the file at `location`, with the requested extras and groups.
pub fn read(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) {
    if role == Role::Constraints {
        let why = "a project is no constraints file; name it with -r";
        return reader.parsed.problems.push(Problem::error(location.origin(0), why));
    }
    match TextFile::load(location, reader.input_source).and_then(|file| Ok((file.toml()?, file))) {
        Ok((document, file)) => read_document(reader, &file, &document, role),
        Err(problem) => reader.parsed.problems.push(problem),
    }
}

fn read_document(reader: &mut RequirementsReader<'_>, file: &TextFile, document: &PyprojectToml, role: Role) {
    reader.parsed.has_groups = true;
    let wrong = |why: &str| file.problem(None, why);
    if !document.is_project() {
        if let Some(beside) = setup_cfg::beside(file, reader.input_source) {
            return setup_cfg::read_file(reader, &beside, role);
        }
        let why = "it asks for nothing: it has neither [project] nor [dependency-groups] nor dependencies of Poetry; name a \
                   requirements file with -r";
        return reader.parsed.problems.push(wrong(why));
    }
    let Some(groups) = selected(reader, file, &available(document)) else { return };
    match document.dependencies() {
        Ok(asked) => {
            let name = document.name();
            let groups = with_own(groups, name.as_ref(), asked.iter());
            reader.note_project(&file.location, &groups);
            reader.parsed.problems.extend(dynamic(document, &groups).into_iter().map(|why| wrong(&why)));
            let asked = wanted(asked, name.as_ref(), &groups);
            let placed =
                asked.into_iter().map(|asked| (asked.name.clone(), document.uv().sources().with_source(asked)));
            let placed: Vec<_> = placed.collect();
            let known: Vec<_> = placed.iter().filter_map(|(_, asked)| asked.as_ref().ok().cloned()).collect();
            match document.indexes() {
                Ok(indexes) => note_indexes(reader, file, &indexes, &known),
                Err(why) => reader.parsed.problems.push(wrong(&why)),
            }
            take(reader, file, role, placed.into_iter());
        }
        Err(why) => reader.parsed.problems.push(wrong(&why)),
    }
    note_requires_python(reader, file, document.requires_python().as_deref());
}

/// Returns the extras and groups that are taken of those that a file has; `None` after noting that
/// it lacks one.
pub(super) fn selected(
    reader: &mut RequirementsReader<'_>,
    file: &TextFile,
    available: &AvailableGroups,
) -> Option<SelectedGroups> {
    let told = |unknown: &UnknownGroup| file.problem(None, unknown.to_string());
    let groups = reader.groups.select(available);
    groups.map_err(|unknown| reader.parsed.problems.extend(unknown.iter().map(told))).ok()
}

/// Adds requirements of a project to what was read, each with the project that it names, or what is
/// wrong with it.
pub(super) fn take(
    reader: &mut RequirementsReader<'_>,
    file: &TextFile,
    role: Role,
    asked: impl Iterator<Item = (PackageName, Result<DeclaredDependency, Fault>)>,
) {
    for (name, asked) in asked {
        match asked.and_then(|asked| requirement((file, reader.input_source), &asked, role)) {
            Ok(requirement) => reader.parsed.requirements.push(requirement),
            Err(why) => {
                let problem = file.problem(position_of_name(file, &name), format!("{name}: {why}"));
                reader.parsed.problems.push(problem);
            }
        }
    }
}

/// Records the indexes that the file configures its tool to ask, and those of the `asked`
/// dependencies that name one.
pub(super) fn note_indexes(
    reader: &mut RequirementsReader<'_>,
    file: &TextFile,
    indexes: &[ProjectIndex],
    asked: &[DeclaredDependency],
) {
    let indexes = ProjectIndexes { all: indexes, file, input_source: reader.input_source };
    if let Err(why) = indexes.add_to(&mut reader.parsed.options, asked) {
        reader.parsed.problems.push(file.problem(None, why));
    }
}

/// Records the Python versions that the file requires.
pub(super) fn note_requires_python(reader: &mut RequirementsReader<'_>, file: &TextFile, text: Option<&str>) {
    match text.map(str::parse::<VersionRange>).transpose() {
        Ok(range) => reader.parsed.requires_python.extend(range.map(|range| (range, file.location.origin(0)))),
        Err(why) => reader.parsed.problems.push(file.problem(None, why)),
    }
}

/// Returns the extras and groups; none of them is selected by default, except Poetry's groups that
/// are not optional.
fn available(document: &PyprojectToml) -> AvailableGroups {
    let (groups, default) = document.groups();
    let default_groups = if document.has_standard_name() { BTreeSet::new() } else { default };
    AvailableGroups { extras: document.extras(), groups, default_groups, ..AvailableGroups::default() }
}

/// Returns a fault for each requested field that only a build can tell.
fn dynamic(document: &PyprojectToml, groups: &SelectedGroups) -> Vec<String> {
    let is_wanted = |field: &&String| match field.as_str() {
        "dependencies" => groups.project,
        "optional-dependencies" => !groups.extras.is_empty(),
        _ => false,
    };
    let told = |field: &String| {
        format!(
            "its {field} are dynamic, so that only a build of the project tells them: lock it with its own tool, or make a \
             requirements file of it (`uv pip compile pyproject.toml`, pip-compile)"
        )
    };
    document.dynamic().iter().filter(is_wanted).map(told).collect()
}

/// Converts a requirement of the project into one of the file.
///
/// # Errors
/// When it is not valid as such.
pub(super) fn requirement(
    (file, input_source): (&TextFile, &dyn InputSource),
    asked: &DeclaredDependency,
    role: Role,
) -> Result<Requirement, Fault> {
    let what = &asked.what;
    let origin = position_of_name(file, &asked.name).map_or_else(|| file.location.origin(0), |at| file.origin(at));
    Ok(Requirement {
        extras: what.extras.iter().filter_map(|name| name.parse().ok()).collect(),
        marker: marker(what)?,
        constraint: role == Role::Constraints,
        ..Requirement::named(asked.name.clone(), source((file, input_source), what)?, origin)
    })
}

/// Returns the first position of a project's name as a whole word, in quotes or at the start of a
/// line.
fn position_of_name(file: &TextFile, name: &PackageName) -> Option<usize> {
    let text = file.text.to_ascii_lowercase().replace(['_', '.'], "-");
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let starts = text.match_indices(name.as_ref()).map(|(at, _)| at);
    let mut whole = starts.filter(|at| {
        let (before, after) = (&text[..*at], &text[at + name.as_ref().len()..]);
        let begins_line = before.rsplit('\n').next().is_some_and(|start| start.trim().is_empty());
        (begins_line || before.ends_with(['"', '\''])) && !after.starts_with(is_part)
    });
    whole.next()
}

fn source((file, input_source): (&TextFile, &dyn InputSource), what: &PoetryDependency) -> Result<Source, Fault> {
    if let Some(git) = &what.git {
        let revision = what.rev.as_deref().or(what.tag.as_deref()).or(what.branch.as_deref());
        let subdirectory = what.subdirectory.as_deref();
        return Ok(Source::Repository(Repository { system: "git", url: git, revision, subdirectory }.pip_url()));
    }
    if let Some(url) = &what.url {
        let is_repository = url.split_once("://").is_some_and(|(scheme, _)| scheme.contains('+'));
        return match is_repository {
            true => Ok(Source::Repository(url.clone())),
            false => locking::url(url).map(Source::Url),
        };
    }
    if let Some(path) = what.path.as_ref().or(what.file.as_ref()) {
        let folder = file.location.folder(input_source.working_folder()).ok_or("it is a path beside a file by URL")?;
        let path = normalize(&folder.join(path));
        return Ok(match input_source.path_kind(&path) {
            PathKind::File => Source::Archive(path),
            PathKind::Missing | PathKind::Folder { .. } => Source::Project(path),
        });
    }
    let range: VersionRange = what.version.as_deref().unwrap_or("*").parse()?;
    match range.alternatives() {
        [only] => Ok(Source::Index(only.clone())),
        _ => Err(format!("`{range}` has alternatives, which no requirement can have: lock it with Poetry")),
    }
}

/// Returns the marker that is equivalent to all conditions of a dependency.
///
/// # Errors
/// When a condition cannot be parsed.
pub(super) fn marker(what: &PoetryDependency) -> Result<Marker, Fault> {
    let mut all: Vec<String> = Vec::new();
    if let Some(text) = what.markers.as_deref().filter(|text| !text.is_empty()) {
        all.push(text.to_owned());
    }
    if let Some(platform) = &what.platform {
        all.push(format!("sys_platform == '{platform}'"));
    }
    if let Some(text) = &what.python {
        let range: VersionRange = text.parse()?;
        let clauses = range.alternatives().iter().map(|specifiers| {
            let clauses = specifiers.clauses().iter();
            let clauses: Vec<_> = clauses
                .map(|clause| format!("python_full_version {} '{}'", clause.operator(), clause.version()))
                .collect();
            if clauses.is_empty() { "python_version >= '0'".to_owned() } else { clauses.join(" and ") }
        });
        let alternatives: Vec<_> = clauses.collect();
        all.push(match alternatives.as_slice() {
            [only] => only.clone(),
            several => several.iter().map(|clauses| format!("({clauses})")).collect::<Vec<_>>().join(" or "),
        });
    }
    let text = match all.as_slice() {
        [] => return Ok(Marker::ALWAYS),
        [only] => only.clone(),
        several => several.iter().map(|text| format!("({text})")).collect::<Vec<_>>().join(" and "),
    };
    text.parse().map_err(|error| format!("the marker `{text}`: {error}"))
}
