//! Many targets in one run, each on its own; machines that describe themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Index, Sandbox, ServedIndex, Wheel, judges};

const LINUX_39: &str = "cp39-manylinux_2_28_x86_64";
const LINUX_312: &str = "cp312-manylinux_2_28_x86_64";
const WINDOWS_39: &str = "cp39-win_amd64";
const WINDOWS_312: &str = "cp312-win_amd64";

const MATRIX: [&str; 6] =
    ["--python-version", "3.9,3.12", "--platform", "linux-x86_64", "--platform", "windows-x86_64"];

/// Runs for the matrix; the report, and the targets of each file by its name.
fn fetch(index: &ServedIndex, sandbox: &Sandbox, arguments: &[&str]) -> (Value, BTreeMap<String, Value>) {
    let mut command = sandbox.prefetch_from(index, arguments);
    command.args(["--report", "report.json"]).assert().code(0);
    let report = sandbox.json("report.json");
    let files = served(&report);
    (report, files)
}

fn served(report: &Value) -> BTreeMap<String, Value> {
    let packages = report["packages"].as_array().unwrap().iter();
    let files = packages.flat_map(|package| package["files"].as_array().unwrap());
    files.map(|file| (file["filename"].as_str().unwrap().to_owned(), file["targets"].clone())).collect()
}

fn ids(report: &Value) -> Vec<&str> {
    report["targets"].as_array().unwrap().iter().map(|target| target["id"].as_str().unwrap()).collect()
}

#[test]
fn every_version_meets_every_platform_once() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), Sandbox::new().without_python());
    let more = ["--python-version", "39", "--platform", "x86_64-unknown-linux-gnu"];
    let (report, files) = fetch(&index, &sandbox, &[&["demo"], &MATRIX[..], &more].concat());
    assert_eq!(ids(&report), [LINUX_39, WINDOWS_39, LINUX_312, WINDOWS_312]);
    assert_eq!(files["demo-1.0-py3-none-any.whl"], json!([LINUX_39, WINDOWS_39, LINUX_312, WINDOWS_312]));
    assert_eq!(index.requests_for_files().len(), 1, "a file that serves all is fetched once");
    assert_eq!(index.count("/simple/demo"), 1);
}

/// `low` is looked at first, and gives way to `high`.
#[test]
fn nothing_is_asked_for_twice() {
    let index = Index::new()
        .with(Wheel::new("app", "1.0").requires("low").requires("high"))
        .wheel("low", "1.0")
        .wheel("low", "2.0")
        .wheel("high", "1.0")
        .with(Wheel::new("high", "2.0").requires("low<2").requires("deep; python_version < '3.10'"))
        .wheel("deep", "1.0")
        .serve();
    let (report, files) = fetch(&index, &Sandbox::new(), &[&["app", "--dry-run"], &MATRIX[..]].concat());
    assert_eq!(ids(&report).len(), 4);
    assert_eq!(files["low-1.0-py3-none-any.whl"].as_array().unwrap().len(), 4);
    let mut paths = index.paths();
    paths.sort();
    let looked_at = ["app-1.0", "deep-1.0", "high-2.0", "low-1.0", "low-2.0"];
    let metadata = looked_at.map(|release| format!("/files/{release}-py3-none-any.whl.metadata"));
    let pages = ["app", "deep", "high", "low"].map(|project| format!("/simple/{project}/"));
    assert_eq!(paths, [&metadata[..], &pages].concat());
}

#[test]
fn markers_are_those_of_the_target() {
    let demo = Wheel::new("demo", "1.0")
        .requires("windows; sys_platform == 'win32'")
        .requires("linux; platform_system == 'Linux'")
        .requires("mac; sys_platform == 'darwin'")
        .requires("old; python_version < '3.10'")
        .requires("old-windows; python_full_version < '3.10' and os_name == 'nt'");
    let index = ["windows", "linux", "mac", "old", "old-windows"]
        .into_iter()
        .fold(Index::new().with(demo), |index, name| index.wheel(name, "1.0"));
    let (_, files) = fetch(&index.serve(), &Sandbox::new(), &[&["demo"], &MATRIX[..]].concat());
    let targets = |name: &str| files.get(&format!("{name}-1.0-py3-none-any.whl")).cloned();
    assert_eq!(targets("windows"), Some(json!([WINDOWS_39, WINDOWS_312])));
    assert_eq!(targets("linux"), Some(json!([LINUX_39, LINUX_312])));
    assert_eq!(targets("mac"), None);
    assert_eq!(targets("old"), Some(json!([LINUX_39, WINDOWS_39])));
    assert_eq!(targets("old_windows"), Some(json!([WINDOWS_39])));
}

