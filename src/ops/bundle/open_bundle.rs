//! An existing bundle, opened to make another one from it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::BundleError;
use super::unpack::unpack_files;
use crate::archive::{
    ArchiveReader, CancelFlag, MemberIndex, ObjectSource, ReadError, TemporaryFolder, check_cancelled,
};
use crate::domain::{Hasher, Sha256};
use crate::layout::{MANIFEST_PATH, Manifest};

/// The size limit of a manifest or a page in bytes.
pub const LARGEST_PAGE: u64 = 64 << 20;

/// The number of threads that unpack an archive that cannot be read in place.
const THREADS: usize = 2;

/// Reads the manifest of a bundle, of an unpacked one, or from a file of its own.
///
/// # Errors
/// When there is no manifest, or it cannot be read.
pub fn manifest_at(path: &Path) -> Result<Manifest, BundleError> {
    parse(path, &manifest_text_at(path)?)
}

/// Returns the text of the manifest.
///
/// # Errors
/// When there is no manifest.
pub fn manifest_text_at(path: &Path) -> Result<Vec<u8>, BundleError> {
    if let Ok(mut file) = fs::File::open(path)
        && file.metadata().is_ok_and(|metadata| metadata.is_file())
    {
        let mut first = [0];
        if file.read_exact(&mut first).is_ok() && first == *b"{" {
            let fail = |why| BundleError::Read(ReadError::Unreadable { path: path.to_owned(), why });
            return fs::read(path).map_err(fail);
        }
    }
    let page = ArchiveReader::open(path)?.page(MANIFEST_PATH, LARGEST_PAGE)?;
    page.ok_or_else(|| BundleError::NoManifest(path.to_owned()))
}

fn parse(path: &Path, text: &[u8]) -> Result<Manifest, BundleError> {
    Manifest::from_json(text).map_err(|why| BundleError::Manifest { path: path.to_owned(), why })
}

/// The manifest of a delta's base, with its digest.
pub struct DeltaBase {
    pub manifest: Manifest,
    pub manifest_sha256: Sha256,
}

impl DeltaBase {
    /// Reads it from the bundle at `path`, or from a manifest.
    ///
    /// # Errors
    /// When there is no manifest, or it cannot be read.
    pub fn read(path: &Path) -> Result<Self, BundleError> {
        let text = manifest_text_at(path)?;
        Ok(Self { manifest: parse(path, &text)?, manifest_sha256: Sha256::of(&text) })
    }
}

/// A bundle whose files can be opened by their digests.
pub struct OpenBundle {
    pub path: PathBuf,
    pub manifest: Manifest,
    pub manifest_sha256: Sha256,
    index: MemberIndex,
    /// Path and size of each file.
    files: BTreeMap<Sha256, (String, u64)>,
    cancel: CancelFlag,
    /// The unpacked files of an archive that can be read only from its beginning.
    _unpacked: Option<TemporaryFolder>,
}

impl OpenBundle {
    /// Opens the bundle at `path`; one that another tool compressed is unpacked below `scratch`
    /// first.
    ///
    /// Every read fails once `cancel` is set.
    ///
    /// # Errors
    /// When the path is no bundle, or cannot be read.
    pub fn open(path: &Path, scratch: &Path, cancel: &CancelFlag) -> Result<Self, BundleError> {
        let text = manifest_text_at(path)?;
        let manifest = parse(path, &text)?;
        let (index, unpacked) = match ArchiveReader::open(path)?.cancelled_by(cancel).index()? {
            Some(index) => (index, None),
            None => {
                let fail = |why| BundleError::Write { path: scratch.to_owned(), why };
                let folder = TemporaryFolder::new_in(scratch).map_err(fail)?;
                unpack_files(path, folder.path(), THREADS, false, cancel)?;
                let index = ArchiveReader::open(folder.path())?.index()?.expect("a folder has an index");
                (index, Some(folder))
            }
        };
        let files =
            manifest.files().filter_map(|(_, file)| Some((file.sha256.parse().ok()?, (file.path.clone(), file.size))));
        let files = files.collect();
        Ok(Self {
            path: path.to_owned(),
            manifest,
            manifest_sha256: Sha256::of(&text),
            index,
            files,
            cancel: cancel.clone(),
            _unpacked: unpacked,
        })
    }

    /// Whether the bundle has a file with this digest.
    pub fn has(&self, sha256: Sha256) -> bool {
        self.files.get(&sha256).is_some_and(|(path, size)| self.index.open(path, *size).is_ok())
    }

    /// Returns the bytes of a page.
    ///
    /// # Errors
    /// When the page does not exist or cannot be read.
    pub fn page(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.index.open(path, LARGEST_PAGE)?.take(LARGEST_PAGE).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl ObjectSource for OpenBundle {
    fn open(&self, sha256: Sha256) -> io::Result<Box<dyn Read + '_>> {
        let (path, size) = self.files.get(&sha256).ok_or(io::ErrorKind::NotFound)?;
        let input = self.index.open(path, *size)?;
        Ok(Box::new(DigestReader { input, hasher: Some(Hasher::new(&[])), sha256, cancel: &self.cancel }))
    }
}

/// Several bundles as one; a file comes from the first bundle that has it.
pub struct BundleOverlay<'a>(pub Vec<&'a OpenBundle>);

impl ObjectSource for BundleOverlay<'_> {
    fn open(&self, sha256: Sha256) -> io::Result<Box<dyn Read + '_>> {
        let holder = self.0.iter().find(|opened| opened.has(sha256)).ok_or(io::ErrorKind::NotFound)?;
        holder.open(sha256)
    }
}

/// A reader that fails at the end if the bytes do not have the expected digest.
struct DigestReader<'a, R> {
    input: R,
    hasher: Option<Hasher>,
    sha256: Sha256,
    cancel: &'a AtomicBool,
}

impl<R: Read> Read for DigestReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        check_cancelled(self.cancel)?;
        let length = self.input.read(buffer)?;
        if length > 0 || buffer.is_empty() {
            self.hasher.iter_mut().for_each(|hasher| hasher.update(&buffer[..length]));
            return Ok(length);
        }
        match self.hasher.take().map(|hasher| hasher.finish().sha256) {
            Some(got) if got != self.sha256 => {
                Err(io::Error::new(io::ErrorKind::InvalidData, format!("its SHA-256 is {got}: it was altered")))
            }
            _ => Ok(0),
        }
    }
}
