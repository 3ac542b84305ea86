//! `prefetch cache` with a shared store: fills it, empties it, counts and checks it.

use std::fs::File;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use prefetch::cache_folder::CacheBucket;

use crate::support::{Bucket, Fault, Index, Sandbox, ServedIndex, Wheel, files_below};

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

fn world() -> ServedIndex {
    Index::new().wheel("demo", "1.0").with(Wheel::new("top", "1.0").requires("demo")).serve()
}

/// A machine that fetched `top` without any store.
fn machine(index: &ServedIndex) -> Sandbox {
    let sandbox = Sandbox::new().without_python();
    sandbox.prefetch_from(index, [&["top"], &TARGET[..]].concat()).assert().success();
    sandbox
}

/// What `prefetch cache ARGUMENTS --store … --json` prints, when it ends with `code`.
fn cache(bucket: &Bucket, sandbox: &Sandbox, arguments: &[&str], code: i32) -> Value {
    let arguments = [&["cache"], arguments, &["--json"]].concat();
    let outcome = bucket.run(sandbox, &arguments).assert().code(code);
    serde_json::from_slice(&outcome.get_output().stdout).unwrap()
}

/// How the paths of a kind of entries begin in the bucket.
fn folder(bucket: CacheBucket) -> String {
    format!("team/{}/", bucket.folder_name())
}

#[test]
fn a_cache_fills_a_store_and_a_store_a_cache() {
    let (index, bucket) = (world(), Bucket::serve());
    let first = machine(&index);
    let pushed = cache(&bucket, &first, &["push"], 0);
    assert_eq!((&pushed["files"], &pushed["entries"], &pushed["kept"]), (&json!(2), &json!(2), &json!(0)));
    assert_eq!(cache(&bucket, &first, &["push"], 0)["kept"], 4, "a second one sends only the rest");
    let info = cache(&bucket, &first, &["info"], 0);
    assert_eq!((&info["objects"], &info["store"]), (&json!(2), &json!("s3://wheels/team")));
    let folders: Vec<_> = info["folders"].as_array().unwrap().iter().map(|folder| &folder["name"]).collect();
    assert_eq!(folders, [&CacheBucket::Metadata.folder_name(), &CacheBucket::Objects.folder_name()]);
    let second = Sandbox::new().without_python();
    let pulled = cache(&bucket, &second, &["pull"], 0);
    assert_eq!((&pulled["files"], &pulled["bytes"]), (&json!(2), &pushed["bytes"]));
    index.forget_requests();
    second.prefetch_from(&index, [&["top"], &TARGET[..]].concat()).assert().success();
    assert_eq!(index.requests_for_files().len(), 0);
    assert_eq!(cache(&bucket, &second, &["pull"], 0)["kept"], 2);
}

#[test]
fn every_digest_is_checked_and_what_is_wrong_goes() {
    let (index, bucket) = (world(), Bucket::serve());
    let sandbox = machine(&index);
    cache(&bucket, &sandbox, &["push"], 0);
    assert_eq!(cache(&bucket, &sandbox, &["verify"], 0)["read"], 4);
    let (object, entry) = (bucket.objects()[0].clone(), bucket.paths(&folder(CacheBucket::Metadata))[0].clone());
    for path in [&object, &entry] {
        bucket.replace(path, b"evil");
    }
    let damaged = |found: Value| -> Vec<String> {
        let found = found["damaged"].as_array().unwrap().clone();
        found.iter().map(|file| format!("team/{}", file["path"].as_str().unwrap())).collect()
    };
    let left = cache(&bucket, &sandbox, &["verify", "--store-mode", "read-only"], 1);
    assert_eq!(damaged(left), [entry.clone(), object.clone()]);
    assert_eq!(bucket.objects().len(), 2);
    assert_eq!(damaged(cache(&bucket, &sandbox, &["verify"], 1)), [entry.clone(), object.clone()]);
    assert_eq!((bucket.objects().len(), bucket.paths(&folder(CacheBucket::Metadata)).len()), (1, 1));
    cache(&bucket, &sandbox, &["verify"], 0);
}

