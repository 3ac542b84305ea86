//! A network that fails: every fault, with what becomes of the run.

mod pages;
mod promises;
mod resuming;

use prefetch::cache_folder::CacheBucket;

use crate::support::{Fault, Index, PageFormat, Published, Sandbox, ServedIndex, Wheel};

const DEMO: &str = "demo-1.0-py3-none-any.whl";
const OTHER: &str = "other-2.0-py3-none-any.whl";

/// More than is held back in memory before it goes to the disk.
const LARGE: usize = 3 << 20;

fn index() -> Index {
    Index::new().wheel("demo", "1.0").wheel("other", "2.0")
}

fn large() -> Index {
    Index::new().with(Wheel::new("demo", "1.0").padding(LARGE)).wheel("other", "2.0")
}

/// How a run ended, and what it said.
struct Outcome {
    code: Option<i32>,
    told: String,
}

impl Outcome {
    #[track_caller]
    fn is(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.told);
        for word in words {
            assert!(self.told.contains(word), "`{word}` is not in:\n{}", self.told);
        }
    }
}

fn sandbox() -> Sandbox {
    Sandbox::new().without_python()
}

/// Fetches `demo` and `other` from `index`.
fn fetch(index: &ServedIndex, sandbox: &Sandbox, more: &[&str]) -> Outcome {
    let target = ["--python-version", "3.12", "--platform", "linux-x86_64", "demo==1.0", "other==2.0"];
    let output = sandbox.prefetch_from(index, [&target, more].concat()).output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    Outcome { code: output.status.code(), told: String::from_utf8_lossy(&told).into_owned() }
}

#[track_caller]
fn is_complete(index: &ServedIndex, sandbox: &Sandbox) {
    assert_eq!(sandbox.files("wheelhouse"), [DEMO, OTHER]);
    for file in [DEMO, OTHER] {
        assert!(sandbox.read(&format!("wheelhouse/{file}")) == index.bytes(file), "{file} differs");
    }
}

fn held(sandbox: &Sandbox, bucket: CacheBucket) -> Vec<String> {
    crate::support::files_below(&sandbox.cache_folder(bucket))
}

/// What no retry can help is asked for once, and told with its remedy.
#[test]
fn a_refusal_is_asked_once() {
    for (status, word) in [(401, "~/.netrc"), (403, "~/.netrc"), (404, "--refresh"), (410, "--refresh")] {
        let (index, sandbox) = (index().failing(DEMO, Fault::RetryAfter(status, "0".into())).serve(), sandbox());
        fetch(&index, &sandbox, &["--no-deps"]).is(4, &[DEMO, &status.to_string(), word]);
        assert_eq!(index.count(DEMO), 1, "{status}");
    }
}

#[test]
fn trouble_of_the_server_is_waited_for() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let fault = || Fault::RetryAfter(status, "0".into());
        let (index, sandbox) = (index().serve(), sandbox());
        index.fail_times("/simple/demo/", 2, fault());
        index.fail_times(&format!("{DEMO}.metadata"), 2, fault());
        index.fail_times(DEMO, 2, fault());
        fetch(&index, &sandbox, &[]).is(0, &[]);
        is_complete(&index, &sandbox);
        assert_eq!(index.count("/simple/demo/"), 3, "{status}");
    }
}

#[test]
fn trouble_without_a_word_on_when_to_come_back_is_retried_too() {
    let (index, sandbox) = (index().failing_times(DEMO, 1, Fault::Status(503)).serve(), sandbox());
    fetch(&index, &sandbox, &["--retries", "1"]).is(0, &[]);
    is_complete(&index, &sandbox);
}

#[test]
fn retries_end_and_say_so() {
    let (index, sandbox) = (index().failing(OTHER, Fault::RetryAfter(503, "0".into())).serve(), sandbox());
    fetch(&index, &sandbox, &["--retries", "2", "--no-deps"]).is(4, &[OTHER, "503", "--retries"]);
    assert_eq!(index.requests_for_files().iter().filter(|request| request.path.ends_with(OTHER)).count(), 3);
    assert_eq!(held(&sandbox, CacheBucket::Objects).len(), 1, "the other file is kept");
}

