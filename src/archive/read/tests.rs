//! Tests with archives from others: every fault is reported, and the rest is still read.

use std::collections::BTreeMap;
use std::io::{Cursor, SeekFrom, Write};

use ::tar::{Builder, EntryType, Header};

use super::super::ArchiveFormat;
use super::super::tests::{Memory, archived, path};
use super::*;
use crate::domain::{Content, Tree};

/// Returns the files as far as they can be read, and the messages of the faults.
fn read(name: &str, bytes: &[u8]) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join(name);
    fs::write(&archive, bytes).unwrap();
    let files = parking_lot::Mutex::new(BTreeMap::new());
    let reader = ArchiveReader::open(&archive).unwrap();
    let faults = reader.visit(1 << 20, 2, &|mut found| {
        let mut bytes = Vec::new();
        found.bytes.read_to_end(&mut bytes).unwrap();
        files.lock().insert(found.path.to_string(), bytes);
    });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "reading writes nothing");
    (files.into_inner(), faults.unwrap().iter().map(ToString::to_string).collect())
}

const FILES: [(&str, &[u8]); 4] =
    [("prefetch.json", b"{}"), ("README.txt", b"Read me"), ("wheels/a.whl", &[7; 600]), ("wheels/é.whl", b"")];

fn packed(name: &str) -> Vec<u8> {
    let mut tree = Tree::new();
    for (name, bytes) in FILES {
        tree.insert(path(name), Content::Generated(bytes.to_vec()));
    }
    archived(&tree, &Memory::default(), ArchiveFormat::of(Path::new(name)).unwrap()).unwrap()
}

const NAMES: [&str; 4] = ["b.zip", "b.tar", "b.tar.gz", "b.tar.zst"];

#[test]
fn what_we_write_is_read_without_a_fault() {
    for name in NAMES {
        let (files, faults) = read(name, &packed(name));
        assert!(faults.is_empty(), "{name}: {faults:?}");
        assert!(
            files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).eq(BTreeMap::from(FILES)),
            "{name}"
        );
    }
}

/// Whether the archive's files differ from what was packed, or a fault is reported.
fn is_told(archive: &Path) -> bool {
    let Ok(reader) = ArchiveReader::open(archive) else { return true };
    let whole = AtomicUsize::new(0);
    let faults = reader.visit(1 << 20, 1, &|mut found| {
        let mut bytes = Vec::new();
        let is_read = found.bytes.read_to_end(&mut bytes).is_ok();
        let is_same = FILES.iter().any(|(name, packed)| *name == found.path.as_str() && *packed == bytes);
        whole.fetch_add(usize::from(is_read && is_same), Ordering::Relaxed);
    });
    faults.is_ok_and(|faults| !faults.is_empty()) || whole.into_inner() != FILES.len()
}

/// Every bit has a meaning, also those of times, operating systems, reserved fields and padding.
/// The file is changed in place, since file systems take their time to replace one.
#[test]
fn every_bit_and_every_length_counts() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let (archive, whole) = (folder.path().join(name), packed(name));
        fs::write(&archive, &whole).unwrap();
        assert!(!is_told(&archive), "{name}");
        let mut file = fs::File::options().write(true).open(&archive).unwrap();
        let mut put = |at: usize, byte: u8| {
            file.seek(SeekFrom::Start(at as u64)).unwrap();
            file.write_all(&[byte]).unwrap();
        };
        let mut untold = Vec::new();
        let step = 29;
        for bit in (0..whole.len() * 8).step_by(step) {
            let (at, mask) = (bit / 8, 1 << (bit % 8));
            put(at, whole[at] ^ mask);
            if !is_told(&archive) {
                untold.push((at, mask));
            }
            put(at, whole[at]);
        }
        assert_eq!(untold, Vec::<(usize, u8)>::new(), "{name} of {} bytes", whole.len());
        put(whole.len(), 0);
        assert!(is_told(&archive), "{name}");
        for length in (0..whole.len()).rev().step_by(step) {
            file.set_len(length as u64).unwrap();
            assert!(is_told(&archive), "{name} cut to {length}");
        }
    }
}

#[test]
fn one_page_is_found_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let archive = folder.path().join(name);
        fs::write(&archive, packed(name)).unwrap();
        let reader = ArchiveReader::open(&archive).unwrap();
        assert_eq!(reader.page("README.txt", 7).unwrap().unwrap(), b"Read me", "{name}");
        assert_eq!(reader.page("absent", 7).unwrap(), None, "{name}");
        assert!(reader.page("wheels/a.whl", 599).is_err(), "{name}");
    }
}

