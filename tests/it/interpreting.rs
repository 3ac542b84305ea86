//! The machine's own Python, asked what it is.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use prefetch::cache_folder::CacheLayout;
use prefetch::interpreter::{HostEnvironment, describe};

use crate::support::{Index, Sandbox, judges};

/// Python runs this before it answers.
const STARTING: &str = "python/sitecustomize.py";

fn command(sandbox: &Sandbox, index: &str, inputs: &[&str]) -> Command {
    let mut command = sandbox.process(["--dest", "out", "--index-url", index]);
    command.args(inputs);
    command.env("PYTHONPATH", sandbox.path("python")).env("PATH", judges().bin());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn assert_done(run: &Output) {
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// Python waits for a word that comes once the page was asked for.
#[test]
#[cfg(unix)]
fn pages_are_asked_for_while_python_starts() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), Sandbox::new());
    let word = sandbox.path("word");
    assert!(Command::new("mkfifo").arg(&word).status().unwrap().success());
    sandbox.write(STARTING, format!("open({:?}).read()\n", word.to_str().unwrap()));
    let run = command(&sandbox, &index.url(), &["demo"]).spawn().unwrap();
    index.wait_for("/demo/", 1);
    std::fs::write(&word, "").unwrap();
    assert_done(&run.wait_with_output().unwrap());
    assert_eq!(index.count("/simple/demo/"), 1, "the page is asked for once");
    assert_eq!(sandbox.files("out"), ["demo-1.0-py3-none-any.whl"]);
}

#[test]
fn settings_that_python_alone_knows_of_count() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").wheel("demo", "2.0").serve(), Sandbox::new());
    let prefix = sandbox.path("elsewhere");
    sandbox.write(STARTING, format!("import sys\nsys.prefix = {:?}\n", prefix.to_str().unwrap()));
    let file = if cfg!(windows) { "elsewhere/pip.ini" } else { "elsewhere/pip.conf" };
    let constraints = sandbox.write("constraints.txt", "demo<2");
    sandbox.write(file, format!("[global]\nconstraint = {}\n", constraints.display()));
    assert_done(&command(&sandbox, &index.url(), &["demo"]).output().unwrap());
    assert_eq!(sandbox.files("out"), ["demo-1.0-py3-none-any.whl"]);
}

/// Standard input and pipes have nothing to give a second time, whatever Python then tells.
#[test]
fn inputs_are_read_once() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), Sandbox::new());
    let prefix = sandbox.path("elsewhere");
    sandbox.write(STARTING, format!("import sys\nsys.prefix = {:?}\n", prefix.to_str().unwrap()));
    let file = if cfg!(windows) { "elsewhere/pip.ini" } else { "elsewhere/pip.conf" };
    sandbox.write(file, "[global]\nretries = 1\n");
    let mut run = command(&sandbox, &index.url(), &["-r", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    run.stdin.take().unwrap().write_all(b"demo==1.0\n").unwrap();
    assert_done(&run.wait_with_output().unwrap());
    assert_eq!(sandbox.files("out"), ["demo-1.0-py3-none-any.whl", "requirements.txt"]);
}

#[test]
fn a_real_python_describes_itself_and_is_remembered() {
    let sandbox = Sandbox::new();
    let (folder, cache) = (sandbox.path(""), CacheLayout::new(sandbox.cache()));
    let variable = |name: &str| (name == "PATH").then(|| judges().bin().into_os_string());
    let host = HostEnvironment { variable: &variable, folder: &folder };
    let cold = describe(None, Some(&cache), host).unwrap();
    let warm = describe(None, Some(&cache), host).unwrap();
    assert_eq!(cold, warm);
    let target = cold.target();
    assert!(target.tags().iter().any(|tag| tag.to_string() == "py3-none-any"));
    assert!(target.python_version().starts_with("3."));
    let pip = || cold.pip(Some(&cache), host).unwrap().unwrap();
    assert_eq!(pip(), pip());
    assert!(pip().default_index.unwrap().ends_with("/simple"));
}
