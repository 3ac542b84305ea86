//! `prefetch serve`: pip, uv and plain requests against an index over folders, bundles and the store.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use prefetch::cache_folder::CacheBucket;
use prefetch::domain::Sha256;
use serde_json::Value;

use crate::support::{Index, PlainServer, Sandbox, Sdist, Source, Wheel, judges};

/// A server over something in a sandbox, until dropped.
struct Served {
    process: Child,
    errors: BufReader<std::process::ChildStderr>,
    address: String,
}

/// What stands in the first line that tells an address.
fn address_told(errors: &mut impl BufRead) -> String {
    let mut told = String::new();
    loop {
        let mut line = String::new();
        assert!(errors.read_line(&mut line).unwrap() > 0, "it ended: {told}");
        if let Some(rest) = line.split("http://").nth(1).filter(|_| line.starts_with("Serving")) {
            return rest.split('/').next().unwrap().to_owned();
        }
        told += &line;
    }
}

impl Served {
    fn over(sandbox: &Sandbox, path: &str) -> Self {
        Self::with(sandbox, &[path])
    }

    fn with(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let mut command = sandbox.process([&["serve", "--port", "0"], arguments].concat());
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(process.stderr.take().unwrap());
        let address = address_told(&mut errors);
        Self { process, errors, address }
    }

