//! `prefetch serve`: what installers, browsers and plain requests get of folders, bundles and the store.

use prefetch::cache_folder::CacheBucket;
use prefetch::domain::Sha256;
use serde_json::Value;

use crate::support::{Index, PlainServer, Sandbox, Sdist, Served, Source, Wheel, judges};

pub const WHEEL: &str = "demo-1.0-py3-none-any.whl";

const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// Returns a sandbox in which three projects were fetched and written as `arguments` say.
pub fn fetched(arguments: &[&str]) -> Sandbox {
    let other = Wheel::new("other", "2.0").requires("demo").requires_python(">=3.8");
    let index = Index::new().wheel("demo", "1.0").with(other).with(Sdist::new("kit.box", "3.0").pyproject()).serve();
    let sandbox = Sandbox::new();
    // What builds the source archive is not in the bundle.
    let unproven: &[&str] = if arguments.contains(&"--bundle") { &["--no-verify"] } else { &[] };
    sandbox.prefetch_from(&index, arguments.iter().chain(unproven).chain(&["other", "kit.box"])).assert().success();
    sandbox
}

const INSTALLED: [&str; 3] = ["demo-1.0", "kit_box-3.0", "other-2.0"];

#[test]
fn pip_and_uv_install_from_whatever_is_served() {
    for (arguments, path) in [
        (&["--dest", "out"][..], "out"),
        (&["--layout", "simple", "--dest", "out"], "out"),
        (&["--bundle", "all.zip"], "all.zip"),
        (&["--bundle", "all.tar"], "all.tar"),
        (&["--bundle", "all.tar.gz"], "all.tar.gz"),
        (&["--bundle", "all.tar.zst"], "all.tar.zst"),
        (&["--bundle", "v.tar", "--split", "64K"], "v.tar.001"),
        (&["--dest", "out"], "../cache"),
    ] {
        let sandbox = fetched(arguments);
        let served = Served::over(&sandbox, path);
        let index = served.index();
        judges().pip().install(Source::Index(&index), ["other", "kit-box"]).assert_installed(INSTALLED);
        judges().uv().install(Source::Index(&index), ["other", "kit-box"]).assert_installed(INSTALLED);
    }
}

/// `serve` answers in JSON who asks for it, pips since 22.2; a plain server has the pages in HTML only.
/// pip 22.3 to 23.1 fail on what JSON pages said before PEP 714 (`docs/facts/pip.md` 3.3).
#[test]
fn pips_of_every_age_install_from_an_index_in_json_and_in_html() {
    let wheel = |name: &str| Wheel::new(name, "1.0").tags("py2.py3-none-any").requires_python(">=2.7");
    let index = Index::new().with(wheel("demo")).with(wheel("other").requires("demo")).serve();
    let sandbox = Sandbox::new();
    sandbox.prefetch_from(&index, ["--layout", "simple", "--dest", "out", "other"]).assert().code(0);
    let (served, plain) = (Served::over(&sandbox, "out"), PlainServer::over(&sandbox.path("out")));
    let (json, html) = (served.get("/simple/other/", &[("accept", JSON)]), served.get("/simple/other/", &[]));
    assert!(json.text().contains("core-metadata") && html.text().contains("data-dist-info-metadata"));
    let mut pips = judges().pips_of_every_age();
    pips.extend([("23.2.1".into(), judges().pip_23_2_1()), ("current".into(), judges().pip())]);
    let install_from = |url: &str| {
        for (version, pip) in &pips {
            let verdict = pip.install(Source::Index(url), ["other"]);
            assert_eq!(verdict.installed, ["demo-1.0", "other-1.0"], "pip {version} from {url}: {}", verdict.output);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| install_from(&served.index()));
        install_from(&plain.url());
    });
}

