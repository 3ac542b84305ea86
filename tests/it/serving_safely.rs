//! `prefetch serve` refuses hostile requests, damaged files and what was put in their place, and bears
//! many clients.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use prefetch::cache_folder::CacheBucket;
use prefetch::domain::Sha256;

use crate::serving::{WHEEL, fetched};
use crate::support::{Index, Sandbox, Served};

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
