//! A project's own tool installs from a bundle by the project's own lock: pip, Poetry, uv with scripts
//! and workspaces.

use std::fmt::Write as _;

use crate::locking::entry;
use crate::pointing::shell;
use crate::support::{Fault, Index, Sandbox, ServedIndex, Wheel};
use crate::tools::BACKEND;

const TARGET: [&str; 4] = ["--python-version", "3.11", "--platform", "linux-x86_64"];

fn bundle(sandbox: &Sandbox, index: &ServedIndex, arguments: &[&str]) -> String {
    let run = sandbox.prefetch_from(index, [arguments, &TARGET, &["--bundle", "bundle/"]].concat());
    let output = { run }.assert().success().get_output().clone();
    String::from_utf8(output.stderr).unwrap()
}

fn text(sandbox: &Sandbox, path: &str) -> String {
    String::from_utf8(sandbox.read(path)).unwrap()
}

/// A pylock.toml (PEP 751) with a package for each file.
fn pylock(index: &ServedIndex, packages: &[(&str, &str, &str)]) -> String {
    let mut text = String::from(
        "lock-version = '1.0'\ncreated-by = 'somebody'\nextras = ['more', 'unpacked']\ndependency-groups = ['dev', \
         'docs']\ndefault-groups = ['docs']\n",
    );
    for (name, filename, marker) in packages {
        let (url, sha256) = (index.file_url(filename), index.sha256(filename));
        write!(
            text,
            "[[packages]]\nname = '{name}'\nversion = '1.0'\n{marker}\n[[packages.wheels]]\nurl = '{url}'\nhashes = {{ sha256 = \
             '{sha256}' }}\n"
        )
        .unwrap();
    }
    text
}

#[test]
fn pip_installs_by_the_own_lock_of_a_project_with_its_extras_and_groups() {
    let index = ["demo", "more", "linter", "docs"].iter().fold(Index::new(), |index, name| index.wheel(name, "1.0"));
    let (index, sandbox) = (index.serve(), Sandbox::new());
    let lock = pylock(
        &index,
        &[
            ("demo", "demo-1.0-py3-none-any.whl", ""),
            ("docs", "docs-1.0-py3-none-any.whl", "marker = \"'docs' in dependency_groups\""),
            ("linter", "linter-1.0-py3-none-any.whl", "marker = \"'dev' in dependency_groups\""),
            ("more", "more-1.0-py3-none-any.whl", "marker = \"'more' in extras\""),
        ],
    );
    sandbox.write("pylock.toml", lock);
    let told = bundle(&sandbox, &index, &["--extra", "more", "--group", "dev", "--no-default-groups"]);
    let line = "python -m pip install --no-index -r \"bundle/pip/pylock.toml[more]\"";
    assert!(told.contains(line), "{told}");
    shell(&sandbox, &format!("{line} --target all; {} --target some", line.replace("[more]", ""))).assert().success();
    let installed = |folder: &str| {
        let names = sandbox
            .files(folder)
            .into_iter()
            .filter_map(|path| Some(path.split_once("-1.0.dist-info/RECORD")?.0.to_owned()));
        names.collect::<Vec<_>>()
    };
    assert_eq!((installed("all"), installed("some")), (names(&["demo", "linter", "more"]), names(&["demo", "linter"])));
    sandbox.prefetch(["verify", "bundle"]).assert().success();
    let twin = text(&sandbox, "bundle/pip/pylock.toml");
    sandbox.write("bundle/pip/pylock.toml", twin.replace("'dev' in", "'docs' in"));
    let told = sandbox.prefetch(["verify", "bundle"]).output().unwrap();
    let told = String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).into_owned();
    assert!(told.contains("it does not name linter, which is packed for it"), "{told}");
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn uv_runs_a_script_from_a_bundle_by_its_own_lock() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").wheel("demo", "2.0").serve(), Sandbox::new());
    let script = "# /// script\n# requires-python = '>=3.9'\n# dependencies = ['demo']\n# [[tool.uv.index]]\n# url = \
                  'https://me:hunter2@index.example/simple'\n# ///\nimport demo\nprint('has', demo.__version__)\n";
    let lock =
        "version = 1\nrevision = 3\nrequires-python = \">=3.9\"\n[manifest]\nrequirements = [{ name = \"demo\" }]\n\n";
    sandbox.write("job.py", script);
    sandbox.write("job.py.lock", lock.to_owned() + &entry(&index, "demo", "1.0", "demo-1.0-py3-none-any.whl", ""));
    // It is of no concern to a script.
    sandbox
        .write("pyproject.toml", "[project]\nname = 'other'\nversion = '1'\n[dependency-groups]\ndev = ['nowhere']\n");
    let told = bundle(&sandbox, &index, &["-r", "job.py.lock"]);
    let line = "uv run --frozen --offline --find-links bundle/wheels --script bundle/uv/script.py";
    assert!(told.contains(line), "{told}");
    for line in [line, "eval \"$(prefetch env bundle --for uv --shell sh)\"; uv run --script bundle/uv/script.py"] {
        let line = line.replace("uv run", "uv run --no-cache --python $(command -v python)");
        let output = shell(&sandbox, &line).assert().success().get_output().clone();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "has 1.0\n");
    }
    for file in ["bundle/uv/script.py", "bundle/uv/script.py.lock", "bundle/prefetch.json"] {
        assert!(!text(&sandbox, file).contains("hunter2"), "{file}");
    }
    sandbox.prefetch(["verify", "bundle"]).assert().success();
}

