//! `prefetch apply`: makes the new bundle from a delta and its base.

use std::fs;
use std::path::Path;

use super::finding::{Finding, FindingKind};
use super::open_bundle::{BundleOverlay, OpenBundle};
use super::{BundleError, DELTA_PATH, Delta};
use crate::archive::{
    ArchiveFormat, CancelFlag, FileSink, FolderSink, LinkMode, TemporaryFolder, TreeSink as _, parent,
};
use crate::domain::{Content, RelPath, Sha256, Tree};
use crate::layout::{MANIFEST_PATH, SIGNATURE_PATH, SUMS_PATH, literal_path, sums_of};

/// Writes the bundle that `delta` and `base` make as `out`: an archive in `format`, or else a
/// folder, which must not exist or be empty.
///
/// # Errors
/// When `base` is not the delta's, a file is missing or damaged, `out` cannot be written, or
/// `cancel` was set meanwhile. Nothing has its final name then.
pub fn apply(
    delta: &Path,
    base: &Path,
    out: &Path,
    format: Option<&ArchiveFormat>,
    cancel: &CancelFlag,
) -> Result<(), BundleError> {
    let scratch = parent(out);
    fs::create_dir_all(scratch).map_err(|why| BundleError::Write { path: scratch.to_owned(), why })?;
    let new_files = OpenBundle::open(delta, scratch, cancel)?;
    let description = new_files.page(DELTA_PATH).ok().and_then(|text| Delta::from_json(&text));
    let description = description.ok_or_else(|| BundleError::NoDelta(delta.to_owned()))?;
    let kept_files = OpenBundle::open(base, scratch, cancel)?;
    check_base(&description, delta, &kept_files)?;
    let tree = full_tree(&new_files)?;
    let objects = BundleOverlay(vec![&new_files, &kept_files]);
    match format {
        Some(format) => Ok(FileSink { path: out, format }.write(&tree, &objects)?),
        None => write_folder(&tree, &objects, scratch, out),
    }
}

/// Refuses a base that is not the bundle since which the delta was made.
fn check_base(description: &Delta, delta: &Path, base: &OpenBundle) -> Result<(), BundleError> {
    let got = base.manifest_sha256.to_string();
    if description.base == got {
        return Ok(());
    }
    Err(BundleError::WrongBase {
        delta: delta.to_owned(),
        base: base.path.clone(),
        expected: description.base.clone(),
        got,
    })
}

/// Returns the tree of the new bundle, whose manifest lists everything but three pages.
fn full_tree(delta: &OpenBundle) -> Result<Tree, BundleError> {
    let damaged = |path: &str, finding: Finding| BundleError::Damaged {
        path: delta.path.clone(),
        findings: vec![finding.at(path)],
    };
    let mut tree = Tree::new();
    let mut add = |path: &str, content| match RelPath::new(path) {
        Ok(path) => {
            tree.insert(path, content);
            Ok(())
        }
        Err(error) => Err(damaged(path, Finding::new(FindingKind::Manifest, error))),
    };
    for (_, file) in delta.manifest.files() {
        let sha256 =
            file.sha256.parse().map_err(|error| damaged(&file.path, Finding::new(FindingKind::Manifest, error)))?;
        add(&file.path, Content::Object { sha256, size: file.size })?;
    }
    for page in &delta.manifest.pages {
        let bytes = delta.page(&page.path).map_err(|error| damaged(&page.path, Finding::archive(&error)))?;
        if Sha256::of(&bytes).to_string() != page.sha256 {
            return Err(damaged(&page.path, Finding::new(FindingKind::Digest, "it is not what the manifest says")));
        }
        add(&page.path, Content::Generated(bytes))?;
    }
    let page = |path: &str| delta.page(path).map_err(|error| damaged(path, Finding::archive(&error)));
    tree.insert(literal_path(MANIFEST_PATH), Content::Generated(page(MANIFEST_PATH)?));
    let sums = sums_of(&tree);
    if page(SUMS_PATH)? != sums {
        let why = "it does not list the digests that the manifest tells";
        return Err(damaged(SUMS_PATH, Finding::new(FindingKind::Digest, why)));
    }
    tree.insert(literal_path(SUMS_PATH), Content::Generated(sums));
    if let Ok(signature) = delta.page(SIGNATURE_PATH) {
        tree.insert(literal_path(SIGNATURE_PATH), Content::Generated(signature));
    }
    Ok(tree)
}

/// Writes a folder, which appears by one rename when it is complete.
fn write_folder(tree: &Tree, objects: &BundleOverlay<'_>, scratch: &Path, out: &Path) -> Result<(), BundleError> {
    let fail = |why| BundleError::Write { path: out.to_owned(), why };
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(BundleError::Exists(out.to_owned()));
    }
    let temporary = TemporaryFolder::new_in(scratch).map_err(fail)?;
    let folder = temporary.path().join("bundle");
    FolderSink { path: &folder, link_mode: LinkMode::Copy }.write(tree, objects)?;
    fs::rename(&folder, out).map_err(fail)
}
