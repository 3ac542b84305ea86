//! Real uv, Poetry, PDM and pipenv lock a project against an index of ours, and install it from our bundle by that lock, which
//! stays as it is: with an empty cache, in an empty network namespace, run by the bundle's own script.

use std::path::Path;
use std::process::Command;

use crate::support::{Index, Sandbox, Wheel, judges, tell_unchecked};

struct Tool {
    name: &'static str,
    /// The file that describes the project; `@INDEX@` stands for the index.
    project: (&'static str, &'static str),
    lock: &'static str,
    /// The command that makes the lock.
    locking: &'static str,
    /// The options of prefetch for all that the lock has.
    options: &'static [&'static str],
}

/// What is to be run on a machine that closes the network for it.
fn closed(script: &str) -> Command {
    let ways: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];
    let works = |way: &&&[&str]| {
        let outcome = Command::new("/usr/bin/unshare").args(**way).arg("/bin/true").output();
        outcome.is_ok_and(|output| output.status.success())
    };
    let Some(way) = ways.iter().find(works) else {
        tell_unchecked("there are no network namespaces; proxies lead nowhere instead");
        let mut command = Command::new("/bin/sh");
        command.args(["-euc", script]);
        return command;
    };
    let mut command = Command::new("/usr/bin/unshare");
    command.args(*way).args(["/bin/sh", "-euc", script]);
    command
}

fn run(sandbox: &Sandbox, mut command: Command, home: &str, tool: &Path) -> String {
    let folders = [tool, &judges().bin(), Path::new("/usr/bin"), Path::new("/bin")];
    command.env_clear().env("PATH", std::env::join_paths(folders).unwrap()).current_dir(sandbox.path("project"));
    command.env("HOME", sandbox.path(home)).env("PIP_CONFIG_FILE", "/dev/null").env("UV_NO_CONFIG", "1");
    command.env("UV_PYTHON", judges().bin().join("python")).env("PIPENV_VENV_IN_PROJECT", "1").env("LANG", "C.UTF-8");
    for variable in ["http_proxy", "https_proxy"] {
        command.env(variable, "http://127.0.0.1:9");
    }
    let output = command.env("no_proxy", "127.0.0.1").output().unwrap();
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{told}");
    told
}

fn check(tool: &Tool) {
    let Some(folder) = judges().tool(tool.name) else { return };
    let demo = Wheel::new("demo", "1.0").requires("helper");
    let index = Index::new().with(demo).wheel("helper", "2.0").wheel("helper", "3.0").wheel("linter", "1.0").serve();
    let sandbox = Sandbox::new();
    for folder in ["home", "home-there"] {
        std::fs::create_dir(sandbox.path(folder)).unwrap();
    }
    let (path, text) = tool.project;
    sandbox.write(&format!("project/{path}"), text.replace("@INDEX@", &index.url()));
    let mut locking = Command::new("/bin/sh");
    locking.args(["-euc", &tool.locking.replace("@INDEX@", &index.url())]);
    run(&sandbox, locking, "home", &folder);
    let lock = format!("project/{}", tool.lock);
    let (locked, bundle) = (sandbox.read(&lock), sandbox.path("bundle").display().to_string());
    let arguments = [&["-r", &*lock, "--bundle", "bundle/"][..], tool.options].concat();
    sandbox.prefetch_from(&index, arguments).assert().success();
    let readme = String::from_utf8(sandbox.read("bundle/README.txt")).unwrap();
    assert!(readme.contains(&format!("sh FOLDER/install.sh --for {}\n", tool.name)), "{readme}");
    drop(index);
    let told = run(&sandbox, closed(&format!("sh '{bundle}/install.sh' --for {}", tool.name)), "home-there", &folder);
    let files = sandbox.files("project/.venv");
    for expected in ["demo-1.0", "helper-3.0", "linter-1.0"] {
        let expected = format!("{expected}.dist-info/METADATA");
        assert!(files.iter().any(|file| file.ends_with(&expected)), "{expected}: {told}");
    }
    assert!(sandbox.read(&lock) == locked, "{} was changed", tool.lock);
    sandbox.prefetch(["verify", "bundle"]).assert().success();
}

#[test]
fn uv_installs_what_it_locked() {
    check(&Tool {
        name: "uv",
        project: (
            "pyproject.toml",
            "[project]\nname = 'app'\nversion = '1'\nrequires-python = '>=3.9'\ndependencies = ['demo']\n[dependency-groups]\ndev = \
             ['linter']\n[tool.uv]\npackage = false\n",
        ),
        lock: "uv.lock",
        locking: "uv lock --no-cache --default-index @INDEX@",
        options: &[],
    });
}

#[test]
fn poetry_installs_what_it_locked() {
    check(&Tool {
        name: "poetry",
        project: (
            "pyproject.toml",
            "[project]\nname = 'app'\nversion = '1'\nrequires-python = '>=3.9'\ndependencies = \
             ['demo']\n[tool.poetry]\npackage-mode = false\n[tool.poetry.group.dev.dependencies]\nlinter = \
             '*'\n[[tool.poetry.source]]\nname = 'own'\nurl = '@INDEX@'\n",
        ),
        lock: "poetry.lock",
        locking: "poetry lock --no-interaction",
        options: &[],
    });
}

#[test]
fn pdm_installs_what_it_locked() {
    check(&Tool {
        name: "pdm",
        project: (
            "pyproject.toml",
            "[project]\nname = 'app'\nversion = '1'\nrequires-python = '>=3.9'\ndependencies = ['demo']\n[dependency-groups]\ndev = \
             ['linter']\n[tool.pdm]\ndistribution = false\n",
        ),
        lock: "pdm.lock",
        locking: "PDM_PYPI_URL=@INDEX@ pdm lock",
        options: &[],
    });
}

#[test]
fn pipenv_installs_what_it_locked() {
    check(&Tool {
        name: "pipenv",
        project: (
            "Pipfile",
            "[[source]]\nname = 'own'\nurl = '@INDEX@'\nverify_ssl = false\n[packages]\ndemo = '*'\n[dev-packages]\nlinter = \
             '*'\n",
        ),
        lock: "Pipfile.lock",
        locking: "pipenv lock",
        options: &["--group", "develop"],
    });
}
