//! Reads a folder on the disk that earlier runs wrote to.

use std::fs;
use std::path::Path;

use crate::layout::HeldFolder;

/// A folder on the disk; files that cannot be read count as absent.
pub struct DiskFolder<'a>(pub &'a Path);

impl HeldFolder for DiskFolder<'_> {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.has_file(path).then(|| fs::read(self.0.join(path)).ok())?
    }

    fn has_file(&self, path: &str) -> bool {
        fs::symlink_metadata(self.0.join(path)).is_ok_and(|found| found.is_file())
    }

    fn folders(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        folders.filter_map(|folder| folder.file_name().into_string().ok()).collect()
    }
}
