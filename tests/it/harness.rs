//! The test index itself: it answers as it was told to, and fails as it was told to.

use std::time::Duration;

use prefetch::domain::{Algorithm, Sha256};
use reqwest::{Client, ClientBuilder};
use serde_json::Value;

use crate::support::{Fault, Index, PageFormat, Published, Sdist, ServedIndex, Wheel};

const JSON: &str = "application/vnd.pypi.simple.v1+json";
/// What pip sends (`docs/facts/pip.md` 3.1).
const PIP_ACCEPT: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";

struct Reply {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

fn ask(client: ClientBuilder, url: &str, headers: &[(&str, &str)]) -> reqwest::Result<Reply> {
    let client: Client = client.no_proxy().timeout(Duration::from_secs(60)).build()?;
    let request = headers.iter().fold(client.get(url), |request, (name, value)| request.header(*name, *value));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply { status, headers, body: response.bytes().await?.to_vec() })
    })
}

fn get(index: &ServedIndex, path: &str, headers: &[(&str, &str)]) -> reqwest::Result<Reply> {
    ask(Client::builder().gzip(false), &format!("{}{path}", index.root()), headers)
}

fn page(index: &ServedIndex, accept: &str) -> Reply {
    get(index, "/simple/demo/", &[("accept", accept)]).unwrap()
}

#[test]
fn a_wheel_is_the_same_bytes_each_time() {
    let wheel = || Wheel::new("Demo.Thing", "1.0+local").requires("other>=1").build("2").tags("py2.py3-none-any");
    assert_eq!(wheel().bytes(), wheel().bytes());
    assert_eq!(wheel().filename(), "demo_thing-1.0+local-2-py2.py3-none-any.whl");
    assert!(Wheel::new("demo", "1").padding(100_000).bytes().len() > 100_000);
}

#[test]
fn a_source_archive_has_the_name_of_its_time() {
    let sdist = Sdist::new("zope.interface", "5.0");
    assert_eq!(sdist.filename(), "zope_interface-5.0.tar.gz");
    assert_eq!(sdist.bytes(), Sdist::new("zope.interface", "5.0").bytes());
    assert_eq!(sdist.old_style().extension(".tar.bz2").filename(), "zope.interface-5.0.tar.bz2");
}

#[test]
fn pages_come_in_the_form_that_is_liked_best() {
    let index = Index::new().wheel("demo", "1.0").serve();
    assert_eq!(page(&index, PIP_ACCEPT).header("content-type"), JSON);
    assert_eq!(page(&index, "text/html").header("content-type"), "text/html");
    assert_eq!(page(&index, "*/*").header("content-type"), "text/html");
    let reversed = "application/vnd.pypi.simple.v1+html, application/vnd.pypi.simple.v1+json;q=0.2";
    assert_eq!(page(&index, reversed).header("content-type"), "application/vnd.pypi.simple.v1+html");
}

#[test]
fn an_index_may_know_one_form_only() {
    let plain = Index::new().wheel("demo", "1.0").pages(PageFormat::Html).serve();
    assert_eq!(page(&plain, PIP_ACCEPT).header("content-type"), "text/html");
    let modern = Index::new().wheel("demo", "1.0").pages(PageFormat::Json).serve();
    assert_eq!(page(&modern, "text/html").header("content-type"), JSON);
}

#[test]
fn the_html_page_states_what_pep_503_lets_it_state() {
    let wheel = Wheel::new("demo", "1.0").requires_python(">=3.8,<4");
    let index = Index::new().with(Published::from(wheel).yanked("too \"fast\"")).serve();
    let name = "demo-1.0-py3-none-any.whl";
    let html = page(&index, "text/html").text();
    assert!(html.contains(&format!("href=\"../../files/{name}#sha256={}\"", index.sha256(name))), "{html}");
    assert!(html.contains("data-requires-python=\"&gt;=3.8,&lt;4\""), "{html}");
    assert!(html.contains("data-yanked=\"too &quot;fast&quot;\""), "{html}");
    let metadata = get(&index, &format!("/files/{name}.metadata"), &[]).unwrap().body;
    assert!(html.contains(&format!("data-core-metadata=\"sha256={}\"", Sha256::of(&metadata))), "{html}");
}

#[test]
fn the_json_page_states_what_pep_700_lets_it_state() {
    let file = Published::from(Sdist::new("demo", "1.0")).uploaded("2024-01-02T03:04:05Z").yanked("");
    let index = Index::new().with(file).digests(&[Algorithm::Md5, Algorithm::Sha512]).serve();
    let json: Value = serde_json::from_str(&page(&index, JSON).text()).unwrap();
    let listed = &json["files"][0];
    assert_eq!(listed["filename"], "demo-1.0.tar.gz");
    assert_eq!(listed["size"], index.bytes("demo-1.0.tar.gz").len());
    assert_eq!(listed["upload-time"], "2024-01-02T03:04:05Z");
    assert_eq!(listed["yanked"], true);
    assert_eq!(listed["hashes"].as_object().unwrap().keys().collect::<Vec<_>>(), ["md5", "sha512"]);
    assert_eq!(listed.get("core-metadata"), None);
}

