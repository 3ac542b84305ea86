//! Deltas: the files that one bundle has and an older one has not.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::BundleError;
use super::manifest_file::{manifest_text_at, parse};
use crate::domain::{Content, Sha256, Tree};
use crate::layout::{Manifest, literal_path};

/// The path of the file that describes a delta.
pub const DELTA_PATH: &str = "delta.json";

/// The description of a delta.
///
/// The delta has all pages of the new bundle, and those of its files that the base does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    pub schema: u32,
    /// The SHA-256 of the manifest of the base, the bundle that the delta is applied to.
    pub base: String,
    /// Paths of the files that are taken from the base, sorted.
    pub kept: Vec<String>,
    /// Names of the files that only the base has, sorted.
    pub removed: Vec<String>,
}

const SCHEMA: u32 = 1;

impl Delta {
    /// Returns the tree of the delta from the bundle with the manifest `base` to the bundle `full`.
    pub fn tree(base: &Manifest, base_sha256: Sha256, full: &Tree) -> Tree {
        let held: BTreeSet<Sha256> = base.files().filter_map(|(_, file)| file.sha256.parse().ok()).collect();
        let mut delta = Self { schema: SCHEMA, base: base_sha256.to_string(), kept: Vec::new(), removed: Vec::new() };
        let (mut tree, mut used) = (Tree::new(), BTreeSet::new());
        for (path, content) in full.iter() {
            match content {
                Content::Object { sha256, .. } if held.contains(sha256) => {
                    delta.kept.push(path.to_string());
                    used.insert(*sha256);
                }
                _ => tree.insert(path.clone(), content.clone()),
            }
        }
        let gone =
            base.files().filter(|(_, file)| file.sha256.parse().is_ok_and(|sha256: Sha256| !used.contains(&sha256)));
        delta.removed = gone.map(|(_, file)| file.filename.clone()).collect();
        delta.removed.sort();
        tree.insert(literal_path(DELTA_PATH), Content::Generated(delta.to_json()));
        tree
    }

    /// Parses the description of a delta; `None` if the text is none, or has another schema.
    pub fn from_json(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok().filter(|delta: &Self| delta.schema == SCHEMA)
    }

    fn to_json(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("strings and numbers can always be written");
        text.push(b'\n');
        text
    }
}

/// The manifest of a delta's base, with its digest.
pub struct DeltaBase {
    pub manifest: Manifest,
    pub manifest_sha256: Sha256,
}

impl DeltaBase {
    /// Reads it from the bundle at `path`, or from a manifest.
    ///
    /// # Errors
    /// When there is no manifest, or it cannot be read.
    pub fn read(path: &Path) -> Result<Self, BundleError> {
        let text = manifest_text_at(path)?;
        Ok(Self { manifest: parse(path, &text)?, manifest_sha256: Sha256::of(&text) })
    }
}
