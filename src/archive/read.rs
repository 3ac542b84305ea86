//! Reads a folder or an archive from others; nothing in it is trusted.
//!
//! What is wrong with the archive itself is an [`ArchiveFault`], and the rest is still read: a path that
//! leads out of the folder must not hide the damage after it. Nothing is ever written here.

mod fault;
mod folder;
mod stored_content;
mod stream;
mod tar;
mod unique_names;
mod zip;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

pub use fault::{ArchiveFault, ReadError};

use super::cancel_flag::CancelFlag;
use super::stored_container::Container;
use super::volume_set::{Extent, ExtentReader, VolumeSet};
use crate::domain::RelPath;
use crate::parallel;
use stored_content::StoredContent;
use unique_names::UniqueNames;

/// Bytes that can be read more than once.
pub trait SeekableInput: Read + Seek + Send {}

impl<T: Read + Seek + Send> SeekableInput for T {}

/// A file in an archive.
pub struct ArchiveMember {
    pub path: RelPath,
    pub bytes: Box<dyn SeekableInput>,
    /// The position of the bytes on the disk, if they are contiguous and not compressed.
    pub extent: Option<Extent>,
}

/// A folder or an archive, whose format is told by its first bytes and not by its name.
pub struct ArchiveReader {
    path: PathBuf,
    kind: ArchiveKind,
}

enum ArchiveKind {
    Folder,
    Zip(VolumeSet),
    Tar(VolumeSet),
    StoredContent(VolumeSet, Container),
}

/// A callback for each file, called by several threads at once.
pub type MemberVisitor<'a> = dyn Fn(ArchiveMember) + Sync + 'a;

impl ArchiveReader {
    /// Opens a folder, an archive, or the first volume of one.
    ///
    /// # Errors
    /// When the path cannot be read, or is neither.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let fail = |why| ReadError::Unreadable { path: path.to_owned(), why };
        if fs::metadata(path).map_err(fail)?.is_dir() {
            return Ok(Self { path: path.to_owned(), kind: ArchiveKind::Folder });
        }
        let volumes = VolumeSet::find(path).map_err(fail)?;
        let mut head = Vec::new();
        volumes.reader().take(512).read_to_end(&mut head).map_err(fail)?;
        let kind = match head.as_slice() {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => ArchiveKind::Zip(volumes),
            [0x1f, 0x8b, ..] => ArchiveKind::StoredContent(volumes, Container::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => ArchiveKind::StoredContent(volumes, Container::Zstd),
            head if head.len() == 512 && head[257..].starts_with(b"ustar") => ArchiveKind::Tar(volumes),
            _ => return Err(ReadError::NoArchive(path.to_owned())),
        };
        Ok(Self { path: path.to_owned(), kind })
    }

    /// Makes every read fail once `cancel` is set.
    pub fn cancelled_by(mut self, cancel: &CancelFlag) -> Self {
        match &mut self.kind {
            ArchiveKind::Folder => {}
            ArchiveKind::Zip(volumes) | ArchiveKind::Tar(volumes) | ArchiveKind::StoredContent(volumes, _) => {
                volumes.cancel = cancel.clone()
            }
        }
        self
    }

    pub fn is_folder(&self) -> bool {
        matches!(self.kind, ArchiveKind::Folder)
    }

    /// Returns the files that the archive itself consists of; `None` for a folder.
    pub fn volumes(&self) -> Option<&VolumeSet> {
        match &self.kind {
            ArchiveKind::Folder => None,
            ArchiveKind::Zip(volumes) | ArchiveKind::Tar(volumes) | ArchiveKind::StoredContent(volumes, _) => {
                Some(volumes)
            }
        }
    }

    /// Returns the bytes of one small file, or `None` if it does not exist; if there are several of
    /// that name, the first.
    ///
    /// # Errors
    /// When the archive cannot be read, the file has more than `limit` bytes, or damage may hide
    /// it.
    pub fn page(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let fail = |why| ReadError::Unreadable { path: self.path.clone(), why };
        match &self.kind {
            ArchiveKind::Folder => folder::page(&self.path, name, limit).map_err(fail),
            ArchiveKind::StoredContent(volumes, kind) => stream::page(volumes, *kind, name, limit).map_err(fail),
            ArchiveKind::Zip(_) | ArchiveKind::Tar(_) => {
                let (entries, faults) = self.scan();
                let Some(entry) = entries.iter().find(|entry| entry.path.as_str() == name) else {
                    let broken = faults.into_iter().find(ArchiveFault::hides_files);
                    return broken
                        .map_or(Ok(None), |fault| Err(ReadError::Malformed { path: self.path.clone(), fault }));
                };
                let bytes = entry.open(limit).and_then(|bytes| read_at_most(bytes, limit));
                bytes.map(Some).map_err(fail)
            }
        }
    }

