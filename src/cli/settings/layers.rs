//! Looks up settings that are not on the command line: in `PREFETCH_*`, then `PIP_*`, then uv's
//! variables, then pip's configuration files.

use std::fmt;
use std::path::PathBuf;

use clap::ValueEnum;

use super::size;
use super::table::{Setting, UV_FIND_LINKS};
use crate::cli::error::CliError;
use crate::cli::host::environment::Environment;
use crate::domain::mask_credentials;
use crate::interpreter::PipSettings;

/// The environment and pip's configuration.
pub struct Layers<'a> {
    pub environment: &'a Environment,
    pub pip: &'a PipSettings,
}

/// A value and where it was found.
#[derive(Clone)]
pub struct FoundSetting {
    pub value: String,
    pub source: SettingSource,
}

/// The place where a value was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingSource {
    Typed,
    Variable(String),
    File { path: PathBuf, section: String },
    Default,
}

impl fmt::Display for SettingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typed => f.write_str("command line"),
            Self::Variable(name) => f.write_str(name),
            Self::File { path, section } => write!(f, "{} [{section}]", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The pip command whose section of the configuration is read, beside `[global]`.
const COMMAND: &str = "download";

impl Layers<'_> {
    /// Returns the value of a setting, and where it was found.
    pub fn find(&self, setting: &Setting) -> Option<FoundSetting> {
        setting.variables().find_map(|variable| self.variable(variable)).or_else(|| {
            let keys = if setting.counts_in_files() { setting.pip } else { &[] };
            let found = keys.iter().find_map(|key| self.pip.get(COMMAND, key))?;
            let source = SettingSource::File { path: found.file.clone(), section: found.section.clone() };
            Some(FoundSetting { value: found.value.clone(), source })
        })
    }

    /// Returns the first of these variables that is set.
    pub fn first_variable(&self, names: &[&str]) -> Option<FoundSetting> {
        names.iter().find_map(|name| self.variable((*name).to_owned()))
    }

    fn variable(&self, name: String) -> Option<FoundSetting> {
        let value = self.environment.variable(&name)?;
        Some(FoundSetting { value, source: SettingSource::Variable(name) })
    }

    /// Returns the value of a setting.
    pub fn one(&self, setting: &Setting) -> Option<String> {
        self.find(setting).map(|found| found.value)
    }

    /// Returns the values of a repeatable option, split at white space as in pip.
    pub fn many(&self, setting: &Setting) -> Vec<String> {
        let Some(FoundSetting { value, source }) = self.find(setting) else { return Vec::new() };
        let has_commas = source == SettingSource::Variable(UV_FIND_LINKS.to_owned());
        let values = value.split(|next: char| next.is_whitespace() || (has_commas && next == ','));
        values.filter(|value| !value.is_empty()).map(ToOwned::to_owned).collect()
    }

    /// Returns the values of a repeatable option, if they come from pip's configuration files.
    pub fn configured(&self, setting: &Setting) -> Vec<String> {
        match self.find(setting) {
            Some(FoundSetting { source: SettingSource::File { .. }, .. }) => self.many(setting),
            _ => Vec::new(),
        }
    }

    /// Returns whether a switch is on.
    ///
    /// # Errors
    /// When the value is no boolean.
    pub fn switch(&self, setting: &Setting) -> Result<bool, CliError> {
        let Some(found) = self.find(setting) else { return Ok(false) };
        match found.value.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" | "t" | "true" | "on" | "1" => Ok(true),
            "n" | "no" | "f" | "false" | "off" | "0" => Ok(false),
            _ => Err(refused(setting.name, &found, "neither yes nor no")),
        }
    }

    /// Returns the value of a setting that takes one of several words.
    ///
    /// # Errors
    /// When the value is none of these words.
    pub fn word<T: ValueEnum>(&self, setting: &Setting) -> Result<Option<T>, CliError> {
        let Some(found) = self.find(setting) else { return Ok(None) };
        T::from_str(found.value.trim(), true).map(Some).map_err(|_| {
            let words = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
            let words: Vec<_> = words.map(|word| word.get_name().to_owned()).collect();
            refused(setting.name, &found, &format!("none of {}", words.join(", ")))
        })
    }

    /// Returns the value of a setting as a number of bytes.
    ///
    /// # Errors
    /// When the value is no size.
    pub fn size(&self, setting: &Setting) -> Result<Option<u64>, CliError> {
        let Some(found) = self.find(setting) else { return Ok(None) };
        size::parse(&found.value).map(Some).map_err(|_| refused(setting.name, &found, "no size such as 700MB or 4G"))
    }

    /// Returns the value of a setting as a number.
    ///
    /// # Errors
    /// When the value is no number.
    pub fn number<T: std::str::FromStr>(&self, setting: &Setting) -> Result<Option<T>, CliError> {
        let Some(found) = self.find(setting) else { return Ok(None) };
        found
            .value
            .trim()
            .parse()
            .map(Some)
            .map_err(|_| refused(setting.name, &found, "no number of the kind it takes"))
    }
}

fn refused(name: &str, found: &FoundSetting, why: &str) -> CliError {
    let value = mask_credentials(&found.value);
    CliError::usage(format!("the setting {name} is `{value}` in {}, which is {why}", found.source))
}
