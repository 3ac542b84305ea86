//! A text file (TOML, JSON, YAML) with the positions of its lines.

use serde::de::DeserializeOwned;

use super::{InputSource, LARGEST_FILE, LoadedFile, Location, PathKind, Problem, Severity};
use crate::domain::Origin;

/// The text of one file.
pub(super) struct TextFile {
    pub location: Location,
    pub text: String,
    /// The offset of each line.
    lines: Vec<usize>,
}

impl TextFile {
    /// Reads the file at `location`.
    ///
    /// # Errors
    /// When it cannot be loaded, is no UTF-8, is too large, or has conflict marks of a merge.
    pub fn load(location: &Location, input_source: &dyn InputSource) -> Result<Self, Problem> {
        let unreadable = |why| Problem::error(location.origin(0), format!("it cannot be read: {why}"));
        let text = input_source.load(location).and_then(decode).map_err(unreadable)?;
        let file = Self::new(location.clone(), text);
        file.refuse_merge()?;
        Ok(file)
    }

    /// Reads the file called `name` beside this one; `None` if it does not exist, or this one is in
    /// no folder.
    ///
    /// # Errors
    /// As [`TextFile::load`].
    pub fn beside(&self, name: &str, input_source: &dyn InputSource) -> Result<Option<Self>, Problem> {
        let Some(folder) = self.location.folder(input_source.working_folder()) else { return Ok(None) };
        match input_source.path_kind(&folder.join(name)) {
            PathKind::File => Self::load(&self.location.join(name), input_source).map(Some),
            PathKind::Missing | PathKind::Folder { .. } => Ok(None),
        }
    }

    /// Makes the file at `location` with this text.
    pub fn new(location: Location, text: String) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        Self { location, text, lines }
    }

    /// Parses the file as TOML.
    ///
    /// # Errors
    /// When it is invalid, or not of the type `T`; the error names the line.
    pub fn toml<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        self.toml_of(&self.text)
    }

    /// Parses a part of the file as TOML; `text` has it at the same offsets.
    ///
    /// # Errors
    /// As [`TextFile::toml`].
    pub fn toml_of<T: DeserializeOwned>(&self, text: &str) -> Result<T, Problem> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map(|span| span.start);
            let message = format!("it is damaged, or no TOML of this kind: {}", error.message().trim());
            self.problem(at, message)
        })
    }

    /// Parses the file as JSON.
    ///
    /// # Errors
    /// When it is invalid, or not of the type `T`; the error names the line.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_str(&self.text).map_err(|error| {
            let origin = self.location.origin(error.line());
            Problem::error(origin, format!("it is damaged, or no JSON of this kind: {error}"))
        })
    }

    /// Parses the file as YAML.
    ///
    /// # Errors
    /// When it is invalid, or not of the type `T`; the error names the line.
    pub fn yaml<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_saphyr::from_str_with_options(&self.text, yaml_options()).map_err(|error| {
            let line = error.location().map_or(0, |location| location.line() as usize);
            let why = error.without_snippet().to_string();
            let why = why.lines().next().unwrap_or_default();
            Problem::error(self.location.origin(line), format!("it is damaged, or no YAML of this kind: {why}"))
        })
    }

    /// Returns the origin of the byte at offset `at`.
    pub fn origin(&self, at: usize) -> Origin {
        self.location.origin(self.lines.partition_point(|start| *start <= at))
    }

    /// Makes an error at this offset, or about the file as a whole.
    pub fn problem(&self, at: Option<usize>, message: impl AsRef<str>) -> Problem {
        let Some(at) = at else { return Problem::error(self.location.origin(0), message) };
        let origin = self.origin(at);
        let start = self.lines[origin.line - 1];
        let line = self.text[start..].lines().next().unwrap_or_default();
        Problem::error(origin, message).with_text(line, Some(at - start))
    }

    /// Makes a warning at this offset, or about the file as a whole.
    pub fn warning(&self, at: Option<usize>, message: impl AsRef<str>) -> Problem {
        Problem { severity: Severity::Warning, ..self.problem(at, message) }
    }

    fn refuse_merge(&self) -> Result<(), Problem> {
        let is_mark = |line: &&usize| self.text[**line..].starts_with("<<<<<<< ");
        match self.lines.iter().find(is_mark) {
            Some(at) => Err(self.problem(Some(*at), "a merge left this conflict: settle it, or lock anew")),
            None => Ok(()),
        }
    }
}

/// Returns the limits of a YAML file: as many nodes as fit into the largest file, and no aliases,
/// which no lock has and which could stand for many times as many.
fn yaml_options() -> serde_saphyr::Options {
    let budget = serde_saphyr::budget! {
        max_nodes: LARGEST_FILE,
        max_events: LARGEST_FILE,
        max_aliases: 0,
        max_anchors: 0,
    };
    serde_saphyr::options! { budget: budget }
}

fn decode(loaded: LoadedFile) -> Result<String, String> {
    const MARK: &str = "\u{feff}";
    if loaded.bytes.len() > LARGEST_FILE {
        return Err(format!("it is larger than {} MiB", LARGEST_FILE >> 20));
    }
    let text = String::from_utf8(loaded.bytes)
        .map_err(|error| format!("byte {} is not UTF-8", error.utf8_error().valid_up_to()))?;
    Ok(text.strip_prefix(MARK).map(str::to_owned).unwrap_or(text))
}
