//! What is believed of whom: an index tells of its own files only, to whoever asked, until the file
//! itself is here; and what the cache holds is believed only while it was checked.

use std::fs;

use prefetch::cache_folder::CacheBucket;

use crate::support::{Fault, Index, PageFormat, Published, Sandbox, ServedIndex, Wheel};

const WHEEL: &str = "demo-1.0-py3-none-any.whl";

/// An index with `demo`, which needs nothing, and `evil`.
fn honest() -> Index {
    Index::new().wheel("demo", "1.0").wheel("evil", "1.0")
}

/// The same, but for the metadata file of `demo`.
fn lying() -> ServedIndex {
    let metadata = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: evil\n";
    let demo = Published::from(Wheel::new("demo", "1.0")).described_as(metadata);
    Index::new().with(demo).wheel("evil", "1.0").serve()
}

/// Everything that a run said.
fn told(output: &assert_cmd::assert::Assert) -> String {
    let output = output.get_output();
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

#[test]
fn what_one_index_says_of_a_file_is_not_believed_of_another() {
    let (evil, good, sandbox) = (lying(), honest().without_sidecars().serve(), Sandbox::new());
    assert_eq!(evil.sha256(WHEEL), good.sha256(WHEEL));
    let dry = sandbox.prefetch_from(&evil, ["demo", "--dry-run"]).assert().success();
    let plan = String::from_utf8_lossy(&dry.get_output().stdout).into_owned();
    assert!(plan.contains("evil-1.0"), "{plan}");
    sandbox.prefetch_from(&good, ["demo"]).assert().success();
    assert_eq!(sandbox.files("wheelhouse"), [WHEEL]);
}

/// At once, after a dry run, and where the file is there already; the next run goes by the file.
#[test]
fn a_metadata_file_that_differs_from_its_wheel_is_an_error_that_names_both() {
    let (evil, good) = (lying(), honest().without_sidecars().serve());
    for before in ["nothing", "a dry run", "the wheel"] {
        let sandbox = Sandbox::new();
        match before {
            "a dry run" => drop(sandbox.prefetch_from(&evil, ["demo", "--dry-run"]).assert().success()),
            "the wheel" => drop(sandbox.prefetch_from(&good, ["demo", "--no-deps"]).assert().success()),
            _ => {}
        }
        fs::remove_dir_all(sandbox.cache_folder(CacheBucket::Metadata)).ok();
        if before != "the wheel" {
            let failed = sandbox.prefetch_from(&evil, ["demo", "-d", "out"]).assert().code(5);
            let told = told(&failed);
            assert!(told.contains(WHEEL) && told.contains("`evil`") && told.contains(&evil.url()), "{before}: {told}");
            assert_eq!(sandbox.files("out"), Vec::<String>::new());
        }
        sandbox.prefetch_from(&evil, ["demo", "-d", "out"]).assert().success();
        assert_eq!(sandbox.files("out"), [WHEEL], "{before}");
    }
}

/// Once every file has said the same as its index, no later run looks into any.
#[test]
fn a_plan_that_was_confirmed_rests_on_no_claim_any_more() {
    let (index, sandbox) = (honest().serve(), Sandbox::new());
    sandbox.prefetch_from(&index, ["demo"]).assert().success();
    fs::remove_dir_all(sandbox.cache_folder(CacheBucket::Metadata)).unwrap();
    sandbox.prefetch_from(&index, ["demo"]).assert().success();
    assert!(!sandbox.cache_folder(CacheBucket::Metadata).exists());
}

/// A private index that comes first has `demo` for those who may see it.
#[test]
fn a_page_is_believed_of_whoever_asked_for_it() {
    for (header, other) in [("max-age=600", "you"), ("no-store", "me"), ("private, no-store", "me")] {
        let (first, second) = (Index::new().wheel("demo", "2.0").serve(), Index::new().wheel("demo", "1.0").serve());
        let sandbox = Sandbox::new();
        let fetch = |user: &str, folder: &str| {
            let private = format!("{}/simple/", first.root_at(&format!("{user}:secret@127.0.0.1")));
            let arguments = ["demo", "-d", folder, "--extra-index-url", &private];
            sandbox.prefetch_from(&second, arguments).assert().success();
            sandbox.files(folder)
        };
        first.fail("/simple/demo", Fault::Status(404).and(Fault::Header("cache-control", header.into())));
        assert_eq!(fetch("me", "one"), [WHEEL]);
        first.heal();
        assert_eq!(fetch(other, "two"), ["demo-2.0-py3-none-any.whl"], "{header}");
    }
}

#[test]
fn an_answer_that_no_other_request_gets_is_not_kept() {
    let (index, sandbox) = (honest().serve(), Sandbox::new());
    index.fail("/simple/demo", Fault::Header("vary", "*".into()));
    for _ in 0..2 {
        sandbox.prefetch_from(&index, ["demo"]).assert().success();
    }
    assert_eq!(index.count("/simple/demo"), 2);
}

/// Bytes that went bad without leaving a trace in what the system tells of a file.
#[test]
fn a_file_is_hashed_again_before_its_bytes_are_blamed() {
    let (index, sandbox) = (honest().without_sidecars().without_ranges().serve(), Sandbox::new());
    sandbox.prefetch_from(&index, ["demo"]).assert().success();
    for bucket in [CacheBucket::Metadata, CacheBucket::Plans] {
        fs::remove_dir_all(sandbox.cache_folder(bucket)).unwrap();
    }
    let sha256 = index.sha256(WHEEL);
    let object = sandbox.cache_folder(CacheBucket::Objects).join(&sha256[..2]).join(&sha256[2..]);
    let metadata = fs::metadata(&object).unwrap();
    let mut permissions = metadata.permissions();
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    fs::set_permissions(&object, permissions).unwrap();
    fs::write(&object, vec![0; usize::try_from(metadata.len()).unwrap()]).unwrap();
    fs::File::options().write(true).open(&object).unwrap().set_modified(metadata.modified().unwrap()).unwrap();
    sandbox.prefetch_from(&index, ["demo", "-d", "again"]).assert().success();
    assert!(sandbox.read(&format!("again/{WHEEL}")) == index.bytes(WHEEL));
}

/// Both lines' digests are checked, however the file came into the cache.
#[test]
fn a_digest_of_another_algorithm_is_checked_of_cached_files_too() {
    let (index, sandbox) = (honest().serve(), Sandbox::new());
    sandbox.prefetch_from(&index, ["demo"]).assert().success();
    sandbox.write("wrong.txt", format!("demo==1.0 --hash=sha512:{}\n", "0".repeat(128)));
    sandbox.prefetch_from(&index, ["-r", "wrong.txt", "-d", "out"]).assert().code(5);
    let right = prefetch::domain::Fingerprint::of(&index.bytes(WHEEL), &[prefetch::domain::Algorithm::Sha512]);
    let right = right.digest(prefetch::domain::Algorithm::Sha512);
    sandbox.write("right.txt", format!("demo==1.0 --hash={right}\n"));
    index.forget_requests();
    sandbox.prefetch_from(&index, ["-r", "right.txt", "-d", "out"]).assert().success();
    assert_eq!(index.requests_for_files().len(), 0);
}

/// A cache that a group shares: every file is readable as the umask says.
#[cfg(unix)]
#[test]
fn the_files_of_the_cache_are_readable_as_the_umask_says() {
    use std::os::unix::fs::PermissionsExt as _;
    let index = honest().sdist("kit", "1.0").serve();
    for (umask, mode) in [("002", 0o664), ("077", 0o600)] {
        let sandbox = Sandbox::new();
        let arguments = ["demo", "kit", "--index-url", &index.url()];
        sandbox.prefetch_after(&format!("umask {umask}"), arguments).assert().success();
        for file in crate::support::files_below(&sandbox.cache()) {
            let expected = if file.starts_with("objects") { 0o444 } else { mode };
            let found = fs::metadata(sandbox.cache().join(&file)).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, expected, "{file} with umask {umask}");
        }
    }
}

