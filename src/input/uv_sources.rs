//! `tool.uv.sources`: where uv is configured to get dependencies from.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::locking::Fault;
use super::poetry_dependency::PoetryDependency;
use super::project_dependencies::DeclaredDependency;

/// The table, by the names of the dependencies.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub struct UvSources(BTreeMap<String, Sources>);

/// The source of a dependency, or several for different markers; a list first, since serde reads a table
/// from one, too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Sources {
    Several(Vec<UvSource>),
    One(Box<UvSource>),
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct UvSource {
    git: Option<String>,
    rev: Option<String>,
    tag: Option<String>,
    branch: Option<String>,
    subdirectory: Option<String>,
    url: Option<String>,
    path: Option<String>,
    workspace: bool,
    index: Option<String>,
    marker: Option<String>,
    extra: Option<String>,
    group: Option<String>,
}

impl UvSources {
    /// Returns a dependency with its source, if uv is configured to use one.
    ///
    /// # Errors
    /// When the source is a member of the workspace, or one under some condition: nothing but a lock
    /// says what is taken then.
    pub fn with_source(&self, asked: DeclaredDependency) -> Result<DeclaredDependency, Fault> {
        let found = self.0.iter().find(|(name, _)| name.parse().as_ref() == Ok(&asked.name));
        let Some((_, sources)) = found else { return Ok(asked) };
        let source = sources.only().map_err(|why| format!("{why}: lock with uv, and name the lock"))?;
        let UvSource { git, rev, tag, branch, subdirectory, url, path, index, .. } = source.clone();
        let stated =
            PoetryDependency { git, rev, tag, branch, subdirectory, url, path, source: index, ..Default::default() };
        Ok(DeclaredDependency { what: asked.what.located_by(stated), ..asked })
    }
}

impl Sources {
    fn only(&self) -> Result<&UvSource, Fault> {
        let source = match self {
            Self::One(source) => source,
            Self::Several(sources) => match sources.as_slice() {
                [source] => source,
                _ => return Err("tool.uv.sources has several places for it".to_owned()),
            },
        };
        let condition = source.marker.as_ref().or(source.extra.as_ref()).or(source.group.as_ref());
        match condition {
            _ if source.workspace => Err("tool.uv.sources says that it is a member of the workspace".to_owned()),
            Some(_) => Err("tool.uv.sources has a place for it under a condition".to_owned()),
            None => Ok(source),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::input::fake_source::FakeSource;
    use crate::input::{Location, Role, read};

    #[test]
    fn dependencies_come_from_where_uv_is_told() {
        let text = "[project]\nname = 'app'\ndependencies = ['by-url>=1; os_name == \"nt\"', 'By_Path', 'by-git', 'usual>=1']\n\
                    [tool.uv.sources]\nby-url = { url = 'https://files.example/by_url-1.0-py3-none-any.whl' }\nby-path = [{ \
                    path = 'libs/by_path-1.0-py3-none-any.whl' }]\nby-git = { git = 'https://git.example/x', tag = 'v1', \
                    subdirectory = 'sub' }\n";
        let machine =
            FakeSource::new().file("/w/pyproject.toml", text).file("/w/libs/by_path-1.0-py3-none-any.whl", "wheel");
        let read = read(&Location::parse("pyproject.toml"), Role::Requirements, &machine);
        let shown: Vec<_> = read.requirements.iter().map(ToString::to_string).collect();
        let expected = [
            "by-url @ https://files.example/by_url-1.0-py3-none-any.whl ; os_name == \"nt\"",
            "by-path @ /w/libs/by_path-1.0-py3-none-any.whl",
            "by-git @ git+https://git.example/x@v1#subdirectory=sub",
            "usual>=1",
        ];
        assert_eq!(shown, expected, "{:?}", read.problems);
    }

    #[test]
    fn sources_that_only_a_lock_settles_are_refused() {
        for (source, part) in [
            ("{ workspace = true }", "is a member of the workspace: lock with uv"),
            ("[{ url = 'https://x.example/a.zip', marker = \"os_name == 'nt'\" }]", "under a condition"),
            ("[{ index = 'a' }, { index = 'b' }]", "several places"),
        ] {
            let text = format!("[project]\nname = 'app'\ndependencies = ['lib']\n[tool.uv.sources]\nlib = {source}\n");
            let machine = FakeSource::new().file("/w/pyproject.toml", text);
            let read = read(&Location::parse("pyproject.toml"), Role::Requirements, &machine);
            let told: String = read.problems.iter().map(ToString::to_string).collect();
            assert!(told.contains(part) && told.starts_with("pyproject.toml:3"), "{source}: {told}");
        }
    }
}
