//! Reads a folder as if it were an archive.

use std::ffi::OsStr;
use std::fs::{self, FileType};
use std::io;
use std::path::Path;

use super::{ArchiveFault, MemberEntry, MemberLocation, UniqueNames, read_at_most};

/// Returns every file below `folder`, and faults for links and special files.
///
/// # Errors
/// When a folder cannot be listed.
pub fn scan(folder: &Path) -> io::Result<(Vec<MemberEntry>, Vec<ArchiveFault>)> {
    let mut scan = FolderScan { names: UniqueNames::default(), entries: Vec::new(), faults: Vec::new() };
    scan.folder(folder, "")?;
    Ok((scan.entries, scan.faults))
}

/// Returns the bytes of one small file, without following a link.
pub fn page(folder: &Path, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let path = folder.join(name);
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_file() => read_at_most(fs::File::open(path)?, limit).map(Some),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

struct FolderScan {
    names: UniqueNames,
    entries: Vec<MemberEntry>,
    faults: Vec<ArchiveFault>,
}

impl FolderScan {
    fn folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        let mut children = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        children.sort_by_key(fs::DirEntry::file_name);
        for child in children {
            let kind = child.file_type()?;
            let name = child.file_name();
            match name.to_str() {
                None => self.faults.push(ArchiveFault::Encoding(escaped(&name))),
                Some(name) => self.child(&child, kind, &format!("{prefix}{name}"))?,
            }
        }
        Ok(())
    }

    fn child(&mut self, child: &fs::DirEntry, kind: FileType, path: &str) -> io::Result<()> {
        if kind.is_dir() {
            return self.folder(&child.path(), &format!("{path}/"));
        }
        if !kind.is_file() {
            let what = if kind.is_symlink() { "a symbolic link" } else { "a device or pipe" };
            self.faults.push(ArchiveFault::Kind { path: path.to_owned(), what });
            return Ok(());
        }
        match self.names.take(path.as_bytes()) {
            Ok(path) => self.entries.push(MemberEntry {
                path,
                size: child.metadata()?.len(),
                location: MemberLocation::File(child.path()),
            }),
            Err(fault) => self.faults.push(fault),
        }
        Ok(())
    }
}

fn escaped(name: &OsStr) -> String {
    name.as_encoded_bytes().escape_ascii().to_string()
}
