//! The layout of a bundle: a `find-links` folder with a manifest, pinned requirements, install
//! scripts and documents for the person who unpacks it.

mod install;
mod license;
mod manifest;
mod overview;
mod package_graph;
mod project_installer;
mod pylock;
mod readme;
mod requirements;
mod sbom;
mod sums;
mod target_markers;

use std::collections::BTreeMap;

pub use license::License;
pub use manifest::{
    BUNDLE_ROOT, Manifest, ManifestError, ManifestFile, ManifestOptions, ManifestPackage, ManifestPage,
    ManifestProject, ManifestRequest, ManifestRequirement, ManifestTarget, ManifestValueError, bundled,
};
pub use package_graph::PackageGraph;
pub use project_installer::{BundleLocation, NotServed, PROJECT_INSTALLERS, ProjectInstaller, project_of};
pub use sbom::{SBOMS, SbomFormat, Sboms};
pub use sums::sums;

use crate::domain::{Content, Fetched, LockedProject, ProjectSummary, Sha256, TargetedQuestion, Tree};
use crate::parallel;

use super::checked_tree::literal_path;
use super::{FindLinks, Layout, LayoutError};
use target_markers::TargetMarkers;

/// The path of the [`Manifest`] in a bundle.
pub const MANIFEST_PATH: &str = "prefetch.json";

/// The path of the pinned requirements in a bundle.
pub const REQUIREMENTS_PATH: &str = "requirements.txt";

/// The path of the digests of all other files of a bundle, in the format of `sha256sum -c`.
pub const SUMS_PATH: &str = "SHA256SUMS";

/// The path of the signature of the manifest in a signed bundle.
pub const SIGNATURE_PATH: &str = "prefetch.json.minisig";

/// The folder of a bundle that holds its wheels and source archives.
pub const WHEELS: &str = "wheels";

/// The summaries of distributions, by the SHA-256 of the file.
pub type ProjectSummaries = BTreeMap<Sha256, ProjectSummary>;

/// Everything that the content of a bundle depends on.
#[derive(Clone, Copy, Debug)]
pub struct BundleInput<'a> {
    pub fetched: &'a Fetched,
    /// The questions that were answered; each target belongs to exactly one.
    pub questions: &'a [TargetedQuestion],
    pub summaries: &'a ProjectSummaries,
    pub sboms: &'a Sboms,
    /// The project whose lock was fetched.
    pub project: Option<&'a LockedProject>,
}

/// A page of a bundle that this layout generates.
struct BundlePage {
    path: &'static str,
    /// What the page is, for the list in `README.txt`.
    summary: &'static str,
    /// Returns the page's text, or `None` if this bundle does not have the page.
    text: fn(&PageSource<'_>) -> Option<String>,
}

/// The data that documents are generated from.
struct PageSource<'a> {
    input: &'a BundleInput<'a>,
    /// The fetched packages without those that are only tools (builds, the installer).
    installed: &'a Fetched,
    target_markers: &'a TargetMarkers,
    /// The manifest, still without its list of pages.
    manifest: &'a Manifest,
}

/// The generated documents, in the order in which `README.txt` lists them.
///
/// The manifest, the digests, `README.txt` and the pins of single targets are not among them.
const PAGES: &[BundlePage] = &[
    BundlePage {
        path: REQUIREMENTS_PATH,
        summary: "their versions and SHA-256 digests, which pip checks",
        text: |of| Some(requirements::text(of.installed, of.target_markers)),
    },
    BundlePage {
        path: "pylock.toml",
        summary: "the same as a lock file (PEP 751), for newer installers",
        text: |of| pylock::text(of.installed, of.target_markers),
    },
    BundlePage {
        path: "install.sh",
        summary: "makes an environment and installs, on Unix",
        text: |_| Some(install::shell()),
    },
    BundlePage { path: "install.ps1", summary: "the same on Windows", text: |_| Some(install::power_shell()) },
    BundlePage {
        path: "index.html",
        summary: "what is here, to look at in a browser",
        text: |of| Some(overview::text(of.manifest, &readme::how_to_install(of))),
    },
];

/// Returns the tree of a whole bundle.
///
/// # Errors
/// As [`Layout::tree`] of `find-links`.
pub fn bundle(input: &BundleInput<'_>) -> Result<Tree, LayoutError> {
    let served = input.project.and_then(|project| project_installer::project_pages(project, input.fetched).ok()?);
    let (project, files) = served.map(|pages| (pages.manifest, pages.files)).unzip();
    let manifest = Manifest::of(input).with_project(project);
    let mut tree = FindLinks.tree(input.fetched)?.under(&literal_path(WHEELS));
    for (path, text) in pages(input, &manifest) {
        tree.insert(literal_path(&path), Content::Generated(text.into_bytes()));
    }
    for (path, bytes) in files.into_iter().flatten() {
        tree.insert(path, Content::Generated(bytes));
    }
    let manifest = manifest.with_pages(listed(&tree));
    tree.insert(literal_path(MANIFEST_PATH), Content::Generated(manifest.to_json()));
    tree.insert(literal_path(SUMS_PATH), Content::Generated(sums_of(&tree)));
    Ok(tree)
}

