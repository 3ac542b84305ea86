//! Selects the files of a project's folder for its source archive.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use super::git::Git;

/// The files of a project.
pub(super) struct ProjectFiles {
    /// The paths of the files below the project's folder, sorted.
    pub paths: Vec<PathBuf>,
    /// The number of other files, which git neither tracks nor ignores.
    pub untracked: usize,
}

impl ProjectFiles {
    /// Returns the files of a commit, sorted.
    pub fn of_commit(mut paths: Vec<PathBuf>) -> Self {
        paths.sort();
        Self { paths, untracked: 0 }
    }
}

/// Folders that tools create beside the sources, and that no build reads.
const GENERATED: [&str; 14] = [
    ".bzr",
    ".eggs",
    ".git",
    ".hg",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    "__pycache__",
    "node_modules",
    "wheelhouse",
];

/// Returns the files that git tracks below `folder`; if it tracks none, all files except those in
/// [`GENERATED`] folders and below `left_out`.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn of_project(folder: &Path, git: &Git, left_out: &[PathBuf]) -> io::Result<ProjectFiles> {
    let (mut paths, untracked) = match git.tracked(folder).filter(|(tracked, _)| !tracked.is_empty()) {
        Some((tracked, untracked)) => (tracked, untracked),
        None => (walk(folder, left_out)?, 0),
    };
    // git also lists files that were deleted since, and files below a folder that a link has replaced.
    paths.retain(|path| {
        let is_there = fs::symlink_metadata(folder.join(path)).is_ok_and(|found| !found.is_dir());
        is_there && linked_folder(folder, path).is_none()
    });
    paths.sort();
    paths.dedup();
    Ok(ProjectFiles { paths, untracked })
}

/// Returns a folder on the way from `root` to the file `path` below it that is a link, and may lead
/// elsewhere.
pub(super) fn linked_folder<'a>(root: &Path, path: &'a Path) -> Option<&'a Path> {
    path.ancestors().skip(1).find(|folder| root.join(folder).is_symlink() && !folder.as_os_str().is_empty())
}

fn walk(root: &Path, left_out: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut pending) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if left_out.contains(&entry.path()) || is_generated(&entry)? {
                continue;
            }
            match entry.file_type()?.is_dir() {
                true => pending.push(entry.path()),
                false => found.extend(entry.path().strip_prefix(root).map(Path::to_owned)),
            }
        }
    }
    Ok(found)
}

fn is_generated(entry: &DirEntry) -> io::Result<bool> {
    let name = entry.file_name();
    let name = name.to_string_lossy();
    if !entry.file_type()?.is_dir() {
        return Ok(name.ends_with(".pyc"));
    }
    let is_environment = entry.path().join("pyvenv.cfg").exists();
    Ok(is_environment || name.ends_with(".egg-info") || GENERATED.contains(&&*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_git_all_is_taken_but_what_tools_made_and_what_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for path in
            ["a.py", "pkg/b.py", "pkg/__pycache__/b.pyc", "env/pyvenv.cfg", "x.egg-info/PKG-INFO", "out/w.whl", "c.pyc"]
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let files = of_project(folder.path(), &Git::default(), &[folder.path().join("out")]).unwrap();
        assert_eq!(files.paths, [PathBuf::from("a.py"), "pkg/b.py".into()]);
        assert_eq!(files.untracked, 0);
    }
}
