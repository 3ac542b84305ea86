//! What becomes of a bundle on its way: volumes, deltas, signatures, merges.

use serde_json::Value;

use crate::support::{Index, Sandbox, ServedIndex, Wheel};

const TARGET: [&str; 4] = ["--python-version", "3.11", "--platform", "linux-x86_64"];
const BUNDLES: [&str; 4] = ["out.zip", "out.tar", "out.tar.gz", "out.tar.zst"];

/// `demo` in versions 1.0 to 12.0, and `other`, which needs it and is large.
pub fn world() -> ServedIndex {
    let versions = (1..=12).map(|major| Wheel::new("demo", &format!("{major}.0")).padding(2000));
    let other = Wheel::new("other", "2.0").requires("demo>=1").padding(200_000);
    versions.fold(Index::new().with(other), Index::with).serve()
}

pub fn pack(sandbox: &Sandbox, index: &ServedIndex, arguments: &[&str]) {
    sandbox.prefetch_from(index, TARGET).args(arguments).assert().code(0);
}

fn stdout(command: &mut assert_cmd::Command, code: i32) -> String {
    String::from_utf8(command.assert().code(code).get_output().stdout.clone()).unwrap()
}

fn stderr(command: &mut assert_cmd::Command, code: i32) -> String {
    String::from_utf8(command.assert().code(code).get_output().stderr.clone()).unwrap()
}

/// Returns what a command says that ends with 1.
fn stdout_and_stderr(command: &mut assert_cmd::Command) -> String {
    let assert = command.assert().code(1);
    let output = assert.get_output();
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

#[test]
fn a_bundle_goes_to_standard_output_as_the_same_bytes() {
    let (index, sandbox) = (world(), Sandbox::new());
    for format in ["tar", "tar.gz", "tar.zst"] {
        pack(&sandbox, &index, &["other", "--bundle", &format!("out.{format}")]);
        let mut piped = sandbox.prefetch_from(&index, TARGET);
        let output = piped.args(["other", "--bundle", "-", "--bundle-format", format]).assert().code(0);
        assert!(output.get_output().stdout == sandbox.read(&format!("out.{format}")), "{format}");
    }
    for arguments in [&["--bundle", "-"][..], &["--bundle", "-", "--bundle-format", "zip"]] {
        sandbox.prefetch_from(&index, ["other"]).args(arguments).assert().code(2);
    }
}

#[test]
fn an_unpacked_bundle_is_the_bundle_and_an_attempt_cut_short_goes_on() {
    let (index, sandbox) = (world(), Sandbox::new());
    for bundle in BUNDLES {
        pack(&sandbox, &index, &["other", "--bundle", bundle]);
        let folder = format!("{bundle}-unpacked");
        sandbox.prefetch(["unpack", bundle, &folder]).assert().code(0);
        sandbox.prefetch(["verify", &folder]).assert().code(0);
        std::fs::remove_file(sandbox.path(format!("{folder}/wheels/demo-12.0-py3-none-any.whl"))).unwrap();
        sandbox.write(&format!("{folder}/wheels/other-2.0-py3-none-any.whl"), "cut");
        let told = stderr(&mut sandbox.prefetch(["unpack", bundle, &folder]), 0);
        assert!(told.contains("were there already"), "{told}");
        assert_eq!(stderr(&mut sandbox.prefetch(["unpack", "--quiet", bundle, &folder]), 0), "");
        let again = stderr(&mut sandbox.prefetch(["unpack", bundle, &folder]), 0);
        assert!(again.contains("Unpacked 0 files"), "{again}");
        sandbox.prefetch(["verify", &folder]).assert().code(0);
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_unpacked_through_a_link_but_the_one_that_was_named() {
    use std::os::unix::fs::symlink;
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &["other", "--bundle", "out.tar"]);
    for folder in ["elsewhere", "out"] {
        std::fs::create_dir(sandbox.path(folder)).unwrap();
    }
    symlink("../elsewhere", sandbox.path("out/wheels")).unwrap();
    let told = stderr(&mut sandbox.prefetch(["unpack", "out.tar", "out"]), 2);
    assert!(told.contains("out/wheels is a symbolic link"), "{told}");
    assert_eq!([sandbox.files("elsewhere"), sandbox.files("out")], [Vec::<String>::new(), Vec::new()]);

    sandbox.write("mine", "mine");
    symlink("../mine", sandbox.path("elsewhere/README.txt")).unwrap();
    symlink("elsewhere", sandbox.path("named")).unwrap();
    sandbox.prefetch(["unpack", "out.tar", "named"]).assert().code(0);
    sandbox.prefetch(["verify", "elsewhere"]).assert().code(0);
    assert_eq!(sandbox.read("mine"), b"mine");
}

#[test]
fn a_damaged_bundle_is_not_unpacked_under_final_names() {
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &["other", "--bundle", "out.tar"]);
    let mut bytes = sandbox.read("out.tar");
    let middle = bytes.len() - 100_000;
    bytes[middle] ^= 1;
    sandbox.write("bad.tar", bytes);
    let told = stderr(&mut sandbox.prefetch(["unpack", "bad.tar", "bad"]), 1);
    assert!(told.contains("other-2.0-py3-none-any.whl: its SHA-256 is "), "{told}");
    let left = sandbox.files("bad");
    assert!(!left.iter().any(|path| path.contains("other") || path == "prefetch.json"), "{left:?}");
}

#[test]
fn inspecting_tells_who_needs_what() {
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &["other", "--bundle", "out.zip"]);
    let report: Value =
        serde_json::from_str(&stdout(&mut sandbox.prefetch(["inspect", "out.zip", "--json"]), 0)).unwrap();
    assert_eq!(report["packages"][0]["name"], "demo");
    assert_eq!(report["packages"][0]["needed_by"][0], "other");
    assert_eq!(report["packages"][1]["requested_by"][0], "command line");
    let table = stdout(&mut sandbox.prefetch(["inspect", "out.zip"]), 0);
    assert!(table.contains("demo 12.0") && table.contains("needed by other"), "{table}");
}

