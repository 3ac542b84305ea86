//! Verifies a bundle: that it is unchanged, and that its targets install from it alone.

mod bundle_pages;
mod completeness;
mod expected_files;
mod file_check;
mod integrity;
mod pinned_requirements;
mod platform;
pub mod project_lock;
mod sidecars;
mod stated_dependencies;
mod wheel_record;

use std::collections::BTreeMap;
use std::path::Path;

use minisign::PublicKey;
use parking_lot::Mutex;

use super::finding::{Finding, FindingKind};
use super::manifest_file::LARGEST_PAGE;
use super::signature::check_signature;
use super::{DELTA_PATH, Delta};
use crate::archive::{ArchiveFault, ArchiveReader, ReadError, check_volumes};
use crate::domain::{Fetched, MetadataSource, Sha256, TargetedQuestion};
use crate::layout::{MANIFEST_PATH, Manifest, SIGNATURE_PATH, bundled};
use crate::ops::distribution_inspection::DistributionInspection;
use crate::ops::target_build::TargetBuild;
use completeness::{AvailableFiles, prove};
pub use expected_files::Depth;
use expected_files::ExpectedFiles;
pub use file_check::faults;
use file_check::{CheckedFile, check_file};
pub use platform::LibcFloor;

/// The settings of a verification.
#[derive(Clone, Default)]
pub struct VerifySettings {
    /// The number of threads that read and hash.
    pub threads: usize,
    /// The C library that every binary must run on.
    pub floor: Option<LibcFloor>,
    /// The key by which the manifest must be signed.
    pub public_key: Option<PublicKey>,
    /// Whether builds that fetch from elsewhere than an index are accepted.
    pub allow_unprovable: bool,
}

/// The result of a verification.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// The number of files that were read.
    pub files: usize,
    /// The number of their bytes.
    pub bytes: u64,
    pub targets: Vec<TargetProof>,
    pub findings: Vec<Finding>,
    /// Whether there was a manifest; without one only the files themselves were checked.
    pub has_manifest: bool,
    /// The source archives whose builds may have other dependencies than their metadata states, by
    /// path.
    pub metadata_sources: BTreeMap<String, MetadataSource>,
    /// The source archives that targets build where they install.
    pub builds: Vec<TargetBuild>,
    /// Whether it is a delta, about which nothing can be proved without its base.
    pub is_delta: bool,
}

/// Whether an install for a target succeeds from the bundle alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetProof {
    pub id: String,
    pub is_complete: bool,
}

/// Verifies the bundle, unpacked bundle or find-links folder at `path`.
///
/// # Errors
/// When the disk cannot be read. Whatever else is wrong is a finding.
pub fn verify(path: &Path, settings: &VerifySettings) -> Result<Verification, ReadError> {
    let volumes = check_volumes(path, false).unwrap_or_default();
    if !volumes.is_empty() {
        return Ok(Verification::over(&[], &volumes));
    }
    let mut verification = verify_whole(path, settings)?;
    if !verification.is_good() {
        let volumes = check_volumes(path, true).unwrap_or_default();
        verification.findings.extend(volumes.iter().map(Finding::archive));
    }
    Ok(verification)
}

fn verify_whole(path: &Path, settings: &VerifySettings) -> Result<Verification, ReadError> {
    let reader = match ArchiveReader::open(path) {
        Err(error @ ReadError::NoArchive(_)) => return Ok(Verification::of(Finding::archive(&error))),
        other => other?,
    };
    match reader.page(MANIFEST_PATH, LARGEST_PAGE) {
        Ok(Some(text)) => match Manifest::from_json(&text) {
            Ok(manifest) => {
                let mut verification = of_bundle(&reader, &manifest, settings)?;
                verification.findings.extend(signature_finding(&reader, &text, settings));
                Ok(verification)
            }
            Err(error) => Ok(Verification::of(Finding::new(FindingKind::Manifest, error).at(MANIFEST_PATH))),
        },
        Ok(None) if reader.is_folder() && !should_be_signed(&reader, settings) => of_folder(&reader, settings),
        Ok(None) => without_manifest(&reader),
        Err(error) => Ok(Verification::of(Finding::archive(&error))),
    }
}

