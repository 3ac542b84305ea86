//! The judges themselves: they take what the test index publishes, and notice what is wrong with it.

use prefetch::domain::Algorithm;

use crate::support::{Index, PlainServer, Published, Sandbox, Sdist, ServedIndex, Source, Wheel, judges};

const WHEEL: &str = "demo-1.0-py3-none-any.whl";

/// A folder with the files of `index`, as a sandbox' `wheelhouse`.
fn wheelhouse(sandbox: &Sandbox, index: &ServedIndex, filenames: &[&str]) -> String {
    for filename in filenames {
        sandbox.write(&format!("wheelhouse/{filename}"), index.bytes(filename));
    }
    sandbox.path("wheelhouse").display().to_string()
}

fn world() -> ServedIndex {
    let other = Wheel::new("other", "2.0").requires("demo>=1").extra("none").requires("absent; extra == 'none'");
    Index::new().sdist("demo", "0.9").wheel("demo", "1.0").with(other).serve()
}

#[test]
fn pip_and_uv_install_from_the_test_index() {
    let index = world();
    judges().pip().install(Source::Index(&index.url()), ["other"]).assert_installed(["demo-1.0", "other-2.0"]);
    judges().pip_23_2_1().install(Source::Index(&index.url()), ["other"]).assert_installed(["demo-1.0", "other-2.0"]);
    judges().uv().install(Source::Index(&index.url()), ["other"]).assert_installed(["demo-1.0", "other-2.0"]);
}

#[test]
fn pip_and_uv_install_from_a_folder() {
    let (index, sandbox) = (world(), Sandbox::new());
    let folder = wheelhouse(&sandbox, &index, &[WHEEL, "other-2.0-py3-none-any.whl"]);
    judges().pip().install(Source::Links(&folder), ["other"]).assert_installed(["demo-1.0", "other-2.0"]);
    judges().uv().install(Source::Links(&folder), ["other"]).assert_installed(["demo-1.0", "other-2.0"]);
    assert!(!judges().pip().install(Source::Links(&folder), ["demo<1"]).succeeded);
}

#[test]
fn pip_builds_every_kind_of_source_archive() {
    let extensions = [".tar.gz", ".tgz", ".tar.bz2", ".tar", ".zip"];
    let index = extensions.iter().enumerate().fold(Index::new(), |index, (major, extension)| {
        index
            .with(Sdist::new("demo.kit", &format!("{major}.0")).extension(extension).pyproject().requires_python(">=3"))
    });
    let index = index.serve();
    for (major, extension) in extensions.iter().enumerate() {
        let requirement = format!("demo-kit=={major}.0");
        let chosen = judges().pip().choose(Source::Index(&index.url()), [&requirement]);
        assert_eq!(chosen, Ok(vec![format!("demo_kit-{major}.0{extension}")]));
    }
}

#[test]
fn pip_and_uv_build_and_follow_a_source_archive() {
    let index = Index::new().wheel("demo", "1.0").with(Sdist::new("other.kit", "2.0").requires("demo")).serve();
    judges().pip().install(Source::Index(&index.url()), ["other-kit"]).assert_installed(["demo-1.0", "other_kit-2.0"]);
    judges().uv().install(Source::Index(&index.url()), ["other-kit"]).assert_installed(["demo-1.0", "other_kit-2.0"]);
}

#[test]
fn pip_rejects_a_wrong_digest() {
    let lie = Published::from(Wheel::new("demo", "1.0")).claiming_digest(Algorithm::Sha256, &"0".repeat(64));
    let index = Index::new().with(lie).without_sidecars().serve();
    let verdict = judges().pip().install(Source::Index(&index.url()), ["demo"]);
    assert!(!verdict.succeeded && verdict.output.contains("DO NOT MATCH"), "{}", verdict.output);
}

#[test]
fn pip_rejects_metadata_of_another_project() {
    let index = Index::new().with(Wheel::new("demo", "1.0").claiming("other", "1.0")).serve();
    let verdict = judges().pip().install(Source::Index(&index.url()), ["demo"]);
    assert!(!verdict.succeeded && verdict.output.contains("inconsistent"), "{}", verdict.output);
}

#[test]
fn pip_installs_a_whole_index_from_a_plain_web_server() {
    let (index, sandbox) = (world(), Sandbox::new());
    wheelhouse(&sandbox, &index, &[WHEEL]);
    sandbox.write("simple/demo/index.html", format!("<a href=\"../../wheelhouse/{WHEEL}\">{WHEEL}</a>"));
    let server = PlainServer::over(&sandbox.path(""));
    let verdict = judges().pip().install(Source::Index(&format!("{}simple/", server.url())), ["demo"]);
    verdict.assert_installed(["demo-1.0"]);
}

#[test]
fn judges_reach_no_network() {
    let url = format!("demo @ http://index.example/{WHEEL}");
    let verdict = judges().pip().install(Source::Links("."), [url]);
    assert!(!verdict.succeeded && verdict.output.contains("proxy"), "{}", verdict.output);
}

#[test]
fn python_judges_can_import_packaging() {
    let script = "import sys, packaging.version; print(packaging.version.Version(sys.stdin.read()))";
    assert_eq!(judges().run_python(script, "1.0-1"), "1.0.post1\n");
}

/// By hand, the entry that `docs/facts/legacy-pip.md` 2 describes; then the same without its mark.
#[test]
fn old_pip_takes_what_is_in_its_cache_and_nothing_else() {
    let Some(old_pip) = judges().old_pip() else { return };
    let (index, sandbox) = (Index::new().sdist("demo", "1.0").digests(&[Algorithm::Md5]).serve(), Sandbox::new());
    let url = index.file_url("demo-1.0.tar.gz");
    let key = url.replace(':', "%3A").replace('/', "%2F");
    sandbox.write(&format!("cache/{key}"), index.bytes("demo-1.0.tar.gz"));
    let cache = sandbox.path("cache");
    let install = || old_pip.install(Some(&cache), Source::Index(&index.url()), &["demo==1.0"]);
    assert!(!install().is_offline, "a hit needs its content type");
    sandbox.write(&format!("cache/{key}.content-type"), "application/x-tar");
    let verdict = install();
    assert!(verdict.is_offline, "{:#}", verdict.report);
    assert_eq!(verdict.report["hits"], serde_json::json!([key]));
    assert!(index.requests_for_files().is_empty());
}
