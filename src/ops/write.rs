//! Writes what was fetched: layouts into folders, and the bundle.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::UNIX_EPOCH;

use super::bucket_output::{BucketFolder, BucketOutput, BucketSink};
use super::bundle::finding::Finding;
use super::bundle::output::{self, BundleOutput};
use super::bundle::signature::SignatureError;
use super::bundle::verify;
use super::disk_folder::DiskFolder;
use super::output::Output;
use super::space::{DiskFull, check_bundle, check_folder};
use crate::archive::{
    ArchiveError, CancelFlag, CancellableReader, FolderSink, LinkMode, ObjectSource, TreeSink, check_cancelled,
};
use crate::domain::{Fetched, Sha256, TargetedQuestion, Timestamp, Tree};
use crate::index::Indexes;
use crate::layout::{self, BundleInput, HeldFolder, LayoutError, NewFolder};
use crate::parallel;
use crate::store::DiskStore;

/// Why an output could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteFailure {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error(transparent)]
    Full(#[from] DiskFull),
    #[error("{} stays as it was: the new bundle is not sound", path.display())]
    Unsound { path: PathBuf, findings: Vec<Finding> },
}

impl WriteFailure {
    /// Whether the disk failed, and not what was fetched.
    pub fn is_disk(&self) -> bool {
        !matches!(self, Self::Layout(_))
    }
}

/// Writes what was fetched for `questions` to `output`; files that are correct already stay.
///
/// Returns what keeps a bundle's targets from installing from it alone.
///
/// # Errors
/// When the layout cannot hold the files, the disk cannot be written, or `cancel` was set
/// meanwhile. Nothing half-written has a final name.
pub fn write(
    fetched: &Fetched,
    questions: &[TargetedQuestion],
    store: &DiskStore,
    output: &Output,
    cancel: &CancelFlag,
) -> Result<Vec<Finding>, WriteFailure> {
    let objects = StoreObjects { store, cancel, is_checked: false };
    match output {
        Output::Folder { layout, path, pins } => {
            let link_mode = if layout.consumer_writes() { LinkMode::Copy } else { LinkMode::Hardlink };
            let mut tree = layout.tree_in(fetched, &DiskFolder(path))?;
            if *pins && layout.takes_other_files() {
                tree.extend(layout::pins(fetched));
            }
            check_folder(&tree, path, store)?;
            FolderSink { path, link_mode }.write(&tree, &objects)?;
            Ok(Vec::new())
        }
        Output::Bucket(output) => write_bucket(fetched, &objects, output).map(|()| Vec::new()),
        Output::Bundle(output) => write_bundle(fetched, questions, &objects, output),
    }
}

fn write_bucket(fetched: &Fetched, objects: &StoreObjects<'_>, output: &BucketOutput) -> Result<(), WriteFailure> {
    let BucketOutput { layout, folder, pins, prune, published } = output;
    let held = BucketFolder::list(folder)?;
    // What is to be removed is listed nowhere.
    let earlier: &dyn HeldFolder = if *prune { &NewFolder } else { &held };
    let mut tree = layout.served_tree(fetched, earlier)?;
    if *pins {
        tree.extend(layout::pins(fetched));
    }
    Ok(BucketSink { folder, prunes: *prune, published }.write(&tree, objects)?)
}

/// Writes the pages of all that was fetched into the cache `folder` of a pip of 23.3 or later, as
/// their indexes answered them; a page that pip itself wrote since stays.
///
/// # Errors
/// When the disk cannot be written, or `cancel` was set meanwhile.
pub fn write_seen_pages(
    fetched: &Fetched,
    indexes: &Indexes,
    store: &DiskStore,
    folder: &Path,
    cancel: &CancelFlag,
) -> Result<(), WriteFailure> {
    let listed = fetched.files().filter(|(_, file)| *file.link.index != file.link.url);
    let listed: BTreeSet<_> = listed.map(|(package, file)| (&file.link.index, &package.name)).collect();
    let seen = listed.into_iter().filter_map(|(index, project)| indexes.index_page(index, project));
    let mut tree = Tree::new();
    for page in seen {
        let entry = layout::index_page(&page);
        if !entry.iter().any(|(path, _)| is_newer(&folder.join(path.as_str()), page.checked)) {
            tree.extend(entry);
        }
    }
    if tree.iter().next().is_some() {
        let sink = FolderSink { path: folder, link_mode: LinkMode::Copy };
        sink.write(&tree, &StoreObjects { store, cancel, is_checked: false })?;
    }
    Ok(())
}

fn is_newer(file: &Path, moment: Timestamp) -> bool {
    let modified = fs::metadata(file).and_then(|metadata| metadata.modified());
    let since = modified.ok().and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
    since.is_some_and(|since| i128::from(since.as_secs()) > i128::from(moment.0))
}

