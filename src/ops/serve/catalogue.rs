//! The catalogue of an index: the distributions of a folder, a bundle or the store.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::json;

use super::ServeError;
use super::file_identity::FileIdentity;
use super::static_page::StaticPage;
use crate::archive::{CancelFlag, Extent};
use crate::domain::{
    Content, DistributionFilename, Fingerprint, Object, PackageName, RelPath, Sha256, Specifiers, Version,
    WheelFilename, Yanked,
};
use crate::index::sdist_metadata;
use crate::index::wheel_metadata;
use crate::layout::{IndexFile, Manifest, NewFolder, index_tree, overview};
use crate::ops::cache::Inventory;
use crate::ops::members::Members;
use crate::parallel;
use crate::store::DiskStore;

/// Everything that is needed to serve the index.
#[derive(Debug)]
pub struct Catalogue {
    /// The files and pages below `/simple/`, by path.
    pub entries: HashMap<RelPath, IndexEntry>,
    pub extents: HashMap<Sha256, Extent>,
    /// The files that the extents are in, with their identities at the start.
    identities: HashMap<PathBuf, FileIdentity>,
    /// The metadata sidecars of wheels (PEP 658).
    pub sidecars: HashMap<Sha256, Bytes>,
    /// The list of all files as JSON, for the search page.
    pub projects: StaticPage,
    /// The overview of the bundle; absent if something else is served.
    pub overview: Option<Overview>,
    /// The numbers of projects and files.
    pub counts: (usize, usize),
    /// A sentence for each file that is not served.
    pub left_out: Vec<String>,
    /// Keeps the temporary folder with unpacked files.
    _members: Members,
}

/// The overview page of a bundle, generated from its manifest, and the files that it links.
#[derive(Debug)]
pub struct Overview {
    pub page: StaticPage,
    /// By their paths in the bundle.
    pub files: HashMap<String, Sha256>,
}

impl Overview {
    fn of(manifest: &Manifest) -> Self {
        let files = manifest.files().filter_map(|(_, file)| Some((file.path.clone(), file.sha256.parse().ok()?)));
        Self { page: StaticPage::new(overview(manifest).into_bytes()), files: files.collect() }
    }
}

/// What is served at a path of the index.
#[derive(Clone, Debug)]
pub enum IndexEntry {
    StaticPage(StaticPage),
    Object(Sha256),
}

/// A distribution that was not inspected yet.
struct UninspectedFile {
    filename: String,
    extent: Extent,
    /// What a manifest or a recorded run states about it.
    declared: Option<DeclaredMetadata>,
}

struct DeclaredMetadata {
    name: PackageName,
    version: Option<Version>,
    sha256: Sha256,
    requires_python: Option<String>,
    yanked: Yanked,
}

/// A distribution that can be served.
struct IndexedFile {
    name: PackageName,
    version: Option<Version>,
    filename: String,
    extent: Extent,
    identity: FileIdentity,
    sha256: Sha256,
    requires_python: Option<Specifiers>,
    yanked: Yanked,
    sidecar: Option<Bytes>,
}

impl IndexedFile {
    fn shown(&self) -> IndexFile<'_> {
        let object = |bytes: &Bytes| Object { sha256: Sha256::of(bytes), size: bytes.len() as u64 };
        IndexFile {
            project: &self.name,
            version: self.version.as_ref(),
            filename: &self.filename,
            object: Object { sha256: self.sha256, size: self.extent.size },
            metadata: self.sidecar.as_ref().map(object),
            requires_python: self.requires_python.as_ref(),
            yanked: &self.yanked,
            origin: &self.filename,
        }
    }
}

