//! Dependencies as Poetry writes them in pyproject.toml and poetry.lock.

use serde::Deserialize;

/// A dependency in one of its spellings; lists stand before tables, since serde reads a table from a list,
/// too, by the order of its fields.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum PoetryDependencies {
    Version(String),
    Several(Vec<PoetryDependencies>),
    Table(Box<PoetryDependency>),
}

/// A dependency as a table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PoetryDependency {
    pub version: Option<String>,
    pub markers: Option<String>,
    pub extras: Vec<String>,
    pub optional: bool,
    pub python: Option<String>,
    pub platform: Option<String>,
    pub git: Option<String>,
    pub rev: Option<String>,
    pub tag: Option<String>,
    pub branch: Option<String>,
    pub subdirectory: Option<String>,
    pub url: Option<String>,
    pub path: Option<String>,
    pub file: Option<String>,
    /// The name of the only index that it is taken from.
    pub source: Option<String>,
}

impl PoetryDependency {
    /// Returns the dependency with the location that another table states for it, if it does.
    #[must_use]
    pub fn located_by(self, other: Self) -> Self {
        let Self { git, rev, tag, branch, subdirectory, url, path, file, source, .. } = other;
        let is_elsewhere = [&git, &url, &path, &file].into_iter().any(Option::is_some);
        if !is_elsewhere {
            return Self { source: source.or(self.source), ..self };
        }
        Self { version: None, git, rev, tag, branch, subdirectory, url, path, file, source, ..self }
    }
}

impl PoetryDependencies {
    /// Returns each dependency as a table.
    pub fn tables(&self) -> Vec<PoetryDependency> {
        match self {
            Self::Version(version) => {
                vec![PoetryDependency { version: Some(version.clone()), ..PoetryDependency::default() }]
            }
            Self::Table(table) => vec![PoetryDependency::clone(table)],
            Self::Several(several) => several.iter().flat_map(Self::tables).collect(),
        }
    }
}
