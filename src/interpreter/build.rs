//! The commands that build a source archive (PEP 517) in an environment of its own (PEP 518).

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{Interpreter, Pip};
use crate::domain::{HasRemedy, Remedy, Version};

/// The script that runs in the environment of a build.
const BUILD_HOOKS: &str = include_str!("../../scripts/build-hooks.py");

/// The first pip that installs into the environment of another Python (`--python`).
const OLDEST_PIP: [u64; 2] = [22, 3];

/// Variables of the user's shell that would change what a build does.
const FOREIGN_VARIABLES: [&str; 6] =
    ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PIP_TARGET", "PIP_REQUIRE_VIRTUALENV", "__PYVENV_LAUNCHER__"];

/// What is the same for every build, so that two of them make the same bytes. The date is the oldest
/// that a zip archive can have.
const FIXED_VARIABLES: [(&str, &str); 6] = [
    ("SOURCE_DATE_EPOCH", "315532800"),
    ("PYTHONHASHSEED", "0"),
    ("PYTHONNOUSERSITE", "1"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
    ("LC_ALL", "C.UTF-8"),
    ("TZ", "UTC"),
];

/// What leads tools into nothing where the network itself cannot be closed.
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
    /// What begins a command that has no network; empty where the system does not allow that.
    network_closer: OnceLock<&'static [&'static str]>,
}

/// Ways to begin a command that has no network, for users who may and for others.
const NETWORK_CLOSERS: [&[&str]; 2] =
    [&["/usr/bin/unshare", "--net", "--"], &["/usr/bin/unshare", "--user", "--map-current-user", "--net", "--"]];

impl BuildFrontEnd {
    /// The front end of `interpreter`.
    ///
    /// # Errors
    /// When it has no pip of its own that can do it.
    pub fn new(interpreter: &Interpreter, pip: Option<&Pip>) -> Result<Self, BuildError> {
        let python = interpreter.executable.clone();
        let pip = pip.filter(|pip| pip.is_own).ok_or_else(|| BuildError::NoPip { python: python.clone() })?;
        let is_new = pip.version.parse::<Version>().is_ok_and(|version| *version.release() >= OLDEST_PIP[..]);
        if is_new {
            Ok(Self { python, network_closer: OnceLock::new() })
        } else {
            Err(BuildError::OldPip { python, version: pip.version.clone() })
        }
    }

    /// Makes the environment in `folder`, which is empty, with the script in it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn prepare(&self, folder: &Path) -> Result<BuildFolder, BuildError> {
        let folder = BuildFolder { root: folder.to_owned() };
        for path in [folder.output(), folder.temporary(), folder.tools()] {
            fs::create_dir(path)?;
        }
        fs::write(folder.script(), BUILD_HOOKS)?;
        Ok(folder)
    }

    /// Makes the environment of `folder`.
    pub fn make_environment(&self, folder: &BuildFolder) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-m", "venv", "--without-pip"]).arg(folder.environment());
        self.settle(command, folder)
    }

    /// Installs `wheels` into the environment of `folder`, and nothing else.
    pub fn install(&self, folder: &BuildFolder, wheels: &[PathBuf]) -> Command {
        let mut command = self.without_network(&self.python);
        command.args(["-m", "pip", "--python"]).arg(folder.python());
        command.args(["--isolated", "--disable-pip-version-check", "--no-input", "--quiet"]);
        command.args(["install", "--no-index", "--no-deps", "--no-cache-dir", "--no-compile", "--force-reinstall"]);
        command.arg("--no-warn-script-location").args(wheels);
        self.settle(command, folder)
    }

    /// Runs a step of the script in the environment of `folder`.
    ///
    /// # Errors
    /// When its request cannot be written.
    pub fn step(&self, folder: &BuildFolder, step: &BuildStep<'_>) -> Result<Command, BuildError> {
        fs::write(folder.request(), step.request(folder).to_string())?;
        let mut command = self.without_network(&folder.python());
        command.arg(folder.script()).arg(folder.request()).arg(folder.answer());
        let mut command = self.settle(command, folder);
        command.envs(CLOSED_NETWORK).env("NO_PROXY", "").env("no_proxy", "");
        Ok(command)
    }

    /// What is the same for all commands.
    fn settle(&self, mut command: Command, folder: &BuildFolder) -> Command {
        for variable in FOREIGN_VARIABLES {
            command.env_remove(variable);
        }
        command.envs(FIXED_VARIABLES).env("VIRTUAL_ENV", folder.environment());
        for variable in ["TMPDIR", "TEMP", "TMP"] {
            command.env(variable, folder.temporary());
        }
        command.current_dir(&folder.root).stdin(Stdio::null());
        command
    }

    /// A command that runs `program`, from where nothing else can be reached if the system allows that.
    /// On Unix its files get the usual permissions, whatever the user's are.
    fn without_network(&self, program: &Path) -> Command {
        let closer = *self.network_closer.get_or_init(network_closer);
        let usual: &[&str] = if cfg!(unix) { &["/bin/sh", "-c", "umask 022; exec \"$@\"", "sh"] } else { &[] };
        let words = usual.iter().chain(closer).map(OsString::from).chain([program.as_os_str().to_owned()]);
        let mut words = words.collect::<Vec<_>>().into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        command
    }

    /// Whether builds of this front end run without a network, and not only with proxies that lead nowhere.
    pub fn closes_network(&self) -> bool {
        !self.network_closer.get_or_init(network_closer).is_empty()
    }
}

