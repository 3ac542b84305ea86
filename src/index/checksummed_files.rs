//! Small files that appear whole: written aside, then renamed. They are not flushed, since they
//! can be had again, so a check sum at their end tells what a power cut made of them.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

/// The folder for files being written: `incoming/` in the cache folder, which the store sweeps.
#[derive(Clone, Debug)]
pub struct ChecksummedFiles(PathBuf);

/// Tells a file from the one that takes its name later: its length, and when it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Bytes.
    length: u64,
    /// Nanoseconds since 1970-01-01 UTC.
    pub written: u128,
}

impl FileStamp {
    /// The file that has the name now.
    pub fn at(path: &Path) -> Option<Self> {
        Self::of(&fs::metadata(path).ok()?)
    }

    /// Nothing where the platform does not tell when a file was written.
    fn of(metadata: &fs::Metadata) -> Option<Self> {
        let written = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
        Some(Self { length: metadata.len(), written })
    }
}

/// Bytes of the check sum.
const SUM: usize = size_of::<u32>();

impl ChecksummedFiles {
    pub fn of(cache: &Path) -> Self {
        Self(cache.join("incoming"))
    }

    /// What [`ChecksummedFiles::write`] put at `path`; nothing where that is missing or damaged.
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        self.read_stamped(path).map(|(bytes, _)| bytes)
    }

    /// The same, with the mark of the very file that was read.
    pub fn read_stamped(&self, path: &Path) -> Option<(Vec<u8>, Option<FileStamp>)> {
        let mut file = File::open(path).ok()?;
        let metadata = file.metadata().ok()?;
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?.saturating_add(1));
        file.read_to_end(&mut bytes).ok()?;
        let length = bytes.len().checked_sub(SUM)?;
        let is_whole = crc32fast::hash(&bytes[..length]).to_le_bytes() == bytes[length..];
        bytes.truncate(length);
        is_whole.then(|| (bytes, FileStamp::of(&metadata)))
    }

    /// Puts `parts`, one after the other, at `path`, whose folder is made if need be, and tells the
    /// file's mark.
    pub fn write(&self, path: &Path, parts: &[&[u8]]) -> io::Result<Option<FileStamp>> {
        let mut file = match NamedTempFile::new_in(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.0)?;
                NamedTempFile::new_in(&self.0)?
            }
            other => other?,
        };
        let (mut sum, mut writer) = (crc32fast::Hasher::new(), BufWriter::new(&mut file));
        for part in parts {
            sum.update(part);
            writer.write_all(part)?;
        }
        writer.write_all(&sum.finalize().to_le_bytes())?;
        writer.flush()?;
        drop(writer);
        let stamp = FileStamp::of(&file.as_file().metadata()?);
        match file.persist(path) {
            Err(failed) if failed.error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path.parent().unwrap_or(path))?;
                failed.file.persist(path)?;
            }
            other => drop(other?),
        }
        Ok(stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_of_any_kind_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let files = ChecksummedFiles::of(folder.path());
        let path = folder.path().join("pages/a");
        files.write(&path, &[b"a", b"bc"]).unwrap();
        assert_eq!(files.read(&path).as_deref(), Some(b"abc".as_slice()));
        let whole = fs::read(&path).unwrap();
        for damaged in [&[], &whole[..3], &whole[..6], &[0; 7], &[0; 3]] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(files.read(&path), None, "{damaged:?}");
        }
        assert_eq!(files.read(&folder.path().join("none")), None);
        assert_eq!(fs::read_dir(folder.path().join("incoming")).unwrap().count(), 0);
    }
}
