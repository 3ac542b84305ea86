//! Layouts in a bucket: pip installs from it by its web site, and a second run sends only what changed.

use std::path::Path;

use assert_cmd::assert::Assert;

use crate::support::{Bucket, Fault, Index, Sandbox, ServedIndex, Source, Wheel, judges};

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

fn world() -> ServedIndex {
    let top = Wheel::new("top", "1.0").requires("demo");
    let large = Wheel::new("large", "1.0").padding(12_000_000);
    Index::new().wheel("demo", "1.0").wheel("demo", "2.0").with(top).with(large).serve()
}

/// Publishes what is asked for to `team/DEST`.
fn publish(bucket: &Bucket, index: &ServedIndex, dest: &str, arguments: &[&str]) -> Assert {
    let sandbox = Sandbox::new().without_python();
    let dest = format!("s3://wheels/team/{dest}");
    let url = index.url();
    let arguments = [&["--dest", &dest, "--index-url", &url], &TARGET[..], arguments].concat();
    sandbox.prefetch(arguments).envs(bucket.variables()).assert()
}

fn told(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stderr).into_owned()
}

#[test]
fn pip_and_uv_install_from_an_index_in_a_bucket() {
    let (index, bucket) = (world(), Bucket::serve());
    let outcome = publish(&bucket, &index, "simple", &["top", "large", "--layout", "simple"]).success();
    assert!(told(&outcome).contains("Published to s3://wheels/team/simple: "), "{}", told(&outcome));
    let site = bucket.site("team/simple/");
    let installed = ["demo-2.0", "large-1.0", "top-1.0"];
    judges().pip().install(Source::Index(&site), ["top", "large"]).assert_installed(installed);
    judges().uv().install(Source::Index(&site), ["top", "large"]).assert_installed(installed);
    let header = |path: &str, name| bucket.header(&format!("team/simple/{path}"), name).unwrap();
    assert_eq!(header("top/index.html", "content-type"), "text/html; charset=utf-8");
    assert_eq!(header("top/index.json", "content-type"), "application/vnd.pypi.simple.v1+json");
    assert!(header("large/large-1.0-py3-none-any.whl", "cache-control").contains("immutable"));
    assert!(!header("index.html", "cache-control").contains("immutable"));
}

#[test]
fn pip_installs_from_a_folder_of_links_in_a_bucket() {
    let (index, bucket) = (world(), Bucket::serve());
    publish(&bucket, &index, "links", &["top"]).success();
    let page = bucket.site("team/links/links.html");
    judges().pip().install(Source::Links(&page), ["top"]).assert_installed(["demo-2.0", "top-1.0"]);
}

/// The files that were sent, in order of arrival.
fn sent(bucket: &Bucket) -> Vec<String> {
    let requests = bucket.requests().into_iter();
    let sent = requests.filter_map(|request| request.strip_prefix("PUT /wheels/team/simple/").map(str::to_owned));
    sent.collect()
}

#[test]
fn only_what_changed_is_sent_and_pages_follow_their_files() {
    let (index, bucket) = (world(), Bucket::serve());
    let run = |arguments: &[&str]| {
        bucket.forget_requests();
        publish(&bucket, &index, "simple", &[arguments, &["--layout", "simple"]].concat()).success()
    };
    run(&["demo==1.0"]);
    let first = sent(&bucket);
    let position = |path: &str| first.iter().position(|sent| sent == path).unwrap_or_else(|| panic!("{first:?}"));
    assert!(position("demo/demo-1.0-py3-none-any.whl") < position("demo/index.html"));
    assert!(position("demo/index.html") < position("index.html"));
    let again = run(&["demo==1.0"]);
    assert_eq!(sent(&bucket), Vec::<String>::new());
    assert!(told(&again).contains("0 files sent"), "{}", told(&again));
    run(&["top"]);
    let page = String::from_utf8(bucket.object("team/simple/demo/index.html").to_vec()).unwrap();
    assert!(page.contains("demo-1.0-") && page.contains("demo-2.0-"), "what was there stays: {page}");
    assert!(!sent(&bucket).iter().any(|path| path.contains("demo-1.0")));
}

