//! Describes a Python interpreter: version, ABIs, platform, markers, and its pip's settings.
//!
//! A script asks once; the answer is cached by the interpreter's identity, so that a warm run
//! starts no Python.

mod build;
mod find;
mod identity;
mod pip_config_files;
mod pip_settings;
mod prefix;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cache_folder::CacheLayout;
use crate::domain::{HasRemedy, Remedy, Target, TargetDescription};

pub use self::build::hint as build_hint;
pub use self::build::{BuildBackend, BuildError, BuildFolder, BuildFrontEnd, BuildIsolation, BuildProduct, BuildStep};
use self::find::FoundInterpreter;
pub use self::pip_config_files::HostSystem;
pub use self::pip_settings::{PipSetting, PipSettings, PipSettingsError};

/// The script that a Python runs to describe itself and its machine.
///
/// To `machine` or `pip` it answers with one line of JSON, a `ScriptAnswer` with an [`Interpreter`]
/// or a [`Pip`].
pub const DESCRIBE_TARGET: &str = include_str!("../scripts/describe-target.py");

/// The environment in which an interpreter is searched; nothing here reads the process's own.
#[derive(Clone, Copy)]
pub struct HostEnvironment<'a> {
    /// Looks up an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// The absolute path of the working folder.
    pub folder: &'a Path,
}

impl HostEnvironment<'_> {
    /// Returns a variable that is not empty.
    fn set(&self, name: &str) -> Option<OsString> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }
}

/// The description of an interpreter by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interpreter {
    /// `sys.executable`.
    pub executable: PathBuf,
    /// `sys.prefix`.
    pub prefix: PathBuf,
    /// The default index of its pip, if that is known without importing pip.
    #[serde(default)]
    pub default_index: Option<String>,
    #[serde(flatten)]
    machine: TargetDescription,
}

/// The script's answer to a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ScriptAnswer<T> {
    answer: T,
    /// Files that the answer depends on, whether they exist or not.
    rests_on: Vec<PathBuf>,
}

/// The interpreter's pip with its defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pip {
    pub version: String,
    /// Whether it is installed there; otherwise it is the base interpreter's, or the one that
    /// `ensurepip` would install.
    pub is_own: bool,
    /// Its default index.
    pub default_index: Option<String>,
    /// Its default cache folder; pips before 6 have none.
    pub cache_dir: Option<PathBuf>,
}

/// Reads pip's configuration files.
///
/// They are never cached, since they may hold credentials. `prefix` is that of the interpreter, if
/// it is known.
///
/// # Errors
/// When pip could not read a file either.
pub fn pip_settings(host: HostEnvironment<'_>, prefix: Option<&Path>) -> Result<PipSettings, PipSettingsError> {
    PipSettings::read(&pip_config_files::locations(HostSystem::HERE, host, prefix, &|path| path.exists()))
}

impl Interpreter {
    /// Returns the interpreter's own target.
    pub fn target(&self) -> Target {
        self.machine.target()
    }

    /// Returns its pip, if there is one: installed there, or the one that its environment would
    /// get.
    ///
    /// Cached as [`describe`] does.
    ///
    /// # Errors
    /// When the interpreter cannot be run; the error says how it failed, and what to do.
    pub fn pip(&self, cache: Option<&CacheLayout>, host: HostEnvironment<'_>) -> Result<Option<Pip>, InterpreterError> {
        answer(&FoundInterpreter { path: self.executable.clone(), is_launcher: false }, "pip", cache, host)
    }

