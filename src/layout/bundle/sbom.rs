//! Bills of materials (SBOM) of a bundle: each release of a project is a component, with its files
//! as components below it.
//!
//! They depend on the manifest alone: the serial number is a hash of the content, and the date is
//! that of the newest upload inside, unless `SOURCE_DATE_EPOCH` is set.

mod cyclonedx;
mod identifiers;
mod purl;
mod spdx;

use uuid::Uuid;

use crate::domain::Timestamp;

use super::manifest::{Manifest, ManifestBuiltFrom, ManifestFile, ManifestPackage};

/// A format of a bill of materials.
#[derive(Debug)]
pub struct SbomFormat {
    /// The format's name, as `--sbom` takes it.
    pub name: &'static str,
    /// The document's path in a bundle.
    pub path: &'static str,
    /// What the document is, for `--help` and the list in `README.txt`.
    pub summary: &'static str,
    text: fn(&Manifest, Option<Timestamp>) -> String,
}

impl SbomFormat {
    /// Returns the document for a manifest, dated `created` if that is given.
    pub fn text(&self, manifest: &Manifest, created: Option<Timestamp>) -> String {
        (self.text)(manifest, created.or_else(|| newest_upload(manifest)))
    }

    /// Whether the bundle with this manifest has a document of this format.
    pub fn is_in(&self, manifest: &Manifest) -> bool {
        manifest.pages.iter().any(|page| page.path == self.path)
    }
}

/// Every format; `--sbom` and its help read this table.
pub const SBOMS: &[SbomFormat] = &[
    SbomFormat {
        name: "cyclonedx",
        path: "sbom.cdx.json",
        summary: "a bill of materials (CycloneDX 1.6)",
        text: cyclonedx::text,
    },
    SbomFormat { name: "spdx", path: "sbom.spdx.json", summary: "a bill of materials (SPDX 2.3)", text: spdx::text },
];

/// Which bills of materials a bundle gets.
#[derive(Clone, Debug, Default)]
pub struct Sboms {
    pub formats: Vec<&'static SbomFormat>,
    /// The date that they state instead of that of the newest upload.
    pub created: Option<Timestamp>,
}

/// The name of the tool that made the documents; its version is left out, so that two versions can
/// write the same document.
const TOOL: &str = "prefetch";

/// The name of the component that stands for the whole bundle.
const WHOLE: &str = "prefetch-bundle";

/// Returns the default date of a document: that of the newest upload in the bundle.
fn newest_upload(manifest: &Manifest) -> Option<Timestamp> {
    manifest.files().filter_map(|(_, file)| file.uploaded.as_ref()?.parse().ok()).max()
}

/// Returns a UUID that is a hash of `document` (RFC 9562, version 5).
fn number(document: &impl serde::Serialize) -> String {
    const NAMESPACE: Uuid = Uuid::from_u128(0x5f0c_2b8e_9d41_4c7a_8e36_7a1d_0b94_e2c5);
    let text = serde_json::to_vec(document).expect("strings and numbers can always be written");
    Uuid::new_v5(&NAMESPACE, &text).urn().to_string()
}

fn pretty(document: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(document).expect("strings and numbers can always be written") + "\n"
}

/// Whether the package is nowhere installed, since it only builds others or is the installer.
fn is_tool(package: &ManifestPackage) -> bool {
    let is_tool = |file: &ManifestFile| !file.tools.is_empty() && file.tools.len() == file.targets.len();
    !package.files.is_empty() && package.files.iter().all(is_tool)
}

/// Whether the file is a wheel.
fn is_wheel(file: &ManifestFile) -> bool {
    file.filename.ends_with(".whl")
}
