//! Pages that promise nothing, promise something wrong beside a right digest, or list what is no file.

use prefetch::domain::Algorithm;

use super::*;

fn fetch_demo(index: &ServedIndex, sandbox: &Sandbox) -> Outcome {
    let arguments = ["--python-version", "3.12", "--platform", "linux-x86_64", "--no-deps", "demo"];
    let output = sandbox.prefetch_from(index, arguments).output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    Outcome { code: output.status.code(), told: String::from_utf8_lossy(&told).into_owned() }
}

/// A page whose newest file nobody could fetch as it is listed.
fn fetch_newest(listed: Published, format: PageFormat, sandbox: &Sandbox) -> (Outcome, ServedIndex) {
    let index = Index::new().pages(format).wheel("demo", "1.0").with(listed).serve();
    let outcome = fetch_demo(&index, sandbox);
    (outcome, index)
}

#[test]
fn a_digest_without_hex_promises_nothing() {
    for format in [PageFormat::Json, PageFormat::Html] {
        let (sandbox, wheel) = (sandbox(), Wheel::new("demo", "2.0"));
        let (outcome, _) =
            fetch_newest(Published::from(wheel).claiming_digest(Algorithm::Sha256, ""), format, &sandbox);
        outcome.is(0, &[]);
        assert_eq!(sandbox.files("wheelhouse"), ["demo-2.0-py3-none-any.whl"]);
    }
}

/// As for pip, which heeds no size.
#[test]
fn a_wrong_size_beside_a_right_digest_refuses_nothing() {
    for size in [7, 70_000] {
        let (sandbox, wheel) = (sandbox(), Wheel::new("demo", "2.0"));
        let (outcome, index) = fetch_newest(Published::from(wheel).claiming_size(size), PageFormat::Json, &sandbox);
        outcome.is(0, &[]);
        assert_eq!(sandbox.files("wheelhouse"), ["demo-2.0-py3-none-any.whl"]);
        index.forget_requests();
        fetch_demo(&index, &sandbox).is(0, &[]);
        assert!(index.requests_for_files().is_empty(), "what is held is not fetched again");
    }
}

#[test]
fn links_of_other_schemes_are_no_candidates() {
    for link in
        ["git+https://files.example/demo-2.0.tar.gz", "ftp://files.example/demo-2.0.tar.gz", "mailto:demo-2.0.zip"]
    {
        let (sandbox, listed) =
            (sandbox(), Published::new("demo", "demo-2.0.tar.gz", b"bytes".to_vec()).linked_as(link));
        let (outcome, _) = fetch_newest(listed, PageFormat::Json, &sandbox);
        outcome.is(0, &[]);
        assert_eq!(sandbox.files("wheelhouse"), ["demo-1.0-py3-none-any.whl"], "{link}");
    }
}

#[test]
fn a_wheel_whose_name_a_shell_would_run_is_no_candidate() {
    for filename in ["demo-99-1$(touch${IFS}PWNED)-py3-none-any.whl", "demo-99-py3-none-any`id`.whl"] {
        for format in [PageFormat::Json, PageFormat::Html] {
            let sandbox = sandbox();
            let listed = Published::new("demo", filename, Wheel::new("demo", "99").bytes());
            let (outcome, _) = fetch_newest(listed, format, &sandbox);
            outcome.is(0, &[]);
            assert_eq!(sandbox.files("wheelhouse"), ["demo-1.0-py3-none-any.whl"], "{filename}");
        }
    }
}

#[test]
fn a_file_above_the_limit_is_refused_announced_or_not() {
    let file = &format!("/files/{DEMO}");
    for index in [large().serve(), large().failing(file, Fault::Unannounced(LARGE)).serve()] {
        let sandbox = sandbox();
        let outcome = fetch(&index, &sandbox, &["--no-deps", "--max-file-size", "1M"]);
        outcome.is(5, &[DEMO, "more than 1048576 bytes", "--max-file-size"]);
        assert!(!sandbox.path(format!("wheelhouse/{DEMO}")).exists());
        assert!(index.count(file) <= 1, "what cannot help is not retried");
    }
}
