//! Checks that a source archive is complete.

use std::io::{self, Read, Seek};

use zip::ZipArchive;

use super::SdistError;
use super::members::{LONGEST_SEARCH, unpacked};
use crate::domain::SourceExtension;

/// Reads all of the source archive `filename`, so that truncation and damage show as far as its
/// format can detect them.
///
/// An archive of an unsupported format is accepted as it is.
///
/// # Errors
/// When the archive cannot be read to its end.
pub fn check_contents(archive: impl Read + Seek, filename: &str) -> Result<(), SdistError> {
    let (_, extension) = SourceExtension::split(filename).ok_or_else(|| SdistError::NoArchive(filename.to_owned()))?;
    match extension {
        SourceExtension::Zip => read_zip(archive),
        extension => unpacked(archive, extension)?.map_or(Ok(()), read_tar),
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
