//! What goes wrong, with the exit code and the words that a person can act on.

use prefetch::domain::Sha256;

use crate::support::{Fault, Index, PageFormat, Published, Sandbox, ServedIndex, Wheel};

pub const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

pub fn world() -> Index {
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

/// Runs with `arguments`, without a network; passes if it ends with `code` and says all of `words`.
#[track_caller]
fn assert_refused(sandbox: &Sandbox, arguments: &[&str], code: i32, words: &[&str]) {
    let index = world().serve();
    let output = sandbox.prefetch_from(&index, arguments).args(TARGET).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is not in:\n{told}");
    }
    assert!(index.requests_for_files().is_empty());
}

#[test]
fn a_missing_file_is_named() {
    assert_refused(&Sandbox::new(), &["-r", "absent.txt"], 2, &["absent.txt", "No such file"]);
}

#[test]
fn a_missing_include_is_named_with_the_line_that_wants_it() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements/dev.txt", "demo==1.0\n-r base.txt\n");
    let words = ["requirements/dev.txt:2", "requirements/base.txt", "No such file", "-r base.txt"];
    assert_refused(&sandbox, &["-r", "requirements/dev.txt"], 2, &words);
}

#[test]
fn a_folder_is_no_requirements_file() {
    let sandbox = Sandbox::new();
    sandbox.write("folder/a.txt", "");
    assert_refused(&sandbox, &["-r", "folder"], 2, &["folder", "name a file in it"]);
}

#[test]
fn a_huge_file_is_refused_before_it_is_read() {
    let sandbox = Sandbox::new();
    sandbox.write("huge.txt", "");
    std::fs::File::options().write(true).open(sandbox.path("huge.txt")).unwrap().set_len(200 << 20).unwrap();
    assert_refused(&sandbox, &["-r", "huge.txt"], 2, &["huge.txt", "larger than 16 MiB"]);
}

#[test]
fn binary_garbage_is_no_text() {
    let sandbox = Sandbox::new();
    for garbage in
        [b"PK\x03\x04\x00\x00demo==1.0".as_slice(), b"demo==1.0\n\xc3\x28\xff\xfe\n", b"\x1f\x8b\x08\x00\x00"]
    {
        sandbox.write("garbage.txt", garbage);
        assert_refused(&sandbox, &["-r", "garbage.txt"], 2, &["garbage.txt"]);
    }
}

#[test]
fn an_include_cycle_is_shown() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "-r b.txt\n");
    sandbox.write("b.txt", "demo==1.0\n-r a.txt\n");
    assert_refused(&sandbox, &["-r", "a.txt"], 2, &["b.txt:2", "a.txt → b.txt → a.txt"]);
    sandbox.write("self.txt", "-r self.txt\n");
    assert_refused(&sandbox, &["-r", "self.txt"], 2, &["self.txt:1"]);
}

#[test]
fn nothing_asked_for_is_a_usage_error() {
    let sandbox = Sandbox::new();
    assert_refused(&sandbox, &[], 2, &["nothing is asked for", "-r FILE"]);
    sandbox.write("Pipfile", "[packages]\n");
    assert_refused(&sandbox, &[], 2, &["nothing is asked for", "Pipfile is not read here", "pipenv requirements"]);
}

#[test]
fn every_bad_line_is_told_and_nothing_is_asked() {
    let index = world().serve();
    let bad = "demo==1.0\n--no-such-option\ndemo=>1\n";
    assert_fails(&index, bad, 2, &["requirements.txt:2", "--no-such-option", "requirements.txt:3", "demo=>1", "^"]);
    assert!(index.requests().is_empty());
}

#[test]
fn what_cannot_be_fetched_is_told_together_with_bad_lines() {
    let lines = "demo==1.0\n-e hg+https://files.example/kit#egg=kit\ngit+https://files.example/b.git@-x#egg=b\n--odd\n";
    let words = ["requirements.txt:2", "repositories of hg", "requirements.txt:3", "`-x`", "requirements.txt:4"];
    assert_fails(&world().serve(), lines, 2, &words);
}

/// pip drops it by its marker, and so do we.
#[test]
fn what_no_target_wants_need_not_be_fetchable() {
    let sandbox = Sandbox::new();
    let line = "demo==1.0\nkit @ git+https://files.example/kit.git ; sys_platform == 'win32'\n";
    sandbox.write("requirements.txt", line);
    sandbox.prefetch_from(&world().serve(), ["-r", "requirements.txt"]).args(TARGET).assert().code(0);
}

/// pip warns of it, and goes on where the marker is false.
#[test]
fn a_missing_file_that_no_target_wants_is_a_warning() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "demo==1.0\n./win-1-py3-none-any.whl ; sys_platform == 'win32'\n");
    let index = world().serve();
    let output = sandbox.prefetch_from(&index, ["-r", "requirements.txt"]).args(TARGET).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("there is no such file"), "{told}");
    for line in ["./win-1-py3-none-any.whl ; sys_platform == 'linux'\n", "./win-1-py3-none-any.whl\n"] {
        sandbox.write("requirements.txt", line);
        let output = sandbox.prefetch_from(&index, ["-r", "requirements.txt"]).args(TARGET).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains("win-1-py3-none-any.whl"), "{told}");
    }
}

#[test]
fn a_url_without_a_host_is_no_url() {
    let sandbox = Sandbox::new();
    assert_refused(&sandbox, &["demo @ https:///a.zip"], 2, &["https:///a.zip", "empty host"]);
}

