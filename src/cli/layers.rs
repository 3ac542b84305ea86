//! Settings that were not typed: `PREFETCH_*`, then `PIP_*`, then pip's configuration files.

use super::environment::Environment;
use super::error::CliError;
use crate::interpreter::Settings as PipSettings;

/// Looks a setting up by its long option's name.
pub struct Layers<'a> {
    pub environment: &'a Environment,
    pub pip: &'a PipSettings,
}

/// The pip command whose section of the configuration counts, beside `[global]`.
const COMMAND: &str = "download";

impl Layers<'_> {
    /// The value of `--name`.
    pub fn one(&self, name: &str) -> Option<String> {
        let variable = name.to_uppercase().replace('-', "_");
        let environment = ["PREFETCH", "PIP"].iter();
        environment
            .map(|prefix| format!("{prefix}_{variable}"))
            .find_map(|variable| self.environment.variable(&variable))
            .or_else(|| self.pip.get(COMMAND, name).map(|setting| setting.value.clone()))
    }

    /// The values of a repeatable option: divided by white space, as in pip.
    pub fn many(&self, name: &str) -> Vec<String> {
        self.one(name).iter().flat_map(|value| value.split_whitespace()).map(ToOwned::to_owned).collect()
    }

    /// Whether a switch is on.
    ///
    /// # Errors
    /// When the value is neither yes nor no.
    pub fn switch(&self, name: &str) -> Result<bool, CliError> {
        let Some(value) = self.one(name) else { return Ok(false) };
        match value.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" | "t" | "true" | "on" | "1" => Ok(true),
            "n" | "no" | "f" | "false" | "off" | "0" => Ok(false),
            _ => Err(CliError::usage(format!("the setting {name} is `{value}`, which is neither yes nor no"))),
        }
    }

    /// A number.
    ///
    /// # Errors
    /// When the value is none.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, CliError> {
        let value = self.one(name);
        let parsed = value.as_ref().map(|value| value.trim().parse().ok());
        match parsed {
            Some(None) => Err(CliError::usage(format!(
                "the setting {name} is `{}`, which is no number",
                value.unwrap_or_default()
            ))),
            other => Ok(other.flatten()),
        }
    }
}
