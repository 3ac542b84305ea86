//! The environment of the run: variables, working folder, terminal and clock.
//!
//! No other module reads them.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::{Timestamp, is_secret_name, mask_credentials};
use crate::interpreter::HostSystem;

/// The prefixes of the variables that configure this program, installers, uploaders and clouds.
const PRIVATE_PREFIXES: [&str; 8] =
    ["PREFETCH_", "PIP_", "UV_", "TWINE_", "POETRY_HTTP_BASIC_", "AWS_", "AZURE_", "GOOGLE_"];

/// The variables that name the sockets of the user's agents and services.
const SERVICES: [&str; 5] =
    ["SSH_AUTH_SOCK", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS", "DOCKER_HOST", "CONTAINER_HOST"];

/// Variables, working folder and clock as they were when the run began.
#[derive(Clone, Debug)]
pub struct Environment {
    variables: HashMap<String, String>,
    pub working_folder: PathBuf,
    /// Whether standard error is a terminal.
    pub is_terminal: bool,
    pub now: Timestamp,
    began: Instant,
}

impl Environment {
    /// Reads the environment.
    ///
    /// # Errors
    /// When the working folder does not exist any more.
    #[expect(clippy::disallowed_methods, reason = "the one place that looks around")]
    pub fn read() -> std::io::Result<Self> {
        Ok(Self {
            variables: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((known_as(HostSystem::HERE, name.to_str()?), value.into_string().ok()?))
                })
                .collect(),
            working_folder: std::env::current_dir()?,
            is_terminal: std::io::stderr().is_terminal(),
            now: Self::clock(),
            began: Instant::now(),
        })
    }

    /// Returns the time now, for what runs on and on; a run has one [`now`](Self::now).
    #[expect(clippy::disallowed_methods, reason = "a server outlives the moment of its start")]
    pub fn clock() -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
    }

    /// Returns the value of a variable; an empty value counts as unset.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(&known_as(HostSystem::HERE, name)).filter(|value| !value.is_empty()).cloned()
    }

    /// Returns the names of the variables that no code of a package should see: passwords, tokens and
    /// URLs with them, the settings of this program and its kind, and the ways to agents and services
    /// of the user.
    pub fn private_variables(&self) -> Vec<String> {
        let is_private = |name: &str, value: &str| {
            is_secret_name(name)
                || mask_credentials(value) != value
                || PRIVATE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
                || SERVICES.contains(&name)
        };
        let private = self.variables.iter().filter(|(name, value)| is_private(name, value));
        private.map(|(name, _)| name.clone()).collect()
    }

    /// Returns the variables whose names begin with one of `prefixes`, sorted.
    pub fn variables_of(&self, prefixes: &[&str]) -> Vec<(String, String)> {
        let is_one = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let set = self.variables.iter().filter(|(name, value)| is_one(name) && !value.is_empty());
        let mut found: Vec<_> = set.map(|(name, value)| (name.clone(), value.clone())).collect();
        found.sort();
        found
    }

    /// Returns an identifier of this build of the program: its version, and the time when its file
    /// was written.
    pub fn program(&self) -> String {
        let file = std::env::current_exe().and_then(|path| path.metadata());
        let written = file.and_then(|file| file.modified()).ok();
        format!("{} {written:?}", env!("CARGO_PKG_VERSION"))
    }

    /// Returns the seconds since the run began.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Returns the default cache folder: that of the platform.
    pub fn cache_folder(&self) -> Option<PathBuf> {
        cache_folder_on(HostSystem::HERE, &|name| self.variable(name))
    }
}

/// Returns the key of a variable in [`Environment`]: Windows ignores case, and calls `PATH` `Path`.
fn known_as(system: HostSystem, name: &str) -> String {
    if system == HostSystem::Windows { name.to_uppercase() } else { name.to_owned() }
}

/// Returns the program's folder below the platform's folder for caches.
fn cache_folder_on(system: HostSystem, variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let home = || variable("HOME").map(PathBuf::from);
    let folder = match system {
        HostSystem::Windows => variable("LOCALAPPDATA").map(PathBuf::from),
        HostSystem::MacOs => home().map(|home| home.join("Library/Caches")),
        HostSystem::Unix => variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".cache"))),
    };
    folder.map(|folder| folder.join("prefetch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_lies_where_each_platform_has_its_caches() {
        let folder = |system, set: &[(&str, &str)]| {
            let variable = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            cache_folder_on(system, &variable)
        };
        let home = ("HOME", "/h");
        assert_eq!(folder(HostSystem::Unix, &[home]), Some("/h/.cache/prefetch".into()));
        assert_eq!(folder(HostSystem::Unix, &[home, ("XDG_CACHE_HOME", "/c")]), Some("/c/prefetch".into()));
        assert_eq!(
            folder(HostSystem::MacOs, &[home, ("XDG_CACHE_HOME", "/c")]),
            Some("/h/Library/Caches/prefetch".into())
        );
        let local = PathBuf::from(r"C:\Local").join("prefetch");
        assert_eq!(folder(HostSystem::Windows, &[home, ("LOCALAPPDATA", r"C:\Local")]), Some(local));
        assert_eq!(folder(HostSystem::Windows, &[home]), None);
    }

    #[test]
    fn a_variable_is_found_in_any_case_on_windows_alone() {
        assert_eq!(known_as(HostSystem::Windows, "Path"), known_as(HostSystem::Windows, "PATH"));
        assert_eq!(known_as(HostSystem::Windows, "https_proxy"), known_as(HostSystem::Windows, "HTTPS_PROXY"));
        assert_ne!(known_as(HostSystem::Unix, "Path"), known_as(HostSystem::Unix, "PATH"));
    }
}
