//! Finds the members of a source archive that state its dependencies, without unpacking the
//! archive.

use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::{LzmaReader, XzReader};
use zip::ZipArchive;

use super::super::core_metadata::MetadataFile;
use super::{SdistError, TopFiles};
use crate::domain::SourceExtension;
use crate::regular_file;

/// The number of decompressed bytes that are searched, so that a decompression bomb costs seconds
/// at most.
pub(super) const LONGEST_SEARCH: u64 = 2 << 30;

/// The memory that an LZMA stream may use, in KiB.
const LZMA_MEMORY: u32 = 256 << 10;

/// Reads the files of the source archive `filename` that state its dependencies, and notes what its
/// build compiles; nothing from a format that pip does not unpack (`.tar.lz`).
///
/// # Errors
/// When the archive cannot be read.
pub fn top_files(archive: impl Read + Seek, filename: &str) -> Result<TopFiles, SdistError> {
    find(archive, filename, |_| false)
}

/// Reads as [`top_files`] does, but only the files that state dependencies.
///
/// # Errors
/// When it cannot be read.
pub fn metadata_files(archive: impl Read + Seek, filename: &str) -> Result<TopFiles, SdistError> {
    find(archive, filename, TopFiles::is_complete)
}

fn find(
    archive: impl Read + Seek,
    filename: &str,
    is_enough: impl Fn(&TopFiles) -> bool,
) -> Result<TopFiles, SdistError> {
    let (_, extension) = SourceExtension::split(filename).ok_or_else(|| SdistError::NoArchive(filename.to_owned()))?;
    match extension {
        SourceExtension::Zip => from_zip(archive),
        extension => match unpacked(archive, extension)? {
            Some(stream) => from_tar(stream, is_enough),
            None => Ok(TopFiles::default()),
        },
    }
}

/// Reads the same files of the project in `folder`, except an `*.egg-info`, which an earlier build may
/// have left there.
///
/// # Errors
/// When one of them cannot be read.
pub fn top_files_of_folder(folder: &Path) -> Result<TopFiles, SdistError> {
    let mut files = TopFiles::default();
    let real = folder.canonicalize().map_err(|why| SdistError::File { name: "pyproject.toml", why })?;
    let leads_out = |name: &str| folder.join(name).canonicalize().is_ok_and(|path| !path.starts_with(&real));
    for name in ["PKG-INFO", "pyproject.toml", "Cargo.toml", "setup.cfg", "setup.py"] {
        if leads_out(name) {
            return Err(SdistError::File { name, why: io::Error::other("it is a link that leads out of the project") });
        }
        match regular_file::open(&folder.join(name)) {
            Ok(file) => drop(take(&mut files, &format!("project/{name}"), file)?),
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(SdistError::File { name, why }),
        }
    }
    Ok(files)
}

/// Returns the tar archive inside a compressed one, or `None` if its format is not supported.
///
/// # Errors
/// When its beginning cannot be read.
pub fn unpacked<'a>(archive: impl Read + 'a, extension: SourceExtension) -> io::Result<Option<Box<dyn Read + 'a>>> {
    let archive = BufReader::new(archive);
    Ok(Some(match extension {
        SourceExtension::TarGz | SourceExtension::Tgz => Box::new(MultiGzDecoder::new(archive)),
        SourceExtension::TarBz2 | SourceExtension::Tbz => Box::new(MultiBzDecoder::new(archive)),
        SourceExtension::TarXz | SourceExtension::Txz | SourceExtension::Tlz | SourceExtension::TarLzma => {
            un_lzma(archive)?
        }
        SourceExtension::Tar => Box::new(archive),
        SourceExtension::Zip | SourceExtension::TarLz => return Ok(None),
    }))
}

/// Decompresses either format of LZMA, told apart by the first bytes as in Python's `lzma`,
/// whatever the file is called.
fn un_lzma<'a>(mut archive: BufReader<impl Read + 'a>) -> io::Result<Box<dyn Read + 'a>> {
    const XZ: &[u8] = b"\xfd7zXZ\0";
    if io::BufRead::fill_buf(&mut archive)?.starts_with(XZ) {
        return Ok(Box::new(XzReader::new_mem_limit(archive, true, LZMA_MEMORY)));
    }
    Ok(Box::new(LzmaReader::new_mem_limit(archive, LZMA_MEMORY, None)?))
}

