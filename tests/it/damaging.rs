//! Bundles and folders that were damaged, by chance or on purpose: `prefetch verify` finds it.

use std::io::Write as _;
use std::path::Path;

use prefetch::domain::Sha256;
use prefetch::ops::{VerifySettings, verify};
use prefetch::store::DiskStore;

use crate::support::{Sandbox, Sdist, Wheel};
use crate::verifying::{BUNDLES, TARGET, findings, pack, report, unpack, world};

/// Bytes that went bad while the system tells of no change; of any other change the store knows.
#[test]
fn what_was_damaged_in_the_store_is_not_packed() {
    let (index, sandbox) = (world(), Sandbox::new());
    let run = |more: &[&str]| sandbox.prefetch_from(&index, ["other"]).args(TARGET).args(more).assert();
    run(&["-d", "wheels"]).code(0);
    let mut bytes = Wheel::new("demo", "1.0").bytes();
    let object = DiskStore::new(sandbox.cache()).path(Sha256::of(&bytes));
    bytes[60] ^= 1;
    rot(&object, &bytes);
    for bundle in BUNDLES.into_iter().chain(["out/"]) {
        let told = run(&["--bundle", bundle]).code(6).get_output().stderr.clone();
        let told = String::from_utf8(told).unwrap();
        assert!(told.contains("`wheels/demo-1.0-py3-none-any.whl` is damaged in the store"), "{bundle}: {told}");
        assert!(told.contains("`prefetch cache verify` removes it"), "{bundle}: {told}");
        assert!(!sandbox.path(bundle).exists(), "{bundle}");
    }
    run(&["--bundle", "out.zip", "--no-verify"]).code(0);
    assert!(findings(&report(&sandbox, &["out.zip"], 1)).contains(&"digest wheels/demo-1.0-py3-none-any.whl".into()));
}

/// Writes `bytes` over those of `file`, and takes back what the system tells of that.
fn rot(file: &Path, bytes: &[u8]) {
    let metadata = std::fs::metadata(file).unwrap();
    let mut permissions = metadata.permissions();
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    std::fs::set_permissions(file, permissions).unwrap();
    std::fs::write(file, bytes).unwrap();
    std::fs::File::options().write(true).open(file).unwrap().set_modified(metadata.modified().unwrap()).unwrap();
}

/// What is done, under which name, and the findings.
type Damage<'a> = (&'a str, &'a dyn Fn(&Sandbox), &'a [&'a str]);

#[test]
fn every_kind_of_damage_is_found_in_an_unpacked_bundle() {
    let demo = "unpacked/wheels/demo-1.0-py3-none-any.whl";
    let sandbox = Sandbox::new();
    pack(&sandbox, "out.tar", &["other"]).code(0);
    let damage: [Damage<'_>; 7] = [
        (
            "missing",
            &|sandbox| std::fs::remove_file(sandbox.path(demo)).unwrap(),
            &["gap -", "missing wheels/demo-1.0-py3-none-any.whl"],
        ),
        (
            "longer",
            &|sandbox| drop(sandbox.write(demo, [sandbox.read(demo), vec![0]].concat())),
            &["size wheels/demo-1.0-py3-none-any.whl"],
        ),
        (
            "other",
            &|sandbox| drop(sandbox.write(demo, Wheel::new("demo", "1.0").padding(0).requires("x").bytes())),
            &["gap -", "size wheels/demo-1.0-py3-none-any.whl"],
        ),
        ("more", &|sandbox| drop(sandbox.write("unpacked/wheels/evil.whl", "")), &["unexpected wheels/evil.whl"]),
        ("page", &|sandbox| drop(sandbox.write("unpacked/README.txt", "")), &["size README.txt"]),
        ("list", &|sandbox| drop(sandbox.write("unpacked/SHA256SUMS", "")), &["digest SHA256SUMS"]),
        ("manifest", &|sandbox| drop(sandbox.write("unpacked/prefetch.json", "{}")), &["manifest prefetch.json"]),
    ];
    for (name, apply, expected) in damage {
        unpack(&sandbox, "out.tar");
        apply(&sandbox);
        let report = report(&sandbox, &["unpacked"], 1);
        assert_eq!(findings(&report), expected, "{name}");
        let is_complete = report["targets"][0]["complete"].as_bool().unwrap_or_default();
        assert_eq!(is_complete, ["more", "page", "list"].contains(&name), "{name}");
        std::fs::remove_dir_all(sandbox.path("unpacked")).unwrap();
    }
}

/// A generator of its own, so that the same damage is done on every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

/// Cut, made longer, or one bit changed, in turn.
fn damaged(bytes: &[u8], round: usize, dice: &mut Dice) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    match round % 4 {
        0 => damaged.truncate(dice.below(bytes.len())),
        1 => damaged.extend((0..=dice.below(2000)).map(|_| dice.below(256) as u8)),
        _ => damaged[dice.below(bytes.len())] ^= 1 << dice.below(8),
    }
    damaged
}