#[test]
fn parse_says_itself_that_it_asks_no_server() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "-r https://index.example/r.txt\n");
    let output = sandbox.prefetch(["parse", "requirements.txt"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("asks no server") && !told.contains("--offline"), "{told}");
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
fn an_index_that_keeps_another_from_being_asked_is_named_with_it() {
    let app = Wheel::new("app", "1.0").requires("demo>=2");
    let (extra, main) =
        (Index::new().wheel("demo", "1.0").with(app).serve(), Index::new().wheel("demo", "2.0").serve());
    for requirement in ["demo>=2", "app"] {
        let sandbox = Sandbox::new();
        let arguments = [requirement, "--extra-index-url", &extra.url()];
        let output = sandbox.prefetch_from(&main, arguments).args(TARGET).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{told}");
        for word in [&*extra.url(), &main.url(), "was not asked", "--index-strategy best-match"] {
            assert!(told.contains(word), "`{word}` is not in:\n{told}");
        }
        sandbox.prefetch_from(&main, arguments).args(TARGET).args(["--index-strategy", "best-match"]).assert().code(0);
    }
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
/// Nothing is broken: the lock file was made for another machine.
#[test]
fn a_hash_of_another_platforms_wheel_is_no_mismatch() {
    let wheel = |tags: &str, bytes: usize| Wheel::new("demo", "1.0").tags(tags).padding(bytes);
    let index = Index::new()
        .with(wheel("cp312-cp312-win_amd64", 1))
        .with(wheel("cp312-cp312-manylinux_2_17_x86_64", 2))
        .serve();
    let windows = index.sha256("demo-1.0-cp312-cp312-win_amd64.whl");
    let linux = index.sha256("demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl");
    let told = "the hash asked for is of demo-1.0-cp312-cp312-win_amd64.whl, which is for win_amd64 only";
    assert_fails(&index, &format!("demo==1.0 --hash=sha256:{windows}\n"), 3, &[&linux, &windows, told]);
}

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
    let expected = index.sha256("demo-1.0-py3-none-any.whl");
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
fn an_index_that_says_nothing_is_given_up() {
    let index = world().failing("/simple/", Fault::HangAfter(0)).serve();
    let sandbox = Sandbox::new();
    let arguments = ["demo==1.0", "--retries", "0", "--timeout", "0.3"];
    let output = sandbox.prefetch_from(&index, arguments).args(TARGET).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.contains("/simple/demo/") && told.contains("--timeout"), "{told}");
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

const NEWER: &[u8] = b"bytes that must not be taken";

/// Runs for `demo`, whose page has 1.0 and 1.1 and then `file`, which claims to be newer.
fn run_with(file: Published, format: PageFormat) -> (Option<i32>, Sandbox) {
    let (index, sandbox) = (world().with(file).pages(format).serve(), Sandbox::new());
    let output = sandbox.prefetch_from(&index, ["demo"]).args(TARGET).output().unwrap();
    (output.status.code(), sandbox)
}

#[test]
fn a_hostile_link_stays_inside() {
    for href in
        ["../../../../demo-9.0-py3-none-any.whl/../../x.whl", "/etc/demo-9.0.tar.gz%00", "..%2f..%2fdemo-9.0.zip"]
    {
        for format in [PageFormat::Html, PageFormat::Json] {
            let file = Published::phantom("demo", "demo-9.0.zip").linked_as(href);
            let (index, sandbox) = (world().with(file).pages(format).serve(), Sandbox::new());
            sandbox.prefetch_from(&index, ["demo==1.0"]).args(TARGET).assert().code(0);
            assert_eq!(sandbox.files("."), ["wheelhouse/demo-1.0-py3-none-any.whl"]);
        }
    }
}

#[test]
fn a_hostile_name_is_no_distribution() {
    for name in [
        "../../demo-9.0-py3-none-any.whl",
        "/tmp/demo-9.0-py3-none-any.whl",
        "demo-9.0\0-py3-none-any.whl",
        "..",
        "x\\..\\demo-9.0.zip",
    ] {
        let file = Published::new("demo", name, NEWER);
        let (code, sandbox) = run_with(file, PageFormat::Json);
        assert_eq!(code, Some(0), "{name:?}");
        assert_eq!(sandbox.files("."), ["wheelhouse/demo-1.1-py3-none-any.whl"], "{name:?}");
    }
}

#[test]
fn a_name_of_300_characters_is_no_distribution() {
    let name = format!("demo-9.0+{}-py3-none-any.whl", "a".repeat(300));
    for format in [PageFormat::Html, PageFormat::Json] {
        let (code, sandbox) = run_with(Published::new("demo", &name, NEWER), format);
        assert_eq!(code, Some(0));
        assert_eq!(sandbox.files("."), ["wheelhouse/demo-1.1-py3-none-any.whl"]);
    }
}

#[test]
fn no_index_is_an_error_that_names_the_ways_to_give_one() {
    let output = Sandbox::new().without_python().prefetch(["demo==1.0"]).args(TARGET).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("--index-url") && told.contains("PREFETCH_INDEX_URL"), "{told}");
}

/// What was garbled on the wire once must not be remembered against the file.
#[test]
fn a_garbled_answer_is_not_remembered() {
    let (index, sandbox) = (world().without_sidecars().serve(), Sandbox::new());
    let wrong = vec![b'x'; index.bytes("demo-1.0-py3-none-any.whl").len()];
    index.fail(".whl", Fault::Bytes(wrong));
    sandbox.prefetch_from(&index, ["demo==1.0"]).args(TARGET).assert().code(5);
    index.heal();
    sandbox.prefetch_from(&index, ["demo==1.0"]).args(TARGET).assert().code(0);
}
