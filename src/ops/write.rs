//! Fetched → trees → written: folders and the bundle.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::UNIX_EPOCH;

use super::bundle::{self, BundleOutput};
use super::signature::SignatureError;
use super::verify::{self, Finding};
use crate::archive::{
    self, ArchiveError, Linking, Objects, Stop, go_on, pack_file, pack_stream, pack_volumes, write_directory,
};
use crate::domain::{Fetched, Request, Sha256, Timestamp, Tree};
use crate::index::Indexes;
use crate::layout::{self, BundleInput, Layout, LayoutError};
use crate::store::DiskStore;

/// A place to write to.
#[derive(Clone)]
pub enum Output {
    Folder { layout: &'static dyn Layout, path: PathBuf },
    Bundle(BundleOutput),
}

impl Output {
    /// Whether wheels' own metadata is to be fetched, too.
    pub fn needs_metadata(&self) -> bool {
        matches!(self, Self::Folder { layout, .. } if layout.needs_metadata())
    }

    /// What its consumer will not get: a sentence for each file.
    pub fn caveats(&self, fetched: &Fetched) -> Vec<String> {
        match self {
            Self::Folder { layout, .. } => layout.caveats(fetched),
            Self::Bundle(_) => Vec::new(),
        }
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::Folder { path, .. } | Self::Bundle(BundleOutput { path, .. }) => path,
        }
    }
}

/// Something could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteFailure {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error("{} stays as it was: the new bundle is not sound", path.display())]
    Unsound { path: PathBuf, findings: Vec<Finding> },
    #[error("cannot make the folder {}: {why}", path.display())]
    Folder { path: PathBuf, why: io::Error },
}

impl WriteFailure {
    /// Whether the disk is to blame, and not what was fetched.
    pub fn is_disk(&self) -> bool {
        !matches!(self, Self::Layout(_))
    }
}

/// Writes what was fetched for `request` to `output`; what is right there already stays as it is.
/// Returns what keeps a bundle's targets from installing from it alone.
///
/// # Errors
/// When the files cannot be laid out so, the disk does not take them, or `stop` was set
/// meanwhile. Nothing half-written has a final name.
pub fn write(
    fetched: &Fetched,
    request: &Request,
    store: &DiskStore,
    output: &Output,
    stop: &Stop,
) -> Result<Vec<Finding>, WriteFailure> {
    let objects = Source { store, stop, is_checked: false };
    match output {
        Output::Folder { layout, path } => {
            let linking = if layout.consumer_writes() { Linking::Copies } else { Linking::Hard };
            make_folder(path)?;
            write_directory(&layout.tree(fetched)?, &objects, path, linking)?;
            Ok(Vec::new())
        }
        Output::Bundle(output) => write_bundle(fetched, request, &objects, output),
    }
}

/// Writes the pages of all that was fetched, as their indexes answered them, into the cache
/// `folder` of a pip of 23.3 or later; one that pip itself wrote since stays.
///
/// # Errors
/// When the disk does not take them, or `stop` was set meanwhile.
pub fn write_seen_pages(
    fetched: &Fetched,
    indexes: &Indexes,
    store: &DiskStore,
    folder: &Path,
    stop: &Stop,
) -> Result<(), WriteFailure> {
    let listed = fetched.files().filter(|(_, file)| *file.candidate.index != file.candidate.url);
    let listed: BTreeSet<_> = listed.map(|(package, file)| (&file.candidate.index, &package.name)).collect();
    let seen = listed.into_iter().filter_map(|(index, project)| indexes.index_page(index, project));
    let mut tree = Tree::new();
    for page in seen {
        let entry = layout::index_page(&page);
        if !entry.iter().any(|(path, _)| is_newer(&folder.join(path.as_str()), page.checked)) {
            tree.extend(entry);
        }
    }
    write_directory(&tree, &Source { store, stop, is_checked: false }, folder, Linking::Copies)?;
    Ok(())
}

fn is_newer(file: &Path, moment: Timestamp) -> bool {
    let modified = fs::metadata(file).and_then(|metadata| metadata.modified());
    let since = modified.ok().and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
    since.is_some_and(|since| i128::from(since.as_secs()) > i128::from(moment.0))
}

