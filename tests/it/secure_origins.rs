//! Plain HTTP: whom we ask by it, and that no stored password and no link of this machine goes that way.

use crate::support::{Fault, Index, Published, Sandbox, Wheel};

const DEMO: &str = "demo-1.0-py3-none-any.whl";
const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

fn told(output: &assert_cmd::assert::Assert) -> String {
    String::from_utf8_lossy(&output.get_output().stderr).into_owned()
}

fn sandbox() -> Sandbox {
    Sandbox::new().without_python()
}

#[test]
fn an_index_by_plain_http_is_asked_on_this_machine_or_where_it_is_trusted() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), sandbox());
    // The index stands in for a proxy, which is sent whole URLs.
    let elsewhere = "http://me:hunter2@index.example/simple/";
    let run = |option: &str, url: &str, more: &[&str]| {
        let mut command = sandbox.prefetch([&["demo", option, url], &TARGET[..], more].concat());
        command.env("PREFETCH_INDEX_URL", index.url()).env("http_proxy", index.root()).env("no_proxy", "127.0.0.1");
        command.assert()
    };
    for option in ["--index-url", "--find-links"] {
        let refused = told(&run(option, elsewhere, &[]).code(2));
        assert!(refused.contains("http://****@index.example/simple/ is not asked: by plain HTTP"), "{refused}");
        assert!(refused.contains("read its password") && refused.contains("--trusted-host index.example"), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
    assert_eq!(index.requests().len(), 0);
    run("--index-url", elsewhere, &["--trusted-host", "Index.example"]);
    assert!(!index.requests().is_empty(), "it is asked where it is trusted");
    sandbox.prefetch_from(&index, [&["demo"], &TARGET[..]].concat()).assert().success();
}

#[test]
fn a_password_of_the_netrc_does_not_follow_a_redirect_from_https_to_http() {
    let (plain, sandbox) = (Index::new().wheel("demo", "1.0").serve(), sandbox());
    let index = Index::new().wheel("demo", "1.0").encrypted().basic_auth("me", "hunter2").serve();
    index.fail("/files/", Fault::RedirectTo(plain.file_url(DEMO)));
    sandbox.write("../home/.netrc", "machine 127.0.0.1 login me password hunter2");
    sandbox.prefetch_from(&index, [&["demo", "--no-deps"], &TARGET[..]].concat()).assert().success();
    assert!(index.requests().iter().all(|request| request.header("authorization").is_some()));
    let requests = plain.requests();
    assert!(!requests.is_empty() && requests.iter().all(|request| request.header("authorization").is_none()));
}

/// Nor the proxy of the test, which anybody on the way could be.
#[test]
fn a_password_of_the_netrc_does_not_go_by_plain_http_to_a_file_that_a_page_links() {
    let (proxy, sandbox) = (Index::new().serve(), sandbox());
    let demo = Published::from(Wheel::new("demo", "1.0")).linked_as(&format!("http://files.example/{DEMO}"));
    let index = Index::new().with(demo).serve();
    sandbox.write("../home/.netrc", "default login me password hunter2");
    let mut command = sandbox.prefetch_from(&index, [&["demo", "--no-deps", "--retries", "0"], &TARGET[..]].concat());
    command.env("http_proxy", proxy.root()).env("no_proxy", "127.0.0.1").assert().code(4);
    let requests = proxy.requests();
    assert!(!requests.is_empty() && requests.iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn a_page_from_the_network_links_no_file_of_this_machine() {
    let sandbox = sandbox();
    let path = sandbox.write(DEMO, Index::new().wheel("demo", "1.0").serve().bytes(DEMO));
    let demo = Published::from(Wheel::new("demo", "1.0"));
    let index = Index::new().with(demo.linked_as(&format!("file://{}", path.display()))).serve();
    for places in [["--index-url", &index.url()], ["--find-links", &index.links_url()]] {
        let mut command = sandbox.prefetch([&["demo", "-d", "out"], &places[..], &TARGET[..]].concat());
        let failed = told(&command.env("PREFETCH_INDEX_URL", index.url()).assert().code(3));
        assert!(failed.contains("its link leads to a file of this machine"), "{failed}");
        assert_eq!(sandbox.files("out"), Vec::<String>::new());
    }
}

#[test]
fn what_lets_one_in_is_neither_printed_nor_packed() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), sandbox());
    let requirement = format!("demo @ {}?id=7&X-Amz-Date=1&X-Amz-Signature=hunter2", index.file_url(DEMO));
    let outputs = ["-v", "--report", "r.json", "--bundle", "out/", "--sbom", "cyclonedx,spdx"];
    let run = sandbox.prefetch([&[&*requirement, "--no-index"], &outputs[..], &TARGET[..]].concat()).assert().success();
    let output = run.get_output();
    for printed in [&output.stdout, &output.stderr] {
        assert!(!String::from_utf8_lossy(printed).contains("hunter2"), "{}", String::from_utf8_lossy(printed));
    }
    assert!(index.requests_for_files().iter().all(|request| request.path.ends_with("Signature=hunter2")));
    let root = sandbox.path("..");
    for file in crate::support::files_below(&root) {
        let bytes = std::fs::read(root.join(&file)).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("hunter2"), "{file} holds the secret");
    }
    assert!(String::from_utf8_lossy(&sandbox.read("r.json")).contains("?id=7\""), "what is no secret stays");
    for place in ["--index-url", "--find-links"] {
        let mut command = sandbox.prefetch(["demo", place, "me:hunter2@index.example/simple"]);
        let refused = told(&command.env("PREFETCH_INDEX_URL", index.url()).assert().code(2));
        assert!(!refused.contains("hunter2") && refused.contains("https://"), "{refused}");
    }
}

