//! `prefetch verify`: what is sound passes, and every gap and contradiction is named.

use prefetch::domain::Sha256;
use serde_json::Value;

use crate::support::{Index, Sandbox, Sdist, ServedIndex, Wheel, judges};

pub const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

pub const BUNDLES: [&str; 4] = ["out.zip", "out.tar", "out.tar.gz", "out.tar.zst"];

pub fn world() -> ServedIndex {
    let other = Wheel::new("other", "2.0").requires("demo>=1").tags("cp312-cp312-manylinux_2_28_x86_64");
    Index::new()
        .wheel("demo", "1.0")
        .with(other)
        .with(Sdist::new("kit", "3.0").pyproject())
        .wheel("setuptools", "80.0")
        .serve()
}

pub fn pack(sandbox: &Sandbox, bundle: &str, requirements: &[&str]) -> assert_cmd::assert::Assert {
    sandbox.prefetch_from(&world(), requirements).args(TARGET).args(["--bundle", bundle]).assert()
}

pub fn unpack(sandbox: &Sandbox, bundle: &str) {
    let file = std::fs::File::open(sandbox.path(bundle)).unwrap();
    tar::Archive::new(file).unpack(sandbox.path("unpacked")).unwrap();
}

/// Returns the report of a check that ends with `code`.
pub fn report(sandbox: &Sandbox, arguments: &[&str], code: i32) -> Value {
    let output = sandbox.prefetch(["verify", "--json"]).args(arguments).assert().code(code).get_output().clone();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns `kind path` of each finding.
pub fn findings(report: &Value) -> Vec<String> {
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
        assert_eq!(told["targets"][0]["complete"], path == "pylock.toml", "one verdict: {told}");
        rewrite(&sandbox, path, good);
        report(&sandbox, &["unpacked"], 0);
    }
}
