//! `prefetch env`: the lines, evaluated by a real shell, lead pip and uv to what was written.

use std::path::Path;

use crate::locking::entry;
use crate::support::{Index, Sandbox, ServedIndex, Wheel, files_below, judges};

/// A folder with what a shell's quoting finds hard.
const FOLDER: &str = "it's, my $HOME";

/// Runs `script` with the binary, pip and uv at hand and no way to a network.
pub fn shell(sandbox: &Sandbox, script: &str) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new("/bin/sh");
    let binary = Path::new(env!("CARGO_BIN_EXE_prefetch")).parent().unwrap();
    let folders = [binary, &judges().bin(), Path::new("/usr/bin"), Path::new("/bin")];
    command.env_clear().env("PATH", std::env::join_paths(folders).unwrap()).current_dir(sandbox.path(""));
    command.env("HOME", sandbox.path("../home")).env("PIP_CONFIG_FILE", "/dev/null").env("UV_NO_CONFIG", "1");
    for variable in ["http_proxy", "https_proxy"] {
        command.env(variable, "http://127.0.0.1:9");
    }
    command.args(["-euc", script]);
    command
}

fn assert_installed(sandbox: &Sandbox, folder: &str) {
    let files = files_below(&sandbox.path(folder));
    for expected in ["demo-1.0.dist-info/METADATA", "other-2.0.dist-info/METADATA"] {
        assert!(files.iter().any(|file| file.ends_with(expected)), "{folder}: {files:?}");
    }
}

const PIP: &str = "python -m pip install --no-cache-dir --target by-pip other";
const UV: &str = "uv pip install --no-cache --target by-uv other";

#[test]
fn pip_and_uv_are_led_to_every_layout() {
    let index = || {
        let other = Wheel::new("other", "2.0").requires("demo");
        Index::new().wheel("demo", "1.0").with(other).serve()
    };
    for layout in ["find-links", "simple"] {
        let sandbox = Sandbox::new();
        sandbox.prefetch_from(&index(), ["--layout", layout, "--dest", FOLDER, "other"]).assert().success();
        // What would lead elsewhere does not.
        let elsewhere = "export PIP_EXTRA_INDEX_URL=http://index.example/simple UV_INDEX=http://index.example/simple;";
        let script = format!("{elsewhere} eval \"$(prefetch env \"$1\")\"; {PIP}; {UV}");
        shell(&sandbox, &script).args(["sh", FOLDER]).assert().success();
        assert_installed(&sandbox, "by-pip");
        assert_installed(&sandbox, "by-uv");
    }
    let sandbox = Sandbox::new();
    sandbox.prefetch_from(&index(), ["--bundle", "all.zip", "other"]).assert().success();
    let unpack = "python -m zipfile -e all.zip bundle";
    shell(&sandbox, &format!("{unpack}; eval \"$(prefetch env bundle)\"; {PIP}; {UV}")).assert().success();
    assert_installed(&sandbox, "by-pip");
    assert_installed(&sandbox, "by-uv");
}

