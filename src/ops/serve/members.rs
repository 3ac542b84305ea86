//! The files inside a folder or an archive, and where the bytes of each lie.
//!
//! An archive may be hostile: whatever is no plain file, has a name that is no safe path, comes
//! twice, or unpacks to far more than it weighs, is an error that names it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tempfile::TempDir;

use crate::domain::{RelPath, RelPathError};

/// A stretch of a file on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: PathBuf,
    /// Bytes before it.
    pub start: u64,
    /// Bytes.
    pub size: u64,
}

/// The members by path, and what must stay for them to be readable.
#[derive(Debug, Default)]
pub struct Members {
    pub places: BTreeMap<RelPath, Place>,
    /// Files that lead out of the folder, or have a name that cannot be served.
    pub left_out: Vec<String>,
    /// Unpacked here, where the archive cannot be read in place; removed with this value.
    scratch: Option<TempDir>,
}

/// Why there are no members to read.
#[derive(Debug, thiserror::Error)]
pub enum MembersError {
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("it cannot be read as a zip archive: {0}")]
    Zip(#[from] zip::result::ZipError),
    #[error("it is not to be trusted: {0}")]
    Name(#[from] RelPathError),
    #[error("it is not to be trusted: `{0}` is no plain file")]
    Kind(String),
    #[error("it is not to be trusted: `{0}` is in it twice")]
    Twice(String),
    #[error("it is not to be trusted: it unpacks to more than {0} bytes")]
    Bomb(u64),
}

impl Place {
    /// A reader of these bytes only.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(&self) -> io::Result<Stretch> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(self.start))?;
        Ok(Stretch { file, start: self.start, size: self.size, at: 0 })
    }
}

/// A part of a file that reads as a whole one.
#[derive(Debug)]
pub struct Stretch {
    file: File,
    start: u64,
    size: u64,
    at: u64,
}

impl Read for Stretch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let length = self.file.read(&mut buffer[..left])?;
        self.at += length as u64;
        Ok(length)
    }
}

impl Seek for Stretch {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?.min(self.size);
        self.file.seek(SeekFrom::Start(self.start + self.at))?;
        Ok(self.at)
    }
}

impl Members {
    /// Finds the members of the folder or archive `path`; what cannot be read in place is
    /// unpacked below `scratch`.
    ///
    /// # Errors
    /// When it cannot be read, or is hostile.
    pub fn find(path: &Path, scratch: &Path) -> Result<Self, MembersError> {
        if path.is_dir() {
            return Ok(Self::of_folder(path)?);
        }
        let mut magic = [0; 4];
        let length = File::open(path)?.read(&mut magic)?;
        match magic {
            _ if length < magic.len() => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            [b'P', b'K', ..] => Self::of_zip(path, scratch),
            [0x1f, 0x8b, ..] => Self::of_packed(path, scratch, |file| Ok(Box::new(MultiGzDecoder::new(file)))),
            [0x28, 0xb5, 0x2f, 0xfd] => {
                Self::of_packed(path, scratch, |file| Ok(Box::new(zstd::Decoder::with_buffer(file)?)))
            }
            _ => Self::of_tar(path, None),
        }
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
                let place = Place { file: path.to_owned(), start: 0, size: fs::metadata(path)?.len() };
                drop(self.places.insert(name, place));
            }
            Err(_) => self.left_out.push(path.display().to_string()),
        }
        Ok(())
    }

    fn insert(&mut self, name: &str, place: Place) -> Result<(), MembersError> {
        match self.places.insert(RelPath::new(name)?, place) {
            None => Ok(()),
            Some(_) => Err(MembersError::Twice(name.to_owned())),
        }
    }

    fn of_tar(path: &Path, scratch: Option<TempDir>) -> Result<Self, MembersError> {
        let mut members = Self { scratch, ..Self::default() };
        let mut archive = tar::Archive::new(BufReader::new(File::open(path)?));
        for entry in archive.entries_with_seek()? {
            let entry = entry?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            match entry.header().entry_type() {
                tar::EntryType::Regular => {
                    let (start, size) = (entry.raw_file_position(), entry.size());
                    members.insert(&name, Place { file: path.to_owned(), start, size })?;
                }
                tar::EntryType::Directory | tar::EntryType::XGlobalHeader => {}
                _ => return Err(MembersError::Kind(name)),
            }
        }
        Ok(members)
    }

    fn of_packed(
        path: &Path,
        scratch: &Path,
        unpack: fn(BufReader<File>) -> io::Result<Box<dyn Read>>,
    ) -> Result<Self, MembersError> {
        let scratch = TempDir::new_in(scratch)?;
        let whole = scratch.path().join("bundle.tar");
        let input = unpack(BufReader::new(File::open(path)?))?;
        copy_bounded(input, &mut File::create_new(&whole)?, &mut bound(path)?)?;
        Self::of_tar(&whole, Some(scratch))
    }

    fn of_zip(path: &Path, scratch: &Path) -> Result<Self, MembersError> {
        let mut members = Self::default();
        let mut archive = zip::ZipArchive::new(BufReader::new(File::open(path)?))?;
        let mut left = bound(path)?;
        for position in 0..archive.len() {
            let mut entry = archive.by_index(position)?;
            let name = entry.name()?.into_owned();
            if entry.is_dir() {
                continue;
            }
            if entry.is_symlink() {
                return Err(MembersError::Kind(name));
            }
            let in_place = entry.data_start().filter(|_| entry.compression() == zip::CompressionMethod::Stored);
            let place = match in_place {
                Some(start) => Place { file: path.to_owned(), start, size: entry.size() },
                None => {
                    let folder = members.scratch.take().map_or_else(|| TempDir::new_in(scratch), Ok)?;
                    let file = folder.path().join(position.to_string());
                    members.scratch = Some(folder);
                    let size = copy_bounded(&mut entry, &mut File::create_new(&file)?, &mut left)?;
                    Place { file, start: 0, size }
                }
            };
            members.insert(&name, place)?;
        }
        Ok(members)
    }
}

