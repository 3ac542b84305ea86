//! The parts of uv.lock (version 1, every revision) that matter for the selection.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document {
    pub version: Option<u64>,
    pub requires_python: Option<String>,
    /// `tool.uv.environments`: one of them must hold.
    #[serde(default)]
    pub supported_markers: Vec<String>,
    #[serde(default)]
    pub conflicts: Vec<Vec<Conflict>>,
    #[serde(default)]
    pub manifest: Manifest,
    #[serde(default)]
    pub package: Vec<Spanned<Package>>,
}

#[derive(Deserialize)]
pub struct Conflict {
    pub package: String,
    pub extra: Option<String>,
    pub group: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Manifest {
    pub members: Vec<String>,
    /// The requirements of a script.
    pub requirements: Vec<Requirement>,
    /// The groups of a workspace whose root is no project.
    pub dependency_groups: BTreeMap<String, Vec<Requirement>>,
}

#[derive(Deserialize)]
pub struct Requirement {
    pub name: String,
    #[serde(default)]
    pub extras: Vec<String>,
    pub marker: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Package {
    pub name: String,
    pub version: Option<String>,
    pub source: Source,
    #[serde(default)]
    pub resolution_markers: Vec<String>,
    #[serde(default)]
    pub dependencies: Vec<Edge>,
    #[serde(default)]
    pub optional_dependencies: BTreeMap<String, Vec<Edge>>,
    #[serde(default)]
    pub dev_dependencies: BTreeMap<String, Vec<Edge>>,
    pub sdist: Option<File>,
    #[serde(default)]
    pub wheels: Vec<File>,
    pub metadata: Option<Metadata>,
}

/// The package's own metadata when it was locked.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Metadata {
    pub provides_extras: Vec<String>,
    pub requires_dist: Vec<StatedRequirement>,
    pub requires_dev: BTreeMap<String, Vec<StatedRequirement>>,
}

/// A requirement of the package's pyproject.toml; it has no specifier if the file states its
/// location, such as a repository or folder.
#[derive(Deserialize)]
pub struct StatedRequirement {
    pub name: String,
    pub specifier: Option<String>,
    pub marker: Option<String>,
    #[serde(flatten)]
    pub place: BTreeMap<String, serde::de::IgnoredAny>,
}

#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Source {
    pub registry: Option<String>,
    pub url: Option<String>,
    pub path: Option<String>,
    pub git: Option<String>,
    pub editable: Option<String>,
    pub directory: Option<String>,
    pub r#virtual: Option<String>,
}

#[derive(Deserialize)]
pub struct Edge {
    pub name: String,
    pub version: Option<String>,
    pub source: Option<Source>,
    #[serde(default)]
    pub extra: Vec<String>,
    pub marker: Option<String>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct File {
    pub url: Option<String>,
    /// The path, relative to a registry that is a folder.
    pub path: Option<String>,
    /// The file name of a wheel whose package is a local path.
    pub filename: Option<String>,
    pub hash: Option<String>,
    pub size: Option<u64>,
    #[serde(alias = "upload_time")]
    pub upload_time: Option<String>,
}
