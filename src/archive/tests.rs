//! Tests that the same tree gives the same bytes, and that common tools read them.

use std::collections::HashMap;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::domain::{Content, RelPath, Sha256, Tree};

use super::*;

/// Objects in memory, read a few bytes at a time.
#[derive(Default)]
pub struct Memory {
    pub bytes: HashMap<Sha256, Vec<u8>>,
    pub step: usize,
}

impl Memory {
    pub fn add(&mut self, bytes: &[u8]) -> Content {
        let sha256 = Sha256::of(bytes);
        self.bytes.insert(sha256, bytes.to_vec());
        Content::Object { sha256, size: bytes.len() as u64 }
    }
}

impl ObjectSource for Memory {
    fn open(&self, sha256: Sha256) -> io::Result<Box<dyn Read + '_>> {
        let bytes = self.bytes.get(&sha256).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Slow { rest: bytes, step: self.step.max(1) }))
    }
}

struct Slow<'a> {
    rest: &'a [u8],
    step: usize,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.step.min(buffer.len());
        self.rest.read(&mut buffer[..length])
    }
}

/// An output in memory, with garbage where nothing was written.
#[derive(Default)]
pub struct Sheet(Mutex<Vec<u8>>);

/// Returns the archive of `tree`.
pub fn archived(tree: &Tree, objects: &Memory, format: &ArchiveFormat) -> Result<Vec<u8>, ArchiveError> {
    let sheet = Sheet::default();
    pack(tree, objects, format, &sheet).map(|()| sheet.0.into_inner())
}

impl WriteAt for Sheet {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut sheet = self.0.lock();
        let end = offset as usize + bytes.len();
        if sheet.len() < end {
            sheet.resize(end, 0xa5);
        }
        sheet[offset as usize..end].copy_from_slice(bytes);
        Ok(())
    }
}

pub fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

/// Returns a tree with everything that headers find hard: an empty file, one that ends at a block,
/// one longer than a chunk, a long name, a non-ASCII name.
fn bundle(step: usize) -> (Tree, Memory) {
    let mut objects = Memory { step, ..Memory::default() };
    let mut tree = Tree::new();
    let long: Vec<u8> = (0..200_000_u32).map(|number| (number.wrapping_mul(number) >> 3) as u8).collect();
    for (name, bytes) in [
        ("wheels/demo-1.0-py3-none-any.whl", &b"wheel"[..]),
        ("wheels/empty-1.0.zip", b""),
        ("wheels/block-1.0.zip", &[7; 512]),
        ("wheels/long-1.0.tar.gz", &long),
        (&format!("wheels/{}-1.0.zip", "n".repeat(150)), b"long name"),
        ("wheels/é-1.0.zip", b"foreign name"),
    ] {
        tree.insert(path(name), objects.add(bytes));
    }
    tree.insert(path("prefetch.json"), Content::Generated(b"{}\n".to_vec()));
    tree.insert(path("README.txt"), Content::Generated(b"Read me\n".to_vec()));
    (tree, objects)
}

fn packed(extension: &str, step: usize) -> Vec<u8> {
    let (tree, objects) = bundle(step);
    archived(&tree, &objects, ArchiveFormat::of(Path::new(&format!("x{extension}"))).unwrap()).unwrap()
}

/// Each archive was listed and read back by Python's `zipfile` and `tarfile`, and by Info-ZIP, GNU
/// tar or zstd.
///
/// The digests follow from the formats and this crate alone, so no update of a library changes
/// them; if we change them, every bundle gets other bytes, and the CHANGELOG says so.
const GOLDEN: &str = include_str!("../../testdata/golden/archives.txt");

#[test]
fn the_bytes_of_every_format_are_pinned() {
    let digests = ArchiveFormat::extensions()
        .map(|extension| format!("{} {extension}\n", Sha256::of(&packed(extension, 100_000))));
    assert_eq!(digests.collect::<String>(), GOLDEN);
}

#[test]
fn how_the_store_hands_out_bytes_does_not_matter() {
    for extension in ArchiveFormat::extensions() {
        assert!(packed(extension, 7) == packed(extension, 1 << 20), "{extension}");
    }
}

/// One object is longer than all others, so that several threads share it.
#[test]
fn places_and_pipes_get_the_same_bytes() {
    let (mut tree, mut objects) = bundle(1 << 20);
    tree.insert(path("wheels/huge-1.0.zip"), objects.add(&vec![9; 3 << 20]));
    for format in FORMATS.iter().filter(|format| format.is_stream()) {
        let mut pipe = Vec::new();
        pack_to_stream(&tree, &objects, format, &mut pipe).unwrap();
        assert!(pipe == archived(&tree, &objects, format).unwrap(), "{}", format.extensions[0]);
    }
    let mut zip = ::zip::ZipArchive::new(Cursor::new(archived(&tree, &objects, &FORMATS[0]).unwrap())).unwrap();
    for number in 0..zip.len() {
        io::copy(&mut zip.by_index(number).unwrap(), &mut io::sink()).expect("its checksum is right");
    }
}

