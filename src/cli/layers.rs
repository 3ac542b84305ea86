//! Settings that were not typed: `PREFETCH_*`, then `PIP_*`, then what uv calls the same, then
//! pip's configuration files.

use std::fmt;
use std::path::PathBuf;

use super::environment::Environment;
use super::error::CliError;
use crate::domain::mask_credentials;
use crate::interpreter::Settings as PipSettings;

/// Looks a setting up by its long option's name.
pub struct Layers<'a> {
    pub environment: &'a Environment,
    pub pip: &'a PipSettings,
}

/// A value that was not typed, and where it was found.
#[derive(Clone)]
pub struct Found {
    pub value: String,
    pub source: Source,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Typed,
    Variable(String),
    File { path: PathBuf, section: String },
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typed => f.write_str("command line"),
            Self::Variable(name) => f.write_str(name),
            Self::File { path, section } => write!(f, "{} [{section}]", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The pip command whose section of the configuration counts, beside `[global]`.
const COMMAND: &str = "download";

/// uv's variables for what pip has an option for, the stronger one first.
const UV_VARIABLES: [(&str, &str); 11] = [
    ("index-url", "UV_DEFAULT_INDEX"),
    ("index-url", "UV_INDEX_URL"),
    ("extra-index-url", "UV_INDEX"),
    ("extra-index-url", "UV_EXTRA_INDEX_URL"),
    ("find-links", FIND_LINKS),
    ("trusted-host", "UV_INSECURE_HOST"),
    ("constraint", "UV_CONSTRAINT"),
    ("exclude-newer", "UV_EXCLUDE_NEWER"),
    ("timeout", "UV_HTTP_TIMEOUT"),
    ("retries", "UV_HTTP_RETRIES"),
    ("offline", "UV_OFFLINE"),
];

/// The one list that is divided by commas.
const FIND_LINKS: &str = "UV_FIND_LINKS";

impl Layers<'_> {
    /// The value of `--name`, and where it stands.
    pub fn find(&self, name: &str) -> Option<Found> {
        let suffix = name.to_uppercase().replace('-', "_");
        let own = ["PREFETCH", "PIP"].into_iter().map(|prefix| format!("{prefix}_{suffix}"));
        let uv = UV_VARIABLES.iter().filter(|(option, _)| *option == name).map(|(_, variable)| (*variable).to_owned());
        own.chain(uv).find_map(|variable| self.variable(variable)).or_else(|| {
            let setting = self.pip.get(COMMAND, name)?;
            let source = Source::File { path: setting.file.clone(), section: setting.section.clone() };
            Some(Found { value: setting.value.clone(), source })
        })
    }

    /// The first of these variables that is set.
    pub fn first_variable(&self, names: &[&str]) -> Option<Found> {
        names.iter().find_map(|name| self.variable((*name).to_owned()))
    }

    fn variable(&self, name: String) -> Option<Found> {
        let value = self.environment.variable(&name)?;
        Some(Found { value, source: Source::Variable(name) })
    }

    /// The value of `--name`.
    pub fn one(&self, name: &str) -> Option<String> {
        self.find(name).map(|found| found.value)
    }

    /// The values of a repeatable option: divided by white space, as in pip.
    pub fn many(&self, name: &str) -> Vec<String> {
        let Some(Found { value, source }) = self.find(name) else { return Vec::new() };
        let has_commas = source == Source::Variable(FIND_LINKS.to_owned());
        let values = value.split(|next: char| next.is_whitespace() || (has_commas && next == ','));
        values.filter(|value| !value.is_empty()).map(ToOwned::to_owned).collect()
    }

    /// Whether a switch is on.
    ///
    /// # Errors
    /// When the value is neither yes nor no.
    pub fn switch(&self, name: &str) -> Result<bool, CliError> {
        let Some(found) = self.find(name) else { return Ok(false) };
        match found.value.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" | "t" | "true" | "on" | "1" => Ok(true),
            "n" | "no" | "f" | "false" | "off" | "0" => Ok(false),
            _ => Err(refused(name, &found, "neither yes nor no")),
        }
    }

    /// A number.
    ///
    /// # Errors
    /// When the value is none.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, CliError> {
        let Some(found) = self.find(name) else { return Ok(None) };
        found.value.trim().parse().map(Some).map_err(|_| refused(name, &found, "no number of the kind it takes"))
    }
}

fn refused(name: &str, found: &Found, why: &str) -> CliError {
    let value = mask_credentials(&found.value);
    CliError::usage(format!("the setting {name} is `{value}` in {}, which is {why}", found.source))
}
