//! Lock files that are old, faulty, or not those that their tool reads: what is told of them.

use crate::support::Sandbox;

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

fn parsed(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let output = sandbox.prefetch([&["parse"], arguments, &TARGET].concat()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn packages_without_files_are_told_once() {
    let sandbox = Sandbox::new();
    let package = |name: &str| {
        format!("[[package]]\nname = '{name}'\nversion = '1.0'\npython-versions = '*'\ngroups = ['main']\nfiles = []\n")
    };
    let names = ["a", "b", "c", "d", "e", "f"];
    let packages: String = names.into_iter().map(package).collect();
    sandbox.write("poetry.lock", format!("{packages}[metadata]\nlock-version = '2.1'\npython-versions = '>=3.9'\n"));
    let told = parsed(&sandbox, &["poetry.lock"]);
    assert!(told.contains("it names no file of a, b, c, d, e and 1 more, as a faulty version"), "{told}");
    assert_eq!(told.matches("no file").count(), 1, "{told}");
}

#[test]
fn parse_names_the_package_that_a_lock_lacks() {
    let sandbox = Sandbox::new();
    sandbox.write("pyproject.toml", "[tool.poetry.dependencies]\npython = '*'\nrich = '*'\n");
    sandbox.write("poetry.lock", "package = []\n[metadata]\nlock-version = '2.0'\npython-versions = '*'\n");
    let told = parsed(&sandbox, &["poetry.lock"]);
    assert!(told.contains("rich: it is needed, and the lock does not have it"), "{told}");
    assert!(parsed(&sandbox, &["--json", "poetry.lock"]).contains("rich: it is needed"));
}

#[test]
fn a_lock_of_which_nothing_is_taken_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write("pyproject.toml", "[tool.black]\n");
    let package =
        "[[package]]\nname = 'demo'\nversion = '1.0'\nsource = { registry = 'https://index.example/simple' }\n";
    sandbox.write("uv.lock", format!("version = 1\nrequires-python = '>=3.9'\n{package}"));
    let output = sandbox.prefetch([&["--dry-run"], &TARGET[..]].concat()).assert().success().get_output().clone();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("uv.lock: what was asked for takes none of its packages"), "{told}");
}

#[test]
fn a_lock_in_a_member_of_a_workspace_is_none_that_uv_reads() {
    let sandbox = Sandbox::new();
    sandbox.write("pyproject.toml", "[tool.uv.workspace]\nmembers = ['a']\n");
    sandbox.write("uv.lock", "version = 1\nrequires-python = '>=3.9'\n");
    sandbox.write("a/pyproject.toml", "[project]\nname = 'one'\n");
    sandbox.write("a/uv.lock", "version = 1\nrequires-python = '>=3.9'\n");
    let told = |folder: &str| {
        let mut run = sandbox.prefetch([&["--dry-run"], &TARGET[..]].concat());
        let output = run.current_dir(sandbox.path(folder)).output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let inside = told("a");
    let warning = "whose lock is ../uv.lock, which is not this one; what uv installs here is taken by: prefetch -r ../uv.lock \
                   --package one";
    assert!(inside.contains(warning), "{inside}");
    assert!(!told(".").contains("workspace"));
}
