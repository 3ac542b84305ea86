//! `prefetch serve --through`: an index that fetches from others what it is asked for.

use std::io::Read;

use serde_json::Value;

use crate::caching::{cache, names};
use crate::support::{Bucket, Fault, Index, Sandbox, Sdist, Served, Source, Wheel, judges};

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const LARGE: &str = "large-1.0-py3-none-any.whl";
const PATH: &str = "/simple/large/large-1.0-py3-none-any.whl";
const MIB: usize = 1 << 20;

/// A wheel that does not arrive at once.
fn large() -> Index {
    Index::new().with(Wheel::new("large", "1.0").padding(3 * MIB))
}

/// Reads at least `count` bytes of what a server sends.
fn read(input: &mut impl Read, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    input.read_exact(&mut bytes).unwrap();
    bytes
}

#[test]
fn installers_get_everything_once_and_again_without_the_index() {
    let other = Wheel::new("other", "2.0").requires("demo").requires_python(">=3.8");
    let index = Index::new().wheel("demo", "1.0").with(other).with(Sdist::new("kit.box", "3.0").pyproject()).serve();
    index.fail("/simple/", Fault::Header("cache-control", "no-cache".into()));
    let sandbox = Sandbox::new();
    let served = Served::through(&sandbox, &index, &[]);
    let expected = ["demo-1.0", "kit_box-3.0", "other-2.0"];
    let source = served.index();
    let install = || {
        judges().pip().install(Source::Index(&source), ["other", "kit-box"]).assert_installed(expected);
        judges().uv().install(Source::Index(&source), ["other", "kit-box"]).assert_installed(expected);
    };
    install();
    assert_eq!(index.requests_for_files().len(), 3, "{:?}", index.paths());
    index.heal();
    index.fail("/", Fault::Closed);
    install();
    let (_, said) = served.terminate();
    assert_eq!(said.matches("demo: what was last seen of it is used").count(), 1, "{said}");
}

#[test]
fn what_is_passed_on_is_of_use_to_the_cache() {
    let index = Index::new().wheel("demo", "1.0").wheel("other", "1.0").serve();
    let sandbox = Sandbox::new();
    let served = Served::through(&sandbox, &index, &[]);
    for name in ["demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-any.whl.metadata", "demo-1.0-py3-none-any.whl"] {
        assert_eq!(served.get(&format!("/simple/demo/{name}"), &[]).status, 200);
    }
    let _ = served.terminate();
    assert_eq!(names(&cache(&sandbox, &["list"], 0)["files"]), ["demo-1.0-py3-none-any.whl"]);
    let runs = &cache(&sandbox, &["why", "demo"], 0)["runs"];
    assert_eq!(runs.as_array().unwrap().len(), 1, "{runs}");
    assert_eq!(runs[0]["requested_by"], serde_json::json!(["a client of a pull-through index"]));
    assert_eq!(runs[0]["index"], index.url());
}

#[test]
fn a_store_that_fails_is_told_once_and_at_once() {
    let (index, bucket, sandbox) = (large().serve(), Bucket::serve(), Sandbox::new());
    bucket.fail("/", Fault::Status(403));
    let mut served = Served::through_store(&sandbox, &index, &bucket);
    assert_eq!(served.get(PATH, &[]).status, 200);
    served.wait_for("could not be used, so that indexes were asked instead");
    let (_, said) = served.terminate();
    assert!(!said.contains("could not be used"), "{said}");
}

#[test]
fn pages_say_what_the_index_says_under_addresses_of_their_own() {
    let wheel = Wheel::new("demo", "1.0").requires_python(">=3.8");
    let index = Index::new().with(wheel).basic_auth("me", "sesame").serve();
    let sandbox = Sandbox::new();
    let url = index.url().replace("http://", "http://me:sesame@");
    let served = Served::with(&sandbox, &["--through", "--index-url", &url]);
    let page = served.get("/simple/demo/", &[("accept", JSON)]);
    let listed: Value = serde_json::from_slice(&page.body).unwrap();
    let file = &listed["files"][0];
    assert_eq!((&file["url"], &file["requires-python"]), (&"demo-1.0-py3-none-any.whl".into(), &">=3.8".into()));
    assert_eq!(file["hashes"]["sha256"], index.sha256("demo-1.0-py3-none-any.whl"));
    let sidecar = served.get("/simple/demo/demo-1.0-py3-none-any.whl.metadata", &[]);
    let digest = prefetch::domain::Sha256::of(&sidecar.body).to_string();
    assert_eq!((sidecar.status, &file["core-metadata"]["sha256"]), (200, &digest.into()));
    let html = served.get("/simple/demo/", &[]);
    assert!(html.text().contains("<a href=\"demo-1.0-py3-none-any.whl#sha256="), "{}", html.text());
    assert_eq!(served.get("/simple/demo/", &[("if-none-match", html.header("etag"))]).status, 304);
    assert_eq!(served.get("/simple/Demo", &[]).header("location"), "/simple/demo/");
    let (_, said) = served.terminate();
    assert!(!format!("{said}{}{}", html.text(), page.text()).contains("sesame"), "{said}");
}

