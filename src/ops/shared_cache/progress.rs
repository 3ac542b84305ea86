//! How far the check of a shared store has come, kept in the cache until it is complete.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::cache_folder::{CacheLayout, remove_anything};
use crate::domain::{MaskedUrl, Sha256};
use crate::shared_store::SharedFile;

/// The files that were found to be right, in a file of lines.
pub struct CheckProgress {
    path: PathBuf,
    file: File,
    known: HashSet<String>,
}

impl CheckProgress {
    /// Opens the record of the store at `location`, which is made if necessary.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn open(layout: &CacheLayout, location: &MaskedUrl) -> io::Result<Self> {
        layout.make_folder(layout.incoming())?;
        let path = layout.incoming().join(format!("checked-{}", Sha256::of(location.public().as_bytes())));
        let known = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).lines().map(ToOwned::to_owned).collect(),
            Err(_) => HashSet::new(),
        };
        let file = File::options().create(true).append(true).open(&path)?;
        Ok(Self { path, file, known })
    }

    /// Whether a file was found to be right, and is unchanged.
    pub fn has(&self, file: &SharedFile) -> bool {
        self.known.contains(&line(file))
    }

    /// Records that a file is right.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn add(&mut self, file: &SharedFile) -> io::Result<()> {
        self.file.write_all(format!("{}\n", line(file)).as_bytes())
    }

    /// Removes the record of a complete check.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn finish(self) -> io::Result<()> {
        drop(self.file);
        remove_anything(&self.path)
    }
}

fn line(file: &SharedFile) -> String {
    format!("{} {} {}", file.path, file.size, file.written.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::shared_store::SharedFileKind;

    #[test]
    fn an_interrupted_check_goes_on_and_a_complete_one_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let layout = CacheLayout::new(folder.path().to_owned());
        let location: MaskedUrl = "s3://bucket/prefix".parse().unwrap();
        let file = SharedFile { path: "marks-v1/a".into(), kind: SharedFileKind::Mark, size: 1, written: Timestamp(1) };
        let open = || CheckProgress::open(&layout, &location).unwrap();
        let mut interrupted = open();
        assert!(!interrupted.has(&file));
        interrupted.add(&file).unwrap();
        drop(interrupted);
        let resumed = open();
        assert!(resumed.has(&file));
        assert!(!resumed.has(&SharedFile { written: Timestamp(2), ..file.clone() }), "it was written anew");
        let other = CheckProgress::open(&layout, &"s3://other".parse().unwrap()).unwrap();
        assert!(!other.has(&file));
        resumed.finish().unwrap();
        assert!(!open().has(&file));
    }
}
