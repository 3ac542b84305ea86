//! The folders of the cache, with the versions of their formats.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A folder of the cache.
///
/// Its name on the disk includes the version of its format, so that no program reads a format that
/// it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CacheBucket {
    /// Every file ever fetched, by its SHA-256.
    Objects,
    /// The SHA-256 of an object, by another digest of it.
    Aliases,
    /// The records of runs: which files each run used, from where and for which targets.
    Runs,
    /// Files that are being written, and partial files of killed runs.
    Incoming,
    /// Index pages, with their validators.
    Pages,
    /// Plans that were made from cached pages, by question.
    Plans,
    /// The metadata of distributions, by the file's SHA-256 and names.
    Metadata,
    /// The metadata that indexes serve for files, by index and file.
    IndexMetadata,
    /// The SHA-256 of local files, while they are unchanged.
    Local,
    /// The metadata that builds of source archives stated, by the building Python.
    Built,
    /// Which objects are wheels that were built here, by all that a build depends on.
    BuiltWheels,
    /// The answers of interpreters, by their identity.
    Interpreters,
    /// Working trees of git repositories, by their URL.
    Repositories,
    /// Source archives that were packed from folders and repositories, by their SHA-256.
    SourceTrees,
}

impl CacheBucket {
    /// Every folder of the cache.
    pub const ALL: [Self; 14] = [
        Self::Objects,
        Self::Aliases,
        Self::Runs,
        Self::Incoming,
        Self::Pages,
        Self::Plans,
        Self::Metadata,
        Self::IndexMetadata,
        Self::Local,
        Self::Built,
        Self::BuiltWheels,
        Self::Interpreters,
        Self::Repositories,
        Self::SourceTrees,
    ];

    /// Returns the folder's name without the version.
    pub fn name(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Aliases => "aliases",
            Self::Runs => "runs",
            Self::Incoming => "incoming",
            Self::Pages => "pages",
            Self::Plans => "plans",
            Self::Metadata => "metadata",
            Self::IndexMetadata => "index-metadata",
            Self::Local => "local",
            Self::Built => "built",
            Self::BuiltWheels => "built-wheels",
            Self::Interpreters => "interpreters",
            Self::Repositories => "repositories",
            Self::SourceTrees => "source-trees",
        }
    }

    /// Returns the version of the folder's format, to be raised with every change of it, and with every
    /// change of how archives are read for those that remember what was read.
    pub fn version(self) -> u32 {
        match self {
            Self::Objects
            | Self::Aliases
            | Self::Runs
            | Self::Incoming
            | Self::Pages
            | Self::Local
            | Self::Interpreters
            | Self::Repositories
            | Self::SourceTrees => 1,
            // 2: the key has the names of the archive, too.
            Self::BuiltWheels => 2,
            // 2 and 3: an entry says where its metadata was read, and the key has the names of the file.
            Self::IndexMetadata | Self::Built => 3,
            // Raised when more of archives was read: what was unknown before may be known now.
            Self::Metadata | Self::Plans => 5,
        }
    }

    /// Returns the folder's name on the disk.
    pub fn folder_name(self) -> String {
        format!("{}-v{}", self.name(), self.version())
    }

    /// Returns the version in a folder's name on the disk, if it is one of this bucket; 0 for
    /// prefetch 0.1.0, whose names had none.
    fn version_of(self, folder: &str) -> Option<u32> {
        let is_first = folder == self.name() || (self == Self::Aliases && folder == "also");
        let later = || folder.strip_prefix(self.name())?.strip_prefix("-v")?.parse().ok();
        if is_first { Some(0) } else { later() }
    }
}

/// The paths of everything in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheLayout {
    root: PathBuf,
    incoming: PathBuf,
}

impl CacheLayout {
    /// Makes the layout below `root`; folders are created when something is first written to them.
    pub fn new(root: PathBuf) -> Self {
        let incoming = root.join(CacheBucket::Incoming.folder_name());
        Self { root, incoming }
    }

    /// Returns the cache folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder of a bucket.
    pub fn folder(&self, bucket: CacheBucket) -> PathBuf {
        match bucket {
            CacheBucket::Incoming => self.incoming.clone(),
            _ => self.root.join(bucket.folder_name()),
        }
    }

    /// Returns the folder for incoming files, which do not have their final names yet.
    pub fn incoming(&self) -> &Path {
        &self.incoming
    }

    /// Whether the folder looks like a cache: it has objects.
    pub fn is_cache(&self) -> bool {
        self.folder(CacheBucket::Objects).is_dir()
    }

    /// Whether every user of the machine may write to the cache folder; not known on Windows.
    pub fn is_open_to_everybody(&self) -> bool {
        #[cfg(unix)]
        return fs::metadata(&self.root).is_ok_and(|found| {
            const OTHERS_MAY_WRITE: u32 = 0o002;
            std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & OTHERS_MAY_WRITE != 0
        });
        #[cfg(not(unix))]
        false
    }

