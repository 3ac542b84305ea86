//! Index pages that are broken, foreign, huge or out of date.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::*;

#[test]
fn a_page_in_gzip_that_breaks_off_is_retried() {
    let (index, sandbox) = (index().failing_times("/simple/demo/", 1, Fault::HalfGzip).serve(), sandbox());
    fetch(&index, &sandbox, &[]).is(0, &[]);
    is_complete(&index, &sandbox);
    assert_eq!(index.count("/simple/demo/"), 2);
}

#[test]
fn a_page_for_people_is_no_index() {
    let (index, sandbox) = (index().failing("/simple/demo/", Fault::LoginPage).serve(), sandbox());
    let outcome = fetch(&index, &sandbox, &[]);
    assert!(matches!(outcome.code, Some(3 | 4)), "{}", outcome.told);
    assert!(outcome.told.contains("demo"), "{}", outcome.told);
}

#[test]
fn malformed_json_is_told_with_its_project() {
    let fault = Fault::Bytes(b"{\"files\": [".to_vec());
    let (index, sandbox) = (index().pages(PageFormat::Json).failing("/simple/demo/", fault).serve(), sandbox());
    fetch(&index, &sandbox, &[]).is(4, &["demo"]);
}

#[test]
fn a_page_of_fifty_megabytes_is_read() {
    let (index, sandbox) = (index().failing("/simple/other/", Fault::HugePage(50 << 20)).serve(), sandbox());
    let outcome = fetch(&index, &sandbox, &[]);
    assert!(matches!(outcome.code, Some(3)), "{}", outcome.told);
}

#[test]
fn hostile_names_become_no_paths() {
    let files = ["..%2f..%2fdemo-1.0.tar.gz", "..\\demo-1.0.zip", "demo-1.0.zip/..", "%2e%2e", "C:demo-1.0.zip"];
    let index = files
        .iter()
        .fold(index(), |index, name| index.with(Published::new("demo", name, b"hostile".to_vec()).linked_as(name)));
    let (index, sandbox) = (index.serve(), sandbox());
    fetch(&index, &sandbox, &[]).is(0, &[]);
    is_complete(&index, &sandbox);
}

/// The page lists a file that is gone; `--refresh` sees the new page.
#[test]
fn a_stale_page_is_seen_through() {
    let (index, sandbox) = (index().serve(), sandbox());
    fetch(&index, &sandbox, &["--dry-run"]).is(0, &[]);
    index.fail(&format!("/files/{DEMO}"), Fault::Status(404));
    fetch(&index, &sandbox, &["--no-deps"]).is(4, &["404", "--refresh"]);
}

/// Of provisional responses (RFC 9110, 15.2) there may be any number; they are no answer.
#[test]
fn a_server_that_only_announces_an_answer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let index = format!("http://{}/simple/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n".repeat(100);
        for mut connection in listener.incoming().map_while(Result::ok) {
            let asked = connection.read(&mut [0; 4096]).is_ok();
            while asked && connection.write_all(&hints).is_ok() {}
        }
    });
    let target = ["--python-version", "3.12", "--platform", "linux-x86_64", "demo"];
    let limits = ["--index-url", &index, "--timeout", "1", "--retries", "0"];
    let output = sandbox().prefetch([&target[..], &limits].concat()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.contains("silent") && told.contains("--timeout"), "{told}");
}
