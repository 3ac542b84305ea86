//! The same tree is the same bytes, and those bytes are what the world's tools read.

use std::collections::HashMap;
use std::io::{self, Cursor, Read};
use std::path::Path;

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

impl Objects for Memory {
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

pub fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

/// A tree with everything that headers find hard: an empty file, one that ends at a block, one
/// longer than a piece, a long name, a foreign name.
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
    tree.insert(path("prefetch.json"), Content::Page(b"{}\n".to_vec()));
    tree.insert(path("README.txt"), Content::Page(b"Read me\n".to_vec()));
    (tree, objects)
}

fn packed(extension: &str, step: usize) -> Vec<u8> {
    let (tree, objects) = bundle(step);
    let mut output = Cursor::new(Vec::new());
    pack(&tree, &objects, Format::of(Path::new(&format!("x{extension}"))).unwrap(), &mut output).unwrap();
    output.into_inner()
}

/// Each was listed and read back by Python's `zipfile` and `tarfile`, and by Info-ZIP or GNU tar.
const PINNED: &[(&str, &str)] = &[
    (".zip", "bc96d472269424cd90213049899b432648a08ff390e814792bf2d227bc580c52"),
    (".tar", "27da676158e2de3dca7a92a055568909b70a04bc17fbd5c582f72cb658f821c4"),
    (".tar.gz", "8a332927ba8e52f751b525c8b3b0a445a1712c742a528594b41101186bbcc00f"),
    (".tgz", "8a332927ba8e52f751b525c8b3b0a445a1712c742a528594b41101186bbcc00f"),
    (".tar.zst", "3dbeb3930b72eb4ccbe9d7372d20e73e0c1faf919554d01797bbb7036619b970"),
];

#[test]
fn the_bytes_of_every_format_are_pinned() {
    assert!(Format::extensions().eq(PINNED.iter().map(|(extension, _)| *extension)));
    for (extension, sha256) in PINNED {
        let bytes = packed(extension, 100_000);
        assert_eq!(Sha256::of(&bytes).to_string(), *sha256, "{extension}");
    }
}

#[test]
fn how_the_store_hands_out_bytes_does_not_matter() {
    for extension in Format::extensions() {
        assert!(packed(extension, 7) == packed(extension, 1 << 20), "{extension}");
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
    let extension = |name: &str| Format::of(Path::new(name)).ok().map(|format| format.extensions[0]);
    assert_eq!(extension("out/B.ZIP"), Some(".zip"));
    assert_eq!(extension("b.1.tgz"), Some(".tar.gz"));
    assert_eq!(extension("b.tar.zst"), Some(".tar.zst"));
    assert_eq!(extension(".zip"), None);
    assert_eq!(
        Format::of(Path::new("b.rar")).map(|_| ()).unwrap_err().to_string(),
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
            let error = pack(&tree, &objects, format, &mut Cursor::new(Vec::new())).unwrap_err();
            assert!(matches!(error, ArchiveError::Size { got: 5, .. }), "{error}");
        }
    }
}

#[test]
fn an_archive_appears_only_when_it_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bundle.zip");
    let (tree, mut objects) = bundle(100);
    let format = Format::of(&file).unwrap();
    pack_file(&tree, &objects, format, &file).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), packed(".zip", 100));
    std::fs::remove_file(&file).unwrap();
    objects.bytes.remove(&Sha256::of(b"wheel"));
    let error = pack_file(&tree, &objects, format, &file).unwrap_err().to_string();
    assert!(error.starts_with("`wheels/demo-1.0-py3-none-any.whl` cannot be read from the store (sha256:"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// More entries than a zip's first form can count.
#[test]
fn zip64_counts_beyond_65_535() {
    let mut tree = Tree::new();
    for number in 0..=65_536 {
        tree.insert(path(&number.to_string()), Content::Page(Vec::new()));
    }
    let mut output = Cursor::new(Vec::new());
    pack(&tree, &Memory::default(), &FORMATS[0], &mut output).unwrap();
    assert_eq!(::zip::ZipArchive::new(output).unwrap().len(), 65_537);
}
