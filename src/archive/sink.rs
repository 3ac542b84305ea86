//! The sinks that a tree is written to: a folder, an archive, its volumes, or a pipe.
//!
//! A new sink is a type here, and a line where an output of a run returns its sink.

use std::fs;
use std::io::Write;
use std::path::Path;

use parking_lot::Mutex;

use super::directory::write_directory;
use super::parallel_read::check_digests;
use super::volumes::pack_volumes;
use super::{ArchiveError, ArchiveFormat, LinkMode, ObjectSource, pack_file, pack_to_stream, parent};
use crate::domain::Tree;

/// A destination for a tree.
pub trait TreeSink {
    /// Writes `tree`; nothing half-written gets a final name.
    ///
    /// # Errors
    /// When an object cannot be read or does not have its size and digest, or the destination
    /// cannot be written.
    fn write(&self, tree: &Tree, objects: &dyn ObjectSource) -> Result<(), ArchiveError>;
}

/// A folder, in which other files and those that are correct already stay.
pub struct FolderSink<'a> {
    pub path: &'a Path,
    pub link_mode: LinkMode,
}

impl TreeSink for FolderSink<'_> {
    fn write(&self, tree: &Tree, objects: &dyn ObjectSource) -> Result<(), ArchiveError> {
        check_digests(tree, objects)?;
        make_folder(self.path)?;
        write_directory(tree, objects, self.path, self.link_mode).map(drop)
    }
}

/// An archive in a file, which appears only when it is complete.
pub struct FileSink<'a> {
    pub path: &'a Path,
    pub format: &'a ArchiveFormat,
}

impl TreeSink for FileSink<'_> {
    fn write(&self, tree: &Tree, objects: &dyn ObjectSource) -> Result<(), ArchiveError> {
        make_folder(parent(self.path))?;
        pack_file(tree, objects, self.format, self.path)
    }
}

/// An archive in volumes, which appear once all are complete.
pub struct VolumesSink<'a> {
    pub path: &'a Path,
    pub format: &'a ArchiveFormat,
    /// The size limit of a volume in bytes.
    pub size: u64,
}

impl TreeSink for VolumesSink<'_> {
    fn write(&self, tree: &Tree, objects: &dyn ObjectSource) -> Result<(), ArchiveError> {
        make_folder(parent(self.path))?;
        pack_volumes(tree, objects, self.format, self.path, self.size)
    }
}

/// An archive that goes to a pipe.
pub struct StreamSink<'a> {
    pub output: &'a Mutex<dyn Write + Send>,
    pub format: &'a ArchiveFormat,
}

impl TreeSink for StreamSink<'_> {
    fn write(&self, tree: &Tree, objects: &dyn ObjectSource) -> Result<(), ArchiveError> {
        let mut output = self.output.lock();
        pack_to_stream(tree, objects, self.format, &mut *output)
    }
}

fn make_folder(path: &Path) -> Result<(), ArchiveError> {
    fs::create_dir_all(path).map_err(|source| ArchiveError::Folder { path: path.to_owned(), source })
}