#[test]
fn volumes_read_as_one_archive() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        for (number, chunk) in packed(name).chunks(500).enumerate() {
            fs::write(folder.path().join(format!("{name}.{:03}", number + 1)), chunk).unwrap();
        }
        let reader = ArchiveReader::open(&folder.path().join(format!("{name}.001"))).unwrap();
        let count = AtomicUsize::new(0);
        let faults = reader.visit(1 << 20, 1, &|_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!((faults.unwrap(), count.into_inner()), (Vec::new(), 4), "{name}");
    }
}

/// Returns a tar with one entry of this kind, beside a regular file.
fn tar_with(kind: EntryType, name: &[u8], size: u64) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_link_name("/etc/hostname").unwrap();
    header.set_cksum();
    archive.append(&header, &vec![7; size as usize][..]).unwrap();
    let mut header = Header::new_ustar();
    header.set_size(2);
    header.set_cksum();
    archive.append_data(&mut header, "ok", &b"ok"[..]).unwrap();
    archive.into_inner().unwrap()
}

#[test]
fn what_a_tar_must_not_hold_is_told_and_passed_over() {
    for (kind, name, expected) in [
        (EntryType::Symlink, &b"a"[..], "`a` is a symbolic link"),
        (EntryType::Link, b"a", "`a` is a hard link"),
        (EntryType::Char, b"a", "`a` is a device"),
        (EntryType::Fifo, b"a", "`a` is a device or pipe"),
        (EntryType::GNUSparse, b"a", "`a` is something special"),
        (EntryType::Regular, b"../a", "`../a` cannot be a file name here: it has a `.` or `..` part"),
        (EntryType::Regular, b"/etc/a", "it is absolute"),
        (EntryType::Regular, b"a/../../b", "it has a `.` or `..` part"),
        (EntryType::Regular, b"C:a", "Windows forbids"),
        (EntryType::Regular, b"NUL", "Windows device"),
        (EntryType::Regular, b"OK", "`OK` and `ok` are one name"),
        (EntryType::Regular, b"ok", "`ok` is there twice"),
        (EntryType::Regular, b"\xff\xfe", "the name `\\xff\\xfe` is not UTF-8"),
        (EntryType::Directory, b"folder/", "the archive is not byte for byte as prefetch writes it at `folder/`"),
    ] {
        let size = if kind == EntryType::Regular { 700 } else { 0 };
        let (files, faults) = read("b.tar", &tar_with(kind, name, size));
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected}: {faults:?}");
        if !expected.contains("ok") {
            assert_eq!(files.keys().collect::<Vec<_>>(), ["ok"], "{expected}");
        }
    }
}

/// Each is unpacked by some program to other files than by another.
#[test]
fn a_tar_that_says_two_things_is_told() {
    let extended = |kind: EntryType, records: &[&[u8]], change: fn(&mut Header)| {
        let mut archive = Builder::new(Vec::new());
        for text in records {
            let mut header = Header::new_ustar();
            header.set_entry_type(kind);
            header.set_size(text.len() as u64);
            header.set_cksum();
            archive.append(&header, *text).unwrap();
        }
        let mut header = Header::new_gnu();
        header.set_path("a").unwrap();
        header.set_size(1);
        change(&mut header);
        header.set_cksum();
        archive.append(&header, &b"1"[..]).unwrap();
        archive.into_inner().unwrap()
    };
    let unchanged: fn(&mut Header) = |_| ();
    let prefixed: fn(&mut Header) = |header| header.as_mut_bytes()[345] = b'b';
    for (kind, records, change, expected) in [
        (EntryType::XHeader, &[&b"21 GNU.sparse.name=b\n"[..]][..], unchanged, "a sparse file for some"),
        (EntryType::XHeader, &[b"10 path=a\n", b"10 path=b\n"], unchanged, "it has a second name"),
        (EntryType::XHeader, &[b"10 size=2\n"], unchanged, "it has a second size"),
        (EntryType::XHeader, &[b"99 path=b\n"], unchanged, "a header of it cannot be read"),
        (EntryType::XGlobalHeader, &[b"10 path=b\n"], unchanged, "a header for all files names one"),
        (EntryType::XHeader, &[], prefixed, "it has a second name"),
    ] {
        let faults = read("b.tar", &extended(kind, records, change)).1.join("; ");
        assert!(faults.contains(expected), "{expected}: {faults}");
    }
    let harmless = extended(EntryType::XHeader, &[b"12 mtime=10\n", b"10 path=a\n"], unchanged);
    assert_eq!(read("b.tar", &harmless).1.len(), 1, "that another tool packed it");
}

