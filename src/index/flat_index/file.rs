//! A file at a find-links location.

use super::super::file_visitor::FileVisitor;
use crate::domain::{Algorithm, Digest, FileRecord, MaskedUrl};

/// A [`FileRecord`] that owns its text and has an absolute link.
#[derive(Clone, Debug)]
pub(super) struct FlatFile {
    pub filename: String,
    pub href: String,
    pub hashes: Vec<Digest>,
    pub size: Option<u64>,
    pub requires_python: Option<String>,
    pub yanked: Option<String>,
    pub sidecar: Option<Option<Digest>>,
    pub uploaded: Option<i64>,
}

impl FlatFile {
    pub fn of(record: &FileRecord<'_>) -> Self {
        let digest = |(algorithm, hex): &(Algorithm, &str)| Digest::new(*algorithm, *hex);
        Self {
            filename: record.filename.to_owned(),
            href: record.href.to_owned(),
            hashes: record.hashes.iter().map(digest).collect(),
            size: record.size,
            requires_python: record.requires_python.map(str::to_owned),
            yanked: record.yanked.map(str::to_owned),
            sidecar: record.sidecar.as_ref().map(|promise| promise.as_ref().map(digest)),
            uploaded: record.uploaded,
        }
    }

    pub fn record(&self) -> FileRecord<'_> {
        FileRecord {
            filename: &self.filename,
            href: &self.href,
            hashes: self.hashes.iter().map(borrowed).collect(),
            size: self.size,
            requires_python: self.requires_python.as_deref(),
            yanked: self.yanked.as_deref(),
            sidecar: self.sidecar.as_ref().map(|promise| promise.as_ref().map(borrowed)),
            uploaded: self.uploaded,
        }
    }
}

fn borrowed(digest: &Digest) -> (Algorithm, &str) {
    (digest.algorithm, &digest.hex)
}

/// Ignores entries that are no valid files, as they belong to no project.
impl FileVisitor for Vec<FlatFile> {
    fn push(&mut self, record: &FileRecord<'_>) {
        self.push(FlatFile::of(record));
    }

    fn refuse(&mut self, _: &str, _: &str) {}
}

/// Resolves the links of files against `base`, without the credentials in it.
pub(super) fn resolve(files: &mut Vec<FlatFile>, base: &MaskedUrl) {
    let Ok(base) = base.public().parse::<MaskedUrl>() else { return };
    files.retain_mut(|file| match base.join(&file.href) {
        Ok(url) => {
            file.href = url.secret().as_str().to_owned();
            true
        }
        Err(_) => false,
    });
}
