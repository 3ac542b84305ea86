//! Stages the new files of a folder, so that they get their names together once all are written.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::ArchiveError;
use super::temporary::{TemporaryFolder, sweep, temporary};

/// The new files of a folder before they get their names.
///
/// They wait in a temporary folder, except hard links, which need no space and are created in place.
/// On drop without a [commit](Self::commit), all of them are removed.
pub struct StagedFiles<'a> {
    folder: &'a Path,
    waiting: Option<TemporaryFolder>,
    /// Where each file waits, and where it goes.
    files: Vec<(PathBuf, PathBuf)>,
    links: Vec<PathBuf>,
    /// The last folder that was made or found.
    last_folder: Option<PathBuf>,
}

impl<'a> StagedFiles<'a> {
    /// Returns an empty set of new files for `folder`.
    pub fn new(folder: &'a Path) -> Self {
        Self { folder, waiting: None, files: Vec::new(), links: Vec::new(), last_folder: None }
    }

    /// Creates a file that will be at `file`, to be written to.
    pub fn create(&mut self, file: &Path) -> io::Result<File> {
        self.make_parent(file)?;
        self.stage(file, |path| File::options().write(true).create_new(true).open(path))
    }

    /// Makes `file` a hard link of `stored`, whose metadata is `original`.
    pub fn link(&mut self, stored: &Path, original: &Metadata, file: &Path) -> io::Result<()> {
        self.make_parent(file)?;
        match fs::hard_link(stored, file) {
            // Another process may have linked it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                match regular(file).is_some_and(|found| is_same(&found, original)) {
                    true => Ok(()),
                    false => self.stage(file, |path| fs::hard_link(stored, path)),
                }
            }
            Err(error) => Err(error),
            Ok(()) => {
                self.links.push(file.to_owned());
                Ok(())
            }
        }
    }

    /// Calls `make` with the path where the file waits that will be at `file`.
    fn stage<T>(&mut self, file: &Path, make: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
        let waiting = match &mut self.waiting {
            Some(waiting) => waiting,
            none => none.insert(TemporaryFolder::new_in(self.folder)?),
        };
        let path = waiting.path().join(self.files.len().to_string());
        let made = make(&path)?;
        self.files.push((path, file.to_owned()));
        Ok(made)
    }

    /// Gives every file its name, in the order of creation.
    pub fn commit(mut self) -> Result<(), ArchiveError> {
        for (waiting, file) in &self.files {
            place(waiting, file).map_err(|source| failed(file, source))?;
        }
        self.links.clear();
        Ok(())
    }

    fn make_parent(&mut self, file: &Path) -> io::Result<()> {
        let parent = parent(file);
        if self.last_folder.is_none() {
            fs::create_dir_all(self.folder)?;
            sweep(self.folder);
        }
        if self.last_folder.as_deref() != Some(parent) {
            refuse_strange_links(self.folder, parent)?;
            fs::create_dir_all(parent)?;
            self.last_folder = Some(parent.to_owned());
        }
        Ok(())
    }
}

/// Refuses a folder that is, or lies in, a link which another user put below `root`.
///
/// Linux does likewise in folders where everybody may write (`protected_symlinks`). The user's own
/// links may lead to another disk; so may those of the administrator.
#[cfg(unix)]
fn refuse_strange_links(root: &Path, folder: &Path) -> io::Result<()> {
    const ADMINISTRATOR: u32 = 0;
    let trusted = [rustix::process::geteuid().as_raw(), ADMINISTRATOR];
    let Some(link) = link_of_others(root, folder, trusted) else { return Ok(()) };
    let message = format!("{} is a link that another user made", link.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

/// Returns a link between `root` and `folder` of which the owner is none of the `trusted` users.
#[cfg(unix)]
fn link_of_others<'a>(root: &Path, folder: &'a Path, trusted: [u32; 2]) -> Option<&'a Path> {
    use std::os::unix::fs::MetadataExt as _;
    let is_of_others = |place: &&Path| {
        fs::symlink_metadata(place).is_ok_and(|found| found.is_symlink() && !trusted.contains(&found.uid()))
    };
    folder.ancestors().take_while(|place| *place != root).find(is_of_others)
}

#[cfg(not(unix))]
fn refuse_strange_links(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

impl Drop for StagedFiles<'_> {
    fn drop(&mut self) {
        // What cannot be removed is whole, and right.
        self.links.iter().for_each(|link| drop(fs::remove_file(link)));
    }
}

/// Moves a file to its place, which may be on another disk by a mount or link.
fn place(waiting: &Path, file: &Path) -> io::Result<()> {
    match fs::rename(waiting, file) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let mut source = File::open(waiting)?;
            let mut copy = temporary(parent(file))?;
            io::copy(&mut source, copy.as_file_mut())?;
            copy.as_file().set_modified(source.metadata()?.modified()?)?;
            copy.persist(file).map(drop).map_err(|error| error.error)
        }
        result => result,
    }
}

/// Returns the metadata of `file` if it is a regular file and no link to one.
pub fn regular(file: &Path) -> Option<Metadata> {
    fs::symlink_metadata(file).ok().filter(Metadata::is_file)
}

/// Whether a file is a hard link to the store's file or an unchanged copy of it, which have the
/// same size and modification time.
pub fn is_same(found: &Metadata, original: &Metadata) -> bool {
    found.len() == original.len() && found.modified().ok() == original.modified().ok()
}

/// Returns the folder that holds `file`, in a form that can be opened.
pub fn parent(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

pub fn failed(file: &Path, source: io::Error) -> ArchiveError {
    ArchiveError::Write { path: file.to_owned(), source }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    #[test]
    fn links_of_other_users_are_not_followed_below_the_folder() {
        let world = tempfile::tempdir().unwrap();
        let root = world.path().join("linked");
        fs::create_dir(world.path().join("real")).unwrap();
        symlink("real", &root).unwrap();
        symlink("..", root.join("demo")).unwrap();
        let own = fs::symlink_metadata(&root).unwrap().uid();
        let (folder, others) = (root.join("demo/new"), [own + 1, own + 2]);
        assert_eq!(link_of_others(&root, &folder, others), Some(&*root.join("demo")));
        assert_eq!(link_of_others(&root, &folder, [own + 1, own]), None);
        assert_eq!(link_of_others(&root, &root.join("new"), others), None);
        let mut staged = StagedFiles::new(&root);
        staged.create(&folder.join("page")).unwrap();
        staged.commit().unwrap();
        assert!(world.path().join("new/page").exists());
    }
}
