//! pip's requirements files, as pip 26.3 reads them (`docs/facts/pip.md` 1).
//!
//! Reading goes on after a bad line: each becomes a [`Problem`]. What pip silently ignores is
//! ignored here, too, with a warning.

mod decode;
mod file;
mod global;
mod lines;
mod link;
mod options;
mod remote;
mod requirement;
mod words;

use crate::domain::{DependencyError, Origin};

use super::{Location, Problem, RequirementsReader, Role, Severity, conversion_hint};
use requirement::ParseContext;

/// A fault of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFault {
    /// The number of bytes of the text before it, if known.
    at: Option<usize>,
    message: String,
}

impl ParseFault {
    fn new(message: impl Into<String>) -> Self {
        Self { at: None, message: message.into() }
    }

    fn at(at: usize, message: impl Into<String>) -> Self {
        Self { at: Some(at), message: message.into() }
    }

    /// Moves the fault to a text that begins `by` bytes earlier.
    fn moved(self, by: usize) -> Self {
        Self { at: self.at.map(|at| at + by), ..self }
    }

    /// Removes the position, since that of the text is not known.
    fn anywhere(self) -> Self {
        Self { at: None, ..self }
    }
}

impl From<DependencyError> for ParseFault {
    fn from(error: DependencyError) -> Self {
        Self::at(error.at, error.why)
    }
}

/// Whether a file of this name may be a requirements file; pip has no rule for names.
pub fn recognizes(filename: &str) -> bool {
    let is_of_other = super::pixi_lock::recognizes(filename) || super::setup_cfg::recognizes(filename);
    conversion_hint(filename).is_none() && !is_of_other
}

/// Reads the file at `location` with all files that it includes.
pub fn read(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) {
    if let Err(why) = file::read_with_includes(reader, location, role) {
        reader.parsed.problems.push(Problem::error(location.origin(0), format!("it cannot be read: {why}")));
    }
}

/// Reads one requirement of the command line.
pub fn read_argument(reader: &mut RequirementsReader<'_>, text: &str) {
    let context = ParseContext { input_source: reader.input_source, folder: None };
    let origin = Origin::command_line();
    let result = requirement::parse_requirement(text, &context);
    let told =
        |severity, fault: ParseFault| Problem::new(severity, origin.clone(), &fault.message).with_text(text, fault.at);
    match result {
        Ok(asked) => {
            reader
                .parsed
                .problems
                .extend(asked.deferred_problem().map(|(severity, deferred)| told(severity, deferred)));
            reader.parsed.requirements.push(asked.into_requirement(origin, Role::Requirements));
        }
        Err(fault) => reader.parsed.problems.push(told(Severity::Error, fault)),
    }
}

#[cfg(test)]
mod included_file_tests;
#[cfg(test)]
mod odd_text_tests;
#[cfg(test)]
mod tests;
