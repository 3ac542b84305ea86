//! Packs a project's files into a source archive (PEP 625) whose bytes depend on the files alone.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

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
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |why| PackError::File(path, why)
    };
    if let Some(text) = pkg_info {
        let path = Path::new("PKG-INFO");
        let mut header = header(EntryType::Regular, 0o644, text.len() as u64);
        builder.append_data(&mut header, Path::new(top).join(path), text.as_bytes()).map_err(fail(path))?;
    }
    let is_replaced = |path: &PathBuf| pkg_info.is_some() && path == Path::new("PKG-INFO");
    for path in paths.iter().filter(|path| !is_replaced(path)) {
        append(&mut builder, root, path, top)?;
    }
    let written = builder.into_inner().and_then(GzEncoder::finish).and_then(|mut writer| writer.flush());
    written.map_err(fail(root))
}

fn append(builder: &mut Builder<impl Write>, root: &Path, path: &Path, top: &str) -> Result<(), PackError> {
    let fail = |why| PackError::File(path.to_owned(), why);
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
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(first.as_slice()));
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
    }
}
