//! Bills of materials as SPDX 2.3 in JSON.

use serde::Serialize;

use super::super::license::License;
use super::identifiers::Identifiers;
use super::{
    Manifest, ManifestBuiltFrom, ManifestFile, ManifestPackage, TOOL, WHOLE, is_tool, is_wheel, number, pretty, purl,
};
use crate::domain::Timestamp;
use crate::layout::bundle::package_graph::{PackageEdge, PackageGraph};

/// The value of a required field of which nothing is known.
const UNKNOWN: &str = "NOASSERTION";

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const BUNDLE: &str = "SPDXRef-Bundle";

/// An SPDX document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpdxDocument {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_namespace: Option<String>,
    creation_info: CreationInfo,
    packages: Vec<SpdxPackage>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    has_extracted_licensing_infos: Vec<ExtractedLicense>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
struct CreationInfo {
    comment: &'static str,
    created: String,
    creators: Vec<String>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct SpdxPackage {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_info: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_file_name: Option<String>,
    primary_package_purpose: &'static str,
    supplier: &'static str,
    download_location: String,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum>,
    license_concluded: &'static str,
    license_declared: String,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release_date: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<ExternalRef>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: &'static str,
    checksum_value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtractedLicense {
    license_id: String,
    name: String,
    extracted_text: String,
    comment: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: &'static str,
    related_spdx_element: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

/// Returns the document for `manifest`.
///
/// SPDX requires a date; if nothing gives one, it is the beginning of Unix time.
pub fn text(manifest: &Manifest, created: Option<Timestamp>) -> String {
    let mut writer = Writer::default();
    writer.packages.push(whole(manifest));
    let releases: Vec<_> = manifest.packages.iter().map(|package| writer.release(package)).collect();
    writer.relate(DOCUMENT, "DESCRIBES", BUNDLE);
    writer.relate_releases(manifest, &releases);
    let mut document = SpdxDocument {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: WHOLE,
        document_namespace: None,
        creation_info: CreationInfo {
            comment: "The same bundle gives the same document: the date is SOURCE_DATE_EPOCH, else that of the \
                      newest upload inside, else the beginning of Unix time.",
            created: created.unwrap_or(Timestamp(0)).to_string(),
            creators: vec![format!("Tool: {TOOL}")],
        },
        packages: writer.packages,
        has_extracted_licensing_infos: writer.licenses,
        relationships: writer.relationships,
    };
    document.document_namespace = Some(number(&document));
    pretty(&document)
}

fn whole(manifest: &Manifest) -> SpdxPackage {
    SpdxPackage {
        comment: serving(manifest.targets.iter().map(|target| &target.id)),
        ..package(BUNDLE, WHOLE, "ARCHIVE")
    }
}

fn package(id: &str, name: &str, primary_package_purpose: &'static str) -> SpdxPackage {
    SpdxPackage {
        id: id.to_owned(),
        name: name.to_owned(),
        primary_package_purpose,
        supplier: UNKNOWN,
        download_location: UNKNOWN.to_owned(),
        license_concluded: UNKNOWN,
        license_declared: UNKNOWN.to_owned(),
        copyright_text: UNKNOWN,
        ..SpdxPackage::default()
    }
}

fn serving<'a>(targets: impl Iterator<Item = &'a String>) -> Option<String> {
    let ids: Vec<_> = targets.map(String::as_str).collect();
    (!ids.is_empty()).then(|| format!("Targets: {}", ids.join(", ")))
}

fn purl_ref(purl: String) -> Vec<ExternalRef> {
    vec![ExternalRef { reference_category: "PACKAGE-MANAGER", reference_type: "purl", reference_locator: purl }]
}

/// Collects the parts of a document.
#[derive(Default)]
struct Writer {
    names: Identifiers,
    packages: Vec<SpdxPackage>,
    licenses: Vec<ExtractedLicense>,
    relationships: Vec<Relationship>,
}

impl Writer {
    /// Adds a release and its files; returns its identifier.
    fn release(&mut self, release: &ManifestPackage) -> String {
        let text = format!("{} {}", release.name, release.version.as_deref().unwrap_or_default());
        let id = self.names.of("SPDXRef-Package-", &text);
        let license = self.license(release.license.as_deref());
        self.packages.push(SpdxPackage {
            version_info: release.version.clone(),
            license_declared: license.clone(),
            summary: release.summary.clone(),
            external_refs: purl_ref(purl::of_release(release)),
            ..package(&id, &release.name, "LIBRARY")
        });
        for file in &release.files {
            let artifact = self.file(release, file, &license);
            self.relate(&id, "DISTRIBUTION_ARTIFACT", &artifact);
        }
        id
    }

    fn file(&mut self, release: &ManifestPackage, file: &ManifestFile, license: &str) -> String {
        let id = self.names.of("SPDXRef-File-", &file.filename);
        self.packages.push(SpdxPackage {
            version_info: release.version.clone(),
            package_file_name: Some(file.path.clone()),
            download_location: file.url.clone().unwrap_or_else(|| UNKNOWN.to_owned()),
            checksums: vec![Checksum { algorithm: "SHA256", checksum_value: file.sha256.clone() }],
            license_declared: license.to_owned(),
            comment: serving(file.targets.iter()),
            release_date: file.uploaded.clone(),
            external_refs: purl_ref(purl::of_file(release, file)),
            ..package(&id, &release.name, if is_wheel(file) { "ARCHIVE" } else { "SOURCE" })
        });
        if let Some(from) = &file.built_from {
            let archive = self.archive(release, from, license);
            self.relate(&id, "GENERATED_FROM", &archive);
        }
        id
    }

    /// Adds the source archive that a file was built from; returns its identifier.
    fn archive(&mut self, release: &ManifestPackage, from: &ManifestBuiltFrom, license: &str) -> String {
        let id = self.names.of("SPDXRef-File-", &from.filename);
        let comment = format!("Built with {}", from.build_requires.join(", "));
        self.packages.push(SpdxPackage {
            version_info: release.version.clone(),
            download_location: from.url.clone().unwrap_or_else(|| UNKNOWN.to_owned()),
            checksums: vec![Checksum { algorithm: "SHA256", checksum_value: from.sha256.clone() }],
            license_declared: license.to_owned(),
            comment: (!from.build_requires.is_empty()).then_some(comment),
            external_refs: purl_ref(purl::of_archive(release, from)),
            ..package(&id, &release.name, "SOURCE")
        });
        id
    }

    /// Returns the licence as an expression; free text becomes a licence that the document defines.
    fn license(&mut self, words: Option<&str>) -> String {
        let Some(words) = words else { return UNKNOWN.to_owned() };
        let license = License::of(words);
        for reference in license.references() {
            self.extract(&reference, &reference, "A name of the project's own; the text is in its distributions.");
        }
        match license {
            License::Expression(expression) => expression,
            License::Words(words) => {
                let id = self.names.of("LicenseRef-stated-", &words);
                self.extract(
                    &id,
                    &words,
                    "What the metadata says, which names no licence of the SPDX list for certain.",
                );
                id
            }
        }
    }

    fn extract(&mut self, id: &str, text: &str, comment: &'static str) {
        if !self.licenses.iter().any(|known| known.license_id == id) {
            let (license_id, name) = (id.to_owned(), text.to_owned());
            self.licenses.push(ExtractedLicense { license_id, extracted_text: name.clone(), name, comment });
        }
    }

    fn relate(&mut self, one: &str, relationship_type: &'static str, other: &str) {
        self.relationships.push(Relationship {
            spdx_element_id: one.to_owned(),
            relationship_type,
            related_spdx_element: other.to_owned(),
            comment: None,
        });
    }

    /// Adds a dependency; if it holds on some of the package's targets only, a comment names them.
    fn relate_need(&mut self, manifest: &Manifest, one: &str, need: &PackageEdge, other: &str) {
        self.relate(one, "DEPENDS_ON", other);
        let on = need.targets.iter().map(|target| &manifest.targets[*target].id);
        if let Some(relationship) = self.relationships.last_mut().filter(|_| need.is_partial) {
            relationship.comment = serving(on);
        }
    }

    fn relate_releases(&mut self, manifest: &Manifest, ids: &[String]) {
        let graph = PackageGraph::of(manifest);
        for (position, package) in manifest.packages.iter().enumerate() {
            self.relate(BUNDLE, "CONTAINS", &ids[position]);
            if graph.is_asked(position) {
                self.relate(BUNDLE, "DEPENDS_ON", &ids[position]);
            }
            if is_tool(package) {
                self.relate(&ids[position], "BUILD_TOOL_OF", BUNDLE);
            }
            for need in &graph.needs[position] {
                self.relate_need(manifest, &ids[position], need, &ids[need.package]);
            }
        }
    }
}
