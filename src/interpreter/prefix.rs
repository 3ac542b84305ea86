//! Computes `sys.prefix` as CPython does, without starting the interpreter.

use std::fs;
use std::path::{Path, PathBuf};

use super::HostEnvironment;
use super::find::FoundInterpreter;

/// Returns the prefix of an interpreter that was not asked yet; `None` if its files do not show it.
pub(super) fn of(found: &FoundInterpreter, at: HostEnvironment<'_>) -> Option<PathBuf> {
    if found.is_launcher || at.set("PYTHONHOME").is_some() {
        return None;
    }
    of_environment(&found.path).or_else(|| of_installation(&found.path))
}

/// Returns the prefix of a virtual environment (PEP 405), the folder of `pyvenv.cfg`: that of the
/// executable or one folder up.
fn of_environment(executable: &Path) -> Option<PathBuf> {
    let beside = executable.parent()?;
    let prefix = beside.parent()?;
    let is_one = [beside, prefix].iter().any(|folder| folder.join("pyvenv.cfg").is_file());
    is_one.then(|| prefix.to_owned())
}

/// Returns the nearest folder above the executable that has a standard library.
fn of_installation(executable: &Path) -> Option<PathBuf> {
    let executable = fs::canonicalize(executable).ok()?;
    executable.ancestors().skip(1).find(|folder| has_library(folder)).map(Path::to_owned)
}

fn has_library(folder: &Path) -> bool {
    let versions = ["lib", "lib64"].iter().filter_map(|name| fs::read_dir(folder.join(name)).ok()).flatten().flatten();
    let mut pythons = versions.filter(|entry| entry.file_name().to_string_lossy().starts_with("python"));
    pythons.any(|entry| entry.path().join("os.py").is_file()) || folder.join("Lib/os.py").is_file()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, name: &str) -> PathBuf {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        path
    }

    fn prefix(path: &Path, variable: Option<&str>) -> Option<PathBuf> {
        let found = FoundInterpreter { path: path.to_owned(), is_launcher: false };
        let variable = |name: &str| variable.filter(|set| *set == name).map(|_| "/elsewhere".into());
        of(&found, HostEnvironment { variable: &variable, folder: Path::new("/") })
    }

    #[test]
    fn environments_and_installations_have_theirs() {
        let root = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(root.path()).unwrap();
        let python = put(&root, "opt/bin/python3.11");
        put(&root, "opt/lib/python3/dist-packages/six.py");
        assert_ne!(prefix(&python, None), Some(root.join("opt")), "that is no standard library");
        put(&root, "opt/lib/python3.11/os.py");
        assert_eq!(prefix(&python, None), Some(root.join("opt")));
        assert_eq!(prefix(&python, Some("PYTHONHOME")), None);
        put(&root, "venv/pyvenv.cfg");
        fs::create_dir(root.join("venv/bin")).unwrap();
        let linked = root.join("venv/bin/python");
        std::os::unix::fs::symlink(&python, &linked).unwrap();
        assert_eq!(prefix(&linked, None), Some(root.join("venv")));
    }
}
