//! Checks integrity: compares the files of a bundle with its manifest.

use std::collections::{BTreeMap, BTreeSet};

use super::expected_files::ExpectedFiles;
use super::file_check::CheckedFile;
use super::{Finding, FindingKind};
use crate::domain::Sha256;
use crate::layout::{Manifest, SIGNATURE_PATH, SUMS_PATH, sums};
use crate::ops::bundle::DELTA_PATH;

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
    findings.extend(expected.unkept.iter().map(|path| {
        let message = format!("it takes `{path}` from its base, which is no file of a package of the manifest");
        Finding::new(FindingKind::Manifest, message).at(DELTA_PATH)
    }));
    findings.extend(check_sums(manifest, &found));
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
