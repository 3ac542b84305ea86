//! `prefetch verify`: damage of every kind is found, and every gap is named.

use prefetch::ops::{VerifySettings, verify};
use serde_json::Value;

use crate::support::{Index, Sandbox, Sdist, ServedIndex, Wheel};

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];
const BUNDLES: [&str; 4] = ["out.zip", "out.tar", "out.tar.gz", "out.tar.zst"];

fn world() -> ServedIndex {
    let other = Wheel::new("other", "2.0").requires("demo>=1").tags("cp312-cp312-manylinux_2_28_x86_64");
    Index::new().wheel("demo", "1.0").with(other).with(Sdist::new("kit", "3.0")).wheel("setuptools", "80.0").serve()
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

/// What is done, under which name, and the findings.
type Damage<'a> = (&'a str, &'a dyn Fn(&Sandbox), &'a [&'a str]);

#[test]
fn every_kind_of_damage_is_found_in_an_unpacked_bundle() {
    let demo = "unpacked/wheels/demo-1.0-py3-none-any.whl";
    let sandbox = Sandbox::new();
    pack(&sandbox, "out.tar", &["other"]).code(0);
    let damage: [Damage<'_>; 6] = [
        (
            "missing",
            &|sandbox| std::fs::remove_file(sandbox.path(demo)).unwrap(),
            &["digest SHA256SUMS", "gap -", "missing wheels/demo-1.0-py3-none-any.whl"],
        ),
        (
            "longer",
            &|sandbox| drop(sandbox.write(demo, [sandbox.read(demo), vec![0]].concat())),
            &["digest SHA256SUMS", "size wheels/demo-1.0-py3-none-any.whl"],
        ),
        (
            "other",
            &|sandbox| drop(sandbox.write(demo, Wheel::new("demo", "1.0").padding(0).requires("x").bytes())),
            &["digest SHA256SUMS", "gap -", "size wheels/demo-1.0-py3-none-any.whl"],
        ),
        ("more", &|sandbox| drop(sandbox.write("unpacked/wheels/evil.whl", "")), &["unexpected wheels/evil.whl"]),
        ("page", &|sandbox| drop(sandbox.write("unpacked/README.txt", "")), &["digest SHA256SUMS", "size README.txt"]),
        ("manifest", &|sandbox| drop(sandbox.write("unpacked/prefetch.json", "{}")), &["manifest prefetch.json"]),
    ];
    for (name, apply, expected) in damage {
        unpack(&sandbox, "out.tar");
        apply(&sandbox);
        assert_eq!(findings(&report(&sandbox, &["unpacked"], 1)), expected, "{name}");
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
    sandbox.prefetch(["verify", "out.tar", "--check-platform", "2.17"]).assert().code(2);
    sandbox.prefetch(["verify", "absent"]).assert().code(2);
}

#[test]
fn a_folder_without_a_manifest_is_judged_file_by_file() {
    let sandbox = Sandbox::new();
    sandbox.write("wheels/demo-1.0-py3-none-any.whl", Wheel::new("demo", "1.0").bytes());
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

/// A few bits of a zstd frame's header say nothing that matters: what is inside counts.
fn unpacked(bundle: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    if bundle.ends_with(".zst") { zstd::decode_all(bytes).ok() } else { Some(bytes.to_vec()) }
}

#[test]
fn a_thousand_kinds_of_damage_are_found() {
    let sandbox = Sandbox::new();
    for (seed, bundle) in BUNDLES.iter().enumerate() {
        pack(&sandbox, bundle, &["other"]).code(0);
        let whole = sandbox.read(bundle);
        let mut dice = Dice(seed as u64);
        for round in 0..250 {
            let path = sandbox.write("damaged", damaged(&whole, round, &mut dice));
            let verification = verify(&path, &VerifySettings { threads: 1, ..VerifySettings::default() }).unwrap();
            let is_harmless = || unpacked(bundle, &sandbox.read("damaged")) == unpacked(bundle, &whole);
            assert!(!verification.is_good() || is_harmless(), "{bundle}, round {round}");
        }
    }
}
