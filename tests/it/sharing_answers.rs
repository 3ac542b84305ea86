//! Pages, plans, metadata and built wheels in a store that machines share: a cold machine asks the
//! index only for what nobody asked lately, and what is wrong there is found out where it can be.

use std::process::Output;

use prefetch::cache_folder::CacheBucket;

use crate::support::{
    BUILDING_KIT, Bucket, Fault, Index, Published, Sandbox, ServedIndex, Wheel, files_below, index_with_kit,
};

const DEMO: &str = "demo-1.0-py3-none-any.whl";
const TOP: &str = "top-1.0-py3-none-any.whl";
const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

/// An index with `top`, which needs `demo`; both were uploaded at `time`.
fn world_of(time: &str) -> Index {
    let old = |wheel: Wheel| Published::from(wheel).uploaded(time);
    Index::new().with(old(Wheel::new("demo", "1.0"))).with(old(Wheel::new("top", "1.0").requires("demo")))
}

fn world() -> Index {
    world_of("2020-01-01T00:00:00Z")
}

fn ageing(world: Index) -> ServedIndex {
    world.failing("/simple/", Fault::Header("cache-control", "max-age=0".into())).serve()
}

/// What a run of a machine leaves and says.
struct Machine {
    sandbox: Sandbox,
    told: String,
}

impl Machine {
    fn files(&self) -> Vec<String> {
        self.sandbox.files("wheelhouse")
    }
}

/// Runs on a machine with an empty cache.
fn cold(bucket: &Bucket, url: &str, arguments: &[&str]) -> Machine {
    let sandbox = Sandbox::new().without_python();
    let told = again(bucket, &sandbox, url, arguments);
    Machine { sandbox, told }
}

fn again(bucket: &Bucket, sandbox: &Sandbox, url: &str, arguments: &[&str]) -> String {
    let outcome = bucket.run(sandbox, &[arguments, &["--index-url", url], &TARGET].concat()).assert().success();
    String::from_utf8_lossy(&outcome.get_output().stderr).into_owned()
}

/// How the paths of a kind of entries begin in the bucket.
fn folder(bucket: CacheBucket) -> String {
    format!("team/{}/", bucket.folder_name())
}

#[test]
fn a_question_that_was_asked_lately_costs_the_index_nothing() {
    let (index, bucket) = (world().serve(), Bucket::serve());
    cold(&bucket, &index.url(), &["top"]);
    index.forget_requests();
    bucket.forget_requests();
    let second = cold(&bucket, &index.url(), &["top"]);
    assert_eq!(second.files(), [DEMO, TOP]);
    assert_eq!(index.paths(), Vec::<String>::new());
    assert_eq!((bucket.count("GET"), bucket.count("/plans-")), (3, 1), "the plan and two files");
    assert_eq!(bucket.count("PUT"), 1, "its mark");
    bucket.forget_requests();
    again(&bucket, &second.sandbox, &index.url(), &["top"]);
    assert_eq!((bucket.count(""), index.paths().len()), (0, 0), "all is on the machine");
}

/// Another question has no plan, but the same pages and metadata.
#[test]
fn another_question_costs_only_what_nobody_asked_for() {
    let (index, bucket) = (world().wheel("new", "1.0").serve(), Bucket::serve());
    cold(&bucket, &index.url(), &["top"]);
    index.forget_requests();
    let second = cold(&bucket, &index.url(), &["top<2"]);
    assert_eq!((second.files(), index.paths()), (vec![DEMO.to_owned(), TOP.to_owned()], Vec::new()));
    cold(&bucket, &index.url(), &["top", "new"]);
    assert_eq!(index.paths().len(), index.count("new"), "{:?}", index.paths());
}

#[test]
fn a_stale_page_is_only_validated() {
    let (index, bucket) = (ageing(world()), Bucket::serve());
    cold(&bucket, &index.url(), &["top"]);
    index.forget_requests();
    let second = cold(&bucket, &index.url(), &["top"]);
    assert_eq!(second.files(), [DEMO, TOP]);
    let pages = index.requests();
    assert_eq!(pages.len(), 2, "{:?}", index.paths());
    assert!(pages.iter().all(|page| page.header("if-none-match").is_some()));
}