fn write_bundle(
    fetched: &Fetched,
    request: &Request,
    objects: &Source<'_>,
    output: &BundleOutput,
) -> Result<Vec<Finding>, WriteFailure> {
    let looked = bundle::look_inside(fetched, objects.store, output.verify);
    let requests = std::slice::from_ref(request);
    let summaries = looked.summaries();
    let mut tree = layout::bundle(&BundleInput { fetched, requests, summaries: &summaries, sboms: &output.sboms })?;
    if let Some(key) = &output.key {
        tree = bundle::signed(tree, key)?;
    }
    if let Some(base) = &output.since {
        tree = bundle::since(base, &tree);
    }
    let objects = Source { is_checked: output.verify, ..*objects };
    let judge = || {
        let gaps = verify::gaps(fetched, requests, &looked.insides, output.allow_unprovable);
        looked.findings(&tree).chain(gaps).collect::<Vec<_>>()
    };
    if output.verify && !output.force && output.is_there() {
        let findings = judge();
        if !findings.is_empty() {
            return Err(WriteFailure::Unsound { path: output.path.clone(), findings });
        }
        return pack_bundle(&tree, &objects, output).map(|()| findings);
    }
    thread::scope(|scope| {
        let findings = output.verify.then(|| scope.spawn(judge));
        pack_bundle(&tree, &objects, output)?;
        Ok(findings.map(|findings| findings.join().expect("proving does not panic")).unwrap_or_default())
    })
}

fn pack_bundle(tree: &Tree, objects: &Source<'_>, output: &BundleOutput) -> Result<(), WriteFailure> {
    let path = &output.path;
    let Some(format) = output.format else {
        archive::check(tree, objects)?;
        make_folder(path)?;
        write_directory(tree, objects, path, Linking::Hard)?;
        return Ok(());
    };
    if let Some(stream) = &output.stream {
        return Ok(pack_stream(tree, objects, format, &mut *stream.lock().expect("no thread panics with it"))?);
    }
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), make_folder)?;
    match output.split {
        Some(size) => Ok(pack_volumes(tree, objects, format, path, size)?),
        None => Ok(pack_file(tree, objects, format, path)?),
    }
}

fn make_folder(path: &Path) -> Result<(), WriteFailure> {
    fs::create_dir_all(path).map_err(|why| WriteFailure::Folder { path: path.to_owned(), why })
}

/// The store as sinks read it, until they are to stop.
#[derive(Clone, Copy)]
struct Source<'a> {
    store: &'a DiskStore,
    stop: &'a AtomicBool,
    /// Whether no byte is taken on trust.
    is_checked: bool,
}

impl Objects for Source<'_> {
    fn open(&self, sha256: Sha256) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(Stoppable { file: File::open(self.store.path(sha256))?, source: self }))
    }

    fn path(&self, sha256: Sha256) -> Option<PathBuf> {
        go_on(self.stop).ok().map(|()| self.store.path(sha256))
    }

    fn are_checked(&self) -> bool {
        self.is_checked
    }
}

/// An object under way.
struct Stoppable<'a> {
    file: File,
    source: &'a Source<'a>,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        go_on(self.source.stop)?;
        self.file.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::archive::Format;
    use crate::layout::LAYOUTS;
    use crate::ops::carry;

    use crate::domain::{Candidate, FetchedFile, FetchedPackage, MaskedUrl, Promises, Status, Yanked};

    fn fetched(store: &DiskStore) -> Fetched {
        let url: MaskedUrl = "https://files.example/demo-1.0-py3-none-any.whl".parse().unwrap();
        let candidate = Candidate {
            filename: "demo-1.0-py3-none-any.whl".into(),
            index: Arc::new(url.clone()),
            url,
            promises: Promises::default(),
            requires_python: None,
            yanked: Yanked::default(),
            sidecar: None,
            uploaded: None,
        };
        let object = store.insert(b"a wheel").unwrap();
        let file = FetchedFile {
            candidate,
            targets: Vec::new(),
            tools: Vec::new(),
            object,
            metadata: None,
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
        let format = Format::of(Path::new("b.tar")).unwrap();
        let bundle = || Output::Bundle(BundleOutput::new(Some(format), out.join("b.tar")));
        let outputs = [Output::Folder { layout: LAYOUTS[0], path: out.clone() }, bundle()];
        for output in &outputs {
            assert!(write(&fetched, &Request::default(), &store, output, &Stop::new(true.into())).is_err());
        }
        assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
        for output in &outputs {
            write(&fetched, &Request::default(), &store, output, &Stop::default()).unwrap();
        }
        assert_eq!(fs::read_dir(&out).unwrap().count(), 2);

        let (bundle, left) = (out.join("b.tar"), folder.path().join("left"));
        let stopped = Stop::new(true.into());
        assert!(carry::unpack(&bundle, &left, 2, &stopped).is_err());
        let format = Format::of(&bundle).unwrap();
        assert!(carry::merge(&bundle, &bundle, &left.join("m.tar"), format, None, &stopped).is_err());
        assert_eq!(fs::read_dir(&left).unwrap().count(), 0);
    }
}