/// The recipe of `docs/env.md`: virtualenvwrapper runs the hook with the new environment active.
#[test]
fn a_postmkvirtualenv_hook_fills_every_new_environment() {
    let index = Index::new().wheel("demo", "1.0").wheel("other", "2.0").serve();
    let sandbox = Sandbox::new();
    sandbox.prefetch_from(&index, ["--dest", "../home/wheelhouse", "demo", "other"]).assert().success();
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/env.md")).unwrap();
    let hook = docs.split("postmkvirtualenv`:\n\n```sh\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(hook.contains("eval"), "{hook}");
    sandbox.write("postmkvirtualenv", hook);
    sandbox.write("../home/requirements.txt", "demo\nother\n");
    let script = "python -m venv venv; . venv/bin/activate; . ./postmkvirtualenv";
    shell(&sandbox, script).assert().success();
    assert_installed(&sandbox, "venv");
}

#[test]
fn caches_are_told_apart_and_what_is_none_is_refused() {
    let (index, sandbox) = (Index::new().sdist("demo", "1.0").serve(), Sandbox::new());
    let printed = |path: &str, shell: &str| {
        let output = sandbox.prefetch(["env", path, "--shell", shell]).assert().success().get_output().clone();
        sandbox.redact(output.stdout)
    };
    for layout in ["download-cache", "pip-http-v2"] {
        sandbox.prefetch_from(&index, ["--layout", layout, "--dest", layout, "demo"]).assert().success();
    }
    let expected = "export PIP_DOWNLOAD_CACHE='[SANDBOX]/work/download-cache'\nexport PIP_NO_INDEX='1'\n\
                    export PIP_FIND_LINKS='file://[SANDBOX]/work/download-cache/links.html'\n";
    assert_eq!(printed("download-cache", "sh"), expected);
    assert!(printed("pip-http-v2", "fish").starts_with("set -gx PIP_CACHE_DIR '[SANDBOX]/work/pip-http-v2'\n"));
    assert!(printed("pip-http-v2", "powershell").starts_with("$env:PIP_CACHE_DIR = '"));
    sandbox.write("empty/notes.txt", "");
    sandbox.write("all.zip", "");
    for (path, told) in [("empty", "any folder of wheels"), ("absent", "No such file"), ("all.zip", "prefetch serve")] {
        let output = sandbox.prefetch(["env", path]).assert().code(2).get_output().clone();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(words.contains(told), "{words}");
    }
}

const PROJECT: &str = "[project]\nname = 'app'\nversion = '1'\nrequires-python = '>=3.9'\ndependencies = \
                       ['other']\n[project.optional-dependencies]\nmore = ['unpacked']\n[[tool.uv.index]]\nurl = \
                       'https://me:hunter2@index.example/simple'\n";

/// A bundle in the folder `bundle` of a project that is locked by uv.
fn bundle_of_project() -> (ServedIndex, Sandbox) {
    let other = Wheel::new("other", "2.0").requires("demo");
    let index = Index::new().wheel("demo", "1.0").wheel("demo", "3.0").wheel("unpacked", "1.0").with(other).serve();
    let mut lock = String::from(
        "version = 1\nrevision = 3\nrequires-python = \">=3.9\"\n\n[[package]]\nname = \"app\"\nversion = \"1\"\nsource = { \
         virtual = \".\" }\ndependencies = [{ name = \"other\" }]\n[package.optional-dependencies]\nmore = [{ name = \
         \"unpacked\" }]\n\n",
    );
    lock += &entry(&index, "demo", "1.0", "demo-1.0-py3-none-any.whl", "");
    lock += &entry(&index, "other", "2.0", "other-2.0-py3-none-any.whl", "dependencies = [{ name = \"demo\" }]");
    lock += &entry(&index, "unpacked", "1.0", "unpacked-1.0-py3-none-any.whl", "");
    let sandbox = Sandbox::new();
    sandbox.write("uv.lock", lock);
    sandbox.write("pyproject.toml", PROJECT);
    let targets = ["--python-version", "3.11", "--platform", "linux-x86_64,windows-x86_64", "--bundle", "bundle/"];
    sandbox.prefetch_from(&index, targets).assert().success();
    (index, sandbox)
}

#[test]
fn uv_installs_a_project_from_a_bundle_by_its_own_lock() {
    let (_index, sandbox) = bundle_of_project();
    let lock = sandbox.read("uv.lock");
    let script =
        "eval \"$(prefetch env bundle --for uv --shell sh)\"; uv sync --no-cache --python $(command -v python)";
    shell(&sandbox, script).assert().success();
    assert_installed(&sandbox, ".venv");
    assert_eq!(sandbox.read("uv.lock"), lock);
    let unpacked = shell(&sandbox, &format!("{script} --extra more")).output().unwrap();
    let told = String::from_utf8_lossy(&unpacked.stderr).into_owned();
    assert!(!unpacked.status.success() && told.contains("unpacked==1.0"), "{told}");
    for file in ["bundle/uv/uv.lock", "bundle/uv/pyproject.toml", "bundle/prefetch.json"] {
        assert!(!String::from_utf8_lossy(&sandbox.read(file)).contains("hunter2"), "{file}");
    }
    sandbox.prefetch(["verify", "bundle"]).assert().success();
}

#[test]
fn a_lock_in_a_bundle_that_gives_something_else_is_a_finding() {
    let (_index, sandbox) = bundle_of_project();
    let lock = String::from_utf8(sandbox.read("bundle/uv/uv.lock")).unwrap();
    sandbox.write("bundle/uv/uv.lock", lock.replace("dependencies = [{ name = \"demo\" }]", ""));
    let output = sandbox.prefetch(["verify", "bundle"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("it does not name demo, which is packed for it"), "{told}");
    sandbox.write("bundle/uv/uv.lock", lock.replace("demo-1.0", "demo-9.0"));
    let output = sandbox.prefetch(["verify", "bundle"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("uv/uv.lock"), "{told}");
}

#[test]
fn a_tool_that_does_not_own_the_lock_is_refused() {
    let (_index, sandbox) = bundle_of_project();
    let output = sandbox.prefetch(["env", "bundle", "--for", "pdm"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(2) && told.contains("was made from uv.lock, so pdm cannot install by it"),
        "{told}"
    );
    let output = sandbox.prefetch(["env", "bundle", "--for", "pip", "--shell", "sh"]).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.lines().count() == 2 && lines.contains("PIP_FIND_LINKS"), "{lines}");
    let output = sandbox.prefetch(["env", "bundle/wheels", "--for", "uv"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("is no unpacked bundle"));
}

#[test]
fn a_merged_bundle_tells_what_it_leaves_out() {
    let (_index, sandbox) = bundle_of_project();
    let merged = sandbox.prefetch(["merge", "bundle", "bundle", "-o", "both.zip"]).output().unwrap();
    let told = String::from_utf8_lossy(&merged.stderr).into_owned();
    assert!(merged.status.success() && told.contains("left out: what installs by uv.lock"), "{told}");
}
