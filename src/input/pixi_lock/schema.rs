//! The parts of pixi.lock about packages from Python indexes.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The fields that every version of the format has.
#[derive(Deserialize)]
pub struct Head {
    pub version: u64,
}

#[derive(Deserialize)]
pub struct Document {
    #[serde(default)]
    pub environments: BTreeMap<String, Environment>,
    #[serde(default)]
    pub packages: Vec<Package>,
    /// The names of the environments' platforms, since version 7.
    #[serde(default)]
    pub platforms: Vec<Platform>,
}

#[derive(Deserialize)]
pub struct Environment {
    /// The packages by platform: a conda subdir, or a name of [`Document::platforms`].
    #[serde(default)]
    pub packages: BTreeMap<String, Vec<Reference>>,
}

/// A package of an environment: one of the two fields is set.
#[derive(Deserialize)]
pub struct Reference {
    pub conda: Option<String>,
    pub pypi: Option<String>,
}

#[derive(Deserialize)]
pub struct Platform {
    pub name: String,
    pub subdir: Option<String>,
}

#[derive(Deserialize)]
pub struct Package {
    /// The URL or path of a package of a Python index, since version 6.
    pub pypi: Option<String>,
    /// `pypi` or `conda`, in version 5.
    pub kind: Option<String>,
    /// The URL, in version 5.
    pub url: Option<String>,
    /// The path, in version 5.
    pub path: Option<String>,
    pub name: Option<String>,
    pub version: Option<String>,
    pub sha256: Option<String>,
    #[serde(default)]
    pub requires_dist: Vec<String>,
}

impl Package {
    /// Returns the URL or path by which environments refer to a package from a Python index.
    pub fn reference(&self) -> Option<&str> {
        match (&self.pypi, self.kind.as_deref()) {
            (Some(reference), _) => Some(reference),
            (None, Some("pypi")) => self.url.as_deref().or(self.path.as_deref()),
            _ => None,
        }
    }
}
