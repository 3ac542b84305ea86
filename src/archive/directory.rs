//! Writes a tree into a folder: its files get their names together, and files that are correct
//! already stay.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::Path;

use crate::domain::{Content, Fingerprint, Object, PipCacheEntry, RelPath, Tree};

use super::ArchiveError;
use super::objects::{self, ObjectSource, check_size};
use super::pip_cache_entry::write_pip_cache_entry;
use super::staging::{StagedFiles, failed, is_same, regular};

/// How files in the folder may share their bytes with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkMode {
    /// Hard links if the file system supports them; for consumers that only read.
    Hardlink,
    /// Copies, which the file system may clone (`copy_file_range` on btrfs and XFS); for consumers
    /// that may write to the files.
    Copy,
}

/// How many files of a folder were written, and how many were there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteSummary {
    /// The number of files that were new or replaced.
    pub changed: usize,
    /// The number of files that were correct already.
    pub kept: usize,
}

/// Writes `tree` into `folder`, which is created if necessary; other files in it stay.
///
/// If that fails, as on a full disk, none of the new files gets its name.
///
/// Pages are written last, for they refer to objects: an index that lists a file, or the content
/// type that makes an old pip read a cache entry, must not appear before the file.
///
/// # Errors
/// When a file cannot be read or written; the error names it.
pub fn write_directory(
    tree: &Tree,
    objects: &dyn ObjectSource,
    folder: &Path,
    link_mode: LinkMode,
) -> Result<WriteSummary, ArchiveError> {
    let staged = StagedFiles::new(folder);
    let mut writer = FolderWriter { objects, link_mode, staged, written: WriteSummary::default() };
    let (pages, bodies): (Vec<_>, Vec<_>) =
        tree.iter().partition(|(_, content)| matches!(content, Content::Generated(_)));
    for (path, content) in bodies.into_iter().chain(pages) {
        writer.put(path, content, &folder.join(path.as_str()))?;
    }
    writer.staged.commit()?;
    Ok(writer.written)
}

struct FolderWriter<'a> {
    objects: &'a dyn ObjectSource,
    link_mode: LinkMode,
    staged: StagedFiles<'a>,
    written: WriteSummary,
}