#[test]
fn a_difference_is_told_by_version_target_and_size() {
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &["other", "demo==1.0", "--bundle", "old.zip"]);
    pack(&sandbox, &index, &["demo==2.0", "--python-version", "3.12", "--bundle", "new.tar.zst"]);
    let told = stdout(&mut sandbox.prefetch(["diff", "old.zip", "new.tar.zst"]), 0);
    for line in ["  demo 1.0 -> 2.0", "- other 2.0", "+ target cp312-manylinux_2_28_x86_64"] {
        assert!(told.lines().any(|each| each == line), "{told}");
    }
    let report = stdout(&mut sandbox.prefetch(["diff", "old.zip", "new.tar.zst", "--json"]), 0);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["bytes_added"], index.bytes("demo-2.0-py3-none-any.whl").len());
    assert_eq!(report["changes"][0]["old"][0], "1.0");
}

#[test]
fn a_merged_bundle_serves_the_targets_of_both() {
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &["other", "demo==1.0", "--bundle", "a.tar.zst"]);
    let b = ["--python-version", "3.12", "--platform", "windows-x86_64", "other", "demo==3.0", "--bundle", "b.zip"];
    sandbox.prefetch_from(&index, b).assert().code(0);
    sandbox.prefetch(["merge", "a.tar.zst", "b.zip", "-o", "ab.tar"]).assert().code(0);
    let told = stderr(&mut sandbox.prefetch(["verify", "ab.tar"]), 0);
    for target in ["cp311-manylinux_2_28_x86_64", "cp312-win_amd64"] {
        assert!(told.contains(&format!("{target} installs from it alone")), "{told}");
    }
    sandbox.prefetch(["merge", "ab.tar", "b.zip", "-o", "again.tar"]).assert().code(0);
    assert!(sandbox.read("again.tar") == sandbox.read("ab.tar"), "what is in already adds nothing");
    sandbox.prefetch(["merge", "b.zip", "a.tar.zst", "-o", "ba.tar"]).assert().code(0);
    assert!(sandbox.read("ba.tar") == sandbox.read("ab.tar"), "neither comes first");
    pack(&sandbox, &index, &["demo==5.0", "--bundle", "c.zip"]);
    let told = stderr(&mut sandbox.prefetch(["merge", "a.tar.zst", "c.zip", "-o", "ac.tar"]), 2);
    assert!(told.contains("`cp311-manylinux_2_28_x86_64` is a target of both"), "{told}");
    assert!(!sandbox.path("ac.tar").exists());
}

