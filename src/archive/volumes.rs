//! Writes and checks archives in numbered volumes, with an index of their digests beside them.

use std::fs;
use std::io::{self, Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::objects::ObjectSource;
use super::random_access::WriteAt;
use super::temporary::{sweep, temporary};
use super::volume_set::{volume_path, volume_stem};
use super::{ArchiveError, ArchiveFault, ArchiveFormat, pack, parent};
use crate::domain::{Fingerprint, Tree};
use crate::regular_file;

/// The index of an archive's volumes: `out.zip.volumes.json` beside `out.zip.001`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeIndex {
    pub schema: u32,
    /// The name of the whole archive.
    pub name: String,
    /// The volumes, in their order.
    pub volumes: Vec<Volume>,
}

/// One volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// The SHA-256 in hex digits.
    pub sha256: String,
}

const SCHEMA: u32 = 1;

/// The size limit of an index of volumes in bytes; an entry takes some 200.
const LARGEST_INDEX: u64 = 16 << 20;

fn index_path(stem: &Path) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(".volumes.json");
    name.into()
}

/// Writes `tree` as volumes of up to `size` bytes, named `path` with `.001` and so on, and their
/// index.
///
/// All of them appear once all are complete. Together they are the archive that
/// [`super::pack_file`] writes.
///
/// # Errors
/// As [`super::pack_file`].
pub fn pack_volumes(
    tree: &Tree,
    objects: &dyn ObjectSource,
    format: &ArchiveFormat,
    path: &Path,
    size: u64,
) -> Result<(), ArchiveError> {
    let fail = |source| ArchiveError::Write { path: path.to_owned(), source };
    let volumes = VolumeWriter::new(path, size);
    sweep(&volumes.folder);
    pack(tree, objects, format, &volumes).map_err(|error| error.of_file(path))?;
    volumes.persist(path).map_err(fail)
}

/// Writes to several files as if they were one.
struct VolumeWriter {
    folder: PathBuf,
    /// The size in bytes of each file but the last.
    limit: u64,
    files: Mutex<Vec<Arc<NamedTempFile>>>,
}

impl VolumeWriter {
    fn new(path: &Path, limit: u64) -> Self {
        Self { folder: parent(path).to_owned(), limit: limit.max(1), files: Mutex::default() }
    }

    /// Returns the file at `position`, from 0; it is created if necessary, as are those before it.
    fn file(&self, position: u64) -> io::Result<Arc<NamedTempFile>> {
        let number = usize::try_from(position / self.limit).map_err(io::Error::other)?;
        let mut files = self.files.lock();
        while files.len() <= number {
            files.push(Arc::new(temporary(&self.folder)?));
        }
        Ok(files[number].clone())
    }

    fn persist(self, path: &Path) -> io::Result<()> {
        let files = self.files.into_inner().into_iter();
        let mut files: Vec<_> = files.map(|file| Arc::into_inner(file).expect("nobody writes any more")).collect();
        let mut volumes = Vec::new();
        for (number, file) in files.iter_mut().enumerate() {
            file.as_file().sync_all()?;
            file.as_file_mut().seek(SeekFrom::Start(0))?;
            let found = Fingerprint::read(file.as_file_mut(), &[])?;
            let name = file_name(&volume_path(path, number + 1));
            volumes.push(Volume { name, size: found.size, sha256: found.sha256.to_string() });
        }
        for (number, file) in files.into_iter().enumerate() {
            file.persist(volume_path(path, number + 1)).map_err(|error| error.error)?;
        }
        remove_beyond(path, volumes.len())?;
        let index = VolumeIndex { schema: SCHEMA, name: file_name(path), volumes };
        let mut text = serde_json::to_vec_pretty(&index).expect("strings and numbers can always be written");
        text.push(b'\n');
        let mut file = temporary(&self.folder)?;
        file.write_all(&text)?;
        file.persist(index_path(path)).map(drop).map_err(|error| error.error)
    }
}

/// Removes the volumes that a larger archive of this name had.
fn remove_beyond(path: &Path, count: usize) -> io::Result<()> {
    for number in count + 1.. {
        match fs::remove_file(volume_path(path, number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            other => other?,
        }
    }
    Ok(())
}

impl WriteAt for VolumeWriter {
    fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let within = offset % self.limit;
            let room = usize::try_from(self.limit - within).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.file(offset)?.as_file().write_all_at(now, within)?;
            (bytes, offset) = (later, offset + now.len() as u64);
        }
        Ok(())
    }
}

