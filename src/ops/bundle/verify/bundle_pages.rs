//! The pages of a bundle as a source of inputs, whose root is the bundle.

use std::path::{Component, Path};

use crate::input::{InputSource, LoadedFile, Location, PathKind};
use crate::layout::Manifest;

/// Returns the text of the file of a bundle at this path.
pub type ReadPage<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// The pages of a bundle.
pub struct BundlePages<'a> {
    pub manifest: &'a Manifest,
    pub page: ReadPage<'a>,
}

impl BundlePages<'_> {
    /// The path that stands for the bundle.
    pub const ROOT: &'static str = if cfg!(windows) { "C:\\" } else { "/" };
}

/// Returns a path as it is written in the bundle.
fn written(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => part.to_str(),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

impl InputSource for BundlePages<'_> {
    fn load(&self, location: &Location) -> Result<LoadedFile, String> {
        let bytes = match location {
            Location::File(path) => (self.page)(&written(path)),
            _ => None,
        };
        let bytes = bytes.ok_or("it is not in the bundle")?;
        Ok(LoadedFile { bytes, content_type: None })
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn path_kind(&self, path: &Path) -> PathKind {
        let path = written(path);
        let mut listed = self.manifest.pages.iter().map(|page| &page.path);
        let is_listed =
            listed.any(|listed| *listed == path) || self.manifest.files().any(|(_, file)| file.path == path);
        if is_listed { PathKind::File } else { PathKind::Missing }
    }

    fn working_folder(&self) -> &Path {
        Path::new(Self::ROOT)
    }
}
