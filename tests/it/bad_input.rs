//! What goes wrong, with the exit code and the words that a person can act on.

use prefetch::domain::Sha256;

use crate::support::{Fault, Index, Published, Sandbox, ServedIndex, Wheel};

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

fn world() -> Index {
    Index::new().wheel("demo", "1.0").wheel("demo", "1.1")
}

/// Runs with `requirements` as its file; passes if it ends with `code` and says all of `words`.
#[track_caller]
fn assert_fails(index: &ServedIndex, requirements: &str, code: i32, words: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", requirements);
    let arguments = ["-r", "requirements.txt", "--retries", "0"];
    let output = sandbox.prefetch_from(index, arguments).args(TARGET).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is not in:\n{told}");
    }
    assert_eq!(sandbox.files("wheelhouse"), Vec::<String>::new());
    assert_eq!(output.stdout, b"");
    sandbox
}

#[test]
fn a_missing_file_is_named() {
    let sandbox = Sandbox::new();
    let output = sandbox.prefetch_from(&world().serve(), ["-r", "absent.txt"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("absent.txt"));
}

#[test]
fn a_folder_is_no_requirements_file() {
    let sandbox = Sandbox::new();
    sandbox.write("folder/a.txt", "");
    sandbox.prefetch_from(&world().serve(), ["-r", "folder"]).assert().code(2);
}

#[test]
fn every_bad_line_is_told_and_nothing_is_asked() {
    let index = world().serve();
    let bad = "demo==1.0\n--no-such-option\ndemo=>1\n";
    assert_fails(&index, bad, 2, &["requirements.txt:2", "--no-such-option", "requirements.txt:3", "demo=>1", "^"]);
    assert!(index.requests().is_empty());
}

#[test]
fn binary_garbage_and_cycles_are_usage_errors() {
    assert_fails(&world().serve(), "\u{0}\u{1}\u{2}PK\u{3}\u{4}", 2, &["requirements.txt"]);
    assert_fails(&world().serve(), "-r requirements.txt\n", 2, &["requirements.txt"]);
}

#[test]
fn an_editable_is_a_named_problem() {
    assert_fails(&world().serve(), "demo==1.0\n-e ./project\n", 2, &["requirements.txt:2", "./project"]);
}

#[test]
fn an_unknown_project_is_no_solution() {
    assert_fails(&world().serve(), "demo==1.0\nunknown==1.0\n", 3, &["unknown", "requirements.txt:2"]);
}

#[test]
fn every_project_without_a_solution_is_told() {
    assert_fails(&world().serve(), "first==1\nsecond==1\n", 3, &["first", "second"]);
}

#[test]
fn a_missing_pin_names_what_comes_near() {
    assert_fails(&world().serve(), "demo==1.2\n", 3, &["demo==1.2", "1.1"]);
}

#[test]
fn a_file_for_another_target_is_named_with_its_reason() {
    let index = Index::new().with(Wheel::new("demo", "1.0").tags("cp39-cp39-win_amd64")).serve();
    assert_fails(&index, "demo==1.0\n", 3, &["demo-1.0-cp39-cp39-win_amd64.whl"]);
}

/// Told before anything is fetched, since the index promises the digest.
#[test]
fn a_wrong_hash_in_the_file_is_a_mismatch() {
    let (index, wrong) = (world().serve(), "0".repeat(64));
    let has = index.sha256("demo-1.0-py3-none-any.whl");
    assert_fails(&index, &format!("demo==1.0 --hash=sha256:{wrong}\n"), 5, &["demo-1.0", &has, "requirements.txt:1"]);
    assert!(index.requests_for_files().is_empty());
}

/// Told after the file has come, where the index promises nothing.
#[test]
fn a_wrong_hash_is_found_in_the_bytes_too() {
    let (index, wrong) = (world().digests(&[]).serve(), "0".repeat(64));
    let has = index.sha256("demo-1.0-py3-none-any.whl");
    assert_fails(&index, &format!("demo==1.0 --hash=sha256:{wrong}\n"), 5, &["demo-1.0", &has, &wrong]);
}

#[test]
fn wrong_bytes_on_the_wire_are_a_mismatch() {
    let index = world().serve();
    let right = index.bytes("demo-1.0-py3-none-any.whl");
    let wrong = vec![b'x'; right.len()];
    index.fail(".whl", Fault::Bytes(wrong.clone()));
    let (expected, got) = (Sha256::of(&right).to_string(), Sha256::of(&wrong).to_string());
    assert_fails(&index, "demo==1.0\n", 5, &[&index.file_url("demo-1.0-py3-none-any.whl"), &expected, &got]);
}

#[test]
fn bytes_of_another_size_are_a_mismatch() {
    let index = world().failing(".whl", Fault::Bytes(b"evil".into())).serve();
    let expected = format!("expected {} bytes, got 4", index.bytes("demo-1.0-py3-none-any.whl").len());
    assert_fails(&index, "demo==1.0\n", 5, &["demo-1.0-py3-none-any.whl", &expected]);
}

#[test]
fn an_index_in_trouble_is_unreachable() {
    for fault in [Fault::Status(500), Fault::Closed, Fault::HalfGzip, Fault::RedirectLoop] {
        let index = world().failing("/simple/", fault).serve();
        assert_fails(&index, "demo==1.0\n", 4, &["/simple/demo/"]);
    }
}

#[test]
fn a_page_that_is_no_index_page_is_told_from_an_empty_one() {
    let index = world().failing("/simple/", Fault::LoginPage).serve();
    assert_fails(&index, "demo==1.0\n", 4, &["/simple/demo/"]);
    let index = world().failing("/simple/", Fault::ContentType("text/plain".into())).serve();
    assert_fails(&index, "demo==1.0\n", 4, &["text/plain"]);
}

#[test]
fn a_file_that_does_not_come_is_unreachable() {
    for fault in [Fault::Status(404), Fault::Status(503), Fault::Closed, Fault::CutAfter(100)] {
        let index = world().failing(".whl", fault).serve();
        assert_fails(&index, "demo==1.0\n", 4, &["demo-1.0-py3-none-any.whl"]);
    }
}

#[test]
fn a_hostile_name_stays_inside() {
    for href in
        ["../../../../demo-9.0-py3-none-any.whl/../../x.whl", "/etc/demo-9.0.tar.gz%00", "..%2f..%2fdemo-9.0.zip"]
    {
        let index = world().with(Published::phantom("demo", "demo-9.0.zip").linked_as(href)).serve();
        let sandbox = Sandbox::new();
        sandbox.prefetch_from(&index, ["demo==1.0"]).args(TARGET).assert().code(0);
        assert_eq!(sandbox.files("."), ["wheelhouse/demo-1.0-py3-none-any.whl"]);
    }
}

#[test]
fn a_destination_that_cannot_be_written_is_a_disk_error() {
    let sandbox = Sandbox::new();
    sandbox.write("wheelhouse", "a file, and no folder");
    sandbox.prefetch_from(&world().serve(), ["demo==1.0"]).args(TARGET).assert().code(6);
}

#[test]
fn no_index_is_an_error_that_names_the_ways_to_give_one() {
    let output = Sandbox::new().without_python().prefetch(["demo==1.0"]).args(TARGET).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("--index-url") && told.contains("PREFETCH_INDEX_URL"), "{told}");
}