#[test]
fn however_many_ask_the_index_is_asked_once() {
    let index = large().failing(LARGE, Fault::HangAfter(MIB)).serve();
    let sandbox = Sandbox::new();
    let served = Served::through(&sandbox, &index, &[]);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..20).map(|_| scope.spawn(|| served.get(PATH, &[]).body)).collect();
        index.wait_for(LARGE, 1);
        index.release();
        for client in clients {
            assert!(client.join().unwrap() == index.bytes(LARGE));
        }
    });
    assert_eq!(index.requests_for_files().len(), 1);
    assert_eq!(index.paths().iter().filter(|path| *path == "/simple/large/").count(), 1, "of its page, too");
}

#[test]
fn hosts_share_what_one_of_them_fetched_and_pass_it_on_while_it_arrives() {
    let (index, bucket, hosts) = (large().serve(), Bucket::serve(), [Sandbox::new(), Sandbox::new()]);
    let first = Served::through_store(&hosts[0], &index, &bucket);
    assert!(first.get(PATH, &[]).body == index.bytes(LARGE));
    first.terminate();
    bucket.fail("/objects-v1/", Fault::HangAfter(2 * MIB));
    let second = Served::through_store(&hosts[1], &index, &bucket);
    let mut client = second.open(PATH);
    let mut answer = read(&mut client, MIB);
    bucket.heal();
    client.read_to_end(&mut answer).unwrap();
    assert!(answer.ends_with(&index.bytes(LARGE)));
    assert_eq!(index.requests_for_files().len(), 1);
}

#[test]
fn the_metadata_of_a_wheel_that_is_here_needs_no_index() {
    let index = Index::new().wheel("demo", "1.0").serve();
    let sandbox = Sandbox::new();
    let served = Served::through(&sandbox, &index, &[]);
    let wheel = "/simple/demo/demo-1.0-py3-none-any.whl";
    assert_eq!(served.get(wheel, &[]).status, 200);
    index.fail("/", Fault::Closed);
    let sidecar = served.get(&format!("{wheel}.metadata"), &[]);
    assert_eq!((sidecar.status, sidecar.text().lines().nth(1)), (200, Some("Name: demo")), "{}", sidecar.text());
}

#[test]
fn a_file_is_passed_on_while_it_arrives_and_kept_when_the_client_goes_away() {
    let index = large().failing(LARGE, Fault::HangAfter(2 * MIB)).serve();
    let sandbox = Sandbox::new();
    let served = Served::through(&sandbox, &index, &[]);
    let mut client = served.open(PATH);
    let first = read(&mut client, MIB);
    assert!(first.starts_with(b"HTTP/1.1 200"));
    drop(client);
    index.release();
    let whole = served.get(PATH, &[]);
    assert!(whole.body == index.bytes(LARGE));
    assert_eq!(index.requests_for_files().len(), 1);
    let part = served.get(PATH, &[("range", "bytes=5-9")]);
    assert_eq!((part.status, part.body.as_slice()), (206, &whole.body[5..10]));
}

#[test]
fn parts_and_heads_wait_for_the_whole_file() {
    let index = large().serve();
    let sandbox = Sandbox::new();
    let served = Served::through(&sandbox, &index, &[]);
    let part = served.get(PATH, &[("range", "bytes=-4")]);
    let bytes = index.bytes(LARGE);
    assert_eq!((part.status, part.body.as_slice()), (206, &bytes[bytes.len() - 4..]));
    let head = served.ask("HEAD", PATH, &[]);
    assert_eq!((head.status, head.header("content-length")), (200, bytes.len().to_string().as_str()));
}

#[test]
fn nobody_gets_a_wrong_file_whole() {
    let index = large().failing(LARGE, Fault::Bytes(vec![0; 2 * MIB])).wheel("demo", "1.0").serve();
    index.fail("demo-1.0", Fault::Bytes(b"other".to_vec()));
    let sandbox = Sandbox::new();
    let served = Served::through(&sandbox, &index, &[]);
    let mut answer = Vec::new();
    // The connection ends before the body does.
    let _ = served.open(PATH).read_to_end(&mut answer);
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    assert!(answer.len() - head - 4 < 2 * MIB, "{} bytes", answer.len());
    let small = "/simple/demo/demo-1.0-py3-none-any.whl";
    let refused = served.get(small, &[]);
    assert_eq!(refused.status, 502, "{}", refused.text());
    assert!(refused.text().contains("sha256"), "{}", refused.text());
    index.heal();
    assert_eq!(served.get(small, &[]).status, 200);
    assert!(served.get(PATH, &[]).body == index.bytes(LARGE));
}

