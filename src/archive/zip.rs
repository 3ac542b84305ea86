//! Zip archives. Everything is stored: wheels are compressed already.

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, DateTime, System, ZipWriter};

use crate::domain::{Content, Tree};

use super::objects::{Objects, copy};
use super::{ArchiveError, Output, entries};

/// From this size on an entry needs the zip64 form.
const LARGE: u64 = u32::MAX as u64;

pub fn write(tree: &Tree, objects: &dyn Objects, output: &mut dyn Output) -> Result<(), ArchiveError> {
    let mut archive = ZipWriter::new(output);
    for (path, content) in entries(tree) {
        let started = archive.start_file(path.as_str(), options(content));
        started.map_err(|error| ArchiveError::Entry { path: path.clone(), source: error.into() })?;
        copy(path, content, objects, &mut archive)?;
    }
    archive.finish().map(drop).map_err(|error| ArchiveError::Finish(error.into()))
}

/// What must not vary with machine, time or version of the library.
fn options(content: &Content) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::DEFAULT)
        .system(System::Unix)
        .unix_permissions(0o644)
        .large_file(content.size() >= LARGE)
}
