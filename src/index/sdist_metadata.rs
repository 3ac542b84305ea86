//! The metadata inside a source archive, read as a stream without unpacking it.

use std::io::{self, Read, Seek};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use super::core_metadata::{MetadataFile, WrongIdentity};
use crate::domain::{CoreMetadata, Dependency, FilenameError, PackageName, SourceExtension, SourceFilename, Version};

/// Why the metadata of a source archive cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SdistError {
    #[error("`{0}` is no source archive by its name")]
    NoArchive(String),
    #[error("it cannot be read as a zip archive: {0}")]
    Zip(#[from] ZipError),
    #[error("it cannot be read as a tar archive: {0}")]
    Tar(#[from] io::Error),
    #[error("only its build knows what it needs")]
    NeedsBuild,
    #[error(transparent)]
    WrongIdentity(#[from] WrongIdentity),
}

/// How much of an unpacked archive is searched, so that a bomb costs seconds at most.
const LONGEST_SEARCH: u64 = 2 << 30;

/// The files at the top of a source archive that tell what it needs.
#[derive(Debug, Default)]
pub struct TopFiles {
    pub pkg_info: Option<MetadataFile>,
    pub pyproject: Option<String>,
    /// Whether there is a manifest of a Rust crate, whose build fetches what that needs.
    pub cargo: bool,
}

/// Reads what the source archive `filename` says of itself without running it: its `PKG-INFO`
/// where that is meant to be relied on (PEP 643), else a `pyproject.toml` whose fields are
/// static (PEP 621). `identity` is the release that it must be of, where its name tells.
///
/// # Errors
/// When it cannot be read, is of another release than its name says, or only its build knows.
pub fn read(
    archive: impl Read + Seek,
    filename: &str,
    identity: Option<(&PackageName, &Version)>,
) -> Result<CoreMetadata, SdistError> {
    top_files(archive, filename)?.core_metadata(identity)
}

/// Finds the files at the top of the source archive `filename`; none in a kind of archive that
/// is not looked into.
///
/// # Errors
/// When it cannot be read.
pub fn top_files(archive: impl Read + Seek, filename: &str) -> Result<TopFiles, SdistError> {
    let (_, extension) = SourceExtension::split(filename).ok_or_else(|| SdistError::NoArchive(filename.to_owned()))?;
    match extension {
        SourceExtension::TarGz | SourceExtension::Tgz => from_tar(MultiGzDecoder::new(archive)),
        SourceExtension::Tar => from_tar(archive),
        SourceExtension::Zip => from_zip(archive),
        // What cannot be looked into has to be built.
        _ => Ok(TopFiles::default()),
    }
}

/// Reads all of the source archive `filename`, so that what was cut short or altered in it shows where
/// its format can tell. A kind of archive that is not looked into is taken as it is.
///
/// # Errors
/// When it cannot be read to its end.
pub fn check_contents(archive: impl Read + Seek, filename: &str) -> Result<(), SdistError> {
    let (_, extension) = SourceExtension::split(filename).ok_or_else(|| SdistError::NoArchive(filename.to_owned()))?;
    match extension {
        SourceExtension::TarGz | SourceExtension::Tgz => read_tar(MultiGzDecoder::new(archive)),
        SourceExtension::Tar => read_tar(archive),
        SourceExtension::Zip => read_zip(archive),
        _ => Ok(()),
    }
}

fn read_tar(stream: impl Read) -> Result<(), SdistError> {
    let mut stream = stream.take(LONGEST_SEARCH);
    let mut archive = tar::Archive::new(&mut stream);
    let entries = archive.entries()?.collect::<io::Result<Vec<_>>>()?.len();
    if entries == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "there is nothing in it").into());
    }
    io::copy(&mut stream, &mut io::sink())?;
    Ok(())
}

fn read_zip(file: impl Read + Seek) -> Result<(), SdistError> {
    let mut archive = ZipArchive::new(file)?;
    for index in 0..archive.len() {
        io::copy(&mut archive.by_index(index)?.take(LONGEST_SEARCH), &mut io::sink())?;
    }
    Ok(())
}