    /// Removes folders in older formats than those of this program.
    ///
    /// Newer ones belong to a newer program that shares the cache.
    ///
    /// # Errors
    /// When the cache cannot be listed or a folder not removed.
    pub fn remove_outdated(&self) -> io::Result<()> {
        self.remove_folders(|bucket, version| version < bucket.version())
    }

    /// Removes every folder of the cache, of any version, and the cache folder itself if it is then
    /// empty.
    ///
    /// # Errors
    /// When the cache cannot be listed or a folder not removed.
    pub fn remove_all(&self) -> io::Result<()> {
        self.remove_folders(|_, _| true)?;
        // A folder that somebody else uses, too, stays.
        let _ = fs::remove_dir(&self.root);
        Ok(())
    }

    fn remove_folders(&self, goes: impl Fn(CacheBucket, u32) -> bool) -> io::Result<()> {
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_gone = |bucket: CacheBucket| bucket.version_of(&name).is_some_and(|version| goes(bucket, version));
            if CacheBucket::ALL.into_iter().any(is_gone) {
                remove_anything(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Creates `folder`, which is in the cache, and removes what prevents that: a file, a pipe or a
    /// dangling link where a folder has to be.
    ///
    /// # Errors
    /// When the folder cannot be created even so.
    pub fn make_folder(&self, folder: &Path) -> io::Result<()> {
        let Err(error) = fs::create_dir_all(folder) else { return Ok(()) };
        let ours = folder.ancestors().take_while(|path| *path != self.root);
        let in_the_way = |path: &&Path| fs::symlink_metadata(path).is_ok() && !path.is_dir();
        match ours.into_iter().find(in_the_way) {
            Some(obstacle) => {
                // Another thread may have removed it; whether there is room now, the making tells.
                let _ = fs::remove_file(obstacle);
                fs::create_dir_all(folder)
            }
            None => Err(error),
        }
    }
}

/// Removes a file, a link or a whole folder; one that is gone already is no error.
///
/// # Errors
/// When it cannot be removed.
pub fn remove_anything(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_folder_that_everybody_may_write_to_is_recognized() {
        let folder = tempfile::tempdir().unwrap();
        let layout = CacheLayout::new(folder.path().to_owned());
        for (mode, expected) in [(0o700, false), (0o775, false), (0o777, true), (0o1777, true)] {
            fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(layout.is_open_to_everybody(), expected, "{mode:o}");
        }
        assert!(!CacheLayout::new(folder.path().join("none")).is_open_to_everybody());
    }

    #[test]
    fn every_folder_has_a_version_and_a_name_of_its_own() {
        let mut names: Vec<_> = CacheBucket::ALL.iter().map(|bucket| bucket.folder_name()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), CacheBucket::ALL.len());
        for bucket in CacheBucket::ALL {
            let own = CacheBucket::ALL.iter().filter(|other| other.version_of(&bucket.folder_name()).is_some());
            assert_eq!(own.collect::<Vec<_>>(), [&bucket]);
        }
    }

    #[test]
    fn outdated_folders_go_and_younger_and_foreign_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let layout = CacheLayout::new(folder.path().to_owned());
        let folders = ["pages-v0", "pages-v1", "pages-v99", "index-metadata-v0", "pages", "also", "pages-vx", "notes"];
        folders.iter().for_each(|name| fs::create_dir(folder.path().join(name)).unwrap());
        fs::write(folder.path().join("plans-v0"), "a file").unwrap();
        let left = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        layout.remove_outdated().unwrap();
        assert_eq!(left(), ["notes", "pages-v1", "pages-v99", "pages-vx"]);
        layout.remove_all().unwrap();
        assert_eq!(left(), ["notes", "pages-vx"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_stands_in_place_of_a_folder_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let layout = CacheLayout::new(folder.path().join("cache"));
        let deep = layout.folder(CacheBucket::Objects).join("ab");
        for obstacle in [deep.clone(), layout.folder(CacheBucket::Objects)] {
            layout.make_folder(&deep).unwrap();
            fs::remove_dir_all(&obstacle).unwrap();
            fs::write(&obstacle, "").unwrap();
            layout.make_folder(&deep).unwrap();
            fs::remove_dir_all(&obstacle).unwrap();
            std::os::unix::fs::symlink("nowhere", &obstacle).unwrap();
            layout.make_folder(&deep).unwrap();
        }
        fs::remove_dir_all(layout.root()).unwrap();
        fs::write(layout.root(), "the user's own").unwrap();
        assert!(layout.make_folder(&deep).is_err());
        assert_eq!(fs::read(layout.root()).unwrap(), b"the user's own");
    }
}
