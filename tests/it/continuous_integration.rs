//! The recipes of `ci/`, each of its steps run, against an index and pip.

use std::fs;
use std::path::Path;

use crate::support::{Index, Sandbox, ServedIndex, Wheel, shell};

fn recipe(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ci").join(name)).unwrap()
}

fn world() -> ServedIndex {
    Index::new().with(Wheel::new("flask", "3.0.3").requires("click>=8")).wheel("click", "8.1.7").serve()
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "flask==3.0.3\n");
    sandbox.write("ci/prefetch-ci.sh", recipe("prefetch-ci.sh"));
    sandbox
}

fn run(sandbox: &Sandbox, index: &ServedIndex, script: &str) -> String {
    let folder = sandbox.path("");
    let mut command = shell(sandbox, index, script);
    command.env("GITHUB_ACTION_PATH", sandbox.path("ci")).env("CI_PROJECT_DIR", &folder);
    for name in ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT"] {
        command.env(name, sandbox.path(name));
    }
    command.env("PREFETCH_CACHE_DIR", sandbox.path(".prefetch/cache"));
    command.env("ARGUMENTS", "-r requirements.txt").env("PREFETCH_ARGUMENTS", "-r requirements.txt");
    let outcome = command.output().unwrap();
    assert!(outcome.status.success(), "{script}\n{}", String::from_utf8_lossy(&outcome.stderr));
    String::from_utf8(outcome.stdout).unwrap()
}

/// What a step of the action types, in its order.
fn steps_of_the_action() -> Vec<String> {
    let action = recipe("action.yml");
    let steps = action.lines().filter_map(|line| line.trim_start().strip_prefix("run: "));
    steps.map(ToOwned::to_owned).collect()
}

#[test]
fn the_steps_of_the_action_fetch_once_and_point_pip_at_the_folder() {
    let (index, sandbox) = (world(), sandbox());
    let steps = steps_of_the_action();
    assert_eq!(steps.len(), 4, "{steps:?}");
    for is_cached in [false, true] {
        index.forget_requests();
        for step in &steps {
            run(&sandbox, &index, step);
        }
        assert_eq!(index.requests_for_files().is_empty(), is_cached, "{:?}", index.paths());
        fs::remove_dir_all(sandbox.path(".prefetch/wheelhouse")).unwrap();
    }
    run(&sandbox, &index, &steps[2]);
    let variables = fs::read_to_string(sandbox.path("GITHUB_ENV")).unwrap();
    assert!(variables.contains("PIP_NO_INDEX=1\n") && variables.contains("UV_FIND_LINKS=file://"), "{variables}");
    let install =
        "while read -r line; do export \"$line\"; done < GITHUB_ENV; python -m pip install -r requirements.txt";
    run(&sandbox, &index, install);
    assert!(sandbox.path("installed/flask").exists());
}

#[test]
fn the_key_of_the_cache_changes_with_the_requirements_alone() {
    let (index, sandbox) = (world(), sandbox());
    let key = || run(&sandbox, &index, "sh ci/prefetch-ci.sh key");
    let first = key();
    sandbox.write("README.md", "other words");
    assert_eq!(key(), first);
    sandbox.write("requirements-dev.txt", "click\n");
    assert_ne!(key(), first);
    let output = fs::read_to_string(sandbox.path("GITHUB_OUTPUT")).unwrap();
    assert!(output.starts_with(&format!("key={first}")), "{output}");
}

#[test]
fn an_unknown_step_is_answered_with_the_steps() {
    let (index, sandbox) = (world(), sandbox());
    let outcome = shell(&sandbox, &index, "sh ci/prefetch-ci.sh fetsch").output().unwrap();
    let told = String::from_utf8_lossy(&outcome.stderr).into_owned();
    assert_eq!(outcome.status.code(), Some(2));
    assert!(told.contains("install") && told.contains("save") && !told.contains("set -eu"), "{told}");
}

/// The first two lines have pip install the program, which is on `PATH` here.
#[test]
fn the_lines_of_the_gitlab_template_install_what_was_fetched() {
    let (index, sandbox) = (world(), sandbox());
    let template = recipe("gitlab.yml");
    let (_, after) = template.split_once("before_script:\n").unwrap();
    let lines: Vec<_> = after.lines().filter_map(|line| line.strip_prefix("    - ")).collect();
    assert!(lines[0].contains("-m venv") && lines[1].contains("pip install") && lines.len() == 5, "{lines:?}");
    let (prune, before) = lines[2..].split_last().unwrap();
    let script = [before, &["python -m pip install -r requirements.txt", prune]].concat().join("\n");
    run(&sandbox, &index, &script.replace(".prefetch/venv/bin/prefetch", "prefetch"));
    assert!(sandbox.path("installed/flask").exists());
}

/// Without its flags for mounts and network, a `RUN` is a line of a shell.
#[test]
fn the_lines_of_the_images_install_what_was_fetched() {
    for name in ["docker/cache-mount.Dockerfile", "docker/two-stages.Dockerfile"] {
        let (index, sandbox) = (world(), sandbox());
        let image = recipe(name).replace("\\\n", "");
        let runs = image.lines().filter_map(|line| line.strip_prefix("RUN "));
        let runs = runs.filter(|line| !line.ends_with("pip install pip-prefetch"));
        let words = |line: &str| {
            let words = line
                .split_whitespace()
                .skip_while(|word| ["--mount", "--network"].iter().any(|flag| word.starts_with(flag)));
            words.collect::<Vec<_>>().join(" ").replace("/app/", "").replace("/wheelhouse", "wheelhouse")
        };
        let script: Vec<_> = runs.map(words).collect();
        run(&sandbox, &index, &script.join("\n"));
        assert!(sandbox.path("installed/flask").exists(), "{name}");
    }
}