    /// Returns every file by its path, each to be opened on its own; `None` if the archive can only
    /// be read from its beginning.
    ///
    /// # Errors
    /// When a folder cannot be read, or the files unpack to more than such an archive can have.
    pub fn index(&self) -> Result<Option<MemberIndex>, ReadError> {
        let fail = |why| ReadError::Unreadable { path: self.path.clone(), why };
        let entries = match &self.kind {
            ArchiveKind::Folder => folder::scan(&self.path).map_err(fail)?.0,
            ArchiveKind::Zip(_) | ArchiveKind::Tar(_) => self.scan().0,
            ArchiveKind::StoredContent(volumes, kind) => match StoredContent::find(volumes, *kind).map_err(fail)? {
                Some(content) => tar::scan(&TarBytes::StoredContent(content)).0,
                None => return Ok(None),
            },
        };
        let unpacked = entries.iter().map(MemberEntry::inflates_to).fold(0, u64::saturating_add);
        if unpacked > self.growth_limit() {
            return Err(fail(io::Error::other(format!("it unpacks to {unpacked} bytes, many times its own size"))));
        }
        Ok(Some(MemberIndex(entries.into_iter().map(|entry| (entry.path.to_string(), entry)).collect())))
    }

    /// Returns the number of bytes to which the archive may unpack: distributions are compressed already
    /// and hardly grow.
    fn growth_limit(&self) -> u64 {
        let packed = self.volumes().map(VolumeSet::size);
        packed.map_or(u64::MAX, |packed| packed.saturating_mul(MAX_GROWTH).saturating_add(ALLOWANCE))
    }

    /// Calls `visit` with every file, on up to `threads` threads, and returns the faults of the
    /// archive itself.
    ///
    /// No more than `limit` bytes are decompressed in all, nor more than such an archive can have. A
    /// file that cannot be read to its end fails when it is read.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn visit(&self, limit: u64, threads: usize, visit: &MemberVisitor<'_>) -> Result<Vec<ArchiveFault>, ReadError> {
        let limit = limit.min(self.growth_limit());
        let (entries, mut faults) = match &self.kind {
            ArchiveKind::Folder => {
                folder::scan(&self.path).map_err(|why| ReadError::Unreadable { path: self.path.clone(), why })?
            }
            ArchiveKind::Zip(_) | ArchiveKind::Tar(_) => self.scan(),
            ArchiveKind::StoredContent(volumes, kind) => match StoredContent::find(volumes, *kind) {
                Ok(Some(content)) => return Ok(visit_contained(&content, limit, threads, visit)),
                // It is damaged, or by another tool; the stream tells.
                Ok(None) | Err(_) => return Ok(stream::visit(volumes, *kind, limit, threads, visit)),
            },
        };
        faults.extend(visit_all(entries, limit, threads, visit, || None));
        Ok(faults)
    }

    fn scan(&self) -> (Vec<MemberEntry>, Vec<ArchiveFault>) {
        match &self.kind {
            ArchiveKind::Zip(volumes) => zip::scan(volumes),
            ArchiveKind::Tar(volumes) => tar::scan(&TarBytes::Plain(volumes.clone())),
            ArchiveKind::Folder | ArchiveKind::StoredContent(..) => Default::default(),
        }
    }
}

/// The factor by which an archive may grow when it is unpacked.
const MAX_GROWTH: u64 = 50;

/// The number of bytes to which any archive may grow in addition, so that small ones are not refused.
const ALLOWANCE: u64 = 64 << 20;

/// The files of an archive, by their paths.
pub struct MemberIndex(BTreeMap<String, MemberEntry>);

impl MemberIndex {
    /// Opens the file at `path`, of which no more than `limit` bytes are decompressed.
    ///
    /// # Errors
    /// When the file does not exist or cannot be read.
    pub fn open(&self, path: &str, limit: u64) -> io::Result<Box<dyn SeekableInput>> {
        self.0.get(path).ok_or(io::ErrorKind::NotFound)?.open(limit)
    }
}

