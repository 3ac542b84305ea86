//! Identifies a distribution by its own metadata, and checks that all of it is readable.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use crate::domain::{PackageName, SourceExtension, SourceFilename, Version, WheelFilename};
use crate::index::sdist_metadata::{self, SdistError};
use crate::index::wheel_metadata;

/// The name and version of a distribution, from its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The project's name, normalized (PEP 503).
    pub name: String,
    pub version: Option<String>,
    pub filename: String,
}

impl Identity {
    fn new(name: &PackageName, version: &Version, filename: &str) -> Self {
        Self { name: name.to_string(), version: Some(version.to_string()), filename: filename.to_owned() }
    }
}

/// Why bytes are not accepted as a distribution.
#[derive(Debug, PartialEq, Eq)]
pub enum IdentifyError {
    /// The bytes are something else, such as a page.
    NotADistribution,
    Damaged(String),
}

/// The limit of decompressed bytes, against decompression bombs.
const LARGEST: u64 = 16 << 30;

/// Reads the whole of `file`, and checks that it is the distribution `filename`.
///
/// # Errors
/// When the file is damaged, or is something else; the error says what.
pub fn check(file: &mut (impl Read + Seek), filename: &str) -> Result<Identity, String> {
    let identity = claimed(file, filename)?;
    file.rewind().map_err(|error| error.to_string())?;
    read_all(file, filename)?;
    Ok(identity)
}

