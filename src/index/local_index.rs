//! Reads an index that is a folder: `<folder>/<project>/index.html` (`docs/facts/pip.md` 3.5).

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::flat_index::{FlatError, file_url};
use super::html;
use crate::domain::{Listing, ListingBuilder, MaskedUrl, PackageName};

/// Returns the listing of `project` from the index at `folder`, or `None` if it has no page for it.
///
/// # Errors
/// When the page cannot be read, or the folder does not exist; the error names it.
pub fn project_page(folder: &Path, project: &PackageName, index: Arc<MaskedUrl>) -> Result<Option<Listing>, FlatError> {
    let path = folder.join(project.as_ref()).join("index.html");
    let page = match fs::read(&path) {
        Ok(page) => page,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return if folder.is_dir() { Ok(None) } else { Err(FlatError::NoFolder(folder.to_owned())) };
        }
        Err(source) => return Err(FlatError::Read { path, source }),
    };
    let url = file_url(&path)?;
    let mut builder = ListingBuilder::new(project.clone(), index, url.clone());
    let summary = html::scan(&html::decode(&page, ""), &mut builder);
    if let Some(base) = summary.base.and_then(|base| url.join(&base).ok()) {
        builder.rebase(base);
    }
    Ok(Some(builder.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_without_a_page_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let index = Arc::new(file_url(folder.path()).unwrap());
        let listing = |project: &str| project_page(folder.path(), &project.parse().unwrap(), index.clone());
        fs::create_dir_all(folder.path().join("zope-interface/index.html")).unwrap();
        fs::create_dir(folder.path().join("demo")).unwrap();
        fs::write(folder.path().join("demo/index.html"), "<a href='../../files/demo-1.0.zip'>").unwrap();
        fs::write(folder.path().join("file"), "").unwrap();

        let files = listing("Demo").unwrap().unwrap().files(&"1.0".parse().unwrap());
        assert!(files[0].url.to_string().ends_with("/files/demo-1.0.zip"));
        assert!(listing("absent").unwrap().is_none() && listing("file").unwrap().is_none());
        let missing = project_page(&folder.path().join("none"), &"demo".parse().unwrap(), index.clone());
        assert!(missing.unwrap_err().to_string().contains("none is no folder"));
        assert!(listing("zope.interface").unwrap_err().to_string().contains("zope-interface/index.html"));
    }
}