impl FolderWriter<'_> {
    fn put(&mut self, path: &RelPath, content: &Content, file: &Path) -> Result<(), ArchiveError> {
        let is_kept = match content {
            Content::Generated(bytes) => self.put_page(bytes, file).map_err(|source| failed(file, source))?,
            Content::Object { sha256, size } => self.put_object(path, Object { sha256: *sha256, size: *size }, file)?,
            Content::PipCacheEntry(pip_entry) => self.put_pip_cache_entry(path, pip_entry, file)?,
        };
        *(if is_kept { &mut self.written.kept } else { &mut self.written.changed }) += 1;
        Ok(())
    }

    /// Writes a page; returns whether the same page was there already.
    fn put_page(&mut self, bytes: &[u8], file: &Path) -> io::Result<bool> {
        let same_size = regular(file).is_some_and(|found| found.len() == bytes.len() as u64);
        if same_size && fs::read(file)? == bytes {
            return Ok(true);
        }
        self.staged.create(file)?.write_all(bytes)?;
        Ok(false)
    }

    fn put_object(&mut self, path: &RelPath, object: Object, file: &Path) -> Result<bool, ArchiveError> {
        match self.objects.path(object.sha256) {
            Some(stored) => self.put_file(path, object, &stored, file),
            None => self.put_stream(path, object, file),
        }
    }

    /// Links or copies the store's file `stored`; returns whether it was there already.
    fn put_file(&mut self, path: &RelPath, object: Object, stored: &Path, file: &Path) -> Result<bool, ArchiveError> {
        let unreadable = |source| ArchiveError::Object { path: path.clone(), sha256: object.sha256, source };
        let original = fs::metadata(stored).map_err(unreadable)?;
        check_size(path, object, original.len())?;
        if regular(file).is_some_and(|found| is_same(&found, &original)) {
            return Ok(true);
        }
        if self.link_mode == LinkMode::Hardlink && self.staged.link(stored, &original, file).is_ok() {
            return Ok(false);
        }
        let mut source = File::open(stored).map_err(unreadable)?;
        self.copy(&mut source, &original, file).map_err(|source| failed(file, source))?;
        Ok(false)
    }

    /// Copies a file with the original's modification time, by which the next run recognizes the
    /// copy.
    fn copy(&mut self, source: &mut File, original: &Metadata, file: &Path) -> io::Result<()> {
        let mut copy = self.staged.create(file)?;
        io::copy(source, &mut copy)?;
        copy.set_modified(original.modified()?)
    }

    /// Writes an object of which the source has no file; returns whether it was there already,
    /// which only its digest can tell.
    fn put_stream(&mut self, path: &RelPath, object: Object, file: &Path) -> Result<bool, ArchiveError> {
        let fail = |source| failed(file, source);
        if regular(file).is_some_and(|found| found.len() == object.size) {
            let found = File::open(file).and_then(|mut file| Fingerprint::read(&mut file, &[])).map_err(fail)?;
            if found.sha256 == object.sha256 {
                return Ok(true);
            }
        }
        let mut copy = self.staged.create(file).map_err(fail)?;
        objects::copy_object(path, object, self.objects, &mut copy)?;
        Ok(false)
    }

    /// Writes an entry of pip's cache; returns whether it was there already.
    ///
    /// Like a copy it gets the object's modification time, by which the next run recognizes it.
    fn put_pip_cache_entry(
        &mut self,
        path: &RelPath,
        pip_entry: &PipCacheEntry,
        file: &Path,
    ) -> Result<bool, ArchiveError> {
        let fail = |source| failed(file, source);
        let stored = self.objects.path(pip_entry.object.sha256);
        let time = stored.and_then(|stored| fs::metadata(stored).ok()?.modified().ok());
        let is_same = |found: Metadata| found.len() == pip_entry.size() && found.modified().ok() == time;
        if time.is_some() && regular(file).is_some_and(is_same) {
            return Ok(true);
        }
        let mut copy = self.staged.create(file).map_err(fail)?;
        write_pip_cache_entry(path, pip_entry, self.objects, &mut copy)?;
        time.map_or(Ok(()), |time| copy.set_modified(time)).map_err(fail)?;
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::io::Read;
    use std::path::PathBuf;
    use std::time::SystemTime;

    use tempfile::TempDir;

    use super::super::tests::{Memory, path};
    use super::*;
    use crate::domain::Sha256;

    /// A store of files, and a folder to write into.
    struct World {
        root: TempDir,
        stored: HashMap<Sha256, PathBuf>,
        tree: Tree,
    }

    impl ObjectSource for World {
        fn open(&self, sha256: Sha256) -> io::Result<Box<dyn Read + '_>> {
            Ok(Box::new(File::open(&self.stored[&sha256])?))
        }

        fn path(&self, sha256: Sha256) -> Option<PathBuf> {
            self.stored.get(&sha256).cloned()
        }
    }

    impl World {
        fn new() -> Self {
            Self { root: tempfile::tempdir().unwrap(), stored: HashMap::new(), tree: Tree::new() }
        }

        fn object(mut self, name: &str, bytes: &[u8]) -> Self {
            let sha256 = Sha256::of(bytes);
            let stored = self.root.path().join(sha256.to_string());
            fs::write(&stored, bytes).unwrap();
            let mut permissions = fs::metadata(&stored).unwrap().permissions();
            permissions.set_readonly(true);
            fs::set_permissions(&stored, permissions).unwrap();
            self.stored.insert(sha256, stored);
            self.tree.insert(path(name), Content::Object { sha256, size: bytes.len() as u64 });
            self
        }

        fn page(mut self, name: &str, bytes: &[u8]) -> Self {
            self.tree.insert(path(name), Content::Generated(bytes.to_vec()));
            self
        }

        fn file(&self, name: &str) -> PathBuf {
            self.root.path().join("dest").join(name)
        }

        fn write(&self, link_mode: LinkMode) -> (usize, usize) {
            let written = write_directory(&self.tree, self, &self.file(""), link_mode).unwrap();
            (written.changed, written.kept)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.file("")).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    #[test]
    fn what_is_right_stays_and_what_is_not_is_replaced() {
        for link_mode in [LinkMode::Hardlink, LinkMode::Copy] {
            let world = World::new().object("a.whl", b"wheel").object("sub/b.whl", b"other").page("p.html", b"page");
            assert_eq!(world.write(link_mode), (3, 0));
            assert_eq!(world.write(link_mode), (0, 3));
            fs::remove_file(world.file("a.whl")).unwrap();
            fs::write(world.file("a.whl"), b"whool").unwrap();
            File::open(world.file("a.whl")).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
            fs::write(world.file("p.html"), b"p4ge").unwrap();
            fs::write(world.file("foreign.txt"), b"mine").unwrap();
            assert_eq!(world.write(link_mode), (2, 1));
            assert_eq!(fs::read(world.file("a.whl")).unwrap(), b"wheel");
            assert_eq!(fs::read(world.file("p.html")).unwrap(), b"page");
            assert_eq!(world.names(), ["a.whl", "foreign.txt", "p.html", "sub"]);
        }
    }

    /// An old pip truncates an existing file (`docs/facts/legacy-pip.md` 2).
    #[test]
    fn a_consumer_that_writes_cannot_reach_the_store() {
        let world = World::new().object("a.whl", b"wheel");
        world.write(LinkMode::Copy);
        fs::write(world.file("a.whl"), b"").unwrap();
        assert_eq!(fs::read(&world.stored[&Sha256::of(b"wheel")]).unwrap(), b"wheel");
        assert_eq!(world.write(LinkMode::Copy), (1, 0));
    }

    #[cfg(unix)]
    #[test]
    fn a_consumer_that_only_reads_gets_hard_links() {
        use std::os::unix::fs::MetadataExt as _;
        let world = World::new().object("a.whl", b"wheel");
        world.write(LinkMode::Hardlink);
        let inode = |file: &Path| fs::metadata(file).unwrap().ino();
        assert_eq!(inode(&world.file("a.whl")), inode(&world.stored[&Sha256::of(b"wheel")]));
    }

    /// As when the disk fills half-way: the second file is not to be read, and a link cannot be made.
    #[test]
    fn a_write_that_fails_leaves_what_was_there() {
        for link_mode in [LinkMode::Hardlink, LinkMode::Copy] {
            let world = World::new().object("a.whl", b"wheel");
            world.write(link_mode);
            let world = World { stored: HashMap::new(), ..world }.object("a.whl", b"newer").object("b.whl", b"second");
            let world = world.object("c.whl", b"third").page("index.html", b"page");
            fs::remove_file(&world.stored[&Sha256::of(b"third")]).unwrap();
            assert!(write_directory(&world.tree, &world, &world.file(""), link_mode).is_err());
            assert_eq!(world.names(), ["a.whl"], "{link_mode:?}");
            assert_eq!(fs::read(world.file("a.whl")).unwrap(), b"wheel");
        }
    }

    #[test]
    fn an_object_without_a_file_is_known_by_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let mut objects = Memory::default();
        let mut tree = Tree::new();
        tree.insert(path("a.whl"), objects.add(b"wheel"));
        let write = || write_directory(&tree, &objects, folder.path(), LinkMode::Hardlink).unwrap();
        assert_eq!(write(), WriteSummary { changed: 1, kept: 0 });
        assert_eq!(write(), WriteSummary { changed: 0, kept: 1 });
        fs::write(folder.path().join("a.whl"), b"whool").unwrap();
        assert_eq!(write(), WriteSummary { changed: 1, kept: 0 });
        assert_eq!(fs::read(folder.path().join("a.whl")).unwrap(), b"wheel");
    }

    #[test]
    fn errors_name_the_file() {
        let world = World::new().object("sub/a.whl", b"wheel");
        fs::create_dir_all(world.file("")).unwrap();
        fs::write(world.file("sub"), b"in the way").unwrap();
        let error = write_directory(&world.tree, &world, &world.file(""), LinkMode::Hardlink).unwrap_err();
        assert!(matches!(error, ArchiveError::Write { path, .. } if path == world.file("sub/a.whl")));
        let world = World::new().object("a.whl", b"wheel").page("a.whl.content-type", b"");
        let mut tree = world.tree.clone();
        tree.insert(path("a.whl"), Content::Object { sha256: Sha256::of(b"wheel"), size: 7 });
        let error = write_directory(&tree, &world, &world.file(""), LinkMode::Hardlink).unwrap_err().to_string();
        assert!(error.starts_with("`a.whl` should have 7 bytes, and has 5 or more where it is kept"), "{error}");
        assert!(!world.file("a.whl.content-type").exists());
    }
}
