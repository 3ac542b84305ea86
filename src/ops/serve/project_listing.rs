//! What the indexes have of a project: its files, and the page that lists them here.

use super::sidecar;
use super::static_page::StaticPages;
use crate::domain::{Candidate, Candidates, PackageName};
use crate::layout::{IndexPages, PageEntry};

/// The number of files of a project that are listed: ten times those of the largest projects. A page of
/// more takes many seconds to make, and gigabytes.
const MOST_FILES: usize = 200_000;

/// A project has more files than are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has more than {MOST_FILES} files, which are not served")]
pub struct TooManyFiles;

/// The files of a project and their page.
#[derive(Debug)]
pub struct ProjectListing {
    candidates: Candidates,
    pub pages: StaticPages,
    /// The number of files.
    pub count: usize,
}

impl ProjectListing {
    /// Makes the page of a project, which takes a while for one of thousands of files.
    ///
    /// # Errors
    /// When it has too many files.
    pub fn new(name: &PackageName, candidates: Candidates) -> Result<Self, TooManyFiles> {
        let count = files(&candidates).take(MOST_FILES + 1).count();
        if count > MOST_FILES {
            return Err(TooManyFiles);
        }
        let pages = IndexPages::of_project(name, files(&candidates).map(entry)).into();
        Ok(Self { candidates, pages, count })
    }

    /// Whether no index has the project.
    pub fn is_unknown(&self) -> bool {
        self.candidates.is_unknown()
    }

    /// Returns the file with this name; of several that of the newest version, as the page has it.
    pub fn find(&self, filename: &str) -> Option<&Candidate> {
        files(&self.candidates).rev().find(|file| *file.filename == *filename)
    }
}

/// Returns all files, those of the oldest version first.
fn files(candidates: &Candidates) -> impl DoubleEndedIterator<Item = &Candidate> {
    (0..candidates.versions().len()).flat_map(|position| candidates.files(position).iter()).map(AsRef::as_ref)
}

fn entry(file: &Candidate) -> PageEntry<'_> {
    let sha256 = file.hashes.iter().find(|digest| digest.as_sha256().is_some());
    PageEntry {
        version: Some(file.distribution.version()),
        filename: &file.filename,
        digest: sha256.or(file.hashes.first()).cloned(),
        size: file.size,
        metadata: sidecar::promised(file).cloned(),
        requires_python: file.requires_python.as_ref(),
        yanked: &file.yanked,
        uploaded: file.uploaded,
    }
}
