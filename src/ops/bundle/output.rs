//! The bundle: what was fetched, with the pages that go with it, in one file.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::signature::{SignatureError, SigningKey};
use super::verify::{Depth, Finding, FindingKind, faults};
use super::{Delta, DeltaBase};
use crate::archive::ArchiveFormat;
use crate::domain::{Content, Fetched, FetchedFile, FetchedPackage, RelPath, Request, Sha256, Target, Tree};
use crate::layout::{MANIFEST_PATH, ProjectSummaries, SIGNATURE_PATH, Sboms};
use crate::ops::buffered_reader::BufferedReader;
use crate::ops::distribution_inspection::DistributionInspection;
use crate::parallel;
use crate::resolve::Question;
use crate::store::DiskStore;

/// A bundle that is to be written.
#[derive(Clone)]
pub struct BundleOutput {
    /// The archive's; without one it becomes a folder that shares its files with the store.
    pub format: Option<&'static ArchiveFormat>,
    /// `-` where it goes to a stream.
    pub path: PathBuf,
    /// Where it goes instead of a file.
    pub stream: Option<OutputStream>,
    /// Prove at the end that the targets install from it alone.
    pub verify: bool,
    /// Sign the manifest.
    pub key: Option<SigningKey>,
    /// Leave out what this bundle has.
    pub since: Option<Arc<DeltaBase>>,
    /// Bytes of a volume.
    pub split: Option<u64>,
    /// Bills of materials to put in.
    pub sboms: Sboms,
    /// Let a bundle with gaps take the place of an older one.
    pub force: bool,
    /// Whether builds that fetch from elsewhere are no finding.
    pub allow_unprovable: bool,
}

impl BundleOutput {
    /// The bundle of everything, as the archive or folder `path`.
    pub fn new(format: Option<&'static ArchiveFormat>, path: PathBuf) -> Self {
        Self {
            format,
            path,
            stream: None,
            verify: true,
            key: None,
            since: None,
            split: None,
            sboms: Sboms::default(),
            force: false,
            allow_unprovable: false,
        }
    }

    /// Whether something would be replaced: a file, the volumes of one, or the bundle in a folder.
    pub(in crate::ops) fn is_there(&self) -> bool {
        let index = self.path.with_added_extension("volumes.json");
        let path = if self.format.is_none() { self.path.join(MANIFEST_PATH) } else { self.path.clone() };
        self.stream.is_none() && (path.exists() || self.split.is_some() && index.exists())
    }
}

/// A pipe that a bundle is written to.
pub type OutputStream = Arc<Mutex<dyn Write + Send>>;

/// What `question` asks for all of `targets`. Wheels of `fetched` that were built here are what an
/// install takes, also where it was asked to build them.
pub fn request_of(question: &Question, targets: &[Arc<Target>], fetched: &Fetched) -> Request {
    let mut formats = question.policy.formats.clone();
    for (package, _) in fetched.files().filter(|(_, file)| file.built_from.is_some()) {
        formats.only_binary(package.name.as_ref()).expect("the name of a project is a value of --only-binary");
    }
    Request {
        requirements: question.requirements.clone(),
        formats,
        releases: question.policy.releases.clone(),
        prefer_binary: question.policy.prefer_binary,
        require_hashes: question.require_hashes,
        follow_dependencies: question.follow_dependencies,
        targets: (0..targets.len()).collect(),
    }
}

/// What was found inside of all files.
pub(in crate::ops) struct InspectedFiles {
    pub inspections: BTreeMap<Sha256, DistributionInspection>,
    /// What is wrong, as sentences.
    faults: BTreeMap<Sha256, Vec<String>>,
}

/// What every fetched file says of itself, and with `check` whether that agrees with what it holds.
pub(in crate::ops) fn inspect_files(fetched: &Fetched, store: &DiskStore, check: bool) -> InspectedFiles {
    let files: Vec<_> = fetched.files().collect();
    let look = |(package, file): &(&FetchedPackage, &FetchedFile)| {
        let mut bytes = BufferedReader::new(store.open(file.object.sha256).ok()?);
        let inspection = DistributionInspection::of(&mut bytes, &file.candidate.filename, Some(&package.name));
        let depth = if file.candidate.promises.has_digest() { Depth::Lists } else { Depth::Contents };
        let faults = if check { faults(&mut bytes, &file.candidate.filename, &inspection, depth) } else { Vec::new() };
        Some((file.object.sha256, inspection, faults))
    };
    let all = parallel::map(&files, parallel::threads(), look);
    let mut inspected = InspectedFiles { inspections: BTreeMap::new(), faults: BTreeMap::new() };
    for (sha256, inspection, faults) in all.into_iter().flatten() {
        inspected.inspections.insert(sha256, inspection);
        inspected.faults.insert(sha256, faults);
    }
    inspected
}

impl InspectedFiles {
    pub fn summaries(&self) -> ProjectSummaries {
        self.inspections.iter().map(|(sha256, inspection)| (*sha256, inspection.project_summary.clone())).collect()
    }

    /// What is wrong with the files of `tree`.
    pub fn findings(&self, tree: &Tree) -> impl Iterator<Item = Finding> {
        let told = tree.iter().filter_map(|(path, content)| match content {
            Content::Object { sha256, .. } => Some((path, self.faults.get(sha256)?)),
            _ => None,
        });
        told.flat_map(|(path, faults)| {
            faults.iter().map(|fault| Finding::new(FindingKind::Distribution, fault).at(path.as_str()))
        })
    }
}

/// Adds the signature of the manifest.
pub(in crate::ops) fn signed(mut tree: Tree, key: &SigningKey) -> Result<Tree, SignatureError> {
    let path = |text| RelPath::new(text).expect("a literal path is valid");
    if let Some(Content::Page(manifest)) = tree.get(&path(MANIFEST_PATH)) {
        let signature = key.sign(manifest)?;
        tree.insert(path(SIGNATURE_PATH), Content::Page(signature.into_bytes()));
    }
    Ok(tree)
}

/// What `tree` has that the bundle `base` has not.
pub(in crate::ops) fn since(base: &DeltaBase, tree: &Tree) -> Tree {
    Delta::tree(&base.manifest, base.manifest_sha256, tree)
}
