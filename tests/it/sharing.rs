//! A store that machines share: what one run fetched, no other run asks the index for; and whatever
//! is wrong with it, runs end as without it.

use assert_cmd::assert::Assert;

use crate::locking::entry;
use crate::support::{Bucket, Fault, Index, PlainServer, Sandbox, ServedIndex, Wheel};

const DEMO: &str = "demo-1.0-py3-none-any.whl";
const OTHER: &str = "other-2.0-py3-none-any.whl";
const TARGET: [&str; 6] = ["--python-version", "3.12", "--platform", "linux-x86_64", "--retries", "1"];

/// An index with `other`, a file of several parts, and `demo`, which that needs.
fn index() -> ServedIndex {
    let other = Wheel::new("other", "2.0").requires("demo>=1").padding(20_000_000);
    Index::new().wheel("demo", "1.0").with(other).serve()
}

fn small_index() -> ServedIndex {
    Index::new().wheel("demo", "1.0").serve()
}

fn fetch(bucket: &Bucket, index: &ServedIndex, project: &str, more: &[&str]) -> (Sandbox, Assert) {
    let sandbox = Sandbox::new().without_python();
    let url = index.url();
    let outcome = bucket.run(&sandbox, &[&[project, "--index-url", &url], &TARGET[..], more].concat()).assert();
    (sandbox, outcome)
}

fn told(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stderr).into_owned()
}

/// The path of a file of the index in the bucket.
fn path_of(index: &ServedIndex, filename: &str) -> String {
    let sha256 = index.sha256(filename);
    format!("team/objects-v1/{}/{}", &sha256[..2], &sha256[2..])
}

#[test]
fn what_one_machine_fetched_no_other_asks_the_index_for() {
    let (index, bucket) = (index(), Bucket::serve());
    let (_first, outcome) = fetch(&bucket, &index, "other", &[]);
    assert!(told(&outcome.success()).contains("Shared store: 2 files (19"));
    assert_eq!(bucket.object(&path_of(&index, OTHER)), index.bytes(OTHER));
    index.forget_requests();
    let (second, outcome) = fetch(&bucket, &index, "other", &[]);
    assert!(told(&outcome.success()).contains("from it."));
    assert_eq!(index.requests_for_files().len(), 0);
    assert_eq!(second.files("wheelhouse"), [DEMO, OTHER]);
    assert_eq!(second.read(&format!("wheelhouse/{OTHER}")), index.bytes(OTHER));
}

/// A lock tells the URL and the digest of each file, so that no page is needed.
#[test]
fn a_cold_machine_with_a_lock_asks_the_index_nothing() {
    let (index, bucket) = (small_index(), Bucket::serve());
    let app = "version = 1\nrevision = 3\nrequires-python = \">=3.10\"\n\n[[package]]\nname = \"app\"\nversion = \"1\"\n\
               source = { virtual = \".\" }\ndependencies = [{ name = \"demo\" }]\n\n";
    let lock = format!("{app}{}", entry(&index, "demo", "1.0", DEMO, ""));
    for requests in [1, 0] {
        let sandbox = Sandbox::new().without_python();
        sandbox.write("pyproject.toml", "[project]\nname = 'app'\nversion = '1'\ndependencies = ['demo']\n");
        sandbox.write("uv.lock", &lock);
        index.forget_requests();
        let url = index.url();
        bucket.run(&sandbox, &[&["-r", "uv.lock", "--index-url", &url], &TARGET[..]].concat()).assert().success();
        assert_eq!(index.requests().len(), requests);
        assert!(sandbox.files("wheelhouse").contains(&DEMO.to_owned()));
    }
}

#[test]
fn a_folder_is_a_store_too() {
    let (index, shared) = (small_index(), Sandbox::new());
    for round in 0..2 {
        let sandbox = Sandbox::new().without_python();
        let store = shared.path("store");
        let arguments = [&["demo", "--store", store.to_str().unwrap()], &TARGET[..]].concat();
        sandbox.prefetch_from(&index, arguments).assert().success();
        assert_eq!(sandbox.files("wheelhouse"), [DEMO], "{round}");
    }
    assert_eq!(index.requests_for_files().len(), 1);
}