#[test]
fn a_chain_of_ten_deltas_is_the_full_bundle() {
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &["other", "demo==1.0", "--bundle", "full-1.tar"]);
    sandbox.write("now-1.tar", sandbox.read("full-1.tar"));
    for number in 2..=11 {
        let (asked, full, delta) =
            (format!("demo=={number}.0"), format!("full-{number}.tar"), format!("delta-{number}.tar.gz"));
        let (old, new) = (format!("now-{}.tar", number - 1), format!("now-{number}.tar"));
        pack(&sandbox, &index, &["other", &asked, "--bundle", &full]);
        pack(&sandbox, &index, &["other", &asked, "--bundle", &delta, "--since", &old]);
        assert!(sandbox.read(&delta).len() * 2 < sandbox.read(&full).len(), "a delta has only what is new");
        sandbox.prefetch(["verify", &delta]).assert().code(0);
        sandbox.prefetch(["apply", &delta, &old, "-o", &new]).assert().code(0);
        assert!(sandbox.read(&new) == sandbox.read(&full), "{number}");
    }
    let told = stderr(&mut sandbox.prefetch(["apply", "delta-5.tar.gz", "now-7.tar", "-o", "x.tar"]), 1);
    assert!(told.contains("was made since another bundle"), "{told}");
    let told = stderr(&mut sandbox.prefetch(["unpack", "delta-5.tar.gz", "x"]), 2);
    assert!(told.contains("prefetch apply"), "{told}");
    sandbox.prefetch(["apply", "now-5.tar", "now-4.tar", "-o", "x.tar"]).assert().code(2);
    assert!(!sandbox.path("x.tar").exists() && !sandbox.path("x").exists());
}

#[test]
fn a_delta_needs_only_the_manifest_of_its_base_and_makes_a_folder_too() {
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &["other", "demo==1.0", "--bundle", "old.tar.zst"]);
    sandbox.prefetch(["unpack", "old.tar.zst", "old"]).assert().code(0);
    pack(&sandbox, &index, &["other", "--bundle", "delta.zip", "--since", "old/prefetch.json"]);
    pack(&sandbox, &index, &["other", "--bundle", "full.zip"]);
    sandbox.prefetch(["apply", "delta.zip", "old", "-o", "new"]).assert().code(0);
    sandbox.prefetch(["unpack", "full.zip", "full"]).assert().code(0);
    assert_eq!(sandbox.files("new"), sandbox.files("full"));
    for file in sandbox.files("full") {
        assert!(sandbox.read(&format!("new/{file}")) == sandbox.read(&format!("full/{file}")), "{file}");
    }
    let told = stderr(&mut sandbox.prefetch(["apply", "delta.zip", "old", "-o", "new"]), 2);
    assert!(told.contains("is there already"), "{told}");
    sandbox.write("old/wheels/other-2.0-py3-none-any.whl", "altered");
    let told = stderr(&mut sandbox.prefetch(["apply", "delta.zip", "old", "-o", "newer"]), 1);
    let altered = "`wheels/other-2.0-py3-none-any.whl` cannot be read where it is kept";
    assert!(told.contains(altered) && told.contains("copy that bundle again"), "{told}");
    assert!(!sandbox.path("newer").exists());
}