/// A store that fails in the middle: what was read before is not read again.
#[test]
fn a_check_goes_on_where_it_was_cut_off() {
    let (index, bucket) = (world(), Bucket::serve());
    let sandbox = machine(&index);
    cache(&bucket, &sandbox, &["push"], 0);
    let last = bucket.objects()[1].clone();
    bucket.fail(&format!("GET /wheels/{last}"), Fault::Status(404));
    let outcome = bucket.run(&sandbox, &["cache", "verify"]).assert().code(4);
    let told = String::from_utf8_lossy(&outcome.get_output().stderr).into_owned();
    assert!(told.contains("s3://wheels/team"), "{told}");
    bucket.heal();
    bucket.forget_requests();
    let checked = cache(&bucket, &sandbox, &["verify"], 0);
    let read = bucket.count("GET /wheels/team/");
    assert_eq!(checked["read"], read);
    assert!((1..4).contains(&read) && checked["known"] == 4 - read, "{checked}");
}

#[test]
fn wrong_objects_are_not_taken_in() {
    let (index, bucket) = (world(), Bucket::serve());
    cache(&bucket, &machine(&index), &["push"], 0);
    bucket.replace(&bucket.objects()[0].clone(), b"evil");
    let sandbox = Sandbox::new().without_python();
    let pulled = cache(&bucket, &sandbox, &["pull", "--store-mode", "read-only"], 1);
    assert_eq!((&pulled["files"], &pulled["wrong"]), (&json!(1), &json!(1)));
    assert_eq!(files_below(&sandbox.cache().join("objects-v1")).len(), 1);
}

/// As if the whole store had been written a hundred days ago.
fn let_age(store: &std::path::Path) {
    for path in files_below(store) {
        let time = SystemTime::now() - Duration::from_secs(100 * 24 * 60 * 60);
        File::options().write(true).open(store.join(path)).unwrap().set_modified(time).unwrap();
    }
}

#[test]
fn what_no_run_named_for_long_goes() {
    let (index, shared) = (world(), Sandbox::new());
    let folder = shared.path("store");
    let store = folder.to_str().unwrap();
    let run = |project: &str| {
        let sandbox = Sandbox::new().without_python();
        sandbox.prefetch_from(&index, [&[project, "--store", store], &TARGET[..]].concat()).assert().success();
    };
    let prune = |more: &[&str]| {
        let arguments = [&["cache", "prune", "--older-than", "30d", "--json", "--store", store], more].concat();
        let outcome = shared.prefetch(arguments).assert().success();
        let pruned: Value = serde_json::from_slice(&outcome.get_output().stdout).unwrap();
        let paths = pruned["removed"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap().to_owned());
        paths.collect::<Vec<_>>()
    };
    let objects = || files_below(&folder.join("objects-v1")).len();
    run("top");
    assert_eq!(prune(&[]), Vec::<String>::new(), "all is young");
    let_age(&folder);
    run("demo");
    let would = prune(&["--dry-run"]);
    assert_eq!(objects(), 2, "nothing happens");
    assert_eq!(prune(&[]), would);
    assert_eq!(objects(), 1, "demo is named by the last run");
    assert!(would.iter().any(|path| path.starts_with("marks-v1/")), "{would:?}");
    index.forget_requests();
    run("demo");
    assert_eq!(index.requests_for_files().len(), 0);
}

#[test]
fn a_store_must_be_named() {
    let sandbox = Sandbox::new();
    for action in ["push", "pull"] {
        let outcome = sandbox.prefetch(["cache", action]).assert().code(2);
        assert!(String::from_utf8_lossy(&outcome.get_output().stderr).contains("--store"));
    }
    sandbox.prefetch(["cache", "prune", "--max-size", "1G", "--store", "s3://wheels/team"]).assert().code(2);
    let bucket = Bucket::serve();
    let mut command = sandbox.prefetch(["cache", "push"]);
    command.env("PREFETCH_STORE", bucket.url()).envs(bucket.variables()).assert().success();
    // The variable is for runs: what is asked of the cache is about the cache.
    let outcome = sandbox.prefetch(["cache", "info"]).env("PREFETCH_STORE", bucket.url()).assert().success();
    assert!(String::from_utf8_lossy(&outcome.get_output().stdout).starts_with("Folder:"));
}
