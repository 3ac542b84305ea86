//! `prefetch env`: the lines, evaluated by a real shell, lead pip and uv to what was written.

use std::path::Path;

use crate::support::{Index, Sandbox, files_below, judges};

/// A folder with what a shell's quoting finds hard.
const FOLDER: &str = "it's, my $HOME";

/// Runs `script` with the binary, pip and uv at hand and no way to a network.
fn shell(sandbox: &Sandbox, script: &str) -> assert_cmd::Command {
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
        let other = crate::support::Wheel::new("other", "2.0").requires("demo");
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
