//! What older source archives need, read without running them.

use std::process::Output;

use serde_json::Value;

use crate::support::{Index, Sandbox, Sdist, ServedIndex};

const SETUP: &str = "from setuptools import setup\nsetup(name='demo', install_requires=['other>=2'])\n";
const SILENT: &str = "from setuptools import setup\nsetup(**load())\n";
const WARNING: &str = "warning: what 1 source archive needs was read without running its build";

fn world(sdist: Sdist) -> ServedIndex {
    Index::new().with(sdist).wheel("other", "1.0").wheel("other", "2.0").serve()
}

fn demo() -> Sdist {
    Sdist::new("demo", "1.0")
}

fn run(sandbox: &Sandbox, index: &ServedIndex, more: &[&str]) -> Output {
    let arguments = ["--dry-run", "--report", "report.json"];
    sandbox.prefetch_from(index, ["demo"]).args(arguments).args(more).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What the report says of the archive's metadata.
fn source(sandbox: &Sandbox) -> Value {
    let report = sandbox.json("report.json");
    let packages = report["packages"].as_array().unwrap();
    let demo = packages.iter().find(|package| package["name"] == "demo").unwrap();
    assert_eq!(demo["dependencies"], serde_json::json!(["other"]));
    demo["files"][0]["metadata"].clone()
}

#[test]
fn each_part_that_tells_is_read_and_named() {
    let cfg = "[options]\ninstall_requires =\n  other>=2\n";
    let flit = "[build-system]\nrequires = []\nbuild-backend = 'flit_core.buildapi'\n\
        [tool.flit.metadata]\nrequires = ['other>=2']\n";
    for (expected, sdist) in [
        ("egg-info", demo().egg_info("other>=2\n", SILENT)),
        ("egg-info", demo().egg_info("other>=2\n", SETUP)),
        ("setup.py", demo().silent(&[("setup.py", SETUP)])),
        ("setup.cfg", demo().silent(&[("setup.cfg", cfg), ("setup.py", "import setuptools\nsetuptools.setup()\n")])),
        ("pyproject.toml", demo().silent(&[("pyproject.toml", flit)])),
    ] {
        let (index, sandbox) = (world(sdist), Sandbox::new());
        let output = run(&sandbox, &index, &[]);
        assert_eq!(output.status.code(), Some(0), "{expected}: {}", told(&output));
        assert_eq!(source(&sandbox), expected);
        assert_eq!(told(&output).matches(WARNING).count(), 1, "{}", told(&output));
        assert!(told(&output).contains(&format!("demo-1.0.tar.gz ({expected})")), "{}", told(&output));
    }
}

#[test]
fn what_is_reliable_needs_no_warning() {
    let (index, sandbox) = (world(demo().requires("other")), Sandbox::new());
    let output = run(&sandbox, &index, &[]);
    assert_eq!(source(&sandbox), "declared");
    assert!(!told(&output).contains("warning"), "{}", told(&output));
}

#[test]
fn the_warning_comes_again_with_a_plan_that_is_remembered() {
    let (index, sandbox) = (world(demo().egg_info("other\n", SILENT)), Sandbox::new());
    let first = told(&run(&sandbox, &index, &[]));
    index.forget_requests();
    let second = told(&run(&sandbox, &index, &["--offline"]));
    for told in [first, second] {
        assert_eq!(told.matches(WARNING).count(), 1, "{told}");
    }
    assert_eq!(source(&sandbox), "egg-info");
}

/// A `setup.py` that needs `other` where `condition` holds.
fn branch(condition: &str) -> String {
    format!(
        "import os, sys\nfrom setuptools import setup\nneeds = []\nif {condition}:\n    needs.append('other')\n\
         setup(install_requires=needs)\n"
    )
}

#[test]
fn branches_on_the_machine_are_read_for_every_target() {
    let windows = branch("sys.platform == 'win32'");
    for sdist in [demo().silent(&[("setup.py", &windows)]), demo().egg_info("other\n", &windows)] {
        let (index, sandbox) = (world(sdist), Sandbox::new());
        let targets = ["--python-version", "3.12", "--platform", "linux-x86_64", "--platform", "windows-x86_64"];
        let output = run(&sandbox, &index, &targets);
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        assert_eq!(source(&sandbox), "setup.py");
        let packages = sandbox.json("report.json")["packages"].clone();
        let other = packages.as_array().unwrap().iter().find(|package| package["name"] == "other").unwrap();
        assert_eq!(other["files"][0]["targets"], serde_json::json!(["cp312-win_amd64"]), "{other}");
    }
}

#[test]
fn contradictions_and_what_is_computed_are_refused() {
    let branch = branch("'X' in os.environ");
    for sdist in [
        demo().egg_info("other>=1\n", SETUP),
        demo().egg_info("other\n", &branch),
        demo().silent(&[("setup.py", SILENT)]),
        demo().silent(&[("setup.py", &branch)]),
        demo().silent(&[("setup.py", "setup(")]),
    ] {
        let (index, sandbox) = (world(sdist), Sandbox::new());
        let output = run(&sandbox, &index, &[]);
        assert_eq!(output.status.code(), Some(3), "{}", told(&output));
        assert!(told(&output).contains("--allow-build"), "{}", told(&output));
    }
}

#[test]
fn a_conflict_names_the_archives_whose_builds_may_say_otherwise() {
    for (sdist, is_named) in [(demo().egg_info("other>=3\n", SILENT), true), (demo().requires("other>=3"), false)] {
        let (index, sandbox) = (world(sdist), Sandbox::new());
        let output = run(&sandbox, &index, &[]);
        assert_eq!(output.status.code(), Some(3), "{}", told(&output));
        let fact = told(&output).contains("needs other>=3 (by its egg-info; a build may say otherwise)");
        assert_eq!(fact, is_named, "{}", told(&output));
        assert_eq!(told(&output).contains("--strict-metadata with --allow-build asks"), is_named, "{}", told(&output));
    }
}

#[test]
fn strict_metadata_refuses_it_also_where_it_is_remembered() {
    let (index, sandbox) = (world(demo().egg_info("other\n", SILENT)), Sandbox::new());
    assert_eq!(run(&sandbox, &index, &[]).status.code(), Some(0));
    let strict = run(&sandbox, &index, &["--strict-metadata"]);
    assert_eq!(strict.status.code(), Some(3), "{}", told(&strict));
    let variable =
        sandbox.prefetch_from(&index, ["demo"]).env("PREFETCH_STRICT_METADATA", "1").arg("--dry-run").output().unwrap();
    assert_eq!(variable.status.code(), Some(3), "{}", told(&variable));
    assert_eq!(run(&sandbox, &index, &[]).status.code(), Some(0));
}

#[test]
fn a_bundle_says_where_metadata_was_read() {
    let archive = Sdist::new("demo", "1.0").requires("other>=2").told_by_build();
    for (sdist, more, expected) in
        [(demo().egg_info("other\n", SILENT), &[][..], "egg-info"), (archive, &["--allow-build"][..], "built")]
    {
        let (index, sandbox) = (world(sdist), Sandbox::new());
        let arguments = ["--bundle", "b/", "--no-build-requires"];
        let output = sandbox.prefetch_from(&index, ["demo"]).args(arguments).args(more).output().unwrap();
        let is_gap = told(&output).contains("does not install");
        assert!(!is_gap, "{}", told(&output));
        let manifest = sandbox.json("b/prefetch.json");
        assert_eq!(manifest["packages"][0]["files"][0]["metadata"], expected);
        let verified = sandbox.prefetch(["verify", "b", "--json"]).output().unwrap();
        let verified: Value = serde_json::from_slice(&verified.stdout).unwrap();
        assert_eq!(verified["metadata"]["wheels/demo-1.0.tar.gz"], expected, "{verified}");
    }
}
