//! Parses the text of a requirement (`docs/facts/pip.md` 1.6 and 1.7).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::domain::{
    Dependency, DependencyError, DependencySource, ExtraName, Marker, Origin, PackageName, Requirement, Source,
    parse_extras,
};
use crate::input::location::normalize;
use crate::input::{InputSource, PathKind, Role, Severity};

use super::lines::is_space;
use super::{ParseFault, link};

/// A parsed requirement.
#[derive(Clone, Debug)]
pub struct ParsedRequirement {
    pub name: Option<PackageName>,
    pub extras: Vec<ExtraName>,
    pub source: Source,
    pub marker: Marker,
    /// The problem that pip finds only when it uses the requirement, such as a missing file.
    pub deferred: Option<ParseFault>,
}

/// The machine, and the folder of the file that the requirement stands in, for advice.
pub struct ParseContext<'w> {
    pub input_source: &'w dyn InputSource,
    pub folder: Option<PathBuf>,
}

impl ParsedRequirement {
    /// Returns the deferred problem, if there is one: as a warning if a marker decides whether any
    /// target uses the requirement.
    pub fn deferred_problem(&self) -> Option<(Severity, ParseFault)> {
        let severity = if self.marker.is_always() { Severity::Error } else { Severity::Warning };
        Some((severity, self.deferred.clone()?))
    }

    /// Converts it into the requirement at `origin`, without hashes and settings.
    pub fn into_requirement(self, origin: Origin, role: Role) -> Requirement {
        Requirement {
            name: self.name,
            extras: self.extras,
            source: self.source,
            marker: self.marker,
            hashes: Vec::new(),
            editable: false,
            constraint: role == Role::Constraints,
            config_settings: BTreeMap::new(),
            vcs_info: None,
            origin,
        }
    }
}

impl ParseContext<'_> {
    fn absolute(&self, path: &str) -> PathBuf {
        normalize(&self.input_source.working_folder().join(path))
    }

    /// Returns advice about the usual mistakes: a Windows path, or a path relative to the file.
    fn advice(&self, path: &str) -> &'static str {
        if is_of_windows(path) {
            return "; `\\` divides no path on this system: write `/`";
        }
        let beside = self.folder.as_ref().map(|folder| normalize(&folder.join(path)));
        match beside.filter(|beside| *beside != self.absolute(path)) {
            Some(beside) if self.input_source.path_kind(&beside) != PathKind::Missing => {
                "; paths are relative to the working folder, and this one is there beside the file"
            }
            _ => "",
        }
    }
}

/// Parses the text before the options of a line, or a requirement of the command line.
///
/// # Errors
/// When pip would refuse it; the error says where and why.
pub fn parse_requirement(text: &str, context: &ParseContext<'_>) -> Result<ParsedRequirement, ParseFault> {
    let separator = if link::is_url(text) { "; " } else { ";" };
    let (body, marker) = match text.split_once(separator) {
        Some((body, marker)) => (body, parse_optional_marker(marker, body.len() + separator.len())?),
        None => (text, Marker::ALWAYS),
    };
    let start = body.len() - body.trim_start_matches(is_space).len();
    let asked = parse_body(body.trim_matches(is_space), context).map_err(|fault| fault.moved(start))?;
    Ok(ParsedRequirement { marker, ..asked })
}

/// Parses the text after `;`, which may be empty.
fn parse_optional_marker(text: &str, at: usize) -> Result<Marker, ParseFault> {
    let marker = text.trim_matches(is_space);
    if marker.is_empty() {
        return Ok(Marker::ALWAYS);
    }
    let start = at + text.len() - text.trim_start_matches(is_space).len();
    marker.parse().map_err(|error: DependencyError| ParseFault::from(error).moved(start))
}

