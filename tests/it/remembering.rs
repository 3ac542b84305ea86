//! Plans of earlier runs are taken again, and only where a search would come to the same.

use std::fs;
use std::path::PathBuf;

use prefetch::cache_folder::CacheBucket;
use serde_json::Value;

use crate::support::{Fault, Index, Sandbox, ServedIndex, Wheel, files_below};

fn world() -> Index {
    let old = Wheel::new("demo", "1.0");
    Index::new().with(old).wheel("demo", "2.0").wheel("demo", "3.0rc1").with(Wheel::new("top", "1.0").requires("demo"))
}

/// What a run reports of its packages.
fn packages(sandbox: &Sandbox, index: &ServedIndex, arguments: &[&str]) -> Value {
    let output = sandbox.prefetch_from(index, arguments).args(["--dry-run", "--report", "-"]).assert().success();
    let mut report: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    report["packages"].take()
}

fn versions(packages: &Value) -> Vec<&str> {
    packages.as_array().unwrap().iter().map(|package| package["version"].as_str().unwrap()).collect()
}

fn pages(sandbox: &Sandbox) -> Vec<PathBuf> {
    let folder = sandbox.cache_folder(CacheBucket::Pages);
    files_below(&folder).into_iter().map(|name| folder.join(name)).collect()
}

/// Makes every cached page unreadable, in a way that only reading it shows.
fn spoil_pages(sandbox: &Sandbox) {
    for page in pages(sandbox) {
        let metadata = fs::metadata(&page).unwrap();
        fs::write(&page, vec![0xff; usize::try_from(metadata.len()).unwrap()]).unwrap();
        fs::File::options().write(true).open(&page).unwrap().set_modified(metadata.modified().unwrap()).unwrap();
    }
}

#[test]
fn the_same_question_reads_no_page_and_asks_nobody() {
    let (index, sandbox) = (world().serve(), Sandbox::new());
    let searched = packages(&sandbox, &index, &["top"]);
    assert_eq!(versions(&searched), ["2.0", "1.0"]);
    index.forget_requests();
    spoil_pages(&sandbox);
    assert_eq!(packages(&sandbox, &index, &["top"]), searched);
    assert_eq!(packages(&sandbox, &index, &["top", "--offline"]), searched);
    assert_eq!(index.paths(), Vec::<String>::new());
    sandbox.prefetch_from(&index, ["top"]).assert().success();
    assert_eq!(sandbox.files("wheelhouse"), ["demo-2.0-py3-none-any.whl", "top-1.0-py3-none-any.whl"]);
}

#[test]
fn a_page_that_was_written_anew_is_read() {
    let (index, sandbox) = (world().serve(), Sandbox::new());
    let searched = packages(&sandbox, &index, &["top"]);
    index.forget_requests();
    for page in pages(&sandbox) {
        fs::write(&page, "damaged").unwrap();
    }
    assert_eq!(packages(&sandbox, &index, &["top"]), searched);
    assert_eq!((index.count("/demo/"), index.count("/top/")), (1, 1));
}

#[test]
fn another_question_has_another_plan() {
    let (index, sandbox) = (world().serve(), Sandbox::new());
    sandbox.write("constraints.txt", "demo<2\n");
    for _ in 0..2 {
        for (arguments, expected) in [
            (&["demo"][..], &["2.0"][..]),
            (&["demo<2"], &["1.0"]),
            (&["demo", "--pre"], &["3.0rc1"]),
            (&["top"], &["2.0", "1.0"]),
            (&["top", "--no-deps"], &["1.0"]),
            (&["top", "-c", "constraints.txt"], &["1.0", "1.0"]),
            (&["demo; python_version < '3.12'", "top", "--python-version", "3.11", "--no-deps"], &["2.0", "1.0"]),
            (&["demo; python_version < '3.12'", "top", "--python-version", "3.12", "--no-deps"], &["1.0"]),
        ] {
            assert_eq!(versions(&packages(&sandbox, &index, arguments)), expected, "{arguments:?}");
        }
    }
    assert_eq!((index.count("/simple/demo/"), index.count("/simple/top/")), (1, 1));
}

