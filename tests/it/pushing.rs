//! `prefetch push`: a registry gets what it lacks, once, and nothing there is replaced.

use std::fs;

use assert_cmd::assert::Assert;
use serde_json::Value;

use crate::support::{Fault, Index, Sandbox, Sdist, ServedRegistry, Wheel};

const DEMO: &str = "demo-1.0-py3-none-any.whl";
const KIT: &str = "kit-3.0.tar.gz";
const SECRET: &str = "hunter2";
const UPLOADS: &str = ServedRegistry::UPLOADS;

/// A find-links folder `files` with two wheels and a source archive.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let other = Wheel::new("other", "2.0").requires("demo>=1").padding(600_000);
    sandbox.write(&format!("files/{DEMO}"), Wheel::new("demo", "1.0").bytes());
    sandbox.write(&format!("files/{}", other.filename()), other.bytes());
    sandbox.write(&format!("files/{KIT}"), Sdist::new("kit", "3.0").bytes());
    sandbox
}

fn registry() -> ServedRegistry {
    Index::new().serve_registry()
}

fn push(sandbox: &Sandbox, registry: &ServedRegistry, more: &[&str]) -> Assert {
    push_to(sandbox, &registry.url(), more)
}

fn push_to(sandbox: &Sandbox, url: &str, more: &[&str]) -> Assert {
    sandbox.prefetch([&["push", "files", "--to", url], more].concat()).assert()
}

fn told(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stderr).into_owned()
}

#[test]
fn what_was_pushed_is_fetched_again() {
    let (sandbox, registry) = (sandbox(), registry());
    let pushed = push(&sandbox, &registry, &[]).success();
    assert_eq!(registry.files(), [DEMO, KIT, "other-2.0-py3-none-any.whl"]);
    assert!(told(&pushed).contains(&format!("uploaded {DEMO} (")), "{}", told(&pushed));
    let index = format!("{}simple/", registry.url());
    sandbox.prefetch(["other", "kit", "--index-url", &index, "-d", "again"]).assert().success();
    for name in registry.files() {
        assert_eq!(sandbox.read(&format!("again/{name}")), sandbox.read(&format!("files/{name}")), "{name}");
    }
}

#[test]
fn a_second_push_sends_nothing() {
    let (sandbox, registry) = (sandbox(), registry());
    push(&sandbox, &registry, &[]).success();
    registry.forget_requests();
    let again = push(&sandbox, &registry, &[]).success();
    assert!(told(&again).contains("Uploaded 0 files (0 B)") && told(&again).contains("3 were there already"));
    assert_eq!(registry.count(UPLOADS), 0);
    assert_eq!(registry.requests().len(), 4, "the root, and a page for each project");
}

#[test]
fn a_bundle_is_pushed_as_it_is() {
    let index = Index::new().wheel("demo", "1.0").with(Sdist::new("kit", "3.0")).serve();
    let sandbox = Sandbox::new();
    for bundle in ["out.zip", "out.tar.zst"] {
        let target = ["--python-version", "3.12", "--platform", "linux-x86_64", "--no-build-requires", "--no-verify"];
        let arguments = [&["demo", "kit", "--bundle", bundle], &target[..]].concat();
        sandbox.prefetch_from(&index, arguments).assert().success();
        let registry = registry();
        sandbox.prefetch(["push", bundle, "--to", &registry.url()]).assert().success();
        assert_eq!(registry.files(), [DEMO, KIT], "{bundle}");
        assert_eq!(registry.bytes(KIT), index.bytes(KIT));
    }
}

