//! Files that were begun before: by an attempt that was cut off, a run that was killed, another run.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::*;

/// The `Range` of each request for the file.
fn ranges(index: &ServedIndex, file: &str) -> Vec<Option<String>> {
    let requests = index.requests_for_files().into_iter().filter(|request| request.path.ends_with(file));
    requests.map(|request| request.header("range").map(ToOwned::to_owned)).collect()
}

/// Where a run keeps what it has of the large file.
fn partial(index: &ServedIndex) -> String {
    format!("../cache/{}/sha256-{}.partial", CacheBucket::Incoming.folder_name(), index.sha256(DEMO))
}

#[test]
fn a_body_cut_short_is_gone_on_with() {
    let (index, sandbox) = (large().failing_times(DEMO, 2, Fault::CutAfter(2_000_000)).serve(), sandbox());
    fetch(&index, &sandbox, &["--no-deps"]).is(0, &[]);
    is_complete(&index, &sandbox);
    let asked = ranges(&index, DEMO);
    assert_eq!(asked, [None, Some("bytes=2000000-".into())], "the second answer is shorter than the fault's cut");
    let condition =
        index.requests_for_files().iter().rev().find_map(|request| request.header("if-range").map(str::len));
    assert!(condition.is_some(), "the condition is the entity tag");
}

/// What a server may do wrong with a range, each after a cut; the file comes whole in the end.
#[test]
fn ranges_done_wrong_do_no_harm() {
    let cut = || Fault::CutAfter(2_000_000);
    for (what, second) in [
        ("another range", Fault::Header("content-range", "bytes 5-9/10".into())),
        ("no range", Fault::Header("content-range", "nonsense".into())),
        ("not to the end", Fault::Header("content-range", "bytes 2000000-2000009/9999999".into())),
        ("not satisfiable", Fault::Status(416)),
    ] {
        let (index, sandbox) = (large().failing_times(DEMO, 1, cut()).serve(), sandbox());
        index.fail_times(DEMO, 1, second);
        fetch(&index, &sandbox, &["--no-deps"]).is(0, &[]);
        is_complete(&index, &sandbox);
        assert_eq!(ranges(&index, DEMO), [None, Some("bytes=2000000-".into()), None], "{what}");
    }
}

#[test]
fn a_server_without_ranges_sends_it_all_again() {
    let (index, sandbox) =
        (large().without_ranges().failing_times(DEMO, 1, Fault::CutAfter(2_000_000)).serve(), sandbox());
    fetch(&index, &sandbox, &["--no-deps"]).is(0, &[]);
    is_complete(&index, &sandbox);
    assert_eq!(ranges(&index, DEMO).len(), 2);
}

#[test]
fn another_version_of_the_file_is_fetched_whole() {
    let changed = Fault::CutAfter(2_000_000).and(Fault::Header("etag", "\"before\"".into()));
    let (index, sandbox) = (large().failing_times(DEMO, 1, changed).serve(), sandbox());
    fetch(&index, &sandbox, &["--no-deps"]).is(0, &[]);
    is_complete(&index, &sandbox);
    let conditions: Vec<_> =
        index.requests_for_files().iter().filter_map(|request| request.header("if-range").map(str::to_owned)).collect();
    assert_eq!(conditions, ["\"before\""]);
}

/// Parts fit together only where a digest can tell.
#[test]
fn without_a_promised_digest_nothing_is_gone_on_with() {
    let index = large().digests(&[]).failing_times(DEMO, 1, Fault::CutAfter(2_000_000)).serve();
    let sandbox = sandbox();
    fetch(&index, &sandbox, &["--no-deps"]).is(0, &[]);
    is_complete(&index, &sandbox);
    assert_eq!(ranges(&index, DEMO), [None, None]);
}

