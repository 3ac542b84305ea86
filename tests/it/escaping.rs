//! Text of others, which must not steer the terminal that it is shown on.

use std::io::{Cursor, Write as _};

use prefetch::domain::Algorithm;
use zip::write::SimpleFileOptions;

use crate::support::{Fault, Index, PageFormat, Published, Sandbox, ServedIndex, Wheel};

/// Escape, bell, carriage return, right-to-left override, next line.
const HOSTILE: &str = "evil\u{1b}[31m\u{7}\r\u{202e}\u{85}text";
const WHEEL: &str = "demo-1.0-py3-none-any.whl";
const TARGET: [&str; 4] = ["--python-version", "3.11", "--platform", "linux-x86_64"];

/// Runs it; passes if the output holds none of these characters and names them instead.
#[track_caller]
fn is_escaped(what: &str, command: &mut assert_cmd::Command) {
    let output = command.output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let is_hostile = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!told.contains(is_hostile), "{what}: {told:?}");
    let is_named = ["\\u{1b}", "\\u001b", "\\u{202e}", "\\u202e"].iter().any(|name| told.contains(name));
    assert!(is_named, "{what} is not shown at all: {told}");
}

fn fetch(index: &ServedIndex, sandbox: &Sandbox, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = sandbox.prefetch_from(index, TARGET);
    command.args(arguments);
    command
}

#[test]
fn what_an_index_says_is_escaped() {
    let demo = || Published::from(Wheel::new("demo", "1.0"));
    let page = format!("<!DOCTYPE html><title>{HOSTILE}</title><form></form>");
    let login = Index::new().with(demo()).pages(PageFormat::Html);
    let cases = [
        ("a reason to yank", Index::new().with(demo().yanked(HOSTILE))),
        ("a digest in JSON", Index::new().with(demo().claiming_digest(Algorithm::Sha256, HOSTILE))),
        ("a title", login.failing("/simple/", Fault::Bytes(page.into()))),
        ("a requirement in METADATA", Index::new().with(Wheel::new("demo", "1.0").requires(&format!("x {HOSTILE}")))),
        (
            "a name in METADATA",
            Index::new().with(Wheel::new("demo", "1.0").claiming(HOSTILE, HOSTILE)).without_sidecars(),
        ),
    ];
    for (what, index) in cases {
        let (index, sandbox) = (index.serve(), Sandbox::new());
        is_escaped(what, &mut fetch(&index, &sandbox, &["demo"]));
        let json = ["demo", "--report", "-", "--progress", "json", "-d", "again"];
        is_escaped(what, &mut fetch(&index, &sandbox, &json));
    }
}

#[test]
fn what_a_requirements_file_says_is_escaped() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", format!("demo==1.0 {HOSTILE}\n"));
    is_escaped("a line", &mut sandbox.prefetch(["parse", "requirements.txt"]));
    is_escaped("a line", &mut sandbox.prefetch(["parse", "requirements.txt", "--json"]));
    is_escaped("a line", &mut sandbox.prefetch(["-r", "requirements.txt", "--report", "-"]));
}

/// A folder with one wheel, which has a member that nothing lists.
fn wheel_with_hostile_member() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new_append(Cursor::new(Wheel::new("demo", "1.0").bytes())).unwrap();
    archive.start_file(format!("demo/{HOSTILE}.py"), SimpleFileOptions::default()).unwrap();
    archive.write_all(b"x").unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_member_s_name_is_escaped() {
    let sandbox = Sandbox::new();
    sandbox.write(&format!("links/{WHEEL}"), wheel_with_hostile_member());
    is_escaped("a member", &mut sandbox.prefetch(["verify", "links"]));
    is_escaped("a member", &mut sandbox.prefetch(["verify", "links", "--json"]));
}

/// Two unpacked bundles, of which the second has a hostile manifest.
fn bundles() -> Sandbox {
    let license = format!("License-Expression: MIT {HOSTILE}").replace('\r', "");
    let index = Index::new().with(Wheel::new("demo", "1.0").says(&license)).serve();
    let sandbox = Sandbox::new();
    fetch(&index, &sandbox, &["demo", "--bundle", "good/", "--no-verify"]).assert().code(0);
    let manifest = String::from_utf8(sandbox.read("good/prefetch.json")).unwrap();
    let name = serde_json::to_string(HOSTILE).unwrap();
    let evil = manifest.replace("cp311-manylinux_2_28_x86_64", name.trim_matches('"'));
    assert_ne!(evil, manifest);
    sandbox.write("evil/prefetch.json", evil);
    sandbox
}

#[test]
fn what_a_manifest_says_is_escaped() {
    let sandbox = bundles();
    for arguments in [
        &["inspect", "good"][..],
        &["inspect", "good", "--json"],
        &["inspect", "good", "--sbom", "cyclonedx"],
        &["inspect", "evil"],
        &["diff", "good", "evil"],
        &["diff", "good", "evil", "--json"],
        &["verify", "evil"],
        &["verify", "evil", "--json"],
    ] {
        is_escaped(&arguments.join(" "), &mut sandbox.prefetch(arguments));
    }
}

#[cfg(unix)]
#[test]
fn the_name_of_an_imported_file_is_escaped() {
    let sandbox = Sandbox::new();
    sandbox.write(&format!("links/demo-1.0-{HOSTILE}.whl"), "no wheel");
    is_escaped("a file's name", &mut sandbox.prefetch(["cache", "import", "links"]));
    is_escaped("a file's name", &mut sandbox.prefetch(["cache", "import", "links", "--json"]));
}

#[test]
fn what_the_cache_holds_is_listed_escaped() {
    let sandbox = Sandbox::new();
    sandbox.write(&format!("links/{WHEEL}"), wheel_with_hostile_member());
    sandbox.prefetch(["cache", "import", "links"]).assert().code(0);
    let listed = sandbox.prefetch(["cache", "list"]).assert().code(0).get_output().stdout.clone();
    assert!(!String::from_utf8(listed).unwrap().contains(|c: char| c != '\n' && c.is_control()));
}

#[test]
fn our_own_colours_stay() {
    let output = Sandbox::new().prefetch(["install", "demo", "--color", "always"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("\u{1b}[31m"), "{output:?}");
}
