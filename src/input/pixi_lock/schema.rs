//! The parts of pixi.lock that tell of the packages of a Python index.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What every version of the format has.
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
    /// Since version 7, what the platforms of environments are called.
    #[serde(default)]
    pub platforms: Vec<Platform>,
}

#[derive(Deserialize)]
pub struct Environment {
    /// By platform: a conda subdir, or a name of [`Document::platforms`].
    #[serde(default)]
    pub packages: BTreeMap<String, Vec<Reference>>,
}

/// A package of an environment: one of the two.
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
    /// In version 5.
    pub url: Option<String>,
    /// In version 5.
    pub path: Option<String>,
    pub name: Option<String>,
    pub version: Option<String>,
    pub sha256: Option<String>,
    #[serde(default)]
    pub requires_dist: Vec<String>,
}

impl Package {
    /// The URL or path by which environments refer to a package of a Python index.
    pub fn reference(&self) -> Option<&str> {
        match (&self.pypi, self.kind.as_deref()) {
            (Some(reference), _) => Some(reference),
            (None, Some("pypi")) => self.url.as_deref().or(self.path.as_deref()),
            _ => None,
        }
    }
}
