//! Finds the interpreter's executable: paths, environments, commands on `PATH`, and shims, which
//! only start an interpreter.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{HostEnvironment, InterpreterError};

/// An executable that is, or starts, an interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundInterpreter {
    /// The path as it was found: links are not resolved, since the folder of a link identifies a
    /// virtual environment.
    pub path: PathBuf,
    /// Whether it only starts an interpreter, which may depend on the working folder.
    pub is_launcher: bool,
}

/// The candidates of a search, best first.
#[derive(Debug)]
pub(super) struct InterpreterSearch {
    pub found: Vec<FoundInterpreter>,
    /// The version that the interpreter must have.
    pub version: Option<String>,
    /// What was searched, for the error if nothing fits.
    pub description: String,
}

/// Searches for what `--python` names, or by default for the active interpreter.
pub(super) fn search(wanted: Option<&str>, at: HostEnvironment<'_>) -> Result<InterpreterSearch, InterpreterError> {
    if let Some(wanted) = wanted {
        return search_for(wanted, at);
    }
    if let Some(environment) = at.set("VIRTUAL_ENV") {
        let path = at.folder.join(environment);
        let found = in_folder(&path).ok_or_else(|| InterpreterError::NoPython {
            path,
            why: "VIRTUAL_ENV names it, and it has no interpreter".into(),
        })?;
        return Ok(InterpreterSearch { found: vec![found], version: None, description: String::new() });
    }
    let commands = ["python3", "python"];
    Ok(InterpreterSearch {
        found: commands.iter().filter_map(|command| on_path(command, at)).take(1).collect(),
        version: None,
        description: "`python3` and `python` on PATH".into(),
    })
}

fn search_for(wanted: &str, at: HostEnvironment<'_>) -> Result<InterpreterSearch, InterpreterError> {
    let is_version = wanted.starts_with(|c: char| c.is_ascii_digit())
        && wanted.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_version {
        return Ok(of_version(wanted, at));
    }
    let description = format!("`{wanted}` on PATH and as a folder");
    let is_path = wanted.contains(['/', '\\']);
    if !is_path && let Some(found) = on_path(wanted, at) {
        return Ok(InterpreterSearch { found: vec![found], version: None, description });
    }
    let path = at.folder.join(wanted);
    if path.is_dir() {
        let why = "the folder has no bin/python or Scripts/python.exe".to_owned();
        let found = in_folder(&path).ok_or(InterpreterError::NoPython { path, why })?;
        return Ok(InterpreterSearch { found: vec![found], version: None, description });
    }
    if path.is_file() {
        return Ok(InterpreterSearch { found: resolve(&path, at).into_iter().collect(), version: None, description });
    }
    if is_path {
        return Err(InterpreterError::NoPython { path, why: "there is no such file".into() });
    }
    Ok(InterpreterSearch { found: Vec::new(), version: None, description })
}

/// Searches `PATH` for `python3.11`, `python3` and `python`, for a version such as 3.11.7.
fn of_version(wanted: &str, at: HostEnvironment<'_>) -> InterpreterSearch {
    let numbers: Vec<_> = wanted.split('.').collect();
    let minor = numbers.get(1).map(|minor| format!("python{}.{minor}", numbers[0]));
    let commands: Vec<_> = minor.into_iter().chain([format!("python{}", numbers[0]), "python".into()]).collect();
    let found = commands.iter().filter_map(|command| on_path(command, at)).collect();
    InterpreterSearch { found, version: Some(wanted.to_owned()), description: format!("Python {wanted} on PATH") }
}

/// Returns the interpreter of an environment or an installation.
fn in_folder(folder: &Path) -> Option<FoundInterpreter> {
    let places = ["bin/python", "bin/python3", "Scripts/python.exe", "python.exe"];
    let path = places.iter().map(|place| folder.join(place)).find(|path| path.is_file())?;
    Some(FoundInterpreter { path, is_launcher: false })
}

/// Returns the first executable of this name on `PATH` that leads to an interpreter.
fn on_path(command: &str, at: HostEnvironment<'_>) -> Option<FoundInterpreter> {
    let path = at.set("PATH")?;
    let folders = std::env::split_paths(&path).map(|folder| at.folder.join(folder));
    let files = folders.flat_map(|folder| {
        let suffixes: &[&str] = if cfg!(windows) { &[".exe", ""] } else { &[""] };
        suffixes.iter().map(move |suffix| folder.join(format!("{command}{suffix}")))
    });
    files.filter(|file| is_executable(file)).find_map(|file| resolve(&file, at))
}

