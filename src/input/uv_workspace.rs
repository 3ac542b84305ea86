//! Workspaces of uv: the one that a folder is a member of.

use std::path::Path;

use serde::Deserialize;

use super::project_dependencies::PyprojectToml;
use super::text_file::TextFile;
use super::{InputSource, Location, PathKind};
use crate::domain::PackageName;

/// The workspace of a member; uv reads its lock, and none in the folder of the member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// The path of the lock, relative to the folder of the member.
    pub lock: String,
    /// The name of the member, if its file states one.
    pub member: Option<PackageName>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Root {
    tool: Tool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tool {
    uv: Uv,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Uv {
    workspace: Option<Members>,
}

/// The folders of a workspace, as patterns of paths.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Members {
    members: Vec<String>,
    exclude: Vec<String>,
}

/// Returns the workspace with a lock that has `folder`, an absolute path, as a member.
pub(super) fn of_member(folder: &Path, input_source: &dyn InputSource) -> Option<Workspace> {
    let roots = folder.ancestors().enumerate().skip(1);
    let (depth, root, members) =
        roots.map(|(depth, root)| Some((depth, root, members(root, input_source)?))).find_map(|found| found)?;
    let is_locked = input_source.path_kind(&root.join("uv.lock")) == PathKind::File;
    let parts: Option<Vec<_>> = folder.strip_prefix(root).ok()?.iter().map(|part| part.to_str()).collect();
    let is_member = is_locked && members.has(&parts?);
    let project = || toml::<PyprojectToml>(folder, input_source);
    is_member
        .then(|| Workspace { lock: "../".repeat(depth) + "uv.lock", member: project().and_then(|file| file.name()) })
}

fn members(root: &Path, input_source: &dyn InputSource) -> Option<Members> {
    toml::<Root>(root, input_source)?.tool.uv.workspace
}

/// Reads the pyproject.toml in a folder, if there is one of this kind.
fn toml<T: serde::de::DeserializeOwned>(folder: &Path, input_source: &dyn InputSource) -> Option<T> {
    let path = folder.join("pyproject.toml");
    let is_there = input_source.path_kind(&path) == PathKind::File;
    let file = is_there.then(|| TextFile::load(&Location::File(path), input_source).ok()).flatten()?;
    file.toml().ok()
}

impl Members {
    fn has(&self, folder: &[&str]) -> bool {
        let names = |patterns: &[String]| {
            patterns.iter().any(|pattern| {
                let parts: Vec<_> = pattern.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
                is_path(&parts, folder)
            })
        };
        names(&self.members) && !names(&self.exclude)
    }
}

/// Whether a pattern of a path means this one; `**` is any number of folders.
fn is_path(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=path.len()).any(|skipped| is_path(rest, &path[skipped..])),
        ([first, rest @ ..], [name, deeper @ ..]) => {
            is_name(first.as_bytes(), name.as_bytes()) && is_path(rest, deeper)
        }
        _ => false,
    }
}

/// Whether a pattern of a name means this one; `*` is any text, and `?` one byte.
fn is_name(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=name.len()).any(|skipped| is_name(rest, &name[skipped..])),
        ([b'?', rest @ ..], [_, after @ ..]) => is_name(rest, after),
        ([first, rest @ ..], [letter, after @ ..]) => first == letter && is_name(rest, after),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::fake_source::FakeSource;

    #[test]
    fn a_member_is_known_by_the_patterns_of_its_workspace() {
        let of = |folder: &str, table: &str| {
            let machine = FakeSource::new()
                .file("/w/uv.lock", "version = 1\n")
                .file("/w/pyproject.toml", format!("[tool.uv.workspace]\n{table}"))
                .file(&format!("/w/{folder}/pyproject.toml"), "[project]\nname = 'server'\n");
            of_member(&Path::new("/w").join(folder), &machine)
        };
        let found = |lock: &str| Some(Workspace { lock: lock.to_owned(), member: "server".parse().ok() });
        assert_eq!(of("a", "members = ['./a']\n"), found("../uv.lock"));
        assert_eq!(of("packages/one", "members = ['packages/*']\n"), found("../../uv.lock"));
        assert_eq!(of("packages/deep/one", "members = ['packages/**']\n"), found("../../../uv.lock"));
        assert_eq!(of("packages/two", "members = ['packages/o?e', 'packages/t*']\n"), found("../../uv.lock"));
        assert_eq!(of("packages/one", "members = ['packages/*']\nexclude = ['packages/one']\n"), None);
        assert_eq!(of("other", "members = ['packages/*']\n"), None);
        assert_eq!(of("packages/deep/one", "members = ['packages/*']\n"), None);
    }
}