/// As `openssl req -x509` makes them, which calls them authorities: pip takes them.
#[test]
fn a_self_signed_certificate_is_believed_where_it_is_named() {
    let run = |index: &crate::support::ServedIndex, authority: &str, code: i32| {
        let sandbox = sandbox();
        sandbox.write("named.pem", authority);
        let url = index.url();
        let arguments = [&["demo", "-i", &*url, "--cert", "named.pem", "--retries", "0"], &TARGET[..]].concat();
        told(&sandbox.prefetch(arguments).assert().code(code))
    };
    let serve = |name: &str, until| Index::new().wheel("demo", "1.0").self_signed(&[name], until).serve();
    let (index, other) = (serve("127.0.0.1", 4000), serve("127.0.0.1", 4000));
    let (misnamed, expired) = (serve("localhost", 4000), serve("127.0.0.1", 2001));
    run(&index, index.authority().unwrap(), 0);
    for (index, authority) in
        [(&index, other.authority()), (&misnamed, misnamed.authority()), (&expired, expired.authority())]
    {
        let refused = run(index, authority.unwrap(), 4);
        assert!(refused.contains("certificate"), "{refused}");
    }
}

#[test]
fn a_dead_proxy_is_told_with_where_it_was_named() {
    let sandbox = sandbox();
    let mut command =
        sandbox.prefetch([&["demo", "-i", "https://index.example/", "--retries", "0"], &TARGET[..]].concat());
    let failed = told(&command.env("HTTPS_PROXY", "http://me:hunter2@127.0.0.1:1").assert().code(4));
    assert!(failed.contains("through the proxy http://****@127.0.0.1:1 (HTTPS_PROXY)"), "{failed}");
    assert!(!failed.contains("hunter2"), "{failed}");
}

#[test]
fn https_to_a_server_of_plain_http_says_so_and_the_other_way_round() {
    let (plain, encrypted, sandbox) = (Index::new().serve(), Index::new().encrypted().serve(), sandbox());
    let told = |url: &str| {
        told(&sandbox.prefetch([&["demo", "-i", url, "--retries", "0"], &TARGET[..]].concat()).assert().code(4))
    };
    let said = told(&plain.url().replace("http://", "https://"));
    assert!(said.contains("does not speak TLS: it may be a server of plain HTTP (http://)"), "{said}");
    let said = told(&encrypted.url().replace("https://", "http://"));
    assert!(said.contains("does not speak plain HTTP: it may be a server of TLS (https://)"), "{said}");
}

/// Whoever is on the way could answer what a page says, digests included.
#[test]
fn no_redirect_leads_to_plain_http_elsewhere() {
    let elsewhere = "http://index.example/simple/demo/".to_owned();
    let index = Index::new().wheel("demo", "1.0").failing("/simple/demo/", Fault::RedirectTo(elsewhere)).serve();
    let sandbox = sandbox();
    let run = |more: &[&str]| {
        let mut command = sandbox.prefetch_from(&index, [&["demo", "--retries", "0"], &TARGET[..], more].concat());
        command.env("http_proxy", index.root()).env("no_proxy", "127.0.0.1").assert()
    };
    let refused = told(&run(&[]).code(4));
    assert!(refused.contains("redirects to http://index.example/simple/demo/"), "{refused}");
    assert!(refused.contains("plain HTTP"), "{refused}");
    let seen = index.requests().len();
    run(&["--trusted-host", "index.example"]);
    assert!(index.requests().len() > seen + 1, "it is followed where it is trusted");
}
