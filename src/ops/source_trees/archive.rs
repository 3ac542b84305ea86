//! Packs a project's files into a source archive (PEP 625) whose bytes depend on the files alone.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, EntryType, Header};

use super::files::linked_folder;

/// The date of every file, 1980-01-01 UTC, the first that a zip can state, since some builds make
/// zips of what they unpack.
const DATE: u64 = 315_532_800;

/// Why a file cannot be packed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PackError {
    #[error("{} leads out of the project, and nothing there is packed", .0.display())]
    Link(PathBuf),
    #[error("{} is neither a file nor a link", .0.display())]
    Special(PathBuf),
    #[error("{} cannot be packed: {}", .0.display(), .1)]
    File(PathBuf, io::Error),
}

/// Returns a function that makes the error for the file at `path`.
fn failed(path: &Path) -> impl FnOnce(io::Error) -> PackError + use<> {
    let path = path.to_owned();
    move |why| PackError::File(path, why)
}

/// Packs the files at `paths` below `root` into the folder `top` of a `.tar.gz`, after `pkg_info`
/// if there is one.
///
/// # Errors
/// When a file cannot be read or written, or is a link that leads out of `root`.
pub(super) fn pack(
    root: &Path,
    paths: &[PathBuf],
    (top, pkg_info): (&str, Option<&str>),
    output: impl Write,
) -> Result<(), PackError> {
    let mut builder = Builder::new(GzEncoder::new(BufWriter::new(output), Compression::default()));
    if let Some(text) = pkg_info {
        let path = Path::new("PKG-INFO");
        let mut header = header(EntryType::Regular, 0o644, text.len() as u64);
        builder.append_data(&mut header, Path::new(top).join(path), text.as_bytes()).map_err(failed(path))?;
    }
    let is_replaced = |path: &PathBuf| pkg_info.is_some() && path == Path::new("PKG-INFO");
    for path in paths.iter().filter(|path| !is_replaced(path)) {
        append(&mut builder, root, path, top)?;
    }
    finish(builder).map_err(failed(root))
}

/// Packs the source distribution `made` anew into the folder `top` of a `.tar.gz`, sorted, and without what
/// reveals when and by whom it was made; `unpacked` is an empty file for its content.
///
/// # Errors
/// When it is no `.tar.gz` of files and links that stay in one folder.
pub(super) fn repack(made: File, top: &str, mut unpacked: &File, output: impl Write) -> Result<(), PackError> {
    let whole = Path::new("its source distribution");
    io::copy(&mut GzDecoder::new(BufReader::new(made)), &mut unpacked).map_err(failed(whole))?;
    let members = made_members(unpacked).map_err(failed(whole))?;
    let mut builder = Builder::new(GzEncoder::new(BufWriter::new(output), Compression::default()));
    for (path, member) in members {
        let inside = Path::new(top).join(&path);
        match member {
            MadeMember::File { start, size, is_executable } => {
                let mut header = header(EntryType::Regular, if is_executable { 0o755 } else { 0o644 }, size);
                unpacked.seek(SeekFrom::Start(start)).map_err(failed(&path))?;
                builder.append_data(&mut header, inside, unpacked.take(size)).map_err(failed(&path))?;
            }
            MadeMember::Link(target) if stays_inside(&path, &target) => {
                let mut header = header(EntryType::Symlink, 0o777, 0);
                builder.append_link(&mut header, inside, target).map_err(failed(&path))?;
            }
            MadeMember::Link(_) => return Err(PackError::Link(path)),
            MadeMember::Special => return Err(PackError::Special(path)),
        }
    }
    finish(builder).map_err(failed(whole))
}

/// A member of a source distribution.
enum MadeMember {
    File { start: u64, size: u64, is_executable: bool },
    Link(PathBuf),
    Special,
}

/// Returns the members of a tar by their paths below its top folder, without folders.
fn made_members(mut tar: &File) -> io::Result<BTreeMap<PathBuf, MadeMember>> {
    tar.rewind()?;
    let mut members = BTreeMap::new();
    for entry in Archive::new(tar).entries()? {
        let entry = entry?;
        let path: PathBuf = entry.path()?.components().skip(1).collect();
        let member = match entry.header().entry_type() {
            EntryType::Directory => continue,
            EntryType::Regular | EntryType::Continuous => MadeMember::File {
                start: entry.raw_file_position(),
                size: entry.size(),
                is_executable: entry.header().mode()? & 0o100 != 0,
            },
            EntryType::Symlink => MadeMember::Link(entry.link_name()?.unwrap_or_default().into_owned()),
            _ => MadeMember::Special,
        };
        members.insert(path, member);
    }
    Ok(members)
}

