//! Every layout is read by the installers it is made for, with no other source of files.

use prefetch::domain::Algorithm;

use crate::support::{Index, PlainServer, Sandbox, Sdist, ServedIndex, Source, Wheel, judges};

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

fn world() -> ServedIndex {
    let other = Wheel::new("other", "2.0").requires("demo>=1").requires_python(">=3.8");
    Index::new().wheel("demo", "1.0").with(other).sdist("kit", "3.0").serve()
}

/// A sandbox where the world's three projects lie in `out`, laid out as `layout`.
fn laid_out(index: &ServedIndex, layout: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "demo==1.0\nother==2.0\nkit==3.0\n");
    let arguments = ["-r", "requirements.txt", "--layout", layout, "-d", "out"];
    sandbox.prefetch_from(index, arguments).args(TARGET).assert().code(0);
    sandbox
}

fn path(sandbox: &Sandbox, relative: &str) -> String {
    sandbox.path(relative).display().to_string()
}

#[test]
fn a_folder_serves_pip_and_uv() {
    let sandbox = laid_out(&world(), "find-links");
    let folder = path(&sandbox, "out");
    let (source, all) = (Source::Links(&folder), ["demo-1.0", "kit-3.0", "other-2.0"]);
    judges().pip().install(source, ["other", "kit"]).assert_installed(all);
    judges().pip_23_2_1().install(source, ["other", "kit"]).assert_installed(all);
    judges().uv().install(source, ["other", "kit"]).assert_installed(all);
}

#[test]
fn an_index_serves_pip_from_disk_and_from_a_plain_web_server() {
    let sandbox = laid_out(&world(), "simple");
    let all = ["demo-1.0", "kit-3.0", "other-2.0"];
    let local = format!("file://{}", path(&sandbox, "out"));
    judges().pip().install(Source::Index(&local), ["other", "kit"]).assert_installed(all);
    judges().pip_23_2_1().install(Source::Index(&local), ["other", "kit"]).assert_installed(all);
    let server = PlainServer::over(&sandbox.path("out"));
    judges().pip().install(Source::Index(&server.url()), ["other", "kit"]).assert_installed(all);
    judges().uv().install(Source::Index(&server.url()), ["other", "kit"]).assert_installed(all);
}

/// pip 24 and later overlook these names in a folder (`docs/facts/pip.md` 3.6).
#[test]
fn archives_that_new_pips_overlook_still_install() {
    let archive = |name: &str, extension| Sdist::new(name, "1.0").extension(extension);
    let index =
        Index::new().with(archive("one", ".tar.bz2")).with(archive("two", ".tgz")).with(archive("three", ".tar"));
    let (index, sandbox) = (index.serve(), Sandbox::new());
    let arguments = ["one==1.0", "two==1.0", "three==1.0", "--no-deps"];
    sandbox.prefetch_from(&index, arguments).args(TARGET).assert().code(0);
    let (folder, all) = (path(&sandbox, "wheelhouse"), ["one-1.0", "three-1.0", "two-1.0"]);
    judges().pip().install(Source::Links(&folder), ["one", "two", "three"]).assert_installed(all);
    judges().pip_23_2_1().install(Source::Links(&folder), ["one", "two", "three"]).assert_installed(all);
    let page = format!("file://{}", path(&sandbox, "wheelhouse/links.html"));
    if let Some(old_pip) = judges().old_pip() {
        let verdict = old_pip.install(None, Source::Links(&page), &["one==1.0", "two==1.0", "three==1.0"]);
        assert!(verdict.is_offline, "{:#}", verdict.report);
    }
}

/// pip up to 9 misreads the new name of a dotted project (`docs/facts/legacy-pip.md` 3).
#[test]
fn a_dotted_project_installs_with_every_pip() {
    let index = Index::new().sdist("zope.demo", "5.0").digests(&[Algorithm::Md5]).serve();
    let sandbox = Sandbox::new();
    sandbox.prefetch_from(&index, ["zope.demo==5.0"]).args(TARGET).assert().code(0);
    let (folder, page) = (path(&sandbox, "wheelhouse"), path(&sandbox, "wheelhouse/links.html"));
    judges().pip().install(Source::Links(&folder), ["zope.demo"]).assert_installed(["zope_demo-5.0"]);
    judges().pip_23_2_1().install(Source::Links(&folder), ["zope.demo"]).assert_installed(["zope.demo-5.0"]);
    if let Some(old_pip) = judges().old_pip() {
        let verdict = old_pip.install(None, Source::Links(&format!("file://{page}")), &["zope.demo==5.0"]);
        assert!(verdict.is_offline, "{:#}", verdict.report);
    }
}

