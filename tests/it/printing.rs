//! The lines that a run prints for copying: each is run as it stands.

use std::path::Path;
use std::process::Command;

use crate::carrying::world;
use crate::support::{Index, Sandbox, Sdist, ServedIndex, Wheel, files_below, judges};

const TARGET: [&str; 4] = ["--python-version", "3.11", "--platform", "linux-x86_64"];

/// What a run with these arguments tells.
fn told(sandbox: &Sandbox, index: &ServedIndex, arguments: &[&str]) -> String {
    let output = sandbox.prefetch_from(index, arguments).args(TARGET).assert().code(0).get_output().clone();
    String::from_utf8(output.stderr).unwrap()
}

/// The lines for copying, without the conditions above them.
fn lines(told: &str) -> Vec<String> {
    let (_, lines) = told.split_once("To install without a network").unwrap();
    let lines = lines.lines().skip(1).map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(ToOwned::to_owned).collect()
}

/// What the line installs, run in the sandbox by a shell that has Python, tar and prefetch.
fn installed(sandbox: &Sandbox, line: &str) -> Vec<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_prefetch")).parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", judges().bin().display(), program.display());
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(sandbox.path("")).env_clear().env("PATH", path);
    command.env("HOME", sandbox.path("home")).env("PIP_CONFIG_FILE", "/dev/null").env("PIP_NO_CACHE_DIR", "1");
    let output = command.env("PIP_TARGET", sandbox.path("installed")).output().unwrap();
    assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
    let files = files_below(&sandbox.path("installed"));
    let names = files.iter().filter_map(|path| Some(path.split_once(".dist-info/METADATA")?.0.to_owned()));
    let names = names.collect();
    std::fs::remove_dir_all(sandbox.path("installed")).unwrap();
    let _ = std::fs::remove_dir_all(sandbox.path("bundle"));
    names
}

#[test]
fn every_printed_line_installs_what_was_asked_for() {
    let (index, sandbox) = (world(), Sandbox::new());
    sandbox.write("my requirements.txt", "other\n");
    sandbox.prefetch_from(&index, ["demo==1.0", "--bundle", "old one.tar"]).args(TARGET).assert().code(0);
    for arguments in [
        &["-r", "my requirements.txt"][..],
        &["-r", "my requirements.txt", "-d", "my wheels"],
        &["other>=1", "--layout", "simple", "-d", "an index"],
        &["other", "--bundle", "a bundle.zip"],
        &["other", "--bundle", "a.tar"],
        &["other", "--bundle", "a.tar.gz"],
        &["other", "--bundle", "a folder/"],
        &["other", "--bundle", "a.zip", "--split", "100k"],
        &["other", "--bundle", "a delta.tar", "--since", "old one.tar"],
    ] {
        let lines = lines(&told(&sandbox, &index, arguments));
        assert_eq!(lines.len(), 1, "{arguments:?}");
        assert_eq!(installed(&sandbox, &lines[0]), ["demo-12.0", "other-2.0"], "{arguments:?}");
    }
    let mut run = sandbox.prefetch_from(&index, ["other", "-d", "by variable"]);
    let output = run.args(TARGET).env("PREFETCH_NO_DEPS", "1").assert().code(0).get_output().clone();
    let by_variable = lines(&String::from_utf8(output.stderr).unwrap());
    assert_eq!(installed(&sandbox, &by_variable[0]), ["other-2.0"]);
    for arguments in [&["other", "--no-deps"][..], &["other", "--no-deps", "--bundle", "alone.zip"]] {
        let lines = lines(&told(&sandbox, &index, arguments));
        assert_eq!(installed(&sandbox, &lines[0]), ["other-2.0"], "{arguments:?}");
    }
}

/// What no pip can be given without a network is pinned in a file beside the distributions.
#[test]
fn what_pip_cannot_be_given_is_pinned_beside_the_files() {
    let (index, sandbox) = (world(), Sandbox::new());
    sandbox.write("pyproject.toml", "[project]\nname = 'app'\nversion = '1'\ndependencies = ['other']\n");
    let url = format!("other @ {}", index.file_url("other-2.0-py3-none-any.whl"));
    for arguments in [
        &[][..],
        &["-r", "pyproject.toml"],
        &["-r", "pyproject.toml", "-d", "my wheels"],
        &["-r", "pyproject.toml", "-d", "an index", "--layout", "simple"],
        &[&url],
    ] {
        let lines = lines(&told(&sandbox, &index, arguments));
        assert_eq!(lines.len(), 1, "{arguments:?}");
        assert!(lines[0].contains("requirements.txt"), "{lines:?}");
        assert_eq!(installed(&sandbox, &lines[0]), ["demo-12.0", "other-2.0"], "{arguments:?}");
    }
    let told = told(&sandbox, &index, &["-r", "pyproject.toml", "-d", "cache", "--layout", "pip-http"]);
    assert!(!told.contains("To install") && !sandbox.path("cache/requirements.txt").exists(), "{told}");
}