#[test]
fn each_target_gets_the_wheel_of_its_tags() {
    let wheel = |tags: &str| Wheel::new("demo", "1.0").tags(tags);
    let tags = ["cp39-cp39-manylinux_2_17_x86_64", "cp312-cp312-win_amd64", "py3-none-any", "cp39-cp39-win32"];
    let index = tags.iter().fold(Index::new(), |index, tags| index.with(wheel(tags))).serve();
    let (_, files) = fetch(&index, &Sandbox::new(), &[&["demo"], &MATRIX[..]].concat());
    assert_eq!(files["demo-1.0-cp39-cp39-manylinux_2_17_x86_64.whl"], json!([LINUX_39]));
    assert_eq!(files["demo-1.0-cp312-cp312-win_amd64.whl"], json!([WINDOWS_312]));
    assert_eq!(files["demo-1.0-py3-none-any.whl"], json!([WINDOWS_39, LINUX_312]));
    assert_eq!(files.len(), 3);
}

fn two_generations() -> ServedIndex {
    Index::new().wheel("demo", "1.0").with(Wheel::new("demo", "2.0").requires_python(">=3.10")).serve()
}

#[test]
fn requires_python_is_judged_for_each_target() {
    let arguments = ["demo", "--python-version", "3.12,3.9", "--platform", "linux-x86_64"];
    let (_, files) = fetch(&two_generations(), &Sandbox::new(), &arguments);
    assert_eq!(files["demo-2.0-py3-none-any.whl"], json!([LINUX_312]));
    assert_eq!(files["demo-1.0-py3-none-any.whl"], json!([LINUX_39]));
}