/// A page that says something wrong of a file, which the index mends while the page is fresh: noticed
/// while the file is fetched, and while it is fetched to read what it needs.
#[test]
fn a_file_that_breaks_its_promise_has_its_page_asked_again() {
    for index in [Index::new(), Index::new().without_sidecars().without_ranges()] {
        let (index, sandbox) = (index.wheel("demo", "1.0").pages(PageFormat::Html).serve(), Sandbox::new());
        let page = format!("<a href='/files/{WHEEL}#sha256={}'>{WHEEL}</a>", "0".repeat(64));
        let wrong = Fault::Bytes(page.into()).and(Fault::Header("etag", "\"wrong\"".into()));
        index.fail("/simple/demo", wrong);
        sandbox.prefetch_from(&index, ["demo", "--retries", "0"]).assert().code(5);
        index.heal();
        sandbox.prefetch_from(&index, ["demo", "--retries", "0"]).assert().success();
        assert_eq!(sandbox.files("wheelhouse"), [WHEEL]);
        assert_eq!(index.count("/simple/demo"), 2);
        index.forget_requests();
        sandbox.prefetch_from(&index, ["demo"]).assert().success();
        assert_eq!(index.paths(), Vec::<String>::new());
    }
}

/// The file is gone from where the page says that it is.
#[test]
fn a_file_that_is_gone_has_its_page_asked_again_once() {
    let (index, sandbox) = (honest().serve(), Sandbox::new());
    sandbox.prefetch_from(&index, ["demo", "--dry-run"]).assert().success();
    index.fail(&format!("/files/{WHEEL}"), Fault::Status(404));
    sandbox.prefetch_from(&index, ["demo"]).assert().code(4);
    assert_eq!(index.count("/simple/demo"), 2);
}