#[test]
fn what_may_have_changed_is_asked_again() {
    let (index, sandbox) = (world().serve(), Sandbox::new());
    let pages_asked = || index.count("/simple/demo/");
    packages(&sandbox, &index, &["demo"]);
    packages(&sandbox, &index, &["demo", "--refresh"]);
    assert_eq!(pages_asked(), 2);
    let ageing = world().failing("/simple/", Fault::Header("cache-control", "max-age=0".into())).serve();
    for runs in 1..3 {
        packages(&sandbox, &ageing, &["demo"]);
        assert_eq!(ageing.count("/simple/demo/"), runs);
    }
}

#[test]
fn a_folder_is_looked_at_each_time() {
    let (index, sandbox) = (world().serve(), Sandbox::new());
    let wheel = |version: &str| format!("demo-{version}-py3-none-any.whl");
    for version in ["1.0", "2.0"] {
        sandbox.write(&format!("links/{}", wheel(version)), index.bytes(&wheel(version)));
        let mut run = sandbox.prefetch(["demo", "--no-index", "--find-links", "links", "--dry-run", "--report", "-"]);
        let report: Value = serde_json::from_slice(&run.assert().success().get_output().stdout).unwrap();
        assert_eq!(versions(&report["packages"]), [version]);
    }
}

/// Reports of two local files, one of them asked for by its path: how many were read, how many were known.
#[cfg(unix)]
fn statuses(sandbox: &Sandbox, more: &[&str]) -> Vec<String> {
    let arguments = ["demo", "./direct/top-1.0-py3-none-any.whl", "--no-index", "--find-links", "links"];
    let mut run = sandbox.prefetch(arguments);
    let run = run.args(["--python-version", "3.12", "--platform", "linux-x86_64", "--report", "-"]).args(more).assert();
    let report: Value = serde_json::from_slice(&run.success().get_output().stdout).unwrap();
    let status = |package: &Value| package["files"][0]["status"].as_str().unwrap().to_owned();
    report["packages"].as_array().unwrap().iter().map(status).collect()
}

/// As if what is noted down of local files had been noted long after they had changed.
#[cfg(unix)]
fn let_files_settle(sandbox: &Sandbox) {
    let folder = sandbox.cache_folder(CacheBucket::Local);
    for name in files_below(&folder) {
        let file = fs::File::options().write(true).open(folder.join(name)).unwrap();
        let noted = file.metadata().unwrap().modified().unwrap();
        file.set_modified(noted + std::time::Duration::from_secs(3600)).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn local_files_are_read_once_and_again_when_they_changed() {
    let (index, sandbox) = (world().serve(), Sandbox::new());
    let demo = "links/demo-2.0-py3-none-any.whl";
    let path = sandbox.write(demo, index.bytes("demo-2.0-py3-none-any.whl"));
    sandbox.write("direct/top-1.0-py3-none-any.whl", index.bytes("top-1.0-py3-none-any.whl"));
    assert_eq!(statuses(&sandbox, &["--dry-run"]), ["planned"; 2], "nothing is copied to tell what it needs");
    assert_eq!(statuses(&sandbox, &[]), ["downloaded"; 2]);
    assert_eq!(statuses(&sandbox, &[]), ["downloaded"; 2], "they had just changed");
    let_files_settle(&sandbox);
    assert_eq!(statuses(&sandbox, &[]), ["cached"; 2]);

    let time = fs::metadata(&path).unwrap().modified().unwrap();
    let mut other = fs::read(&path).unwrap();
    let time_of_first_member = 10;
    other[time_of_first_member] ^= 1;
    sandbox.write("other", &other);
    fs::rename(sandbox.path("other"), &path).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert_eq!(statuses(&sandbox, &[]), ["downloaded", "cached"]);
    assert!(sandbox.read("wheelhouse/demo-2.0-py3-none-any.whl") == other);

    let_files_settle(&sandbox);
    sandbox.prefetch(["cache", "prune", "--max-size", "0", "--linked"]).assert().code(0);
    assert_eq!(files_below(&sandbox.cache_folder(CacheBucket::Local)), Vec::<String>::new());
    assert_eq!(statuses(&sandbox, &[]), ["downloaded"; 2]);
}
