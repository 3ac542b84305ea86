//! Folders of the cache that only the current user can write to, since programs obey what is in them.

use std::fs;
use std::io;
use std::path::Path;

use crate::cache_folder::{CacheLayout, remove_anything};

/// Makes sure that `folder` exists and that nobody else could have written to it; what somebody else may
/// have put there is removed.
///
/// # Errors
/// When the folder cannot be made, or is somebody else's and cannot be removed.
pub(super) fn open(folder: &Path, layout: &CacheLayout) -> io::Result<()> {
    if is_private(folder) {
        return Ok(());
    }
    remove_anything(folder)?;
    if let Some(parent) = folder.parent() {
        layout.make_folder(parent)?;
    }
    match make(folder) {
        // Another run of the same user was faster.
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists && is_private(folder) => Ok(()),
        other => other,
    }
}

/// Returns the number of the current user, by which folders of several users are told apart.
#[cfg(unix)]
pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
pub(super) fn user() -> u32 {
    0
}

#[cfg(unix)]
fn is_private(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let is_own = |found: &fs::Metadata| found.uid() == user() && found.mode() & 0o077 == 0;
    fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir() && is_own(&found))
}

#[cfg(unix)]
fn make(folder: &Path) -> io::Result<()> {
    std::os::unix::fs::DirBuilderExt::mode(&mut fs::DirBuilder::new(), 0o700).create(folder)
}

/// Windows inherits the permissions of the user's own profile.
#[cfg(not(unix))]
fn is_private(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir())
}

#[cfg(not(unix))]
fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn what_others_may_have_written_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let layout = CacheLayout::new(root.path().join("cache"));
        let folder = layout.root().join("repositories-v1/a");
        let mode = || fs::symlink_metadata(&folder).unwrap().permissions().mode() & 0o777;
        open(&folder, &layout).unwrap();
        fs::write(folder.join("mine"), "").unwrap();
        open(&folder, &layout).unwrap();
        assert!(folder.join("mine").exists() && mode() == 0o700);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o775)).unwrap();
        open(&folder, &layout).unwrap();
        assert!(!folder.join("mine").exists() && mode() == 0o700);
        fs::remove_dir(&folder).unwrap();
        fs::create_dir(root.path().join("elsewhere")).unwrap();
        fs::write(root.path().join("elsewhere/theirs"), "").unwrap();
        symlink(root.path().join("elsewhere"), &folder).unwrap();
        open(&folder, &layout).unwrap();
        assert!(fs::symlink_metadata(&folder).unwrap().is_dir() && root.path().join("elsewhere/theirs").exists());
    }
}
