//! Which files the options let in: formats by project, hashes of several kinds, files for others.

use sha2::{Digest as _, Sha512};

use crate::support::{Index, Sandbox, Sdist, ServedIndex, Wheel};

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

struct Told {
    code: Option<i32>,
    /// Files and errors.
    text: String,
}

/// Fetches what `requirements` asks for, in an environment with `variables`.
fn fetch(index: &ServedIndex, requirements: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Told {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", requirements);
    let mut command = sandbox.prefetch_from(index, ["-r", "requirements.txt", "--retries", "0"]);
    let output = command.args(TARGET).args(arguments).envs(variables.iter().copied()).output().unwrap();
    let files = sandbox.files("wheelhouse").join(" ");
    Told { code: output.status.code(), text: files + &String::from_utf8_lossy(&output.stderr) }
}

/// `demo` and `other`, each with a wheel and a newer source archive.
fn both_kinds() -> ServedIndex {
    let of = |index: Index, name: &str| index.wheel(name, "1.0").with(Sdist::new(name, "2.0"));
    of(of(Index::new(), "demo"), "other").serve()
}

/// Each row as pip 26.3 decides it: the last word counts, and a file's comes after what is typed.
#[test]
fn formats_are_chosen_by_project_in_the_order_of_the_words() {
    let index = both_kinds();
    let (demo_sources, demo_wheels) =
        ("demo-2.0.tar.gz other-1.0-py3-none-any.whl", "demo-1.0-py3-none-any.whl other-1.0-py3-none-any.whl");
    let all = ["--only-binary", ":all:", "--no-binary", "demo"];
    let name = ["--no-binary", "demo", "--only-binary", ":all:"];
    let from_environment = [("PIP_ONLY_BINARY", ":all:"), ("PIP_NO_BINARY", "demo")];
    for (lines, typed, variables, expected) in [
        ("", &all[..], &[][..], demo_sources),
        ("", &name, &[], demo_wheels),
        ("--no-binary demo\n", &all[..2], &[], demo_sources),
        ("--only-binary :all:\n", &all[2..], &[], demo_wheels),
        ("", &[], &from_environment, demo_sources),
        ("", &all[2..], &from_environment[..1], demo_sources),
    ] {
        let told = fetch(&index, &format!("{lines}demo\nother\n"), typed, variables);
        assert!(told.text.starts_with(expected), "{lines} {typed:?} {variables:?}: {}", told.text);
    }
}

#[test]
fn one_of_several_hashes_is_enough_whatever_the_index_promises() {
    let index = Index::new().wheel("demo", "1.0").serve();
    let file = "demo-1.0-py3-none-any.whl";
    let right: String = Sha512::digest(index.bytes(file)).iter().map(|byte| format!("{byte:02x}")).collect();
    let line = |sha512: &str| format!("demo==1.0 --hash=sha256:{} --hash=sha512:{sha512}\n", "0".repeat(64));
    assert_eq!(fetch(&index, &line(&right), &[], &[]).code, Some(0));
    let told = fetch(&index, &line(&"0".repeat(128)), &[], &[]);
    assert_eq!(told.code, Some(5), "{}", told.text);
}

#[test]
fn hashes_may_be_checked_where_there_are_any() {
    let index = Index::new().wheel("demo", "1.0").wheel("other", "1.0").serve();
    let hashed = |sha256: &str| format!("demo==1.0 --hash=sha256:{sha256}\nother==1.0\n");
    let right = hashed(&index.sha256("demo-1.0-py3-none-any.whl"));
    assert_eq!(fetch(&index, &right, &[], &[]).code, Some(3));
    assert_eq!(fetch(&index, &right, &["--no-require-hashes"], &[]).code, Some(0));
    assert_eq!(fetch(&index, &hashed(&"0".repeat(64)), &["--no-require-hashes"], &[]).code, Some(5));
    let told = fetch(&index, &right, &["--no-require-hashes"], &[("PIP_REQUIRE_HASHES", "1")]);
    assert_eq!(told.code, Some(2), "{}", told.text);
    assert!(told.text.contains("exclude each other"), "{}", told.text);
}

#[test]
fn a_file_named_by_its_url_is_refused_for_its_target() {
    let file = "demo-1.0-cp312-cp312-win_amd64.whl";
    let index = Index::new().with(Wheel::new("demo", "1.0").tags("cp312-cp312-win_amd64")).serve();
    let told = fetch(&index, &format!("demo @ {}\n", index.file_url(file)), &[], &[]);
    assert_eq!(told.code, Some(3));
    assert!(told.text.contains("is for win_amd64 only\n  for cp312-manylinux_2_28_x86_64"), "{}", told.text);
}

/// `--prefer-cached` is about indexes, and would not help.
#[test]
fn a_url_that_leads_nowhere_is_told_without_words_on_an_index() {
    let index = Index::new().wheel("demo", "1.0").serve();
    let host = "http://unreachable.invalid/demo-1.0-py3-none-any.whl";
    let told = fetch(&index, &format!("demo @ {host}\n"), &[], &[]);
    assert_eq!(told.code, Some(4));
    assert!(told.text.contains("could not be reached") && !told.text.contains("--prefer-cached"), "{}", told.text);
    let told = fetch(&index, &format!("demo @ {}\n", index.file_url("demo-9.0-py3-none-any.whl")), &[], &[]);
    assert!(told.text.contains("there is nothing at this address: check it"), "{}", told.text);
}

/// pip 23 and uv take it, pip 24.1 and later does not.
#[test]
fn what_pip_would_refuse_to_install_is_told() {
    let index = Index::new().with(Wheel::new("demo", "1.0").requires("other>=1.*")).wheel("other", "1.0").serve();
    let told = fetch(&index, "demo\n", &[], &[]);
    assert_eq!(told.code, Some(0), "{}", told.text);
    let words = "warning: demo 1.0 has the malformed `Requires-Dist: other>=1.*`, for which pip 24.1 and later";
    assert!(told.text.contains(words), "{}", told.text);
}