/// Whether a folder without a manifest is a bundle that lost it: its signature is there, or a key by
/// which it must be signed was named.
fn should_be_signed(reader: &ArchiveReader, settings: &VerifySettings) -> bool {
    settings.public_key.is_some() || !matches!(reader.page(SIGNATURE_PATH, LARGEST_PAGE), Ok(None))
}

fn of_bundle(
    reader: &ArchiveReader,
    manifest: &Manifest,
    settings: &VerifySettings,
) -> Result<Verification, ReadError> {
    let delta = reader.page(DELTA_PATH, LARGEST_PAGE).ok().flatten().and_then(|text| Delta::from_json(&text));
    let expected = ExpectedFiles::of(manifest, delta.as_ref());
    let (checked, faults) = read_all(reader, manifest.size(), settings, &expected)?;
    let mut verification = Verification::over(&checked, &faults);
    verification.has_manifest = true;
    verification.metadata_sources.extend(built(manifest));
    verification.is_delta = delta.is_some();
    verification.builds = target_builds(manifest, &checked);
    let damages = integrity::findings(manifest, &expected, &checked);
    let damaged = integrity::damaged_targets(manifest, &damages);
    verification.findings.extend(damages);
    match AvailableFiles::of_manifest(manifest, &checked) {
        Ok(_) if delta.is_some() => {}
        Ok(available) => {
            let (proofs, gaps) = completeness::of_manifest(manifest, &available, settings.allow_unprovable);
            let page = |path: &str| reader.page(path, LARGEST_PAGE).ok().flatten();
            let unpinned = pinned_requirements::findings(manifest, &page);
            let is_pinned = |id: &String| !unpinned.iter().any(|finding| finding.targets.contains(id));
            let intact = |proof: TargetProof| TargetProof {
                is_complete: proof.is_complete && !damaged.contains(&*proof.id) && is_pinned(&proof.id),
                ..proof
            };
            verification.targets = proofs.into_iter().map(intact).collect();
            verification.findings.extend(gaps);
            verification.findings.extend(stated_dependencies::unjustified(manifest, &available));
            verification.findings.extend(platform::unfit_files(&available));
            verification.findings.extend(project_lock::findings(manifest, &page));
            verification.findings.extend(unpinned);
            if let Some(floor) = settings.floor {
                verification
                    .findings
                    .extend(platform::too_new_files(available.files.keys().map(String::as_str), floor));
                verification.findings.extend(platform::other_library(&available.targets, floor));
            }
        }
        Err(error) => verification.findings.push(Finding::new(FindingKind::Manifest, error).at(MANIFEST_PATH)),
    }
    Ok(verification)
}

/// Returns the source archives whose dependencies were found out by a build.
fn built(manifest: &Manifest) -> impl Iterator<Item = (String, MetadataSource)> {
    let source = |text: &String| MetadataSource::of_name(text).filter(|source| *source == MetadataSource::Built);
    manifest.files().filter_map(move |(_, file)| Some((file.path.clone(), file.metadata.as_ref().and_then(source)?)))
}

/// Returns what is left for the targets to build; none if the manifest cannot be read, which is a
/// finding of its own.
fn target_builds(manifest: &Manifest, checked: &[CheckedFile]) -> Vec<TargetBuild> {
    let inspections: BTreeMap<_, _> =
        checked.iter().filter_map(|file| Some((file.sha256?, file.inspection.as_ref()?))).collect();
    let needs = |sha256: Sha256| inspections.get(&sha256)?.build.clone();
    manifest.to_fetched().map(|fetched| TargetBuild::all_of(&fetched, needs)).unwrap_or_default()
}

