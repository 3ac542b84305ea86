//! `prefetch.json`, the manifest of a bundle: its files, their origins, its targets, and the
//! requests it was made for.

mod from_domain;
mod request;
mod to_domain;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::{TargetDescription, VcsInfo};

pub use request::{BUNDLE_ROOT, ManifestOptions, ManifestRequest, ManifestRequirement, bundled};
pub use to_domain::ManifestValueError;

/// The manifest of a bundle.
///
/// Keys of a schema are stable, and additions are allowed. It contains nothing about the machine,
/// the time, or the version of the tool that wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: u32,
    /// The requests that were resolved; each target belongs to exactly one.
    #[serde(default)]
    pub requests: Vec<ManifestRequest>,
    /// The targets, in the order in which the user named them.
    pub targets: Vec<ManifestTarget>,
    /// The packages, sorted by name, then version.
    pub packages: Vec<ManifestPackage>,
    /// The project whose lock was fetched, if its own tool installs it from the bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ManifestProject>,
    /// Every other file of the bundle but `SHA256SUMS` and the signature, sorted by path.
    #[serde(default)]
    pub pages: Vec<ManifestPage>,
}

/// A project that its own tool installs from the bundle by its lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestProject {
    /// The format of the lock, such as `uv.lock`.
    pub lock: String,
    /// Whether the project's own dependencies are packed.
    pub dependencies: bool,
    /// The extras that are packed.
    pub extras: Vec<String>,
    /// The dependency groups that are packed.
    pub groups: Vec<String>,
    /// Whether what all members of the workspace need is packed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_members: bool,
    /// The members whose needs are packed in the place of the project's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// The options by which the tool installs just that; empty if it does without any.
    pub options: Vec<String>,
    /// How the install scripts run the tool; absent in bundles of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installer: Option<ManifestInstaller>,
}

/// How a tool is run that installs a project from the bundle, by its own lock and in its folder.
///
/// In all texts `{bundle}` stands for the absolute path of the bundle, `{url}` for the URL of its
/// folder with a slash at its end, and `{project}` for the absolute path of the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestInstaller {
    pub name: String,
    /// The words of the command.
    pub command: Vec<String>,
    /// The environment variables that it needs.
    pub variables: BTreeMap<String, String>,
    /// A Python script of the bundle that is run before, and its argument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparation: Option<[String; 2]>,
}

/// A Python and platform that the bundle serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestTarget {
    pub id: String,
    /// The Python version as major and minor, such as `3.12`.
    pub python_version: String,
    /// The newest platform tag of the target.
    pub platform: String,
    /// A full description, from which the same target can be made again.
    pub description: Option<TargetDescription>,
}

/// One version of one project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestPackage {
    /// The project's name, normalized (PEP 503).
    pub name: String,
    pub version: Option<String>,
    /// The `Summary` of its metadata, in one line.
    #[serde(default)]
    pub summary: Option<String>,
    /// The licence of its metadata: an SPDX expression, or the free text of older metadata.
    #[serde(default)]
    pub license: Option<String>,
    /// The input lines that led to it, each as `file:line`, sorted.
    pub requested_by: Vec<String>,
    /// Names of the projects that it needs on any target, sorted.
    pub dependencies: Vec<String>,
    /// The dependencies that are needed on some targets only: the ids of these targets, in their
    /// order, by project name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dependency_targets: BTreeMap<String, Vec<String>>,
    /// The package's files, sorted by file name.
    pub files: Vec<ManifestFile>,
}

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    pub filename: String,
    /// The file's path in the bundle.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// The SHA-256 in hex digits.
    pub sha256: String,
    /// The URL it was fetched from, without credentials; absent for a local file, whose path would
    /// mean nothing on another machine.
    pub url: Option<String>,
    /// The URL of the index or page that listed it, without credentials; absent for a local one.
    pub index: Option<String>,
    /// The `Requires-Python` that the index states.
    pub requires_python: Option<String>,
    /// The upload time (RFC 3339, in UTC), if the index states one.
    #[serde(default)]
    pub uploaded: Option<String>,
    /// The commit that it was packed from (PEP 610), if it comes from a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vcs_info: Option<VcsInfo>,
    /// The reason, maybe empty, if the index says that the file was yanked (PEP 592).
    pub yanked: Option<String>,
    /// Ids of the targets that it serves, in their order.
    pub targets: Vec<String>,
    /// Ids of those of its targets on which it is not installed, since it only builds a source
    /// archive there or is the installer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// How the dependencies of a source archive were found out: `declared`, `egg-info`, `pkg-info`,
    /// `setup.cfg`, `setup.py` or `built`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// The source archive that it was built from, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_from: Option<ManifestBuiltFrom>,
}

/// The source archive that a wheel was built from by whoever made the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestBuiltFrom {
    /// The file name of the archive.
    pub filename: String,
    /// The SHA-256 of the archive in hex digits.
    pub sha256: String,
    /// The URL of the archive, without credentials; absent for a local file.
    pub url: Option<String>,
    /// The build requirements that were installed, sorted: `setuptools==80.9.0`.
    pub build_requires: Vec<String>,
    /// The id of the target of the interpreter that built it.
    pub python: String,
    /// The release of glibc that its compiled code wants at least: `2.17`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glibc: Option<String>,
    /// Whether its compiled code wants the standard library of C++.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cpp: bool,
    /// The libraries that it is linked to and that no manylinux platform promises, sorted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub libraries: BTreeSet<String>,
}

/// One page of the bundle that its layout generated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestPage {
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// The SHA-256 in hex digits.
    pub sha256: String,
}

/// Why a manifest cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("it is no manifest: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("its schema is {0}, and this prefetch knows {SCHEMA}; use a newer prefetch")]
    Schema(u32),
}

const SCHEMA: u32 = 1;

impl Manifest {
    /// Parses a manifest.
    ///
    /// # Errors
    /// When the text is no manifest, or has a later schema.
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

    /// Returns the text of `prefetch.json`.
    pub fn to_json(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("strings and numbers can always be written");
        text.push(b'\n');
        text
    }

    /// Returns every file of every package, together with its package.
    pub fn files(&self) -> impl Iterator<Item = (&ManifestPackage, &ManifestFile)> {
        self.packages.iter().flat_map(|package| package.files.iter().map(move |file| (package, file)))
    }

    /// Returns the bytes of all files and pages, saturating: a forged manifest may claim more than
    /// there can be.
    pub fn size(&self) -> u64 {
        let files = self.files().map(|(_, file)| file.size);
        files.chain(self.pages.iter().map(|page| page.size)).fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests;
