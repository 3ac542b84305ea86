//! Small files that appear whole: written aside, then renamed. They are not flushed, since they
//! can be had again, so a check sum at their end tells what a power cut made of them.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The folder for files being written: `incoming/` in the cache folder, which the store sweeps.
#[derive(Clone, Debug)]
pub(super) struct Scratch(PathBuf);

/// Bytes of the check sum.
const SUM: usize = size_of::<u32>();

impl Scratch {
    pub fn of(cache: &Path) -> Self {
        Self(cache.join("incoming"))
    }

    /// What [`Scratch::write`] put at `path`; nothing where that is missing or damaged.
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let mut bytes = fs::read(path).ok()?;
        let sum = bytes.split_off(bytes.len().checked_sub(SUM)?);
        (crc32fast::hash(&bytes).to_le_bytes().as_slice() == sum).then_some(bytes)
    }

    /// Puts `bytes` at `path`, whose folder is made if need be.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = match NamedTempFile::new_in(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.0)?;
                NamedTempFile::new_in(&self.0)?
            }
            other => other?,
        };
        file.write_all(bytes)?;
        file.write_all(&crc32fast::hash(bytes).to_le_bytes())?;
        match file.persist(path) {
            Err(failed) if failed.error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path.parent().unwrap_or(path))?;
                failed.file.persist(path)?;
            }
            other => drop(other?),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_of_any_kind_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::of(folder.path());
        let path = folder.path().join("pages/a");
        scratch.write(&path, b"abc").unwrap();
        assert_eq!(scratch.read(&path).as_deref(), Some(b"abc".as_slice()));
        let whole = fs::read(&path).unwrap();
        for damaged in [&[], &whole[..3], &whole[..6], &[0; 7], &[0; 3]] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(scratch.read(&path), None, "{damaged:?}");
        }
        assert_eq!(scratch.read(&folder.path().join("none")), None);
        assert_eq!(fs::read_dir(folder.path().join("incoming")).unwrap().count(), 0);
    }
}
