//! Settings that were not typed: `PREFETCH_*`, then `PIP_*`, then what uv calls the same, then
//! pip's configuration files.

use std::fmt;
use std::path::PathBuf;

use crate::cli::error::CliError;
use crate::cli::host::environment::Environment;
use crate::domain::mask_credentials;
use crate::interpreter::PipSettings;

/// Looks a setting up by its long option's name.
pub struct Layers<'a> {
    pub environment: &'a Environment,
    pub pip: &'a PipSettings,
}

/// A value that was not typed, and where it was found.
#[derive(Clone)]
pub struct FoundSetting {
    pub value: String,
    pub source: SettingSource,
}

/// Where a value comes from.
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

/// The pip command whose section of the configuration counts, beside `[global]`.
const COMMAND: &str = "download";

/// A setting that need not be typed.
pub struct Setting {
    /// The long option: `index-url` is `--index-url` and `PREFETCH_INDEX_URL`.
    pub name: &'static str,
    /// What pip calls it, in `PIP_*` variables and in its configuration files.
    pub pip: &'static [&'static str],
    /// uv's variables, the strongest first.
    pub uv: &'static [&'static str],
}

/// All of them; `docs/settings.md` shows this table.
pub const SETTINGS: [Setting; 30] = [
    Setting { name: "index-url", pip: &["index-url", "pypi-url"], uv: &["UV_DEFAULT_INDEX", "UV_INDEX_URL"] },
    Setting { name: "extra-index-url", pip: &["extra-index-url"], uv: &["UV_INDEX", "UV_EXTRA_INDEX_URL"] },
    Setting { name: "find-links", pip: &["find-links"], uv: &[FIND_LINKS] },
    Setting { name: "no-index", pip: &["no-index"], uv: &["UV_NO_INDEX"] },
    Setting { name: "ignore-error-codes", pip: &[], uv: &[] },
    Setting { name: "trusted-host", pip: &["trusted-host"], uv: &["UV_INSECURE_HOST"] },
    Setting { name: "requirement", pip: &["requirement"], uv: &[] },
    Setting { name: "constraint", pip: &["constraint"], uv: &["UV_CONSTRAINT"] },
    Setting { name: "dest", pip: &["dest", "destination-dir", "destination-directory"], uv: &[] },
    Setting { name: "python-version", pip: &["python-version"], uv: &[] },
    Setting { name: "platform", pip: &["platform"], uv: &[] },
    Setting { name: "implementation", pip: &["implementation"], uv: &[] },
    Setting { name: "abi", pip: &["abi"], uv: &[] },
    Setting { name: "only-binary", pip: &["only-binary"], uv: &[] },
    Setting { name: "no-binary", pip: &["no-binary"], uv: &[] },
    Setting { name: "prefer-binary", pip: &["prefer-binary"], uv: &[] },
    Setting { name: "pre", pip: &["pre"], uv: &[] },
    Setting { name: "require-hashes", pip: &["require-hashes"], uv: &["UV_REQUIRE_HASHES"] },
    Setting { name: "exclude-newer", pip: &["uploaded-prior-to"], uv: &["UV_EXCLUDE_NEWER"] },
    Setting { name: "no-deps", pip: &["no-deps", "no-dependencies"], uv: &[] },
    Setting { name: "offline", pip: &[], uv: &["UV_OFFLINE"] },
    Setting { name: "refresh", pip: &[], uv: &[] },
    Setting { name: "prefer-cached", pip: &[], uv: &[] },
    Setting { name: "jobs", pip: &[], uv: &["UV_CONCURRENT_DOWNLOADS"] },
    Setting { name: "retries", pip: &["retries"], uv: &["UV_HTTP_RETRIES"] },
    Setting { name: "timeout", pip: &["timeout", "default-timeout"], uv: &["UV_HTTP_TIMEOUT", "UV_REQUEST_TIMEOUT"] },
    Setting { name: "cert", pip: &["cert"], uv: &[] },
    Setting { name: "client-cert", pip: &["client-cert"], uv: &["SSL_CLIENT_CERT"] },
    Setting { name: "proxy", pip: &["proxy"], uv: &[] },
    Setting { name: "keyring-provider", pip: &["keyring-provider"], uv: &["UV_KEYRING_PROVIDER"] },
];

/// The one list that is divided by commas.
const FIND_LINKS: &str = "UV_FIND_LINKS";

impl Setting {
    fn of(name: &str) -> &'static Self {
        SETTINGS.iter().find(|setting| setting.name == name).expect("every setting is in the table")
    }

    /// Its variables, the strongest first.
    pub fn variables(&self) -> impl Iterator<Item = String> {
        let variable = |prefix: &str, name: &str| format!("{prefix}_{}", name.to_uppercase().replace('-', "_"));
        let pip = self.pip.iter().map(move |name| variable("PIP", name));
        [variable("PREFETCH", self.name)].into_iter().chain(pip).chain(self.uv.iter().map(ToString::to_string))
    }
}

impl Layers<'_> {
    /// The value of `--name`, and where it stands.
    pub fn find(&self, name: &str) -> Option<FoundSetting> {
        let setting = Setting::of(name);
        setting.variables().find_map(|variable| self.variable(variable)).or_else(|| {
            let found = setting.pip.iter().find_map(|key| self.pip.get(COMMAND, key))?;
            let source = SettingSource::File { path: found.file.clone(), section: found.section.clone() };
            Some(FoundSetting { value: found.value.clone(), source })
        })
    }

    /// The first of these variables that is set.
    pub fn first_variable(&self, names: &[&str]) -> Option<FoundSetting> {
        names.iter().find_map(|name| self.variable((*name).to_owned()))
    }

    fn variable(&self, name: String) -> Option<FoundSetting> {
        let value = self.environment.variable(&name)?;
        Some(FoundSetting { value, source: SettingSource::Variable(name) })
    }

    /// The value of `--name`.
    pub fn one(&self, name: &str) -> Option<String> {
        self.find(name).map(|found| found.value)
    }

    /// The values of a repeatable option: divided by white space, as in pip.
    pub fn many(&self, name: &str) -> Vec<String> {
        let Some(FoundSetting { value, source }) = self.find(name) else { return Vec::new() };
        let has_commas = source == SettingSource::Variable(FIND_LINKS.to_owned());
        let values = value.split(|next: char| next.is_whitespace() || (has_commas && next == ','));
        values.filter(|value| !value.is_empty()).map(ToOwned::to_owned).collect()
    }

    /// The values of a repeatable option, where it is pip's configuration that names them.
    pub fn configured(&self, name: &str) -> Vec<String> {
        match self.find(name) {
            Some(FoundSetting { source: SettingSource::File { .. }, .. }) => self.many(name),
            _ => Vec::new(),
        }
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

fn refused(name: &str, found: &FoundSetting, why: &str) -> CliError {
    let value = mask_credentials(&found.value);
    CliError::usage(format!("the setting {name} is `{value}` in {}, which is {why}", found.source))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row for each setting: the option, and its variables.
    #[test]
    fn the_page_on_settings_shows_the_table() {
        let rows = SETTINGS.iter().map(|setting| {
            let variables: Vec<_> = setting.variables().map(|variable| format!("`{variable}`")).collect();
            format!("| `--{}` | {} |\n", setting.name, variables.join(", "))
        });
        let table: String = rows.collect();
        assert!(include_str!("../../../docs/settings.md").contains(&table), "{table}");
    }
}