#[test]
fn a_web_server_over_a_store_is_read() {
    let (index, bucket) = (small_index(), Sandbox::new());
    let store = bucket.path("store");
    let arguments = [&["demo", "--store", store.to_str().unwrap()], &TARGET[..]].concat();
    Sandbox::new().without_python().prefetch_from(&index, arguments).assert().success();
    let server = PlainServer::over(&store);
    let url = server.url();
    index.forget_requests();
    let sandbox = Sandbox::new().without_python();
    let arguments = [&["demo", "--store", &url], &TARGET[..]].concat();
    let outcome = sandbox.prefetch_from(&index, arguments).assert().success();
    assert!(told(&outcome).contains("1 file") && told(&outcome).contains("from it."), "{}", told(&outcome));
    assert_eq!(index.requests_for_files().len(), 0);
    let arguments = [&["demo", "--store", &url, "--store-mode", "write-only"], &TARGET[..]].concat();
    Sandbox::new().without_python().prefetch_from(&index, arguments).assert().code(2);
}

#[test]
fn each_mode_does_only_its_part() {
    let (index, bucket) = (small_index(), Bucket::serve());
    fetch(&bucket, &index, "demo", &["--store-mode", "read-only"]).1.success();
    assert_eq!(bucket.objects(), Vec::<String>::new());
    fetch(&bucket, &index, "demo", &["--store-mode", "write-only"]).1.success();
    assert_eq!(bucket.objects(), [path_of(&index, DEMO)]);
    bucket.forget_requests();
    fetch(&bucket, &index, "demo", &["--store-mode", "write-only"]).1.success();
    let puts = bucket.count("PUT /wheels/team/objects-v1/");
    assert_eq!((bucket.count("GET"), puts), (0, 1), "it is offered, and there already");
    fetch(&bucket, &index, "demo", &["--store-mode", "read-only"]).1.success();
    assert_eq!(index.requests_for_files().len(), 3);
}

/// Other bytes under a right name are not used, are told, and give way to the right ones.
#[test]
fn a_poisoned_object_is_dropped_told_and_replaced() {
    let (index, bucket) = (small_index(), Bucket::serve());
    fetch(&bucket, &index, "demo", &[]).1.success();
    let path = path_of(&index, DEMO);
    let evil = vec![7; bucket.object(&path).len()];
    for poison in [&evil[..], b"", b"short"] {
        bucket.replace(&path, poison);
        let (sandbox, outcome) = fetch(&bucket, &index, "demo", &["--store-mode", "read-only"]);
        assert!(told(&outcome.success()).contains("has wrong bytes for sha256:"), "{poison:?}");
        assert_eq!(sandbox.read(&format!("wheelhouse/{DEMO}")), index.bytes(DEMO));
        assert_eq!(bucket.object(&path), poison, "who only reads removes nothing");
    }
    fetch(&bucket, &index, "demo", &[]).1.success();
    assert_eq!(bucket.object(&path), index.bytes(DEMO));
}

/// It would be read to its end before its digest tells that it is wrong.
#[test]
fn an_object_that_is_larger_than_files_may_be_is_not_read() {
    let (index, bucket) = (small_index(), Bucket::serve());
    fetch(&bucket, &index, "demo", &[]).1.success();
    bucket.replace(&path_of(&index, DEMO), &[7; 100_000]);
    let (sandbox, outcome) = fetch(&bucket, &index, "demo", &["--store-mode", "read-only", "--max-file-size", "50000"]);
    assert!(!told(&outcome.success()).contains("wrong bytes"));
    assert_eq!(sandbox.read(&format!("wheelhouse/{DEMO}")), index.bytes(DEMO));
}