/// The page promises something else of the same URL while the file is on its way for somebody else.
#[test]
fn a_download_is_joined_only_for_the_same_promise() {
    let index = large().failing_times(LARGE, 1, Fault::HangAfter(2 * MIB)).serve();
    let changing = Fault::Header("cache-control", "no-cache".into()).and(Fault::Header("etag", "\"first\"".into()));
    index.fail_times("/simple/", 1, changing);
    let sandbox = Sandbox::new();
    let served = Served::through(&sandbox, &index, &[]);
    let mut first = served.open(PATH);
    read(&mut first, MIB);
    let page = format!("<a href='{}#sha256={}'>{LARGE}</a>", index.file_url(LARGE), "0".repeat(64));
    index.fail("/simple/", Fault::Bytes(page.into()).and(Fault::ContentType("text/html".into())));
    assert!(served.get("/simple/large/", &[]).text().contains("sha256=000"));
    let mut second = served.open(PATH);
    index.wait_for(LARGE, 2);
    index.release();
    let mut answer = Vec::new();
    let _ = second.read_to_end(&mut answer);
    assert!(!answer.ends_with(&index.bytes(LARGE)[2 * MIB..]), "it was joined");
    first.read_to_end(&mut answer).unwrap();
    assert!(answer.ends_with(&index.bytes(LARGE)[2 * MIB..]));
}

/// A client of HTTP/1.0 takes the end of the connection for the end of the file.
#[test]
fn a_file_of_unknown_size_is_passed_on_once_it_was_checked() {
    let wrong = Fault::Bytes(vec![0; 2 * MIB]).and(Fault::Unannounced(2 * MIB));
    let index = large().without_sizes().failing(LARGE, wrong).serve();
    let sandbox = Sandbox::new();
    let served = Served::through(&sandbox, &index, &[]);
    assert_eq!(served.get(PATH, &[]).status, 502);
    index.heal();
    index.fail(LARGE, Fault::Unannounced(index.bytes(LARGE).len()));
    assert!(served.get(PATH, &[]).body == index.bytes(LARGE));
    let page = served.get("/simple/large/", &[("accept", JSON)]);
    let listed: Value = serde_json::from_slice(&page.body).unwrap();
    assert_eq!((&listed["meta"]["api-version"], &listed["files"][0]["size"]), (&"1.0".into(), &Value::Null));
}

#[test]
fn an_extra_index_that_is_taken_not_to_have_a_project_is_told_once() {
    let (index, extra) = (Index::new().wheel("demo", "1.0").serve(), Index::new().wheel("other", "1.0").serve());
    extra.fail("/simple/demo/", Fault::Status(403).and(Fault::Header("cache-control", "no-store".into())));
    let sandbox = Sandbox::new();
    let served = Served::through(&sandbox, &index, &["--extra-index-url", &extra.url()]);
    for _ in 0..2 {
        assert_eq!(served.get("/simple/demo/", &[]).status, 200);
    }
    assert_eq!(extra.count("/simple/demo/"), 2);
    let (_, said) = served.terminate();
    assert_eq!(said.matches("answered 403 for demo: taken as not there").count(), 1, "{said}");
}

#[test]
fn what_is_not_allowed_is_not_asked_for() {
    let index = Index::new().wheel("demo", "1.0").wheel("other", "1.0").serve();
    let sandbox = Sandbox::new();
    let served = Served::through(&sandbox, &index, &["--allow-project", "Demo"]);
    assert_eq!(served.get("/simple/demo/", &[]).status, 200);
    index.forget_requests();
    for path in ["/simple/other/", "/simple/other/other-1.0-py3-none-any.whl"] {
        let refused = served.get(path, &[]);
        assert_eq!(refused.status, 404);
        assert!(refused.text().contains("other is not among the projects"), "{}", refused.text());
    }
    assert_eq!(index.paths(), [""; 0]);
    let root: Value = serde_json::from_slice(&served.get("/simple/", &[("accept", JSON)]).body).unwrap();
    assert_eq!(root["projects"], serde_json::json!([{"name": "demo"}]));
    assert_eq!(served.ask("POST", "/simple/demo/", &[]).status, 405);
}

#[test]
fn what_no_index_has_and_what_none_can_say_are_told_apart() {
    let index = Index::new().wheel("demo", "1.0").serve();
    let sandbox = Sandbox::new();
    let served = Served::through(&sandbox, &index, &[]);
    assert_eq!(served.get("/simple/nothing/", &[]).status, 404);
    assert_eq!(served.get("/simple/demo/demo-9.whl", &[]).status, 404);
    index.fail("/simple/", Fault::Status(503));
    let unknown = served.get("/simple/unasked/", &[]);
    assert_eq!(unknown.status, 502);
    assert!(unknown.text().contains("503"), "{}", unknown.text());
}

#[test]
fn a_folder_is_served_without_indexes() {
    let sandbox = Sandbox::new();
    for arguments in [&["serve"][..], &["serve", "out", "--through"], &["serve", "out", "--allow-project", "a"]] {
        sandbox.prefetch(arguments).assert().code(2);
    }
    let nothing = sandbox.prefetch(["serve"]).assert().code(2);
    let said = String::from_utf8_lossy(&nothing.get_output().stderr).into_owned();
    assert!(said.contains("<PATH|--through>"), "{said}");
    let mixed = sandbox.prefetch(["serve", "out", "--index-url", "http://127.0.0.1:9/"]).assert().code(2);
    let said = String::from_utf8_lossy(&mixed.get_output().stderr).into_owned();
    assert!(said.contains("--through instead of a path"), "{said}");
}
