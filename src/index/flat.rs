//! Find-links: a page of links to files of many projects, a folder of such files, or one file
//! (`facts/pip.md` 3.5). Read once, then asked for one project after the other.

mod disk;
mod file;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

pub use disk::FlatError;
pub(super) use disk::file_url;
use file::FlatFile;

use super::link::Link;
use super::page::{Page, PageError};
use crate::domain::{FileRecord, Listing, ListingBuilder, MaskedUrl, PackageName, SourceExtension};

/// What one find-links location offers, by project.
#[derive(Clone, Debug)]
pub struct Flat {
    location: Arc<MaskedUrl>,
    files: Vec<FlatFile>,
    /// Where in `files` the files of a project are. An old source archive's name is ambiguous
    /// (`a-b-1.zip`), so it stands under each project that it may belong to.
    positions: HashMap<PackageName, Vec<usize>>,
}

impl Flat {
    /// Reads a page that the location answered.
    ///
    /// # Errors
    /// When the page cannot be read.
    pub fn page(page: &Page<'_>, location: Arc<MaskedUrl>) -> Result<Self, PageError> {
        let mut files = Vec::new();
        let base = page.scan(&mut files)?;
        file::resolve(&mut files, base.as_ref().unwrap_or(page.url));
        Ok(Self::new(files, location))
    }

    /// Takes the location itself for the one file that it offers.
    pub fn file(location: Arc<MaskedUrl>) -> Self {
        let (link, href) = (Link::new(location.secret().as_str()), location.public());
        let hashes = link.digest.into_iter().collect();
        let file = FlatFile::of(&FileRecord { filename: &link.filename, href: &href, hashes, ..FileRecord::default() });
        Self::new(vec![file], location)
    }

    /// Reads a folder, a page (`.html`, `.htm`) or an archive on disk.
    ///
    /// # Errors
    /// Names the path that cannot be read; one that is missing is among these.
    pub fn path(path: &Path) -> Result<Self, FlatError> {
        Ok(Self::new(disk::read(path)?, Arc::new(file_url(path)?)))
    }

    fn new(files: Vec<FlatFile>, location: Arc<MaskedUrl>) -> Self {
        let mut positions: HashMap<_, Vec<usize>> = HashMap::new();
        for (position, file) in files.iter().enumerate() {
            for project in projects(&file.filename) {
                positions.entry(project).or_default().push(position);
            }
        }
        Self { location, files, positions }
    }

    /// Where it is.
    pub fn location(&self) -> &Arc<MaskedUrl> {
        &self.location
    }

    /// What the location offers of `project`; maybe nothing.
    pub fn listing(&self, project: &PackageName) -> Listing {
        let mut builder = ListingBuilder::new(project.clone(), self.location.clone(), (*self.location).clone());
        for position in self.positions.get(project).into_iter().flatten() {
            builder.push(&self.files[*position].record());
        }
        builder.finish()
    }
}

/// The projects that a file of this name may belong to.
fn projects(filename: &str) -> Vec<PackageName> {
    let (stem, dashes) = match (filename.strip_suffix(".whl"), SourceExtension::split(filename)) {
        (Some(stem), _) => (stem, 1),
        (None, Some((stem, _))) => (stem, usize::MAX),
        (None, None) => return Vec::new(),
    };
    let names = stem.match_indices('-').take(dashes).map(|(at, _)| &stem[..at]);
    names.filter_map(|name| name.parse().ok()).collect()
}