/// What the build of a source archive needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BuildRequirements {
    /// `build-system.requires`, as it is written.
    pub requires: Vec<String>,
    /// Whether setuptools builds it, which may ask for more when it runs (PEP 517).
    pub by_setuptools: bool,
    /// By what it can be seen that the build fetches from elsewhere than an index.
    pub fetches_by: Option<String>,
}

impl TopFiles {
    /// Which release the archive `filename` is of, where no index says of which project: old names
    /// can be read in several ways (`demo-1.0-2.tar.gz`), and then the one that it states counts.
    ///
    /// # Errors
    /// When the name can be read in no way.
    pub fn release(&self, filename: &str) -> Result<SourceFilename, FilenameError> {
        let stated = self.pkg_info.as_ref().and_then(|file| file.metadata.name.parse().ok());
        let read = stated.and_then(|name| SourceFilename::parse(filename, &name).ok());
        read.map_or_else(|| SourceFilename::guess(filename), Ok)
    }

    /// What the archive says of itself, as [`read`] takes it.
    ///
    /// # Errors
    /// When it is of another release than `identity`, or only its build knows.
    pub fn core_metadata(&self, identity: Option<(&PackageName, &Version)>) -> Result<CoreMetadata, SdistError> {
        if let (Some(file), Some((name, version))) = (&self.pkg_info, identity) {
            file.check(name, version)?;
        }
        self.reliable().ok_or(SdistError::NeedsBuild)
    }

    /// What its build needs (PEP 518); the setuptools of pip's default where it does not say
    /// (`docs/facts/pip.md` 6.3).
    pub fn build_requirements(&self) -> BuildRequirements {
        let table = self.pyproject.as_ref().and_then(|text| text.parse::<toml::Table>().ok());
        let system = table.as_ref().and_then(|table| table.get("build-system")?.as_table());
        let requires: Vec<String> = match system.and_then(|system| system.get("requires")?.as_array()) {
            Some(lines) => lines.iter().filter_map(toml::Value::as_str).map(ToOwned::to_owned).collect(),
            None => DEFAULT_BUILD.map(ToOwned::to_owned).into(),
        };
        let backend = system.and_then(|system| system.get("build-backend")?.as_str());
        let fetches_by = self.fetches_by(&requires, backend);
        BuildRequirements {
            requires,
            by_setuptools: backend.is_none_or(|backend| backend.starts_with("setuptools.")),
            fetches_by,
        }
    }

    /// The tool or file by which the build reaches for crates or for what CMake downloads. Other builds
    /// may fetch, too, and nothing tells.
    fn fetches_by(&self, requires: &[String], backend: Option<&str>) -> Option<String> {
        let projects = requires.iter().filter_map(|line| line.parse::<Dependency>().ok());
        let mut projects = projects.map(|dependency| dependency.name.to_string());
        let tool = projects.find(|name| FETCHING_TOOLS.contains(&name.as_str()));
        let by_maturin = || backend.filter(|backend| *backend == "maturin").map(ToOwned::to_owned);
        tool.or_else(by_maturin).or_else(|| self.cargo.then(|| "Cargo.toml".to_owned()))
    }

    fn reliable(&self) -> Option<CoreMetadata> {
        let stated = self.pkg_info.as_ref().map(|file| &file.metadata);
        let reliable = stated.filter(|metadata| is_reliable(metadata)).cloned();
        reliable.or_else(|| static_project(self.pyproject.as_deref()?, stated))
    }

