//! Index pages that are broken, foreign, huge or out of date.

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
