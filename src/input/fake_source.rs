//! An input source made of literals, for tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{InputSource, LoadedFile, Location, ParsedInput, PathKind, Role, read};

/// A fake input source; the working folder is `/w`, and paths of files and folders are absolute.
#[derive(Default)]
pub struct FakeSource {
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// Folders, and whether each is a project.
    pub folders: BTreeMap<PathBuf, bool>,
    pub urls: BTreeMap<String, LoadedFile>,
    pub variables: BTreeMap<String, String>,
}

impl FakeSource {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn file(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), bytes.into());
        self
    }

    pub fn folder(mut self, path: &str, is_project: bool) -> Self {
        self.folders.insert(path.into(), is_project);
        self
    }

    pub fn url(mut self, url: &str, text: &str) -> Self {
        self.urls.insert(url.into(), LoadedFile { bytes: text.into(), content_type: Some("text/plain".into()) });
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Reads `requirements.txt` with this text.
    pub fn read(self, text: impl Into<Vec<u8>>) -> ParsedInput {
        let machine = self.file("/w/requirements.txt", text);
        read(&Location::parse("requirements.txt"), Role::Requirements, &machine)
    }
}

impl InputSource for FakeSource {
    fn load(&self, location: &Location) -> Result<LoadedFile, String> {
        let missing = || "No such file or directory".to_owned();
        match location {
            Location::File(path) => {
                let bytes = self.files.get(&super::location::normalize(&self.working_folder().join(path)));
                bytes.map(|bytes| LoadedFile { bytes: bytes.clone(), content_type: None }).ok_or_else(missing)
            }
            Location::Url(url) => self.urls.get(url).cloned().ok_or_else(missing),
            Location::StandardInput => Err(missing()),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn path_kind(&self, path: &Path) -> PathKind {
        match self.folders.get(path) {
            Some(is_project) => PathKind::Folder { is_project: *is_project },
            None if self.files.contains_key(path) => PathKind::File,
            None => PathKind::Missing,
        }
    }

    fn working_folder(&self) -> &Path {
        Path::new("/w")
    }
}