/// A file of an archive that can be opened on its own.
struct MemberEntry {
    path: RelPath,
    /// The decompressed size in bytes.
    size: u64,
    location: MemberLocation,
}

/// The source of a tar archive's bytes.
#[derive(Clone)]
enum TarBytes {
    Plain(VolumeSet),
    StoredContent(StoredContent),
}

impl TarBytes {
    fn size(&self) -> u64 {
        match self {
            Self::Plain(volumes) => volumes.size(),
            Self::StoredContent(content) => content.size(),
        }
    }

    fn reader(&self) -> Box<dyn SeekableInput> {
        match self {
            Self::Plain(volumes) => Box::new(volumes.reader()),
            Self::StoredContent(content) => Box::new(content.reader()),
        }
    }
}

/// The position of a file's bytes.
enum MemberLocation {
    File(PathBuf),
    Stored { bytes: TarBytes, start: u64 },
    Deflated { volumes: VolumeSet, start: u64, packed: u64 },
}

impl MemberEntry {
    fn open(&self, limit: u64) -> io::Result<Box<dyn SeekableInput>> {
        match &self.location {
            MemberLocation::File(path) => Ok(Box::new(fs::File::open(path)?)),
            MemberLocation::Stored { bytes, start } => {
                Ok(Box::new(ExtentReader::new(bytes.reader(), *start, self.size)?))
            }
            MemberLocation::Deflated { volumes, start, packed } => {
                let inflated = flate2::read::DeflateDecoder::new(ExtentReader::new(volumes.reader(), *start, *packed)?);
                Ok(Box::new(stream::spool(inflated, self.size.min(limit))?))
            }
        }
    }

    fn extent(&self) -> Option<Extent> {
        match &self.location {
            MemberLocation::File(path) => Some(Extent { file: path.clone(), start: 0, size: self.size }),
            MemberLocation::Stored { bytes: TarBytes::Plain(volumes), start } => volumes.extent(*start, self.size),
            MemberLocation::Stored { bytes: TarBytes::StoredContent(_), .. } | MemberLocation::Deflated { .. } => None,
        }
    }

    fn inflates_to(&self) -> u64 {
        if matches!(self.location, MemberLocation::Deflated { .. }) { self.size } else { 0 }
    }
}

/// Visits the files of a tar archive in a container that this program wrote, while another thread computes the
/// container's checksum.
fn visit_contained(
    content: &StoredContent,
    limit: u64,
    threads: usize,
    visit: &MemberVisitor<'_>,
) -> Vec<ArchiveFault> {
    let (entries, mut faults) = tar::scan(&TarBytes::StoredContent(content.clone()));
    let is_sound = faults.is_empty();
    let check = || match content.has_right_checksum() {
        Ok(false) => Some(ArchiveFault::Checksum),
        Err(error) => Some(ArchiveFault::of_io(&error, None)),
        Ok(true) => None,
    };
    faults.extend(visit_all(entries, limit, threads, visit, || is_sound.then(check).flatten()));
    faults
}

/// Calls `visit` with every file, and meanwhile runs `check` for another fault.
fn visit_all(
    mut entries: Vec<MemberEntry>,
    limit: u64,
    threads: usize,
    visit: &MemberVisitor<'_>,
    check: impl FnOnce() -> Option<ArchiveFault>,
) -> Vec<ArchiveFault> {
    if entries.iter().map(MemberEntry::inflates_to).fold(0, u64::saturating_add) > limit {
        return vec![ArchiveFault::TooLarge { limit }];
    }
    // The largest first, so that no thread begins with it when the others are done.
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.size));
    let next = AtomicUsize::new(0);
    let faults = parking_lot::Mutex::new(Vec::new());
    let work = || {
        while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
            match entry.open(limit) {
                Ok(bytes) => visit(ArchiveMember { path: entry.path.clone(), bytes, extent: entry.extent() }),
                Err(why) => {
                    let fault = ArchiveFault::Damaged { path: Some(entry.path.to_string()), why: why.to_string() };
                    faults.lock().push(fault);
                }
            }
        }
    };
    let check = || {
        if let Some(fault) = check() {
            faults.lock().push(fault);
        }
    };
    match threads.min(entries.len()) {
        0 | 1 => {
            check();
            work();
        }
        threads => {
            let own = || {
                check();
                work();
            };
            parallel::join(|| parallel::on_threads(threads - 1, work), own);
        }
    }
    faults.into_inner()
}

fn read_at_most(input: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if input.take(limit + 1).read_to_end(&mut bytes)? as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {limit} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