#[test]
fn pages_are_those_of_the_simple_api() {
    let sandbox = fetched(&["--bundle", "all.tar"]);
    let served = Served::over(&sandbox, "all.tar");
    let page = served.get("/simple/other/", &[("accept", JSON)]);
    assert_eq!((page.status, page.header("content-type"), page.header("vary")), (200, JSON, "Accept"));
    let listed: Value = serde_json::from_slice(&page.body).unwrap();
    assert_eq!(listed["files"][0]["requires-python"], ">=3.8");
    let sidecar = served.get("/simple/other/other-2.0-py3-none-any.whl.metadata", &[]);
    assert_eq!(listed["files"][0]["core-metadata"]["sha256"], Sha256::of(&sidecar.body).to_string());
    let file = served.get("/simple/other/other-2.0-py3-none-any.whl", &[]);
    assert_eq!(listed["files"][0]["hashes"]["sha256"], Sha256::of(&file.body).to_string());
    assert_eq!(
        served.get("/simple/other/", &[("accept", "text/html")]).header("content-type"),
        "text/html; charset=utf-8"
    );
    let tag = page.header("etag");
    assert_eq!(served.get("/simple/other/", &[("accept", JSON), ("if-none-match", tag)]).status, 304);
    let root: Value = serde_json::from_slice(&served.get("/simple/", &[("accept", JSON)]).body).unwrap();
    assert_eq!(root["projects"].as_array().unwrap().len(), 3);
    for (path, location) in
        [("/simple", "/simple/"), ("/simple/Kit.Box/", "/simple/kit-box/"), ("/simple/other", "/simple/other/")]
    {
        let moved = served.get(path, &[]);
        assert_eq!((moved.status, moved.header("location")), (301, location));
    }
}

/// `kit-1.0-2` may be `kit-1.0` 2 or `kit` 1.0.post2.
#[test]
fn an_archive_says_itself_which_project_it_is_of() {
    let sandbox = Sandbox::new();
    sandbox.write("wheels/kit-1.0-2.tar.gz", Sdist::new("kit", "1.0.post2").bytes());
    let served = Served::over(&sandbox, "wheels");
    let page = served.get("/simple/kit/", &[("accept", JSON)]);
    let listed: Value = serde_json::from_slice(&page.body).unwrap();
    assert_eq!(listed["versions"], serde_json::json!(["1.0.post2"]), "{listed}");
}

#[test]
fn files_are_served_in_part_and_not_twice() {
    let sandbox = fetched(&["--bundle", "all.zip", "--dest", "out"]);
    let served = Served::over(&sandbox, "all.zip");
    let bytes = sandbox.read(&format!("out/{WHEEL}"));
    let path = format!("/simple/demo/{WHEEL}");
    let whole = served.get(&path, &[]);
    assert_eq!((whole.status, &whole.body, whole.header("accept-ranges")), (200, &bytes, "bytes"));
    let part = served.get(&path, &[("range", "bytes=3-7")]);
    assert_eq!((part.status, part.body.as_slice()), (206, &bytes[3..8]));
    assert_eq!(part.header("content-range"), format!("bytes 3-7/{}", bytes.len()));
    assert_eq!(served.get(&path, &[("range", "bytes=-5")]).body, bytes[bytes.len() - 5..]);
    assert_eq!(served.get(&path, &[("range", "bytes=999999-")]).status, 416);
    assert_eq!(served.get(&path, &[("range", "bytes=3-7"), ("if-range", "\"other\"")]).status, 200);
    let head = served.ask("HEAD", &path, &[]);
    assert_eq!(
        (head.status, head.header("content-length"), head.body.len()),
        (200, bytes.len().to_string().as_str(), 0)
    );
    assert_eq!(served.get(&path, &[("if-none-match", whole.header("etag"))]).status, 304);
}

#[test]
fn people_get_a_page_that_loads_nothing_from_elsewhere() {
    let served = Served::over(&fetched(&["--dest", "out"]), "out");
    let page = served.get("/", &[]);
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(!page.text().contains("http"), "no address but its own");
    let listed: Value = serde_json::from_slice(&served.get("/projects.json", &[]).body).unwrap();
    let names: Vec<_> =
        listed["files"].as_array().unwrap().iter().map(|file| file["filename"].as_str().unwrap()).collect();
    assert_eq!(names, [WHEEL, "kit_box-3.0.tar.gz", "other-2.0-py3-none-any.whl"]);
}

/// Composed anew: a page that a stranger's bundle brings would be a program on our own address.
#[test]
fn the_overview_of_a_bundle_is_served_with_its_files() {
    let sandbox = fetched(&["--bundle", "out/"]);
    sandbox.write("out/index.html", "<script>alert(1)</script>");
    let served = Served::over(&sandbox, "out");
    let listed: Value = serde_json::from_slice(&served.get("/projects.json", &[]).body).unwrap();
    assert_eq!(listed["overview"], true);
    let page = served.get("/overview/", &[]);
    let text = page.text();
    assert!(text.contains("Bundle of") && !text.contains("alert(1)") && !text.contains("How to install"), "{text}");
    let href = format!("wheels/{WHEEL}");
    assert!(text.contains(&format!("<a href=\"{href}\">")), "{text}");
    assert_eq!(served.get(&format!("/overview/{href}"), &[]).body, sandbox.read(&format!("out/{href}")));
    assert_eq!(served.get("/overview/install.sh", &[]).status, 404);
    assert_eq!(Served::over(&fetched(&["--dest", "out"]), "out").get("/overview/", &[]).status, 404);
}

