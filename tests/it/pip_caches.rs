//! pip finds in its own cache what prefetch put there, and asks nobody. `tests/judges/pip_caches`
//! asks sixteen more pips.

use std::fs;
use std::path::Path;

use prefetch::cache_folder::CacheBucket;

use crate::support::{Fault, Index, Sandbox, Sdist, ServedIndex, Wheel, files_below, judges};

const REQUIREMENTS: [&str; 3] = ["other", "plus", "kit"];
const INSTALLED: [&str; 4] = ["demo-1.0", "kit-3.0", "other-2.0", "plus-1.0+cpu"];

fn world() -> ServedIndex {
    let index = Index::new().wheel("demo", "1.0").with(Wheel::new("other", "2.0").requires("demo>=1"));
    index.wheel("plus", "1.0+cpu").with(Sdist::new("kit", "3.0").pyproject()).encrypted().serve()
}

fn fill(sandbox: &Sandbox, index: &ServedIndex, layout: &str) {
    let arguments = ["--layout", layout, "--dest", "cache"].into_iter().chain(REQUIREMENTS);
    sandbox.prefetch_from(index, arguments).assert().success();
    index.forget_requests();
}

#[test]
fn the_newest_pip_asks_nobody() {
    let (index, sandbox) = (world(), Sandbox::new());
    fill(&sandbox, &index, "pip-http-v2");
    index.fail("/", Fault::Status(500));
    judges().pip().install_with_cache(&index, &sandbox.path("cache"), REQUIREMENTS).assert_installed(INSTALLED);
    assert!(index.requests().is_empty(), "{:?}", index.paths());
}

#[test]
fn pip_23_2_1_asks_for_pages_only() {
    let (index, sandbox) = (world(), Sandbox::new());
    fill(&sandbox, &index, "pip-http");
    index.fail("/files/", Fault::Status(500));
    let verdict = judges().pip_23_2_1().install_with_cache(&index, &sandbox.path("cache"), REQUIREMENTS);
    verdict.assert_installed(INSTALLED);
    assert_eq!(index.count("/files/"), 0, "{:?}", index.paths());
}

/// A URL in a requirement is not cleaned, so its `+` stays one.
#[test]
fn direct_urls_are_found_too() {
    let (index, sandbox) = (world(), Sandbox::new());
    fill(&sandbox, &index, "pip-http-v2");
    index.fail("/", Fault::Status(500));
    let requirement = format!("plus @ {}", index.file_url("plus-1.0+cpu-py3-none-any.whl"));
    let verdict = judges().pip().install_with_cache(&index, &sandbox.path("cache"), [requirement]);
    verdict.assert_installed(["plus-1.0+cpu"]);
}

/// Over entries that pip itself wrote, and over its own: nothing is worse than before.
#[test]
fn a_cache_in_use_can_be_filled_again_and_again() {
    let (index, sandbox) = (world(), Sandbox::new());
    let cache = sandbox.path("cache");
    judges().pip().install_with_cache(&index, &cache, REQUIREMENTS).assert_installed(INSTALLED);
    let written_by_pip = sandbox.files("cache");
    assert!(!written_by_pip.is_empty());
    fill(&sandbox, &index, "pip-http-v2");
    let times = |files: &[String]| files.iter().map(|file| modified(&cache.join(file))).collect::<Vec<_>>();
    let files = sandbox.files("cache");
    assert!(written_by_pip.iter().all(|file| files.contains(file)), "foreign entries stay");
    let before = times(&files);
    fill(&sandbox, &index, "pip-http-v2");
    assert_eq!((times(&files), sandbox.files("cache")), (before, files));
    index.fail("/", Fault::Status(500));
    judges().pip().install_with_cache(&index, &cache, REQUIREMENTS).assert_installed(INSTALLED);
}

fn modified(path: &Path) -> std::time::SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

/// Whoever writes through a name in the cache does not reach the store.
#[test]
fn a_body_is_no_link_into_the_store() {
    let (index, sandbox) = (world(), Sandbox::new());
    for layout in ["pip-http", "pip-http-v2"] {
        fill(&sandbox, &index, layout);
    }
    for file in sandbox.files("cache") {
        let path = sandbox.path("cache").join(file);
        let mut bytes = fs::read(&path).unwrap();
        bytes.push(0);
        // In place, as a careless consumer would.
        fs::write(&path, bytes).unwrap();
    }
    sandbox.prefetch(["--offline", "--no-index", "--find-links", "cache", "--dry-run", "demo"]).assert().code(3);
    let store = sandbox.cache_folder(CacheBucket::Objects);
    for object in files_below(&store) {
        let digest = prefetch::domain::Sha256::of(&fs::read(store.join(&object)).unwrap()).to_string();
        assert_eq!(object.replace('/', ""), digest);
    }
}

fn pip_cache(sandbox: &Sandbox) -> std::path::PathBuf {
    sandbox.path("../home/.cache/pip")
}

#[test]
fn the_interpreters_own_pip_is_warmed() {
    let (index, sandbox) = (world(), Sandbox::new());
    let arguments = ["--warm-pip"].into_iter().chain(REQUIREMENTS);
    let output = sandbox.prefetch_from(&index, arguments).assert().success().get_output().clone();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains(".cache/pip, the cache of pip 26."), "{told}");
    assert!(sandbox.files("wheelhouse").is_empty());
    index.forget_requests();
    index.fail("/", Fault::Status(500));
    let verdict = judges().pip().install_with_cache(&index, &pip_cache(&sandbox), REQUIREMENTS);
    verdict.assert_installed(INSTALLED);
    assert!(index.requests().is_empty(), "{:?}", index.paths());
}

/// The pages in a warmed cache are whole, and go stale as the index says.
#[test]
fn a_warmed_pip_sees_every_release() {
    let index = Index::new().wheel("demo", "0.9").wheel("demo", "1.0").encrypted().serve();
    let sandbox = Sandbox::new();
    sandbox.prefetch_from(&index, ["--warm-pip", "demo"]).assert().success();
    index.forget_requests();
    let verdict = judges().pip().install_with_cache(&index, &pip_cache(&sandbox), ["demo==0.9"]);
    verdict.assert_installed(["demo-0.9"]);
    assert_eq!(index.count("/simple/"), 0, "{:?}", index.paths());
}

#[test]
fn the_cache_folder_is_the_one_that_pip_would_use() {
    let (index, sandbox) = (world(), Sandbox::new());
    let own = sandbox.path("own");
    sandbox.prefetch_from(&index, ["--warm-pip", "demo"]).env("PIP_CACHE_DIR", &own).assert().success();
    assert!(own.join("http-v2").is_dir() && !pip_cache(&sandbox).exists());
}

/// pip would not use it (`docs/facts/pip.md` 4.4), so that is said before anything is fetched.
#[cfg(unix)]
#[test]
fn a_cache_of_somebody_else_is_refused() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

    let (index, sandbox) = (world(), Sandbox::new());
    let cache = pip_cache(&sandbox);
    fs::create_dir_all(&cache).unwrap();
    if fs::metadata(&cache).unwrap().uid() == 0 {
        chown(&cache, Some(12345), None).unwrap();
    } else {
        fs::set_permissions(&cache, fs::Permissions::from_mode(0o555)).unwrap();
    }
    let output = sandbox.prefetch_from(&index, ["--warm-pip", "demo"]).assert().code(6).get_output().clone();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("belongs to user") && told.contains("PIP_CACHE_DIR"), "{told}");
    assert!(index.requests().is_empty() && files_below(&cache).is_empty());
}
