//! What the pyproject.toml beside a uv.lock decides: the project of the lock, and its default
//! groups.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::domain::{ExtraName, GroupName, PackageName};
use crate::input::project_dependencies::{DeclaredDependency, PyprojectToml};
use crate::input::text_file::TextFile;
use crate::input::version_range::VersionRange;
use crate::input::{InputSource, Problem};

/// The project of a lock.
#[derive(Debug, Default)]
pub struct Project {
    /// The name; `None` if the root of a workspace is no project.
    pub name: Option<PackageName>,
    pub extras: BTreeSet<ExtraName>,
    pub groups: BTreeSet<GroupName>,
    pub default_groups: DefaultGroups,
    /// The requirements of the project, as far as they can be parsed.
    pub asked: Vec<DeclaredDependency>,
    /// The fields that only a build of the project tells.
    pub dynamic: Vec<String>,
    /// The Python versions that the project requires now.
    pub requires_python: Option<VersionRange>,
}

/// `tool.uv.default-groups`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum DefaultGroups {
    Named(Vec<String>),
    /// `"all"`.
    Word(String),
}

impl Default for DefaultGroups {
    fn default() -> Self {
        Self::Named(vec!["dev".to_owned()])
    }
}

impl DefaultGroups {
    /// Returns the default groups among those that exist.
    pub fn among(&self, groups: &BTreeSet<GroupName>) -> BTreeSet<GroupName> {
        let is_default = |group: &&GroupName| match self {
            Self::Word(word) => word == "all",
            Self::Named(named) => named.iter().any(|name| name.parse().as_ref() == Ok(*group)),
        };
        groups.iter().filter(is_default).cloned().collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    project: Option<ProjectTable>,
    #[serde(default)]
    dependency_groups: BTreeMap<String, IgnoredAny>,
    #[serde(default)]
    tool: Tool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ProjectTable {
    name: Option<String>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tool {
    uv: Uv,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Uv {
    default_groups: DefaultGroups,
    dev_dependencies: Option<IgnoredAny>,
}

/// Returns the project of the pyproject.toml at `path`, relative to the lock `lock`; `None` if there
/// is no such file.
///
/// # Errors
/// When the file is no pyproject.toml.
pub fn at(path: &str, lock: &TextFile, input_source: &dyn InputSource) -> Result<Option<Project>, Problem> {
    let Some(file) = lock.beside(path, input_source)? else { return Ok(None) };
    let document: Document = file.toml()?;
    let mut groups: BTreeSet<_> = document.dependency_groups.keys().filter_map(|name| name.parse().ok()).collect();
    if document.tool.uv.dev_dependencies.is_some() {
        groups.extend("dev".parse().ok());
    }
    let (name, extras) = match document.project {
        Some(project) => (project.name, project.optional_dependencies),
        None => Default::default(),
    };
    let declared: Option<PyprojectToml> = file.toml().ok();
    let requires_python = declared.as_ref().and_then(PyprojectToml::requires_python);
    Ok(Some(Project {
        name: name.and_then(|name| name.parse().ok()),
        extras: extras.keys().filter_map(|name| name.parse().ok()).collect(),
        groups,
        default_groups: document.tool.uv.default_groups,
        dynamic: declared.as_ref().map(|declared| declared.dynamic().to_vec()).unwrap_or_default(),
        requires_python: requires_python.and_then(|text| text.parse().ok()),
        asked: declared.and_then(|declared| declared.dependencies().ok()).unwrap_or_default(),
    }))
}