#[test]
fn what_one_host_refuses_for_one_reason_is_told_once() {
    let (index, sandbox) = (index().failing(".whl", Fault::RetryAfter(500, "0".into())).serve(), sandbox());
    let outcome = fetch(&index, &sandbox, &["--retries", "0", "--no-deps"]);
    outcome.is(4, &["answered 500 Internal Server Error", "2 files cannot be had: demo-1.0", "other-2.0"]);
    assert_eq!(outcome.told.matches("Internal Server Error").count(), 1, "{}", outcome.told);
    index.heal();
    index.fail(".whl", Fault::Status(404));
    let outcome = fetch(&index, &sandbox, &["--retries", "0", "--no-deps"]);
    assert_eq!(outcome.told.matches("Not Found").count(), 2, "each has an address of its own: {}", outcome.told);
}

/// Ten years are more than any run waits.
#[test]
fn a_server_that_wants_to_be_left_alone_for_long_is_given_up() {
    for after in ["315360000", "Fri, 01 Jan 2100 00:00:00 GMT"] {
        let (index, sandbox) = (index().failing(DEMO, Fault::RetryAfter(429, after.into())).serve(), sandbox());
        fetch(&index, &sandbox, &["--no-deps"]).is(4, &[DEMO, "429", "it asks to wait", "-j"]);
        assert_eq!(index.count(DEMO), 1);
    }
}

#[test]
fn a_connection_that_ends_instead_of_an_answer_is_retried() {
    let (index, sandbox) = (index().failing_times("/simple/demo/", 1, Fault::Closed).serve(), sandbox());
    index.fail_times(OTHER, 1, Fault::Closed);
    fetch(&index, &sandbox, &[]).is(0, &[]);
    is_complete(&index, &sandbox);
}

