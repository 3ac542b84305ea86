//! Reads find-links locations on disk: a folder, a page or an archive.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use url::Url;

use super::super::html;
use super::file::{FlatFile, resolve};
use crate::domain::{FileRecord, MaskedUrl, is_distribution};
use crate::regular_file;

/// Why a find-links path cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FlatError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is no folder; an index is a URL (https://…) or a folder", .0.display())]
    NoFolder(PathBuf),
    #[error("{} is not an absolute path", .0.display())]
    Relative(PathBuf),
}

/// Returns the files at the path.
pub(super) fn read(path: &Path) -> Result<Vec<FlatFile>, FlatError> {
    let about = fs::metadata(path).map_err(failed(path))?;
    if about.is_dir() {
        folder(path)
    } else if is_page(path) {
        page_links(path)
    } else {
        Ok(vec![file(path, about.len())?])
    }
}

/// Returns the files in the folder and those that its pages link to.
///
/// Pages state more about a file, so they come first, and a file that is linked to is not listed
/// twice.
fn folder(path: &Path) -> Result<Vec<FlatFile>, FlatError> {
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(failed(path))?;
    let mut paths: Vec<_> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort_unstable();
    let (pages, others): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| is_page(path));
    let mut files = Vec::new();
    for page in pages.iter().filter(|page| page.is_file()) {
        files.extend(page_links(page)?);
    }
    let known = names_below(&file_url(path)?, &files);
    for path in others.iter().filter(|path| is_candidate(path, &known)) {
        if let Ok(about) = fs::metadata(path)
            && about.is_file()
        {
            files.push(file(path, about.len())?);
        }
    }
    Ok(files)
}

/// Returns the names of those files that are directly in `folder`.
fn names_below(folder: &MaskedUrl, files: &[FlatFile]) -> HashSet<String> {
    let folder = folder.secret().as_str().trim_end_matches('/');
    let below = files.iter().filter(|file| file.href.rsplit_once('/').is_some_and(|(parent, _)| parent == folder));
    below.map(|file| file.filename.clone()).collect()
}

fn is_candidate(path: &Path, known: &HashSet<String>) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| is_distribution(name) && !known.contains(name))
}

fn page_links(path: &Path) -> Result<Vec<FlatFile>, FlatError> {
    let page = regular_file::read(path).map_err(failed(path))?;
    let url = file_url(path)?;
    let mut files = Vec::new();
    let base = html::scan(&html::decode(&page, ""), &mut files).base.and_then(|base| url.join(&base).ok());
    resolve(&mut files, &base.unwrap_or(url));
    Ok(files)
}

/// Whether pip takes the file for a page of links; `.xhtml` is not.
fn is_page(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case("html") || extension.eq_ignore_ascii_case("htm")
}

pub(in crate::index) fn file_url(path: &Path) -> Result<MaskedUrl, FlatError> {
    Url::from_file_path(path).map(MaskedUrl::new).map_err(|()| FlatError::Relative(path.to_owned()))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> FlatError {
    move |source| FlatError::Read { path: path.to_owned(), source }
}

fn file(path: &Path, size: u64) -> Result<FlatFile, FlatError> {
    let url = file_url(path)?;
    let (filename, href) = (url.filename(), url.secret().as_str());
    let size = Some(size);
    Ok(FlatFile::of(&FileRecord { filename: &filename, href, size, ..FileRecord::default() }))
}