fn write_bundle(
    fetched: &Fetched,
    questions: &[TargetedQuestion],
    objects: &StoreObjects<'_>,
    output: &BundleOutput,
) -> Result<Vec<Finding>, WriteFailure> {
    let inspected = output::inspect_files(fetched, objects.store, output.verify);
    let summaries = inspected.summaries();
    let mut tree = layout::bundle(&BundleInput {
        fetched,
        questions,
        summaries: &summaries,
        sboms: &output.sboms,
        project: output.project.as_deref(),
    })?;
    if let Some(key) = &output.key {
        tree = output::signed(tree, key)?;
    }
    if let Some(base) = &output.since {
        tree = output::since(base, &tree);
    }
    let objects = StoreObjects { is_checked: output.verify, ..*objects };
    let judge = || {
        let gaps = verify::gaps(fetched, questions, &inspected.inspections, output.allow_unprovable);
        inspected.findings(&tree).chain(gaps).chain(verify::project_lock::of_tree(&tree)).collect::<Vec<_>>()
    };
    if output.verify && !output.force && output.is_there() {
        let findings = judge();
        if !findings.is_empty() {
            return Err(WriteFailure::Unsound { path: output.path.clone(), findings });
        }
        check_bundle(&tree, output, objects.store)?;
        output.sink().write(&tree, &objects)?;
        return Ok(findings);
    }
    check_bundle(&tree, output, objects.store)?;
    let (findings, written) = parallel::join(|| output.verify.then(judge), || output.sink().write(&tree, &objects));
    written?;
    Ok(findings.unwrap_or_default())
}

/// The store as a source of objects, until the run is cancelled.
#[derive(Clone, Copy)]
struct StoreObjects<'a> {
    store: &'a DiskStore,
    cancel: &'a AtomicBool,
    /// Whether every byte is hashed.
    is_checked: bool,
}

impl ObjectSource for StoreObjects<'_> {
    fn open(&self, sha256: Sha256) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(CancellableReader::new(File::open(self.store.path(sha256))?, self.cancel)))
    }

    fn path(&self, sha256: Sha256) -> Option<PathBuf> {
        check_cancelled(self.cancel).ok().map(|()| self.store.path(sha256))
    }

    fn verifies_digests(&self) -> bool {
        self.is_checked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::ArchiveFormat;
    use crate::domain::{FetchedFile, FetchedPackage, FileLink, Question, Status};
    use crate::layout::LAYOUTS;
    use crate::ops::bundle;

    fn fetched(store: &DiskStore) -> Fetched {
        let link = FileLink::at("https://files.example/demo-1.0-py3-none-any.whl".parse().unwrap());
        let object = store.insert(b"a wheel").unwrap();
        let file = FetchedFile {
            link,
            targets: Vec::new(),
            tools: Vec::new(),
            object,
            metadata: None,
            metadata_source: None,
            built_from: None,
            status: Status::Cached,
        };
        let package = FetchedPackage {
            name: "demo".parse().unwrap(),
            version: Some("1.0".parse().unwrap()),
            requested_by: Vec::new(),
            dependencies: Default::default(),
            files: vec![file],
        };
        Fetched { targets: Vec::new(), packages: vec![package] }
    }

    #[test]
    fn a_stopped_write_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::new(folder.path().join("store"));
        let (fetched, out) = (fetched(&store), folder.path().join("out"));
        let format = ArchiveFormat::of(Path::new("b.tar")).unwrap();
        let bundle = || Output::Bundle(BundleOutput::new(Some(format), out.join("b.tar")));
        let outputs = [Output::Folder { layout: LAYOUTS[0], path: out.clone(), pins: false }, bundle()];
        for output in &outputs {
            assert!(
                write(
                    &fetched,
                    &[Question::default().for_targets(Vec::new())],
                    &store,
                    output,
                    &CancelFlag::new(true.into())
                )
                .is_err()
            );
        }
        assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
        for output in &outputs {
            write(&fetched, &[Question::default().for_targets(Vec::new())], &store, output, &CancelFlag::default())
                .unwrap();
        }
        assert_eq!(fs::read_dir(&out).unwrap().count(), 2);

        let (bundle, left) = (out.join("b.tar"), folder.path().join("left"));
        let stopped = CancelFlag::new(true.into());
        assert!(bundle::unpack(&bundle, &left, 2, &stopped).is_err());
        let format = ArchiveFormat::of(&bundle).unwrap();
        assert!(bundle::merge(&bundle, &bundle, &left.join("m.tar"), format, None, &stopped).is_err());
        assert_eq!(fs::read_dir(&left).unwrap().count(), 0);
    }
}