#[test]
fn people_search_projects_in_a_browser() {
    let Some(browser) = judges().browser() else { return };
    let served = Served::over(&fetched(&["--dest", "out"]), "out");
    let mut tab = browser.open(&format!("http://{}/", served.address));
    tab.wait_for("document.querySelectorAll('details').length == 3");
    assert_eq!(tab.texts("#count"), ["3 projects, 3 files"]);
    let lines = ["python -m pip", "uv pip"].map(|pip| format!("{pip} install --index-url {} NAME", served.index()));
    assert_eq!(tab.texts("#use"), [lines.join("\n")]);
    assert_eq!(tab.evaluate("document.querySelector('#overview').hidden"), true);
    tab.type_into("#search", "OTH py3");
    assert_eq!(tab.texts("summary b"), ["other"]);
    tab.click("summary");
    assert_eq!(tab.texts("li a"), ["other-2.0-py3-none-any.whl"]);
    let file = tab.evaluate("document.querySelector('li a').href");
    assert_eq!(file, format!("{}other/other-2.0-py3-none-any.whl", served.index()));
    tab.type_into("#search", " absent");
    assert_eq!(tab.texts("#count"), ["0 projects, 0 files"]);
    for width in [1280, 360] {
        tab.resize(width, 800);
        let wide = tab.evaluate("document.documentElement.scrollWidth");
        assert_eq!(wide, width, "nothing sticks out to the right");
    }
    let colours =
        "(s => [s.color, s.backgroundColor].map(c => Number(c.match(/\\d+/)[0])))(getComputedStyle(document.body))";
    for (scheme, is_dark) in [("light", false), ("dark", true)] {
        tab.prefer("prefers-color-scheme", scheme);
        let colours: [u32; 2] = serde_json::from_value(tab.evaluate(colours)).unwrap();
        assert_eq!(colours[0] > colours[1], is_dark, "{scheme}: {colours:?}");
    }
    assert_eq!(tab.complaints(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn requests_are_logged_and_a_service_manager_can_stop_it() {
    let sandbox = fetched(&["--bundle", "all.tar.gz"]);
    let served = Served::over(&sandbox, "all.tar.gz");
    let size = served.get("/simple/", &[]).body.len();
    served.get("/absent?x=1", &[]);
    let (code, said) = served.terminate();
    assert_eq!(code, Some(0));
    assert!(said.contains(&format!("GET /simple/ 200 {size}\n")) && said.contains("GET /absent?x=1 404"), "{said}");
    let left = crate::support::files_below(&sandbox.cache_folder(CacheBucket::Incoming));
    assert!(left.is_empty(), "what was unpacked is removed: {left:?}");
}

#[test]
#[cfg(unix)]
fn what_a_killed_server_unpacked_is_removed_by_the_next_and_by_pruning() {
    let sandbox = fetched(&["--bundle", "all.tar.gz"]);
    let incoming = sandbox.cache_folder(CacheBucket::Incoming);
    let left = || std::fs::read_dir(&incoming).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let dead = Served::over(&sandbox, "all.tar.gz");
    let unpacked = left();
    assert!(!unpacked.is_empty(), "what is compressed as a whole is not read in place");
    drop(dead);
    assert_eq!(left().len(), unpacked.len(), "a killed server removes nothing");
    let live = Served::over(&sandbox, "all.tar.gz");
    assert!(!unpacked.iter().any(|path| path.exists()));
    let second = Served::over(&sandbox, "all.tar.gz");
    assert_eq!(left().len(), 2 * unpacked.len());
    drop(second);
    sandbox.prefetch(["cache", "prune", "--older-than", "1000d"]).assert().code(0);
    assert_eq!(left().len(), unpacked.len(), "the one in use stays");
    assert_eq!(live.get(&format!("/simple/demo/{WHEEL}"), &[]).status, 200);
}
