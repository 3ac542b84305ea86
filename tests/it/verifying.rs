//! `prefetch verify`: damage of every kind is found, and every gap is named.

use std::io::Write as _;
use std::path::Path;

use prefetch::domain::Sha256;
use prefetch::ops::{VerifySettings, verify};
use prefetch::store::DiskStore;
use serde_json::Value;

use crate::support::{Index, Sandbox, Sdist, ServedIndex, Wheel, judges};

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];
const BUNDLES: [&str; 4] = ["out.zip", "out.tar", "out.tar.gz", "out.tar.zst"];

fn world() -> ServedIndex {
    let other = Wheel::new("other", "2.0").requires("demo>=1").tags("cp312-cp312-manylinux_2_28_x86_64");
    Index::new()
        .wheel("demo", "1.0")
        .with(other)
        .with(Sdist::new("kit", "3.0").pyproject())
        .wheel("setuptools", "80.0")
        .serve()
}

fn pack(sandbox: &Sandbox, bundle: &str, requirements: &[&str]) -> assert_cmd::assert::Assert {
    sandbox.prefetch_from(&world(), requirements).args(TARGET).args(["--bundle", bundle]).assert()
}

fn unpack(sandbox: &Sandbox, bundle: &str) {
    let file = std::fs::File::open(sandbox.path(bundle)).unwrap();
    tar::Archive::new(file).unpack(sandbox.path("unpacked")).unwrap();
}

