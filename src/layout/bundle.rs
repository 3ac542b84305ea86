//! The tree of a bundle: a `find-links` folder, a manifest, pinned requirements, and pages for
//! the person who unpacks it.

mod conditions;
mod install;
mod manifest;
mod pylock;
mod readme;
mod requirements;
mod sums;

use std::collections::BTreeMap;

pub use manifest::{
    BUNDLE_ROOT, Manifest, ManifestError, ManifestFile, ManifestOptions, ManifestPackage, ManifestPage,
    ManifestRequest, ManifestRequirement, ManifestTarget, RecallError,
};
pub use sums::sums;

use crate::domain::{Content, Fetched, Request, Sha256, Tree};

use super::files::known;
use super::{FindLinks, Layout, LayoutError};
use conditions::Conditions;

/// Where a bundle has its [`Manifest`].
pub const MANIFEST_PATH: &str = "prefetch.json";

/// Where a bundle has its pinned requirements.
pub const REQUIREMENTS_PATH: &str = "requirements.txt";

/// Where a bundle has the digests of all its other files, as `sha256sum -c` reads them.
pub const SUMS_PATH: &str = "SHA256SUMS";

/// Where a bundle has the signature of its manifest, if it is signed.
pub const SIGNATURE_PATH: &str = "prefetch.json.minisig";

/// The folder of the distributions.
pub const WHEELS: &str = "wheels";

/// The licences that files state, by their digests.
pub type Licenses = BTreeMap<Sha256, String>;

/// All that a bundle is a function of.
#[derive(Clone, Copy, Debug)]
pub struct BundleInput<'a> {
    pub fetched: &'a Fetched,
    /// What was asked; each target has exactly one request.
    pub requests: &'a [Request],
    pub licenses: &'a Licenses,
}

/// Everything that a bundle consists of.
///
/// # Errors
/// As [`Layout::tree`] of `find-links`.
pub fn bundle(input: &BundleInput<'_>) -> Result<Tree, LayoutError> {
    let manifest = Manifest::of(input);
    let mut tree = FindLinks.tree(input.fetched)?.under(&known(WHEELS));
    for (path, text) in pages(input, &manifest) {
        tree.insert(known(&path), Content::Page(text.into_bytes()));
    }
    let manifest = manifest.with_pages(listed(&tree));
    tree.insert(known(MANIFEST_PATH), Content::Page(manifest.to_json()));
    tree.insert(known(SUMS_PATH), Content::Page(sums(digests(&tree)).into_bytes()));
    Ok(tree)
}

/// What the layout composes, by path.
fn pages(input: &BundleInput<'_>, _manifest: &Manifest) -> Vec<(String, String)> {
    let fetched = &input.fetched.installed();
    let conditions = Conditions::of(fetched);
    let mut pages = vec![
        (REQUIREMENTS_PATH.to_owned(), requirements::text(fetched, &conditions)),
        ("install.sh".to_owned(), install::shell(input)),
        ("install.ps1".to_owned(), install::power_shell(input)),
    ];
    pages.extend(pylock::text(fetched, &conditions).map(|text| ("pylock.toml".to_owned(), text)));
    if conditions.are_ambiguous(fetched) {
        let targets = fetched.targets.iter().enumerate();
        pages.extend(targets.map(|(position, target)| {
            (requirements::path_for_target(target.id()), requirements::for_target(fetched, position))
        }));
    }
    let paths: Vec<_> = pages.iter().map(|(path, _)| path.clone()).collect();
    pages.push(("README.txt".to_owned(), readme::text(&BundleInput { fetched, ..*input }, &conditions, &paths)));
    pages
}

fn listed(tree: &Tree) -> Vec<ManifestPage> {
    let pages = tree.iter().filter_map(|(path, content)| match content {
        Content::Page(bytes) => Some(ManifestPage {
            path: path.to_string(),
            size: bytes.len() as u64,
            sha256: Sha256::of(bytes).to_string(),
        }),
        Content::Object { .. } | Content::Envelope(_) => None,
    });
    pages.collect()
}

fn digests(tree: &Tree) -> impl Iterator<Item = (&str, Sha256)> {
    tree.iter().map(|(path, content)| match content {
        Content::Page(bytes) => (path.as_str(), Sha256::of(bytes)),
        Content::Object { sha256, .. } => (path.as_str(), *sha256),
        Content::Envelope(_) => unreachable!("a bundle wraps no file"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::support::{bundled, fetched, file, package, paths};

    #[test]
    fn a_bundle_holds_files_and_pages() {
        let world = fetched(vec![package("demo", "1.0", vec![file("demo-1.0-py3-none-any.whl", b"wheel")])]);
        let expected = [
            "README.txt",
            "SHA256SUMS",
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