#[test]
fn the_manifest_comes_first() {
    let (tree, _) = bundle(1);
    let order: Vec<_> = entries(&tree).map(|(path, _)| path.as_str()).take(3).collect();
    assert_eq!(order, ["prefetch.json", "README.txt", "wheels/block-1.0.zip"]);
}

#[test]
fn formats_are_found_by_the_end_of_a_name() {
    let extension = |name: &str| ArchiveFormat::of(Path::new(name)).ok().map(|format| format.extensions[0]);
    assert_eq!(extension("out/B.ZIP"), Some(".zip"));
    assert_eq!(extension("b.1.tgz"), Some(".tar.gz"));
    assert_eq!(extension("b.tar.zst"), Some(".tar.zst"));
    assert_eq!(extension(".zip"), None);
    assert_eq!(
        ArchiveFormat::of(Path::new("b.rar")).map(|_| ()).unwrap_err().to_string(),
        "`b.rar` does not say what archive it is; end its name in .zip, .tar, .tar.gz, .tgz, .tar.zst"
    );
}

#[test]
fn an_object_that_is_not_what_the_tree_says_is_an_error() {
    for size in [4, 6, 300_000] {
        let (mut tree, mut objects) = bundle(1);
        let Content::Object { sha256, .. } = objects.add(b"wheel") else { unreachable!() };
        tree.insert(path("wheels/demo-1.0-py3-none-any.whl"), Content::Object { sha256, size });
        for format in FORMATS {
            let error = archived(&tree, &objects, format).unwrap_err();
            assert!(matches!(error, ArchiveError::Size { got: 5, .. }), "{error}");
        }
    }
}

#[test]
fn an_archive_appears_only_when_it_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bundle.zip");
    let (tree, mut objects) = bundle(100);
    let format = ArchiveFormat::of(&file).unwrap();
    pack_file(&tree, &objects, format, &file).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), packed(".zip", 100));
    std::fs::remove_file(&file).unwrap();
    objects.bytes.remove(&Sha256::of(b"wheel"));
    let error = pack_file(&tree, &objects, format, &file).unwrap_err().to_string();
    assert!(
        error.starts_with("`wheels/demo-1.0-py3-none-any.whl` cannot be read where it is kept (sha256:"),
        "{error}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// More entries than a zip without zip64 can count.
#[test]
fn zip64_counts_beyond_65_535() {
    let mut tree = Tree::new();
    for number in 0..=65_536 {
        tree.insert(path(&number.to_string()), Content::Generated(Vec::new()));
    }
    let archive = archived(&tree, &Memory::default(), &FORMATS[0]).unwrap();
    assert_eq!(::zip::ZipArchive::new(Cursor::new(archive)).unwrap().len(), 65_537);
}

/// An object of many bytes that exist nowhere, and a pipe that counts what was read and not yet
/// written.
struct Endless {
    size: u64,
    read: AtomicU64,
}

impl ObjectSource for Endless {
    fn open(&self, _: Sha256) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(CountedBytes { from: self, rest: io::repeat(7).take(self.size) }))
    }
}

struct CountedBytes<'a> {
    from: &'a Endless,
    rest: io::Take<io::Repeat>,
}

impl Read for CountedBytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.rest.read(buffer)?;
        self.from.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

struct Gauge<'a> {
    from: &'a Endless,
    written: u64,
    behind: u64,
}

impl Write for Gauge<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.behind = self.behind.max(self.from.read.load(Ordering::Relaxed).saturating_sub(self.written));
        self.written += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream may hold only what was read and not yet written.
#[test]
fn a_stream_keeps_little_however_long_it_is() {
    let endless = Endless { size: 24 << 20, read: 0.into() };
    let mut tree = Tree::new();
    tree.insert(path("a.whl"), Content::Object { sha256: Sha256::of(b""), size: endless.size });
    for format in FORMATS.iter().filter(|format| format.is_stream()) {
        endless.read.store(0, Ordering::Relaxed);
        let mut gauge = Gauge { from: &endless, written: 0, behind: 0 };
        pack_to_stream(&tree, &endless, format, &mut gauge).unwrap();
        assert!(gauge.written > endless.size && gauge.behind < 1 << 20, "{} {}", format.extensions[0], gauge.behind);
    }
}