    /// Whether it has this version, of which a part may be omitted: `3`, `3.11`, `3.11.7`.
    fn is_version(&self, wanted: &str) -> bool {
        let version = self.machine.release().to_string();
        version.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

/// Describes the interpreter that `wanted` names (`--python`: a path, an environment's folder, a
/// command, a version), or else that of `VIRTUAL_ENV`, or else `python3` or `python` on `PATH`.
///
/// The answer is cached in `cache`, if one is given; a damaged entry is replaced, and one that
/// cannot be written is ignored.
///
/// # Errors
/// When no interpreter is found or it cannot be run; the error says what was searched or how it
/// failed, and what to do.
pub fn describe(
    wanted: Option<&str>,
    cache: Option<&CacheLayout>,
    host: HostEnvironment<'_>,
) -> Result<Interpreter, InterpreterError> {
    let search = find::search(wanted, host)?;
    let mut unfit = Vec::new();
    for found in &search.found {
        let interpreter: Interpreter = answer(found, "machine", cache, host)?;
        match &search.version {
            Some(version) if !interpreter.is_version(version) => {
                unfit.push(format!("{} is {}", interpreter.executable.display(), interpreter.machine.release()));
            }
            _ => return Ok(interpreter),
        }
    }
    Err(InterpreterError::NotFound { wanted: search.description, seen: unfit })
}

/// Returns what [`describe`] would return, if that is cached and nothing need be run.
pub fn cached_answer(wanted: Option<&str>, cache: &CacheLayout, host: HostEnvironment<'_>) -> Option<Interpreter> {
    let found = only_candidate(wanted, host)?;
    identity::cached_answer(cache, &identity::of(&found, "machine", host))
}

/// Returns the prefix that [`describe`] would find, if the interpreter's files show it.
pub fn probable_prefix(wanted: Option<&str>, host: HostEnvironment<'_>) -> Option<PathBuf> {
    prefix::of(&only_candidate(wanted, host)?, host)
}

/// Returns the interpreter, if no other candidate needs to be asked for its version.
fn only_candidate(wanted: Option<&str>, host: HostEnvironment<'_>) -> Option<FoundInterpreter> {
    let find::InterpreterSearch { found, version, .. } = find::search(wanted, host).ok()?;
    found.into_iter().next().filter(|_| version.is_none())
}

/// Returns the answer of `found` to `question`, cached or asked for.
fn answer<T: Serialize + DeserializeOwned + Clone>(
    found: &FoundInterpreter,
    question: &str,
    cache: Option<&CacheLayout>,
    host: HostEnvironment<'_>,
) -> Result<T, InterpreterError> {
    let Some(cache) = cache else { return Ok(ask(found, question)?.answer) };
    let identity = identity::of(found, question, host);
    if let Some(answer) = identity::cached_answer(cache, &identity) {
        return Ok(answer);
    }
    let answered: ScriptAnswer<T> = ask(found, question)?;
    let answer = answered.answer.clone();
    // Without it the next run asks again.
    let _ = identity::cache_answer(cache, &identity, answered);
    Ok(answer)
}

/// Runs the script.
///
/// The user's packages and `PYTHONPATH` are kept, since `python -m pip` would use a pip there.
fn ask<T: DeserializeOwned>(found: &FoundInterpreter, question: &str) -> Result<ScriptAnswer<T>, InterpreterError> {
    let executable = found.path.clone();
    let mut command = Command::new(&executable);
    command.args(["-B", "-W", "ignore", "-c", DESCRIBE_TARGET, question]).stdin(Stdio::null());
    let output = match command.output() {
        Ok(output) => output,
        Err(source) => return Err(InterpreterError::CannotRun { executable, source }),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().lines().next_back().unwrap_or("nothing").to_owned();
        return Err(InterpreterError::Failed { executable, status: output.status, said });
    }
    let answer = String::from_utf8_lossy(&output.stdout);
    let line = answer.trim_end().lines().next_back().unwrap_or_default();
    serde_json::from_str(line).map_err(|source| InterpreterError::ScriptAnswer { executable, source })
}

/// Why no interpreter could be described.
#[derive(Debug, thiserror::Error)]
pub enum InterpreterError {
    #[error("no Python found: looked for {wanted}{}", aside(seen))]
    NotFound { wanted: String, seen: Vec<String> },
    #[error("{} is no Python: {why}", path.display())]
    NoPython { path: PathBuf, why: String },
    #[error("could not run {}: {source}", executable.display())]
    CannotRun { executable: PathBuf, source: io::Error },
    #[error("{} could not describe itself ({status}): {said}", executable.display())]
    Failed { executable: PathBuf, status: ExitStatus, said: String },
    #[error("{} does not answer like a Python ({source})", executable.display())]
    ScriptAnswer { executable: PathBuf, source: serde_json::Error },
}

impl HasRemedy for InterpreterError {
    fn remedy(&self) -> Option<Remedy> {
        Some(match self {
            Self::NotFound { .. } | Self::CannotRun { .. } => Remedy::NamePythonOrTarget,
            Self::NoPython { .. } | Self::Failed { .. } | Self::ScriptAnswer { .. } => Remedy::NameOtherPython,
        })
    }
}

fn aside(seen: &[String]) -> String {
    if seen.is_empty() { String::new() } else { format!(" ({})", seen.join(", ")) }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache_folder::CacheBucket;
    use std::fs;

    /// A folder with a `python3` that counts its runs and answers with a fixed text.
    struct FakeMachine {
        root: tempfile::TempDir,
    }

    const ANSWER: &str = r#"{"answer": {"executable": "/opt/python", "prefix": "/opt", "version": "3.11.7",
        "implementation": "cpython", "abis": ["cp311"], "platform": "manylinux_2_36_x86_64",
        "markers": {"implementation_name": "cpython", "implementation_version": "3.11.7", "os_name": "posix",
            "platform_machine": "x86_64", "platform_python_implementation": "CPython", "platform_release": "6.1",
            "platform_system": "Linux", "platform_version": "1", "python_full_version": "3.11.7",
            "python_version": "3.11", "sys_platform": "linux"}},
        "rests_on": ["ROOT/lib/libc.so"]}"#;