/// Files of a release that has been there for a while do not change.
#[test]
fn pins_cost_the_index_nothing_however_old_its_pages_are() {
    let (index, bucket) = (ageing(world()), Bucket::serve());
    let pins = ["top==1.0", "demo==1.0"];
    cold(&bucket, &index.url(), &pins);
    index.forget_requests();
    for question in [&pins[..], &["demo==1.0", "top==1.0"]] {
        assert_eq!(cold(&bucket, &index.url(), question).files(), [DEMO, TOP]);
        assert_eq!(index.paths(), Vec::<String>::new(), "{question:?}");
    }
    cold(&bucket, &index.url(), &[&pins[..], &["--refresh"]].concat());
    assert_eq!((index.count("/simple/demo/"), index.count("/simple/top/")), (1, 1));
}

/// Wheels may still be uploaded to a young release, or to one of unknown age.
#[test]
fn pins_of_young_releases_are_asked_for() {
    for (world, what) in [(world_of("2999-01-01T00:00:00Z"), "young"), (world().without_sizes(), "unknown")] {
        let (index, bucket) = (ageing(world), Bucket::serve());
        for _ in 0..2 {
            index.forget_requests();
            cold(&bucket, &index.url(), &["demo==1.0"]);
            assert_eq!(index.count("/simple/demo/"), 1, "{what}");
        }
        let machine = Sandbox::new().without_python();
        let line = format!("demo==1.0 --hash=sha256:{}\n", index.sha256(DEMO));
        machine.write("requirements.txt", line);
        index.forget_requests();
        again(&bucket, &machine, &index.url(), &["-r", "requirements.txt"]);
        assert_eq!(index.paths(), Vec::<String>::new(), "{what}: the digest decides");
    }
}

/// Only those who log in with the same password get what was answered to it.
#[test]
fn what_an_index_answers_to_one_password_no_other_gets() {
    let (index, bucket) = (world().basic_auth("me", "hunter2").serve(), Bucket::serve());
    let url = |login: &str| format!("{}/simple/", index.root_at(&format!("{login}@127.0.0.1")));
    cold(&bucket, &url("me:hunter2"), &["top"]);
    index.forget_requests();
    assert_eq!(cold(&bucket, &url("me:hunter2"), &["top"]).files(), [DEMO, TOP]);
    assert_eq!(index.paths(), Vec::<String>::new());
    for stranger in ["me:guess", "you:hunter2"] {
        let sandbox = Sandbox::new().without_python();
        let url = url(stranger);
        bucket.run(&sandbox, &[&["top", "--index-url", &url], &TARGET[..]].concat()).assert().failure();
    }
    assert!(!index.paths().is_empty());
}

#[test]
fn a_page_for_one_user_alone_is_not_shared() {
    let header = Fault::Header("cache-control", "private, max-age=600".into());
    let (index, bucket) = (world().failing("/simple/", header).serve(), Bucket::serve());
    cold(&bucket, &index.url(), &["top"]);
    for folder in ["team/pages-", "team/plans-"] {
        assert_eq!(bucket.paths(folder), Vec::<String>::new());
    }
    assert_eq!(bucket.objects().len(), 2);
}

/// The only path in the bucket that begins so.
fn only(bucket: &Bucket, start: &str) -> String {
    let paths = bucket.paths(start);
    assert_eq!(paths.len(), 1, "{paths:?}");
    paths.into_iter().next().unwrap()
}

/// Metadata of one wheel under the digest of another, with a right checksum: what the file itself
/// says counts.
#[test]
fn metadata_that_lies_is_found_out_told_and_replaced() {
    let (index, bucket) = (world().serve(), Bucket::serve());
    cold(&bucket, &index.url(), &["top"]);
    let names_top = |path: &String| bucket.object(path).windows(3).any(|bytes| bytes == b"top");
    let (top, demo): (Vec<_>, Vec<_>) = bucket.paths(&folder(CacheBucket::Metadata)).into_iter().partition(names_top);
    let ([top], [demo]) = (&top[..], &demo[..]) else { panic!("{top:?} {demo:?}") };
    let right = bucket.object(top);
    bucket.replace(top, &bucket.object(demo));
    let liar = cold(&bucket, &index.url(), &["top<2"]);
    assert!(liar.told.contains("did not fit them"), "{}", liar.told);
    assert_eq!(liar.files(), [DEMO, TOP]);
    assert_eq!(bucket.object(top), right);
    let healed = cold(&bucket, &index.url(), &["top<3"]);
    assert!(!healed.told.contains("warning"), "{}", healed.told);
}

