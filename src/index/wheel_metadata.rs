//! Reads the metadata of a wheel without unpacking the wheel.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::core_metadata::{MetadataFile, WrongIdentity};
use crate::domain::WheelFilename;

/// Why the metadata of a wheel is unavailable.
#[derive(Debug, thiserror::Error)]
pub enum WheelError {
    #[error("it cannot be read as a zip archive: {0}")]
    Zip(#[from] ZipError),
    #[error("it has no `*.dist-info` folder, which every wheel has")]
    NoDistInfo,
    #[error("it has several `*.dist-info` folders ({}); a wheel has one", .0.join(", "))]
    SeveralDistInfo(Vec<String>),
    #[error("its folder `{0}` is of another project than its file name")]
    OtherProject(String),
    #[error("its `{path}` cannot be read: {source}")]
    Metadata { path: String, source: io::Error },
    #[error(transparent)]
    WrongIdentity(#[from] WrongIdentity),
}

/// Reads the metadata of the wheel of this name.
///
/// # Errors
/// When the file is no wheel, or its metadata is of another release than its name.
pub fn read(wheel: impl Read + Seek, filename: &WheelFilename) -> Result<MetadataFile, WheelError> {
    let mut archive = ZipArchive::new(wheel)?;
    let folder = dist_info(&archive)?;
    if !normalized(&folder).starts_with(filename.name.as_ref()) {
        return Err(WheelError::OtherProject(folder));
    }
    let path = format!("{folder}/METADATA");
    let file = MetadataFile::read(archive.by_name(&path)?).map_err(|source| WheelError::Metadata { path, source })?;
    file.check(&filename.name, &filename.version)?;
    Ok(file)
}

/// Returns the only `*.dist-info` folder at the top of the wheel.
fn dist_info(archive: &ZipArchive<impl Read + Seek>) -> Result<String, WheelError> {
    let mut folders = BTreeSet::new();
    for path in archive.file_names() {
        if let Some((folder, _)) = path?.split_once('/').filter(|(folder, _)| folder.ends_with(".dist-info")) {
            folders.insert(folder.to_owned());
        }
    }
    let mut folders: Vec<_> = folders.into_iter().collect();
    match folders.len() {
        0 => Err(WheelError::NoDistInfo),
        1 => Ok(folders.remove(0)),
        _ => Err(WheelError::SeveralDistInfo(folders)),
    }
}

/// Normalizes `Demo_Pkg-1.0.dist-info` to `demo-pkg-1-0-dist-info` by the rule of PEP 503.
fn normalized(folder: &str) -> String {
    let parts = folder.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::index::test_zip::zip;

    fn outcome(members: &[(&str, &[u8])]) -> Result<MetadataFile, String> {
        let filename = "demo_pkg-1.0-py3-none-any.whl".parse().unwrap();
        read(Cursor::new(zip(members)), &filename).map_err(|error| error.to_string())
    }

    const METADATA: &[u8] = b"Metadata-Version: 2.1\nName: demo-pkg\nVersion: 1.0\nRequires-Dist: six\n";

    #[test]
    fn metadata_is_found_in_the_dist_info_folder() {
        let members = [("demo_pkg/__init__.py", b"".as_slice()), ("Demo.Pkg-1.0.dist-info/METADATA", METADATA)];
        let file = outcome(&members).unwrap();
        assert_eq!(file.bytes, METADATA);
        assert_eq!(file.metadata.requires_dist, ["six"]);
    }

    #[test]
    fn what_is_no_wheel_is_told() {
        let other = b"Name: demo-pkg\nVersion: 2.0\n".as_slice();
        let huge = vec![b' '; 17 << 20];
        for (members, message) in [
            (vec![("demo_pkg/METADATA", METADATA)], "it has no `*.dist-info` folder"),
            (vec![("a-1.dist-info/METADATA", METADATA), ("b-1.dist-info/x", METADATA)], "a-1.dist-info, b-1.dist-info"),
            (vec![("other-1.0.dist-info/METADATA", METADATA)], "`other-1.0.dist-info` is of another project"),
            (vec![("demo_pkg-1.0.dist-info/WHEEL", METADATA)], "not found"),
            (vec![("demo_pkg-1.0.dist-info/METADATA", other)], "its metadata is of `demo-pkg 2.0`"),
            (vec![("demo_pkg-1.0.dist-info/METADATA", &huge)], "over 16 MiB"),
        ] {
            let error = outcome(&members).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
        let error = read(Cursor::new(b"<html>"), &"a-1-py3-none-any.whl".parse().unwrap()).unwrap_err();
        assert!(matches!(error, WheelError::Zip(_)), "{error}");
    }
}
