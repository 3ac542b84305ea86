//! `--exclude-newer`: dates, moments and ages, and files whose upload time nobody tells.

use crate::support::{Index, Published, Sandbox, ServedIndex, Wheel};

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

fn uploaded(version: &str, moment: &str) -> Published {
    Published::from(Wheel::new("demo", version)).uploaded(moment)
}

fn world() -> ServedIndex {
    let index = Index::new().with(uploaded("1.0", "2020-01-01T00:00:00Z"));
    let index = index.with(uploaded("2.0", "2024-03-01T12:00:00.500000Z"));
    index.with(uploaded("3.0", "2099-01-01T00:00:00Z")).serve()
}

/// The version of `demo` that a run before `limit` gets, or what it says.
fn version_before(index: &ServedIndex, limit: &str) -> Result<String, String> {
    let sandbox = Sandbox::new();
    let arguments = ["demo", "--dry-run", "--report", "-", "--exclude-newer", limit];
    let output = sandbox.prefetch_from(index, arguments).args(TARGET).output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8(output.stderr).unwrap());
    }
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    Ok(report["packages"][0]["version"].as_str().unwrap().to_owned())
}

#[test]
fn a_limit_is_a_date_a_moment_or_an_age() {
    let index = world();
    for (limit, version) in [
        ("2024-03-01", "2.0"),
        ("2024-02-29", "1.0"),
        ("2024-03-01T12:00:01Z", "2.0"),
        ("2024-03-01T12:00:00Z", "1.0"),
        ("2024-03-01T14:00:01+02:00", "2.0"),
        ("2024-03-01T14:00:00+02:00", "1.0"),
        ("1 day", "2.0"),
        ("P1D", "2.0"),
        ("24 hours", "2.0"),
    ] {
        assert_eq!(version_before(&index, limit).as_deref(), Ok(version), "{limit}");
    }
}

#[test]
fn nothing_old_enough_is_told_with_its_reason() {
    let told = version_before(&world(), "2001-01-01").unwrap_err();
    assert!(told.contains("was uploaded after the latest moment allowed (and 2 other files)"), "{told}");
    assert!(told.contains("--exclude-newer"), "{told}");
}

#[test]
fn a_file_without_upload_time_is_not_used_and_the_error_says_so() {
    let index = Index::new().wheel("demo", "1.0").without_sizes().serve();
    let told = version_before(&index, "2024-01-01").unwrap_err();
    assert!(told.contains("has no upload time on this index"), "{told}");
    let mixed = Index::new().with(uploaded("1.0", "2020-01-01T00:00:00Z")).wheel("demo", "2.0").serve();
    assert_eq!(version_before(&mixed, "2024-01-01").as_deref(), Ok("1.0"));
}

#[test]
fn what_is_no_limit_is_refused() {
    for limit in ["yesterday", "2024-13-01", ""] {
        let told = version_before(&world(), limit).unwrap_err();
        assert!(told.contains("2026-03-01T12:00:00Z"), "{limit}: {told}");
    }
}

#[test]
fn a_limit_comes_from_pip_s_variable_too() {
    let (index, sandbox) = (world(), Sandbox::new());
    let mut command = sandbox.prefetch_from(&index, ["demo"]);
    command.args(TARGET).env("PIP_UPLOADED_PRIOR_TO", "2021-01-01").assert().code(0);
    assert_eq!(sandbox.files("wheelhouse"), ["demo-1.0-py3-none-any.whl"]);
}

#[test]
fn local_files_are_exempt() {
    let (index, sandbox) = (Index::new().serve(), Sandbox::new());
    sandbox.write("links/demo-9.0-py3-none-any.whl", Wheel::new("demo", "9.0").bytes());
    let arguments = ["demo", "--find-links", "links", "--exclude-newer", "2001-01-01"];
    sandbox.prefetch_from(&index, arguments).args(TARGET).assert().code(0);
    assert_eq!(sandbox.files("wheelhouse"), ["demo-9.0-py3-none-any.whl"]);
}
