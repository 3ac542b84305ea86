//! Sinks: a [`Tree`] and a way to read its objects become a folder or an archive.
//!
//! An archive's bytes are a function of the tree alone: paths in their order with the manifest
//! first, fixed dates, modes and owners, and reads cut into equal pieces, so that no compressor
//! sees how the bytes came.

mod directory;
mod envelope;
mod objects;
mod parts;
mod read;
mod stored;
mod tar;
mod volumes;
mod zip;

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

pub use directory::{Linking, Written, write_directory};
pub use objects::{Checksums, Objects, Sink};
pub use parts::{Extent, Part, Parts};
pub use read::{Fault, Found, Index, Input, ReadError, Reader, Visit};
pub use volumes::{VolumeIndex, check_volumes, pack_volumes};

use crate::domain::{Content, Object, RelPath, Sha256, Tree};

/// A kind of archive.
pub struct Format {
    /// How the names of such archives end.
    pub extensions: &'static [&'static str],
    /// Whether it can be written to a pipe.
    pub is_stream: bool,
    /// Whether it has the CRC-32 of each of its files.
    pub has_crc32s: bool,
    write: fn(&Tree, &dyn Objects, &mut dyn Output) -> Result<(), ArchiveError>,
}

/// Every archive format there is; `--bundle`, its help and its error message read this table.
pub const FORMATS: &[Format] = &[
    Format { extensions: &[".zip"], is_stream: false, has_crc32s: true, write: zip::write },
    Format { extensions: &[".tar"], is_stream: true, has_crc32s: false, write: tar::write },
    Format { extensions: &[".tar.gz", ".tgz"], is_stream: true, has_crc32s: false, write: tar::write_gzip },
    Format { extensions: &[".tar.zst"], is_stream: true, has_crc32s: false, write: tar::write_zstd },
];

impl Format {
    /// The format that the name of `path` asks for, in any case.
    ///
    /// # Errors
    /// Names the extensions that are known.
    pub fn of(path: &Path) -> Result<&'static Self, UnknownFormat> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let ends = |extension: &&str| name.ends_with(*extension) && name.len() > extension.len();
        let found = FORMATS.iter().find(|format| format.extensions.iter().any(ends));
        found.ok_or_else(|| UnknownFormat(path.to_owned()))
    }

    /// The format called `name`: its extension without the dot.
    ///
    /// # Errors
    /// Names the extensions that are known.
    pub fn called(name: &str) -> Result<&'static Self, UnknownFormat> {
        Self::of(Path::new(&format!("bundle.{name}"))).map_err(|_| UnknownFormat(name.into()))
    }

    /// Every extension of every format, in the order of the table.
    pub fn extensions() -> impl Iterator<Item = &'static str> {
        FORMATS.iter().flat_map(|format| format.extensions.iter().copied())
    }
}

/// A name that asks for no archive format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` does not say what archive it is; end its name in {}", .0.display(), alternatives())]
pub struct UnknownFormat(pub PathBuf);

fn alternatives() -> String {
    Format::extensions().collect::<Vec<_>>().join(", ")
}

/// What archives are written to; a zip's headers are completed when their files have passed.
pub trait Output: Sink + Seek {}

impl<T: Sink + Seek> Output for T {}

impl Sink for BufWriter<&File> {
    fn write_file(&mut self, file: &mut File) -> io::Result<u64> {
        io::copy(file, self)
    }
}

impl Sink for io::Cursor<Vec<u8>> {}

/// Why a tree did not become a folder or an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("`{path}` cannot be read from the store ({sha256:?}): {source}")]
    Object { path: RelPath, sha256: Sha256, source: io::Error },
    #[error("`{path}` should have {} bytes, and the store has {got} as {:?}; delete that object and run again", object.size, object.sha256)]
    Size { path: RelPath, object: Object, got: u64 },
    #[error(
        "`{path}` is damaged in the store: its SHA-256 is {got} and not {sha256}; `prefetch cache verify` removes it, and the next run fetches it again"
    )]
    Digest { path: RelPath, sha256: Sha256, got: Sha256 },
    #[error("`{path}` cannot be written into the archive: {source}")]
    Entry { path: RelPath, source: io::Error },
    #[error("`{}` cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the archive cannot be completed: {0}")]
    Finish(io::Error),
}

impl ArchiveError {
    /// What could not be written is the archive at `path`, whichever of its parts it was.
    fn of_file(self, path: &Path) -> Self {
        match self {
            Self::Entry { source, .. } | Self::Finish(source) => Self::Write { path: path.to_owned(), source },
            other => other,
        }
    }
}

/// Writes `tree` as an archive.
///
/// # Errors
/// When an object cannot be read or is not as long as the tree says, or the output fails.
pub fn pack(tree: &Tree, objects: &dyn Objects, format: &Format, output: &mut dyn Output) -> Result<(), ArchiveError> {
    (format.write)(tree, objects, output)
}

/// Writes `tree` as an archive into a pipe.
///
/// # Errors
/// As [`pack`]; a format that goes back in what it wrote fails at its first step back.
pub fn pack_stream(
    tree: &Tree,
    objects: &dyn Objects,
    format: &Format,
    output: &mut dyn Write,
) -> Result<(), ArchiveError> {
    let mut output = Pipe(BufWriter::with_capacity(objects::PIECE, output));
    pack(tree, objects, format, &mut output)?;
    output.0.flush().map_err(ArchiveError::Finish)?;
    objects.settle()
}

/// What can only be written to its end.
struct Pipe<W: Write>(BufWriter<W>);

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write> Sink for Pipe<W> {}

impl<W: Write> Seek for Pipe<W> {
    fn seek(&mut self, _: io::SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::NotSeekable.into())
    }
}

/// Writes `tree` as the archive `path`, which appears only when it is complete.
///
/// # Errors
/// As [`pack`]; the folder of `path` must be there.
pub fn pack_file(tree: &Tree, objects: &dyn Objects, format: &Format, path: &Path) -> Result<(), ArchiveError> {
    let fail = |source| ArchiveError::Write { path: path.to_owned(), source };
    let folder = directory::parent(path);
    let temporary = directory::temporary(folder, |name| File::create_new(name)).map_err(fail)?;
    let mut output = BufWriter::with_capacity(objects::PIECE, temporary.as_file());
    pack(tree, objects, format, &mut output).map_err(|error| error.of_file(path))?;
    output.flush().and_then(|()| temporary.as_file().sync_all()).map_err(fail)?;
    drop(output);
    objects.settle()?;
    temporary.persist(path).map(drop).map_err(|error| fail(error.error))
}

/// What leads every archive, so that the reader of a stream knows what will come.
const FIRST: &str = "prefetch.json";

/// The paths of a tree in the order of an archive.
fn entries(tree: &Tree) -> impl Iterator<Item = (&RelPath, &Content)> {
    let is_first = |path: &RelPath| path.as_str() == FIRST;
    let first = tree.iter().filter(move |(path, _)| is_first(path));
    first.chain(tree.iter().filter(move |(path, _)| !is_first(path)))
}

#[cfg(test)]
mod tests;
