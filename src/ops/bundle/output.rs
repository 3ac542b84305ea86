//! The bundle as an output of a run: its settings, and what is added to its tree.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::delta::{Delta, DeltaBase};
use super::finding::{Finding, FindingKind};
use super::signature::{SignatureError, SigningKey};
use super::verify::{Depth, faults};
use crate::archive::{ArchiveFormat, FileSink, FolderSink, LinkMode, StreamSink, TreeSink, VolumesSink};
use crate::domain::{Content, Fetched, FetchedFile, FetchedPackage, LockedProject, Sha256, Tree};
use crate::layout::{MANIFEST_PATH, ProjectSummaries, SIGNATURE_PATH, Sboms, literal_path};
use crate::ops::bucket_output::{BucketFileSink, BucketSink, Published};
use crate::ops::buffered_reader::BufferedReader;
use crate::ops::distribution_inspection::DistributionInspection;
use crate::parallel;
use crate::shared_store::RemoteFolder;
use crate::store::DiskStore;

/// The settings of a bundle to write.
#[derive(Clone)]
pub struct BundleOutput {
    /// The archive format; without one the bundle is a folder that shares its files with the store.
    pub format: Option<&'static ArchiveFormat>,
    /// The path; `-` if the bundle goes to a stream, the URL without secrets if it goes to a bucket.
    pub path: PathBuf,
    /// The bucket that is written to instead of a file or folder.
    pub bucket: Option<BundleBucket>,
    /// The stream that is written instead of a file.
    pub stream: Option<OutputStream>,
    /// Whether every target is checked to install from the bundle alone.
    pub verify: bool,
    /// The key that signs the manifest.
    pub key: Option<SigningKey>,
    /// The bundle whose files are left out.
    pub since: Option<Arc<DeltaBase>>,
    /// The size of a volume in bytes.
    pub split: Option<u64>,
    /// The bills of materials to add.
    pub sboms: Sboms,
    /// Whether a bundle with gaps may replace an older bundle.
    pub force: bool,
    /// The project whose lock is fetched.
    pub project: Option<Arc<LockedProject>>,
    /// Whether builds that fetch from elsewhere than an index are accepted.
    pub allow_unprovable: bool,
}

impl BundleOutput {
    /// Makes the settings of a bundle with default options, as the archive or folder `path`.
    pub fn new(format: Option<&'static ArchiveFormat>, path: PathBuf) -> Self {
        Self {
            format,
            path,
            bucket: None,
            stream: None,
            verify: true,
            key: None,
            since: None,
            split: None,
            sboms: Sboms::default(),
            force: false,
            project: None,
            allow_unprovable: false,
        }
    }

    /// Returns the sink that the bundle is written to.
    pub(in crate::ops) fn sink(&self) -> Box<dyn TreeSink + '_> {
        let path = &*self.path;
        if let Some(bucket) = &self.bucket {
            return bucket.sink(self.format);
        }
        match (self.format, &self.stream, self.split) {
            (None, ..) => Box::new(FolderSink { path, link_mode: LinkMode::Hardlink }),
            (Some(format), Some(stream), _) => Box::new(StreamSink { output: &**stream, format }),
            (Some(format), None, Some(size)) => Box::new(VolumesSink { path, format, size }),
            (Some(format), None, None) => Box::new(FileSink { path, format }),
        }
    }

    /// Whether a file, a volume, or a bundle in a folder exists that would be replaced; of a bucket
    /// that is taken for granted.
    pub(in crate::ops) fn is_there(&self) -> bool {
        if self.bucket.is_some() {
            return true;
        }
        let index = self.path.with_added_extension("volumes.json");
        let path = if self.format.is_none() { self.path.join(MANIFEST_PATH) } else { self.path.clone() };
        self.stream.is_none() && (path.exists() || self.split.is_some() && index.exists())
    }
}

/// The place of a bundle in an object store.
#[derive(Clone)]
pub struct BundleBucket {
    /// The folder of the archive, or the bundle itself.
    pub folder: RemoteFolder,
    /// The name of the archive; not used for a bundle that is a folder.
    pub name: String,
    /// The folder on the disk in which the archive is packed.
    pub scratch: PathBuf,
    /// What was done to a bundle that is a folder.
    pub published: Arc<OnceLock<Published>>,
}

impl BundleBucket {
    fn sink(&self, format: Option<&'static ArchiveFormat>) -> Box<dyn TreeSink + '_> {
        let Self { folder, name, scratch, published } = self;
        match format {
            Some(format) => Box::new(BucketFileSink { folder, name, format, scratch }),
            // A bundle lists its files: others in the folder would not be its own.
            None => Box::new(BucketSink { folder, prunes: true, published }),
        }
    }
}

/// A pipe that a bundle is written to.
pub type OutputStream = Arc<Mutex<dyn Write + Send>>;

/// The results of inspecting all files.
pub(in crate::ops) struct InspectedFiles {
    pub inspections: BTreeMap<Sha256, DistributionInspection>,
    /// What is wrong with each file, in sentences.
    faults: BTreeMap<Sha256, Vec<String>>,
}

/// Reads the metadata of every fetched file, and with `check` compares it with the file's content.
pub(in crate::ops) fn inspect_files(fetched: &Fetched, store: &DiskStore, check: bool) -> InspectedFiles {
    let files: Vec<_> = fetched.files().collect();
    let look = |(package, file): &(&FetchedPackage, &FetchedFile)| {
        let mut bytes = BufferedReader::new(store.open(file.object.sha256).ok()?);
        let inspection = DistributionInspection::of(&mut bytes, &file.link.filename, Some(&package.name));
        let depth = if file.link.expected.has_digest() { Depth::Lists } else { Depth::Contents };
        let faults = if check { faults(&mut bytes, &file.link.filename, &inspection, depth) } else { Vec::new() };
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

    /// Returns the findings about the files of `tree`.
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

/// Adds the signature of the manifest to a tree.
pub(in crate::ops) fn signed(mut tree: Tree, key: &SigningKey) -> Result<Tree, SignatureError> {
    if let Some(Content::Generated(manifest)) = tree.get(&literal_path(MANIFEST_PATH)) {
        let signature = key.sign(manifest)?;
        tree.insert(literal_path(SIGNATURE_PATH), Content::Generated(signature.into_bytes()));
    }
    Ok(tree)
}

/// Returns the delta of `tree` to the bundle `base`.
pub(in crate::ops) fn since(base: &DeltaBase, tree: &Tree) -> Tree {
    Delta::tree(&base.manifest, base.manifest_sha256, tree)
}
