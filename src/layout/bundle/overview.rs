//! `index.html` of a bundle: an overview of its content for a browser without a network.
//!
//! The page loads nothing. Text from metadata is written here, escaped; the script in the page
//! sorts, filters and draws from the same data. The page's Content Security Policy allows only its
//! own style and script, by their digests.

mod data;
mod format;
mod tables;
mod template;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use super::license::License;
use super::manifest::{Manifest, ManifestFile, ManifestPackage};
use super::package_graph::PackageGraph;
use crate::layout::html::escape;

const PAGE: &str = include_str!("overview/page.html");
const STYLE: &str = include_str!("overview/style.css");

/// The parts of the page's script, in the order in which they run.
const SCRIPTS: [&str; 4] = [
    include_str!("overview/table.js"),
    include_str!("overview/treemap.js"),
    include_str!("overview/graph.js"),
    include_str!("overview/main.js"),
];

/// Returns the text of the page.
///
/// `how_to_install` is paragraphs, in which the lines to type are indented; it is empty for a bundle
/// that is not unpacked.
pub fn text(manifest: &Manifest, how_to_install: &str) -> String {
    let graph = PackageGraph::of(manifest);
    let script = format!("\"use strict\";\n(() => {{\n{}}})();\n", SCRIPTS.join("\n"));
    let [style_hash, script_hash] = [STYLE, &script].map(hash);
    template::fill(
        PAGE,
        &[
            ("TITLE", &escape(&title(manifest, &graph))),
            ("STYLE_HASH", &style_hash),
            ("SCRIPT_HASH", &script_hash),
            ("STYLE", STYLE),
            ("SCRIPT", &script),
            ("LEAD", &tables::summary_sentence(manifest)),
            ("INSTALL", &tables::install(how_to_install)),
            ("TARGET_OPTIONS", &tables::target_options(manifest)),
            ("ROWS", &tables::packages(manifest, &graph)),
            ("LICENSES", &tables::licenses(manifest)),
            ("TARGETS", &tables::targets(manifest)),
            ("DATA", &data::text(manifest, &graph)),
        ],
    )
}

/// Returns a hash source of the Content Security Policy (CSP level 2), such as `'sha256-…'`.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text)))
}

/// Returns the page's title: the names that were asked for, if they are few.
fn title(manifest: &Manifest, graph: &PackageGraph) -> String {
    let asked = manifest.packages.iter().enumerate().filter(|(position, _)| graph.is_asked(*position));
    let mut names: Vec<_> = asked.map(|(_, package)| package.name.as_str()).collect();
    names.dedup();
    match names.as_slice() {
        [] => "Bundle".to_owned(),
        [first, second, rest @ ..] if rest.len() > 1 => format!("Bundle of {first}, {second} and {} more", rest.len()),
        names => format!("Bundle of {}", names.join(", ")),
    }
}

/// Returns the bytes of all files of a package, or of those that serve `target`.
fn bytes(package: &ManifestPackage, target: Option<&str>) -> u64 {
    let serves = |file: &&ManifestFile| target.is_none_or(|id| file.targets.iter().any(|each| each == id));
    package.files.iter().filter(serves).map(|file| file.size).fold(0, u64::saturating_add)
}

/// Returns the licence by which the tables group a package.
fn license(package: &ManifestPackage) -> Option<License> {
    package.license.as_deref().map(License::of)
}

/// Returns the upload time of the package's oldest file.
fn uploaded(package: &ManifestPackage) -> Option<&str> {
    package.files.iter().filter_map(|file| file.uploaded.as_deref()).min()
}

#[cfg(test)]
mod tests;