/// The list of a delta is not signed: it can excuse no file but those that the manifest has of packages.
#[test]
fn the_list_of_a_delta_hides_nothing() {
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &["other", "demo==1.0", "--bundle", "old.zip"]);
    pack(&sandbox, &index, &["other", "--bundle", "delta/", "--since", "old.zip"]);
    sandbox.prefetch(["verify", "delta"]).assert().code(0);
    let sums = sandbox.read("delta/SHA256SUMS");
    sandbox.write("delta/SHA256SUMS", [&sums[..], format!("{}  evil\n", "0".repeat(64)).as_bytes()].concat());
    for told in [
        stdout_and_stderr(&mut sandbox.prefetch(["verify", "delta"])),
        stdout_and_stderr(&mut sandbox.prefetch(["apply", "delta", "old.zip", "-o", "new"])),
    ] {
        assert!(told.contains("does not list the digests that the manifest tells"), "{told}");
    }
    assert!(!sandbox.path("new").exists());
    sandbox.write("delta/SHA256SUMS", sums);
    let list = String::from_utf8(sandbox.read("delta/delta.json")).unwrap();
    let list = list.replace("\"kept\": [", "\"kept\": [\"install.sh\", ");
    sandbox.write("delta/delta.json", list);
    std::fs::remove_file(sandbox.path("delta/install.sh")).unwrap();
    let told = stdout_and_stderr(&mut sandbox.prefetch(["verify", "delta"]));
    assert!(told.contains("it takes `install.sh` from its base") && told.contains("it is not there"), "{told}");
}

#[test]
fn volumes_are_the_archive_and_a_bad_one_is_named() {
    let (index, sandbox) = (world(), Sandbox::new());
    for bundle in BUNDLES {
        pack(&sandbox, &index, &["other", "--bundle", bundle]);
        pack(&sandbox, &index, &["other", "--bundle", &format!("v/{bundle}"), "--split", "64K"]);
        let names = (1..).map(|number| format!("v/{bundle}.{number:03}"));
        let parts: Vec<_> =
            names.take_while(|name| sandbox.path(name).exists()).map(|name| sandbox.read(&name)).collect();
        assert!(parts.len() > 2 && parts.concat() == sandbox.read(bundle), "{bundle}");
        let first = format!("v/{bundle}.001");
        sandbox.prefetch(["verify", &first]).assert().code(0);
        sandbox.prefetch(["unpack", &first, &format!("{bundle}-unpacked")]).assert().code(0);
    }
    let mut third = sandbox.read("v/out.tar.003");
    third[100] ^= 4;
    sandbox.write("v/out.tar.003", third);
    let told = stderr(&mut sandbox.prefetch(["verify", "v/out.tar.001"]), 1);
    assert!(told.contains("the volume `out.tar.003` was altered: copy it again"), "{told}");
    std::fs::remove_file(sandbox.path("v/out.zip.002")).unwrap();
    for command in [&["verify", "v/out.zip.001"][..], &["unpack", "v/out.zip.001", "x"]] {
        let told = stderr(&mut sandbox.prefetch(command), 1);
        assert!(told.contains("the volume `out.zip.002` is missing"), "{told}");
    }
    let mut cut = sandbox.read("out.zip");
    cut.truncate(cut.len() - 30);
    sandbox.write("cut.zip", cut);
    for command in [&["verify", "cut.zip"][..], &["unpack", "cut.zip", "x"], &["inspect", "cut.zip"]] {
        let told = stderr(&mut sandbox.prefetch(command), 1);
        assert!(told.contains("cut.zip: the archive ends too early: copy it again"), "{told}");
    }
}