#[test]
fn what_a_zip_must_not_hold_is_told_and_passed_over() {
    let clean = packed("b.zip");
    let patched = |from: &[u8], to: &[u8]| {
        let mut bytes = clean.clone();
        while let Some(at) = bytes.windows(from.len()).position(|window| window == from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
        read("b.zip", &bytes).1.join("; ")
    };
    for (from, to, expected) in [
        (&b"README.txt"[..], &b"../DME.txt"[..], "`../DME.txt` cannot be a file name here"),
        (b"README.txt", b"/EADME.txt", "it is absolute"),
        (b"README.txt", b"\xff\xffADME.txt", "is not UTF-8"),
        (b"README.txt", b"wheels\\txt", "Windows forbids"),
        (b"wheels/a.whl", b"README.txt\0\0", "control character"),
        (b"\xa4\x81", b"\xff\xa1", "`prefetch.json` is a symbolic link"),
        (b"\x00\x00\x00\x00\x21\x00", b"\x01\x00\x00\x00\x21\x00", "not byte for byte"),
    ] {
        let faults = patched(from, to);
        assert!(faults.contains(expected), "{expected}: {faults}");
    }
}

/// A wheel is a zip itself, whose directory must not be taken for that of the archive.
#[test]
fn a_zip_that_was_cut_is_told_as_that() {
    let mut tree = Tree::new();
    tree.insert(path("prefetch.json"), Content::Generated(b"{}".to_vec()));
    tree.insert(path("wheels/a.whl"), Content::Generated(packed("b.zip")));
    let whole = archived(&tree, &Memory::default(), ArchiveFormat::of(Path::new("b.zip")).unwrap()).unwrap();
    for less in [1, 10, 22, 100] {
        let (files, faults) = read("b.zip", &whole[..whole.len() - less]);
        assert_eq!((files.len(), faults), (0, vec!["the archive ends too early: copy it again".to_owned()]), "{less}");
    }
    let faults = read("b.zip", &[&whole[..], b"more"].concat()).1;
    assert!(faults[0].contains("something follows the end"), "{faults:?}");
}

/// Returns a zip as this program writes it, but for `gap` before its directory and a `comment` on the
/// last entry of that.
fn zip_with(files: &[(&str, &[u8])], gap: &[u8], comment: &[u8]) -> Vec<u8> {
    use super::super::zip::records::{self, ZipEntry};
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let mut crc32 = flate2::Crc::new();
        crc32.update(content);
        let (size, offset) = (content.len() as u64, bytes.len() as u64);
        let entry = ZipEntry { name: name.as_bytes().to_vec(), size, crc32: crc32.sum(), offset };
        bytes.extend(entry.local_header());
        bytes.extend(*content);
        let mut header = entry.central_header();
        if *name == files[files.len() - 1].0 {
            header[32..34].copy_from_slice(&(comment.len() as u16).to_le_bytes());
            header.extend(comment);
        }
        directory.extend(header);
    }
    bytes.extend(gap);
    let end = records::end(files.len() as u64, bytes.len() as u64, directory.len() as u64);
    [bytes, directory, end].concat()
}

/// Python's `zipfile` ends a name at a zero byte, so that such a folder would replace the file.
#[test]
fn folders_of_a_zip_are_told() {
    for (name, expected) in [
        ("empty/", "not byte for byte"),
        ("prefetch.json\0/", "control character"),
        ("prefetch.json/", "`prefetch.json` is there twice"),
        ("../../up/", "it has a `.` or `..` part"),
        ("a\\b/", "Windows forbids"),
    ] {
        let (files, faults) = read("b.zip", &zip_with(&[("prefetch.json", b"{}"), (name, b"")], b"", b""));
        assert_eq!(files.keys().collect::<Vec<_>>(), ["prefetch.json"], "{name}");
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{name}: {faults:?}");
    }
}

