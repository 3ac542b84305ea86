//! Ctrl-C and SIGTERM: nothing half-written has a final name, and the next run fetches only the rest.

#![cfg(unix)]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use prefetch::cache_folder::CacheBucket;

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
        send(signal, &self.process);
        let rest = std::io::read_to_string(&mut self.events).unwrap();
        (self.process.wait().unwrap(), rest)
    }
}

fn send(signal: &str, process: &Child) {
    assert!(Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap().success());
}

fn make_pipe(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
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
    let left = files_below(&sandbox.cache_folder(CacheBucket::Incoming));
    let is_to_be_gone_on_with = |name: &String| name.ends_with(".partial") || name.ends_with(".origin");
    assert!(left.iter().all(is_to_be_gone_on_with), "{left:?}");

    index.heal();
    index.forget_requests();
    sandbox.prefetch_from(&index, ARGUMENTS).assert().code(0);
    assert_eq!(sandbox.files("."), ["out.zip".into(), format!("out/{LARGE}"), format!("out/{SMALL}")]);
    assert_eq!(sandbox.read(&format!("out/{LARGE}")), index.bytes(LARGE));
    let asked: Vec<_> = index.requests_for_files().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, [format!("/files/{LARGE}")]);
    assert_eq!(files_below(&sandbox.cache_folder(CacheBucket::Incoming)), Vec::<String>::new());
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let (index, sandbox) = (world(), Sandbox::new());
    let left = ["", "out/", "unpacked/wheels/"].map(|folder| format!("{folder}.prefetch-killed.partial"));
    for name in &left {
        sandbox.write(name, "half of something");
    }
    sandbox.write(".prefetch-dead.partial", "");
    sandbox.write(".prefetch-dead.folder/bundle/half", "of something");
    sandbox.prefetch_from(&index, ARGUMENTS).assert().code(0);
    sandbox.prefetch(["unpack", "out.zip", "unpacked"]).assert().code(0);
    for name in &left {
        assert!(!sandbox.path(name).exists(), "{name}");
    }
    assert!(!sandbox.path(".prefetch-dead.folder").exists());
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

/// The cache has a small object, which is damaged and removed first, and one that is read for minutes.
#[test]
fn what_only_reads_ends_at_once() {
    const LONG: u64 = 1 << 38;
    let sandbox = Sandbox::new();
    let object = |digit: &str| sandbox.cache_folder(CacheBucket::Objects).join("ab").join(digit.repeat(62));
    fs::create_dir_all(object("a").parent().unwrap()).unwrap();
    File::create(object("c")).unwrap().set_len(LONG).unwrap();
    for signal in ["-INT", "-TERM"] {
        fs::write(object("a"), "damaged").unwrap();
        let mut process = sandbox.process(["cache", "verify"]).stderr(Stdio::piped()).spawn().unwrap();
        while object("a").exists() {
            std::thread::yield_now();
        }
        send(signal, &process);
        let told = std::io::read_to_string(process.stderr.take().unwrap()).unwrap();
        assert_eq!(process.wait().unwrap().code(), Some(130), "{signal}: {told}");
        assert!(told.contains("interrupted"), "{told}");
    }
}

/// A tar whose one member never ends.
fn endless_tar(mut to: impl std::io::Write) -> std::io::Error {
    let mut header = tar::Header::new_ustar();
    header.set_path("demo-1.0/data").unwrap();
    header.set_size(8 << 30);
    header.set_cksum();
    let begun = to.write_all(header.as_bytes());
    begun.err().unwrap_or_else(|| {
        loop {
            if let Err(error) = to.write_all(&[0; 4096]) {
                return error;
            }
        }
    })
}

#[test]
fn what_writes_is_waited_for_until_the_word_comes_again() {
    let sandbox = Sandbox::new();
    let source = sandbox.path("demo-1.0.tar");
    make_pipe(&source);
    let start = || {
        let process = sandbox.process(["cache", "import", "demo-1.0.tar"]).stderr(Stdio::piped()).spawn().unwrap();
        (process, File::options().write(true).open(&source).unwrap())
    };
    let told = |process: &mut Child| {
        let told = std::io::read_to_string(process.stderr.take().unwrap()).unwrap();
        assert_eq!(process.wait().unwrap().code(), Some(130), "{told}");
        told
    };
    let (mut process, pipe) = start();
    send("-INT", &process);
    // Once no byte is taken any more, it was heard.
    assert_eq!(endless_tar(pipe).kind(), std::io::ErrorKind::BrokenPipe);
    assert!(told(&mut process).contains("nothing half-written is left"));
    assert_eq!(files_below(&sandbox.cache()), Vec::<String>::new());

    // Nobody writes, so that only the second word can end a read that waits.
    let (mut process, _pipe) = start();
    for signal in ["-TERM", "-INT"] {
        send(signal, &process);
    }
    told(&mut process);
}
