//! The environment of the run: variables, working folder, terminal and clock.
//!
//! No other module reads them.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::Timestamp;

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
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self {
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            working_folder: std::env::current_dir()?,
            is_terminal: std::io::stderr().is_terminal(),
            now: Timestamp(i64::try_from(now.as_secs()).unwrap_or(i64::MAX)),
            began: Instant::now(),
        })
    }

    /// Returns the value of a variable; an empty value counts as unset.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
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
        let folder = if cfg!(windows) {
            self.variable("LOCALAPPDATA").map(PathBuf::from)
        } else if cfg!(target_os = "macos") {
            self.variable("HOME").map(|home| PathBuf::from(home).join("Library/Caches"))
        } else {
            let default = || self.variable("HOME").map(|home| PathBuf::from(home).join(".cache"));
            self.variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(default)
        };
        folder.map(|folder| folder.join("prefetch"))
    }
}
