//! Disks that are full, and folders that cannot be written.

#[cfg(unix)]
use std::process::{Command, Output};

#[cfg(unix)]
use prefetch::cache_folder::CacheBucket;

use crate::bad_input::{TARGET, world};
use crate::support::Sandbox;
#[cfg(unix)]
use crate::support::{Index, ServedIndex, Wheel, files_below};

#[test]
fn a_destination_that_cannot_be_written_is_a_disk_error() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "a file, and no folder");
    sandbox.write("out.zip/inside", "a folder, and no file");
    let index = world().serve();
    for (arguments, named) in [
        (["-d", "file"], "file"),
        (["-d", "file/below"], "file/below"),
        (["--bundle", "file/out.zip"], "file"),
        (["--bundle", "out.zip"], "out.zip"),
        (["--cache-dir", "file"], "file"),
        (["--report", "file/report.json"], "report.json"),
    ] {
        let output = sandbox.prefetch_from(&index, ["demo==1.0"]).args(arguments).args(TARGET).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{arguments:?}: {told}");
        assert!(told.contains(named), "{told}");
        assert_eq!(sandbox.read("file"), b"a file, and no folder");
    }
}

/// Runs where no file may grow beyond 32 KiB, which the kernel reports as it reports a full disk.
#[cfg(unix)]
fn run_on_a_small_disk(sandbox: &Sandbox, index: &ServedIndex, arguments: &[&str]) -> Output {
    let limited = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
    let process = sandbox.process(["--index-url", &index.url()]);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", limited]).arg(process.get_program()).args(process.get_args()).args(arguments).args(TARGET);
    command.current_dir(sandbox.path("")).env_clear();
    command.envs(process.get_envs().filter_map(|(name, value)| Some((name, value?)))).output().unwrap()
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let index = Index::new().with(Wheel::new("large", "1.0").padding(200_000)).serve();
    let sandbox = Sandbox::new();
    let arguments = ["large==1.0", "--bundle", "out.tar"];
    for place in [sandbox.cache(), sandbox.path("out.tar")] {
        let output = run_on_a_small_disk(&sandbox, &index, &arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{told}");
        assert!(told.contains(&*place.to_string_lossy()) || told.contains("out.tar"), "{told}");
        assert_eq!(files_below(&sandbox.cache_folder(CacheBucket::Incoming)), Vec::<String>::new());
        assert_eq!(sandbox.files("."), Vec::<String>::new());
        // the second time the store has the file, and the bundle is what does not fit
        sandbox.prefetch_from(&index, ["large==1.0", "-d", "elsewhere"]).args(TARGET).assert().code(0);
        std::fs::remove_dir_all(sandbox.path("elsewhere")).unwrap();
    }
}

/// `pip-http` is written as copies, the small file first.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_no_part_of_a_folder() {
    let index = Index::new().wheel("a", "1.0").with(Wheel::new("large", "1.0").padding(200_000)).serve();
    let sandbox = Sandbox::new();
    sandbox.prefetch_from(&index, ["a", "large", "-d", "elsewhere"]).args(TARGET).assert().code(0);
    for layout in ["download-cache", "pip-http", "pip-http-v2"] {
        let output = run_on_a_small_disk(&sandbox, &index, &["a", "large", "-d", "out", "--layout", layout]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{told}");
        assert_eq!(files_below(&sandbox.path("out")), Vec::<String>::new(), "{layout}");
    }
}
