//! The parts of poetry.lock that matter for the selection.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::input::poetry_dependency::PoetryDependencies;

#[derive(Deserialize)]
pub struct Document {
    #[serde(default)]
    pub package: Vec<Spanned<Package>>,
    /// The extras of the project.
    #[serde(default)]
    pub extras: BTreeMap<String, Vec<String>>,
    pub metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Metadata {
    pub lock_version: Option<String>,
    pub python_versions: Option<String>,
    /// The digest of the project that was locked.
    pub content_hash: Option<String>,
    /// The files of all versions of a name, before 2.0.
    #[serde(default)]
    pub files: BTreeMap<String, Vec<File>>,
    /// Digests without file names, before 1.0.
    #[serde(default)]
    pub hashes: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Package {
    pub name: String,
    pub version: String,
    /// The package's own `Requires-Python`.
    #[serde(default)]
    pub python_versions: Option<String>,
    #[serde(default)]
    pub groups: Vec<String>,
    pub markers: Option<Markers>,
    /// The marker, before 2.1.
    pub marker: Option<String>,
    #[serde(default)]
    pub files: Vec<File>,
    #[serde(default)]
    pub dependencies: BTreeMap<String, PoetryDependencies>,
    #[serde(default)]
    pub extras: BTreeMap<String, Vec<String>>,
    pub source: Option<Source>,
}

/// One marker, or one for each group where these differ.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Markers {
    All(String),
    ByGroup(BTreeMap<String, String>),
}

#[derive(Clone, Deserialize)]
pub struct File {
    pub file: String,
    pub hash: String,
}

#[derive(Deserialize)]
pub struct Source {
    pub r#type: String,
    pub url: String,
    pub resolved_reference: Option<String>,
    /// The folder of the project in a repository.
    pub subdirectory: Option<String>,
}