/// How much an archive may unpack to: distributions are packed already, so real ones hardly grow.
struct Bound {
    most: u64,
    left: u64,
}

fn bound(path: &Path) -> io::Result<Bound> {
    let most = fs::metadata(path)?.len().saturating_mul(50).saturating_add(64 << 20);
    Ok(Bound { most, left: most })
}

fn copy_bounded(mut input: impl Read, output: &mut impl Write, bound: &mut Bound) -> Result<u64, MembersError> {
    let copied = io::copy(&mut input.by_ref().take(bound.left + 1), output)?;
    bound.left = bound.left.checked_sub(copied).ok_or(MembersError::Bomb(bound.most))?;
    Ok(copied)
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
        let members = Members::find(&path, folder.path()).map_err(|error| error.to_string())?;
        for place in members.places.values() {
            let mut read = String::new();
            place.open().unwrap().read_to_string(&mut read).unwrap();
            assert_eq!(read, "bytes");
        }
        Ok(members)
    }

    #[test]
    fn members_are_read_where_they_lie() {
        use tar::EntryType::Regular;
        let plain = tar_with(&[("wheels/a.whl", Regular, b"bytes"), ("b.whl", Regular, b"bytes")]);
        assert_eq!(find(&plain).unwrap().places.len(), 2);
        let mut packed = Vec::new();
        flate2::read::GzEncoder::new(&plain[..], flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
        assert_eq!(find(&packed).unwrap().places.len(), 2);
        assert_eq!(find(&zstd::encode_all(&plain[..], 1).unwrap()).unwrap().places.len(), 2);
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
            assert!(error.contains("not to be trusted") && error.contains(name), "{error}");
        }
        let twice = tar_with(&[("a.whl", Regular, b"1"), ("a.whl", Regular, b"2")]);
        assert!(find(&twice).unwrap_err().contains("twice"));
    }

    #[test]
    fn bombs_are_refused() {
        let zeros = io::repeat(0).take(100 << 20);
        let mut bomb = Vec::new();
        flate2::read::GzEncoder::new(zeros, flate2::Compression::best()).read_to_end(&mut bomb).unwrap();
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
        let members = Members::find(&inside, folder.path()).unwrap();
        let names: Vec<_> = members.places.keys().map(RelPath::as_str).collect();
        assert_eq!((names, members.left_out.len()), (vec!["a.whl", "b.whl"], 3));
    }
}