#[test]
fn damaged_entries_are_told_and_replaced() {
    let (index, bucket) = (world().serve(), Bucket::serve());
    cold(&bucket, &index.url(), &["demo"]);
    for kind in [CacheBucket::Plans, CacheBucket::Pages] {
        let path = only(&bucket, &folder(kind));
        let mut bytes = bucket.object(&path).to_vec();
        bytes[3] ^= 1;
        bucket.replace(&path, &bytes);
        let machine = cold(&bucket, &index.url(), &["demo"]);
        assert!(machine.told.contains(&format!("wrong bytes for {}/", kind.folder_name())), "{}", machine.told);
        assert_eq!(machine.files(), [DEMO]);
        assert_ne!(bucket.object(&path), bytes);
        // Else the plan of this round would answer the next one.
        bucket.remove(&only(&bucket, &folder(CacheBucket::Plans)));
    }
}

#[test]
fn who_only_reads_leaves_nothing() {
    let (index, bucket) = (world().serve(), Bucket::serve());
    let modes = |mode| ["top", "--store-mode", mode];
    cold(&bucket, &index.url(), &modes("read-only"));
    assert_eq!(bucket.paths(""), Vec::<String>::new());
    cold(&bucket, &index.url(), &modes("write-only"));
    let all = bucket.paths("");
    index.forget_requests();
    cold(&bucket, &index.url(), &modes("read-only"));
    assert_eq!((index.paths(), bucket.paths("")), (Vec::new(), all));
}

/// Files that a page lists and that are gone are asked for on a new page.
#[test]
fn a_page_that_is_older_than_its_files_is_asked_for_again() {
    let (index, bucket) = (world().serve(), Bucket::serve());
    cold(&bucket, &index.url(), &["demo"]);
    bucket.objects().iter().for_each(|path| bucket.remove(path));
    index.fail_times("/files/", 1, Fault::Status(404));
    let machine = cold(&bucket, &index.url(), &["demo"]);
    assert_eq!((machine.files(), index.count("/simple/demo/")), (vec![DEMO.to_owned()], 2));
}

#[test]
fn a_folder_serves_pages_without_a_network() {
    let (index, shared) = (world().serve(), Sandbox::new());
    let store = shared.path("store");
    let arguments = ["top", "--store", store.to_str().unwrap()];
    let run = |more: &[&str]| {
        let sandbox = Sandbox::new().without_python();
        sandbox.prefetch_from(&index, [&arguments, &TARGET[..], more].concat()).assert().success();
        sandbox.files("wheelhouse")
    };
    run(&[]);
    index.forget_requests();
    assert_eq!((run(&["--offline"]), index.paths()), (vec![DEMO.to_owned(), TOP.to_owned()], Vec::new()));
    assert!(files_below(&store).iter().any(|path| path.starts_with("marks-v1/")));
}

/// A machine that built a wheel builds it for all.
#[test]
fn a_wheel_is_built_by_one_machine_for_all() {
    let (index, bucket) = (index_with_kit("pass").serve(), Bucket::serve());
    let build = || -> (Sandbox, Output) {
        let sandbox = Sandbox::new();
        let url = index.url();
        let arguments = ["kit", "--build-wheels", "missing", "--index-url", &url];
        let output = bucket.run(&sandbox, &arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (sandbox, output)
    };
    let told = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let (first, output) = build();
    assert!(told(&output).contains(BUILDING_KIT));
    let (second, output) = build();
    assert!(!told(&output).contains("Building"), "{}", told(&output));
    let wheel = "wheelhouse/kit-3.0-py3-none-any.whl";
    assert_eq!(first.read(wheel), second.read(wheel));
    // What lies about the wheel is not taken.
    let entry = only(&bucket, &folder(CacheBucket::BuiltWheels));
    bucket.replace(&entry, b"nonsense");
    let (_, output) = build();
    assert!(told(&output).contains(BUILDING_KIT) && told(&output).contains("wrong bytes for built-wheels-v"));
}