/// The report of a check that ends with `code`.
fn report(sandbox: &Sandbox, arguments: &[&str], code: i32) -> Value {
    let output = sandbox.prefetch(["verify", "--json"]).args(arguments).assert().code(code).get_output().clone();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `kind path` of each finding.
fn findings(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let mut told: Vec<_> = findings
        .map(|finding| format!("{} {}", finding["kind"].as_str().unwrap(), finding["path"].as_str().unwrap_or("-")))
        .collect();
    told.sort();
    told
}

#[test]
fn a_good_bundle_is_good_in_every_form() {
    let sandbox = Sandbox::new();
    for bundle in BUNDLES {
        pack(&sandbox, bundle, &["other"]).code(0);
        let report = report(&sandbox, &[bundle, "--check-platform", "glibc-2.28"], 0);
        assert_eq!(report["findings"], Value::Array(Vec::new()), "{bundle}");
        assert_eq!(report["targets"][0]["complete"], true, "{bundle}");
    }
    unpack(&sandbox, "out.tar");
    sandbox.without_python().prefetch(["verify", "unpacked"]).assert().code(0);
}

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

#[test]
fn what_verify_would_find_inside_is_told_when_it_is_packed() {
    let sandbox = Sandbox::new();
    let index = Index::new().with(Wheel::new("demo", "1.0").unlisted()).serve();
    let output = sandbox.prefetch_from(&index, ["demo"]).args(TARGET).args(["--bundle", "out.tar"]).assert().code(1);
    let told = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    let fault = "its RECORD does not list: `demo/__init__.py`";
    assert!(told.contains("wheels/demo-1.0-py3-none-any.whl") && told.contains(fault), "{told}");
    assert!(told.contains("ask for another release") && !told.contains("missing"), "{told}");
    assert_eq!(findings(&report(&sandbox, &["out.tar"], 1)), ["distribution wheels/demo-1.0-py3-none-any.whl"]);
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

#[test]
fn a_gap_is_named_with_the_chain_that_needs_it() {
    let sandbox = Sandbox::new();
    pack(&sandbox, "out.tar", &["other"]).code(0);
    unpack(&sandbox, "out.tar");
    std::fs::remove_file(sandbox.path("unpacked/wheels/demo-1.0-py3-none-any.whl")).unwrap();
    let report = report(&sandbox, &["unpacked"], 1);
    let gap = report["findings"].as_array().unwrap().iter().find(|finding| finding["kind"] == "gap").unwrap();
    let message = gap["message"].as_str().unwrap();
    for part in ["command line asks for other", "other 2.0 needs demo>=1", "demo is not in the bundle"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(gap["targets"][0], "cp312-manylinux_2_28_x86_64");
    assert_eq!(report["targets"][0]["complete"], false);
}

#[test]
fn a_source_archive_needs_what_builds_it() {
    let sandbox = Sandbox::new();
    let output = pack(&sandbox, "out.tar", &["kit", "--no-build-requires"]).code(1).get_output().clone();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("kit-3.0.tar.gz cannot be built from the bundle alone: "), "{told}");
    assert!(told.contains("setuptools") && told.contains("--no-verify"), "{told}");
    assert_eq!(findings(&report(&sandbox, &["out.tar"], 1)), ["build_gap -"]);
    pack(&sandbox, "out.tar", &["kit", "--no-build-requires", "--no-verify"]).code(0);
    pack(&sandbox, "out.tar", &["kit"]).code(0);
    report(&sandbox, &["out.tar"], 0);
}

#[test]
fn the_floor_of_every_binary_can_be_stated() {
    let sandbox = Sandbox::new();
    pack(&sandbox, "out.tar", &["other"]).code(0);
    let report = report(&sandbox, &["out.tar", "--check-platform", "glibc-2.17"], 1);
    assert_eq!(findings(&report), ["platform wheels/other-2.0-cp312-cp312-manylinux_2_28_x86_64.whl"]);
    let report = self::report(&sandbox, &["out.tar", "--check-platform", "musl-1.2"], 1);
    assert_eq!(findings(&report), ["platform -"], "it is for glibc alone");
    unpack(&sandbox, "out.tar");
    let report = self::report(&sandbox, &["unpacked/wheels", "--check-platform", "glibc-2.17"], 1);
    assert_eq!(findings(&report), ["platform other-2.0-cp312-cp312-manylinux_2_28_x86_64.whl"]);
    sandbox.prefetch(["verify", "out.tar", "--check-platform", "2.17"]).assert().code(2);
    sandbox.prefetch(["verify", "absent"]).assert().code(2);
}

#[test]
fn a_folder_without_a_manifest_is_judged_file_by_file() {
    let sandbox = Sandbox::new();
    sandbox.write("wheels/demo-1.0-py3-none-any.whl", Wheel::new("demo", "1.0").bytes());
    sandbox.write("wheels/kit-1.0-2.tar.gz", Sdist::new("kit", "1.0.post2").bytes());
    report(&sandbox, &["wheels"], 0);
    sandbox.write("wheels/demo-2.0-py3-none-any.whl", Wheel::new("demo", "1.0").bytes());
    sandbox.write("wheels/demo-3.0-py3-none-any.whl", "no wheel");
    sandbox.write("wheels/kit-1.0.tar.gz", "no archive");
    let expected = ["demo-2.0-py3-none-any.whl", "demo-3.0-py3-none-any.whl", "kit-1.0.tar.gz"];
    let found = findings(&report(&sandbox, &["wheels"], 1));
    assert_eq!(found, expected.map(|name| format!("distribution {name}")));
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

#[test]
fn a_manifest_that_lies_is_found_out() {
    let sandbox = Sandbox::new();
    pack(&sandbox, "out.tar", &["other"]).code(0);
    unpack(&sandbox, "out.tar");
    let manifest = String::from_utf8(sandbox.read("unpacked/prefetch.json")).unwrap();
    let digest =
        sandbox.json("unpacked/prefetch.json")["packages"][0]["files"][0]["sha256"].as_str().unwrap().to_owned();
    for (honest, lie) in [
        ("wheels/demo-1.0-py3-none-any.whl", "../demo-1.0-py3-none-any.whl"),
        ("wheels/demo-1.0-py3-none-any.whl", "/etc/passwd"),
        ("\"size\": ", "\"size\": 1844674407370955"),
        (&*digest, "00"),
        (&*digest, &"0".repeat(64)),
        ("\"name\": \"demo\"", "\"name\": \"../demo\""),
        ("\"cp312-manylinux_2_28_x86_64\"", "\"cp27-plan9\""),
        ("\"requirement\": \"other\"", "\"requirement\": \"absent\""),
        ("\"requirement\": \"other\"", "\"requirement\": \"<>\""),
    ] {
        let lying = manifest.replace(honest, lie);
        assert_ne!(lying, manifest, "{honest}");
        sandbox.write("unpacked/prefetch.json", lying);
        sandbox.prefetch(["verify", "unpacked"]).assert().code(1);
    }
}

#[test]
fn what_another_tool_packed_again_is_told_apart_from_damage() {
    let sandbox = Sandbox::new();
    pack(&sandbox, "out.tar", &["other"]).code(0);
    unpack(&sandbox, "out.tar");
    let pack_again = "import shutil, sys; shutil.make_archive(*sys.stdin.read().split('\\n'))";
    for (kind, name) in [("tar", "again.tar"), ("gztar", "again.tar.gz"), ("zip", "again.zip")] {
        let stem = sandbox.path("again").display().to_string();
        judges().run_python(pack_again, &[&stem, kind, &sandbox.path("unpacked").display().to_string()].join("\n"));
        let found = findings(&report(&sandbox, &[name], 1));
        assert!(!found.is_empty() && found.iter().all(|found| found == "repacked -"), "{name}: {found:?}");
        let output = sandbox.prefetch(["verify", name]).assert().code(1).get_output().clone();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("every file is as its manifest says"), "{told}");
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

/// Crates and what CMake downloads come from nowhere that a bundle could hold.
#[test]
fn a_build_that_fetches_from_elsewhere_is_not_provable() {
    let native = Sdist::new("native", "1.0").built_by("maturin", "maturin>=1");
    let index = Index::new().with(native).wheel("maturin", "1.9").serve();
    let sandbox = Sandbox::new();
    let target = ["--python-version", "3.11", "--platform", "linux-x86_64", "--bundle", "out.zip"];
    let output = sandbox.prefetch_from(&index, ["native"]).args(target).assert().code(1).get_output().clone();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("native-1.0.tar.gz is not provable") && told.contains("as `maturin` shows"), "{told}");
    assert!(told.contains("--allow-unprovable"), "{told}");
    let again = sandbox.prefetch(["verify", "out.zip"]).assert().code(1).get_output().clone();
    assert!(String::from_utf8_lossy(&again.stderr).contains("--allow-unprovable"), "{again:?}");
    sandbox.prefetch(["verify", "out.zip", "--allow-unprovable"]).assert().code(0);
    sandbox.prefetch_from(&index, ["native", "--allow-unprovable"]).args(target).assert().code(0);
}

/// pip 23.1 to 23.3 ask for it where an archive names nothing that builds it.
#[test]
fn what_any_pip_builds_with_is_packed() {
    let index = Index::new().with(Sdist::new("kit", "3.0")).wheel("setuptools", "80.0").wheel("wheel", "0.45").serve();
    let sandbox = Sandbox::new();
    let target = ["--python-version", "3.11", "--platform", "linux-x86_64", "--bundle", "out/"];
    sandbox.prefetch_from(&index, ["kit"]).args(target).assert().code(0);
    assert!(sandbox.files("out/wheels").contains(&"wheel-0.45-py3-none-any.whl".to_owned()));
}

#[test]
fn a_sidecar_that_is_not_its_wheels_metadata_is_found() {
    let sandbox = Sandbox::new();
    sandbox.prefetch_from(&world(), ["demo", "--layout", "simple", "-d", "index"]).args(TARGET).assert().code(0);
    report(&sandbox, &["index"], 0);
    let sidecar = "index/demo/demo-1.0-py3-none-any.whl.metadata";
    let said = [&sandbox.read(sidecar)[..], b"Requires-Dist: extra\n"].concat();
    std::fs::remove_file(sandbox.path(sidecar)).unwrap();
    sandbox.write(sidecar, said);
    assert_eq!(findings(&report(&sandbox, &["index"], 1)), ["digest demo/demo-1.0-py3-none-any.whl.metadata"]);
}

/// Without its manifest a bundle would be a mere folder of distributions, each of which is what it says.
#[test]
fn a_signed_bundle_without_its_manifest_is_no_folder_of_wheels() {
    let sandbox = Sandbox::new();
    sandbox.prefetch(["keygen", "mine"]).assert().code(0);
    pack(&sandbox, "out.tar", &["other", "--sign", "mine"]).code(0);
    unpack(&sandbox, "out.tar");
    report(&sandbox, &["unpacked", "--public-key", "mine.pub"], 0);
    std::fs::remove_file(sandbox.path("unpacked/prefetch.json")).unwrap();
    let told = report(&sandbox, &["unpacked", "--public-key", "mine.pub"], 1);
    assert_eq!(findings(&told), ["missing prefetch.json"]);
    report(&sandbox, &["unpacked"], 1);
    std::fs::remove_file(sandbox.path("unpacked/prefetch.json.minisig")).unwrap();
    report(&sandbox, &["unpacked", "--public-key", "mine.pub"], 1);
    report(&sandbox, &["unpacked/wheels"], 0);
}

/// Writes a page of the unpacked bundle, and its digest wherever that stands.
fn rewrite(sandbox: &Sandbox, path: &str, text: &str) {
    let old = Sha256::of(&sandbox.read(&format!("unpacked/{path}"))).to_string();
    let size = format!("\"size\": {}", sandbox.read(&format!("unpacked/{path}")).len());
    sandbox.write(&format!("unpacked/{path}"), text);
    let manifest = String::from_utf8(sandbox.read("unpacked/prefetch.json")).unwrap();
    let entry = manifest.find(&format!("\"path\": \"{path}\"")).unwrap();
    let rest = manifest[entry..].replacen(&size, &format!("\"size\": {}", text.len()), 1);
    let new = Sha256::of(text.as_bytes()).to_string();
    sandbox.write("unpacked/prefetch.json", format!("{}{}", &manifest[..entry], rest.replacen(&old, &new, 1)));
    let sums = String::from_utf8(sandbox.read("unpacked/SHA256SUMS")).unwrap().replace(&old, &new);
    let listed = |line: &str| match line.ends_with("  prefetch.json") {
        true => format!("{}  prefetch.json\n", Sha256::of(&sandbox.read("unpacked/prefetch.json"))),
        false => format!("{line}\n"),
    };
    sandbox.write("unpacked/SHA256SUMS", sums.lines().map(listed).collect::<String>());
}

#[test]
fn what_installers_read_is_held_against_what_is_packed() {
    let sandbox = Sandbox::new();
    pack(&sandbox, "out.tar", &["other"]).code(0);
    unpack(&sandbox, "out.tar");
    let [requirements, pylock] = ["requirements.txt", "pylock.toml"]
        .map(|path| String::from_utf8(sandbox.read(&format!("unpacked/{path}"))).unwrap());
    let digest = Sha256::of(b"another").to_string();
    let demo = sandbox.json("unpacked/prefetch.json")["packages"][0]["files"][0]["sha256"].as_str().unwrap().to_owned();
    for (path, text) in [
        ("requirements.txt", "--no-index\n--find-links ./wheels\n".to_owned()),
        ("requirements.txt", requirements.replace("--no-index\n", "")),
        ("requirements.txt", requirements.replace("--no-index\n", "--no-index\n--find-links https://index.example/\n")),
        ("requirements.txt", requirements.replace("demo==1.0", "demo==1.1")),
        ("requirements.txt", requirements.replace("demo==1.0", "demo")),
        ("requirements.txt", requirements.replace(&demo, &digest)),
        ("requirements.txt", format!("{requirements}third @ https://index.example/third-1.0-py3-none-any.whl\n")),
        ("requirements.txt", format!("{requirements}-r https://index.example/more.txt\n")),
        ("pylock.toml", pylock.replace(&demo, &digest)),
        ("pylock.toml", pylock.replace("name = \"demo\"", "name = \"demo2\"")),
    ] {
        let good = if path == "pylock.toml" { &pylock } else { &requirements };
        assert_ne!(text, *good);
        rewrite(&sandbox, path, &text);
        let told = report(&sandbox, &["unpacked"], 1);
        assert!(findings(&told).iter().all(|finding| *finding == format!("gap {path}")), "{text}\n{told}");
        rewrite(&sandbox, path, good);
        report(&sandbox, &["unpacked"], 0);
    }
}
