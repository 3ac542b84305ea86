//! The files in a folder or an archive, with the positions of their bytes.
//!
//! An archive may be hostile: any fault of it is an error that names it, unless it was merely
//! packed by another tool.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use crate::archive::{ArchiveFault, ArchiveMember, ArchiveReader, CancelFlag, Extent, ReadError, TemporaryFolder};
use crate::domain::{RelPath, is_distribution};
use crate::layout::{MANIFEST_PATH, Manifest};
use crate::ops::bundle::LARGEST_PAGE;

/// The files by path, with what keeps them readable.
#[derive(Debug, Default)]
pub struct Members {
    pub extents: BTreeMap<RelPath, Extent>,
    /// Files that are left out, since they lead out of the folder or their names are invalid.
    pub left_out: Vec<String>,
    /// The folder with the unpacked files of an archive that cannot be read in place; removed with
    /// this value.
    scratch: Option<TemporaryFolder>,
}

/// Why the files of a path cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MembersError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the folder {} cannot be read: {why}", path.display())]
    Folder { path: PathBuf, why: io::Error },
    #[error("{} cannot be read: {fault}", path.display())]
    Fault { path: PathBuf, fault: ArchiveFault },
    #[error("{} cannot be read: it unpacks to more than {limit} bytes", path.display())]
    Bomb { path: PathBuf, limit: u64 },
    #[error("{} cannot be unpacked below {}: {why}", path.display(), scratch.display())]
    Unpack { path: PathBuf, scratch: PathBuf, why: io::Error },
}

impl Members {
    /// Finds the files in the folder or archive `path`; an archive that cannot be read in place is
    /// unpacked below `scratch`.
    ///
    /// # Errors
    /// When the path cannot be read or is hostile, or `cancel` was set meanwhile.
    pub fn find(path: &Path, scratch: &Path, cancel: &CancelFlag) -> Result<Self, MembersError> {
        if path.is_dir() {
            return Self::of_folder(path).map_err(|why| MembersError::Folder { path: path.to_owned(), why });
        }
        Self::of_archive(path, scratch, cancel)
    }

    /// Returns the members that are distributions by their names, with their paths.
    pub fn distributions(&self) -> impl Iterator<Item = (&str, &RelPath, &Extent)> {
        let named = self.extents.iter().map(|(path, extent)| {
            let filename = path.as_str().rsplit('/').next().unwrap_or_default();
            (filename, path, extent)
        });
        named.filter(|(filename, ..)| is_distribution(filename))
    }

    /// Returns the manifest, if the files are those of a bundle.
    ///
    /// # Errors
    /// When it cannot be read; the error says why.
    pub fn manifest(&self) -> Result<Option<Manifest>, String> {
        let Some((_, extent)) = self.extents.iter().find(|(path, _)| path.as_str() == MANIFEST_PATH) else {
            return Ok(None);
        };
        let mut text = Vec::new();
        let read = extent.open().and_then(|input| input.take(LARGEST_PAGE + 1).read_to_end(&mut text));
        if read.map_err(|error| error.to_string())? as u64 > LARGEST_PAGE {
            return Err(format!("it has more than {LARGEST_PAGE} bytes"));
        }
        Manifest::from_json(&text).map(Some).map_err(|error| error.to_string())
    }

    fn of_archive(path: &Path, scratch: &Path, cancel: &CancelFlag) -> Result<Self, MembersError> {
        let fail = |why| MembersError::Unpack { path: path.to_owned(), scratch: scratch.to_owned(), why };
        let reader = ArchiveReader::open(path)?.cancelled_by(cancel);
        let members = Mutex::new(Ok(Self::default()));
        let faults = reader.visit(u64::MAX, 1, &|found| {
            let mut members = members.lock();
            if let Ok(taken) = members.as_mut()
                && let Err(why) = taken.take(found, scratch)
            {
                *members = Err(why);
            }
        })?;
        if let Some(fault) = faults.into_iter().find(|fault| !matches!(fault, ArchiveFault::Altered { .. })) {
            let path = path.to_owned();
            return Err(match fault {
                ArchiveFault::TooLarge { limit } => MembersError::Bomb { path, limit },
                fault => MembersError::Fault { path, fault },
            });
        }
        members.into_inner().map_err(fail)
    }

