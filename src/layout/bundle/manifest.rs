//! `prefetch.json`: what a bundle holds, where it came from, whom it serves, and what was asked.

mod from_domain;
mod request;
mod to_domain;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::TargetDescription;

pub use request::{BUNDLE_ROOT, ManifestOptions, ManifestRequest, ManifestRequirement, bundled};
pub use to_domain::ManifestValueError;

/// The manifest. Keys of a schema are stable, and additions are allowed; nothing in it tells
/// the machine, the time, or the version of the tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: u32,
    /// What was asked; each target has exactly one.
    #[serde(default)]
    pub requests: Vec<ManifestRequest>,
    /// In the order given.
    pub targets: Vec<ManifestTarget>,
    /// Sorted by name, then version.
    pub packages: Vec<ManifestPackage>,
    /// Every other file of the bundle but the digests' list and the signature, sorted by path.
    #[serde(default)]
    pub pages: Vec<ManifestPage>,
}

/// A Python and platform that the bundle serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestTarget {
    pub id: String,
    /// `3.12`.
    pub python_version: String,
    /// The newest platform tag that fits.
    pub platform: String,
    /// All that it takes to be this target again.
    pub description: Option<TargetDescription>,
}

/// One version of one project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestPackage {
    /// Normalized (PEP 503).
    pub name: String,
    pub version: Option<String>,
    /// What its metadata says it is, in a line.
    #[serde(default)]
    pub summary: Option<String>,
    /// What its metadata says: an SPDX expression, or the words of older metadata.
    #[serde(default)]
    pub license: Option<String>,
    /// `file:line`, sorted.
    pub requested_by: Vec<String>,
    /// Names of the projects that it needs on any target, sorted.
    pub dependencies: Vec<String>,
    /// Of those that are not needed on every target of the files: ids of the targets, in their
    /// order, on which they are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dependency_targets: BTreeMap<String, Vec<String>>,
    /// Sorted by file name.
    pub files: Vec<ManifestFile>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    pub filename: String,
    /// In the bundle.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Hex digits.
    pub sha256: String,
    /// Where it came from, without credentials; absent for a local file, whose path would mean
    /// nothing on another machine.
    pub url: Option<String>,
    /// What listed it, likewise.
    pub index: Option<String>,
    /// The `Requires-Python` that the index stated.
    pub requires_python: Option<String>,
    /// When it was uploaded (RFC 3339, in UTC), where the index told.
    #[serde(default)]
    pub uploaded: Option<String>,
    /// The reason, maybe empty, where the index had it withdrawn (PEP 592).
    pub yanked: Option<String>,
    /// Ids of the targets it serves, in their order.
    pub targets: Vec<String>,
    /// Ids of those of them that do not install it: it builds a source archive there, or is the
    /// installer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// Where what it needs was read, if it is a source archive: `declared`, `egg-info`, `pkg-info`,
    /// `setup.cfg`, `setup.py` or `built`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// What it was built from, where its index had no wheel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_from: Option<ManifestBuiltFrom>,
}

/// What a wheel was built from, by whoever made the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestBuiltFrom {
    /// The source archive's.
    pub filename: String,
    /// Hex digits.
    pub sha256: String,
    /// Where it came from, without credentials; absent for a local file.
    pub url: Option<String>,
    /// What took part in the build: `setuptools==80.9.0`, sorted.
    pub build_requires: Vec<String>,
    /// The id of the target that the building interpreter is.
    pub python: String,
}

/// One page that the bundle's layout composed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestPage {
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Hex digits.
    pub sha256: String,
}

/// A manifest that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("it is no manifest: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("its schema is {0}, and this prefetch knows {SCHEMA}; use a newer prefetch")]
    Schema(u32),
}

const SCHEMA: u32 = 1;

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// When the text is none, or of a later schema.
    pub fn from_json(text: &[u8]) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct SchemaHeader {
            schema: u32,
        }
        match serde_json::from_slice::<SchemaHeader>(text)?.schema {
            SCHEMA => Ok(serde_json::from_slice(text)?),
            other => Err(ManifestError::Schema(other)),
        }
    }

    /// The text of the file.
    pub fn to_json(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("strings and numbers can always be written");
        text.push(b'\n');
        text
    }

    /// Every file of every package, with its package.
    pub fn files(&self) -> impl Iterator<Item = (&ManifestPackage, &ManifestFile)> {
        self.packages.iter().flat_map(|package| package.files.iter().map(move |file| (package, file)))
    }

    /// Bytes of all files and pages; a manifest that lies may claim more than there can be.
    pub fn size(&self) -> u64 {
        let files = self.files().map(|(_, file)| file.size);
        files.chain(self.pages.iter().map(|page| page.size)).fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests;
