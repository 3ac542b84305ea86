//! Fetched → trees → written: folders and the bundle.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::archive::{ArchiveError, Format, Linking, Objects, pack_file, write_directory};
use crate::domain::{Fetched, Sha256};
use crate::layout::{Layout, LayoutError, bundle};
use crate::store::DiskStore;

/// A place to write to.
#[derive(Clone)]
pub enum Output {
    Folder { layout: &'static dyn Layout, path: PathBuf },
    Bundle { format: &'static Format, path: PathBuf },
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
            Self::Bundle { .. } => Vec::new(),
        }
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::Folder { path, .. } | Self::Bundle { path, .. } => path,
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
    #[error("cannot make the folder {}: {why}", path.display())]
    Folder { path: PathBuf, why: io::Error },
}

impl WriteFailure {
    /// Whether the disk is to blame, and not what was fetched.
    pub fn is_disk(&self) -> bool {
        !matches!(self, Self::Layout(_))
    }
}

/// Writes what was fetched to `output`; what is right there already stays as it is.
///
/// # Errors
/// When the files cannot be laid out so, or the disk does not take them. Nothing half-written
/// has a final name.
pub fn write(fetched: &Fetched, store: &DiskStore, output: &Output) -> Result<(), WriteFailure> {
    match output {
        Output::Folder { layout, path } => {
            let linking = if layout.consumer_writes() { Linking::Copies } else { Linking::Hard };
            make_folder(path)?;
            write_directory(&layout.tree(fetched)?, store, path, linking)?;
        }
        Output::Bundle { format, path } => {
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), make_folder)?;
            pack_file(&bundle(fetched)?, store, format, path)?;
        }
    }
    Ok(())
}

fn make_folder(path: &Path) -> Result<(), WriteFailure> {
    fs::create_dir_all(path).map_err(|why| WriteFailure::Folder { path: path.to_owned(), why })
}

impl Objects for DiskStore {
    fn open(&self, sha256: Sha256) -> io::Result<Box<dyn io::Read + '_>> {
        Ok(Box::new(fs::File::open(DiskStore::path(self, sha256))?))
    }

    fn path(&self, sha256: Sha256) -> Option<PathBuf> {
        Some(DiskStore::path(self, sha256))
    }
}
