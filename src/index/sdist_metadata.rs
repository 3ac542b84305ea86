//! Reads the metadata of a source archive as a stream, without unpacking the archive or running its
//! code.
//!
//! Reliable sources come first: `PKG-INFO` of metadata 2.2 (PEP 643) and a static `[project]` table
//! (PEP 621). Other files were right on the machine that made the archive, or are what a build
//! would most likely find: they are used if nothing in the archive contradicts them, and the
//! metadata names its source ([`MetadataSource`](crate::domain::MetadataSource)).

mod contents;
mod egg_info;
mod identity;
mod keywords;
mod members;
mod native_code;
mod project_table;
mod pyproject;
mod requirement_lines;
mod setup_cfg;
mod setup_py;
mod unreliable;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek};

use zip::result::ZipError;

use super::core_metadata::{MetadataFile, WrongIdentity};
use crate::domain::{CoreMetadata, FilenameError, PackageName, SourceFilename, Version};
use egg_info::EggInfo;
use native_code::NativeCode;
use requirement_lines::dependency;

pub use contents::check_contents;
pub use identity::StatedIdentity;
pub use members::{top_files, top_files_of_folder, unpacked};
pub use pyproject::BuildRequirements;

/// Why the metadata of a source archive is unavailable.
#[derive(Debug, thiserror::Error)]
pub enum SdistError {
    #[error("`{0}` is no source archive by its name")]
    NoArchive(String),
    #[error("it cannot be read as a zip archive: {0}")]
    Zip(#[from] ZipError),
    #[error("it cannot be read as a tar archive: {0}")]
    Tar(#[from] io::Error),
    #[error("its file {name} cannot be read: {why}")]
    File { name: &'static str, why: io::Error },
    #[error("only its build knows what it needs")]
    NeedsBuild,
    #[error(transparent)]
    WrongIdentity(#[from] WrongIdentity),
}

/// The files of a source archive that state its dependencies.
#[derive(Debug, Default)]
pub struct TopFiles {
    pub pkg_info: Option<MetadataFile>,
    pub pyproject: Option<String>,
    setup_cfg: Option<Vec<u8>>,
    setup_py: Option<Vec<u8>>,
    /// The `*.egg-info` folders, by their paths below the top folder.
    egg_infos: BTreeMap<String, EggInfo>,
    /// The code that a build compiles.
    native: NativeCode,
}

/// Reads the metadata of the source archive `filename`.
///
/// `identity` is the project and version that its name states, if it does.
///
/// # Errors
/// When the archive cannot be read, its metadata is of another release than `identity`, or only a
/// build can tell its dependencies.
pub fn read(
    archive: impl Read + Seek,
    filename: &str,
    identity: Option<(&PackageName, &Version)>,
) -> Result<CoreMetadata, SdistError> {
    members::metadata_files(archive, filename)?.core_metadata(identity)
}

impl TopFiles {
    /// Returns the release that the archive `filename` is of, if no index says of which project.
    ///
    /// Old names are ambiguous (`demo-1.0-2.tar.gz`); then the release stated in the archive
    /// decides.
    ///
    /// # Errors
    /// When the name is no valid distribution name.
    pub fn release(&self, filename: &str) -> Result<SourceFilename, FilenameError> {
        let stated = self.pkg_info.as_ref().and_then(|file| file.metadata.name.parse().ok());
        let read = stated.and_then(|name| SourceFilename::parse(filename, &name).ok());
        read.map_or_else(|| SourceFilename::guess(filename), Ok)
    }

    /// Returns the metadata, as [`read`] does.
    ///
    /// # Errors
    /// When the metadata is of another release than `identity`, or only a build can tell the
    /// dependencies.
    pub fn core_metadata(&self, identity: Option<(&PackageName, &Version)>) -> Result<CoreMetadata, SdistError> {
        if let (Some(file), Some((name, version))) = (&self.pkg_info, identity) {
            file.check(name, version)?;
        }
        self.reliable().or_else(|| unreliable::read(self, identity)).ok_or(SdistError::NeedsBuild)
    }

    /// Returns the build requirements: those stated (PEP 518), and the literal `setup_requires` of
    /// setuptools.
    pub fn build_requirements(&self) -> BuildRequirements {
        let mut needs = BuildRequirements::of(self.pyproject.as_deref(), &self.native);
        if needs.by_setuptools {
            needs.requires.extend(unreliable::setup_requires(self));
        }
        needs
    }

    /// Returns the name of the build backend, and the folders of the archive that it is imported
    /// from (PEP 517).
    pub fn build_backend(&self) -> (String, Vec<String>) {
        pyproject::build_backend(self.pyproject.as_deref())
    }

    fn reliable(&self) -> Option<CoreMetadata> {
        self.reliable_if(self.setup_py.is_some())
    }

    /// Returns the reliable metadata if there is a `setup.py`, or if there is none.
    fn reliable_if(&self, has_setup_py: bool) -> Option<CoreMetadata> {
        let stated = self.stated();
        let reliable = stated.filter(|metadata| is_reliable(metadata)).cloned();
        reliable.or_else(|| {
            let declared = project_table::read(self.pyproject.as_deref()?, stated, has_setup_py)?;
            (!self.records_more_than(&declared)).then_some(declared)
        })
    }

    /// Whether `PKG-INFO`, which the build itself wrote when the archive was made, names a project that
    /// `declared` lacks: then the build goes by something else, too.
    fn records_more_than(&self, declared: &CoreMetadata) -> bool {
        let recorded = self.stated().map(|stated| projects(&stated.requires_dist)).unwrap_or_default();
        !recorded.is_subset(&projects(&declared.requires_dist))
    }

    /// Returns the metadata of `PKG-INFO`, whether reliable or not.
    fn stated(&self) -> Option<&CoreMetadata> {
        self.pkg_info.as_ref().map(|file| &file.metadata)
    }

    /// Whether no other file could add anything.
    fn is_complete(&self) -> bool {
        self.pkg_info.is_some() && self.pyproject.is_some() && self.reliable_if(true).is_some()
    }
}

/// Returns the projects that requirement lines name; lines that name none are left out.
fn projects(lines: &[String]) -> BTreeSet<PackageName> {
    lines.iter().filter_map(|line| dependency(line)).map(|dependency| dependency.name).collect()
}

/// The metadata fields that decide which dependencies there are.
const DECISIVE: [&str; 3] = ["requires-dist", "requires-python", "provides-extra"];

/// Whether metadata is final: 2.2 and later lists the fields that only a build knows (PEP 643).
fn is_reliable(metadata: &CoreMetadata) -> bool {
    let numbers = metadata.metadata_version.split_once('.');
    let version = numbers.and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    version.is_some_and(|version| version >= (2, 2))
        && !DECISIVE.iter().any(|field| metadata.dynamic.iter().any(|dynamic| dynamic == field))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use base64::Engine as _;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::domain::MetadataSource;
    use crate::index::test_zip::zip;

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

    /// A tar archive with [`METADATA`] alone, as Python's `lzma` compresses it.
    const XZ: &str = "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/AJ5dADIZSf7XHHVnnZe1I4ZBrocJ2haxqOFlXvgyygEpBVrPVSNgWB3UpZxMuuSg\
        +3VUCnQLKINWJ9yk79wh8ZLjGRY24J6IfhigdyOLsYoLpM1jhsZaBwwxGBCsgqr74r9VaT1OQDruUAUrjze1tQxLuPDmoAlq43z9\
        UVhlMWUcX4lZ5BCoTyS2398DQr3xJNHLGYWCGToAgqFkfLgMvgAAAAAA/Z42kOuB5oAAAboBgFAAAPVVgcSxxGf7AgAAAAAEWVo=";
    const LZMA: &str = "XQAABAD//////////wAyGUn+1xx1Z52XtSOGQa6HCdoWsajhZV74MQDBBVqQRf5Ic+MDuW1BzWWsGGc3msh64EswZjJulY2ph2s2\
        lmuoqcv83OIHU/0cOC5+oHNkUFkWBtjs8N3U/ZwJCshJobqYXyaxgeksrgPFzoLOuq06t5vSGoFyJH1m2eRpql3L8nc8Ep2HRHCa\
        +SHxeZ66zkFOav69aQbKWTGTByvFQGv//9rmQ6A=";

    #[test]
    fn every_archive_that_pip_unpacks_is_read() {
        let decoded = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(&tar(&MEMBERS)).unwrap();
        let bzip2 = bzip2.finish().unwrap();
        for (filename, archive) in [
            ("demo-1.0.tar.bz2", bzip2.clone()),
            ("demo-1.0.tbz", bzip2),
            ("demo-1.0.tar.xz", decoded(XZ)),
            ("demo-1.0.txz", decoded(XZ)),
            ("demo-1.0.tlz", decoded(LZMA)),
            ("demo-1.0.tar.lzma", decoded(LZMA)),
        ] {
            assert_eq!(outcome(filename, archive.clone()).unwrap().requires_dist, ["six"], "{filename}");
            // The old format of LZMA has no checksum: without its last bytes all of it may be there.
            let last = if decoded(LZMA) == archive { archive.len() - 64 } else { archive.len() };
            for length in 0..last.min(150) {
                assert!(outcome(filename, archive[..length].to_vec()).is_err(), "{filename} cut to {length}");
            }
        }
    }

    /// Paths of more than 100 bytes stand in entries of their own (GNU, pax), which may claim any size.
    #[test]
    fn long_paths_are_read_and_endless_ones_cost_no_memory() {
        let folder = "d".repeat(90);
        let (path, egg) = (format!("{folder}/PKG-INFO"), format!("{folder}/src/demo.egg-info/requires.txt"));
        let info = format!("{folder}/src/demo.egg-info/PKG-INFO");
        let old = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n";
        let members: [(&str, &[u8]); 3] = [(&path, old), (&egg, b"six\n"), (&info, old)];
        assert_eq!(outcome("demo-1.0.tar", tar(&members)).unwrap().requires_dist, ["six"]);
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_size(300 << 20);
        builder.append_data(&mut header, "long", io::repeat(b'x').take(300 << 20)).unwrap();
        let endless = builder.into_inner().and_then(GzEncoder::finish).unwrap();
        assert!(outcome("demo-1.0.tar.gz", endless).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_of_a_folder_that_leads_out_of_it_is_not_read() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(elsewhere.path().join("secret"), "[metadata]\nname = demo\n").unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("secret"), folder.path().join("setup.cfg")).unwrap();
        let refused = top_files_of_folder(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("setup.cfg") && refused.contains("leads out of the project"), "{refused}");
    }

    #[test]
    fn what_only_a_build_knows_is_told() {
        let needs_build =
            |members: &[(&str, &[u8])]| matches!(outcome("demo-1.0.tar", tar(members)), Err(SdistError::NeedsBuild));
        let info = |text: &'static str| ("demo-1.0/PKG-INFO", text.as_bytes());
        assert!(needs_build(&MEMBERS[..2]));
        assert!(needs_build(&[info("Metadata-Version: 2.2\nName: demo\nVersion: 1.0\nDynamic: Requires-Dist\n")]));
        assert!(needs_build(&[("demo-1.0/pyproject.toml", b"[project]\nname = 'demo'\ndynamic = ['dependencies']\n")]));
        assert!(matches!(outcome("demo-1.0.tar.lz", Vec::new()), Err(SdistError::NeedsBuild)));
    }

    #[test]
    fn a_static_project_table_speaks_for_old_metadata() {
        let text = b"[project]\nname = 'demo'\ndynamic = ['version']\nrequires-python = '>=3.9'\n\
            dependencies = ['six']\n[project.optional-dependencies]\nfast = [\"cython; python_version < '3.12'\"]\n";
        let old = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n";
        let members = [("demo-1.0/PKG-INFO", old.as_slice()), ("demo-1.0/pyproject.toml", text)];
        let metadata = outcome("demo-1.0.tar.gz", gzip(&tar(&members))).unwrap();
        assert_eq!(metadata.requires_dist, ["six", "cython ; (python_version < '3.12') and (extra == 'fast')"]);
        assert_eq!(metadata.requires_python.as_deref(), Some(">=3.9"));
        assert_eq!(metadata.provides_extra, ["fast"]);
    }

    #[test]
    fn a_project_table_that_the_build_does_not_go_by_does_not_speak_alone() {
        let old: &[u8] = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n";
        let full: &[u8] = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: six\n";
        let setuptools = "[project]\nname = 'demo'\n[build-system]\nrequires = ['setuptools==65.5.0']\n";
        let hatchling = "[project]\nname = 'demo'\n[build-system]\nbuild-backend = 'hatchling.build'\n";
        for (pyproject, pkg_info, source) in
            [(setuptools, old, MetadataSource::EggInfo), (hatchling, full, MetadataSource::PkgInfo)]
        {
            let members: [(&str, &[u8]); 5] = [
                ("demo-1.0/PKG-INFO", pkg_info),
                ("demo-1.0/pyproject.toml", pyproject.as_bytes()),
                ("demo-1.0/demo.egg-info/PKG-INFO", old),
                ("demo-1.0/demo.egg-info/requires.txt", b"six\n"),
                ("demo-1.0/setup.py", b"from setuptools import setup\nsetup()\n"),
            ];
            let metadata = outcome("demo-1.0.tar", tar(&members)).unwrap();
            assert_eq!((metadata.requires_dist, metadata.source), (vec!["six".to_owned()], source));
        }
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