#[test]
fn an_old_index_states_little() {
    let index = Index::new().wheel("demo", "1.0").digests(&[]).without_sidecars().without_sizes().serve();
    let json: Value = serde_json::from_str(&page(&index, JSON).text()).unwrap();
    let keys: Vec<_> = json["files"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["filename", "hashes", "url"]);
    assert_eq!(get(&index, "/files/demo-1.0-py3-none-any.whl.metadata", &[]).unwrap().status, 404);
}

#[test]
fn a_file_can_be_lied_about_and_be_missing() {
    let lie =
        Published::new("demo", "demo-1.0.tar.gz", "bytes").claiming_size(7).claiming_digest(Algorithm::Sha256, "00");
    let missing = Published::phantom("demo", "demo-2.0.tar.gz").claiming_python(">=99");
    let hostile = Published::phantom("demo", "x").linked_as("../../../../x.whl");
    let index = Index::new().with(lie).with(missing).with(hostile).serve();
    let json: Value = serde_json::from_str(&page(&index, JSON).text()).unwrap();
    assert_eq!(json["files"][0]["size"], 7);
    assert_eq!(json["files"][0]["hashes"]["sha256"], "00");
    assert_eq!(json["files"][1]["requires-python"], ">=99");
    assert_eq!(json["files"][2]["url"], "../../../../x.whl");
    assert_eq!(get(&index, "/files/demo-2.0.tar.gz", &[]).unwrap().status, 404);
    assert!(page(&index, "text/html").text().contains("#sha256=00\""));
}

#[test]
fn names_lead_to_their_normal_form() {
    let index = Index::new().wheel("demo.thing", "1.0").serve();
    for path in ["/simple/Demo_Thing", "/simple/Demo_Thing/", "/simple/demo-thing"] {
        assert_eq!(get(&index, path, &[]).unwrap().status, 200, "{path}");
    }
    assert_eq!(index.count("/simple/demo-thing/"), 3);
    assert_eq!(get(&index, "/simple/unknown/", &[]).unwrap().status, 404);
}

#[test]
fn the_root_and_the_flat_page_list_everything() {
    let index = Index::new().wheel("demo", "1.0").wheel("demo", "2.0").sdist("other", "1.0").serve();
    assert_eq!(get(&index, "/simple/", &[]).unwrap().text().matches("<a ").count(), 2);
    let root: Value = serde_json::from_str(&get(&index, "/simple/", &[("accept", JSON)]).unwrap().text()).unwrap();
    assert_eq!(root["projects"][1]["name"], "other");
    let links = ask(Client::builder(), &index.links_url(), &[]).unwrap().text();
    assert_eq!(links.matches("href=\"../files/").count(), 3);
}

#[test]
fn files_may_lie_on_another_host() {
    let files = Index::new().wheel("demo", "1.0").serve();
    let index = Index::new().wheel("demo", "1.0").files_at(&files.root_at("localhost")).serve();
    let json: Value = serde_json::from_str(&page(&index, JSON).text()).unwrap();
    let url = json["files"][0]["url"].as_str().unwrap();
    assert_eq!(url, files.file_url("demo-1.0-py3-none-any.whl").replace("127.0.0.1", "localhost"));
    assert_eq!(ask(Client::builder(), url, &[]).unwrap().body, index.bytes("demo-1.0-py3-none-any.whl"));
}

#[test]
fn pages_are_compressed_and_validated() {
    let index = Index::new().wheel("demo", "1.0").gzip().serve();
    let plain = page(&index, JSON);
    assert_eq!(plain.header("content-encoding"), "");
    let tag = plain.header("etag").to_owned();
    let again = get(&index, "/simple/demo/", &[("accept", JSON), ("if-none-match", &tag)]).unwrap();
    assert_eq!((again.status, again.body.len()), (304, 0));
    let packed = ask(Client::builder().gzip(true), &format!("{}demo/", index.url()), &[("accept", JSON)]).unwrap();
    assert_eq!(packed.body, plain.body);
    assert!(index.requests().last().unwrap().header("accept-encoding").unwrap().contains("gzip"));
}

#[test]
fn files_can_be_read_in_part() {
    let file = || Published::new("demo", "demo-1.0.tar.gz", "0123456789");
    let index = Index::new().with(file()).serve();
    let part = |index: &ServedIndex, range: &str| {
        let reply = get(index, "/files/demo-1.0.tar.gz", &[("range", range)]).unwrap();
        (reply.status, reply.text(), reply.header("content-range").to_owned())
    };
    assert_eq!(part(&index, "bytes=2-4"), (206, "234".into(), "bytes 2-4/10".into()));
    assert_eq!(part(&index, "bytes=8-"), (206, "89".into(), "bytes 8-9/10".into()));
    assert_eq!(part(&index, "bytes=-3"), (206, "789".into(), "bytes 7-9/10".into()));
    assert_eq!(part(&index, "bytes=10-").0, 416);
    assert_eq!(part(&Index::new().with(file()).without_ranges().serve(), "bytes=2-4").0, 200);
}