#[test]
fn the_metadata_of_each_file_is_sent_with_it() {
    let (sandbox, registry) = (sandbox(), registry());
    push(&sandbox, &registry, &["-j", "1"]).success();
    let forms = registry.forms();
    let all: Vec<_> = forms.iter().map(|form| form.iter().map(|(name, value)| format!("{name}={value}"))).collect();
    let all: Vec<_> = all.into_iter().map(|form| form.collect::<Vec<_>>()).collect();
    let has = |form: &Vec<String>, field: &str| form.iter().any(|own| own == field);
    let of = |name: &str| all.iter().find(|form| has(form, &format!("name={name}"))).unwrap();
    assert!(has(of("demo"), "filetype=bdist_wheel") && has(of("demo"), "pyversion=py3"), "{:?}", of("demo"));
    assert!(has(of("other"), "requires_dist=demo>=1") && has(of("other"), "version=2.0"), "{:?}", of("other"));
    assert!(has(of("kit"), "filetype=sdist") && has(of("kit"), "pyversion=source"), "{:?}", of("kit"));
    let blake2 = |form: &Vec<String>| form.iter().any(|own| own.len() == "blake2_256_digest=".len() + 64);
    assert!(all.iter().all(blake2), "{all:?}");
}

#[test]
fn nothing_is_sent_if_another_file_has_the_name() {
    let registry = Index::new().with(Wheel::new("demo", "1.0").padding(10)).serve_registry();
    let sandbox = sandbox();
    let stopped = push(&sandbox, &registry, &["--json"]).code(5);
    let told = told(&stopped);
    assert!(told.contains(&format!("{DEMO} was not uploaded: it is there with other bytes (sha256:")), "{told}");
    assert!(told.contains("2 files were not sent"), "{told}");
    let report: Value = serde_json::from_slice(&stopped.get_output().stdout).unwrap();
    let statuses: Vec<_> = report["files"].as_array().unwrap().iter().map(|file| &file["status"]).collect();
    assert_eq!(statuses, ["conflict", "not_sent", "not_sent"]);
    assert_eq!((registry.count(UPLOADS), registry.files()), (0, vec![DEMO.to_owned()]));
}

/// The response to the first attempt is lost; the second one is refused since the file is there.
#[test]
fn an_upload_whose_answer_was_lost_counts_as_done() {
    let (sandbox, registry) = (sandbox(), registry());
    registry.fail_times(UPLOADS, 1, Fault::Closed);
    let pushed = push(&sandbox, &registry, &["-j", "1"]).success();
    assert_eq!((registry.count(UPLOADS), registry.files().len()), (4, 3));
    assert!(told(&pushed).contains("1 was there already"), "{}", told(&pushed));
}

#[test]
fn an_interrupted_push_goes_on_where_it_ended() {
    let (sandbox, registry) = (sandbox(), registry());
    registry.refuse(None, Fault::Status(503));
    let stopped = push(&sandbox, &registry, &["--retries", "0", "-j", "1"]).code(4);
    assert!(told(&stopped).contains("answered 503"), "{}", told(&stopped));
    assert!(told(&stopped).contains("the same command goes on where it ended"), "{}", told(&stopped));
    registry.heal();
    push(&sandbox, &registry, &[]).success();
    assert_eq!(registry.files().len(), 3);
}

#[test]
fn a_refused_file_is_told_in_the_words_of_the_registry_and_the_others_are_sent() {
    let (sandbox, registry) = (sandbox(), registry());
    let page = b"<html><style>p {}</style><h1>Bad</h1> <p>Invalid classifier: Nope</p></html>".to_vec();
    registry.refuse(Some(1), Fault::Status(400).and(Fault::Bytes(page)));
    let outcome = push(&sandbox, &registry, &["-j", "1"]).code(4);
    let told = told(&outcome);
    assert!(told.contains("answered 400 Bad Request: Bad Invalid classifier: Nope"), "{told}");
    assert_eq!(registry.count(UPLOADS), 3);
}

#[test]
fn after_a_wrong_password_no_other_file_is_sent() {
    let registry = Index::new().basic_auth("me", SECRET).serve_registry();
    let sandbox = sandbox();
    let outcome = push_to(&sandbox, &registry.url_at("me:wrong@127.0.0.1"), &["-j", "1"]).code(4);
    let told = told(&outcome);
    assert!(told.contains("answered 401") && told.contains("~/.pypirc") && !told.contains("wrong@"), "{told}");
    assert_eq!(registry.count(UPLOADS), 1);
}

