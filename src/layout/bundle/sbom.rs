//! Bills of materials of exactly the distributions inside: a release of a project is one
//! component, and each of its files another below it.
//!
//! They follow from the manifest alone: their number is a hash of what they say, and their date is
//! that of the newest upload inside, unless `SOURCE_DATE_EPOCH` says otherwise.

mod cyclonedx;
mod identifiers;
mod purl;
mod spdx;

use uuid::Uuid;

use crate::domain::Timestamp;

use super::manifest::{Manifest, ManifestFile, ManifestPackage};

/// A format of bills of materials.
#[derive(Debug)]
pub struct SbomFormat {
    /// The word that `--sbom` takes.
    pub name: &'static str,
    /// Where a bundle has it.
    pub path: &'static str,
    /// What it is, for `--help` and the list in `README.txt`.
    pub summary: &'static str,
    text: fn(&Manifest, Option<Timestamp>) -> String,
}

impl SbomFormat {
    /// The bill of what a manifest lists; dated `created` if that is given.
    pub fn text(&self, manifest: &Manifest, created: Option<Timestamp>) -> String {
        (self.text)(manifest, created.or_else(|| newest_upload(manifest)))
    }

    /// Whether the bundle with this manifest has one.
    pub fn is_in(&self, manifest: &Manifest) -> bool {
        manifest.pages.iter().any(|page| page.path == self.path)
    }
}

/// Every format there is; `--sbom` and its help read this table.
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
    /// The date that they state, in place of that of the newest upload.
    pub created: Option<Timestamp>,
}

/// What made the documents. Its version is left out, as two versions of it may well agree.
const TOOL: &str = "prefetch";

/// What the documents call the whole.
const WHOLE: &str = "prefetch-bundle";

/// The date of a document that nothing gives one.
fn newest_upload(manifest: &Manifest) -> Option<Timestamp> {
    manifest.files().filter_map(|(_, file)| file.uploaded.as_ref()?.parse().ok()).max()
}

/// A name for `document` that no other document has (RFC 9562, version 5).
fn number(document: &impl serde::Serialize) -> String {
    const NAMESPACE: Uuid = Uuid::from_u128(0x5f0c_2b8e_9d41_4c7a_8e36_7a1d_0b94_e2c5);
    let text = serde_json::to_vec(document).expect("strings and numbers can always be written");
    Uuid::new_v5(&NAMESPACE, &text).urn().to_string()
}

fn pretty(document: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(document).expect("strings and numbers can always be written") + "\n"
}

/// Whether nothing of the package is installed: it only builds others, or is the installer.
fn is_tool(package: &ManifestPackage) -> bool {
    let is_tool = |file: &ManifestFile| !file.tools.is_empty() && file.tools.len() == file.targets.len();
    !package.files.is_empty() && package.files.iter().all(is_tool)
}

/// Whether a file is packed to be installed, and not a source archive.
fn is_wheel(file: &ManifestFile) -> bool {
    file.filename.ends_with(".whl")
}