/// A workspace of two members whose lock has a wheel for each.
#[test]
fn uv_installs_the_member_of_a_workspace_that_was_chosen() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").wheel("other", "2.0").serve(), Sandbox::new());
    let member = |name: &str, folder: &str, need: &str| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"1\"\nsource = {{ virtual = \"{folder}\" }}\ndependencies = [{{ name = \"{need}\" }}]\n\n"
        )
    };
    let lock =
        "version = 1\nrevision = 3\nrequires-python = \">=3.9\"\n\n[manifest]\nmembers = [\"app\", \"server\"]\n\n"
            .to_owned()
            + &member("app", ".", "demo")
            + &entry(&index, "demo", "1.0", "demo-1.0-py3-none-any.whl", "")
            + &entry(&index, "other", "2.0", "other-2.0-py3-none-any.whl", "")
            + &member("server", "packages/server", "other");
    sandbox.write("uv.lock", lock);
    let project = |name: &str, need: &str, more: &str| {
        format!(
            "[project]\nname = '{name}'\nversion = '1'\nrequires-python = '>=3.9'\ndependencies = ['{need}']\n[tool.uv]\npackage = false\n{more}"
        )
    };
    sandbox.write("pyproject.toml", project("app", "demo", "[tool.uv.workspace]\nmembers = ['packages/*']\n"));
    sandbox.write("packages/server/pyproject.toml", project("server", "other", ""));
    let told = bundle(&sandbox, &index, &["--package", "server"]);
    assert!(told.contains("--package server --no-default-groups"), "{told}");
    assert_eq!(sandbox.files("bundle/wheels"), ["other-2.0-py3-none-any.whl"]);
    let sync = "eval \"$(prefetch env bundle --for uv --shell sh)\"; uv sync --no-cache --python $(command -v python)";
    shell(&sandbox, &format!("{sync} --package server --no-default-groups")).assert().success();
    assert!(sandbox.files(".venv").iter().any(|file| file.ends_with("other-2.0.dist-info/METADATA")));
    sandbox.prefetch(["verify", "bundle"]).assert().success();
    let refused = sandbox.prefetch_from(&index, ["--package", "servr"]).assert().code(2).get_output().clone();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no member `servr`; did you mean `server`?"));
    let mut inside = sandbox.prefetch_from(&index, ["--dry-run"]);
    let inside = inside.current_dir(sandbox.path("packages/server")).assert().code(0).get_output().clone();
    let told = String::from_utf8(inside.stderr).unwrap();
    let hint = "this folder is a member of the workspace whose lock is ../../uv.lock; what uv installs here is taken by: prefetch -r \
                ../../uv.lock --package server";
    assert!(told.contains(hint), "{told}");
    let plain = sandbox.prefetch_from(&index, ["demo", "--package", "app"]).assert().code(2).get_output().clone();
    assert!(String::from_utf8_lossy(&plain.stderr).contains("no input has any"));
}

/// What Poetry does with the cache was seen with Poetry 1.8.5 and 2.5.1 (`docs/facts/locks.md` 4).
#[test]
fn a_cache_of_poetry_has_the_pages_and_the_files_where_poetry_looks() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), Sandbox::new());
    let filename = "demo-1.0-py3-none-any.whl";
    let url = index.url().replace("http://", "http://me:hunter2@");
    let lock = format!(
        "[[package]]\nname = \"demo\"\nversion = \"1.0\"\noptional = false\npython-versions = \"*\"\ngroups = [\"main\"]\nfiles = \
         [{{file = \"{filename}\", hash = \"sha256:{}\"}}]\n[package.source]\ntype = \"legacy\"\nurl = \"{url}\"\nreference = \
         \"Own\"\n\n[metadata]\nlock-version = \"2.1\"\npython-versions = \">=3.9\"\n",
        index.sha256(filename)
    );
    sandbox.write("poetry.lock", lock);
    sandbox.write(
        "pyproject.toml",
        format!("[tool.poetry]\nname = 'app'\n[[tool.poetry.source]]\nname = 'Own'\nurl = '{url}'\n[tool.poetry.dependencies]\ndemo = '*'\n"),
    );
    let told = bundle(&sandbox, &index, &[]);
    assert!(
        told.contains("python -I bundle/poetry/fill_cache.py CACHE") && told.contains("\n  poetry install\n"),
        "{told}"
    );
    // Twice, as somebody may.
    let script = "eval \"$(prefetch env bundle --for poetry --shell sh)\"";
    let script = format!(
        "{script}; {script}; cd \"$POETRY_CACHE_DIR\"; cat artifacts/*/*/*/*/demo-*.whl; ls -d cache/repositories/Own/*"
    );
    let output = shell(&sandbox, &script).assert().success().get_output().clone();
    let expected = [&*index.bytes(filename), b"cache/repositories/Own/_http\ncache/repositories/Own/_http_\n"].concat();
    assert_eq!(output.stdout, expected);
    for file in sandbox.files("bundle") {
        let bytes = sandbox.read(&format!("bundle/{file}"));
        assert!(!String::from_utf8_lossy(&bytes).contains("hunter2"), "{file}");
    }
    sandbox.prefetch(["verify", "bundle"]).assert().success();
}

