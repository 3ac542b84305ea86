//! Source archives whose needs only their build tells: refused without leave, asked with it.

use std::process::Output;

use crate::support::{Index, Sandbox, Sdist, ServedIndex, Wheel};

const BUILDING: &str = "Building the metadata of demo-1.0.tar.gz …";

fn world(sdist: Sdist) -> ServedIndex {
    Index::new().with(sdist).wheel("other", "2.0").wheel("third", "3.0").serve()
}

fn silent() -> Sdist {
    Sdist::new("demo", "1.0").requires("other>=2; python_version >= '3'").told_by_build()
}

fn run(sandbox: &Sandbox, index: &ServedIndex, more: &[&str]) -> Output {
    sandbox.prefetch_from(index, ["demo"]).args(more).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn without_leave_nothing_runs_and_the_ways_out_are_named() {
    let (index, sandbox) = (world(silent()), Sandbox::new());
    let output = run(&sandbox, &index, &[]);
    assert_eq!(output.status.code(), Some(3));
    for words in ["demo-1.0.tar.gz", "--no-deps", "a version that has a wheel", "--allow-build"] {
        assert!(told(&output).contains(words), "{words}: {}", told(&output));
    }
    assert!(!told(&output).contains("Building"));
}

/// The newest `demo` does not go with the newest `other`, and the search comes by an old archive.
#[test]
fn an_archive_that_is_only_passed_by_is_no_error() {
    let index = Index::new()
        .with(silent())
        .with(Wheel::new("demo", "2.0").requires("third==1.0"))
        .wheel("other", "1.0")
        .with(Wheel::new("other", "2.0").requires("third==2.0"))
        .wheel("third", "1.0")
        .wheel("third", "2.0")
        .serve();
    let sandbox = Sandbox::new();
    let output = sandbox.prefetch_from(&index, ["other", "demo"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let wheels = ["demo-2.0-py3-none-any.whl", "other-1.0-py3-none-any.whl", "third-1.0-py3-none-any.whl"];
    assert_eq!(sandbox.files("wheelhouse"), wheels);
    assert!(told(&output).contains("passed over demo-1.0.tar.gz: what it needs is only known"), "{}", told(&output));
}

#[test]
fn with_leave_the_build_tells_and_is_announced() {
    let (index, sandbox) = (world(silent()), Sandbox::new());
    let output = run(&sandbox, &index, &["--allow-build"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(sandbox.files("wheelhouse"), ["demo-1.0.tar.gz", "other-2.0-py3-none-any.whl"]);
    assert_eq!(told(&output).matches(BUILDING).count(), 1);
    assert_eq!(index.count("/files/demo"), 1);
    let left = std::fs::read_dir(sandbox.temporary()).unwrap().count();
    assert_eq!(left, 0, "the folder of the build is gone");
}

#[test]
fn what_a_build_said_is_remembered_and_counts_with_leave_only() {
    let (index, sandbox) = (world(silent()), Sandbox::new());
    assert_eq!(run(&sandbox, &index, &["--allow-build"]).status.code(), Some(0));
    let again = run(&sandbox, &index, &["--allow-build"]);
    assert_eq!(again.status.code(), Some(0));
    assert!(!told(&again).contains("Building"), "{}", told(&again));
    assert_eq!(run(&sandbox, &index, &[]).status.code(), Some(3));
}

#[test]
fn a_build_that_fails_is_told_with_its_last_words() {
    let (index, sandbox) = (world(Sdist::new("demo", "1.0").failing_build("no compiler here")), Sandbox::new());
    let output = run(&sandbox, &index, &["--allow-build"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        told(&output).contains("demo-1.0.tar.gz") && told(&output).contains("no compiler here"),
        "{}",
        told(&output)
    );
    assert!(sandbox.files("wheelhouse").is_empty());
}

#[test]
fn an_archive_that_tells_by_itself_is_not_built() {
    let (index, sandbox) = (world(Sdist::new("demo", "1.0").requires("third")), Sandbox::new());
    let output = run(&sandbox, &index, &["--allow-build"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(!told(&output).contains("Building"));
    assert_eq!(sandbox.files("wheelhouse"), ["demo-1.0.tar.gz", "third-3.0-py3-none-any.whl"]);
}

#[test]
fn leave_without_a_python_is_refused() {
    let (index, sandbox) = (world(silent()), Sandbox::new().without_python());
    let output = run(&sandbox, &index, &["--allow-build", "--python-version", "3.12", "--platform", "linux-x86_64"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("--python"), "{}", told(&output));
}