/// Kill -9 in the middle of a file: the next run asks for the rest.
#[test]
fn a_killed_run_is_gone_on_with() {
    let (index, sandbox) = (large().failing(DEMO, Fault::HangAfter(2_500_000)).serve(), sandbox());
    let arguments = ["demo==1.0", "other==2.0", "--no-deps", "--python-version", "3.12", "--platform", "linux-x86_64"];
    let mut process = sandbox.process(arguments).args(["--index-url", &index.url()]).spawn().unwrap();
    while held(&sandbox, CacheBucket::Incoming).len() < 2 || partial_size(&sandbox) < 2_000_000 {
        std::thread::yield_now();
    }
    process.kill().unwrap();
    process.wait().unwrap();
    let arrived = partial_size(&sandbox);
    index.heal();
    index.forget_requests();
    fetch(&index, &sandbox, &["--no-deps"]).is(0, &[]);
    is_complete(&index, &sandbox);
    assert_eq!(ranges(&index, DEMO), [Some(format!("bytes={arrived}-"))]);
    let requests = index.requests_for_files();
    let of_demo = requests.iter().find(|request| request.path.ends_with(DEMO));
    assert!(of_demo.is_some_and(|request| request.header("if-range").is_some()), "{requests:?}");
    assert_eq!(held(&sandbox, CacheBucket::Incoming), Vec::<String>::new());
}

fn partial_size(sandbox: &Sandbox) -> u64 {
    let files = held(sandbox, CacheBucket::Incoming).into_iter().filter(|file| file.ends_with(".partial"));
    files
        .map(|file| {
            std::fs::metadata(sandbox.cache_folder(CacheBucket::Incoming).join(file)).map_or(0, |found| found.len())
        })
        .max()
        .unwrap_or(0)
}

/// As after a power cut: the bytes of the part are not what was written.
#[test]
fn a_damaged_part_is_thrown_away() {
    let (index, sandbox) = (large().serve(), sandbox());
    let part = partial(&index);
    sandbox.write(&part, vec![0; 1_000_000]);
    fetch(&index, &sandbox, &["--no-deps", "--retries", "0"]).is(0, &[]);
    is_complete(&index, &sandbox);
    assert_eq!(ranges(&index, DEMO), [Some("bytes=1000000-".into()), None]);
    assert_eq!(held(&sandbox, CacheBucket::Incoming), Vec::<String>::new());
}

#[test]
fn a_complete_part_needs_no_request() {
    let (index, sandbox) = (large().serve(), sandbox());
    sandbox.write(&partial(&index), index.bytes(DEMO));
    fetch(&index, &sandbox, &["--no-deps"]).is(0, &[]);
    is_complete(&index, &sandbox);
    assert_eq!(ranges(&index, DEMO), [None; 0]);
}

/// Two at once: one fetches, the other waits for it.
#[test]
fn two_runs_fetch_a_file_once() {
    let (index, sandbox) = (large().failing(DEMO, Fault::HangAfter(100)).serve(), sandbox());
    let start = |folder: &str| {
        let arguments =
            ["demo==1.0", "--no-deps", "--python-version", "3.12", "--platform", "linux-x86_64", "-d", folder];
        let mut command = sandbox.process(arguments);
        command.args(["--index-url", &index.url()]).stderr(Stdio::piped()).spawn().unwrap()
    };
    let first = start("first");
    index.wait_for(&format!("/files/{DEMO}"), 1);
    let mut second = start("second");
    let mut told = String::new();
    BufReader::new(second.stderr.as_mut().unwrap()).read_line(&mut told).unwrap();
    assert!(told.starts_with("Fetching"), "{told}");
    index.release();
    for mut process in [first, second] {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(index.requests_for_files().len(), 1);
    assert!(sandbox.read(&format!("second/{DEMO}")) == index.bytes(DEMO));
}

/// Each part is asked for on a connection of its own; what breaks off in one is asked for again.
#[test]
fn a_large_file_comes_in_parts_whatever_becomes_of_one() {
    let bytes: Vec<u8> = (0..40_000_000_u32).map(|number| (number.wrapping_mul(number) >> 7) as u8).collect();
    let demo = || Index::new().with(Published::new("demo", DEMO, bytes.clone())).wheel("other", "2.0");
    let faults = [(0, Fault::Closed), (3, Fault::CutAfter(1_000_000)), (3, Fault::RetryAfter(503, "0".into()))];
    for (times, fault) in faults {
        let (index, sandbox) = (demo().failing_times(DEMO, times, fault.clone()).serve(), sandbox());
        fetch(&index, &sandbox, &["--no-deps"]).is(0, &[]);
        is_complete(&index, &sandbox);
        let parts = ranges(&index, DEMO).into_iter().flatten().count();
        assert!(parts >= 3, "{fault:?}: {parts} parts");
        assert_eq!(held(&sandbox, CacheBucket::Incoming), Vec::<String>::new(), "{fault:?}");
    }
}