#[test]
fn a_refused_connection_is_told_with_its_address() {
    let sandbox = sandbox();
    let more = ["--index-url", "http://127.0.0.1:9/simple/", "--retries", "0", "--python-version", "3.12"];
    let arguments = [more.as_slice(), &["--platform", "linux-x86_64", "demo"]].concat();
    let output = sandbox.prefetch(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    Outcome { code: output.status.code(), told }.is(4, &["127.0.0.1:9", "could not be reached", "refused"]);
}

#[test]
fn truncation_is_called_so_and_not_tampering() {
    for fault in [Fault::CutAfter(100), Fault::Unannounced(100)] {
        let (index, sandbox) = (index().failing(DEMO, fault).serve(), sandbox());
        let outcome = fetch(&index, &sandbox, &["--no-deps", "--retries", "0"]);
        outcome.is(4, &[DEMO, "broke off after 100 of", "bytes"]);
        assert!(!outcome.told.contains("promised"), "{}", outcome.told);
    }
}

/// Without a length, only the digest can tell; then it is a mismatch that says how much came.
#[test]
fn a_short_body_of_unknown_size_is_a_mismatch() {
    let index = index().without_sizes().failing(DEMO, Fault::Bytes(vec![b'P'; 100])).serve();
    fetch(&index, &sandbox(), &["--no-deps"]).is(5, &[DEMO, "promised"]);
}

/// A sender that announces a length and keeps it holds another file.
#[test]
fn a_file_shorter_than_promised_is_refused() {
    let (index, sandbox) = (index().failing(DEMO, Fault::Bytes(vec![b'P'; 100])).serve(), sandbox());
    fetch(&index, &sandbox, &["--no-deps"]).is(5, &[DEMO, "the index promised sha256:", "got sha256:"]);
}

#[test]
fn a_length_longer_than_the_body_is_truncation() {
    let (index, sandbox) = (index().without_sizes().failing(DEMO, Fault::ContentLength(9_999_999)).serve(), sandbox());
    let more = ["--no-deps", "--retries", "0", "--timeout", "0.5"];
    fetch(&index, &sandbox, &more).is(4, &[DEMO, "broke off after", "of 9999999 bytes"]);
}

#[test]
fn a_body_that_stands_still_is_given_up() {
    let (index, sandbox) = (index().failing(DEMO, Fault::HangAfter(100)).serve(), sandbox());
    let more = ["--no-deps", "--retries", "0", "--timeout", "0.2"];
    fetch(&index, &sandbox, &more).is(4, &[DEMO, "broke off after 100 of", "--timeout"]);
    index.heal();
    fetch(&index, &sandbox, &[]).is(0, &[]);
    is_complete(&index, &sandbox);
}

/// Once again past all caches, then it is an error that names everything.
#[test]
fn wrong_bytes_are_refused_after_a_second_look() {
    let index = index().serve();
    let wrong = vec![b'x'; index.bytes(DEMO).len()];
    index.fail(DEMO, Fault::Bytes(wrong));
    let sandbox = sandbox();
    fetch(&index, &sandbox, &["--no-deps"]).is(5, &[DEMO, &index.sha256(DEMO), &index.file_url(DEMO), "got sha256:"]);
    let requests = index.requests_for_files();
    let asked: Vec<_> = requests.iter().filter(|request| request.path.ends_with(DEMO)).collect();
    assert_eq!(asked.len(), 2);
    assert_eq!((asked[0].header("cache-control"), asked[1].header("cache-control")), (None, Some("no-cache")));
    assert_eq!(held(&sandbox, CacheBucket::Objects).len(), 1);
    assert_eq!(held(&sandbox, CacheBucket::Incoming), Vec::<String>::new());
}

#[test]
fn a_proxy_that_was_wrong_once_is_forgiven() {
    let index = index().serve();
    index.fail_times(DEMO, 1, Fault::Bytes(vec![b'x'; index.bytes(DEMO).len()]));
    let sandbox = sandbox();
    fetch(&index, &sandbox, &["--no-deps"]).is(0, &[]);
    is_complete(&index, &sandbox);
}

#[test]
fn a_file_longer_than_promised_is_refused() {
    let (index, sandbox) = (index().failing(DEMO, Fault::Bytes(vec![b'x'; 1 << 20])).serve(), sandbox());
    fetch(&index, &sandbox, &["--no-deps", "--retries", "0"])
        .is(5, &[DEMO, "the index promised sha256:", "got sha256:"]);
}

/// Seven of nine files fail in seven ways: each is named, the rest is kept, and the next run
/// fetches only what is missing.
#[test]
fn every_failure_is_told_and_the_rest_is_kept() {
    let faults = [
        ("p0", Fault::Status(404), "404"),
        ("p1", Fault::Status(403), "403"),
        ("p2", Fault::Status(500), "500"),
        ("p3", Fault::CutAfter(10), "broke off after 10 of"),
        ("p4", Fault::RedirectLoop, "redirects"),
        ("p5", Fault::RedirectTo("file:///etc/hostname".into()), "file: URL"),
        ("p6", Fault::Bytes(vec![0; 3]), "got sha256:"),
    ];
    let names: Vec<_> = (0..9).map(|number| format!("p{number}")).collect();
    let index = names.iter().fold(Index::new(), |index, name| index.wheel(name, "1")).serve();
    for (name, fault, _) in &faults {
        index.fail(&format!("/files/{name}-1-py3-none-any.whl"), fault.clone());
    }
    let sandbox = sandbox();
    let target = ["--no-deps", "--python-version", "3.12", "--platform", "linux-x86_64", "--retries", "0"];
    let run = || {
        let pins = names.iter().map(|name| format!("{name}==1"));
        let output =
            sandbox.prefetch_from(&index, pins).args(target).args(["--report", "report.json"]).output().unwrap();
        Outcome { code: output.status.code(), told: String::from_utf8_lossy(&output.stderr).into_owned() }
    };
    let outcome = run();
    outcome.is(5, &["second run"]);
    for (name, _, word) in &faults {
        let line = outcome.told.lines().find(|line| line.contains(&format!("{name}-1-py3")));
        assert!(line.is_some_and(|line| line.contains(word)), "{name} and `{word}` are not in:\n{}", outcome.told);
    }
    assert_eq!(sandbox.json("report.json")["problems"].as_array().unwrap().len(), 7);
    assert_eq!(held(&sandbox, CacheBucket::Objects).len(), 2);
    index.heal();
    index.forget_requests();
    run().is(0, &[]);
    assert_eq!(index.requests_for_files().len(), 7);
    assert_eq!(sandbox.files("wheelhouse").len(), 9);
}

#[test]
fn redirects_that_lead_nowhere_are_not_retried() {
    for (fault, word) in [
        (Fault::RedirectLoop, "more than 20 redirects"),
        (Fault::RedirectTo("file:///etc/hostname".into()), "redirects to a file: URL"),
        (Fault::RedirectTo("http://[".into()), "no URL"),
    ] {
        let (index, sandbox) = (index().failing("/simple/demo/", fault).serve(), sandbox());
        fetch(&index, &sandbox, &[]).is(4, &["/simple/demo/", word]);
        assert!(index.count("/simple/demo/") <= 21);
    }
}

#[test]
fn a_redirect_is_followed_to_another_host_without_the_password() {
    let (elsewhere, index) = (index().serve(), index().basic_auth("me", "hunter2").serve());
    index.fail(DEMO, Fault::RedirectTo(elsewhere.file_url(DEMO)));
    let sandbox = sandbox();
    let url = format!("{}/simple/", index.root_at("me:hunter2@127.0.0.1"));
    fetch(&index, &sandbox, &["--no-deps", "--extra-index-url", &url]).is(0, &[]);
    is_complete(&index, &sandbox);
    let there = elsewhere.requests();
    assert!(there.len() == 1 && there[0].header("authorization").is_none(), "{there:#?}");
}

/// Some servers say of an archive that it is encoded by gzip; its bytes count as they are.
#[test]
fn an_encoding_claimed_for_a_file_is_not_undone() {
    let fault = Fault::Header("content-encoding", "gzip".into());
    let (index, sandbox) = (index().failing(DEMO, fault).serve(), sandbox());
    fetch(&index, &sandbox, &["--no-deps"]).is(0, &[]);
    is_complete(&index, &sandbox);
}

#[test]
fn an_unknown_authority_is_told_once_with_its_remedy() {
    let index = index().encrypted().serve();
    let arguments = ["demo", "--python-version", "3.12", "--platform", "linux-x86_64", "--index-url", &index.url()];
    let sandbox = sandbox();
    let output = sandbox.prefetch(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    Outcome { code: output.status.code(), told }.is(4, &["certificate", "--cert", "--trusted-host"]);
    assert_eq!(index.connections(), 1, "asking again cannot help");
}

/// Every answer of 20 is refused once; with fewer at once, all arrive.
#[test]
fn a_host_that_asks_for_less_gets_less() {
    let index = (0..20).fold(Index::new(), |index, number| index.wheel(&format!("p{number}"), "1")).serve();
    index.fail_times("-py3-none-any.whl", 20, Fault::RetryAfter(429, "0".into()));
    let sandbox = sandbox();
    let pins = (0..20).map(|number| format!("p{number}==1"));
    let more = ["--no-deps", "--python-version", "3.12", "--platform", "linux-x86_64", "--retries", "20"];
    sandbox.prefetch_from(&index, pins).args(more).assert().code(0);
    assert_eq!(sandbox.files("wheelhouse").len(), 20);
}