/// With the index that it was made from, as its users have it, and with nothing but its page.
#[test]
fn a_download_cache_serves_old_pip_with_and_without_an_index() {
    let Some(old_pip) = judges().old_pip() else { return };
    let index = Index::new().sdist("demo", "1.0").wheel("demo", "1.0").digests(&[Algorithm::Md5]).serve();
    let sandbox = Sandbox::new();
    let arguments = ["demo==1.0", "--layout", "download-cache", "-d", "cache", "--no-binary", ":all:"];
    sandbox.prefetch_from(&index, arguments).args(TARGET).assert().code(0);
    let (cache, links) = (sandbox.path("cache"), format!("file://{}", path(&sandbox, "cache/links.html")));
    index.forget_requests();
    let offline = old_pip.install(Some(&cache), Source::Links(&links), &["demo==1.0"]);
    assert!(offline.is_offline, "{:#}", offline.report);
    assert!(index.requests().is_empty());
    let online = old_pip.install(Some(&cache), Source::Index(&index.url()), &["demo==1.0"]);
    assert!(online.is_offline, "{:#}", online.report);
    assert!(index.requests_for_files().is_empty(), "{:?}", index.paths());
}

/// What users did in 2010 and 2011 with the pips of their day (`docs/facts/legacy-pip.md` 5).
#[test]
fn the_first_download_caches_of_history_are_filled_again() {
    for (pip, name, version, extension) in
        [("0.7.2", "mock", "0.7.0b2", ".zip"), ("1.0.2", "pymongo", "2.1.1", ".tar.gz")]
    {
        let Some(old_pip) = judges().pip_of_old(pip) else { continue };
        let index =
            Index::new().with(Sdist::new(name, version).extension(extension)).digests(&[Algorithm::Md5]).serve();
        let (sandbox, requirement) = (Sandbox::new(), format!("{name}=={version}"));
        let arguments = [&requirement, "--layout", "download-cache", "-d", "cache"];
        sandbox.prefetch_from(&index, arguments).args(TARGET).assert().code(0);
        index.forget_requests();
        let verdict = old_pip.install(Some(&sandbox.path("cache")), Source::Index(&index.url()), &[&requirement]);
        assert!(verdict.is_offline && index.requests_for_files().is_empty(), "{:#}", verdict.report);
    }
}

/// pip 1.4 takes the one or the other, as it is told.
#[test]
fn sources_come_beside_wheels_when_asked_for() {
    let index = Index::new().sdist("demo", "1.0").wheel("demo", "1.0").wheel("demo", "0.9").sdist("demo", "1.1.dev1");
    let (index, sandbox) = (index.wheel("bare", "1.0").serve(), Sandbox::new());
    let output = sandbox.prefetch_from(&index, ["demo", "bare", "--with-sources"]).args(TARGET).assert().code(0);
    let files = ["bare-1.0-py3-none-any.whl", "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"];
    assert_eq!(sandbox.files("wheelhouse"), files);
    let told = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(told.contains("no source archive stands beside `bare-1.0-py3-none-any.whl`"), "{told}");
    let wheels_only = ["demo", "--with-sources", "--only-binary", ":all:", "-d", "wheels"];
    sandbox.prefetch_from(&index, wheels_only).args(TARGET).assert().code(0);
    assert_eq!(sandbox.files("wheels"), [files[1]]);
}

#[test]
fn several_layouts_lie_side_by_side() {
    let (index, sandbox) = (world(), Sandbox::new());
    let arguments = ["demo==1.0", "--layout", "simple", "--layout", "find-links", "-d", "out"];
    sandbox.prefetch_from(&index, arguments).args(TARGET).assert().code(0);
    let (folder, local) = (path(&sandbox, "out/find-links"), format!("file://{}", path(&sandbox, "out/simple")));
    judges().pip().install(Source::Links(&folder), ["demo"]).assert_installed(["demo-1.0"]);
    judges().pip().install(Source::Index(&local), ["demo"]).assert_installed(["demo-1.0"]);
}
