//! Writes a [`Tree`] and the objects in it as a folder or an archive, and reads archives.
//!
//! An archive's bytes depend on the tree alone, whatever the order in which threads write them: the
//! manifest comes first, then the paths in their order; dates, modes and owners are fixed.

mod cancel_flag;
mod digest_check;
mod directory;
mod objects;
mod parallel_read;
mod pip_cache_entry;
mod random_access;
mod read;
mod sink;
mod staging;
mod stored_blocks;
mod stored_container;
mod tar;
mod temporary;
mod volume_set;
mod volumes;
mod zip;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

pub use cancel_flag::{CancelFlag, CancellableReader, check_cancelled};
pub use directory::LinkMode;
pub use objects::ObjectSource;
pub use read::{ArchiveFault, ArchiveMember, ArchiveReader, MemberIndex, MemberVisitor, ReadError, SeekableInput};
pub use sink::{FileSink, FolderSink, StreamSink, TreeSink, VolumesSink};
pub use staging::parent;
pub use temporary::{TemporaryFolder, sweep, temporary};
pub use volume_set::{Extent, VolumeFile, VolumeSet, resolve_seek};
pub use volumes::{VolumeIndex, check_volumes};

use crate::domain::{CHUNK_SIZE, Content, Object, RelPath, Sha256, Tree};
use digest_check::with_digest_check;
use objects::ArchiveOutput;
use random_access::{RandomAccessWriter, WriteAt};

/// An archive format.
pub struct ArchiveFormat {
    /// The extensions of file names in this format.
    pub extensions: &'static [&'static str],
    /// Writes the archive from its first byte to its last; `None` if headers need the files'
    /// checksums.
    stream: Option<WriteStream>,
    /// Writes the archive in any order; `None` if the bytes of a file depend on those before it.
    random_access: Option<WriteRandomAccess>,
}

type WriteStream = fn(&Tree, &dyn ObjectSource, &mut dyn ArchiveOutput) -> Result<(), ArchiveError>;
type WriteRandomAccess = fn(&Tree, &dyn ObjectSource, &mut RandomAccessWriter<'_>) -> Result<(), ArchiveError>;

/// Every archive format; `--bundle`, its help and its error message read this table.
pub const FORMATS: &[ArchiveFormat] = &[
    ArchiveFormat { extensions: &[".zip"], stream: None, random_access: Some(zip::write) },
    ArchiveFormat { extensions: &[".tar"], stream: Some(tar::write), random_access: Some(tar::write_random_access) },
    ArchiveFormat { extensions: &[".tar.gz", ".tgz"], stream: Some(tar::write_gzip), random_access: None },
    ArchiveFormat { extensions: &[".tar.zst"], stream: Some(tar::write_zstd), random_access: None },
];

impl ArchiveFormat {
    /// Returns the format by the extension of `path`, in any case.
    ///
    /// # Errors
    /// When the extension is unknown; the error names the known ones.
    pub fn of(path: &Path) -> Result<&'static Self, UnknownFormat> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let ends = |extension: &&str| name.ends_with(*extension) && name.len() > extension.len();
        let found = FORMATS.iter().find(|format| format.extensions.iter().any(ends));
        found.ok_or_else(|| UnknownFormat(path.to_owned()))
    }

    /// Returns the format called `name`: its extension without the dot.
    ///
    /// # Errors
    /// When the name is unknown; the error names the known extensions.
    pub fn by_name(name: &str) -> Result<&'static Self, UnknownFormat> {
        Self::of(Path::new(&format!("bundle.{name}"))).map_err(|_| UnknownFormat(name.into()))
    }

    /// Whether the format can be written to a pipe.
    pub fn is_stream(&self) -> bool {
        self.stream.is_some()
    }

    /// Whether archives of this format are compressed.
    pub fn is_compressed(&self) -> bool {
        self.random_access.is_none()
    }

    /// Returns every extension of every format, in the order of the table.
    pub fn extensions() -> impl Iterator<Item = &'static str> {
        FORMATS.iter().flat_map(|format| format.extensions.iter().copied())
    }
}

/// The error for a file name without the extension of an archive format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` does not say what archive it is; end its name in {}", .0.display(), alternatives())]
pub struct UnknownFormat(pub PathBuf);

fn alternatives() -> String {
    ArchiveFormat::extensions().collect::<Vec<_>>().join(", ")
}