/// Returns what is wrong with the volumes beside `path` by their index: volumes that are missing or
/// truncated, and with `hash` also those with another digest.
///
/// There are no faults without an index.
///
/// # Errors
/// When an existing volume cannot be read.
pub fn check_volumes(path: &Path, hash: bool) -> io::Result<Vec<ArchiveFault>> {
    let Some(stem) = volume_stem(path) else { return Ok(Vec::new()) };
    let Ok(file) = regular_file::open(&index_path(&stem)) else { return Ok(Vec::new()) };
    let mut text = Vec::new();
    file.take(LARGEST_INDEX).read_to_end(&mut text)?;
    let Ok(index) = serde_json::from_slice::<VolumeIndex>(&text) else {
        return Ok(vec![ArchiveFault::VolumeIndex(file_name(&index_path(&stem)))]);
    };
    let mut faults = Vec::new();
    for (number, expected) in index.volumes.iter().enumerate() {
        faults.extend(check_volume(&volume_path(&stem, number + 1), expected, hash)?);
    }
    Ok(faults)
}

fn check_volume(path: &Path, expected: &Volume, hash: bool) -> io::Result<Option<ArchiveFault>> {
    let name = file_name(path);
    let mut file = match regular_file::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(ArchiveFault::NoVolume(name))),
        other => other?,
    };
    let got = file.metadata()?.len();
    if got != expected.size {
        return Ok(Some(ArchiveFault::VolumeSize { name, expected: expected.size, got }));
    }
    let is_altered = hash && Fingerprint::read(&mut file, &[])?.sha256.to_string() != expected.sha256;
    Ok(is_altered.then_some(ArchiveFault::VolumeDigest(name)))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Memory, path};
    use super::super::{FORMATS, pack_file};
    use super::*;
    use crate::domain::Content;

    fn world() -> (Tree, Memory) {
        let (mut tree, mut objects) = (Tree::new(), Memory { step: 1000, ..Memory::default() });
        tree.insert(path("prefetch.json"), Content::Generated(b"{}".to_vec()));
        tree.insert(path("a.whl"), objects.add(&[7; 5000]));
        tree.insert(path("b.whl"), objects.add(&[8; 300]));
        (tree, objects)
    }

    #[test]
    fn together_volumes_are_the_archive() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, objects) = world();
        for format in FORMATS {
            for size in [1, 700, 1 << 20] {
                let whole = folder.path().join("whole");
                pack_file(&tree, &objects, format, &whole).unwrap();
                let out = folder.path().join("out");
                pack_volumes(&tree, &objects, format, &out, size.max(97)).unwrap();
                let parts = (1..).map_while(|number| fs::read(volume_path(&out, number)).ok());
                let together: Vec<u8> = parts.flatten().collect();
                assert!(together == fs::read(&whole).unwrap(), "{} in {size}", format.extensions[0]);
                assert_eq!(check_volumes(&volume_path(&out, 1), true).unwrap(), []);
            }
        }
    }

    #[test]
    fn missing_cut_and_altered_volumes_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, objects) = world();
        let out = folder.path().join("out.tar");
        pack_volumes(&tree, &objects, &FORMATS[1], &out, 1000).unwrap();
        let mut third = fs::read(volume_path(&out, 3)).unwrap();
        third[5] ^= 1;
        fs::write(volume_path(&out, 3), third).unwrap();
        fs::remove_file(volume_path(&out, 2)).unwrap();
        fs::write(volume_path(&out, 4), b"cut").unwrap();
        let words = |hash| {
            let faults = check_volumes(&volume_path(&out, 1), hash).unwrap();
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(
            words(true),
            "the volume `out.tar.002` is missing; the volume `out.tar.003` was altered: copy it again; the volume \
             `out.tar.004` has 3 bytes of 1000: copy it again"
        );
        assert!(!words(false).contains("out.tar.003"));
        fs::write(folder.path().join("out.tar.volumes.json"), b"{").unwrap();
        assert_eq!(words(true), "`out.tar.volumes.json` is no index of volumes");
    }
}