/// An index of pages alone: what a wheel needs only the whole of it tells.
#[test]
fn what_was_fetched_to_read_its_metadata_is_told() {
    let index = honest().without_sidecars().without_ranges().serve();
    let size = index.bytes(WHEEL).len();
    let run = |sandbox: &Sandbox, more: &[&str]| {
        let done = sandbox.prefetch_from(&index, ["demo", "--report", "report.json"]).args(more).assert().success();
        let report = sandbox.json("report.json");
        let summary = &report["summary"];
        let status = report["packages"][0]["files"][0]["status"].as_str().unwrap().to_owned();
        (told(&done), status, (summary["files_downloaded"].clone(), summary["bytes_downloaded"].clone()))
    };
    let sandbox = Sandbox::new();
    let (words, status, sums) = run(&sandbox, &["--dry-run"]);
    assert!(words.contains("1 file (") && words.contains("had to be fetched"), "{words}");
    assert_eq!((status.as_str(), sums), ("planned", (1.into(), size.into())));
    let (words, status, sums) = run(&sandbox, &[]);
    assert!(words.contains("all from the cache"), "{words}");
    assert_eq!((status.as_str(), sums), ("cached", (0.into(), 0.into())));
    let (words, status, sums) = run(&Sandbox::new(), &[]);
    assert!(words.contains("all downloaded"), "{words}");
    assert_eq!((status.as_str(), sums), ("downloaded", (1.into(), size.into())));
}

/// As a bundle that was planned by what an index said, before the files were asked.
#[test]
fn a_manifest_that_states_what_no_wheel_needs_is_found() {
    let (index, sandbox) = (honest().serve(), Sandbox::new());
    sandbox.prefetch_from(&index, ["demo", "evil", "--bundle", "app/"]).assert().success();
    sandbox.prefetch(["verify", "app"]).assert().success();
    let mut manifest = sandbox.json("app/prefetch.json");
    manifest["packages"][0]["dependencies"] = serde_json::json!(["evil"]);
    sandbox.write("app/prefetch.json", manifest.to_string());
    let found = sandbox.prefetch(["verify", "app"]).assert().code(1);
    assert!(told(&found).contains("says that it needs evil"), "{}", told(&found));
}

/// What bytes are under one name says nothing of them under another, not even to the same cache.
#[test]
fn a_file_under_a_wrong_name_is_no_less_under_its_own() {
    let demo = Wheel::new("demo", "2.0").bytes();
    let evil = Index::new()
        .with(Published::new("demo", "demo-9.0-py3-none-any.whl", demo.clone()))
        .with(Published::new("demo", "demo-8.0.tar.gz", demo.clone()))
        .with(Published::new("other", "other-2.0-py3-none-any.whl", demo));
    let (evil, sandbox) = (evil.serve(), Sandbox::new());
    for name in ["demo==9.0", "demo==8.0", "other==2.0"] {
        sandbox.prefetch_from(&evil, [name, "--dry-run"]).assert().failure();
    }
    let good = Index::new().wheel("demo", "1.0").wheel("demo", "2.0").without_sidecars().serve();
    sandbox.prefetch_from(&good, ["demo"]).assert().success();
    assert_eq!(sandbox.files("wheelhouse"), ["demo-2.0-py3-none-any.whl"]);
}

/// A page from the network cannot link to a file of this machine, and neither can the metadata of what it lists.
#[test]
fn metadata_from_the_network_names_no_file_of_this_machine() {
    let sandbox = Sandbox::new();
    let own = sandbox.write("own-1.0-py3-none-any.whl", Wheel::new("own", "1.0").bytes());
    for url in [format!("file://{}", own.display()), format!("FILE://{}", own.display())] {
        let greedy = Wheel::new("greedy", "1.0").requires(&format!("own @ {url}"));
        let index = Index::new().with(greedy.clone()).serve();
        let refused = told(&sandbox.prefetch_from(&index, ["greedy"]).assert().code(3));
        assert!(refused.contains("of this machine, which only files of this machine may name"), "{refused}");
        let local = sandbox.write("greedy-1.0-py3-none-any.whl", greedy.bytes());
        sandbox.prefetch_from(&index, [local.to_str().unwrap()]).assert().success();
        fs::remove_dir_all(sandbox.path("wheelhouse")).unwrap();
    }
}
