//! What was seen before: conditional requests, `--refresh`, `--offline`, and an index that is down.

use prefetch::cache_folder::CacheBucket;

use crate::support::{Fault, Index, PageFormat, Published, Sandbox, ServedIndex, files_below};

const DEMO: &str = "demo-1.0-py3-none-any.whl";

fn index() -> Index {
    Index::new().wheel("demo", "1.0").wheel("other", "2.0")
}

fn sandbox() -> Sandbox {
    Sandbox::new().without_python()
}

/// Exit code and words of a run for `requirements`, with `more` options.
fn run(index: &ServedIndex, sandbox: &Sandbox, requirements: &[&str], more: &[&str]) -> (Option<i32>, String) {
    let target = ["--python-version", "3.12", "--platform", "linux-x86_64"];
    let output = sandbox.prefetch_from(index, [requirements, &target, more].concat()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[track_caller]
fn succeeds(index: &ServedIndex, sandbox: &Sandbox, requirements: &[&str], more: &[&str]) -> String {
    let (code, told) = run(index, sandbox, requirements, more);
    assert_eq!(code, Some(0), "{told}");
    told
}

#[test]
fn a_fresh_page_is_not_asked_for_again() {
    let (index, sandbox) = (index().serve(), sandbox());
    succeeds(&index, &sandbox, &["demo"], &["--dry-run"]);
    index.forget_requests();
    succeeds(&index, &sandbox, &["demo"], &["--dry-run"]);
    assert!(index.requests().is_empty(), "{:#?}", index.paths());
}

#[test]
fn what_is_old_is_asked_for_with_its_validator() {
    let fault = Fault::Header("cache-control", "max-age=0".into());
    let (index, sandbox) = (index().failing("/simple/demo/", fault).serve(), sandbox());
    for expected in [false, true] {
        index.forget_requests();
        succeeds(&index, &sandbox, &["demo"], &["--dry-run"]);
        let pages: Vec<_> = index.requests().into_iter().filter(|request| request.path == "/simple/demo/").collect();
        assert_eq!(pages.len(), 1);
        assert_eq!(pages[0].header("if-none-match").is_some(), expected);
    }
}

#[test]
fn refresh_asks_again_and_spares_the_body() {
    let (index, sandbox) = (index().serve(), sandbox());
    succeeds(&index, &sandbox, &["demo"], &["--dry-run"]);
    index.forget_requests();
    succeeds(&index, &sandbox, &["demo"], &["--dry-run", "--refresh"]);
    assert!(index.requests()[0].header("if-none-match").is_some());
}

#[test]
fn a_page_that_may_not_be_kept_is_not() {
    let fault = Fault::Header("cache-control", "no-store".into());
    let (index, sandbox) = (index().failing("/simple/", fault).serve(), sandbox());
    succeeds(&index, &sandbox, &["demo"], &["--dry-run"]);
    assert_eq!(files_below(&sandbox.cache_folder(CacheBucket::Pages)), Vec::<String>::new());
}

#[test]
fn offline_needs_no_network_for_what_was_seen() {
    let (index, sandbox) = (index().serve(), sandbox());
    succeeds(&index, &sandbox, &["demo"], &[]);
    index.forget_requests();
    succeeds(&index, &sandbox, &["demo"], &["--offline", "-d", "again"]);
    assert_eq!(sandbox.files("again"), [DEMO]);
    assert!(index.requests().is_empty());
}

/// Never a packet, and everything that is missing at once: pages first, then files.
#[test]
fn offline_says_all_that_is_missing() {
    let (index, sandbox) = (index().serve(), sandbox());
    let (code, told) = run(&index, &sandbox, &["demo", "other"], &["--offline"]);
    assert_eq!(code, Some(4), "{told}");
    for word in ["/simple/", "--offline", "2 projects", "demo, other"] {
        assert!(told.contains(word), "{told}");
    }
    assert_eq!(index.connections(), 0);

    succeeds(&index, &sandbox, &["demo", "other"], &["--dry-run"]);
    let connections = index.connections();
    let (code, told) = run(&index, &sandbox, &["demo", "other"], &["--offline"]);
    assert_eq!(code, Some(4), "{told}");
    for missing in ["/files/demo-1.0", "/files/other-2.0"] {
        assert!(told.contains(missing), "{told}");
    }
    assert_eq!(index.connections(), connections);
}

#[test]
fn an_index_that_is_down_ends_the_run_unless_the_cache_is_preferred() {
    let fault = Fault::Header("cache-control", "max-age=0".into());
    let (index, sandbox) = (index().failing_times("/simple/demo/", 1, fault).serve(), sandbox());
    succeeds(&index, &sandbox, &["demo"], &[]);
    index.fail("/simple/", Fault::RetryAfter(503, "0".into()));
    let (code, told) = run(&index, &sandbox, &["demo"], &["--retries", "1"]);
    assert_eq!(code, Some(4), "{told}");
    assert!(told.contains("503") && told.contains("--prefer-cached"), "{told}");
    let told = succeeds(&index, &sandbox, &["demo"], &["--retries", "1", "--prefer-cached", "-d", "again"]);
    assert!(told.contains("warning: demo: what was last seen of it is used") && told.contains("503"), "{told}");
    assert_eq!(sandbox.files("again"), [DEMO]);
    let (code, _) = run(&index, &sandbox, &["other"], &["--retries", "0", "--prefer-cached"]);
    assert_eq!(code, Some(4), "what was never seen cannot be preferred");
}

/// An answer of the index counts, however bad: only an outage is bridged.
#[test]
fn a_refusal_is_no_outage() {
    let fault = Fault::Header("cache-control", "max-age=0".into());
    let (index, sandbox) = (index().failing_times("/simple/demo/", 1, fault).serve(), sandbox());
    succeeds(&index, &sandbox, &["demo"], &["--dry-run"]);
    index.fail("/simple/", Fault::Status(403));
    assert_eq!(run(&index, &sandbox, &["demo"], &["--prefer-cached"]).0, Some(4));
}

#[test]
fn a_damaged_cache_is_no_trouble() {
    let (index, sandbox) = (index().serve(), sandbox());
    succeeds(&index, &sandbox, &["demo"], &[]);
    for file in
        files_below(&sandbox.cache()).iter().filter(|file| !file.starts_with(&CacheBucket::Objects.folder_name()))
    {
        std::fs::write(sandbox.cache().join(file), [0; 100]).unwrap();
    }
    succeeds(&index, &sandbox, &["demo"], &["-d", "again"]);
    assert_eq!(sandbox.files("again"), [DEMO]);
}

#[test]
fn a_page_whose_links_carry_passwords_is_not_kept() {
    let (files, sandbox) = (index().serve(), sandbox());
    let link = format!("{}/files/{DEMO}", files.root_at("me:hunter2@127.0.0.1"));
    for format in [PageFormat::Html, PageFormat::Json] {
        let demo = Published::new("demo", DEMO, files.bytes(DEMO)).linked_as(&link);
        let index = Index::new().with(demo).pages(format).serve();
        succeeds(&index, &sandbox, &["demo"], &["--no-deps", "--refresh"]);
        assert_eq!(files_below(&sandbox.cache_folder(CacheBucket::Pages)), Vec::<String>::new());
    }
}