#[test]
fn targets_share_versions_where_that_is_asked_for() {
    let (index, sandbox) = (two_generations(), Sandbox::new());
    let told = |versions: &str, option: &[&str], variable: &str| {
        let arguments = [&["demo", "--dry-run", "--platform", "linux-x86_64", "--python-version", versions], option];
        let mut command = sandbox.prefetch_from(&index, arguments.concat());
        let output = command.env("UV_FORK_STRATEGY", variable).assert().code(0).get_output().clone();
        let (plan, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        (plan.matches("fetch   demo-").count(), told)
    };
    for versions in ["3.9,3.12", "3.12,3.9"] {
        let (files, words) = told(versions, &[], "");
        let expected = "Targets got different versions of demo (1.0, 2.0); --fork-strategy fewest shares a version";
        assert!(files == 2 && words.contains(expected), "{words}");
        assert_eq!(told(versions, &["--fork-strategy", "fewest"], "").0, 1);
        let (files, words) = told(versions, &[], "fewest");
        assert!(files == 1 && !words.contains("different versions"), "{words}");
        assert_eq!(told(versions, &["--fork-strategy", "per-target"], "fewest").0, 2);
    }
    let refused = sandbox.prefetch_from(&index, ["demo"]).env("PREFETCH_FORK_STRATEGY", "few").assert().code(2);
    let words = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
    assert!(words.contains("none of per-target, requires-python, fewest"), "{words}");
}

/// `demo` has a wheel for one of the targets, `other` for all; `third` for another one.
fn half_a_world() -> ServedIndex {
    let demo = Wheel::new("demo", "1.0").tags("cp39-cp39-manylinux_2_28_x86_64");
    let third = Wheel::new("third", "1.0").tags("cp39-cp39-win_amd64.manylinux_2_28_x86_64");
    Index::new().with(demo).with(third).wheel("other", "1.0").serve()
}

/// The packages that a report has problems with.
fn troubled(report: &Value) -> Vec<&str> {
    let mut packages: Vec<_> =
        report["problems"].as_array().unwrap().iter().map(|problem| problem["package"].as_str().unwrap()).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

const HALF: [&str; 3] = ["demo", "third", "other"];

#[test]
fn all_targets_without_a_solution_are_told_together() {
    let (index, sandbox) = (half_a_world(), Sandbox::new());
    let arguments = [&HALF[..], &MATRIX, &["--report", "report.json"]].concat();
    let output = sandbox.prefetch_from(&index, arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    for project in ["demo", "third"] {
        assert!(told.contains(&format!("error: {project}: no file can be used")), "{told}");
    }
    assert!(
        told.contains(&format!("for {WINDOWS_39}\n")) && told.contains(&format!("for {LINUX_312}, {WINDOWS_312}\n"))
    );
    assert!(told.contains("hint: 1 of 4 targets can be served; --keep-going fetches for it"), "{told}");
    assert!(sandbox.files("wheelhouse").is_empty());
    assert_eq!(troubled(&sandbox.json("report.json")), ["demo", "third"]);
}

#[test]
fn keep_going_writes_what_was_solved_and_exits_3() {
    let (index, sandbox) = (half_a_world(), Sandbox::new());
    let arguments = [&HALF[..], &MATRIX, &["--keep-going", "--report", "report.json"]].concat();
    let output = sandbox.prefetch_from(&index, arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    let files = sandbox.files("wheelhouse");
    assert_eq!(files.len(), 3, "{files:?}");
    let report = sandbox.json("report.json");
    assert_eq!(report["packages"].as_array().unwrap().len(), 3);
    assert_eq!(served(&report)["other-1.0-py3-none-any.whl"], json!([LINUX_39]));
    let solved: Vec<_> = report["targets"].as_array().unwrap().iter().map(|target| &target["solved"]).collect();
    assert_eq!((ids(&report).len(), solved), (4, vec![&json!(true), &json!(false), &json!(false), &json!(false)]));
    assert_eq!(troubled(&report), ["demo", "third"]);
    assert!(told.contains("error: demo") && told.contains("error: third"), "{told}");
}

#[test]
fn keep_going_replaces_no_bundle_for_more_targets() {
    let (index, sandbox) = (half_a_world(), Sandbox::new());
    let run = |arguments: &[&str], code: i32| {
        let arguments = [arguments, &MATRIX, &["--bundle", "out.zip"]].concat();
        let output = sandbox.prefetch_from(&index, arguments).assert().code(code).get_output().clone();
        String::from_utf8(output.stderr).unwrap()
    };
    run(&["other"], 0);
    let sound = sandbox.read("out.zip");
    let told = run(&["demo", "other", "--keep-going"], 3);
    assert!(told.contains("hint: out.zip stays as it was") && told.contains("--force"), "{told}");
    assert!(sandbox.read("out.zip") == sound);
    run(&["demo", "other", "--keep-going", "--force"], 3);
    assert!(sandbox.read("out.zip") != sound);
}

#[test]
fn keep_going_with_nothing_solved_writes_nothing() {
    let (index, sandbox) = (half_a_world(), Sandbox::new());
    let arguments = ["demo", "--keep-going", "--python-version", "3.12", "--platform", "windows-x86_64"];
    sandbox.prefetch_from(&index, arguments).assert().code(3);
    assert!(sandbox.files("wheelhouse").is_empty());
}

/// pyenv's Pythons whose version begins like this.
fn pyenv(version: &str) -> Vec<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv"));
    let folder = root.or(home).unwrap_or_default().join("versions");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let fitting = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(version));
    fitting.map(|entry| entry.path().join("bin/python")).filter(|python| python.exists()).collect()
}

/// What the script prints there.
fn describe(python: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/describe-target.py");
    let output = Command::new(python).arg(script).env_remove("PYTHONPATH").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_described_machine_is_a_target_elsewhere() {
    let python = pyenv("3.12.").pop().unwrap_or_else(|| judges().bin().join("python"));
    let description = describe(&python);
    let tag = description["tags"][0].as_str().unwrap();
    let (major_minor, machine) =
        (&description["markers"]["python_version"], &description["markers"]["platform_machine"]);
    let bound = Wheel::new("demo", "1.0")
        .tags(tag)
        .requires(&format!("here; python_version == {major_minor} and platform_machine == {machine}"))
        .requires(&format!("elsewhere; python_version != {major_minor}"));
    let index = Index::new().with(bound).wheel("demo", "1.0").wheel("here", "1.0").wheel("elsewhere", "1.0").serve();
    let sandbox = Sandbox::new().without_python();
    sandbox.write("machine.json", description.to_string());
    let (report, files) = fetch(&index, &sandbox, &["demo", "--target", "machine.json"]);
    assert_eq!(files.keys().collect::<Vec<_>>(), [&format!("demo-1.0-{tag}.whl"), "here-1.0-py3-none-any.whl"]);
    assert_eq!(report["targets"][0]["platform"], description["platform"]);
}

#[test]
fn every_python_describes_itself() {
    let pythons = [pyenv(""), vec![judges().bin().join("python")]].concat();
    let (index, sandbox) =
        (Index::new().with(Wheel::new("demo", "1.0").tags("py2.py3-none-any")).serve(), Sandbox::new());
    for python in pythons {
        let description = describe(&python);
        assert!(description["tags"].as_array().is_some_and(|tags| tags.len() > 9), "{}", python.display());
        sandbox.write("machine.json", description.to_string());
        let (report, _) = fetch(&index, &sandbox, &["demo", "--target", "machine.json"]);
        assert_eq!(report["targets"][0]["python_version"], description["markers"]["python_version"]);
    }
}

/// What the script answers there to one of prefetch's own questions.
fn ask(python: &Path, question: &str) -> Value {
    let script = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/describe-target.py"));
    let output = Command::new(python).args(["-B", "-c", &script.unwrap(), question]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str::<Value>(line.trim()).unwrap()["answer"].take()
}

#[test]
fn a_pip_need_not_be_imported_for_its_index() {
    for python in [pyenv(""), vec![judges().bin().join("python")]].concat() {
        let (read, imported) = (ask(&python, "machine"), ask(&python, "pip"));
        assert!(read["default_index"].is_string(), "{}", python.display());
        assert_eq!(read["default_index"], imported["default_index"], "{}", python.display());
    }
}

#[test]
fn described_machines_join_the_matrix() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), Sandbox::new());
    let mut description = describe(&judges().bin().join("python"));
    sandbox.write("one.json", description.to_string());
    description["tags"] = json!(["py3-none-any"]);
    sandbox.write("two.json", description.to_string());
    let machines = ["--target", "one.json", "--target", "two.json", "--target", "one.json"];
    let (report, files) = fetch(&index, &sandbox, &[&["demo"], &MATRIX[..], &machines].concat());
    let all = ids(&report);
    assert_eq!(all.len(), 6, "{all:?}");
    assert!(all[4].ends_with("-1") && all[5].ends_with("-2"), "{all:?}");
    assert_eq!(files["demo-1.0-py3-none-any.whl"], json!(all));
}

#[test]
fn pairs_are_targets_of_their_own() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), Sandbox::new().without_python());
    let pairs =
        ["--target", "3.11:windows-x86_64", "--target", "3.12:linux-x86_64-musl", "--target", "cp311-win_amd64"];
    let (report, _) = fetch(&index, &sandbox, &[&["demo"], &pairs[..]].concat());
    assert_eq!(ids(&report), ["cp311-win_amd64", "cp312-musllinux_1_2_x86_64"]);
    let output = sandbox.prefetch_from(&index, ["demo", "--target", "3.12:win64"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && told.contains("did you mean `windows-x86_64`?"), "{told}");
}