    fn index(&self) -> String {
        format!("http://{}/simple/", self.address)
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.ask("GET", path, headers)
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client =
                reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
            let url = format!("http://{}{path}", self.address);
            let mut request = client.request(method.parse().unwrap(), url);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let response = request.send().await.unwrap();
            let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap().to_owned();
            Reply {
                status: response.status().as_u16(),
                headers: response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
                body: response.bytes().await.unwrap().to_vec(),
            }
        })
    }

    /// The statuses of the responses to these bytes, until the server closes the connection.
    fn raw(&self, bytes: &str) -> Vec<u16> {
        let mut socket = std::net::TcpStream::connect(&self.address).unwrap();
        // It may close the connection before it has read all.
        let _ = std::io::Write::write_all(&mut socket, bytes.as_bytes());
        let mut received = Vec::new();
        let _ = std::io::Read::read_to_end(&mut socket, &mut received);
        let text = String::from_utf8_lossy(&received);
        let statuses = text.split("HTTP/1.").skip(1).filter_map(|rest| rest.get(2..5)?.parse().ok());
        statuses.collect()
    }

    /// Ends it as a service manager would; its exit code, and all that it said since.
    #[cfg(unix)]
    fn terminate(mut self) -> (Option<i32>, String) {
        let id = self.process.id().to_string();
        assert!(std::process::Command::new("kill").arg(id).status().unwrap().success());
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.errors, &mut said).unwrap();
        (self.process.wait().unwrap().code(), said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

const WHEEL: &str = "demo-1.0-py3-none-any.whl";
const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// A sandbox with what was fetched written as `path`.
fn fetched(arguments: &[&str]) -> Sandbox {
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
fn nothing_else_can_be_read_or_written() {
    let sandbox = fetched(&["--dest", "out"]);
    sandbox.write("secret.whl", "secret");
    sandbox.write("out/notes.txt", "not a distribution");
    let served = Served::over(&sandbox, "out");
    for path in [
        "/simple/../secret.whl",
        "/simple/%2e%2e/secret.whl",
        "/simple/..%2fsecret.whl",
        "/simple/demo/..%2f..%2fsecret.whl",
        "/simple/demo/%00",
        "/simple/demo/%ff",
        "//etc/passwd",
        "/out/notes.txt",
        "/notes.txt",
        "/simple/absent/",
        "/simple/demo/absent.whl",
    ] {
        assert_eq!(served.get(path, &[]).status, 404, "{path}");
    }
    for method in ["PUT", "POST", "DELETE", "OPTIONS"] {
        let refused = served.ask(method, "/simple/", &[]);
        assert_eq!((refused.status, refused.header("allow")), (405, "GET, HEAD"));
    }
}

/// A proxy in between may take the end of such a request for another one. (RFC 9112, 6.3 and 11.2)
#[test]
fn a_request_that_can_be_read_in_two_ways_is_refused() {
    let served = Served::over(&fetched(&["--dest", "out"]), "out");
    for (fields, status) in [
        // Twice the same length is one length.
        ("Content-Length: 3\r\nContent-Length: 3", 200),
        ("Content-Length: 0\r\ncontent-length: 3", 400),
        ("Content-Length: 3, 3", 400),
        ("Content-Length: +3", 400),
        ("Content-Length: ", 400),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked", 400),
        ("Transfer-Encoding: chunked", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 400),
        ("Host: 127.0.0.1", 400),
        ("no field", 400),
        (&format!("Long: {}", "a".repeat(20_000)), 431),
        (&"Many: 1\r\n".repeat(101), 431),
        ("Connection: close", 200),
    ] {
        let request = format!("GET /simple/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{}\r\n\r\n", fields.trim_end());
        assert_eq!(served.raw(&request), [status], "{fields}");
    }
    let both =
        "POST /simple/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: 127.0.0.1";
    assert_eq!(served.raw(&format!("{both}\r\nConnection: close\r\n\r\n"))[0], 405);
    assert_eq!(
        served.raw("GET http://127.0.0.1/simple/?q HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"),
        [200]
    );
    assert_eq!(served.raw("GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"), [421]);
    assert_eq!(served.raw("GET /simple/ HTTP/1.0\r\n\r\n"), [200]);
    assert_eq!(served.raw("\u{16}\u{3}\u{1}\r\n\r\n"), [400]);
}

#[test]
fn it_answers_to_addresses_and_to_names_that_were_allowed() {
    let sandbox = fetched(&[]);
    let served = Served::over(&sandbox, "wheelhouse");
    for (host, status) in
        [("localhost:8000", 200), ("[::1]", 200), ("evil.example", 421), ("a.localhost.evil.example", 421)]
    {
        assert_eq!(served.get("/simple/", &[("host", host)]).status, status, "{host}");
    }
    let allowing = Served::with(&sandbox, &["wheelhouse", "--allow-host", "index.example"]);
    assert_eq!(allowing.get("/simple/", &[("host", "index.example:8000")]).status, 200);
}

/// A link to elsewhere, a FIFO, which would make a thread wait for ever, and another file.
#[cfg(unix)]
#[test]
fn what_was_put_in_the_place_of_a_file_is_not_served() {
    let sandbox = fetched(&[]);
    let secret = sandbox.write("secret", "secret");
    let served = Served::over(&sandbox, "wheelhouse");
    let wheel = sandbox.path("wheelhouse").join("demo-1.0-py3-none-any.whl");
    let path = "/simple/demo/demo-1.0-py3-none-any.whl";
    assert_eq!(served.get(path, &[]).status, 200);
    for swap in ["a link", "a FIFO", "a file of the same size"] {
        let size = std::fs::metadata(&wheel).map_or(0, |metadata| metadata.len());
        std::fs::rename(&wheel, sandbox.path("away")).unwrap();
        match swap {
            "a link" => std::os::unix::fs::symlink(&secret, &wheel).unwrap(),
            "a FIFO" => assert!(std::process::Command::new("mkfifo").arg(&wheel).status().unwrap().success()),
            _ => std::fs::write(&wheel, vec![0; size as usize]).unwrap(),
        }
        for _ in 0..20 {
            assert_eq!(served.get(path, &[]).status, 404, "{swap}");
        }
        assert_eq!(served.get("/simple/demo/", &[]).status, 200, "{swap}: others are still answered");
        std::fs::remove_file(&wheel).unwrap();
        std::fs::rename(sandbox.path("away"), &wheel).unwrap();
        assert_eq!(served.get(path, &[]).status, 200, "{swap} is gone");
    }
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

#[test]
fn what_was_damaged_in_the_cache_is_not_served() {
    let sandbox = fetched(&["--dest", "out"]);
    let sha256 = Sha256::of(&sandbox.read(&format!("out/{WHEEL}"))).to_string();
    let object = sandbox.cache_folder(CacheBucket::Objects).join(&sha256[..2]).join(&sha256[2..]);
    let mut bytes = std::fs::read(&object).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::remove_file(&object).unwrap();
    std::fs::write(&object, bytes).unwrap();
    let served = Served::over(&sandbox, "../cache");
    let listed = String::from_utf8(served.get("/projects.json", &[]).body).unwrap();
    assert!(!listed.contains(WHEEL) && listed.contains("kit_box-3.0.tar.gz"), "{listed}");
    assert!(!object.exists());
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

#[test]
fn what_cannot_be_served_is_told() {
    let sandbox = Sandbox::new();
    let index = Index::new().wheel("demo", "1.0").serve();
    sandbox.write("empty/notes.txt", "");
    sandbox.write("half.tar.gz", [0x1f, 0x8b, 8, 0, 1]);
    sandbox.write("text.zip", "no archive at all, but long enough");
    for (path, told) in [
        ("empty", "no wheels"),
        ("half.tar.gz", "half.tar.gz cannot be read: the archive ends too early"),
        ("text.zip", "text.zip"),
        ("absent", "absent"),
    ] {
        let output = sandbox.prefetch(["serve", path]).assert().code(2).get_output().clone();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(words.contains(told) && words.contains("hint:"), "{words}");
    }
    sandbox.write(&format!("mixed/{WHEEL}"), index.bytes(WHEEL));
    sandbox.write("mixed/other-1.0-py3-none-any.whl", "damaged");
    sandbox.write("mixed/stranger-1.0-py3-none-any.whl", index.bytes(WHEEL));
    let mut command = sandbox.process(["serve", "mixed", "--port", "0"]);
    let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let warnings: Vec<_> = lines.by_ref().map(Result::unwrap).take_while(|line| !line.starts_with("Serving")).collect();
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("other-1.0") && warnings[1].contains("stranger-1.0"), "{warnings:?}");
}

#[test]
fn a_bundle_whose_manifest_lies_is_refused() {
    let sandbox = fetched(&["--bundle", "all.tar"]);
    let mut bytes = sandbox.read("all.tar");
    let at = bytes.windows(WHEEL.len() + 7).position(|window| window == format!("wheels/{WHEEL}").as_bytes()).unwrap();
    bytes[at] = b'x';
    sandbox.write("lies.tar", bytes);
    let output = sandbox.prefetch(["serve", "lies.tar"]).assert().code(2).get_output().clone();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("manifest") && words.contains("is not in it"), "{words}");
}

/// Each client has an answer under way that does not fit into the system's buffers.
#[test]
fn hundreds_of_answers_can_be_under_way() {
    let sandbox = Sandbox::new();
    let bytes = vec![7_u8; 4 << 20];
    sandbox.write("out/demo-1.0.tar.bz2", &bytes);
    let served = Served::over(&sandbox, "out");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // Each answer that is not read to its end keeps its connection.
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut answers = Vec::new();
        for _ in 0..400 {
            let url = format!("{}demo/demo-1.0.tar.bz2", served.index());
            answers.push(client.get(url).send().await.unwrap());
        }
        for answer in answers {
            assert_eq!(answer.bytes().await.unwrap().len(), bytes.len());
        }
    });
}
