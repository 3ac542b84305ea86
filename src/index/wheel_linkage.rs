//! Reads what the shared libraries in a wheel are linked to, as `auditwheel show` does.

use std::collections::BTreeSet;
use std::io::{Read, Seek};

use goblin::elf::Elf;
use zip::ZipArchive;

use super::wheel_metadata::WheelError;
use crate::domain::{Linkage, SystemVersion};

/// The libraries that every manylinux platform has (PEP 513, 571, 599, 600, as `auditwheel` 6.4
/// knows them) and the C libraries of musl (PEP 656).
const MANYLINUX_LIBRARIES: [&str; 24] = [
    "libatomic.so.1",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "libm.so.6",
    "libanl.so.1",
    "libdl.so.2",
    "librt.so.1",
    "libc.so.6",
    "libnsl.so.1",
    "libutil.so.1",
    "libpthread.so.0",
    "libX11.so.6",
    "libXext.so.6",
    "libXrender.so.1",
    "libICE.so.6",
    "libSM.so.6",
    "libGL.so.1",
    "libgobject-2.0.so.0",
    "libgthread-2.0.so.0",
    "libglib-2.0.so.0",
    "libresolv.so.2",
    "libexpat.so.1",
    "libz.so.1",
    "libc.so",
];

/// The beginnings of the names of dynamic linkers and of musl, which differ by architecture.
const MANYLINUX_PREFIXES: [&str; 3] = ["ld-linux", "ld64.so", "libc.musl-"];

/// The size in bytes up to which a library is read.
const LARGEST: u64 = 512 << 20;

/// Reads the linkage of all shared libraries in a wheel; a member that is no ELF file counts as
/// none.
///
/// # Errors
/// When the wheel cannot be read.
pub fn read(wheel: impl Read + Seek) -> Result<Linkage, WheelError> {
    let mut archive = ZipArchive::new(wheel)?;
    let (mut linkage, mut own, mut needed) = (Linkage::default(), BTreeSet::new(), BTreeSet::new());
    for position in 0..archive.len() {
        let member = archive.by_index(position)?;
        let path = member.name()?.to_string();
        let filename = path.rsplit('/').next().unwrap_or_default();
        if !filename.contains(".so") {
            continue;
        }
        own.insert(filename.to_owned());
        let mut bytes = Vec::new();
        let read = member.take(LARGEST).read_to_end(&mut bytes);
        read.map_err(|source| WheelError::Metadata { path: path.clone(), source })?;
        if let Ok(elf) = Elf::parse(&bytes) {
            needed.extend(elf.libraries.iter().map(|library| (*library).to_owned()));
            linkage.glibc = linkage.glibc.max(glibc(&elf));
        }
    }
    linkage.has_cpp = needed.contains("libstdc++.so.6");
    linkage.libraries =
        needed.into_iter().filter(|library| !own.contains(library) && !is_of_manylinux(library)).collect();
    Ok(linkage)
}

fn is_of_manylinux(library: &str) -> bool {
    MANYLINUX_LIBRARIES.contains(&library) || MANYLINUX_PREFIXES.iter().any(|start| library.starts_with(start))
}

/// Returns the newest symbol version of glibc that the library wants.
fn glibc(elf: &Elf<'_>) -> Option<SystemVersion> {
    let needs = elf.verneed.iter().flat_map(|section| section.iter());
    let names = needs.flat_map(|need| need.iter().map(|version| version.vna_name).collect::<Vec<_>>());
    names.filter_map(|name| release(elf.dynstrtab.get_at(name)?)).max()
}

/// Parses `GLIBC_2.17` and `GLIBC_2.2.5`; other versions, such as `GLIBC_PRIVATE`, are none.
fn release(version: &str) -> Option<SystemVersion> {
    let mut numbers = version.strip_prefix("GLIBC_")?.split('.').map(str::parse);
    Some(SystemVersion(numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::index::test_zip::zip;

    #[test]
    fn versions_of_glibc_are_compared_as_numbers() {
        assert_eq!(release("GLIBC_2.2.5"), Some(SystemVersion(2, 2)));
        assert!(release("GLIBC_2.17") > release("GLIBC_2.4"));
        assert_eq!(["GLIBC_PRIVATE", "GLIBCXX_3.4", "GCC_3.0"].map(release), [None; 3]);
    }

    #[test]
    fn a_library_without_code_wants_nothing() {
        let read = |members: &[(&str, &[u8])]| read(Cursor::new(zip(members))).unwrap();
        assert_eq!(read(&[("a.py", b""), ("a.so", b"no ELF"), ("b.so", b"\x7fELF\x02\x01")]), Linkage::default());
    }

    /// The test's own binary, which the Rust toolchain links to glibc.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn the_linkage_of_a_real_library_is_read() {
        let own = std::fs::read("/proc/self/exe").unwrap();
        let linkage = read(Cursor::new(zip(&[("demo/_demo.so", &own)]))).unwrap();
        assert!(linkage.glibc >= Some(SystemVersion(2, 17)) && linkage.libraries.is_empty(), "{linkage:?}");
        assert!(!linkage.has_cpp);
    }
}