#[test]
fn what_builds_the_project_itself_is_packed_in_a_version_that_it_allows() {
    let backend = |version: &str| Wheel::new("tiny-backend", version).requires("helper").source(BACKEND);
    let index =
        Index::new().wheel("demo", "1.0").wheel("helper", "2.0").with(backend("1.0")).with(backend("2.0")).serve();
    let sandbox = Sandbox::new();
    let lock = "version = 1\nrevision = 3\nrequires-python = \">=3.9\"\n\n[[package]]\nname = \"kit\"\nversion = \"3.0\"\nsource = { \
                editable = \".\" }\ndependencies = [{ name = \"demo\" }]\n\n";
    let project = "[project]\nname = 'kit'\nversion = '3.0'\nrequires-python = '>=3.9'\ndependencies = ['demo']\n[build-system]\nrequires = \
                   ['tiny-backend<2']\nbuild-backend = 'tiny_backend'\n";
    sandbox.write("uv.lock", lock.to_owned() + &entry(&index, "demo", "1.0", "demo-1.0-py3-none-any.whl", ""));
    sandbox.write("pyproject.toml", project);
    bundle(&sandbox, &index, &[]);
    let wheels = ["demo-1.0-py3-none-any.whl", "helper-2.0-py3-none-any.whl", "tiny_backend-1.0-py3-none-any.whl"];
    assert_eq!(sandbox.files("bundle/wheels"), wheels);
    let uv = "eval \"$(prefetch env bundle --for uv --shell sh)\"; uv sync --no-cache --python $(command -v python); uv pip install \
              --no-cache --no-deps .";
    shell(&sandbox, uv).assert().success();
    assert!(sandbox.files(".venv").iter().any(|file| file.ends_with("kit-3.0.dist-info/METADATA")));
    assert!(!text(&sandbox, "bundle/requirements.txt").contains("tiny"));
    // Told, and no obstacle to the rest.
    index.fail("/simple/tiny-backend/", Fault::Status(500));
    std::fs::remove_dir_all(sandbox.cache()).unwrap();
    let told = bundle(&sandbox, &index, &["--force", "--retries", "0"]);
    assert!(
        told.contains("what builds the project itself could not be asked for") && told.contains("tiny-backend<2"),
        "{told}"
    );
    index.heal();
    sandbox.write("pyproject.toml", project.replace("tiny-backend<2", "nowhere"));
    let told = bundle(&sandbox, &index, &["--force"]);
    assert!(
        told.contains("pyproject.toml: what builds the project itself is not to be had") && told.contains("nowhere"),
        "{told}"
    );
}

#[test]
fn a_tool_that_cannot_install_from_the_bundle_is_told() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), Sandbox::new());
    let lock = format!(
        "[metadata]\ngroups = [\"default\"]\nstrategy = [\"inherit_metadata\"]\nlock_version = \"4.5.0\"\n[[package]]\nname = \
         \"demo\"\nversion = \"1.0\"\ngroups = [\"default\"]\nfiles = [{{file = \"demo-1.0-py3-none-any.whl\", hash = \"sha256:{}\"}}]\n",
        index.sha256("demo-1.0-py3-none-any.whl")
    );
    sandbox.write("pdm.lock", lock);
    sandbox.write(
        "pyproject.toml",
        "[project]\nname = 'app'\n[[tool.pdm.source]]\nurl = 'https://index.example/simple'\nname = 'x'\n",
    );
    let told = bundle(&sandbox, &index, &[]);
    assert!(
        told.contains("pdm cannot install from the bundle by pdm.lock: the project names sources of its own"),
        "{told}"
    );
    shell(
        &sandbox,
        "eval \"$(prefetch env bundle --for pip --shell sh)\"; python -m pip install --no-cache-dir --target x demo",
    )
    .assert()
    .success();
    let refused = sandbox.prefetch(["env", "bundle", "--for", "pdm"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
}