fn parse_body(body: &str, context: &ParseContext<'_>) -> Result<ParsedRequirement, ParseFault> {
    if link::is_url(body) {
        return parse_url(body, context.input_source);
    }
    let (path, extras) = strip_extras(body)?;
    if let Some(asked) = parse_path(body, path, context)? {
        return Ok(ParsedRequirement { extras, ..asked });
    }
    let dependency = body.parse().map_err(|error| explain(body, error, context))?;
    let asked = from_dependency(dependency, context.input_source)?;
    // Brackets at the very end win, even where they end a URL.
    let extras = if extras.is_empty() { asked.extras } else { extras };
    Ok(ParsedRequirement { extras, ..asked })
}

fn parse_url(url: &str, input_source: &dyn InputSource) -> Result<ParsedRequirement, ParseFault> {
    let egg = link::egg(url)?;
    let name = link::wheel_project(&link::filename(url))?.or(egg);
    let (source, deferred) = link::source(url, input_source)?;
    Ok(ParsedRequirement { name, extras: Vec::new(), source, marker: Marker::ALWAYS, deferred })
}

fn from_dependency(dependency: Dependency, input_source: &dyn InputSource) -> Result<ParsedRequirement, ParseFault> {
    let Dependency { name, extras, source, marker } = dependency;
    let (source, deferred) = match source {
        DependencySource::Versions(specifiers) => (Source::Index(specifiers), None),
        DependencySource::Url(url) => {
            link::egg(&url).map_err(ParseFault::anywhere)?;
            link::source(&url, input_source)?
        }
    };
    Ok(ParsedRequirement { name: Some(name), extras, source, marker, deferred })
}

fn looks_like_path(text: &str) -> bool {
    text.starts_with('.') || text.contains('/') || text.contains(std::path::MAIN_SEPARATOR)
}

/// Whether the text is a Windows path, although this is not Windows.
fn is_of_windows(text: &str) -> bool {
    std::path::MAIN_SEPARATOR == '/' && text.contains('\\')
}

/// Parses a local project or archive; `None` if the text is neither.
///
/// `path` is `text` without its extras.
fn parse_path(text: &str, path: &str, context: &ParseContext<'_>) -> Result<Option<ParsedRequirement>, ParseFault> {
    let absolute = context.absolute(path);
    let entry = context.input_source.path_kind(&absolute);
    let asked = |name, source, deferred| {
        Some(ParsedRequirement { name, extras: Vec::new(), source, marker: Marker::ALWAYS, deferred })
    };
    if looks_like_path(text) && matches!(entry, PathKind::Folder { .. }) {
        return match entry {
            PathKind::Folder { is_project: true } => Ok(asked(None, Source::Project(absolute), None)),
            _ => Err(ParseFault::new(format!("the folder `{path}` holds neither pyproject.toml nor setup.py"))),
        };
    }
    let filename = absolute.file_name().unwrap_or_default().to_string_lossy();
    if !is_archive(&filename) || (entry != PathKind::File && is_direct_reference(text)) {
        return Ok(None);
    }
    let is_missing = entry != PathKind::File;
    let missing = || format!("`{path}` looks like a file name, but there is no such file{}", context.advice(path));
    if is_missing && is_of_windows(path) {
        return Err(ParseFault::new(missing()));
    }
    let deferred = is_missing.then(|| ParseFault::new(missing()));
    let name = link::wheel_project(&filename)?;
    Ok(asked(name, Source::Archive(absolute), deferred))
}

/// Whether the text has the form `name @ …`, by what precedes the `@`.
fn is_direct_reference(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, _)| !looks_like_path(name))
}

/// Splits `path [a,b]` into the path and the extras.
fn strip_extras(text: &str) -> Result<(&str, Vec<ExtraName>), ParseFault> {
    let brackets = text.strip_suffix(']').and_then(|inner| inner.rfind('['));
    match brackets {
        Some(at) if at > 0 && !text[at + 1..text.len() - 1].contains(']') && at + 2 < text.len() => {
            let extras = parse_extras(&text[at..]).map_err(|error| ParseFault::from(error).moved(at))?;
            Ok((text[..at].trim_end_matches(is_space), extras))
        }
        _ => Ok((text, Vec::new())),
    }
}