#[test]
fn a_signed_bundle_is_known_by_its_key_and_no_other() {
    let (index, sandbox) = (world(), Sandbox::new());
    for key in ["mine", "theirs"] {
        let public = stdout(&mut sandbox.prefetch(["keygen", key]), 0);
        assert!(public.starts_with("RW") && public.trim().len() == 56, "{public}");
    }
    pack(&sandbox, &index, &["other", "--bundle", "out.tar", "--sign", "mine"]);
    sandbox.prefetch(["verify", "out.tar", "--public-key", "mine.pub"]).assert().code(0);
    let told = stderr(&mut sandbox.prefetch(["verify", "out.tar", "--public-key", "theirs.pub"]), 1);
    assert!(told.contains("it is not signed by this key"), "{told}");
    pack(&sandbox, &index, &["other", "--bundle", "plain.tar"]);
    let told = stderr(&mut sandbox.prefetch(["verify", "plain.tar", "--public-key", "mine.pub"]), 1);
    assert!(told.contains("the bundle is not signed"), "{told}");
    sandbox.prefetch(["unpack", "out.tar", "unpacked"]).assert().code(0);
    let manifest = String::from_utf8(sandbox.read("unpacked/prefetch.json")).unwrap();
    sandbox.write("unpacked/prefetch.json", manifest.replace("command line", "someone else"));
    let told = stderr(&mut sandbox.prefetch(["verify", "unpacked", "--public-key", "mine.pub"]), 1);
    assert!(told.contains("it is not signed by this key, or was altered since"), "{told}");
    sandbox.prefetch(["keygen", "mine"]).assert().code(6);
    pack_fails(&sandbox, &index, &["other", "--bundle", "x.tar", "--sign", "mine.pub"]);
}

fn pack_fails(sandbox: &Sandbox, index: &ServedIndex, arguments: &[&str]) {
    sandbox.prefetch_from(index, TARGET).args(arguments).assert().code(2);
}

#[test]
fn a_place_that_cannot_be_written_is_not_damage() {
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &["other", "--bundle", "out.tar"]);
    sandbox.write("file", "");
    sandbox.write("taken/wheels", "a file where a folder must be");
    for folder in ["file", "taken"] {
        let told = stderr(&mut sandbox.prefetch(["unpack", "out.tar", folder]), 6);
        assert!(told.contains("cannot be written: ") && !told.contains("damaged"), "{told}");
    }
    assert!(!sandbox.path("taken/prefetch.json").exists());
}

/// What others wrote is not obeyed by the terminal.
#[test]
fn no_control_characters_reach_the_terminal() {
    let sandbox = Sandbox::new();
    let evil = Wheel::new("evil", "1.0").says("License: \u{1b}]0;taken\u{7} \u{1b}[31mred");
    let index = Index::new().with(evil).wheel("demo", "1.0").serve();
    for (project, bundle) in [("evil", "evil.tar"), ("demo", "demo.tar")] {
        pack(&sandbox, &index, &[project, "--bundle", bundle]);
    }
    let inspected = stdout(&mut sandbox.prefetch(["inspect", "evil.tar"]), 0);
    assert!(inspected.contains("taken") && !inspected.contains(['\u{1b}', '\u{7}']), "{inspected}");
    let told = stdout(&mut sandbox.prefetch(["diff", "evil.tar", "evil.tar"]), 0);
    assert_eq!(told, "Nothing differs.\n");
}

#[test]
fn a_base_that_is_not_there_is_an_input_that_cannot_be_used() {
    let (index, sandbox) = (world(), Sandbox::new());
    let delta = ["demo==2.0", "--bundle", "delta.tar", "--since", "old (1).zip"];
    let told = stderr(sandbox.prefetch_from(&index, TARGET).args(delta), 2);
    assert!(told.contains("old (1).zip cannot be read"), "{told}");
    sandbox.write("old (1).zip", "no bundle");
    stderr(sandbox.prefetch_from(&index, TARGET).args(delta), 2);
    assert_eq!(index.requests().len(), 0, "it is told before anything is asked for");
}

#[test]
fn a_base_with_a_longer_file_is_damaged_and_no_store_is_blamed() {
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &["other", "demo==1.0", "--bundle", "old.zip"]);
    pack(&sandbox, &index, &["other", "demo==2.0", "--bundle", "delta.tar", "--since", "old.zip"]);
    sandbox.prefetch(["unpack", "old.zip", "old"]).assert().code(0);
    let other = "old/wheels/other-2.0-py3-none-any.whl";
    sandbox.write(other, [sandbox.read(other), b"more".to_vec()].concat());
    let told = stderr(&mut sandbox.prefetch(["apply", "delta.tar", "old", "-o", "new.zip"]), 1);
    assert!(told.contains("it was altered") && told.contains("copy that bundle again"), "{told}");
    assert!(!told.contains("store") && !told.contains("cache"), "{told}");
}