#[test]
fn what_left_goes_last_and_only_if_told_to() {
    let (index, bucket) = (world(), Bucket::serve());
    publish(&bucket, &index, "simple", &["top", "--layout", "simple"]).success();
    bucket.replace("team/simple/notes.txt", b"of somebody else");
    let outcome = publish(&bucket, &index, "simple", &["demo==1.0", "--layout", "simple", "--prune"]).success();
    assert!(told(&outcome).contains("removed."), "{}", told(&outcome));
    let left = bucket.paths("team/simple/");
    let left: Vec<_> = left.iter().map(|path| path.trim_start_matches("team/simple/")).collect();
    let demo = ["demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-any.whl.metadata", "index.html", "index.json"];
    let expected = demo.map(|name| format!("demo/{name}"));
    assert_eq!(left[..4], expected);
    assert_eq!(left[4..], ["index.html", "index.json", "notes.txt"]);
    let requests = bucket.requests();
    let removal = requests.iter().rposition(|request| request.starts_with("POST /wheels?delete")).unwrap();
    assert!(requests[removal..].iter().all(|request| !request.starts_with("PUT")));
}

/// A reader never sees a page whose file is missing.
#[test]
fn a_publication_that_fails_leaves_the_pages_as_they_were() {
    let (index, bucket) = (world(), Bucket::serve());
    publish(&bucket, &index, "simple", &["demo==1.0", "--layout", "simple"]).success();
    let page = bucket.object("team/simple/demo/index.html");
    bucket.fail("PUT /wheels/team/simple/demo/demo-2.0-py3-none-any.whl", Fault::Status(403));
    let outcome = publish(&bucket, &index, "simple", &["demo==2.0", "--layout", "simple"]).code(4);
    assert!(told(&outcome).contains("s3://wheels/team/simple/demo/demo-2.0"), "{}", told(&outcome));
    assert_eq!(bucket.object("team/simple/demo/index.html"), page);
}

/// A bundle goes to a bucket as an archive, with the bytes that it has anywhere, or as a folder.
#[test]
fn bundles_go_to_a_bucket() {
    let (index, bucket) = (world(), Bucket::serve());
    let sandbox = Sandbox::new().without_python();
    let run = |place: &str, more: &[&str]| {
        let url = index.url();
        let arguments = [&["top", "--index-url", &url, "--bundle", place], &TARGET[..], more].concat();
        sandbox.prefetch(arguments).envs(bucket.variables()).assert()
    };
    run("here.zip", &[]).success();
    let outcome = run("s3://wheels/team/app.zip", &[]).success();
    assert!(told(&outcome).contains("Written to s3://wheels/team/app.zip."), "{}", told(&outcome));
    assert_eq!(bucket.object("team/app.zip"), sandbox.read("here.zip"));
    assert_eq!(bucket.header("team/app.zip", "content-type").unwrap(), "application/zip");
    assert_eq!(std::fs::read_dir(sandbox.cache().join("incoming-v1")).unwrap().count(), 0);
    run("here/", &[]).success();
    run("s3://wheels/team/app/", &[]).success();
    for file in ["prefetch.json", "wheels/demo-2.0-py3-none-any.whl"] {
        assert_eq!(bucket.object(&format!("team/app/{file}")), sandbox.read(&format!("here/{file}")));
    }
    assert!(told(&run("s3://wheels/team/app.zip", &["--split", "1M"]).code(2)).contains("--split"));
}

#[test]
fn what_cannot_be_published_is_refused() {
    let (index, bucket) = (world(), Bucket::serve());
    for (dest, arguments, why) in [
        ("cache", &["demo", "--layout", "pip-http-v2"][..], "read from a disk"),
        ("simple", &["demo", "--offline"], "offline"),
    ] {
        let outcome = publish(&bucket, &index, dest, arguments).code(2);
        assert!(told(&outcome).contains(why), "{}", told(&outcome));
    }
    let outcome = Sandbox::new().prefetch(["demo", "--dest", "folder", "--prune"]).assert().code(2);
    assert!(told(&outcome).contains("bucket"));
    assert_eq!(bucket.requests(), Vec::<String>::new());
    assert!(!Path::new("s3:").exists());
}
