//! What indexes answer for projects that they do not have, beside 404.

use crate::support::{Fault, Index, Sandbox, ServedIndex};

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

fn run(extra: &str, main: &ServedIndex, more: &[&str]) -> assert_cmd::assert::Assert {
    let sandbox = Sandbox::new().without_python();
    let arguments = [&["demo", "--retries", "0", "--extra-index-url", extra], &TARGET[..], more].concat();
    sandbox.prefetch_from(main, arguments).assert()
}

fn told(run: assert_cmd::assert::Assert) -> String {
    String::from_utf8_lossy(&run.get_output().stderr).into_owned()
}

#[test]
fn an_extra_index_may_refuse_strangers_what_it_does_not_have() {
    let main = Index::new().wheel("demo", "1.0").serve();
    for status in [404, 410, 403, 204] {
        let extra = Index::new().failing("/simple/", Fault::Status(status)).serve();
        let said = told(run(&extra.url(), &main, &[]).success());
        let warning = format!("{} answered {status} for demo: taken as not there", extra.url());
        assert_eq!(said.contains(&warning), matches!(status, 403 | 204), "{said}");
    }
}

/// Else a run that does not allow it would take a project from another index without a word.
#[test]
fn what_a_run_takes_for_absent_is_not_remembered() {
    let (main, sandbox) = (Index::new().wheel("demo", "1.0").serve(), Sandbox::new().without_python());
    let extra = Index::new().failing("/simple/", Fault::Status(403)).serve();
    let run = |index: &ServedIndex, more: &[&str]| {
        let arguments = [&["demo", "--retries", "0", "--index-strategy", "best-match"], &TARGET[..], more].concat();
        sandbox.prefetch_from(index, arguments).assert()
    };
    for _ in 0..2 {
        let said = told(run(&main, &["--extra-index-url", &extra.url()]).success());
        assert!(said.contains("answered 403 for demo: taken as not there"), "{said}");
    }
    let ignoring = format!("{}=403", extra.url());
    run(&extra, &["--extra-index-url", &main.url(), "--ignore-error-codes", &ignoring]).success();
    let said = told(run(&extra, &["--extra-index-url", &main.url()]).code(4));
    assert!(said.contains("403"), "{said}");
}

/// Else a public project could stand in for a private one, as soon as a password is out of date.
#[test]
fn an_index_that_refuses_a_password_is_an_error() {
    let main = Index::new().wheel("demo", "1.0").serve();
    let extra = Index::new().failing("/simple/", Fault::Status(403)).serve();
    let url = format!("{}/simple/", extra.root_at("me:hunter2@127.0.0.1"));
    let said = told(run(&url, &main, &[]).code(4));
    assert!(said.contains(&format!("--ignore-error-codes {}=403", extra.url())) && !said.contains("hunter2"), "{said}");
    assert_eq!(main.requests().len(), 0);
}

#[test]
fn answers_that_mean_no_such_project_can_be_named() {
    let main = Index::new().wheel("demo", "1.0").serve();
    for status in [401, 405] {
        let extra = Index::new().failing("/simple/", Fault::Status(status)).serve();
        let said = told(run(&extra.url(), &main, &[]).code(4));
        assert!(said.contains(&format!("--ignore-error-codes {}={status}", extra.url())), "{said}");
        let said =
            told(run(&extra.url(), &main, &["--ignore-error-codes", &format!("{}=401,405", extra.url())]).success());
        assert!(!said.contains("taken as"), "{said}");
    }
    let elsewhere = ["--ignore-error-codes", "https://other.example/simple/=403"];
    assert!(told(run(&main.url(), &main, &elsewhere).code(2)).contains("no index of this run"));
}

#[test]
fn an_index_that_knows_nothing_may_be_none() {
    let index = Index::new().wheel("demo", "1.0").serve();
    let sandbox = Sandbox::new().without_python();
    let root = index.root();
    let failed = sandbox.prefetch([&["demo", "other", "-i", &root], &TARGET[..]].concat()).assert().code(3);
    let said = told(failed);
    assert!(said.contains("none of 2 projects was found: is") && said.contains("/simple/"), "{said}");
}

#[test]
fn a_file_that_cannot_be_used_is_named_where_there_is_no_other() {
    let (main, sandbox) = (Index::new().wheel("other", "1.0").serve(), Sandbox::new().without_python());
    sandbox.write("links/demo-abc.tar.gz", "");
    let asked =
        |project| sandbox.prefetch_from(&main, [&[project, "--find-links", "links"], &TARGET[..]].concat()).assert();
    let said = told(asked("demo").code(3));
    assert!(said.contains("demo-abc.tar.gz"), "{said}");
    assert!(!told(asked("other").success()).contains("demo-abc"));
}