    fn take(&mut self, path: &str, file: impl Read) -> io::Result<()> {
        match top_file(path) {
            Some("PKG-INFO") => self.pkg_info = Some(MetadataFile::read(file)?),
            Some("pyproject.toml") => {
                self.pyproject = Some(String::from_utf8_lossy(&MetadataFile::read(file)?.bytes).into_owned());
            }
            Some("Cargo.toml") => self.cargo = true,
            _ => {}
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.pkg_info.is_some() && self.pyproject.is_some()
    }
}

/// What pip builds with where an archive does not say: up to 23.3 it asks for `wheel`, too.
const DEFAULT_BUILD: [&str; 2] = ["setuptools>=40.8.0", "wheel"];

/// What builds with crates, or with what CMake fetches.
const FETCHING_TOOLS: [&str; 5] = ["maturin", "setuptools-rust", "scikit-build", "scikit-build-core", "cmake"];

/// The fields that decide what is needed.
const DECISIVE: [&str; 3] = ["requires-dist", "requires-python", "provides-extra"];

/// Metadata 2.2 and later names the fields that only a build knows (PEP 643).
fn is_reliable(metadata: &CoreMetadata) -> bool {
    let numbers = metadata.metadata_version.split_once('.');
    let version = numbers.and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    version.is_some_and(|version| version >= (2, 2))
        && !DECISIVE.iter().any(|field| metadata.dynamic.iter().any(|dynamic| dynamic == field))
}

/// The `[project]` table, where nothing decisive in it is dynamic (PEP 621).
fn static_project(text: &str, stated: Option<&CoreMetadata>) -> Option<CoreMetadata> {
    let project = text.parse::<toml::Table>().ok()?.get("project")?.as_table()?.clone();
    let strings = |value: Option<&toml::Value>| -> Vec<String> {
        let values = value.and_then(toml::Value::as_array).into_iter().flatten();
        values.filter_map(toml::Value::as_str).map(ToOwned::to_owned).collect()
    };
    let dynamic = strings(project.get("dynamic"));
    if ["dependencies", "optional-dependencies", "requires-python"]
        .iter()
        .any(|field| dynamic.iter().any(|each| each == field))
    {
        return None;
    }
    let mut metadata = CoreMetadata {
        name: project.get("name")?.as_str()?.to_owned(),
        version: stated.map(|stated| stated.version.clone()).unwrap_or_default(),
        requires_python: project.get("requires-python").and_then(toml::Value::as_str).map(ToOwned::to_owned),
        requires_dist: strings(project.get("dependencies")),
        ..CoreMetadata::default()
    };
    let optional = project.get("optional-dependencies").and_then(toml::Value::as_table);
    for (extra, lines) in optional.into_iter().flatten() {
        metadata.provides_extra.push(extra.clone());
        metadata.requires_dist.extend(strings(Some(lines)).iter().map(|line| with_extra(line, extra)));
    }
    Some(metadata)
}

/// A line of an optional group, as a build would write it.
fn with_extra(line: &str, extra: &str) -> String {
    match line.split_once(';') {
        Some((what, marker)) => format!("{what}; ({}) and extra == '{extra}'", marker.trim()),
        None => format!("{line} ; extra == '{extra}'"),
    }
}

fn from_tar(stream: impl Read) -> Result<TopFiles, SdistError> {
    let mut archive = tar::Archive::new(stream.take(LONGEST_SEARCH));
    let mut files = TopFiles::default();
    for entry in archive.entries()? {
        let entry = entry?;
        if entry.header().entry_type().is_file() {
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            files.take(&path, entry)?;
        }
        if files.is_complete() {
            break;
        }
    }
    Ok(files)
}

fn from_zip(file: impl Read + Seek) -> Result<TopFiles, SdistError> {
    let mut archive = ZipArchive::new(file)?;
    let mut files = TopFiles::default();
    for index in 0..archive.len() {
        let member = archive.by_index(index)?;
        let path = String::from_utf8_lossy(member.name_raw()).into_owned();
        files.take(&path, member)?;
    }
    Ok(files)
}

/// The name of a file directly in the archive's one top folder.
fn top_file(path: &str) -> Option<&str> {
    let (folder, file) = path.trim_start_matches("./").split_once('/')?;
    (!folder.is_empty() && !file.contains('/')).then_some(file)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const METADATA: &[u8] = b"Metadata-Version: 2.2\nName: demo\nVersion: 1.0\nRequires-Dist: six\nDynamic: License\n";
    const MEMBERS: [(&str, &[u8]); 3] =
        [("demo-1.0/demo.egg-info/PKG-INFO", b"Name: wrong\n"), ("PKG-INFO", b""), ("./demo-1.0/PKG-INFO", METADATA)];

    fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, bytes) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, path, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (path, bytes) in members {
            writer.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn outcome(filename: &str, archive: Vec<u8>) -> Result<CoreMetadata, SdistError> {
        read(Cursor::new(archive), filename, Some((&"demo".parse().unwrap(), &"1.0".parse().unwrap())))
    }

    #[test]
    fn metadata_that_is_meant_to_be_relied_on_is_taken_from_the_top_folder() {
        for (filename, archive) in [
            ("demo-1.0.tar.gz", gzip(&tar(&MEMBERS))),
            ("demo-1.0.tgz", gzip(&tar(&MEMBERS))),
            ("demo-1.0.tar", tar(&MEMBERS)),
            ("demo-1.0.zip", zip(&MEMBERS)),
        ] {
            assert_eq!(outcome(filename, archive).unwrap().requires_dist, ["six"], "{filename}");
        }
    }

    #[test]
    fn what_only_a_build_knows_is_told() {
        let needs_build =
            |members: &[(&str, &[u8])]| matches!(outcome("demo-1.0.tar", tar(members)), Err(SdistError::NeedsBuild));
        let info = |text: &'static str| ("demo-1.0/PKG-INFO", text.as_bytes());
        assert!(needs_build(&MEMBERS[..2]));
        assert!(needs_build(&[info("Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: six\n")]));
        assert!(needs_build(&[info("Metadata-Version: 2.2\nName: demo\nVersion: 1.0\nDynamic: Requires-Dist\n")]));
        assert!(needs_build(&[("demo-1.0/pyproject.toml", b"[project]\nname = 'demo'\ndynamic = ['dependencies']\n")]));
        assert!(matches!(outcome("demo-1.0.tar.xz", Vec::new()), Err(SdistError::NeedsBuild)));
    }

    #[test]
    fn a_static_project_table_speaks_for_old_metadata() {
        let text = b"[project]\nname = 'demo'\ndynamic = ['version']\nrequires-python = '>=3.9'\n\
            dependencies = ['six']\n[project.optional-dependencies]\nfast = [\"cython; python_version < '3.12'\"]\n";
        let old = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n";
        let members = [("demo-1.0/PKG-INFO", old.as_slice()), ("demo-1.0/pyproject.toml", text)];
        let metadata = outcome("demo-1.0.tar.gz", gzip(&tar(&members))).unwrap();
        assert_eq!(metadata.requires_dist, ["six", "cython; (python_version < '3.12') and extra == 'fast'"]);
        assert_eq!(metadata.requires_python.as_deref(), Some(">=3.9"));
        assert_eq!(metadata.provides_extra, ["fast"]);
    }

    #[test]
    fn what_an_archive_states_decides_how_its_name_is_read() {
        let release = |stated: &'static str, filename: &str| {
            let top = top_files(Cursor::new(tar(&[("d/PKG-INFO", stated.as_bytes())])), filename).unwrap();
            top.release(filename).map(|source| format!("{} {}", source.name, source.version)).ok()
        };
        assert_eq!(release("Name: Demo\nVersion: 1.0.post2\n", "demo-1.0-2.tar").as_deref(), Some("demo 1.0.post2"));
        assert_eq!(release("Name: demo-1.0\nVersion: 2\n", "demo-1.0-2.tar").as_deref(), Some("demo-1-0 2"));
        assert_eq!(release("Name: other\nVersion: 2\n", "demo-2.tar").as_deref(), Some("demo 2"));
        assert_eq!(release("", "demo.tar"), None);
    }

    #[test]
    fn archives_of_another_release_and_damaged_ones_are_told() {
        let other = b"Metadata-Version: 2.2\nName: demo\nVersion: 2.0\n".as_slice();
        assert!(matches!(outcome("demo-1.0.tar", tar(&[("d/PKG-INFO", other)])), Err(SdistError::WrongIdentity(_))));
        assert!(matches!(outcome("demo-1.0.tar.gz", b"<html>".to_vec()), Err(SdistError::Tar(_))));
        let mut cut = gzip(&tar(&MEMBERS));
        cut.truncate(cut.len() / 2);
        assert!(matches!(outcome("demo-1.0.tar.gz", cut), Err(SdistError::Tar(_))));
    }
}
