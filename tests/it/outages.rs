//! Hosts that are down or cannot be asked: told once with all that it concerns, and left alone.

use crate::support::{Fault, Index, Sandbox, ServedIndex, Wheel};

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

struct Outcome {
    code: Option<i32>,
    told: String,
}

impl Outcome {
    fn of(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let output = sandbox.prefetch([&TARGET, arguments].concat()).output().unwrap();
        Self { code: output.status.code(), told: String::from_utf8_lossy(&output.stderr).into_owned() }
    }

    #[track_caller]
    fn is(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.told);
        for word in words {
            assert!(self.told.contains(word), "`{word}` is not in:\n{}", self.told);
        }
    }

    fn errors(&self) -> usize {
        self.told.matches("error:").count()
    }
}

fn sandbox() -> Sandbox {
    Sandbox::new().without_python()
}

fn world() -> ServedIndex {
    (0..60).fold(Index::new(), |index, number| index.wheel(&format!("p{number}"), "1")).serve()
}

fn fetch(index: &ServedIndex, sandbox: &Sandbox, more: &[&str]) -> Outcome {
    let names: Vec<_> = (0..60).map(|number| format!("p{number}==1")).collect();
    let names = names.iter().map(String::as_str);
    let url = index.url();
    Outcome::of(
        sandbox,
        &names.chain(["--index-url", &url, "--no-deps"]).chain(more.iter().copied()).collect::<Vec<_>>(),
    )
}

/// Twelve pages are asked for at once; then one request asks again for all.
#[test]
fn a_dead_index_is_told_once_and_left_alone() {
    let (index, sandbox) = (world(), sandbox());
    index.fail("/simple/", Fault::Closed);
    let outcome = fetch(&index, &sandbox, &["-j", "4", "--retries", "3", "--report", "report.json"]);
    outcome.is(4, &[&index.url(), "could not be reached", "60 projects", "p0, p1, p10", "40 more"]);
    assert_eq!(outcome.errors(), 1, "{}", outcome.told);
    assert_eq!(sandbox.json("report.json")["problems"][0]["affected"].as_array().unwrap().len(), 60);
    assert!(index.connections() <= 12 + 3, "{}", index.connections());
}

/// It answers, so each is asked for; but only the first are asked for again.
#[test]
fn an_index_in_trouble_is_told_once() {
    let (index, sandbox) = (world(), sandbox());
    index.fail("/simple/", Fault::RetryAfter(503, "0".into()));
    let outcome = fetch(&index, &sandbox, &["-j", "4", "--retries", "3"]);
    outcome.is(4, &[&index.url(), "503", "60 projects"]);
    assert_eq!(outcome.errors(), 1, "{}", outcome.told);
    let asked = index.count("/simple/");
    assert!((60..60 + 12 * 3 + 1).contains(&asked), "{asked}");
}

/// Files of a host that gives no answer are told together; each is named.
#[test]
fn a_dead_host_of_files_is_told_once() {
    let (index, sandbox) = (world(), sandbox());
    index.fail("/files/", Fault::Closed);
    let outcome = fetch(&index, &sandbox, &["-j", "4", "--retries", "2"]);
    outcome.is(4, &["could not be reached", "60 files", "p0-1-py3-none-any.whl", "second run"]);
    assert_eq!(outcome.errors(), 1, "{}", outcome.told);
    assert!(index.count("/files/") <= 12 + 2, "{}", index.count("/files/"));
}

/// A host that comes back while one request asks for all serves them all.
#[test]
fn a_host_that_comes_back_serves_all() {
    let (index, sandbox) = (world(), sandbox());
    index.fail_times("/simple/", 14, Fault::Closed);
    fetch(&index, &sandbox, &["-j", "4"]).is(0, &[]);
    assert_eq!(sandbox.files("wheelhouse").len(), 60);
}

/// One connection of HTTP/2 carries all requests, and their retries must not share its fate.
#[test]
fn what_a_silent_connection_owes_comes_on_another() {
    let index = (0..8).fold(Index::new().encrypted(), |index, number| index.wheel(&format!("p{number}"), "1"));
    let (index, sandbox) = (index.failing_times(".whl", 1, Fault::Mute).serve(), sandbox());
    sandbox.write("authority.pem", index.authority().unwrap());
    let names: Vec<_> = (0..8).map(|number| format!("p{number}==1")).collect();
    let url = index.url();
    let more = ["--no-deps", "--index-url", &url, "--cert", "authority.pem", "--timeout", "1", "--retries", "2"];
    Outcome::of(&sandbox, &names.iter().map(String::as_str).chain(more).collect::<Vec<_>>()).is(0, &[]);
    assert!(index.connections() > 1);
}