/// Each is unpacked by some program to other files than by another.
#[test]
fn a_zip_that_says_two_things_is_told() {
    use super::super::zip::records;
    const FILES: &[(&str, &[u8])] = &[("prefetch.json", b"{}"), ("a.txt", b"good")];
    let other = zip_with(&[("a.txt", b"evil")], b"", b"");
    let clean = zip_with(FILES, b"", b"");
    assert_eq!(read("b.zip", &clean).1, [""; 0]);
    let patched = |at: usize, bytes: &[u8]| {
        let mut changed = clean.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let local = clean.windows(5).position(|window| window == b"a.txt").unwrap();
    let end = clean.len() - records::END_LENGTH;
    let unicode_path = [&[0x75, 0x70, 10, 0, 1, 0, 0, 0, 0][..], b"b.txt"].concat();
    let mut second_name = zip_with(FILES, b"", &unicode_path);
    let last = second_name.len() - records::END_LENGTH - unicode_path.len() - 5 - 46;
    second_name.copy_within(last + 32..last + 34, last + 30);
    second_name[last + 32..last + 34].fill(0);
    // Of a directory that claims to be at its own end, where another record is found first.
    let large = records::end(u64::from(u16::MAX), 0, 0);
    let large = &large[..large.len() - records::END_LENGTH];
    for (bytes, expected) in [
        ([&clean[..], &other[..]].concat(), "as if something was put before it"),
        (patched(local, b"b.txt"), "it has a second name"),
        (second_name, "it has a second name"),
        (patched(local - 8, &[9]), "it has a second size"),
        (zip_with(FILES, &other[..40], b""), "bytes before it that belong to no file"),
        (patched(end + 10, &[1]), "another number of entries"),
        (zip_with(FILES, b"", large), "zip64 directory is not where it says"),
    ] {
        let faults = read("b.zip", &bytes).1.join("; ");
        assert!(faults.contains(expected), "{expected}: {faults}");
    }
}

/// Flags and method are at offset 8 in each header of the directory.
#[test]
fn encrypted_and_strangely_packed_entries_are_told() {
    for (offset, value, expected) in [(8, 1, "`prefetch.json` is encrypted"), (10, 12, "is packed by method 12")] {
        let mut bytes = packed("b.zip");
        let at = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        bytes[at + offset] = value;
        let faults = read("b.zip", &bytes).1.join("; ");
        assert!(faults.contains(expected), "{faults}");
    }
}

#[test]
fn a_bomb_is_not_unpacked() {
    let bomb = vec![0; 8 << 20];
    let mut tar = Builder::new(Vec::new());
    let mut header = Header::new_ustar();
    header.set_size(bomb.len() as u64);
    header.set_cksum();
    tar.append_data(&mut header, "bomb", bomb.as_slice()).unwrap();
    let tar = tar.into_inner().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&tar).unwrap();
    let mut zip = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bomb", ::zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(&bomb).unwrap();
    for (name, bytes) in [
        ("b.tar.gz", gzip.finish().unwrap()),
        ("b.tar.zst", zstd::encode_all(&*tar, 19).unwrap()),
        ("b.zip", zip.finish().unwrap().into_inner()),
    ] {
        let (files, faults) = read(name, &bytes);
        assert!(files.is_empty(), "{name}");
        assert!(faults.iter().any(|fault| fault.contains("more than the 1048576 bytes")), "{name}: {faults:?}");
    }
}

/// Python's `zipfile` and GNU tar write such archives; the faults are reported, and the files are
/// read all the same.
#[test]
fn an_archive_by_another_tool_is_read_and_told() {
    let mut zip = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("a.txt", ::zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(&[b'a'; 3000]).unwrap();
    let (files, faults) = read("b.zip", &zip.finish().unwrap().into_inner());
    assert_eq!(files["a.txt"].len(), 3000);
    assert!(faults[0].contains("packed again by another tool"), "{faults:?}");
    let mut streamed = ::zip::ZipWriter::new_stream(Vec::new());
    for name in ["a.txt", "b.txt"] {
        streamed.start_file(name, ::zip::write::SimpleFileOptions::default()).unwrap();
        streamed.write_all(&[b'a'; 3000]).unwrap();
    }
    let (files, faults) = read("b.zip", &streamed.finish().unwrap().into_inner());
    assert_eq!((files["b.txt"].len(), faults.len()), (3000, 1), "{faults:?}");
    let mut tar = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(1);
    let long = format!("wheels/{}.whl", "long".repeat(40));
    tar.append_data(&mut header, &long, &b"1"[..]).unwrap();
    let (files, faults) = read("b.tar", &tar.into_inner().unwrap());
    assert_eq!(files[&long], b"1");
    assert!(faults[0].contains("packed again by another tool"), "{faults:?}");
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("wheels")).unwrap();
    fs::write(folder.path().join("wheels/a.whl"), b"a").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("prefetch.json")).unwrap();
    std::os::unix::fs::symlink("/etc", folder.path().join("wheels/etc")).unwrap();
    let reader = ArchiveReader::open(folder.path()).unwrap();
    assert_eq!(reader.page("prefetch.json", 100).unwrap(), None);
    let faults = reader.visit(100, 1, &|found| assert_eq!(found.path.as_str(), "wheels/a.whl")).unwrap();
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert!(faults[0].starts_with("`prefetch.json` is a symbolic link"), "{faults:?}");
    assert!(faults[1].starts_with("`wheels/etc` is a symbolic link"), "{faults:?}");
}