/// Writes `bytes` over a file: file systems take their time to replace one.
fn overwrite(path: &Path, bytes: &[u8]) {
    let mut file = std::fs::File::options().create(true).write(true).truncate(false).open(path).unwrap();
    file.write_all(bytes).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
}

#[test]
fn a_thousand_kinds_of_damage_are_found_in_every_form() {
    let sandbox = Sandbox::new();
    let damaged_file = sandbox.path("damaged");
    for (seed, bundle) in BUNDLES.iter().enumerate() {
        pack(&sandbox, bundle, &["other"]).code(0);
        let whole = sandbox.read(bundle);
        let mut dice = Dice(seed as u64);
        for round in 0..1000 {
            overwrite(&damaged_file, &damaged(&whole, round, &mut dice));
            let settings = VerifySettings { threads: 1, ..VerifySettings::default() };
            let verification = verify(&damaged_file, &settings).unwrap();
            assert!(!verification.is_good(), "{bundle}, round {round}");
        }
    }
}

/// A tar with an entry of this kind behind those of a good bundle.
fn with_entry(good: &[u8], kind: tar::EntryType, name: &str) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_link_name("../../outside").unwrap();
    header.set_mode(0o644);
    header.set_size(0);
    header.set_cksum();
    [&good[..good.len() - 1024], header.as_bytes(), &[0; 1024]].concat()
}

#[test]
fn what_a_bundle_must_not_hold_is_found_and_never_written() {
    let sandbox = Sandbox::new();
    pack(&sandbox, "out.tar", &["other"]).code(0);
    let good = sandbox.read("out.tar");
    use tar::EntryType::{Block, Fifo, Link, Regular, Symlink};
    for (kind, name, told) in [
        (Regular, "../outside", "has a `.` or `..` part"),
        (Regular, "/outside", "it is absolute"),
        (Regular, "wheels/../../outside", "has a `.` or `..` part"),
        (Symlink, "wheels/link", "is a symbolic link"),
        (Link, "wheels/link", "is a hard link"),
        (Fifo, "wheels/pipe", "is a device or pipe"),
        (Block, "wheels/disk", "is a device or pipe"),
        (Regular, "readme.TXT", "are one name on systems that do not tell cases apart"),
        (Regular, "README.txt", "is there twice"),
        (Regular, "wheels/more.whl", "does not belong to the bundle"),
    ] {
        sandbox.write("bad.tar", with_entry(&good, kind, name));
        for command in [&["verify", "bad.tar"][..], &["unpack", "bad.tar", "a/b/folder"]] {
            let output = sandbox.prefetch(command).assert().code(1).get_output().clone();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert!(stderr.contains(told), "{command:?} of {name}: {stderr}");
        }
        let written = sandbox.files("a");
        assert!(
            !written
                .iter()
                .any(|path| ["outside", "link", "pipe", "disk", "more"].iter().any(|bad| path.ends_with(bad))),
            "{written:?}"
        );
        assert!(!sandbox.path("outside").exists() && !Path::new("/outside").exists());
        std::fs::remove_dir_all(sandbox.path("a")).ok();
    }
}

/// The wheel's own RECORD and the checks of archives tell it, where nothing else says what they hold.
#[test]
fn a_flipped_bit_in_a_folder_is_found_and_not_bundled() {
    let sandbox = Sandbox::new();
    for (name, mut bytes, at, told) in [
        (
            "demo-1.0-py3-none-any.whl",
            Wheel::new("demo", "1.0").source("value = 1").bytes(),
            None,
            "tells another digest",
        ),
        ("kit-3.0.tar.gz", Sdist::new("kit", "3.0").bytes(), Some(8), "cannot be read"),
    ] {
        let links = format!("links-{name}");
        let position = at.map(|end| bytes.len() - end);
        let position = position.or_else(|| bytes.windows(9).position(|window| window == b"value = 1"));
        bytes[position.unwrap()] ^= 1;
        sandbox.write(&format!("{links}/{name}"), bytes);
        let output = sandbox.prefetch(["verify", &links]).assert().code(1).get_output().clone();
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains(told), "{words}");
        let project = name.split('-').next().unwrap();
        let arguments = ["--no-index", "-f", &links, project, "--no-deps", "--bundle", "out.zip"];
        assert!(!sandbox.prefetch(arguments).output().unwrap().status.success());
    }
}