/// Why a tree could not be written as a folder or an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("`{path}` cannot be read where it is kept ({sha256:?}): {source}")]
    Object { path: RelPath, sha256: Sha256, source: io::Error },
    #[error("`{path}` should have {} bytes, and has {got} or more where it is kept ({:?}): it was altered", object.size, object.sha256)]
    Size { path: RelPath, object: Object, got: u64 },
    #[error(
        "`{path}` is damaged in the store: its SHA-256 is {got} and not {sha256}; `prefetch cache verify` removes it, and the next run fetches it again"
    )]
    Digest { path: RelPath, sha256: Sha256, got: Sha256 },
    #[error("`{path}` cannot be written into the archive: {source}")]
    Entry { path: RelPath, source: io::Error },
    #[error("`{}` cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot make the folder {}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("the archive cannot be completed: {0}")]
    Finish(io::Error),
    /// A folder in an object store failed.
    #[error("{place} cannot be read or written: {why}")]
    Remote { place: String, why: String },
}

impl ArchiveError {
    /// Replaces the path of a write error by that of the archive, whichever of its parts failed.
    fn of_file(self, path: &Path) -> Self {
        match self {
            Self::Entry { source, .. } | Self::Finish(source) => Self::Write { path: path.to_owned(), source },
            other => other,
        }
    }
}

/// Writes `tree` as an archive to a pipe.
///
/// # Errors
/// When an object cannot be read or does not have its size and digest, the pipe fails, or the
/// format [cannot be streamed](ArchiveFormat::is_stream).
fn pack_to_stream(
    tree: &Tree,
    objects: &dyn ObjectSource,
    format: &ArchiveFormat,
    output: &mut (dyn Write + Send),
) -> Result<(), ArchiveError> {
    let write = format.stream.ok_or_else(|| ArchiveError::Finish(io::ErrorKind::NotSeekable.into()))?;
    with_digest_check(objects, path_in(tree), |objects| {
        let mut output = StreamOutput(BufWriter::with_capacity(CHUNK_SIZE, output));
        write(tree, objects, &mut output)?;
        output.flush().map_err(ArchiveError::Finish)
    })
}

/// An output that can only be appended to, such as a pipe.
struct StreamOutput<W: Write>(BufWriter<W>);

impl<W: Write> Write for StreamOutput<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write> ArchiveOutput for StreamOutput<W> {
    fn put(&mut self, path: &RelPath, content: &Content, objects: &dyn ObjectSource) -> Result<(), ArchiveError> {
        objects::copy(path, content, objects, self)
    }
}

/// Writes `tree` as the archive `path`, which appears only when it is complete.
///
/// # Errors
/// When an object cannot be read or does not have its size and digest, or the archive cannot be
/// written; the folder of `path` must exist.
fn pack_file(tree: &Tree, objects: &dyn ObjectSource, format: &ArchiveFormat, path: &Path) -> Result<(), ArchiveError> {
    let fail = |source| ArchiveError::Write { path: path.to_owned(), source };
    let folder = parent(path);
    sweep(folder);
    let temporary = temporary(folder).map_err(fail)?;
    pack(tree, objects, format, temporary.as_file()).map_err(|error| error.of_file(path))?;
    temporary.as_file().sync_all().map_err(fail)?;
    temporary.persist(path).map(drop).map_err(|error| fail(error.error))
}

/// Writes `tree` as an archive to `destination`.
fn pack(
    tree: &Tree,
    objects: &dyn ObjectSource,
    format: &ArchiveFormat,
    destination: &dyn WriteAt,
) -> Result<(), ArchiveError> {
    let mut output = RandomAccessWriter::new(destination);
    if let Some(write) = format.random_access {
        write(tree, objects, &mut output)?;
    } else if let Some(write) = format.stream {
        with_digest_check(objects, path_in(tree), |objects| write(tree, objects, &mut output))?;
    }
    output.flush().map_err(ArchiveError::Finish)
}

/// Returns a function from an object to its path in `tree`.
fn path_in(tree: &Tree) -> impl Fn(Sha256) -> RelPath {
    move |wanted| {
        let is_wanted = |(_, content): &(&RelPath, &Content)| match content {
            Content::Object { sha256, .. } => *sha256 == wanted,
            Content::Generated(_) | Content::PipCacheEntry(_) => false,
        };
        tree.iter().find(is_wanted).expect("only objects of the tree are read").0.clone()
    }
}

/// The first entry of every archive, so that the reader of a stream knows what will follow.
const FIRST_ENTRY: &str = "prefetch.json";

/// Returns the paths of a tree in the order of an archive.
fn entries(tree: &Tree) -> impl Iterator<Item = (&RelPath, &Content)> {
    let is_first = |path: &RelPath| path.as_str() == FIRST_ENTRY;
    let first = tree.iter().filter(move |(path, _)| is_first(path));
    first.chain(tree.iter().filter(move |(path, _)| !is_first(path)))
}

#[cfg(test)]
mod tests;