impl Catalogue {
    /// Makes the catalogue of the folder, bundle or store at `path`; an archive that cannot be read
    /// in place is unpacked below `scratch`.
    ///
    /// # Errors
    /// When the path cannot be read, is hostile, or holds no distribution, or `cancel` was set
    /// meanwhile.
    pub fn of(path: &Path, scratch: &Path, cancel: &CancelFlag) -> Result<Self, ServeError> {
        let store = DiskStore::new(path.to_owned());
        let is_store = store.layout().is_cache();
        let members = if is_store { Members::default() } else { Members::find(path, scratch, cancel)? };
        let mut left_out: Vec<_> = members
            .left_out
            .iter()
            .map(|path| format!("{path} leads out of the folder, or has no usable name"))
            .collect();
        let manifest = members.manifest().map_err(|why| ServeError::Manifest { path: path.to_owned(), why })?;
        let candidates = match &manifest {
            _ if is_store => of_store(&store, &mut left_out)?,
            None => of_members(&members),
            Some(manifest) => {
                of_manifest(manifest, &members).map_err(|why| ServeError::Manifest { path: path.to_owned(), why })?
            }
        };
        let mut indexed = BTreeMap::new();
        for found in inspect_all(&candidates) {
            match found {
                Ok(file) => {
                    // Of two files of one name the one that comes first is served.
                    let key = (file.name.clone(), file.filename.to_lowercase());
                    indexed.entry(key).or_insert(file);
                }
                Err(why) => left_out.push(why),
            }
        }
        if indexed.is_empty() {
            return Err(ServeError::Empty(path.to_owned()));
        }
        let mut indexed: Vec<_> = indexed.into_values().collect();
        indexed.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
        Self::new(indexed, manifest.as_ref().map(Overview::of), left_out, members)
    }

    /// Opens a file that holds served bytes.
    ///
    /// # Errors
    /// When the file is gone, or was replaced by another.
    pub fn open(&self, path: &Path) -> io::Result<File> {
        let identity = self.identities.get(path).ok_or(io::ErrorKind::NotFound)?;
        identity.open(path)
    }

    fn new(
        indexed: Vec<IndexedFile>,
        overview: Option<Overview>,
        left_out: Vec<String>,
        members: Members,
    ) -> Result<Self, ServeError> {
        let identities = indexed.iter().map(|file| (file.extent.file.clone(), file.identity)).collect();
        let extents = indexed.iter().map(|file| (file.sha256, file.extent.clone())).collect();
        let sidecars = indexed.iter().filter_map(|file| file.sidecar.clone());
        let sidecars = sidecars.map(|bytes| (Sha256::of(&bytes), bytes)).collect();
        let shown: Vec<_> = indexed.iter().map(IndexedFile::shown).collect();
        let entries = index_tree(&shown, &NewFolder)?.into_iter();
        let entries = entries.filter_map(|(path, content)| Some((path, entry(content)?))).collect();
        let (projects, counts) = (StaticPage::new(projects(&shown, overview.is_some())), counts(&shown));
        Ok(Self { entries, extents, identities, sidecars, projects, overview, counts, left_out, _members: members })
    }
}

/// Converts the content of a layout's tree into an entry; an index has no cache entries of pip.
fn entry(content: Content) -> Option<IndexEntry> {
    match content {
        Content::Generated(bytes) => Some(IndexEntry::StaticPage(StaticPage::new(bytes))),
        Content::Object { sha256, .. } => Some(IndexEntry::Object(sha256)),
        Content::PipCacheEntry(_) => None,
    }
}