#[test]
fn what_is_no_archive_is_told_by_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for bytes in [&b""[..], b"PK", b"<html>", &[0; 2000]] {
        let file = folder.path().join("b.zip");
        fs::write(&file, bytes).unwrap();
        assert!(matches!(ArchiveReader::open(&file), Err(ReadError::NoArchive(_))));
    }
    assert!(matches!(ArchiveReader::open(&folder.path().join("absent")), Err(ReadError::Unreadable { .. })));
}

/// The second entry of a zip begins beyond 4 GiB, the first file of a tar is longer than 8 GiB: as
/// holes, which cost nothing. Info-ZIP, Python, GNU tar and bsdtar read such archives of this
/// program.
#[test]
fn entries_beyond_4_and_8_gib_are_found() {
    use super::super::{tar::header_bytes, zip::records};
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("b");
    let put = |at: u64, bytes: &[u8]| {
        let mut file = fs::File::options().create(true).write(true).truncate(false).open(&archive).unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(bytes).unwrap();
        at + bytes.len() as u64
    };
    let sizes = |entries: Vec<MemberEntry>| {
        entries.iter().map(|entry| (entry.path.to_string(), entry.size)).collect::<Vec<_>>()
    };
    let first = records::ZipEntry { name: b"a.whl".into(), size: 5 << 30, crc32: 1, offset: 0 };
    let offset = put(0, &first.local_header()) + first.size;
    let second = records::ZipEntry { name: b"b.whl".into(), size: 3, crc32: 2, offset };
    let start = put(put(offset, &second.local_header()), b"abc");
    let directory = [first.central_header(), second.central_header()].concat();
    put(put(start, &directory), &records::end(2, start, directory.len() as u64));
    let (entries, faults) = zip::scan(&VolumeSet::find(&archive).unwrap());
    assert_eq!((sizes(entries), faults), (vec![("a.whl".into(), 5 << 30), ("b.whl".into(), 3)], Vec::new()));
    fs::remove_file(&archive).unwrap();
    let at = put(0, &header_bytes(&path("a.whl"), 9 << 30).unwrap()) + (9 << 30);
    let at = put(at, &header_bytes(&path("b.whl"), 512).unwrap());
    put(at, &[0; 3 * 512]);
    let (entries, faults) = tar::scan(&TarBytes::Plain(VolumeSet::find(&archive).unwrap()));
    assert_eq!((sizes(entries), faults), (vec![("a.whl".into(), 9 << 30), ("b.whl".into(), 512)], Vec::new()));
}

/// A few bytes of deflated zeros, of which a zip may claim any number.
#[test]
fn an_archive_does_not_unpack_to_many_times_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.zip");
    let mut writer = ::zip::ZipWriter::new(fs::File::create(&path).unwrap());
    let deflated = ::zip::write::SimpleFileOptions::default().compression_method(::zip::CompressionMethod::Deflated);
    writer.start_file("zeros", deflated).unwrap();
    io::copy(&mut io::repeat(0).take(ALLOWANCE + (8 << 20)), &mut writer).unwrap();
    writer.finish().unwrap();
    let reader = ArchiveReader::open(&path).unwrap();
    let faults = reader.visit(u64::MAX, 1, &|_| ()).unwrap();
    assert!(faults.iter().any(|fault| matches!(fault, ArchiveFault::TooLarge { .. })), "{faults:?}");
    assert!(reader.index().is_err_and(|error| error.to_string().contains("many times its own size")));
}
