//! The parts of pylock.toml that matter for the selection.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document {
    pub lock_version: String,
    pub created_by: Option<String>,
    pub environments: Option<Vec<String>>,
    pub requires_python: Option<String>,
    #[serde(default)]
    pub extras: Vec<String>,
    #[serde(default)]
    pub dependency_groups: Vec<String>,
    #[serde(default)]
    pub default_groups: Vec<String>,
    #[serde(default)]
    pub packages: Vec<Spanned<Package>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Package {
    pub name: String,
    pub version: Option<String>,
    pub marker: Option<String>,
    pub requires_python: Option<String>,
    #[serde(default)]
    pub dependencies: Vec<Dependency>,
    pub vcs: Option<Repository>,
    pub directory: Option<Directory>,
    pub archive: Option<File>,
    pub index: Option<String>,
    pub sdist: Option<File>,
    #[serde(default)]
    pub wheels: Vec<File>,
}

#[derive(Deserialize)]
pub struct Dependency {
    pub name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Repository {
    pub r#type: String,
    pub url: Option<String>,
    pub path: Option<String>,
    pub commit_id: Option<String>,
    pub subdirectory: Option<String>,
}

#[derive(Deserialize)]
pub struct Directory {
    pub path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct File {
    pub name: Option<String>,
    pub url: Option<String>,
    pub path: Option<String>,
    pub size: Option<u64>,
    pub upload_time: Option<toml::value::Datetime>,
    #[serde(default)]
    pub hashes: BTreeMap<String, String>,
}
