//! `prefetch cache import`: what comes into the cache from elsewhere on the machine, and what does not.

use std::fs;

use prefetch::domain::Algorithm;
use serde_json::Value;

use crate::caching::{WHEEL, cache, fetch, names, world};
use crate::support::{Index, Sandbox, Sdist, ServedIndex, judges};

/// After an import a run asks for no file, whatever digest the index gives.
fn assert_nothing_is_fetched(sandbox: &Sandbox, index: &ServedIndex) {
    index.forget_requests();
    fetch(sandbox, index, &["--no-deps", "demo", "kit"]);
    assert!(index.requests_for_files().is_empty(), "{:?}", index.paths());
}

#[test]
fn folders_and_caches_of_every_kind_are_taken_in() {
    for digest in [Algorithm::Sha256, Algorithm::Md5, Algorithm::Sha512] {
        let index = Index::new().wheel("demo", "1.0").sdist("kit", "3.0").digests(&[digest]).serve();
        for layout in ["find-links", "simple", "download-cache", "pip-http", "pip-http-v2"] {
            let (elsewhere, here) = (Sandbox::new(), Sandbox::new());
            fetch(&elsewhere, &index, &["--layout", layout, "--dest", "old", "demo", "kit"]);
            let old = elsewhere.path("old").display().to_string();
            let imported = cache(&here, &["import", &old], 0);
            assert_eq!(names(&imported["files"]), [WHEEL, "kit-3.0.tar.gz"], "{layout}");
            assert!(
                imported["files"].as_array().unwrap().iter().all(|file| file["status"] == "imported"),
                "{imported}"
            );
            assert_eq!(names(&cache(&here, &["list"], 0)["files"]), [WHEEL, "kit-3.0.tar.gz"]);
            assert_nothing_is_fetched(&here, &index);
            let again = cache(&here, &["import", &old], 0);
            assert!(again["files"].as_array().unwrap().iter().all(|file| file["status"] == "held"), "{again}");
        }
    }
}

/// `kit-1.0-2` may be `kit-1.0` 2 or `kit` 1.0.post2.
#[test]
fn an_archive_says_itself_how_its_name_is_read() {
    let sandbox = Sandbox::new();
    sandbox.write("old/kit-1.0-2.tar.gz", Sdist::new("kit", "1.0.post2").bytes());
    assert_eq!(cache(&sandbox, &["import", "old"], 0)["files"][0]["status"], "imported");
    let held = &cache(&sandbox, &["list"], 0)["files"][0];
    assert_eq!((held["name"].as_str(), held["version"].as_str()), (Some("kit"), Some("1.0.post2")), "{held}");
}

#[test]
fn what_pip_itself_cached_is_taken_in() {
    let index = Index::new().wheel("demo", "1.0").sdist("kit", "3.0").encrypted().serve();
    for (pip, folder) in [(judges().pip(), "http-v2"), (judges().pip_23_2_1(), "http")] {
        let sandbox = Sandbox::new();
        let old = sandbox.path("pip");
        assert!(pip.install_with_cache(&index, &old, ["demo", "kit"]).succeeded);
        assert!(old.join(folder).is_dir());
        let old = old.display().to_string();
        let imported = cache(&sandbox, &["import", &format!("{old}/{folder}")], 0);
        assert_eq!(names(&imported["files"]), [WHEEL, "kit-3.0.tar.gz"]);
        assert_nothing_is_fetched(&sandbox, &index);
    }
}

/// pip-accel keeps `sources/`, buildout `dist/`: flat folders, the first with symbolic links.
#[cfg(unix)]
#[test]
fn links_to_files_are_followed() {
    let (index, sandbox) = (world(), Sandbox::new());
    let file = sandbox.write("elsewhere/blob", index.bytes("kit-3.0.tar.gz"));
    fs::create_dir_all(sandbox.path("accel/sources")).unwrap();
    std::os::unix::fs::symlink(file, sandbox.path("accel/sources/kit-3.0.tar.gz")).unwrap();
    std::os::unix::fs::symlink("gone", sandbox.path("accel/sources/gone-1.0.tar.gz")).unwrap();
    let imported = cache(&sandbox, &["import", "accel"], 0);
    assert_eq!(
        (&imported["files"][0]["status"], &imported["files"][1]["status"]),
        (&"skipped".into(), &"imported".into())
    );
}

#[test]
fn what_is_damaged_or_lies_is_skipped_and_named() {
    let (index, sandbox) = (world(), Sandbox::new());
    let half = |filename: &str| index.bytes(filename)[..index.bytes(filename).len() / 2].to_vec();
    let flipped = {
        let mut bytes = index.bytes("kit-3.0.tar.gz");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        bytes
    };
    sandbox.write(&format!("old/half/{WHEEL}"), half(WHEEL));
    sandbox.write("old/kit-3.0.tar.gz", flipped);
    sandbox.write("old/other-9.9-py3-none-any.whl", index.bytes("other-2.0-py3-none-any.whl"));
    sandbox.write("old/stranger-1.0-py3-none-any.whl", index.bytes(WHEEL));
    sandbox.write("old/http%3A%2F%2Ff.example%2Fdemo-1.0.zip", "no zip");
    sandbox.write(&format!("old/http/{}", "a".repeat(56)), "cc=4,\u{81}");
    sandbox.write("old/notes.txt", "not looked at");
    sandbox.write(&format!("old/{WHEEL}"), index.bytes(WHEEL));
    let output = sandbox.prefetch(["cache", "import", "old", "--json"]).assert().success().get_output().clone();
    let imported: Value = serde_json::from_slice(&output.stdout).unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let skipped = imported["files"].as_array().unwrap().iter().filter(|file| file["status"] == "skipped");
    assert_eq!(skipped.count(), 6, "{told}");
    for name in [&format!("half/{WHEEL}"), "kit-3.0.tar.gz", "other-9.9", "stranger-1.0", "demo-1.0.zip", "aaaa"] {
        assert!(told.contains(name), "{name}: {told}");
    }
    assert_eq!(names(&cache(&sandbox, &["list"], 0)["files"]), [WHEEL]);
}
