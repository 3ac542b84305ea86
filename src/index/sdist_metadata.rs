//! The metadata inside a source archive, read as a stream without unpacking it.

use std::io::{self, Read, Seek};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use super::core_metadata::{MetadataFile, WrongIdentity};
use crate::domain::{SourceExtension, SourceFilename};

/// Why the metadata of a source archive cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SdistError {
    #[error("archives of the kind `{0}` cannot be looked into; only .tar.gz, .tgz, .tar and .zip")]
    Kind(SourceExtension),
    #[error("it cannot be read as a zip archive: {0}")]
    Zip(#[from] ZipError),
    #[error("it cannot be read as a tar archive: {0}")]
    Tar(#[from] io::Error),
    #[error("it has no `PKG-INFO` in its top folder")]
    NoMetadata,
    #[error(transparent)]
    WrongIdentity(#[from] WrongIdentity),
}

/// How much of an unpacked archive is searched, so that a bomb costs seconds at most.
const LONGEST_SEARCH: u64 = 2 << 30;

/// Reads the metadata of the source archive of this name.
///
/// # Errors
/// When it cannot be read, holds no metadata, or is of another release than its name says.
pub fn read(archive: impl Read + Seek, filename: &SourceFilename) -> Result<MetadataFile, SdistError> {
    let file = match filename.extension {
        SourceExtension::TarGz | SourceExtension::Tgz => from_tar(MultiGzDecoder::new(archive)),
        SourceExtension::Tar => from_tar(archive),
        SourceExtension::Zip => from_zip(archive),
        other => Err(SdistError::Kind(other)),
    }?;
    file.check(&filename.name, &filename.version)?;
    Ok(file)
}

fn from_tar(stream: impl Read) -> Result<MetadataFile, SdistError> {
    let mut archive = tar::Archive::new(stream.take(LONGEST_SEARCH));
    for entry in archive.entries()? {
        let entry = entry?;
        if entry.header().entry_type().is_file() && is_metadata(&String::from_utf8_lossy(&entry.path_bytes())) {
            return Ok(MetadataFile::read(entry)?);
        }
    }
    Err(SdistError::NoMetadata)
}

fn from_zip(file: impl Read + Seek) -> Result<MetadataFile, SdistError> {
    let mut archive = ZipArchive::new(file)?;
    let wanted = archive.file_names().position(|path| path.is_ok_and(|path| is_metadata(&path)));
    let member = archive.by_index(wanted.ok_or(SdistError::NoMetadata)?)?;
    Ok(MetadataFile::read(member)?)
}

/// Whether `path` is `<top folder>/PKG-INFO`.
fn is_metadata(path: &str) -> bool {
    let folder = path.trim_start_matches("./").strip_suffix("/PKG-INFO");
    folder.is_some_and(|folder| !folder.is_empty() && !folder.contains('/'))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const METADATA: &[u8] = b"Metadata-Version: 2.2\nName: demo\nVersion: 1.0\nDynamic: Requires-Dist\n";
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

    fn outcome(filename: &str, archive: Vec<u8>) -> Result<MetadataFile, SdistError> {
        read(Cursor::new(archive), &SourceFilename::parse(filename, &"demo".parse().unwrap()).unwrap())
    }

    #[test]
    fn the_top_folder_holds_the_metadata() {
        for (filename, archive) in [
            ("demo-1.0.tar.gz", gzip(&tar(&MEMBERS))),
            ("demo-1.0.tgz", gzip(&tar(&MEMBERS))),
            ("demo-1.0.tar", tar(&MEMBERS)),
            ("demo-1.0.zip", zip(&MEMBERS)),
        ] {
            let file = outcome(filename, archive).unwrap();
            assert_eq!(file.bytes, METADATA, "{filename}");
            assert_eq!(file.metadata.dynamic, ["requires-dist"]);
        }
    }

    #[test]
    fn archives_without_usable_metadata_are_told() {
        assert!(matches!(outcome("demo-1.0.tar.gz", gzip(&tar(&MEMBERS[..2]))), Err(SdistError::NoMetadata)));
        assert!(matches!(outcome("demo-1.0.zip", zip(&MEMBERS[..2])), Err(SdistError::NoMetadata)));
        assert!(matches!(outcome("demo-2.0.tar", tar(&MEMBERS)), Err(SdistError::WrongIdentity(_))));
        assert!(matches!(outcome("demo-1.0.tar.xz", Vec::new()), Err(SdistError::Kind(SourceExtension::TarXz))));
        assert!(matches!(outcome("demo-1.0.tar.gz", b"<html>".to_vec()), Err(SdistError::Tar(_))));
        let mut cut = gzip(&tar(&MEMBERS));
        cut.truncate(cut.len() / 2);
        assert!(matches!(outcome("demo-1.0.tar.gz", cut), Err(SdistError::Tar(_))));
    }
}
