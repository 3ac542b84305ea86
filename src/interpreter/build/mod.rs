//! The commands that build a source archive (PEP 517) in an environment of its own (PEP 518).

mod error;
mod folder;
mod hints;
mod isolation;
mod step;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::{Interpreter, Pip};
use crate::domain::Version;
pub use error::BuildError;
pub use folder::BuildFolder;
pub use hints::hint;
pub use isolation::BuildIsolation;
use isolation::Isolation;
pub use step::{BuildBackend, BuildProduct, BuildStep};

/// The script that runs in the environment of a build.
const BUILD_HOOKS: &str = include_str!("../../../scripts/build-hooks.py");

/// The first pip that installs into the environment of another Python (`--python`).
const OLDEST_PIP: [u64; 2] = [22, 3];

/// Variables of the user's shell that would change what a build does.
const FOREIGN_VARIABLES: [&str; 6] =
    ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PIP_TARGET", "PIP_REQUIRE_VIRTUALENV", "__PYVENV_LAUNCHER__"];

/// Variables that are the same for every build, so that two of them make the same bytes. The date
/// is the oldest that a zip archive can have.
const FIXED_VARIABLES: [(&str, &str); 6] = [
    ("SOURCE_DATE_EPOCH", "315532800"),
    ("PYTHONHASHSEED", "0"),
    ("PYTHONNOUSERSITE", "1"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
    ("LC_ALL", "C.UTF-8"),
    ("TZ", "UTC"),
];

/// Variables that lead tools into nothing where the network itself cannot be closed.
const CLOSED_NETWORK: [(&str, &str); 8] = [
    ("http_proxy", NOWHERE),
    ("https_proxy", NOWHERE),
    ("HTTP_PROXY", NOWHERE),
    ("HTTPS_PROXY", NOWHERE),
    ("ALL_PROXY", NOWHERE),
    ("PIP_NO_INDEX", "1"),
    ("CARGO_NET_OFFLINE", "true"),
    ("npm_config_offline", "true"),
];

/// A port on which nobody listens.
const NOWHERE: &str = "http://127.0.0.1:9";

/// An interpreter that builds; its pip installs what builds need.
#[derive(Debug)]
pub struct BuildFrontEnd {
    python: PathBuf,
    /// The variables of the user that no build sees.
    hidden: Vec<String>,
    isolation: OnceLock<Isolation>,
}

impl BuildFrontEnd {
    /// Makes the front end of `interpreter`, whose builds do not see the variables `hidden`.
    ///
    /// # Errors
    /// When it has no pip of its own, or one that is too old.
    pub fn new(interpreter: &Interpreter, pip: Option<&Pip>, hidden: Vec<String>) -> Result<Self, BuildError> {
        let python = interpreter.executable.clone();
        let pip = pip.filter(|pip| pip.is_own).ok_or_else(|| BuildError::NoPip { python: python.clone() })?;
        let is_new = pip.version.parse::<Version>().is_ok_and(|version| *version.release() >= OLDEST_PIP[..]);
        if is_new {
            Ok(Self { python, hidden, isolation: OnceLock::new() })
        } else {
            Err(BuildError::OldPip { python, version: pip.version.clone() })
        }
    }

    /// Makes the folder of a build in `root`, which is empty.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn prepare(&self, root: &Path) -> Result<BuildFolder, BuildError> {
        Ok(BuildFolder::make(root, BUILD_HOOKS)?)
    }

    /// Returns the command that makes the environment of `folder`.
    pub fn make_environment(&self, folder: &BuildFolder) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-m", "venv", "--without-pip"]).arg(folder.environment());
        self.configure(command, folder)
    }

    /// Returns the command that installs `wheels`, and nothing else, into the environment of
    /// `folder`.
    pub fn install(&self, folder: &BuildFolder, wheels: &[PathBuf]) -> Command {
        let mut command = self.isolated().command(&self.python, &folder.access());
        command.args(["-m", "pip", "--python"]).arg(folder.python());
        command.args(["--isolated", "--disable-pip-version-check", "--no-input", "--quiet"]);
        command.args(["install", "--no-index", "--no-deps", "--no-cache-dir", "--no-compile", "--force-reinstall"]);
        command.arg("--no-warn-script-location").args(wheels);
        self.configure(command, folder)
    }

    /// Returns the command that runs `step` in the environment of `folder`.
    ///
    /// # Errors
    /// When the request of the step cannot be written.
    pub fn step(&self, folder: &BuildFolder, step: &BuildStep<'_>) -> Result<Command, BuildError> {
        fs::write(folder.request(), step.request(folder).to_string())?;
        let mut command = self.isolated().command(&folder.python(), &folder.access());
        command.arg(folder.script()).arg(folder.request()).arg(folder.answer());
        let mut command = self.configure(command, folder);
        command.envs(CLOSED_NETWORK).env("NO_PROXY", "").env("no_proxy", "");
        Ok(command)
    }

    /// Returns how its builds are isolated.
    pub fn isolation(&self) -> BuildIsolation {
        self.isolated().kind
    }

    fn isolated(&self) -> &Isolation {
        self.isolation.get_or_init(Isolation::detect)
    }

    /// Sets what is the same for all commands.
    fn configure(&self, mut command: Command, folder: &BuildFolder) -> Command {
        for variable in FOREIGN_VARIABLES.into_iter().chain(self.hidden.iter().map(String::as_str)) {
            command.env_remove(variable);
        }
        command.envs(FIXED_VARIABLES).env("VIRTUAL_ENV", folder.environment());
        for variable in ["TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME"] {
            command.env(variable, folder.temporary());
        }
        command.current_dir(folder.root()).stdin(Stdio::null());
        command
    }
}
