//! Ctrl-C and SIGTERM: nothing half-written has a final name, and the next run fetches only the rest.

#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use crate::support::{Fault, Index, Sandbox, ServedIndex, Wheel, files_below};

const SMALL: &str = "small-1.0-py3-none-any.whl";
const LARGE: &str = "large-1.0-py3-none-any.whl";
const ARGUMENTS: [&str; 10] = [
    "small==1.0",
    "large==1.0",
    "--python-version",
    "3.12",
    "--platform",
    "linux-x86_64",
    "--dest",
    "out",
    "--bundle",
    "out.zip",
];

fn world() -> ServedIndex {
    Index::new().wheel("small", "1.0").with(Wheel::new("large", "1.0").padding(2_000_000)).serve()
}

/// A run whose events can be waited for.
struct Watched {
    process: Child,
    events: BufReader<ChildStderr>,
}

impl Watched {
    fn start(sandbox: &Sandbox, index: &ServedIndex) -> Self {
        let mut command = sandbox.process(ARGUMENTS);
        command.args(["--progress", "json", "--index-url", &index.url()]).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let events = BufReader::new(process.stderr.take().unwrap());
        Self { process, events }
    }

    /// Blocks until each of `events` has come, in any order: a line that holds all its words.
    fn wait_for(&mut self, events: &[&[&str]]) {
        let mut missing = events.to_vec();
        while !missing.is_empty() {
            let mut line = String::new();
            assert!(self.events.read_line(&mut line).unwrap() > 0, "the run ended before {missing:?}");
            missing.retain(|words| !words.iter().all(|word| line.contains(word)));
        }
    }

    fn interrupt(mut self, signal: &str) -> (ExitStatus, String) {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let rest = std::io::read_to_string(&mut self.events).unwrap();
        (self.process.wait().unwrap(), rest)
    }
}

#[test]
fn an_interrupted_transfer_leaves_nothing_half_written() {
    let (index, sandbox) = (world(), Sandbox::new());
    index.fail(LARGE, Fault::HangAfter(1_500_000));
    let mut run = Watched::start(&sandbox, &index);
    run.wait_for(&[&["held", SMALL], &["received", "\"file\":0"]]);
    let (status, told) = run.interrupt("-INT");
    assert_eq!(status.code(), Some(130), "{told}");
    assert!(told.contains("a second run fetches only the rest"), "{told}");
    assert_eq!(sandbox.files("."), Vec::<String>::new());
    let left = files_below(&sandbox.cache().join("incoming"));
    let is_to_be_gone_on_with = |name: &String| name.ends_with(".partial") || name.ends_with(".origin");
    assert!(left.iter().all(is_to_be_gone_on_with), "{left:?}");

    index.heal();
    index.forget_requests();
    sandbox.prefetch_from(&index, ARGUMENTS).assert().code(0);
    assert_eq!(sandbox.files("."), ["out.zip".into(), format!("out/{LARGE}"), format!("out/{SMALL}")]);
    assert_eq!(sandbox.read(&format!("out/{LARGE}")), index.bytes(LARGE));
    let asked: Vec<_> = index.requests_for_files().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, [format!("/files/{LARGE}")]);
    assert_eq!(files_below(&sandbox.cache().join("incoming")), Vec::<String>::new());
}

#[test]
fn an_interrupted_search_ends_at_once() {
    let (index, sandbox) = (world(), Sandbox::new());
    index.fail("/simple/small/", Fault::HangAfter(0));
    for signal in ["-INT", "-TERM"] {
        let mut run = Watched::start(&sandbox, &index);
        run.wait_for(&[&["answered", "large"]]);
        let (status, told) = run.interrupt(signal);
        assert_eq!(status.code(), Some(130), "{signal}: {told}");
        assert_eq!(sandbox.files("."), Vec::<String>::new());
    }
}