fn finish<W: Write>(builder: Builder<GzEncoder<BufWriter<W>>>) -> io::Result<()> {
    builder.into_inner().and_then(GzEncoder::finish).and_then(|mut writer| writer.flush())
}

fn append(builder: &mut Builder<impl Write>, root: &Path, path: &Path, top: &str) -> Result<(), PackError> {
    let fail = |why| PackError::File(path.to_owned(), why);
    if let Some(link) = linked_folder(root, path) {
        return Err(PackError::Link(link.to_owned()));
    }
    let (place, inside) = (root.join(path), Path::new(top).join(path));
    let metadata = fs::symlink_metadata(&place).map_err(fail)?;
    if metadata.is_symlink() {
        let target = fs::read_link(&place).map_err(fail)?;
        if !stays_inside(path, &target) {
            return Err(PackError::Link(path.to_owned()));
        }
        let mut header = header(EntryType::Symlink, 0o777, 0);
        return builder.append_link(&mut header, inside, target).map_err(fail);
    }
    if !metadata.is_file() {
        return Err(PackError::Special(path.to_owned()));
    }
    let mode = if is_executable(&metadata) { 0o755 } else { 0o644 };
    let mut header = header(EntryType::Regular, mode, metadata.len());
    builder.append_data(&mut header, inside, File::open(place).map_err(fail)?).map_err(fail)
}

/// Returns a header in which no field reveals a machine, a user or a time.
fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(DATE);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// Whether the link at `path` leads to a place below the folder that `path` is relative to. It may only
/// begin with `..`: further on, that would be relative to what another link leads to.
fn stays_inside(path: &Path, target: &Path) -> bool {
    let depth = path.components().count().saturating_sub(1);
    let is_up = |part: &Component<'_>| *part == Component::ParentDir;
    let steps_up = target.components().take_while(is_up).count();
    let mut rest = target.components().skip(steps_up);
    steps_up <= depth && rest.all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0
}

/// Returns `false`, since Windows has no such permission.
#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(root: &Path, paths: &[&str]) -> Result<Vec<u8>, PackError> {
        let mut bytes = Vec::new();
        let paths: Vec<_> = paths.iter().map(PathBuf::from).collect();
        pack(root, &paths, ("demo-1.0", Some("Name: demo\n")), &mut bytes).map(|()| bytes)
    }

    #[test]
    fn the_same_files_are_the_same_bytes_whatever_their_times() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.py"), "x = 1\n").unwrap();
        let first = packed(folder.path(), &["a.py"]).unwrap();
        File::options()
            .write(true)
            .open(folder.path().join("a.py"))
            .unwrap()
            .set_modified(std::time::UNIX_EPOCH)
            .unwrap();
        assert_eq!(packed(folder.path(), &["a.py"]).unwrap(), first);
        let mut archive = Archive::new(GzDecoder::new(first.as_slice()));
        let paths = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().into_owned());
        assert_eq!(paths.collect::<Vec<_>>(), [PathBuf::from("demo-1.0/PKG-INFO"), "demo-1.0/a.py".into()]);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_out_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deep")).unwrap();
        for (name, target, is_inside) in [
            ("deep/a", "../x", true),
            ("b", "deep/c", true),
            ("f", "deep/../c", false),
            ("deep/c", "../../x", false),
            ("d", "/etc/passwd", false),
            ("e", "deep/../../x", false),
        ] {
            std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
            assert_eq!(packed(folder.path(), &[name]).is_ok(), is_inside, "{name} → {target}");
        }
        fs::write(folder.path().join("deep/file"), "").unwrap();
        std::os::unix::fs::symlink("deep", folder.path().join("linked")).unwrap();
        assert!(
            matches!(packed(folder.path(), &["linked/file"]), Err(PackError::Link(link)) if link == Path::new("linked"))
        );
    }
}
