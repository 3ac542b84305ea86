//! An existing bundle, opened to make another one from it.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::BundleError;
use super::manifest_file::{LARGEST_PAGE, manifest_text_at, parse};
use super::unpack::unpack_files;
use crate::archive::{ArchiveReader, CancelFlag, MemberIndex, ObjectSource, TemporaryFolder, check_cancelled};
use crate::domain::{Hasher, Sha256};
use crate::layout::Manifest;

/// The number of threads that unpack an archive that cannot be read in place.
const THREADS: usize = 2;

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