/// The first of [`NETWORK_CLOSERS`] that works here.
fn network_closer() -> &'static [&'static str] {
    let works = |words: &&&[&str]| {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg("/bin/true").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if cfg!(target_os = "linux") { NETWORK_CLOSERS.iter().find(works).copied().unwrap_or_default() } else { &[] }
}

/// The folder of one build.
#[derive(Clone, Debug)]
pub struct BuildFolder {
    root: PathBuf,
}

impl BuildFolder {
    /// Where what a build makes is put.
    pub fn output(&self) -> PathBuf {
        self.root.join("output")
    }

    /// Where the wheels of build requirements are put.
    pub fn tools(&self) -> PathBuf {
        self.root.join("tools")
    }

    /// Where the archive is put, under its own name.
    pub fn archive(&self, filename: &str) -> PathBuf {
        self.root.join(Path::new(filename).file_name().unwrap_or_default())
    }

    /// Lets the steps after unpacking work in the project's folder `tree`.
    ///
    /// # Errors
    /// When the link to it cannot be made.
    pub fn link_source(&self, tree: &Path) -> Result<(), BuildError> {
        let source = self.root.join("source");
        fs::create_dir(&source)?;
        Ok(link_folder(tree, &source.join("tree"))?)
    }

    /// What the last step answered.
    ///
    /// # Errors
    /// When it is no such answer.
    pub fn read_answer<T: DeserializeOwned>(&self) -> Result<T, BuildError> {
        let answer = fs::read(self.answer())?;
        serde_json::from_slice(&answer).map_err(|why| BuildError::Answer(why.to_string()))
    }

    fn environment(&self) -> PathBuf {
        self.root.join("environment")
    }

    fn python(&self) -> PathBuf {
        let path = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
        self.environment().join(path)
    }

    fn temporary(&self) -> PathBuf {
        self.root.join("temporary")
    }

    fn script(&self) -> PathBuf {
        self.root.join("build-hooks.py")
    }

    fn request(&self) -> PathBuf {
        self.root.join("request.json")
    }

    fn answer(&self) -> PathBuf {
        self.root.join("answer.json")
    }
}

#[cfg(unix)]
fn link_folder(folder: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(folder, link)
}

#[cfg(windows)]
fn link_folder(folder: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(folder, link)
}

/// A step of the script.
#[derive(Clone, Copy, Debug)]
pub enum BuildStep<'a> {
    /// Unpacks the archive of this name.
    Unpack(&'a str),
    /// Asks the backend what more it needs to build a wheel.
    Requires(&'a BuildBackend),
    /// Makes the core metadata.
    Metadata(&'a BuildBackend),
    /// Builds the wheel.
    Wheel(&'a BuildBackend),
}

/// What builds an archive (PEP 517).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildBackend {
    /// `build-backend`: `setuptools.build_meta`, `module:object`.
    pub name: String,
    /// `backend-path`: folders of the archive that it is imported from.
    pub path: Vec<String>,
}

impl BuildStep<'_> {
    fn request(&self, folder: &BuildFolder) -> serde_json::Value {
        let source = folder.root.join("source");
        match self {
            Self::Unpack(filename) => {
                serde_json::json!({"step": "unpack", "archive": folder.archive(filename), "source": source})
            }
            Self::Requires(backend) => hook("requires", backend, &source, folder),
            Self::Metadata(backend) => hook("metadata", backend, &source, folder),
            Self::Wheel(backend) => hook("wheel", backend, &source, folder),
        }
    }
}

fn hook(step: &str, backend: &BuildBackend, source: &Path, folder: &BuildFolder) -> serde_json::Value {
    serde_json::json!({
        "step": step, "source": source, "backend": backend.name, "backend_path": backend.path, "output": folder.output(),
    })
}

/// Why a build came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("a build needs pip in the environment of {}", python.display())]
    NoPip { python: PathBuf },
    #[error("a build needs pip 22.3 or newer, and {} has {version}", python.display())]
    OldPip { python: PathBuf, version: String },
    #[error("could not run {program}: {source}")]
    CannotRun { program: String, source: io::Error },
    #[error("its build failed; its last words:{said}{hint}")]
    Failed { said: String, hint: String },
    #[error("its build was ended after {} seconds; its last words:{said}", limit.as_secs())]
    TooLong { limit: Duration, said: String },
    #[error("what its build needs cannot be had: {0}")]
    Requirements(String),
    #[error("its build needs {0} itself")]
    Circle(String),
    #[error("the wheel that it builds for {target} needs {built}, and what was read of it before says {read}")]
    OtherDependencies { target: String, built: String, read: String },
    #[error("the answer of its build cannot be used: {0}")]
    Answer(String),
    #[error("there is no place to build in: {0}")]
    Folder(#[from] io::Error),
}

impl HasRemedy for BuildError {
    fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::NoPip { .. } => Some(Remedy::InstallPip),
            Self::OldPip { .. } => Some(Remedy::UpgradePip),
            Self::CannotRun { .. } => Some(Remedy::NameOtherPython),
            Self::TooLong { .. } => Some(Remedy::AllowLongerBuilds),
            Self::OtherDependencies { .. } => Some(Remedy::AskBuilds),
            Self::Circle(_) => Some(Remedy::TakeWheelsOfTools),
            _ => None,
        }
    }
}