/// Returns what would keep targets from installing from a bundle for `questions`.
pub fn gaps(
    fetched: &Fetched,
    questions: &[TargetedQuestion],
    inspections: &BTreeMap<Sha256, DistributionInspection>,
    allow_unprovable: bool,
) -> Vec<Finding> {
    let available = AvailableFiles::of_fetched(fetched, inspections);
    let proved = match questions.iter().map(bundled).collect::<Result<Vec<_>, _>>() {
        Ok(questions) => prove(&questions, &available, allow_unprovable).1,
        Err(error) => vec![Finding::new(FindingKind::Manifest, error)],
    };
    proved.into_iter().chain(platform::unfit_files(&available)).collect()
}

/// Returns what is wrong with the signature, if one is required.
fn signature_finding(reader: &ArchiveReader, manifest: &[u8], settings: &VerifySettings) -> Option<Finding> {
    let key = settings.public_key.as_ref()?;
    let signature = reader.page(SIGNATURE_PATH, LARGEST_PAGE).ok().flatten();
    let message = match signature {
        None => "the bundle is not signed".to_owned(),
        Some(signature) => check_signature(key, manifest, &String::from_utf8_lossy(&signature)).err()?.to_string(),
    };
    Some(Finding::new(FindingKind::Signature, message).at(SIGNATURE_PATH))
}

/// Verifies a find-links folder, each distribution by itself.
fn of_folder(reader: &ArchiveReader, settings: &VerifySettings) -> Result<Verification, ReadError> {
    let (checked, faults) = read_all(reader, u64::MAX - SLACK, settings, &ExpectedFiles::any())?;
    let mut verification = Verification::over(&checked, &faults);
    verification.findings.extend(checked.iter().flat_map(CheckedFile::own_findings));
    verification.findings.extend(sidecars::contradictions(&checked));
    if let Some(floor) = settings.floor {
        let paths = checked.iter().map(|file| file.path.as_str());
        verification.findings.extend(platform::too_new_files(paths, floor));
    }
    if verification.files == 0 {
        verification
            .findings
            .push(Finding::new(FindingKind::Missing, "there is no distribution and no manifest in it"));
    }
    Ok(verification)
}

/// Returns the result for an archive without a manifest; its faults may tell why there is none.
fn without_manifest(reader: &ArchiveReader) -> Result<Verification, ReadError> {
    let faults = reader.visit(LARGEST_PAGE, 1, &|_| ())?;
    let mut verification = Verification::over(&[], &faults);
    let missing = Finding::new(FindingKind::Missing, "it has no manifest, so it is no bundle, or not all of one");
    verification.findings.push(missing.at(MANIFEST_PATH));
    Ok(verification)
}

/// The bytes allowed for headers and padding, in addition to the files in the manifest.
const SLACK: u64 = LARGEST_PAGE;

fn read_all(
    reader: &ArchiveReader,
    size: u64,
    settings: &VerifySettings,
    expected: &ExpectedFiles,
) -> Result<(Vec<CheckedFile>, Vec<ArchiveFault>), ReadError> {
    let checked = Mutex::new(Vec::new());
    let faults = reader.visit(size.saturating_add(SLACK), settings.threads, &|found| {
        let result = check_file(found, expected);
        checked.lock().push(result);
    })?;
    let mut checked = checked.into_inner();
    checked.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((checked, faults))
}

impl Verification {
    pub fn is_good(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether nothing is wrong but the bytes around the files.
    pub fn is_only_repacked(&self) -> bool {
        !self.is_good() && self.findings.iter().all(|finding| finding.kind == FindingKind::Repacked)
    }

    fn of(finding: Finding) -> Self {
        Self { findings: vec![finding], ..Self::default() }
    }

    fn over(checked: &[CheckedFile], faults: &[ArchiveFault]) -> Self {
        Self {
            files: checked.len(),
            bytes: checked.iter().map(|file| file.size).sum(),
            findings: faults.iter().map(Finding::of_fault).collect(),
            metadata_sources: checked.iter().filter_map(CheckedFile::unreliable_metadata).collect(),
            ..Self::default()
        }
    }
}