    fn take(&mut self, mut found: ArchiveMember, scratch: &Path) -> io::Result<()> {
        let extent = match found.extent {
            Some(extent) => extent,
            None => {
                let folder = self.scratch.take().map_or_else(|| TemporaryFolder::new_in(scratch), Ok)?;
                let file = self.scratch.insert(folder).path().join(self.extents.len().to_string());
                let size = io::copy(&mut found.bytes, &mut File::create_new(&file)?)?;
                Extent { file, start: 0, size }
            }
        };
        self.extents.insert(found.path, extent);
        Ok(())
    }

    fn of_folder(root: &Path) -> io::Result<Self> {
        let mut members = Self::default();
        let root = root.canonicalize()?;
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                // A link may lead to a file of the same folder, and to nothing else.
                match path.canonicalize() {
                    Ok(real) if real == path && real.is_dir() => folders.push(path),
                    Ok(real) if real.is_file() && real.starts_with(&root) => members.add_file(&root, &path)?,
                    _ => members.left_out.push(path.display().to_string()),
                }
            }
        }
        Ok(members)
    }

    fn add_file(&mut self, root: &Path, path: &Path) -> io::Result<()> {
        let parts = path.strip_prefix(root).unwrap_or(path).iter().map(|part| part.to_string_lossy());
        match RelPath::new(parts.collect::<Vec<_>>().join("/")) {
            Ok(name) => {
                let extent = Extent { file: path.to_owned(), start: 0, size: fs::metadata(path)?.len() };
                drop(self.extents.insert(name, extent));
            }
            Err(_) => self.left_out.push(path.display().to_string()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar_with(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, kind, bytes) in entries {
            let mut header = tar::Header::new_ustar();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn find(bytes: &[u8]) -> Result<Members, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive");
        fs::write(&path, bytes).unwrap();
        let members = Members::find(&path, folder.path(), &CancelFlag::default()).map_err(|error| error.to_string())?;
        for extent in members.extents.values() {
            let mut read = String::new();
            extent.open().unwrap().read_to_string(&mut read).unwrap();
            assert_eq!(read, "bytes");
        }
        Ok(members)
    }

    #[test]
    fn members_are_read_where_they_lie() {
        use tar::EntryType::Regular;
        let plain = tar_with(&[("wheels/a.whl", Regular, b"bytes"), ("b.whl", Regular, b"bytes")]);
        assert_eq!(find(&plain).unwrap().extents.len(), 2);
        let mut packed = Vec::new();
        flate2::read::GzEncoder::new(&plain[..], flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
        assert_eq!(find(&packed).unwrap().extents.len(), 2);
        assert_eq!(find(&zstd::encode_all(&plain[..], 1).unwrap()).unwrap().extents.len(), 2);
    }

    #[test]
    fn hostile_archives_are_refused() {
        use tar::EntryType::{Block, Fifo, Link, Regular, Symlink};
        for (name, kind) in [
            ("../a.whl", Regular),
            ("/etc/a.whl", Regular),
            ("a//b.whl", Regular),
            ("a.whl", Symlink),
            ("a.whl", Link),
            ("a.whl", Block),
            ("a.whl", Fifo),
        ] {
            let error = find(&tar_with(&[(name, kind, b"")])).unwrap_err();
            assert!(error.contains("cannot be read") && error.contains(name), "{error}");
        }
        let twice = tar_with(&[("a.whl", Regular, b"1"), ("a.whl", Regular, b"2")]);
        assert!(find(&twice).unwrap_err().contains("twice"));
    }

    #[test]
    fn bombs_are_refused() {
        let zeros = tar_with(&[("a.whl", tar::EntryType::Regular, &vec![0; 80 << 20])]);
        let mut bomb = Vec::new();
        flate2::read::GzEncoder::new(&zeros[..], flate2::Compression::best()).read_to_end(&mut bomb).unwrap();
        assert!(find(&bomb).unwrap_err().contains("unpacks to more than"));
    }

    #[cfg(unix)]
    #[test]
    fn no_link_leads_out_of_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("inside");
        fs::create_dir(&inside).unwrap();
        fs::write(folder.path().join("secret.whl"), "secret").unwrap();
        fs::write(inside.join("a.whl"), "bytes").unwrap();
        for (target, name) in [("a.whl", "b.whl"), ("../secret.whl", "c.whl"), ("..", "d"), ("/", "e")] {
            std::os::unix::fs::symlink(target, inside.join(name)).unwrap();
        }
        let members = Members::find(&inside, folder.path(), &CancelFlag::default()).unwrap();
        let names: Vec<_> = members.extents.keys().map(RelPath::as_str).collect();
        assert_eq!((names, members.left_out.len()), (vec!["a.whl", "b.whl"], 3));
    }
}