/// Each costs one warning, and no run.
#[test]
fn a_store_in_trouble_costs_a_warning_and_nothing_else() {
    let (index, bucket) = (small_index(), Bucket::serve());
    fetch(&bucket, &index, "demo", &[]).1.success();
    let half = index.bytes(DEMO).len() / 2;
    for (fault, why) in [
        (Fault::Status(503), "503"),
        (Fault::Closed, "could not be reached"),
        (Fault::CutAfter(half), "broke off"),
        (Fault::Status(403), "does not allow"),
        (Fault::Status(301), ""),
    ] {
        bucket.fail("GET", fault.clone());
        let (sandbox, outcome) = fetch(&bucket, &index, "demo", &[]);
        let told = told(&outcome.success());
        assert!(told.contains("indexes were asked instead") && told.contains(why), "{fault:?}: {told}");
        assert_eq!(told.matches("warning: ").count(), 1, "{fault:?}: {told}");
        assert_eq!(sandbox.files("wheelhouse"), [DEMO], "{fault:?}");
        bucket.heal();
    }
    bucket.replace(&path_of(&index, DEMO), b"");
    bucket.fail("PUT", Fault::Status(507));
    let (_, outcome) = fetch(&bucket, &index, "demo", &["--store-mode", "write-only"]);
    assert!(told(&outcome.success()).contains("was not written"));
}

#[test]
fn keys_and_buckets_that_are_wrong_are_told_without_secrets() {
    let (index, bucket) = (small_index(), Bucket::serve());
    for (key, store, why) in
        [("AKIDOTHER", "s3://wheels/team", "InvalidAccessKeyId"), ("AKIDEXAMPLE", "s3://none/team", "NoSuchBucket")]
    {
        let arguments = [&["demo", "--store", store], &TARGET[..]].concat();
        let sandbox = Sandbox::new().without_python();
        let mut command = sandbox.prefetch_from(&index, arguments);
        let outcome = command.envs(bucket.variables()).env("AWS_ACCESS_KEY_ID", key).assert().success();
        let told = told(&outcome);
        assert!(told.contains(why) && told.contains(store) && !told.contains(Bucket::SECRET), "{told}");
    }
}

#[test]
fn keys_in_the_url_count_and_are_masked() {
    let (index, bucket) = (small_index(), Bucket::serve());
    let url = format!("s3://AKIDEXAMPLE:{}@wheels/team", Bucket::SECRET);
    let run = || {
        let sandbox = Sandbox::new().without_python();
        let arguments = [&["demo", "-v", "--report", "report.json", "--store", &url], &TARGET[..]].concat();
        let mut command = sandbox.prefetch_from(&index, arguments);
        let outcome = command.env("AWS_ENDPOINT_URL", &bucket.variables()[0].1).assert().success();
        assert!(!String::from_utf8(sandbox.read("report.json")).unwrap().contains(Bucket::SECRET));
        assert!(!told(&outcome).contains(Bucket::SECRET), "{}", told(&outcome));
        told(&outcome)
    };
    run();
    assert_eq!(bucket.objects(), [path_of(&index, DEMO)]);
    bucket.fail("GET", Fault::Status(500));
    assert!(run().contains("s3://****@wheels/team"));
}

#[test]
fn what_is_no_store_is_refused() {
    let index = small_index();
    for (store, variable, why) in [
        ("ftp://wheels/team", "", "scheme"),
        ("http://store.example/wheels", "", "plain HTTP"),
        ("s3://wheels/team", "http://store.example", "plain HTTP"),
    ] {
        let arguments = [&["demo", "--store", store], &TARGET[..]].concat();
        let sandbox = Sandbox::new().without_python();
        let mut command = sandbox.prefetch_from(&index, arguments);
        let outcome = command.env("AWS_ENDPOINT_URL", variable).assert().code(2);
        assert!(told(&outcome).contains(why), "{store}: {}", told(&outcome));
    }
}

/// As a CI sets it, once for all runs.
#[test]
fn the_store_may_be_named_by_a_variable() {
    let (index, bucket) = (small_index(), Bucket::serve());
    let sandbox = Sandbox::new().without_python();
    let mut command = sandbox.prefetch_from(&index, [&["demo"], &TARGET[..]].concat());
    command.env("PREFETCH_STORE", bucket.url()).env("PREFETCH_STORE_MODE", "write-only").envs(bucket.variables());
    command.assert().success();
    assert_eq!(bucket.objects(), [path_of(&index, DEMO)]);
}
