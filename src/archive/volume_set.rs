//! Reads an archive as one sequence of bytes, whether it is one file or numbered volumes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cancel_flag::{CancelFlag, check_cancelled};
use crate::regular_file;

/// The files that an archive consists of, in their order.
#[derive(Clone, Debug)]
pub struct VolumeSet {
    files: Arc<Vec<VolumeFile>>,
    size: u64,
    /// Once this is set, every read fails.
    pub cancel: CancelFlag,
}

/// One file of an archive.
#[derive(Clone, Debug)]
pub struct VolumeFile {
    pub path: PathBuf,
    /// The sum of the sizes of the files before it, in bytes.
    pub start: u64,
    /// Size in bytes.
    pub size: u64,
}

/// The extension of a first volume.
const FIRST_VOLUME: &str = ".001";

impl VolumeSet {
    /// Finds the files: for `out.zip.001` all volumes numbered without a gap, else the file itself.
    ///
    /// # Errors
    /// When a file does not exist or its size cannot be read.
    pub fn find(path: &Path) -> io::Result<Self> {
        let mut volumes = Self { files: Arc::default(), size: 0, cancel: CancelFlag::default() };
        volumes.add(path.to_owned())?;
        if let Some(stem) = volume_stem(path) {
            for number in 2.. {
                match volumes.add(volume_path(&stem, number)) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                    other => other?,
                }
            }
        }
        Ok(volumes)
    }

    fn add(&mut self, path: PathBuf) -> io::Result<()> {
        let size = std::fs::metadata(&path)?.len();
        let part = VolumeFile { path, start: self.size, size };
        self.size += size;
        Arc::make_mut(&mut self.files).push(part);
        Ok(())
    }

    /// Returns the size of all files together in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns where `size` bytes from `start` on are, or `None` if no single file holds all of
    /// them.
    pub fn extent(&self, start: u64, size: u64) -> Option<Extent> {
        let end = start.checked_add(size)?;
        let part = self.files.iter().find(|part| start >= part.start && end <= part.start + part.size)?;
        Some(Extent { file: part.path.clone(), start: start - part.start, size })
    }

    /// Returns a reader with its own position.
    pub fn reader(&self) -> VolumeSetReader {
        VolumeSetReader { volumes: self.clone(), open: None, position: 0 }
    }
}

/// Returns `out.zip` for `out.zip.001`.
pub fn volume_stem(path: &Path) -> Option<PathBuf> {
    Some(PathBuf::from(path.to_str()?.strip_suffix(FIRST_VOLUME)?))
}

/// Returns the path of a volume of the archive `stem`; numbers begin at 1.
pub fn volume_path(stem: &Path, number: usize) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(format!(".{number:03}"));
    name.into()
}

/// Reads the files as one; one of them is open at a time.
pub struct VolumeSetReader {
    volumes: VolumeSet,
    open: Option<(usize, File)>,
    position: u64,
}

impl VolumeSetReader {
    /// Opens the file at the current position and seeks in it; `None` at the end.
    fn part(&mut self) -> io::Result<Option<(&mut File, u64)>> {
        let position = self.position;
        let number = self.volumes.files.partition_point(|part| part.start + part.size <= position);
        let Some(part) = self.volumes.files.get(number) else { return Ok(None) };
        let left = part.start + part.size - position;
        let file = match self.open.take() {
            Some((open, file)) if open == number => file,
            _ => {
                let mut file = regular_file::open(&part.path)?;
                file.seek(SeekFrom::Start(position - part.start))?;
                file
            }
        };
        let (_, file) = self.open.insert((number, file));
        Ok(Some((file, left)))
    }
}

impl Read for VolumeSetReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        check_cancelled(&self.volumes.cancel)?;
        let Some((file, left)) = self.part()? else { return Ok(0) };
        let length = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let got = file.read(&mut buffer[..length])?;
        self.position += got as u64;
        Ok(got)
    }
}

impl Seek for VolumeSetReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = resolve_seek(to, self.position, self.volumes.size)?;
        if position != self.position {
            let part = self.open.as_ref().map(|(number, _)| &self.volumes.files[*number]);
            let start =
                part.filter(|part| (part.start..part.start + part.size).contains(&position)).map(|part| part.start);
            match (&mut self.open, start) {
                (Some((_, file)), Some(start)) => drop(file.seek(SeekFrom::Start(position - start))?),
                _ => self.open = None,
            }
            self.position = position;
        }
        Ok(position)
    }
}

