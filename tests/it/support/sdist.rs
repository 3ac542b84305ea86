//! Tiny source archives that new pips and old ones build: `PKG-INFO`, `setup.py`, one module.

use std::io::Write as _;

use flate2::{Compression, GzBuilder};

use super::core_metadata::CoreMetadata;
use super::wheel::zip_of;

/// A source archive to be; `.tar.gz` unless [`Sdist::extension`] says otherwise.
#[derive(Clone, Debug)]
pub struct Sdist {
    metadata: CoreMetadata,
    metadata_version: &'static str,
    stem: String,
    extension: &'static str,
    /// The text of its `pyproject.toml`.
    pyproject: Option<String>,
    /// The source of a build backend in the archive.
    backend: Option<String>,
    /// The files of an archive whose `PKG-INFO` says nothing of its needs.
    silent: Option<Vec<(String, String)>>,
}

impl Sdist {
    /// Named as PEP 625 has it: `zope_interface-5.0.tar.gz`.
    pub fn new(name: &str, version: &str) -> Self {
        let metadata = CoreMetadata::new(name, version);
        let stem = format!("{}-{version}", metadata.escaped_name());
        let (extension, metadata_version) = (".tar.gz", "2.2");
        Self { metadata, metadata_version, stem, extension, pyproject: None, backend: None, silent: None }
    }

    /// Keeps the name as it is written, as archives had it before PEP 625: `zope.interface-5.0.tar.gz`.
    pub fn old_style(mut self) -> Self {
        self.stem = format!("{}-{}", self.metadata.name, self.metadata.version);
        self
    }

    /// One of `.tar.gz`, `.tgz`, `.tar.bz2`, `.tar`, `.zip`.
    pub fn extension(mut self, extension: &'static str) -> Self {
        self.extension = extension;
        self
    }

    /// Adds a dependency.
    pub fn requires(mut self, requirement: &str) -> Self {
        self.metadata.requires_dist.push(requirement.into());
        self
    }

    /// Sets the `Metadata-Version`; before 2.2 a build may contradict it.
    pub fn metadata_version(mut self, version: &'static str) -> Self {
        self.metadata_version = version;
        self
    }

    /// Sets `Requires-Python`.
    pub fn requires_python(mut self, specifiers: &str) -> Self {
        self.metadata.requires_python = Some(specifiers.into());
        self
    }

    /// Adds a `pyproject.toml` that names setuptools as the backend (PEP 517).
    pub fn pyproject(mut self) -> Self {
        self.pyproject = Some(PYPROJECT.into());
        self
    }

    /// Adds a `pyproject.toml` by which `backend` builds it, which `requirement` brings (PEP 518).
    pub fn built_by(mut self, backend: &str, requirement: &str) -> Self {
        self.pyproject = Some(format!("[build-system]\nrequires = [{requirement:?}]\nbuild-backend = {backend:?}\n"));
        self
    }

    /// Says nothing of its needs before its build runs: a backend in the archive, so that no build
    /// requirement has to be had from anywhere.
    pub fn told_by_build(mut self) -> Self {
        let folder = format!("{}-{}.dist-info", self.metadata.escaped_name(), self.metadata.version);
        let text = self.metadata.to_text("2.1");
        self.backend = Some(format!(
            "import os\n\ndef prepare_metadata_for_build_wheel(folder, settings=None):\n    \
             os.mkdir(os.path.join(folder, {folder:?}))\n    \
             with open(os.path.join(folder, {folder:?}, 'METADATA'), 'w') as file:\n        file.write({text:?})\n    \
             return {folder:?}\n"
        ));
        self
    }

    /// Has a `PKG-INFO` of old tools, which says nothing of needs, and only these files beside it.
    pub fn silent(mut self, members: &[(&str, &str)]) -> Self {
        self.silent = Some(members.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect());
        self
    }

    /// The same with an `*.egg-info` folder that has this `requires.txt`, and with this `setup.py`.
    pub fn egg_info(self, requires: &str, setup: &str) -> Self {
        let egg = format!("{}.egg-info", self.metadata.escaped_name());
        let info = CoreMetadata::new(&self.metadata.name, &self.metadata.version).to_text("1.1");
        let paths = [format!("{egg}/PKG-INFO"), format!("{egg}/requires.txt")];
        self.silent(&[(&paths[0], &info), (&paths[1], requires), ("setup.py", setup)])
    }

    /// Has a build that fails with these words.
    pub fn failing_build(mut self, words: &str) -> Self {
        self.backend = Some(format!(
            "def prepare_metadata_for_build_wheel(folder, settings=None):\n    raise Exception({words:?})\n"
        ));
        self
    }

    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    pub fn filename(&self) -> String {
        format!("{}{}", self.stem, self.extension)
    }

    /// What the archive's `Requires-Python` is, for the index page.
    pub(super) fn python_specifiers(&self) -> Option<&str> {
        self.metadata.requires_python.as_deref()
    }

    pub fn bytes(&self) -> Vec<u8> {
        let members = self.members();
        match self.extension {
            ".zip" => zip_of(&members),
            ".tar" => tar_of(&members),
            ".tar.gz" | ".tgz" => gzip(&tar_of(&members)),
            ".tar.bz2" => bzip2(&tar_of(&members)),
            other => panic!("no source archive is written as `{other}`"),
        }
    }

    fn members(&self) -> Vec<(String, Vec<u8>)> {
        let mut members = vec![
            ("PKG-INFO".to_owned(), self.metadata.to_text(self.metadata_version)),
            ("setup.py".to_owned(), self.setup_script()),
            (format!("{}.py", self.metadata.module()), self.metadata.module_source()),
        ];
        if let Some(silent) = &self.silent {
            let info = CoreMetadata::new(&self.metadata.name, &self.metadata.version).to_text("1.1");
            members = [("PKG-INFO".to_owned(), info)].into_iter().chain(silent.iter().cloned()).collect();
        }
        if let Some(text) = &self.pyproject {
            members.push(("pyproject.toml".into(), text.clone()));
        }
        if let Some(backend) = &self.backend {
            let silent = CoreMetadata::new(&self.metadata.name, &self.metadata.version);
            members[0].1 = silent.to_text("1.1");
            members.push(("pyproject.toml".into(), OWN_BACKEND.into()));
            members.push(("backend.py".into(), backend.clone()));
        }
        let inside = |(path, text): (String, String)| (format!("{}/{path}", self.stem), text.into_bytes());
        members.into_iter().map(inside).collect()
    }

    /// Python 2 and old setuptools run it too.
    fn setup_script(&self) -> String {
        let CoreMetadata { name, version, requires_dist, .. } = &self.metadata;
        let python =
            self.python_specifiers().map(|text| format!("    python_requires={text:?},\n")).unwrap_or_default();
        let module = self.metadata.module();
        format!(
            "from setuptools import setup\n\nsetup(\n    name={name:?},\n    version={version:?},\n    \
             py_modules=[{module:?}],\n    install_requires={requires_dist:?},\n{python})\n"
        )
    }
}

const PYPROJECT: &str =
    "[build-system]\nrequires = [\"setuptools>=40.8\"]\nbuild-backend = \"setuptools.build_meta\"\n";

const OWN_BACKEND: &str = "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";

/// A tar archive without clock, user or umask.
fn tar_of(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, path, content.as_slice()).unwrap();
    }
    archive.into_inner().unwrap()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
