//! Checks integrity: compares the files of a bundle with its manifest.

use std::collections::{BTreeMap, BTreeSet};

use super::file_check::{CheckedFile, Depth};
use super::{Finding, FindingKind};
use crate::domain::{PackageName, Sha256};
use crate::layout::{MANIFEST_PATH, Manifest, SIGNATURE_PATH, SUMS_PATH, sums};
use crate::ops::bundle::{DELTA_PATH, Delta};

/// The files that are expected before any is read.
pub struct ExpectedFiles {
    /// The project of each expected path; `None` if every file is checked, in a folder without a
    /// manifest.
    expected: Option<BTreeMap<String, Option<PackageName>>>,
    /// The files that a delta takes from its base.
    kept: BTreeSet<String>,
}

impl ExpectedFiles {
    pub fn of(manifest: &Manifest, delta: Option<&Delta>) -> Self {
        let files = manifest.files().map(|(package, file)| (file.path.clone(), package.name.parse().ok()));
        let pages = manifest.pages.iter().map(|page| (page.path.clone(), None));
        let own = [MANIFEST_PATH, SUMS_PATH, SIGNATURE_PATH].map(|path| (path.to_owned(), None));
        let own_delta = delta.map(|_| (DELTA_PATH.to_owned(), None));
        Self {
            expected: Some(files.chain(pages).chain(own).chain(own_delta).collect()),
            kept: delta.into_iter().flat_map(|delta| &delta.kept).cloned().collect(),
        }
    }

    pub fn any() -> Self {
        Self { expected: None, kept: BTreeSet::new() }
    }

    /// Returns how deeply files are read.
    ///
    /// With a manifest the digests of whole files are enough; without one a file can only be
    /// compared with itself.
    pub fn depth(&self) -> Depth {
        if self.expected.is_some() { Depth::Lists } else { Depth::Contents }
    }

    pub fn expects(&self, path: &str) -> bool {
        self.expected.as_ref().is_none_or(|expected| expected.contains_key(path))
    }

    /// Returns the project whose distribution is at `path`.
    pub fn project(&self, path: &str) -> Option<PackageName> {
        self.expected.as_ref()?.get(path)?.clone()
    }
}

/// Returns everything that is missing, unexpected, or different from the manifest.
pub fn findings(manifest: &Manifest, expected: &ExpectedFiles, checked: &[CheckedFile]) -> Vec<Finding> {
    let found: BTreeMap<_, _> = checked.iter().map(|file| (file.path.as_str(), file)).collect();
    let files = manifest.files().map(|(_, file)| (&file.path, file.size, &file.sha256));
    let pages = manifest.pages.iter().map(|page| (&page.path, page.size, &page.sha256));
    let mut findings = Vec::new();
    for (path, size, sha256) in files.chain(pages) {
        match found.get(path.as_str()) {
            Some(file) => findings.extend(compare(file, size, sha256)),
            None if expected.kept.contains(path) => {}
            None => findings.push(Finding::new(FindingKind::Missing, "it is not there").at(path)),
        }
    }
    findings.extend(unexpected(expected, checked));
    if expected.kept.is_empty() {
        findings.extend(check_sums(manifest, &found));
    }
    findings
}

fn compare(file: &CheckedFile, size: u64, sha256: &str) -> Vec<Finding> {
    if file.unreadable.is_some() {
        return file.own_findings().collect();
    }
    let got = file.sha256.map(|sha256| sha256.to_string()).unwrap_or_default();
    if file.size != size {
        let message = format!("it has {} bytes, and the manifest says {size}", file.size);
        vec![Finding::new(FindingKind::Size, message).at(&file.path)]
    } else if got != sha256 {
        let message = format!("its SHA-256 is {got}, and the manifest says {sha256}");
        vec![Finding::new(FindingKind::Digest, message).at(&file.path)]
    } else {
        file.own_findings().collect()
    }
}

/// The number of unexpected files of a folder that are named one by one.
const NAMED: usize = 3;

fn unexpected(expected: &ExpectedFiles, checked: &[CheckedFile]) -> Vec<Finding> {
    let mut folders = BTreeMap::<_, Vec<_>>::new();
    for file in checked.iter().filter(|file| !expected.expects(&file.path)) {
        let folder = file.path.split_once('/').map_or("", |(folder, _)| folder);
        folders.entry(folder).or_default().push(&file.path);
    }
    let named = |path: &&String| Finding::new(FindingKind::Unexpected, "it does not belong to the bundle").at(*path);
    folders
        .into_iter()
        .flat_map(|(folder, paths)| match paths.len().saturating_sub(NAMED) {
            0 => paths.iter().map(named).collect::<Vec<_>>(),
            _ => {
                let message = format!("{} files in it do not belong to the bundle", paths.len());
                vec![Finding::new(FindingKind::Unexpected, message).at(format!("{folder}/"))]
            }
        })
        .collect()
}

/// Returns the targets that install a file about which there is a finding.
pub fn damaged_targets<'m>(manifest: &'m Manifest, findings: &[Finding]) -> BTreeSet<&'m str> {
    let at: BTreeSet<_> = findings.iter().filter_map(|finding| finding.path.as_deref()).collect();
    let damaged = manifest.files().filter(|(_, file)| at.contains(file.path.as_str()));
    damaged.flat_map(|(_, file)| &file.targets).map(String::as_str).collect()
}

/// Checks that the list of digests is the one that follows from the manifest.
fn check_sums(manifest: &Manifest, found: &BTreeMap<&str, &CheckedFile>) -> Option<Finding> {
    let list = found.get(SUMS_PATH)?;
    let others = found.values().filter(|file| !matches!(file.path.as_str(), SUMS_PATH | SIGNATURE_PATH | DELTA_PATH));
    let mut digests: BTreeMap<&str, Sha256> =
        others.filter_map(|file| Some((file.path.as_str(), file.sha256?))).collect();
    let files = manifest.files().map(|(_, file)| (&file.path, &file.sha256));
    let listed = files.chain(manifest.pages.iter().map(|page| (&page.path, &page.sha256)));
    digests.extend(listed.filter_map(|(path, sha256)| Some((path.as_str(), sha256.parse().ok()?))));
    let is_right = list.text.as_ref().is_some_and(|text| *text == sums(digests.into_iter()).into_bytes());
    (!is_right).then(|| {
        Finding::new(FindingKind::Digest, "it does not list the digests that the manifest tells").at(SUMS_PATH)
    })
}