#[test]
fn a_line_that_does_not_always_work_has_its_condition() {
    let index = Index::new().with(Sdist::new("kit", "3.0")).wheel("demo", "1.0").serve();
    let sandbox = Sandbox::new();
    for (arguments, condition) in [
        (
            &["kit"][..],
            "# where kit-3.0.tar.gz can be built with what is installed (--no-build-isolation); --build-requ",
        ),
        (&["demo", "--layout", "download-cache", "-d", "cache"], "# with pip 1.0 to 1.5.6:"),
        (&["demo", "--layout", "pip-http-v2", "-d", "pip"], "# with a pip that still reaches its index"),
        (&["demo"], "To install without a network, on cp311-manylinux_2_28_x86_64:"),
    ] {
        let told = told(&sandbox, &index, arguments);
        assert!(told.contains(condition), "{told}");
    }
}

/// Windows PowerShell knows neither `&&` nor single quotes as others do.
#[test]
fn lines_for_windows_are_lines_of_every_shell() {
    let (index, sandbox) = (world(), Sandbox::new());
    let targets = ["--python-version", "3.12", "--platform", "windows-x86_64"];
    let mut command = sandbox.prefetch_from(&index, ["other", "--bundle", "my bundle.zip"]);
    let output = command.args(targets).assert().code(0).get_output().clone();
    let lines = lines(&String::from_utf8(output.stderr).unwrap());
    let expected =
        ["python -m zipfile -e \"my bundle.zip\" bundle", "python -m pip install -r bundle/requirements.txt"];
    assert_eq!(lines, expected);
}

/// cmd expands `%name%` in any quotes, and PowerShell lets a typographic quote end a text.
#[test]
fn a_line_that_only_unix_shells_understand_says_so() {
    let (index, sandbox) = (world(), Sandbox::new());
    for name in ["100%sure%.zip", "it\u{2019}s.zip"] {
        let mut command = sandbox.prefetch_from(&index, ["other", "--bundle", name]);
        let targets = ["--python-version", "3.12", "--platform", "windows-x86_64"];
        let output = command.args(targets).assert().code(0).get_output().clone();
        let told = String::from_utf8(output.stderr).unwrap();
        let expected = format!("# in a Unix shell:\n  python -m zipfile -e '{name}' bundle && ");
        assert!(told.contains(&expected), "{told}");
    }
}

/// What a run that ends with 1 tells is one verdict: it advises no install, and nothing that was passed.
#[test]
fn a_bundle_with_a_gap_is_not_advised_and_replaces_no_better_one() {
    let good = Index::new().with(Sdist::new("kit", "3.0")).wheel("setuptools", "80.0").wheel("wheel", "0.45").serve();
    let bad = Index::new().with(Sdist::new("kit", "3.0")).serve();
    let sandbox = Sandbox::new();
    for bundle in ["new.zip", "new/"] {
        let mut command = sandbox.prefetch_from(&bad, ["kit", "--bundle", bundle]);
        let output = command.args(TARGET).assert().code(1).get_output().clone();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(", which is not sound.") && !told.contains("To install"), "{told}");
    }
    for bundle in ["out.zip", "folder/"] {
        let run = |index: &ServedIndex, more: &[&str], code| {
            let mut command = sandbox.prefetch_from(index, ["kit", "--bundle", bundle]);
            let output = command.args(TARGET).args(more).assert().code(code).get_output().clone();
            String::from_utf8(output.stderr).unwrap()
        };
        run(&good, &[], 0);
        let told = run(&bad, &[], 1);
        assert!(told.contains("stays as it was: the new bundle is not sound") && told.contains("--force"), "{told}");
        sandbox.prefetch(["verify", bundle]).assert().code(0);
        run(&bad, &["--force"], 1);
        sandbox.prefetch(["verify", bundle]).assert().code(1);
    }
}

/// Its build says what it needs, and the manifest keeps that.
#[test]
fn what_a_build_was_allowed_to_say_counts_in_the_proof() {
    let index =
        Index::new().with(Sdist::new("kit", "3.0").requires("demo").told_by_build()).wheel("demo", "1.0").serve();
    let sandbox = Sandbox::new();
    let python = judges().bin().join("python").display().to_string();
    let mut command =
        sandbox.prefetch_from(&index, ["kit", "--allow-build", "--python", &python, "--bundle", "out.zip"]);
    command.assert().code(0);
    sandbox.prefetch(["verify", "out.zip"]).assert().code(0);
}

/// A login page and a cut wheel have the name of one, and nobody promises a digest.
#[test]
fn what_is_no_wheel_gets_no_name() {
    let sandbox = Sandbox::new();
    let whole = Wheel::new("demo", "1.0").bytes();
    let targets = ["--no-deps", "--no-index", "-f", "links"];
    for (name, bytes) in [
        ("demo-1.0-py3-none-any.whl", b"<html>sign in</html>".as_slice()),
        ("demo-1.0-py3-none-any.whl", &whole[..whole.len() - 30]),
        ("demo-1.0.tar.gz", &Sdist::new("demo", "1.0").bytes()[..200]),
    ] {
        sandbox.write(&format!("links/{name}"), bytes);
        let output = sandbox.prefetch(["demo"]).args(targets).assert().code(5).get_output().clone();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(&format!("{name}: it is no ")), "{told}");
        assert_eq!(sandbox.files("wheelhouse"), Vec::<String>::new());
        std::fs::remove_file(sandbox.path(format!("links/{name}"))).unwrap();
    }
}