#[test]
fn strangers_are_asked_for_credentials() {
    let index = Index::new().wheel("demo", "1.0").basic_auth("user", "secret").serve();
    let stranger = page(&index, JSON);
    assert_eq!((stranger.status, stranger.header("www-authenticate")), (401, "Basic realm=\"index\""));
    let url = format!("{}/simple/demo/", index.root_at("user:secret@127.0.0.1"));
    assert_eq!(ask(Client::builder(), &url, &[]).unwrap().status, 200);
}

#[test]
fn an_encrypted_index_speaks_http_2() {
    let index = Index::new().wheel("demo", "1.0").encrypted().serve();
    let url = format!("{}demo/", index.url());
    assert!(ask(Client::builder(), &url, &[]).is_err(), "a client must not trust just anybody");
    let authority = reqwest::Certificate::from_pem(index.authority().unwrap().as_bytes()).unwrap();
    let reply = ask(Client::builder().tls_certs_only([authority]), &url, &[]).unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(index.requests()[0].protocol, "HTTP/2.0");
}

#[test]
fn the_log_tells_files_from_pages_and_sidecars() {
    let index = Index::new().wheel("demo", "1.0").serve();
    for path in ["/simple/demo/", "/files/demo-1.0-py3-none-any.whl.metadata", "/files/demo-1.0-py3-none-any.whl"] {
        get(&index, path, &[]).unwrap();
    }
    assert_eq!(index.count("/files/"), 2);
    assert_eq!(index.requests_for_files().len(), 1);
    assert_eq!(index.paths()[0], "/simple/demo/");
    assert_eq!(index.requests()[0].method, "GET");
    assert_eq!(index.connections(), 3);
    index.forget_requests();
    assert!(index.requests().is_empty());
}

const FILE: &str = "/files/demo-1.0.tar.gz";

fn failing(fault: Fault) -> ServedIndex {
    Index::new().with(Published::new("demo", "demo-1.0.tar.gz", "0123456789")).failing("/files/", fault).serve()
}

#[test]
fn faults_end_after_their_time() {
    let index = Index::new().wheel("demo", "1.0").failing_times("/simple/", 2, Fault::Status(503)).serve();
    let statuses: Vec<_> = (0..3).map(|_| page(&index, JSON).status).collect();
    assert_eq!(statuses, [503, 503, 200]);
    index.fail_times("/simple/", 1, Fault::RetryAfter(429, "7".into()));
    index.fail("/simple/", Fault::Status(500));
    let reply = page(&index, JSON);
    assert_eq!((reply.status, reply.header("retry-after")), (429, "7"));
    assert_eq!(page(&index, JSON).status, 500);
    index.heal();
    assert_eq!(page(&index, JSON).status, 200);
}

#[test]
fn connections_end_where_they_should() {
    assert!(get(&failing(Fault::Closed), FILE, &[]).is_err());
    for fault in [Fault::CutAfter(4), Fault::ContentLength(11)] {
        let error = get(&failing(fault), FILE, &[]).err().unwrap();
        assert!(error.is_body() || error.is_decode(), "the head must arrive: {error:?}");
    }
    assert_eq!(get(&failing(Fault::ContentLength(4)), FILE, &[]).unwrap().text(), "0123");
}

#[test]
fn wrong_content_arrives_whole() {
    assert_eq!(get(&failing(Fault::Bytes(b"evil".into())), FILE, &[]).unwrap().text(), "evil");
    assert_eq!(
        get(&failing(Fault::ContentType("text/css".into())), FILE, &[]).unwrap().header("content-type"),
        "text/css"
    );
    let login = get(&failing(Fault::LoginPage), FILE, &[]).unwrap();
    assert!(login.status == 200 && !login.text().contains("<a "), "{}", login.text());
    assert!(get(&failing(Fault::HugePage(1_000_000)), FILE, &[]).unwrap().body.len() >= 1_000_000);
    let packed = ask(Client::builder().gzip(true), &failing(Fault::HalfGzip).file_url("demo-1.0.tar.gz"), &[]);
    assert!(packed.err().unwrap().is_decode());
}

#[test]
fn redirects_lead_away_and_around() {
    let elsewhere = Index::new().wheel("other", "1.0").serve();
    let index = failing(Fault::RedirectTo(elsewhere.file_url("other-1.0-py3-none-any.whl")));
    assert_eq!(get(&index, FILE, &[]).unwrap().body, elsewhere.bytes("other-1.0-py3-none-any.whl"));
    assert!(get(&failing(Fault::RedirectLoop), FILE, &[]).err().unwrap().is_redirect());
}

#[test]
fn a_hanging_answer_waits_for_the_test() {
    let index = failing(Fault::HangAfter(4));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| get(&index, FILE, &[]).unwrap().text());
        index.wait_for(FILE, 1);
        assert!(!reader.is_finished());
        index.release();
        assert_eq!(reader.join().unwrap(), "0123456789");
    });
}