/// The extensions of the archives that pip accepts, beside `.tar.…`.
const ARCHIVES: [&str; 7] = ["zip", "whl", "tgz", "tar", "tbz", "txz", "tlz"];
const COMPRESSED_TARS: [&str; 5] = ["gz", "bz2", "xz", "lz", "lzma"];

fn is_archive(filename: &str) -> bool {
    let filename = filename.to_lowercase();
    match filename.rsplit_once('.') {
        Some((base, extension)) if base.ends_with(".tar") => COMPRESSED_TARS.contains(&extension),
        Some((base, extension)) => !base.is_empty() && ARCHIVES.contains(&extension),
        None => false,
    }
}

/// Returns an error that says more if the text looks like a path.
fn explain(text: &str, error: DependencyError, context: &ParseContext<'_>) -> ParseFault {
    if !(looks_like_path(text) || is_of_windows(text)) || text.contains("://") {
        return error.into();
    }
    let message = match context.input_source.path_kind(&context.absolute(text)) {
        PathKind::File => format!("`{text}` is a file, but no archive; a requirements file is included by `-r {text}`"),
        _ if text.starts_with('~') => format!("`{text}`: `~` is not expanded here; write the whole path"),
        _ => format!("`{text}` looks like a path, but nothing is there{}", context.advice(text)),
    };
    ParseFault::new(message)
}

/// Parses the value of `-e`.
///
/// # Errors
/// When pip would refuse it; the error says why.
pub fn parse_editable(text: &str, context: &ParseContext<'_>) -> Result<ParsedRequirement, ParseFault> {
    let asked = match text.parse() {
        Ok(dependency @ Dependency { source: DependencySource::Url(_), .. }) => {
            from_dependency(dependency, context.input_source)?
        }
        _ => parse_plain_editable(text, context)?,
    };
    match (&asked.source, &asked.name) {
        (Source::Repository(_), None) => Err(ParseFault::new(format!("`-e {text}` needs a name: -e 'name @ URL'"))),
        (Source::Repository(_) | Source::Project(_), _) => Ok(asked),
        (Source::Url(url), _) if url.is_local() => Ok(asked),
        _ => Err(no_editable(text, context)),
    }
}

fn parse_plain_editable(text: &str, context: &ParseContext<'_>) -> Result<ParsedRequirement, ParseFault> {
    let (path, extras) = strip_extras(text).map_err(ParseFault::anywhere)?;
    let absolute = context.absolute(path);
    if !path.is_empty() && is_folder(&absolute, context.input_source) {
        let source = Source::Project(absolute);
        return Ok(ParsedRequirement { name: None, extras, source, marker: Marker::ALWAYS, deferred: None });
    }
    let url = link::with_system(text).unwrap_or_else(|| text.to_owned());
    if link::is_repository(&url) {
        let name = link::egg(&url).map_err(ParseFault::anywhere)?;
        let (source, deferred) = link::source(&url, context.input_source)?;
        return Ok(ParsedRequirement { name, extras: Vec::new(), source, marker: Marker::ALWAYS, deferred });
    }
    if link::scheme(path).as_deref() == Some("file") {
        let asked = parse_url(path, context.input_source).map_err(ParseFault::anywhere)?;
        return Ok(ParsedRequirement { extras, ..asked });
    }
    Err(no_editable(text, context))
}

fn is_folder(path: &Path, input_source: &dyn InputSource) -> bool {
    matches!(input_source.path_kind(path), PathKind::Folder { .. })
}

fn no_editable(text: &str, context: &ParseContext<'_>) -> ParseFault {
    let advice = context.advice(text);
    ParseFault::new(format!(
        "`-e {text}` is neither an existing folder nor the URL of a repository (git+https://…){advice}"
    ))
}
