//! The parts of pdm.lock that matter for the selection.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
pub struct Document {
    #[serde(default)]
    pub package: Vec<Spanned<Package>>,
    #[serde(default)]
    pub metadata: Metadata,
}

/// The fields that every version of the format has.
#[derive(Deserialize)]
pub struct Head {
    #[serde(default)]
    pub metadata: HeadMetadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct HeadMetadata {
    pub lock_version: Option<String>,
    pub strategy: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The locked groups; `None` before PDM 2.5.
    pub groups: Option<Vec<String>>,
    pub targets: Vec<LockTarget>,
    /// The digest of the project that was locked.
    pub content_hash: Option<String>,
    /// The files by name and version, such as `demo 1.0`, up to lock_version 4.2.
    pub files: BTreeMap<String, Vec<File>>,
}

#[derive(Deserialize)]
pub struct LockTarget {
    pub requires_python: Option<String>,
}

#[derive(Deserialize)]
pub struct Package {
    pub name: String,
    pub version: Option<String>,
    /// The extras of this entry, which exists beside the one without extras.
    #[serde(default)]
    pub extras: Vec<String>,
    #[serde(default)]
    pub groups: Vec<String>,
    pub marker: Option<String>,
    #[serde(default)]
    pub dependencies: Vec<String>,
    #[serde(default)]
    pub files: Vec<File>,
    pub path: Option<String>,
    #[serde(default)]
    pub editable: bool,
    pub url: Option<String>,
    pub git: Option<String>,
    pub revision: Option<String>,
    /// The folder of the project in the repository.
    pub subdirectory: Option<String>,
}

#[derive(Deserialize)]
pub struct File {
    pub file: Option<String>,
    pub url: Option<String>,
    pub hash: String,
}
