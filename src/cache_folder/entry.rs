//! Small files of the cache, which appear whole: each is written to a temporary file and renamed.
//!
//! They are not flushed, since they can be made again; a checksum at their end detects what a power
//! cut damaged.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::layout::{CacheLayout, remove_anything};
use super::regular::read_regular;
use super::stamp::FileStamp;

/// The size of the checksum in bytes.
const SUM: usize = size_of::<u32>();

/// Who may read a file of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Everybody whom the umask allows, so that a cache may be shared.
    Umask,
    /// The user who wrote it.
    Owner,
}

impl CacheLayout {
    /// Reads a file that [`CacheLayout::write`] wrote; `None` if it is missing or damaged.
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        self.read_stamped(path).map(|(bytes, _)| bytes)
    }

    /// Reads a file as [`CacheLayout::read`] does, and returns its stamp, too.
    pub fn read_stamped(&self, path: &Path) -> Option<(Vec<u8>, Option<FileStamp>)> {
        let (bytes, metadata) = read_regular(path).ok()?;
        Some((content(bytes)?, FileStamp::of(&metadata)))
    }

    /// Writes `parts`, one after the other, as the file `path`, replacing whatever is there;
    /// returns the file's stamp.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path, parts: &[&[u8]], readers: Readers) -> io::Result<Option<FileStamp>> {
        let mut file = self.temporary(readers)?;
        let (mut sum, mut writer) = (crc32fast::Hasher::new(), BufWriter::new(&mut file));
        for part in parts {
            sum.update(part);
            writer.write_all(part)?;
        }
        writer.write_all(&sum.finalize().to_le_bytes())?;
        writer.flush()?;
        drop(writer);
        let stamp = FileStamp::of(&file.as_file().metadata()?);
        let persist = |file: NamedTempFile, path: &Path| {
            file.persist(path).map(drop).map_err(|failed| (failed.error, failed.file))
        };
        self.rename_into_place(file, path, persist)?;
        Ok(stamp)
    }

    /// Makes a temporary file in the folder for incoming files, which is created if necessary.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn temporary(&self, readers: Readers) -> io::Result<NamedTempFile> {
        self.in_incoming(|folder| new_file(folder, readers))
    }

    /// Makes something in the folder for incoming files, which is created if necessary.
    ///
    /// # Errors
    /// When `make` fails although the folder exists.
    pub fn in_incoming<T>(&self, make: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
        let folder = self.incoming();
        // Not only where the folder is missing: another thread may have made it since.
        make(folder).or_else(|_| self.make_folder(folder).and_then(|()| make(folder)))
    }

    /// Renames `file` to `path` by `rename`, which returns the file if it fails.
    ///
    /// The folder of `path` is created if necessary, and a folder called `path` is removed.
    ///
    /// # Errors
    /// When the file cannot be renamed even so.
    pub fn rename_into_place<F>(
        &self,
        file: F,
        path: &Path,
        rename: impl Fn(F, &Path) -> Result<(), (io::Error, F)>,
    ) -> io::Result<()> {
        let Err((error, file)) = rename(file, path) else { return Ok(()) };
        if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
            remove_anything(path)?;
        } else {
            self.make_folder(path.parent().ok_or(error)?)?;
        }
        rename(file, path).map_err(|(error, _)| error)
    }
}

/// Whether these are all the bytes of a file that [`CacheLayout::write`] wrote, by their checksum.
pub fn is_whole(bytes: &[u8]) -> bool {
    bytes.split_last_chunk::<SUM>().is_some_and(|(content, sum)| crc32fast::hash(content).to_le_bytes() == *sum)
}

/// Returns the content of a file that [`CacheLayout::write`] wrote, given all its bytes; `None` if they
/// are damaged.
pub fn content(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    is_whole(&bytes).then(|| {
        bytes.truncate(bytes.len() - SUM);
        bytes
    })
}

/// Makes a temporary file; by default only its owner may read it.
fn new_file(folder: &Path, readers: Readers) -> io::Result<NamedTempFile> {
    #[cfg(unix)]
    if readers == Readers::Umask {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        return tempfile::Builder::new().permissions(permissions).tempfile_in(folder);
    }
    #[cfg(not(unix))]
    let _ = readers;
    NamedTempFile::new_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache_folder::CacheBucket;

    fn layout() -> (tempfile::TempDir, CacheLayout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = CacheLayout::new(folder.path().to_owned());
        (folder, layout)
    }

    #[test]
    fn damage_of_any_kind_is_no_file() {
        let (folder, layout) = layout();
        let path = layout.folder(CacheBucket::Pages).join("a");
        layout.write(&path, &[b"a", b"bc"], Readers::Umask).unwrap();
        assert_eq!(layout.read(&path).as_deref(), Some(b"abc".as_slice()));
        let whole = fs::read(&path).unwrap();
        for damaged in [&[], &whole[..3], &whole[..6], &[0; 7], &[0; 3]] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(layout.read(&path), None, "{damaged:?}");
        }
        assert_eq!(layout.read(&folder.path().join("none")), None);
        assert_eq!(fs::read_dir(layout.incoming()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_or_file_in_the_way_gives_way() {
        let (_folder, layout) = layout();
        let path = layout.folder(CacheBucket::Pages).join("a");
        fs::create_dir_all(path.join("deep")).unwrap();
        layout.write(&path, &[b"a"], Readers::Umask).unwrap();
        assert_eq!(layout.read(&path).as_deref(), Some(b"a".as_slice()));
        for folder in [layout.folder(CacheBucket::Pages), layout.incoming().to_owned()] {
            fs::remove_dir_all(&folder).unwrap();
            fs::write(&folder, "").unwrap();
            layout.write(&path, &[b"b"], Readers::Umask).unwrap();
            assert_eq!(layout.read(&path).as_deref(), Some(b"b".as_slice()));
        }
    }

    #[test]
    fn threads_that_make_the_same_folder_at_once_all_write() {
        for round in 0..50 {
            let (_folder, layout) = layout();
            let start = std::sync::Barrier::new(8);
            std::thread::scope(|scope| {
                for thread in 0..8 {
                    let (layout, start) = (&layout, &start);
                    scope.spawn(move || {
                        let path = layout.folder(CacheBucket::Pages).join(thread.to_string());
                        start.wait();
                        layout.write(&path, &[b"a"], Readers::Umask).unwrap_or_else(|why| panic!("{round}: {why}"));
                    });
                }
            });
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_are_readable_as_the_umask_says_or_by_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, layout) = layout();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        fs::write(folder.path().join("usual"), "").unwrap();
        let usual = mode(&folder.path().join("usual"));
        let path = layout.folder(CacheBucket::Pages).join("a");
        for (readers, expected) in [(Readers::Umask, usual), (Readers::Owner, 0o600)] {
            layout.write(&path, &[b"a"], readers).unwrap();
            assert_eq!(mode(&path), expected, "{readers:?}");
        }
    }
}
