//! The sandbox itself: a run of the binary sees what the test gave it, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{Index, Sandbox};

#[test]
fn a_run_inherits_nothing() {
    let sandbox = Sandbox::new();
    let process = sandbox.process(["--version"]);
    let names: BTreeSet<_> = process.get_envs().map(|(name, _)| name.to_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["HOME", "PATH", "PREFETCH_CACHE_DIR", "TMPDIR"]));
    assert_eq!(process.get_current_dir(), Some(&*sandbox.path("")));
    sandbox.prefetch(["--version"]).assert().success();
}

#[test]
fn a_run_may_find_a_python_or_none() {
    let has_python = |sandbox: &Sandbox| {
        let process = sandbox.process(["--version"]);
        let path = process.get_envs().find(|(name, _)| *name == "PATH").unwrap().1.unwrap();
        Path::new(path).join("python3").exists()
    };
    assert!(has_python(&Sandbox::new()));
    assert!(!has_python(&Sandbox::new().without_python()));
}

#[test]
fn a_run_trusts_the_index_it_is_given() {
    let (index, sandbox) = (Index::new().encrypted().serve(), Sandbox::new());
    sandbox.prefetch_from(&index, ["--help"]).assert().success();
    assert_eq!(sandbox.read("authority.pem"), index.authority().unwrap().as_bytes());
}

#[test]
fn files_are_listed_and_read() {
    let sandbox = Sandbox::new();
    sandbox.write("out/b/two.json", "{\"schema\": 1}");
    sandbox.write("out/a.txt", "one");
    assert_eq!(sandbox.files("out"), ["a.txt", "b/two.json"]);
    assert_eq!(sandbox.files("absent"), Vec::<String>::new());
    assert_eq!(sandbox.json("out/b/two.json")["schema"], 1);
}

#[test]
fn redaction_leaves_what_is_the_same_in_every_run() {
    let sandbox = Sandbox::new();
    let text = format!("{} http://127.0.0.1:4711/x in 1.25 s at 3.1 MiB/s, 3 files", sandbox.path("a.txt").display());
    let expected = "[SANDBOX]/work/a.txt http://127.0.0.1:[PORT]/x in [TIME] at [RATE], 3 files";
    assert_eq!(sandbox.redact(text), expected);
    assert_eq!(sandbox.redact("\"seconds\": 0.1, \"files\": 3"), "\"seconds\": \"[TIME]\", \"files\": 3");
}