fn projects(files: &[IndexFile<'_>], has_overview: bool) -> Vec<u8> {
    let files = files.iter().map(|file| {
        json!({"project": file.project.as_ref(), "version": file.version.map(ToString::to_string),
            "filename": file.filename, "size": file.object.size, "sha256": file.object.sha256.to_string(),
            "requires_python": file.requires_python.map(ToString::to_string)})
    });
    json!({"files": files.collect::<Vec<_>>(), "overview": has_overview}).to_string().into_bytes()
}

fn counts(files: &[IndexFile<'_>]) -> (usize, usize) {
    (files.iter().map(|file| file.project).collect::<BTreeSet<_>>().len(), files.len())
}

/// Returns the objects of the store, each as the latest recorded run describes it.
///
/// Damaged ones are removed, and named in `left_out`.
fn of_store(store: &DiskStore, left_out: &mut Vec<String>) -> Result<Vec<UninspectedFile>, ServeError> {
    let unreadable = |why| ServeError::Store { path: store.root().to_owned(), why };
    let inventory = Inventory::read(store).map_err(unreadable)?;
    let items = inventory.items().into_iter().filter_map(|item| {
        let declared = DeclaredMetadata {
            name: item.file.name.parse().ok()?,
            version: item.file.version.as_deref().and_then(|version| version.parse().ok()),
            sha256: item.file.sha256,
            requires_python: item.file.requires_python,
            yanked: Yanked(item.file.yanked.map(Into::into)),
        };
        let Some(object) = store.find(item.file.sha256) else {
            left_out.push(format!("{} is not served: it was damaged in the cache", item.file.filename));
            return None;
        };
        let extent = Extent { file: store.path(object.sha256), start: 0, size: object.size };
        Some(UninspectedFile { filename: item.file.filename, extent, declared: Some(declared) })
    });
    Ok(items.collect())
}

fn of_members(members: &Members) -> Vec<UninspectedFile> {
    let served = |(filename, _, extent): (&str, _, &Extent)| UninspectedFile {
        filename: filename.to_owned(),
        extent: extent.clone(),
        declared: None,
    };
    members.distributions().map(served).collect()
}

fn of_manifest(manifest: &Manifest, members: &Members) -> Result<Vec<UninspectedFile>, String> {
    let mut candidates = Vec::new();
    for package in &manifest.packages {
        for file in &package.files {
            let found = members.extents.iter().find(|(path, _)| path.as_str() == file.path);
            let (_, extent) = found.ok_or_else(|| format!("`{}` is not in it", file.path))?;
            if extent.size != file.size {
                return Err(format!("`{}` should have {} bytes and has {}", file.path, file.size, extent.size));
            }
            let declared = DeclaredMetadata {
                name: package.name.parse().map_err(|error| format!("{error}"))?,
                version: package.version.as_deref().and_then(|version| version.parse().ok()),
                sha256: file.sha256.parse().map_err(|error| format!("{error}"))?,
                requires_python: file.requires_python.clone(),
                yanked: Yanked(file.yanked.as_deref().map(Into::into)),
            };
            candidates.push(UninspectedFile {
                filename: file.filename.clone(),
                extent: extent.clone(),
                declared: Some(declared),
            });
        }
    }
    Ok(candidates)
}

/// Inspects all candidates on all processors; returns them in their order.
fn inspect_all(candidates: &[UninspectedFile]) -> Vec<Result<IndexedFile, String>> {
    parallel::map(candidates, parallel::threads(), |candidate| {
        inspect(candidate).map_err(|why| format!("{} is not served: {why}", candidate.filename))
    })
}

fn inspect(candidate: &UninspectedFile) -> Result<IndexedFile, String> {
    let identity = FileIdentity::at(&candidate.extent.file).map_err(|error| error.to_string())?;
    let mut input = candidate.extent.open().map_err(|error| error.to_string())?;
    let metadata = read_metadata(&mut input, &candidate.filename)?;
    let (sha256, name, version, requires_python, yanked) = match &candidate.declared {
        Some(declared) => {
            let requires_python = declared.requires_python.clone().or(metadata.requires_python);
            (declared.sha256, declared.name.clone(), declared.version.clone(), requires_python, declared.yanked.clone())
        }
        None => {
            let name = metadata.filename.ok_or("its name does not tell its project and version")?;
            let found =
                input.rewind().and_then(|()| Fingerprint::read(&mut input, &[])).map_err(|error| error.to_string())?;
            (
                found.sha256,
                name.name().clone(),
                Some(name.version().clone()),
                metadata.requires_python,
                Yanked::default(),
            )
        }
    };
    let (filename, extent) = (candidate.filename.clone(), candidate.extent.clone());
    Ok(IndexedFile {
        name,
        version,
        filename,
        extent,
        identity,
        sha256,
        requires_python: requires_python.as_deref().and_then(|text| text.parse().ok()),
        yanked,
        sidecar: metadata.sidecar,
    })
}

/// The metadata that a distribution itself states.
#[derive(Default)]
struct FileMetadata {
    filename: Option<DistributionFilename>,
    requires_python: Option<String>,
    sidecar: Option<Bytes>,
}

fn read_metadata(input: &mut (impl Read + Seek), filename: &str) -> Result<FileMetadata, String> {
    if let Ok(wheel) = filename.parse::<WheelFilename>() {
        let file = wheel_metadata::read(input, &wheel).map_err(|error| error.to_string())?;
        return Ok(FileMetadata {
            filename: Some(DistributionFilename::Wheel(wheel)),
            requires_python: file.metadata.requires_python.clone(),
            sidecar: Some(file.bytes.into()),
        });
    }
    let top = sdist_metadata::top_files(input, filename).unwrap_or_default();
    let source = top.release(filename).ok();
    let identity = source.as_ref().map(|source| (&source.name, &source.version));
    let requires_python = top.core_metadata(identity).ok().and_then(|found| found.requires_python);
    Ok(FileMetadata { filename: source.map(DistributionFilename::Source), requires_python, sidecar: None })
}
