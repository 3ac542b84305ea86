//! Restrictions of requirements files from the network.
//!
//! They are written by others, so they can neither name files of this machine nor read its
//! variables. (pip allows both.)

use std::fmt::Display;

use crate::domain::Source;

use super::ParseFault;
use super::lines::LogicalLine;
use super::link;
use super::options::{LineOptions, OptionName};

/// Returns the fault of a line that names `what`, which is on this machine.
pub fn names_local(what: &impl Display) -> ParseFault {
    let why = "a requirements file from the network may not name files of this machine";
    ParseFault::new(format!("{what} is local, and {why}: read a copy of it instead"))
}

/// Refuses variables in a line.
///
/// # Errors
/// When there is one.
pub fn refuse_variables(line: &LogicalLine) -> Result<(), ParseFault> {
    let Some((at, name)) = line.unset.first() else { return Ok(()) };
    let why = "a requirements file from the network learns no variable of this machine";
    Err(ParseFault::at(*at, format!("`${{{name}}}` is not replaced, since {why}: read a copy of it instead")))
}

/// Refuses a local source.
///
/// # Errors
/// When `source` is a file or folder.
pub fn refuse_local_source(source: &Source) -> Result<(), ParseFault> {
    match source {
        source if !source.is_local() => Ok(()),
        Source::Archive(path) | Source::Project(path) => Err(names_local(&path.display())),
        Source::Url(url) => Err(names_local(url)),
        Source::Repository(url) => Err(names_local(url)),
        Source::Index(_) => Ok(()),
    }
}

/// Refuses local indexes and find-links locations.
///
/// # Errors
/// When there is one.
pub fn refuse_local_options(options: &LineOptions) -> Result<(), ParseFault> {
    let places = [OptionName::IndexUrl, OptionName::ExtraIndexUrl, OptionName::FindLinks];
    let is_remote = |value: &str| matches!(link::scheme(value).as_deref(), Some("http" | "https"));
    let mut given = places.iter().flat_map(|name| options.all(*name));
    match given.find(|given| !given.value.is_empty() && !is_remote(&given.value)) {
        Some(local) => Err(ParseFault { at: Some(local.at), ..names_local(&local.value) }),
        None => Ok(()),
    }
}