fn from_tar(stream: impl Read, is_enough: impl Fn(&TopFiles) -> bool) -> Result<TopFiles, SdistError> {
    let mut archive = tar::Archive::new(stream.take(LONGEST_SEARCH));
    let mut files = TopFiles::default();
    let mut long_path = None;
    // Otherwise the reader holds the whole of a header's extension, whatever size that claims to have.
    for entry in archive.entries()?.raw(true) {
        let entry = entry?;
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
            long_path = path_in(entry)?.or(long_path);
            continue;
        }
        let path = long_path.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        let path = String::from_utf8_lossy(&path);
        if kind.is_file() && take(&mut files, &path, entry)? && is_enough(&files) {
            break;
        }
    }
    Ok(files)
}

/// The size limit in bytes of an entry that extends the header of the next one.
const LONGEST_EXTENSION: u64 = 1 << 20;

/// Returns the path that an entry gives to the next one: GNU's long name, or a record of pax.
fn path_in(mut entry: tar::Entry<'_, impl Read>) -> io::Result<Option<Vec<u8>>> {
    let is_long_name = entry.header().entry_type().is_gnu_longname();
    let mut bytes = Vec::new();
    entry.by_ref().take(LONGEST_EXTENSION).read_to_end(&mut bytes)?;
    if is_long_name {
        return Ok(bytes.split(|byte| *byte == 0).next().map(<[u8]>::to_vec));
    }
    let mut records = tar::PaxExtensions::new(&bytes).filter_map(Result::ok);
    Ok(records.find(|record| record.key_bytes() == b"path").map(|record| record.value_bytes().to_vec()))
}

fn from_zip(file: impl Read + Seek) -> Result<TopFiles, SdistError> {
    let mut archive = ZipArchive::new(file)?;
    let mut files = TopFiles::default();
    for index in 0..archive.len() {
        let member = archive.by_index(index)?;
        let path = String::from_utf8_lossy(member.name_raw()).into_owned();
        take(&mut files, &path, member)?;
    }
    Ok(files)
}

/// Reads the file at `path` if it states dependencies; returns whether it does.
fn take(files: &mut TopFiles, path: &str, mut file: impl Read) -> io::Result<bool> {
    let bytes = |file| MetadataFile::read(file).map(|file| file.bytes);
    let Some(path) = inner_path(path) else { return Ok(false) };
    files.native.note(path, &mut file)?;
    match path {
        "PKG-INFO" => files.pkg_info = Some(MetadataFile::read(file)?),
        "pyproject.toml" => files.pyproject = Some(String::from_utf8_lossy(&bytes(file)?).into_owned()),
        "setup.cfg" => files.setup_cfg = Some(bytes(file)?),
        "setup.py" => files.setup_py = Some(bytes(file)?),
        path => {
            let Some((folder, name)) = egg_info(path) else { return Ok(false) };
            let egg_info = files.egg_infos.entry(folder.to_owned()).or_default();
            match name {
                "requires.txt" => egg_info.requires = Some(bytes(file)?),
                "PKG-INFO" => egg_info.pkg_info = Some(MetadataFile::read(file)?),
                _ => return Ok(false),
            }
        }
    }
    Ok(true)
}

/// Returns the path of a file below the archive's single top folder.
fn inner_path(path: &str) -> Option<&str> {
    let (folder, file) = path.trim_start_matches("./").split_once('/')?;
    (!folder.is_empty() && !file.is_empty()).then_some(file)
}

/// The greatest depth of an `*.egg-info` folder: beside the code, as in `src/demo.egg-info`.
const DEEPEST_EGG_INFO: usize = 2;

/// Returns the `*.egg-info` folder and the file name of a path in such a folder.
fn egg_info(path: &str) -> Option<(&str, &str)> {
    let (folder, name) = path.rsplit_once('/')?;
    (folder.ends_with(".egg-info") && folder.split('/').count() <= DEEPEST_EGG_INFO).then_some((folder, name))
}