/// Returns the text of `SHA256SUMS` for the other files of a bundle, without its signature.
pub fn sums_of(tree: &Tree) -> Vec<u8> {
    sums(digests(tree)).into_bytes()
}

/// Returns the overview page of a bundle that is not unpacked.
pub fn overview(manifest: &Manifest) -> String {
    overview::text(manifest, "")
}

/// Returns the paths of a bundle's pinned requirements: one file, or one per target if no marker
/// tells the targets apart.
pub fn requirements_paths(fetched: &Fetched) -> Vec<String> {
    let installed = &fetched.installed();
    if TargetMarkers::of(installed).are_ambiguous(installed) {
        installed.targets.iter().map(|target| requirements::path_for_target(target.id())).collect()
    } else {
        vec![REQUIREMENTS_PATH.to_owned()]
    }
}

/// Returns the requirements files that pin the content of a folder of distributions, at the paths of
/// [`requirements_paths`].
pub fn pins(fetched: &Fetched) -> Tree {
    let installed = &fetched.installed();
    let target_markers = TargetMarkers::of(installed);
    let texts = match target_markers.are_ambiguous(installed) {
        true => (0..installed.targets.len()).map(|at| requirements::beside_files_for_target(installed, at)).collect(),
        false => vec![requirements::beside_files(&installed.packages, &target_markers)],
    };
    let mut tree = Tree::new();
    for (path, text) in requirements_paths(fetched).iter().zip(texts) {
        tree.insert(literal_path(path), Content::Generated(text.into_bytes()));
    }
    tree
}

/// Returns the generated pages of a bundle, each as path and text.
fn pages(input: &BundleInput<'_>, manifest: &Manifest) -> Vec<(String, String)> {
    let installed = &input.fetched.installed();
    let target_markers = TargetMarkers::of(installed);
    let source = PageSource { input, installed, target_markers: &target_markers, manifest };
    let documents = documents(&source);
    let sboms = input
        .sboms
        .formats
        .iter()
        .map(|format| (format.path, format.summary, format.text(manifest, input.sboms.created)));
    let (listed, mut pages): (Vec<_>, Vec<_>) = documents
        .into_iter()
        .chain(sboms)
        .map(|(path, summary, text)| ((path, summary), (path.to_owned(), text)))
        .unzip();
    pages.push(("README.txt".to_owned(), readme::text(&source, &listed)));
    if target_markers.are_ambiguous(installed) {
        let targets = installed.targets.iter().enumerate();
        pages.extend(targets.map(|(position, target)| {
            (requirements::path_for_target(target.id()), requirements::for_target(installed, position))
        }));
    }
    pages
}

/// Returns path, summary and text of each of [`PAGES`] that this bundle has; they are generated
/// in parallel.
fn documents(source: &PageSource<'_>) -> Vec<(&'static str, &'static str, String)> {
    let compose = |document: &BundlePage| Some((document.path, document.summary, (document.text)(source)?));
    parallel::map(PAGES, PAGES.len(), compose).into_iter().flatten().collect()
}

fn listed(tree: &Tree) -> Vec<ManifestPage> {
    let pages = tree.iter().filter_map(|(path, content)| match content {
        Content::Generated(bytes) => Some(ManifestPage {
            path: path.to_string(),
            size: bytes.len() as u64,
            sha256: Sha256::of(bytes).to_string(),
        }),
        Content::Object { .. } | Content::PipCacheEntry(_) => None,
    });
    pages.collect()
}

fn digests(tree: &Tree) -> impl Iterator<Item = (&str, Sha256)> {
    tree.iter().map(|(path, content)| match content {
        Content::Generated(bytes) => (path.as_str(), Sha256::of(bytes)),
        Content::Object { sha256, .. } => (path.as_str(), *sha256),
        Content::PipCacheEntry(_) => unreachable!("a bundle wraps no file"),
    })
}

#[cfg(test)]
mod hostile_tests;

#[cfg(test)]
mod tests {
    use crate::layout::test_fixtures::{bundled, fetched, file, package, paths};

    #[test]
    fn a_bundle_holds_files_and_pages() {
        let world = fetched(vec![package("demo", "1.0", vec![file("demo-1.0-py3-none-any.whl", b"wheel")])]);
        let expected = [
            "README.txt",
            "SHA256SUMS",
            "index.html",
            "install.ps1",
            "install.sh",
            "prefetch.json",
            "pylock.toml",
            "requirements.txt",
            "wheels/demo-1.0-py3-none-any.whl",
        ];
        assert_eq!(paths(&bundled(&world)), expected);
    }
}