/// From the URL, netrc, `.pypirc` by URL and by name, twine's variables; printed nowhere.
#[test]
fn a_password_comes_from_every_usual_place() {
    let pypirc = |registry: &ServedRegistry| {
        let url = registry.url();
        format!("[distutils]\nindex-servers = team\n[team]\nrepository: {url}\nusername: me\npassword: {SECRET}\n")
    };
    for place in ["url", "netrc", "pypirc", "name", "twine"] {
        let registry = Index::new().basic_auth("me", SECRET).serve_registry();
        let sandbox = sandbox();
        let home = sandbox.path("../home");
        match place {
            "netrc" => {
                fs::write(home.join(".netrc"), format!("machine 127.0.0.1 login me password {SECRET}\n")).unwrap();
            }
            "pypirc" | "name" => fs::write(home.join(".pypirc"), pypirc(&registry)).unwrap(),
            _ => {}
        }
        let to = match place {
            "url" => registry.url_at(&format!("me:{SECRET}@127.0.0.1")),
            "name" => "team".to_owned(),
            _ => registry.url(),
        };
        let mut command = sandbox.prefetch(["push", "files", "--to", &to, "--json"]);
        if place == "twine" {
            command.env("TWINE_USERNAME", "me").env("TWINE_PASSWORD", SECRET);
        }
        let output = command.output().unwrap();
        let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && !printed.contains(SECRET), "{place}: {printed}");
        assert_eq!(registry.files().len(), 3, "{place}");
    }
}

#[test]
fn nothing_goes_by_plain_http_to_another_machine() {
    let sandbox = sandbox();
    for (to, more) in [
        ("http://registry.example/", &[][..]),
        ("http://127.0.0.1:9/", &["--check-url", "http://registry.example/simple/"]),
    ] {
        let refused = push_to(&sandbox, to, more).code(2);
        assert!(told(&refused).contains("by plain HTTP"), "{}", told(&refused));
    }
}

#[test]
fn a_redirected_upload_is_told_and_not_followed() {
    let (sandbox, registry) = (sandbox(), registry());
    registry.refuse(None, Fault::RedirectTo("https://elsewhere.example/legacy/".to_owned()));
    let outcome = push(&sandbox, &registry, &[]).code(4);
    assert!(told(&outcome).contains("redirects uploads to https://elsewhere.example/legacy/"), "{}", told(&outcome));
}

#[test]
fn damaged_files_are_told_before_anything_is_sent() {
    let (sandbox, registry) = (sandbox(), registry());
    let mut bytes = sandbox.read(&format!("files/{DEMO}"));
    bytes.truncate(bytes.len() / 2);
    sandbox.write(&format!("files/{DEMO}"), bytes);
    sandbox.write("files/wrong-1.0-py3-none-any.whl", Wheel::new("demo", "1.0").bytes());
    let refused = push(&sandbox, &registry, &[]).code(1);
    let told = told(&refused);
    assert!(told.contains(&format!("{DEMO} cannot be pushed: ")) && told.contains("wrong-1.0"), "{told}");
    assert_eq!(registry.requests().len(), 0);
}

/// A registry whose index is elsewhere: uploads alone tell what is there.
#[test]
fn without_an_index_it_is_told_that_nothing_can_be_compared() {
    let (sandbox, registry) = (sandbox(), registry());
    registry.fail("/simple", Fault::Status(404));
    registry.fail("/+simple", Fault::Status(404));
    let first = push(&sandbox, &registry, &[]).success();
    assert!(told(&first).contains("--check-url"), "{}", told(&first));
    let second = push(&sandbox, &registry, &[]).code(4);
    assert!(told(&second).contains("answered 409 Conflict: Conflict File already exists"), "{}", told(&second));
}

#[test]
fn a_dry_run_only_compares() {
    let (sandbox, registry) = (sandbox(), registry());
    let outcome = push(&sandbox, &registry, &["--dry-run"]).success();
    assert!(told(&outcome).contains("Would upload 3 files"), "{}", told(&outcome));
    assert_eq!(registry.count(UPLOADS), 0);
}