/// A contiguous range of bytes in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    pub file: PathBuf,
    /// The offset of the first byte.
    pub start: u64,
    /// Size in bytes.
    pub size: u64,
}

impl Extent {
    /// Returns a reader of these bytes only.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(&self) -> io::Result<ExtentReader<File>> {
        ExtentReader::new(File::open(&self.file)?, self.start, self.size)
    }
}

/// A reader of a range of another reader.
#[derive(Debug)]
pub struct ExtentReader<R> {
    reader: R,
    start: u64,
    size: u64,
    /// The reader's position, relative to `start`.
    position: u64,
}

impl<R: Seek> ExtentReader<R> {
    /// Makes a reader of `size` bytes from `start` on, which must lie inside.
    ///
    /// # Errors
    /// When `reader` cannot seek to `start`.
    pub fn new(mut reader: R, start: u64, size: u64) -> io::Result<Self> {
        reader.seek(SeekFrom::Start(start))?;
        Ok(Self { reader, start, size, position: 0 })
    }
}

impl<R: Read> Read for ExtentReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.size.saturating_sub(self.position);
        let length = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let got = self.reader.read(&mut buffer[..length])?;
        self.position += got as u64;
        Ok(got)
    }
}

impl<R: Seek> Seek for ExtentReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = resolve_seek(to, self.position, self.size)?;
        let absolute = self.start.checked_add(position).ok_or(io::ErrorKind::InvalidInput)?;
        self.reader.seek(SeekFrom::Start(absolute))?;
        self.position = position;
        Ok(position)
    }
}

/// Returns the position to which a seek leads, in a file of `size` bytes.
///
/// # Errors
/// When that is before the beginning.
pub fn resolve_seek(to: SeekFrom, position: u64, size: u64) -> io::Result<u64> {
    let target = match to {
        SeekFrom::Start(position) => Some(position),
        SeekFrom::End(offset) => size.checked_add_signed(offset),
        SeekFrom::Current(offset) => position.checked_add_signed(offset),
    };
    target.ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn volumes() -> (tempfile::TempDir, VolumeSet) {
        let folder = tempfile::tempdir().unwrap();
        for (number, bytes) in [(1, &b"abc"[..]), (2, b""), (3, b"defg"), (5, b"lost")] {
            fs::write(volume_path(&folder.path().join("out.tar"), number), bytes).unwrap();
        }
        let volumes = VolumeSet::find(&folder.path().join("out.tar.001")).unwrap();
        (folder, volumes)
    }

    #[test]
    fn volumes_read_as_one_file_up_to_the_first_gap() {
        let (_folder, volumes) = volumes();
        assert_eq!((volumes.size(), volumes.files.len()), (7, 3));
        let mut reader = volumes.reader();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abcdefg");
        reader.seek(SeekFrom::End(-5)).unwrap();
        text.clear();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "cdefg");
    }

    #[test]
    fn an_extent_lies_in_one_file() {
        let (_folder, volumes) = volumes();
        let text = |start, size| Some(io::read_to_string(volumes.extent(start, size)?.open().unwrap()).unwrap());
        assert_eq!([text(0, 3), text(4, 2), text(7, 0)], [Some("abc".into()), Some("ef".into()), Some("".into())]);
        assert_eq!([text(2, 2), text(5, 3), text(u64::MAX, 1)], [None, None, None]);
    }

    #[test]
    fn a_stretch_is_a_file_of_its_own() {
        let (_folder, volumes) = volumes();
        let mut stretch = ExtentReader::new(volumes.reader(), 2, 3).unwrap();
        assert_eq!(io::read_to_string(&mut stretch).unwrap(), "cde");
        assert_eq!(stretch.seek(SeekFrom::End(-1)).unwrap(), 2);
        assert_eq!(io::read_to_string(&mut stretch).unwrap(), "e");
        assert!(stretch.seek(SeekFrom::Start(u64::MAX)).is_err());
        stretch.seek(SeekFrom::Start(9)).unwrap();
        assert_eq!(io::read_to_string(&mut stretch).unwrap(), "");
    }
}