#[test]
fn a_certificate_that_nobody_trusts_is_shown_to_few() {
    let names: Vec<_> = (0..60).map(|number| format!("p{number}")).collect();
    let index = names.iter().fold(Index::new(), |index, name| index.wheel(name, "1")).encrypted().serve();
    let outcome = fetch(&index, &sandbox(), &["-j", "4"]);
    outcome.is(4, &["certificate", "--cert", "--trusted-host", "60 projects"]);
    assert_eq!(outcome.errors(), 1, "{}", outcome.told);
    assert!(index.connections() <= 12, "{}", index.connections());
}

#[test]
fn a_plain_server_is_not_asked_for_tls_twice() {
    let index = Index::new().wheel("demo", "1").serve();
    let url = index.url().replace("http:", "https:");
    Outcome::of(&sandbox(), &["demo", "--index-url", &url]).is(4, &[&url, "TLS", "http://"]);
    assert_eq!(index.connections(), 1);
}

#[test]
fn what_is_no_url_is_refused_before_anything_is_asked() {
    for (location, word) in [
        ("http://[bad/simple/", "is no URL"),
        ("http://index.example:99999/", "is no URL"),
        ("htp://index.example/", "htp:"),
        ("git+https://me:hunter2@index.example/", "git+https:"),
        ("index.example/simple", "is no folder"),
    ] {
        let outcome = Outcome::of(&sandbox(), &["demo", "other", "--index-url", location]);
        outcome.is(2, &[word, "index.example"].map(|word| if location.contains("bad") { "bad" } else { word }));
        assert_eq!(outcome.errors(), 1, "{}", outcome.told);
        assert!(!outcome.told.contains("hunter2"));
    }
}

/// What cannot be used as a proxy must not be left out silently.
#[test]
fn what_is_no_proxy_is_refused() {
    let sandbox = sandbox();
    for (variable, proxy) in
        [("HTTPS_PROXY", "ftp://me:hunter2@a.example"), ("all_proxy", "socks://"), ("PIP_PROXY", "http://[")]
    {
        let mut command = sandbox.prefetch(["demo", "--index-url", "http://127.0.0.1:9/"].into_iter().chain(TARGET));
        let output = command.env(variable, proxy).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!told.contains("hunter2"));
        Outcome { code: output.status.code(), told }.is(2, &[variable, "socks5://"]);
    }
    Outcome::of(&sandbox, &["demo", "--proxy", "ftp://a.example"]).is(2, &["command line", "socks5://"]);
}

/// A server that says "not modified" to who has nothing says nothing.
#[test]
fn not_modified_is_no_page_for_who_has_none() {
    let index = Index::new().wheel("demo", "1").failing("/simple/demo/", Fault::Status(304)).serve();
    Outcome::of(&sandbox(), &["demo", "--index-url", &index.url()]).is(4, &["/simple/demo/", "304"]);
}

/// The search comes by `lib 2.0`, whose metadata is gone; with whatever needs, it would not do.
#[test]
fn metadata_that_cannot_be_had_counts_only_for_what_is_chosen() {
    let index = Index::new().wheel("lib", "1.0").wheel("lib", "2.0").with(Wheel::new("app", "1.0").requires("lib<2"));
    let (index, sandbox) = (index.failing("lib-2.0", Fault::Status(404)).serve(), sandbox());
    let url = index.url();
    let asked = |names: &[&str]| Outcome::of(&sandbox, &[names, &["--index-url", &url, "-d", "wheels"]].concat());
    asked(&["lib", "app"]).is(0, &["warning: the metadata of lib-2.0", "404", "what was chosen does not need it"]);
    assert_eq!(sandbox.files("wheels"), ["app-1.0-py3-none-any.whl", "lib-1.0-py3-none-any.whl"]);
    asked(&["lib"]).is(4, &["error: the metadata of lib-2.0", "404"]);
}
