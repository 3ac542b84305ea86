//! The tree of a bundle: a `find-links` folder, a manifest, pinned requirements, and a page for
//! the person who unpacks it.

mod manifest;
mod readme;
mod requirements;

pub use manifest::{Manifest, ManifestError, ManifestFile, ManifestPackage, ManifestTarget};

use crate::domain::{Content, Fetched, Tree};

use super::files::known;
use super::{FindLinks, Layout, LayoutError};

/// Where a bundle has its [`Manifest`].
pub const MANIFEST_PATH: &str = "prefetch.json";

/// Where a bundle has its pinned requirements.
pub const REQUIREMENTS_PATH: &str = "requirements.txt";

/// The folder of the distributions.
const WHEELS: &str = "wheels";

/// Everything that a bundle consists of; a pure function of what was fetched.
///
/// # Errors
/// As [`Layout::tree`] of `find-links`.
pub fn bundle(fetched: &Fetched) -> Result<Tree, LayoutError> {
    let mut tree = FindLinks.tree(fetched)?.under(&known(WHEELS));
    let pages = [
        (MANIFEST_PATH, Manifest::of(fetched).to_json()),
        (REQUIREMENTS_PATH, requirements::text(fetched).into_bytes()),
        ("README.txt", readme::text(fetched).into_bytes()),
    ];
    for (path, bytes) in pages {
        tree.insert(known(path), Content::Page(bytes));
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::super::support::{fetched, file, package, paths};
    use super::*;

    #[test]
    fn a_bundle_holds_files_and_three_pages() {
        let world = fetched(vec![package("demo", "1.0", vec![file("demo-1.0-py3-none-any.whl", b"wheel")])]);
        let expected = ["README.txt", "prefetch.json", "requirements.txt", "wheels/demo-1.0-py3-none-any.whl"];
        assert_eq!(paths(&bundle(&world).unwrap()), expected);
    }
}
