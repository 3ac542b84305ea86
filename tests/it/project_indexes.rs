//! Indexes that the pyproject.toml of a project names for its dependencies.

use crate::support::{Index, Sandbox, ServedIndex, Wheel};

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

/// The usual index, and one of the company that has newer and other versions of the same projects.
fn world() -> (ServedIndex, ServedIndex) {
    let usual =
        Index::new().with(Wheel::new("app-part", "1.0").requires("torch")).wheel("torch", "3.0").wheel("other", "1.0");
    let own = Index::new().wheel("torch", "2.0").wheel("other", "9.0").basic_auth("me", "hunter2");
    (usual.serve(), own.serve())
}

/// The files that a project gets, and what was told.
fn fetched(sandbox: &Sandbox, usual: &ServedIndex, pyproject: &str) -> (Vec<String>, String) {
    sandbox.write("pyproject.toml", pyproject);
    let arguments = ["-r", "pyproject.toml", "-d", "out", "--report", "report.json", "-v"];
    let output = sandbox.prefetch_from(usual, TARGET).args(arguments).assert().success().get_output().clone();
    let mut files = sandbox.files("out");
    files.retain(|file| file.ends_with(".whl"));
    (files, String::from_utf8(output.stderr).unwrap() + &String::from_utf8(sandbox.read("report.json")).unwrap())
}

#[test]
fn a_dependency_with_an_index_of_its_own_comes_from_it_alone_and_nothing_else_does() {
    let sources = [
        ("[tool.uv.sources]\ntorch = { index = 'own' }\n[[tool.uv.index]]\nname = 'own'\nexplicit = true\nurl = 'URL'\n"),
        ("[tool.poetry.dependencies]\ntorch = { source = 'own' }\n[[tool.poetry.source]]\nname = 'own'\npriority = \
          'explicit'\nurl = 'URL'\n"),
        ("[[tool.pdm.source]]\nname = 'own'\ninclude_packages = ['torch']\nurl = 'URL'\n"),
    ];
    for source in sources {
        let ((usual, own), sandbox) = (world(), Sandbox::new());
        let url = own.url().replace("http://", "http://me:hunter2@");
        let project =
            format!("[project]\nname = 'app'\nversion = '1'\ndependencies = ['app-part', 'torch', 'other']\n{source}");
        let (files, told) = fetched(&sandbox, &usual, &project.replace("URL", &url));
        let expected = ["app_part-1.0-py3-none-any.whl", "other-1.0-py3-none-any.whl", "torch-2.0-py3-none-any.whl"];
        assert_eq!(files, expected, "{source}");
        assert!(!told.contains("hunter2"), "{told}");
        assert_eq!((usual.count("/torch"), own.count("/other")), (0, 0), "{source}");
    }
}

/// The passwords of uv's and Poetry's variables belong to the names of indexes.
#[test]
fn variables_hold_the_password_of_an_index_by_its_name() {
    let ((usual, own), sandbox) = (world(), Sandbox::new());
    let project = format!(
        "[project]\nname = 'app'\nversion = '1'\ndependencies = ['torch']\n[tool.uv.sources]\ntorch = {{ index = \
         'our-own' }}\n[[tool.uv.index]]\nname = 'our-own'\nexplicit = true\nurl = '{}'\n",
        own.url()
    );
    sandbox.write("pyproject.toml", project);
    let mut command = sandbox.prefetch_from(&usual, TARGET);
    command.env("UV_INDEX_OUR_OWN_USERNAME", "me").env("UV_INDEX_OUR_OWN_PASSWORD", "hunter2");
    command.args(["-r", "pyproject.toml", "-d", "out"]).assert().success();
    assert!(sandbox.files("out").contains(&"torch-2.0-py3-none-any.whl".to_owned()));
}

#[test]
fn a_cached_plan_is_not_that_of_another_index() {
    let ((usual, own), sandbox) = (world(), Sandbox::new());
    let project = "[project]\nname = 'app'\nversion = '1'\ndependencies = ['torch']\n";
    assert_eq!(fetched(&sandbox, &usual, project).0, ["torch-3.0-py3-none-any.whl"]);
    let url = own.url().replace("http://", "http://me:hunter2@");
    let pinned = format!(
        "{project}[tool.uv.sources]\ntorch = {{ index = 'own' }}\n[[tool.uv.index]]\nname = 'own'\nexplicit = true\nurl = '{url}'\n"
    );
    assert!(fetched(&sandbox, &usual, &pinned).0.contains(&"torch-2.0-py3-none-any.whl".to_owned()));
}