/// Whether the file can be run, unlike the empty files that Windows has in the place of a Python.
fn is_executable(path: &Path) -> bool {
    let Ok(metadata) = fs::metadata(path) else { return false };
    let is_store_stub = path.parent().is_some_and(|folder| folder.ends_with("WindowsApps")) && metadata.len() == 0;
    metadata.is_file() && !is_store_stub && has_permission(&metadata)
}

#[cfg(unix)]
fn has_permission(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn has_permission(_: &fs::Metadata) -> bool {
    true
}

/// Returns the interpreter behind an executable: itself, or the one that a pyenv shim starts, if
/// any.
fn resolve(path: &Path, at: HostEnvironment<'_>) -> Option<FoundInterpreter> {
    match pyenv_root(path).filter(|_| is_script(path)) {
        Some(root) => {
            behind_shim(root, path.file_name()?, at).map(|path| FoundInterpreter { path, is_launcher: false })
        }
        None => Some(FoundInterpreter {
            path: path.to_owned(),
            is_launcher: is_script(path) || !is_named_like_python(path),
        }),
    }
}

fn is_script(path: &Path) -> bool {
    let mut start = [0; 2];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"#!"
}

/// Whether the file is named like a Python, unlike a link to a version manager's own program.
fn is_named_like_python(path: &Path) -> bool {
    let file = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    ["python", "pypy", "graalpy"].iter().any(|known| name.starts_with(known))
}

/// Returns the folder of the pyenv that the shim would belong to.
fn pyenv_root(shim: &Path) -> Option<&Path> {
    let folder = shim.parent().filter(|folder| folder.ends_with("shims"))?;
    folder.parent().filter(|root| root.join("versions").is_dir())
}

/// Returns the file that pyenv would run: the first of the selected versions that has the command.
///
/// `system` stands for the rest of `PATH`.
fn behind_shim(root: &Path, command: &OsStr, at: HostEnvironment<'_>) -> Option<PathBuf> {
    let selected = selected_versions(root, at);
    let folders = selected.iter().take_while(|name| *name != "system").filter_map(|name| version_folder(root, name));
    folders.map(|folder| folder.join("bin").join(command)).find(|path| is_executable(path))
}

/// Returns the versions of `PYENV_VERSION`, else of the nearest `.python-version` upwards, else the
/// global choice.
fn selected_versions(root: &Path, at: HostEnvironment<'_>) -> Vec<String> {
    if let Some(names) = at.set("PYENV_VERSION") {
        return names.to_string_lossy().split(':').map(str::to_owned).collect();
    }
    let local = at.folder.ancestors().map(|folder| folder.join(".python-version"));
    let names = local.chain([root.join("version")]).find_map(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    let lines = names.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// Returns the folder of a version; `3.11` stands for the newest 3.11 that is installed.
fn version_folder(root: &Path, name: &str) -> Option<PathBuf> {
    let versions = root.join("versions");
    let name = name.strip_prefix("python-").unwrap_or(name);
    let exact = versions.join(name);
    if exact.is_dir() {
        return Some(exact);
    }
    let prefix = format!("{name}.");
    let installed = fs::read_dir(&versions).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let patch = |installed: &str| installed.strip_prefix(&prefix)?.parse::<u32>().ok();
    let newest = installed.filter_map(|name| Some((patch(&name)?, name))).max()?;
    Some(versions.join(newest.1))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;
    use std::os::unix::fs::{PermissionsExt, symlink};

    struct FakeMachine {
        root: tempfile::TempDir,
        variables: Vec<(&'static str, OsString)>,
    }

    impl FakeMachine {
        fn new(search_path: &[&str]) -> Self {
            let root = tempfile::tempdir().unwrap();
            let folders = search_path.iter().map(|folder| root.path().join(folder));
            let variables = vec![("PATH", std::env::join_paths(folders).unwrap())];
            Self { root, variables }
        }

        /// Makes a machine with pyenv: a shim for `python3`, two versions and one that pyenv does
        /// not manage.
        fn with_pyenv() -> Self {
            let machine = Self::new(&["pyenv/shims", "usr/bin"]);
            machine.executable("pyenv/shims/python3", "#!/bin/sh");
            for version in ["3.9.2", "3.9.18", "3.12.1"] {
                machine.executable(&format!("pyenv/versions/{version}/bin/python3"), "\x7fELF");
            }
            machine.executable("usr/bin/python3", "\x7fELF");
            machine
        }

        fn path(&self, name: &str) -> PathBuf {
            self.root.path().join(name)
        }

        fn file(&self, name: &str, text: &str) {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            fs::write(self.path(name), text).unwrap();
        }

        fn executable(&self, name: &str, text: &str) {
            self.file(name, text);
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
        }

        fn search(&self, wanted: Option<&str>) -> Result<InterpreterSearch, InterpreterError> {
            let set = |name: &str| self.variables.iter().find(|(set, _)| *set == name).map(|(_, value)| value.clone());
            let folder = self.path("work");
            search(wanted, HostEnvironment { variable: &set, folder: &folder })
        }

        /// Returns the first candidate, relative to the root.
        fn first(&self, wanted: Option<&str>) -> Option<(String, bool)> {
            let found = self.search(wanted).unwrap().found.into_iter().next()?;
            let path = found.path.strip_prefix(self.root.path()).unwrap().to_str().unwrap();
            Some((path.replace("work/../", ""), found.is_launcher))
        }
    }

    #[test]
    fn the_active_environment_comes_before_the_path() {
        let mut machine = FakeMachine::new(&["usr/bin"]);
        machine.executable("usr/bin/python3", "\x7fELF");
        assert_eq!(machine.first(None), Some(("usr/bin/python3".into(), false)));
        machine.variables.push(("VIRTUAL_ENV", machine.path("venv").into()));
        let error = machine.search(None).unwrap_err().to_string();
        assert!(error.contains("venv is no Python: VIRTUAL_ENV names it"), "{error}");
        machine.executable("venv/bin/python", "\x7fELF");
        assert_eq!(machine.first(None), Some(("venv/bin/python".into(), false)));
    }

    #[test]
    fn python_is_what_there_is_without_python3() {
        let machine = FakeMachine::new(&["empty", "usr/bin"]);
        machine.executable("usr/bin/python", "\x7fELF");
        machine.file("usr/bin/python3", "not executable");
        machine.executable("empty/WindowsApps/python3", "");
        assert_eq!(machine.first(None), Some(("usr/bin/python".into(), false)));
    }

    #[test]
    fn a_name_may_be_a_path_a_folder_or_a_command() {
        let machine = FakeMachine::new(&["usr/bin", "apps/WindowsApps"]);
        machine.executable("usr/bin/pypy3", "\x7fELF");
        machine.executable("apps/WindowsApps/python3", "");
        machine.executable("work/.venv/bin/python", "\x7fELF");
        assert_eq!(machine.first(Some("pypy3")), Some(("usr/bin/pypy3".into(), false)));
        assert_eq!(machine.first(Some(".venv")), Some(("work/.venv/bin/python".into(), false)));
        assert_eq!(machine.first(Some("../usr/bin/pypy3")), Some(("usr/bin/pypy3".into(), false)));
        assert_eq!(machine.first(Some("python3")), None, "the stub of the Windows store");
        assert_eq!(machine.first(Some("nothing")), None);
        let error = machine.search(Some("./nothing")).unwrap_err().to_string();
        assert!(error.contains("there is no such file"), "{error}");
    }

    #[test]
    fn shims_of_pyenv_are_resolved_without_running_them() {
        let mut machine = FakeMachine::with_pyenv();
        assert_eq!(machine.first(None), Some(("usr/bin/python3".into(), false)), "nothing selected");
        machine.file("pyenv/version", "3.12.1\n");
        assert_eq!(machine.first(None), Some(("pyenv/versions/3.12.1/bin/python3".into(), false)));
        machine.file(".python-version", "# ours\n3.9\n");
        assert_eq!(machine.first(None), Some(("pyenv/versions/3.9.18/bin/python3".into(), false)));
        machine.file("work/.python-version", "3.7.1 3.9.2\n");
        assert_eq!(machine.first(None), Some(("pyenv/versions/3.9.2/bin/python3".into(), false)));
        machine.variables.push(("PYENV_VERSION", "system:3.12.1".into()));
        assert_eq!(machine.first(None), Some(("usr/bin/python3".into(), false)));
    }

    #[test]
    fn what_only_starts_an_interpreter_is_a_launcher() {
        let machine = FakeMachine::new(&["bin"]);
        machine.executable("bin/python3", "#!/bin/sh");
        assert_eq!(machine.first(None), Some(("bin/python3".into(), true)));
        machine.executable("manager", "\x7fELF");
        fs::remove_file(machine.path("bin/python3")).unwrap();
        symlink(machine.path("manager"), machine.path("bin/python3")).unwrap();
        assert_eq!(machine.first(None), Some(("bin/python3".into(), true)));
    }
}