    impl FakeMachine {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let machine = Self { root };
            let answer = ANSWER.replace("ROOT", machine.path("").to_str().unwrap()).replace('\n', "");
            machine.write("answer", &format!("a sitecustomize may print\n{answer}\n"));
            machine.write("words", "");
            machine.write("status", "0");
            let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/interpreter/python3");
            fs::create_dir(machine.path("bin")).unwrap();
            // A link, since a file that was just written cannot always be run at once.
            std::os::unix::fs::symlink(stand_in, machine.path("bin/python3")).unwrap();
            machine
        }

        fn path(&self, name: &str) -> PathBuf {
            self.root.path().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            fs::write(self.path(name), text).unwrap();
        }

        fn describe(&self, wanted: Option<&str>) -> Result<Interpreter, InterpreterError> {
            let search_path = std::env::join_paths([self.path("bin"), "/bin".into()]).unwrap();
            let variable = |name: &str| (name == "PATH").then(|| search_path.clone());
            let host = HostEnvironment { variable: &variable, folder: &self.path("") };
            describe(wanted, Some(&self.cache()), host)
        }

        fn cache(&self) -> CacheLayout {
            CacheLayout::new(self.path("cache"))
        }

        fn runs(&self) -> usize {
            fs::read_to_string(self.path("runs")).map_or(0, |text| text.lines().count())
        }
    }

    #[test]
    fn an_answer_is_remembered_until_something_changes() {
        let machine = FakeMachine::new();
        let first = machine.describe(None).unwrap();
        assert_eq!(first.target().id(), "cp311-manylinux_2_36_x86_64");
        assert_eq!(machine.describe(None).unwrap(), first);
        assert_eq!(machine.runs(), 1);
        machine.write("lib/libc.so", "");
        machine.describe(None).unwrap();
        assert_eq!(machine.runs(), 2, "the C library changed");
        machine.write("pyvenv.cfg", "home = elsewhere");
        machine.describe(None).unwrap();
        assert_eq!(machine.runs(), 3, "it became a virtual environment");
        machine.write(".python-version", "3.12");
        machine.describe(None).unwrap();
        assert_eq!(machine.runs(), 4, "the launcher may start another one");
        machine.describe(None).unwrap();
        assert_eq!(machine.runs(), 4);
    }

    #[test]
    fn a_damaged_memory_is_forgotten() {
        let machine = FakeMachine::new();
        machine.describe(None).unwrap();
        for cached in fs::read_dir(machine.cache().folder(CacheBucket::Interpreters)).unwrap() {
            fs::write(cached.unwrap().path(), "{\"key\":").unwrap();
        }
        machine.describe(None).unwrap();
        machine.describe(None).unwrap();
        assert_eq!(machine.runs(), 2);
    }

    #[test]
    fn a_version_that_is_not_there_is_named_with_what_is() {
        let machine = FakeMachine::new();
        assert!(machine.describe(Some("3.11")).is_ok());
        assert!(machine.describe(Some("3.11.7")).is_ok());
        let error = machine.describe(Some("3.1")).unwrap_err();
        assert!(error.to_string().contains("Python 3.1 on PATH (/opt/python is 3.11.7)"), "{error}");
        assert_eq!(error.remedy(), Some(Remedy::NamePythonOrTarget));
    }

    #[test]
    fn what_fails_is_told_with_its_last_words() {
        let machine = FakeMachine::new();
        machine.write("words", "first\nno licence\n");
        machine.write("status", "3");
        let error = machine.describe(None).unwrap_err().to_string();
        assert!(
            error.contains("exit status: 3") && !error.contains("first") && error.contains("no licence"),
            "{error}"
        );
        machine.write("status", "0");
        machine.write("answer", "Python 3.11\n");
        let error = machine.describe(None).unwrap_err().to_string();
        assert!(error.contains("does not answer like a Python"), "{error}");
    }
}
