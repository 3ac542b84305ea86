//! A flat index (`--find-links`): a page of links to files of many projects, a folder of such
//! files, or one file (`docs/facts/pip.md` 3.5).
//!
//! It is read once, then asked for one project after the other.

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

/// The files of one find-links location, by project.
#[derive(Clone, Debug)]
pub struct FlatIndex {
    location: Arc<MaskedUrl>,
    files: Vec<FlatFile>,
    /// The positions in `files` of each project's files.
    ///
    /// The name of an old source archive can be ambiguous (`a-b-1.zip`); the file then belongs to
    /// each of the projects.
    positions: HashMap<PackageName, Vec<usize>>,
}

impl FlatIndex {
    /// Reads the page at the location.
    ///
    /// # Errors
    /// When the page cannot be read.
    pub fn of_page(page: &Page<'_>, location: Arc<MaskedUrl>) -> Result<Self, PageError> {
        let mut files = Vec::new();
        let base = page.scan(&mut files)?;
        file::resolve(&mut files, base.as_ref().unwrap_or(page.url));
        Ok(Self::new(files, location))
    }

    /// Makes the flat index of a location that is itself a file.
    pub fn of_file(location: Arc<MaskedUrl>) -> Self {
        let (link, href) = (Link::new(location.secret().as_str()), String::from(location.address()));
        let hashes = link.digest.into_iter().collect();
        let file = FlatFile::of(&FileRecord { filename: &link.filename, href: &href, hashes, ..FileRecord::default() });
        Self::new(vec![file], location)
    }

    /// Reads a folder, a page (`.html`, `.htm`) or an archive on disk.
    ///
    /// # Errors
    /// When the path does not exist or cannot be read; the error names it.
    pub fn read(path: &Path) -> Result<Self, FlatError> {
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

    pub fn location(&self) -> &Arc<MaskedUrl> {
        &self.location
    }

    /// Returns the files of `project` at the location, which may be none.
    pub fn listing(&self, project: &PackageName) -> Listing {
        let mut builder = ListingBuilder::new(project.clone(), self.location.clone(), (*self.location).clone());
        for position in self.positions.get(project).into_iter().flatten() {
            builder.push(&self.files[*position].record());
        }
        builder.finish()
    }
}

/// Returns the projects that a file of this name may belong to.
fn projects(filename: &str) -> Vec<PackageName> {
    let (stem, dashes) = match (filename.strip_suffix(".whl"), SourceExtension::split(filename)) {
        (Some(stem), _) => (stem, 1),
        (None, Some((stem, _))) => (stem, usize::MAX),
        (None, None) => return Vec::new(),
    };
    let names = stem.match_indices('-').take(dashes).map(|(at, _)| &stem[..at]);
    names.filter_map(|name| name.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn urls(flat: &FlatIndex, project: &str) -> Vec<String> {
        let listing = flat.listing(&project.parse().unwrap());
        let versions: Vec<_> = listing.versions().cloned().collect();
        versions.iter().flat_map(|version| listing.files(version)).map(|file| file.url.to_string()).collect()
    }

    #[test]
    fn a_page_serves_every_project_on_it() {
        let body = include_bytes!("../../testdata/index/find-links.html");
        let url: MaskedUrl = "https://me:hunter2@files.example/pool/links.html".parse().unwrap();
        let page = Page { body, content_type: "text/html", url: &url };
        let flat = FlatIndex::of_page(&page, Arc::new(url.clone())).unwrap();
        assert_eq!(
            urls(&flat, "demo"),
            [
                "https://files.example/pool/demo-5.0.tar.gz",
                "https://files.example/pool/old/demo-5.1.tgz",
                "https://code.example/archive/main.tar.gz",
            ]
        );
        assert_eq!(
            urls(&flat, "zope-interface"),
            [
                "https://files.example/zope.interface-5.2.tar.gz",
                "https://files.example/pool/zope_interface-5.3-cp312-cp312-manylinux_2_28_x86_64.whl",
            ]
        );
        assert!(urls(&flat, "absent").is_empty());
    }

    #[test]
    fn ambiguous_names_stand_under_each_project() {
        let names = |filename: &str| projects(filename).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names("A.b-c_d-1-2.tar.gz"), ["a-b", "a-b-c-d", "a-b-c-d-1"]);
        assert_eq!(names("a_b-1-cp312-cp312-any.whl"), ["a-b"]);
        assert!(names("a-1.exe").is_empty() && names("a.zip").is_empty());
    }

    /// The column "index page" of the table in `docs/facts/pip.md` 3.6: a folder's files are laid
    /// out anew, with a page if pip would overlook a file.
    #[test]
    fn a_folder_is_read_with_its_pages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for name in
            ["demo-1.0.tar.gz", "demo-1.1.tar.bz2", "demo-1.2+x.zip", "demo-1.3-py3-none-any.whl", "demo-1.4.TAR.GZ"]
        {
            fs::write(path.join(name), "12345").unwrap();
        }
        fs::create_dir(path.join("demo-1.5.zip")).unwrap();
        fs::create_dir(path.join("demo.html")).unwrap();
        let page = "<form></form><a href='demo-1.2%2Bx.zip#sha256=ab' data-requires-python='&gt;=3.8'><a href=old/demo-0.9.zip>";
        fs::write(path.join("index.HTM"), page).unwrap();
        fs::write(path.join("other.xhtml"), "<a href=demo-7.zip>").unwrap();

        let flat = FlatIndex::read(path).unwrap();
        let base = FlatIndex::read(path).unwrap().location.to_string();
        let expected = [
            "old/demo-0.9.zip",
            "demo-1.0.tar.gz",
            "demo-1.1.tar.bz2",
            "demo-1.2%2Bx.zip",
            "demo-1.3-py3-none-any.whl",
        ];
        assert_eq!(urls(&flat, "demo"), expected.map(|name| format!("{base}/{name}")));
        let listing = flat.listing(&"demo".parse().unwrap());
        assert_eq!(listing.files(&"1.0".parse().unwrap())[0].size, Some(5));
        assert!(listing.files(&"1.2+x".parse().unwrap())[0].requires_python.is_some());
    }

    #[test]
    fn one_file_is_a_location_too() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("demo-1.0.zip");
        fs::write(&archive, "").unwrap();
        assert_eq!(urls(&FlatIndex::read(&archive).unwrap(), "demo").len(), 1);
        let flat =
            FlatIndex::of_file(Arc::new("https://me:hunter2@files.example/demo-1.0.zip#sha256=ab".parse().unwrap()));
        let listing = flat.listing(&"demo".parse().unwrap());
        assert_eq!(urls(&flat, "demo"), ["https://files.example/demo-1.0.zip"]);
        assert_eq!(listing.files(&"1.0".parse().unwrap())[0].hashes, ["sha256:ab".parse().unwrap()]);
        assert!(!String::from_utf8_lossy(listing.bytes()).contains("hunter2"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = FlatIndex::read(&folder.path().join("absent")).unwrap_err();
        assert!(error.to_string().contains("absent"), "{error}");
        assert!(matches!(FlatIndex::read(Path::new("src")), Err(FlatError::Relative(_))));
    }
}