fn claimed(file: &mut (impl Read + Seek), filename: &str) -> Result<Identity, String> {
    if filename.ends_with(".whl") {
        let wheel: WheelFilename = filename.parse().map_err(|error| format!("its name is no wheel's: {error}"))?;
        wheel_metadata::read(file, &wheel).map_err(|error| error.to_string())?;
        return Ok(Identity::new(&wheel.name, &wheel.version, filename));
    }
    let top = sdist_metadata::top_files(file, filename).map_err(|error| error.to_string())?;
    let source = top.release(filename).map_err(|error| format!("its name is no source archive's: {error}"))?;
    match top.core_metadata(Some((&source.name, &source.version))) {
        Ok(_) | Err(SdistError::NeedsBuild) => Ok(Identity::new(&source.name, &source.version, filename)),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads every byte, so that every checksum inside is verified.
fn read_all(file: impl Read + Seek, filename: &str) -> Result<(), String> {
    let damaged = |error: io::Error| format!("it is damaged: {error}");
    match SourceExtension::split(filename).map(|(_, extension)| extension) {
        None | Some(SourceExtension::Zip) => read_zip(file),
        Some(extension) => match sdist_metadata::unpacked(file, extension).map_err(damaged)? {
            Some(stream) => drain(stream).map_err(damaged),
            None => Ok(()),
        },
    }
}

fn read_zip(file: impl Read + Seek) -> Result<(), String> {
    let mut archive = ZipArchive::new(file).map_err(|error| format!("it is damaged: {error}"))?;
    for position in 0..archive.len() {
        let read = archive.by_index(position).map_err(io::Error::from).and_then(drain);
        read.map_err(|error| format!("it is damaged: {error}"))?;
    }
    Ok(())
}

fn drain(input: impl Read) -> io::Result<()> {
    match io::copy(&mut input.take(LARGEST), &mut io::sink())? {
        LARGEST => Err(io::Error::other("it unpacks to more than 16 GiB")),
        _ => Ok(()),
    }
}

/// Identifies bytes without a file name.
///
/// # Errors
/// When they are no distribution, or a damaged one.
pub fn identify(file: &mut (impl Read + Seek)) -> Result<Identity, IdentifyError> {
    let damaged = |why: &dyn std::fmt::Display| IdentifyError::Damaged(format!("it is damaged: {why}"));
    let mut magic = [0; 4];
    let is_short = file.read_exact(&mut magic).is_err();
    file.rewind().map_err(|error| damaged(&error))?;
    let filename = match magic {
        _ if is_short => return Err(IdentifyError::NotADistribution),
        [b'P', b'K', ..] => zip_name(file)?,
        [0x1f, 0x8b, ..] => tar_name(file)?,
        _ => return Err(IdentifyError::NotADistribution),
    };
    let rewind = |file: &mut dyn Seek| file.seek(SeekFrom::Start(0)).map(drop).map_err(|error| damaged(&error));
    rewind(file)?;
    let identity = claimed(file, &filename).map_err(IdentifyError::Damaged)?;
    rewind(file)?;
    read_all(&mut *file, &filename).map_err(IdentifyError::Damaged)?;
    rewind(file)?;
    Ok(identity)
}

/// Returns the file name of a wheel by its own metadata, or that of a zipped source archive.
fn zip_name(file: &mut (impl Read + Seek)) -> Result<String, IdentifyError> {
    let mut archive =
        ZipArchive::new(file).map_err(|error| IdentifyError::Damaged(format!("it is damaged: {error}")))?;
    let names: Vec<String> = archive.file_names().flatten().map(|name| name.to_string()).collect();
    if let Some(path) = names.iter().find(|name| name.ends_with(".dist-info/WHEEL") && name.matches('/').count() == 1) {
        let mut text = String::new();
        let member = archive.by_name(path).map_err(|error| IdentifyError::Damaged(error.to_string()))?;
        member.take(1 << 20).read_to_string(&mut text).map_err(|error| IdentifyError::Damaged(error.to_string()))?;
        let folder = path.trim_end_matches(".dist-info/WHEEL");
        return Ok(format!("{folder}{}.whl", wheel_tags(&text)));
    }
    let top = names.iter().find_map(|name| name.strip_suffix("/PKG-INFO").filter(|top| !top.contains('/')));
    top.map(|top| format!("{top}.zip")).ok_or(IdentifyError::NotADistribution)
}

/// Returns the tags in a wheel's name, such as `-1-py2.py3-none-any` for a build number and two
/// tags (PEP 427).
fn wheel_tags(text: &str) -> String {
    let values = |key: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let values = lines.filter(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.trim().to_owned());
        values.collect::<Vec<_>>()
    };
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    for tag in values("Tag") {
        for (alternatives, part) in parts.iter_mut().zip(tag.split('-')) {
            if !alternatives.contains(&part.to_owned()) {
                alternatives.push(part.to_owned());
            }
        }
    }
    let build = values("Build").into_iter().map(|build| format!("-{build}")).collect::<String>();
    build + &parts.map(|alternatives| format!("-{}", alternatives.join("."))).concat()
}

/// Returns the file name of a source archive by its top folder, which has the same name (PEP 625).
fn tar_name(file: &mut impl Read) -> Result<String, IdentifyError> {
    let mut archive = tar::Archive::new(MultiGzDecoder::new(file).take(LARGEST));
    let mut entries = archive.entries().map_err(|_| IdentifyError::NotADistribution)?;
    let first = entries.next().and_then(Result::ok).ok_or(IdentifyError::NotADistribution)?;
    let path = first.path().map_err(|_| IdentifyError::NotADistribution)?.to_string_lossy().into_owned();
    let top = path.trim_start_matches("./").split('/').next().unwrap_or_default();
    let filename = format!("{top}.tar.gz");
    SourceFilename::guess(&filename).map(|_| filename).map_err(|_| IdentifyError::NotADistribution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_put_together_as_in_names() {
        assert_eq!(wheel_tags("Wheel-Version: 1.0\nTag: py2-none-any\nTag: py3-none-any\n"), "-py2.py3-none-any");
        assert_eq!(
            wheel_tags("Build: 1\ntag: cp312-cp312-manylinux_2_17_x86_64\nTag: cp312-cp312-manylinux2014_x86_64\n"),
            "-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64"
        );
    }

    #[test]
    fn a_page_is_no_distribution() {
        for bytes in [&b"<!DOCTYPE html>"[..], b"", b"{}", b"Metadata-Version: 2.1\n"] {
            assert_eq!(identify(&mut io::Cursor::new(bytes)), Err(IdentifyError::NotADistribution));
        }
        let half = b"PK\x03\x04 and no more";
        assert!(matches!(identify(&mut io::Cursor::new(half)), Err(IdentifyError::Damaged(_))));
    }
}
