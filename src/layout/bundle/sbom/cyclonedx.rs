//! Bills of materials as CycloneDX 1.6 in JSON.

use serde::Serialize;

use super::super::license::License;
use super::{Manifest, ManifestBuiltFrom, ManifestFile, ManifestPackage, TOOL, WHOLE, is_tool, number, pretty, purl};
use crate::domain::Timestamp;
use crate::layout::bundle::package_graph::{PackageEdge, PackageGraph};

/// A CycloneDX document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CycloneDx {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
}

#[derive(Serialize)]
struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    tools: Tools,
    component: Component,
}

#[derive(Serialize)]
struct Tools {
    components: Vec<Component>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenseChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pedigree: Option<Pedigree>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<ExternalReference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Component>,
}

/// The components that a component was made of.
#[derive(Serialize)]
struct Pedigree {
    ancestors: Vec<Component>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum LicenseChoice {
    Expression { expression: String, acknowledgement: &'static str },
    Named { license: NamedLicense },
}

#[derive(Serialize)]
struct NamedLicense {
    #[serde(flatten)]
    name: LicenseName,
    acknowledgement: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum LicenseName {
    Id(String),
    Name(String),
}

#[derive(Serialize)]
struct ExternalReference {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
}

#[derive(Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<String>,
}

/// Returns the document for `manifest`.
pub fn text(manifest: &Manifest, created: Option<Timestamp>) -> String {
    let graph = PackageGraph::of(manifest);
    let mut document = CycloneDx {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: None,
        version: 1,
        metadata: Metadata {
            timestamp: created.map(|moment| moment.to_string()),
            tools: Tools { components: vec![named("application", TOOL)] },
            component: whole(manifest),
        },
        components: manifest
            .packages
            .iter()
            .zip(&graph.needs)
            .map(|(each, needs)| release(manifest, each, needs))
            .collect(),
        dependencies: dependencies(manifest, &graph),
    };
    document.serial_number = Some(number(&document));
    pretty(&document)
}

fn named(kind: &'static str, name: &str) -> Component {
    Component { kind, name: name.to_owned(), ..Component::default() }
}

fn whole(manifest: &Manifest) -> Component {
    let targets = manifest.targets.iter().map(|target| target.id.as_str());
    Component {
        reference: Some(WHOLE.to_owned()),
        properties: targets.map(target).collect(),
        ..named("application", WHOLE)
    }
}

fn target(id: &str) -> Property {
    Property { name: "prefetch:target", value: id.to_owned() }
}

fn release(manifest: &Manifest, package: &ManifestPackage, needs: &[PackageEdge]) -> Component {
    Component {
        reference: Some(purl::of_release(package)),
        version: package.version.clone(),
        description: package.summary.clone(),
        scope: Some(if is_tool(package) { "excluded" } else { "required" }),
        licenses: package.license.iter().map(|words| license(words)).collect(),
        purl: Some(purl::of_release(package)),
        properties: needs.iter().filter(|need| need.is_partial).flat_map(|need| targets_of(manifest, need)).collect(),
        components: package.files.iter().map(|each| file(package, each)).collect(),
        ..named("library", &package.name)
    }
}

/// Returns properties for the targets on which `need` holds, since CycloneDX's own edges hold
/// everywhere.
fn targets_of<'a>(manifest: &'a Manifest, need: &'a PackageEdge) -> impl Iterator<Item = Property> + 'a {
    let needed = purl::of_release(&manifest.packages[need.package]);
    let value = move |target: &usize| format!("{} {needed}", manifest.targets[*target].id);
    need.targets.iter().map(move |target| Property { name: "prefetch:dependency", value: value(target) })
}

fn license(words: &str) -> LicenseChoice {
    const DECLARED: &str = "declared";
    let license = License::of(words);
    let named = |name| LicenseChoice::Named { license: NamedLicense { name, acknowledgement: DECLARED } };
    match (license.id(), &license) {
        (Some(id), _) => named(LicenseName::Id(id.to_owned())),
        (None, License::Words(words)) => named(LicenseName::Name(words.clone())),
        (None, License::Expression(expression)) => {
            LicenseChoice::Expression { expression: expression.clone(), acknowledgement: DECLARED }
        }
    }
}

fn file(package: &ManifestPackage, file: &ManifestFile) -> Component {
    let source = file.url.iter().map(|url| ExternalReference { kind: "distribution", url: url.clone() });
    let size = Property { name: "prefetch:size", value: file.size.to_string() };
    let uploaded = file.uploaded.iter().map(|moment| Property { name: "prefetch:uploaded", value: moment.clone() });
    let yanked = file.yanked.iter().map(|reason| Property { name: "prefetch:yanked", value: reason.clone() });
    let targets = file.targets.iter().map(|id| target(id));
    let archive = file.built_from.as_ref().map(|from| archive(package, from));
    Component {
        reference: Some(file.path.clone()),
        version: package.version.clone(),
        hashes: vec![Hash { alg: "SHA-256", content: file.sha256.clone() }],
        purl: Some(purl::of_file(package, file)),
        pedigree: archive.map(|archive| Pedigree { ancestors: vec![archive] }),
        external_references: source.collect(),
        properties: [size].into_iter().chain(uploaded).chain(yanked).chain(targets).collect(),
        ..named("file", &file.filename)
    }
}

/// Returns the source archive that a wheel was built from.
fn archive(package: &ManifestPackage, from: &ManifestBuiltFrom) -> Component {
    let source = from.url.iter().map(|url| ExternalReference { kind: "distribution", url: url.clone() });
    let requires =
        from.build_requires.iter().map(|pin| Property { name: "prefetch:build_requirement", value: pin.clone() });
    Component {
        version: package.version.clone(),
        hashes: vec![Hash { alg: "SHA-256", content: from.sha256.clone() }],
        purl: Some(purl::of_archive(package, from)),
        external_references: source.collect(),
        properties: requires.collect(),
        ..named("file", &from.filename)
    }
}

/// Returns the dependencies of each release, and of the bundle on what was asked for; a release
/// without dependencies is listed, too.
fn dependencies(manifest: &Manifest, graph: &PackageGraph) -> Vec<Dependency> {
    let references: Vec<_> = manifest.packages.iter().map(purl::of_release).collect();
    let asked = references.iter().enumerate().filter(|(position, _)| graph.is_asked(*position));
    let whole =
        Dependency { reference: WHOLE.to_owned(), depends_on: asked.map(|(_, reference)| reference.clone()).collect() };
    let releases = references.iter().zip(&graph.needs).map(|(reference, needs)| Dependency {
        reference: reference.clone(),
        depends_on: needs.iter().map(|need| references[need.package].clone()).collect(),
    });
    [whole].into_iter().chain(releases).collect()
}
