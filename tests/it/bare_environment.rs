//! Every command with hardly any environment, and with words that no file or interpreter stands for.

use std::process::{Command, Output};

use regex::Regex;

use crate::support::Sandbox;

/// What the documents tell people to type, and each command's help.
fn documented_lines() -> Vec<Vec<String>> {
    let page = include_str!("../../docs/settings.md");
    let typed = Regex::new(r"(?m)^prefetch (.*)$").unwrap();
    let typed = typed.captures_iter(page).map(|found| found[1].to_owned());
    let subcommands = "parse cache serve env verify unpack inspect diff merge apply keygen completions man-pages help";
    let helps = subcommands.split(' ').map(|command| format!("{command} --help"));
    let others = [
        "--show-settings",
        "cache info",
        "cache dir",
        "cache list",
        "parse /dev/null",
        "completions fish",
        "help targets",
        "--help",
    ];
    let all = typed.chain(helps).chain(others.map(ToOwned::to_owned));
    all.map(|line| line.split_whitespace().map(ToOwned::to_owned).collect()).collect()
}

fn run(sandbox: &Sandbox, arguments: &[String], home: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prefetch"));
    command.args(arguments).current_dir(sandbox.path("")).env_clear();
    command.envs(home.map(|home| ("HOME", sandbox.path(home))));
    command.output().unwrap()
}

#[test]
fn documented_lines_end_with_an_exit_code_of_ours() {
    let sandbox = Sandbox::new();
    for line in documented_lines() {
        for home in [Some("home"), None] {
            let output = run(&sandbox, &line, home);
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.code().is_some_and(|code| code <= 6),
                "{line:?}, {home:?}: {:?}: {told}",
                output.status
            );
            assert!(home.is_none() || output.status.success(), "{line:?}: {told}");
        }
    }
}

#[test]
fn an_interpreter_that_is_not_there_is_named() {
    let sandbox = Sandbox::new().without_python();
    for (python, told) in [("/nonexistent/python", "/nonexistent/python"), ("3.7", "Python 3.7 on PATH")] {
        for target in [&[][..], &["--python-version", "3.12", "--platform", "linux-x86_64"]] {
            let mut command =
                sandbox.prefetch(["six", "--python", python, "--index-url", "https://index.example/simple"]);
            let output = command.args(target).output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{stderr}");
            assert!(stderr.contains(told), "{stderr}");
        }
    }
    let output = sandbox.prefetch(["six", "--python", "/nonexistent/python"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nonexistent/python"));
}

#[test]
fn the_url_of_a_bucket_becomes_no_folder() {
    let sandbox = Sandbox::new().without_python();
    for (option, place) in
        [("--cache-dir", "s3://bucket/x"), ("--dest", "ftp://bucket/x"), ("--bundle", "ftp://bucket/x.zip")]
    {
        let arguments = ["six", "--no-index", "--python-version", "3.12", "--platform", "linux-x86_64", option, place];
        let output = sandbox.prefetch(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("is no folder") && stderr.contains("://"), "{stderr}");
        assert!(["s3:", "ftp:"].iter().all(|name| !sandbox.path(name).exists()));
    }
}