#[test]
fn a_pair_joins_a_machine_that_describes_itself() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), Sandbox::new());
    let script = sandbox.prefetch(["describe-target"]).assert().code(0).get_output().stdout.clone();
    sandbox.write("machine.py", script);
    let python = judges().bin().join("python");
    let told = Command::new(python).arg(sandbox.path("machine.py")).output().unwrap();
    assert!(told.status.success(), "{told:?}");
    sandbox.write("machine.json", told.stdout);
    let (report, _) = fetch(&index, &sandbox, &["demo", "--target", "machine.json", "--target", "3.9:win32"]);
    assert_eq!(ids(&report).len(), 2);
    assert!(ids(&report).contains(&"cp39-win32"));
}

#[test]
fn targets_are_told_in_words_and_with_what_was_assumed() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), Sandbox::new());
    let told = |arguments: &[&str]| {
        let output = sandbox.prefetch_from(&index, arguments).assert().code(0).get_output().clone();
        String::from_utf8(output.stderr).unwrap()
    };
    let open = told(&["demo", "--python-version", "3.12", "--platform", "linux"]);
    assert!(open.contains("warning: `linux` is taken for linux-x86_64"), "{open}");
    assert!(open.contains("For Python 3.12 on Linux x86_64 (glibc 2.28 or later)."), "{open}");
    let matrix = told(&[&["demo"], &MATRIX[..]].concat());
    assert!(matrix.contains("For 4 targets:\n  Python 3.9 on Linux") && !matrix.contains("warning"), "{matrix}");
}

#[test]
fn what_describes_no_machine_is_refused() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), Sandbox::new());
    sandbox.write("broken.json", "{\"schema\": 1, ");
    sandbox.write("other.json", "{\"schema\": 1, \"name\": \"demo\"}");
    for file in ["broken.json", "other.json", "absent.json"] {
        let output = sandbox.prefetch_from(&index, ["demo", "--target", file]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(file) && told.contains("`prefetch describe-target`"), "{told}");
    }
}
