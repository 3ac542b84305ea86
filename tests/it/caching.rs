//! `prefetch cache`: what is there and why, what is damaged, and what goes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use prefetch::cache_folder::CacheBucket;
use serde_json::Value;

use crate::support::{Index, Sandbox, ServedIndex, Wheel, files_below};

pub const WHEEL: &str = "demo-1.0-py3-none-any.whl";

/// No run of these tests takes as long, unless it waits for ever.
const LONGEST: Duration = Duration::from_secs(60);

pub fn world() -> ServedIndex {
    Index::new().wheel("demo", "1.0").with(Wheel::new("other", "2.0").requires("demo")).sdist("kit", "3.0").serve()
}

/// Returns what `prefetch cache ARGUMENTS --json` prints, when it ends with `code`.
pub fn cache(sandbox: &Sandbox, arguments: &[&str], code: i32) -> Value {
    let output = sandbox.prefetch(["cache"].iter().chain(arguments).chain(&["--json"])).assert().code(code);
    serde_json::from_slice(&output.get_output().stdout).unwrap()
}

pub fn fetch(sandbox: &Sandbox, index: &ServedIndex, arguments: &[&str]) {
    sandbox.prefetch_from(index, arguments).timeout(LONGEST).assert().success();
}

pub fn names(files: &Value) -> Vec<&str> {
    let mut names: Vec<_> = files.as_array().unwrap().iter().map(|file| file["filename"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_cache_tells_what_it_holds_and_why() {
    let (index, sandbox) = (world(), Sandbox::new());
    assert_eq!(cache(&sandbox, &["list"], 0)["files"], serde_json::json!([]));
    sandbox.write("requirements.txt", "other\n");
    fetch(&sandbox, &index, &["-r", "requirements.txt"]);
    let listed = cache(&sandbox, &["list"], 0);
    assert_eq!(names(&listed["files"]), [WHEEL, "other-2.0-py3-none-any.whl"]);
    assert_eq!(listed["files"][0]["sha256"], index.sha256(WHEEL));
    assert_eq!(names(&cache(&sandbox, &["list", "Other"], 0)["files"]), ["other-2.0-py3-none-any.whl"]);
    let info = cache(&sandbox, &["info"], 0);
    assert_eq!((&info["objects"], &info["runs"]), (&2.into(), &1.into()));
    assert_eq!(info["bytes"], index.bytes(WHEEL).len() + index.bytes("other-2.0-py3-none-any.whl").len());
    let why = cache(&sandbox, &["why", "demo"], 0);
    let run = &why["runs"][0];
    assert_eq!(run["requested_by"], serde_json::json!(["requirements.txt:1"]));
    assert_eq!(run["folder"].as_str().unwrap(), sandbox.path("").to_string_lossy().trim_end_matches('/'));
    assert_eq!(run["url"], index.file_url(WHEEL));
    sandbox.prefetch(["cache", "why", "absent"]).assert().code(1);
    let printed = sandbox.prefetch(["cache", "dir"]).assert().success().get_output().stdout.clone();
    assert_eq!(String::from_utf8(printed).unwrap().trim(), sandbox.cache().to_string_lossy());
}

#[test]
fn every_folder_of_the_cache_is_counted() {
    let (index, sandbox) = (world(), Sandbox::new());
    fetch(&sandbox, &index, &["other"]);
    let files = files_below(&sandbox.cache());
    let info = cache(&sandbox, &["info"], 0);
    let folders = info["folders"].as_array().unwrap();
    for bucket in CacheBucket::ALL {
        let told = folders.iter().find(|folder| folder["name"] == bucket.name()).unwrap();
        let there = files.iter().filter(|file| file.starts_with(&format!("{}/", bucket.folder_name())));
        assert_eq!((&told["files"], &told["version"]), (&there.count().into(), &bucket.version().into()), "{told}");
    }
    let counted: u64 = folders.iter().map(|folder| folder["files"].as_u64().unwrap()).sum();
    assert_eq!(counted, files.len() as u64, "{files:?}");
}

/// Folders of other versions are not read; those of older ones go with `prune`.
#[test]
fn what_another_version_of_the_program_kept_is_not_read() {
    let (index, sandbox) = (world(), Sandbox::new());
    fetch(&sandbox, &index, &["other"]);
    for bucket in CacheBucket::ALL {
        let folder = sandbox.cache_folder(bucket);
        if folder.exists() {
            fs::rename(&folder, sandbox.cache().join(format!("{}-v0", bucket.name()))).unwrap();
        }
    }
    index.forget_requests();
    fetch(&sandbox, &index, &["other"]);
    assert_eq!(index.requests_for_files().len(), 2);
    cache(&sandbox, &["prune", "--older-than", "1d"], 0);
    let old = files_below(&sandbox.cache()).into_iter().filter(|file| file.contains("-v0/"));
    assert_eq!(old.collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(cache(&sandbox, &["info"], 0)["objects"], 2);
}

#[test]
fn the_same_run_is_remembered_once() {
    let (index, sandbox) = (world(), Sandbox::new());
    for _ in 0..3 {
        fetch(&sandbox, &index, &["demo"]);
    }
    assert_eq!(cache(&sandbox, &["info"], 0)["runs"], 1);
    fetch(&sandbox, &index, &["kit"]);
    assert_eq!(cache(&sandbox, &["info"], 0)["runs"], 2);
}

fn object(sandbox: &Sandbox, index: &ServedIndex, filename: &str) -> std::path::PathBuf {
    let digest = index.sha256(filename);
    sandbox.cache_folder(CacheBucket::Objects).join(&digest[..2]).join(&digest[2..])
}

#[test]
fn damage_is_found_named_removed_and_healed_by_the_next_run() {
    let (index, sandbox) = (world(), Sandbox::new());
    fetch(&sandbox, &index, &["other", "kit"]);
    assert_eq!(cache(&sandbox, &["verify"], 0)["damaged"], serde_json::json!([]));
    let object = object(&sandbox, &index, WHEEL);
    let mut bytes = index.bytes(WHEEL);
    bytes[7] ^= 1;
    fs::remove_file(&object).unwrap();
    fs::write(&object, bytes).unwrap();
    let output = sandbox.prefetch(["cache", "verify"]).assert().code(1).get_output().clone();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains(WHEEL) && told.contains(&index.sha256(WHEEL)) && told.contains("1 of 3"), "{told}");
    assert!(!object.exists());
    assert_eq!(cache(&sandbox, &["verify"], 0)["objects"], 2);
    fetch(&sandbox, &index, &["other"]);
    assert_eq!(sandbox.read(&format!("wheelhouse/{WHEEL}")), index.bytes(WHEEL));
}

#[cfg(unix)]
#[test]
fn prune_keeps_what_a_folder_links_to_and_tells_what_it_freed() {
    let (index, sandbox) = (world(), Sandbox::new());
    fetch(&sandbox, &index, &["demo"]);
    fetch(&sandbox, &index, &["kit", "--bundle", "kit.tar", "--no-verify"]);
    let kit = index.bytes("kit-3.0.tar.gz").len();
    let would = cache(&sandbox, &["prune", "--max-size", "0", "--dry-run"], 0);
    assert_eq!(names(&would["removed"]), ["kit-3.0.tar.gz"]);
    assert_eq!(names(&would["kept"]), [WHEEL]);
    let pruned = cache(&sandbox, &["prune", "--max-size", "0"], 0);
    assert_eq!((&pruned["removed"], &pruned["bytes_freed"]), (&would["removed"], &kit.into()));
    assert_eq!(cache(&sandbox, &["info"], 0)["runs"], 1, "a run of which nothing is left is forgotten");
    assert_eq!(cache(&sandbox, &["prune", "--older-than", "1d"], 0)["removed"], serde_json::json!([]));
    let linked = cache(&sandbox, &["prune", "--older-than", "0s", "--linked"], 0);
    assert_eq!(linked["bytes_freed"], 0);
    assert_eq!(sandbox.read(&format!("wheelhouse/{WHEEL}")), index.bytes(WHEEL));
    for without_limit in [&[][..], &["--dry-run"], &["--linked"]] {
        sandbox.prefetch(["cache", "prune"]).args(without_limit).assert().code(2);
    }
}

/// A CI job saves what it needed and nothing that only older locks needed.
#[test]
fn prune_keeps_what_the_last_runs_used() {
    let (index, sandbox) = (world(), Sandbox::new());
    for name in ["kit", "other", "demo", "other"] {
        fetch(&sandbox, &index, &[name, "--bundle", &format!("{name}.tar"), "--no-verify"]);
    }
    let pruned = |count: &str| cache(&sandbox, &["prune", "--keep-last-runs", count], 0);
    assert_eq!(names(&pruned("3")["removed"]), [""; 0]);
    assert_eq!(names(&pruned("2")["removed"]), ["kit-3.0.tar.gz"]);
    fetch(&sandbox, &index, &["demo", "--bundle", "demo.tar", "--no-verify"]);
    assert_eq!(names(&pruned("1")["removed"]), ["other-2.0-py3-none-any.whl"]);
    assert_eq!(names(&cache(&sandbox, &["list"], 0)["files"]), [WHEEL]);
}

#[test]
fn clean_removes_what_is_ours_and_nothing_else() {
    let (index, sandbox) = (world(), Sandbox::new());
    fetch(&sandbox, &index, &["demo", "--bundle", "demo.zip"]);
    fs::write(sandbox.cache().join("foreign"), "stays").unwrap();
    assert!(cache(&sandbox, &["clean"], 0)["bytes_freed"].as_u64().unwrap() > 0);
    assert_eq!(files_below(&sandbox.cache()), ["foreign"]);
}

/// Bytes on the disk below all of these folders, each file once however many names it has.
#[cfg(unix)]
fn disk_usage(folders: &[std::path::PathBuf]) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let files = folders.iter().flat_map(|folder| files_below(folder).into_iter().map(move |file| folder.join(file)));
    let sizes: std::collections::BTreeMap<_, _> =
        files.map(|file| fs::metadata(file).unwrap()).map(|file| ((file.dev(), file.ino()), file.len())).collect();
    sizes.values().sum()
}

#[cfg(unix)]
#[test]
fn many_views_of_a_file_cost_it_once() {
    const SIZE: u64 = 8 << 20;
    let index = Index::new().with(Wheel::new("demo", "1.0").padding(SIZE as usize)).serve();
    let sandbox = Sandbox::new();
    fetch(&sandbox, &index, &["--layout", "simple", "--layout", "find-links", "--dest", "out", "demo"]);
    fetch(&sandbox, &index, &["--dest", "wheelhouse", "--bundle", "bundle/", "demo"]);
    let places = [sandbox.cache(), sandbox.path("out"), sandbox.path("wheelhouse"), sandbox.path("bundle")];
    sandbox.prefetch(["verify", "bundle"]).assert().success();
    assert_eq!(sandbox.read(&format!("out/simple/demo/{WHEEL}")), sandbox.read(&format!("wheelhouse/{WHEEL}")));
    let used = disk_usage(&places);
    assert!((SIZE..SIZE + SIZE / 20).contains(&used), "four views of {SIZE} bytes cost {used}");
    let info = cache(&sandbox, &["info"], 0);
    assert!(info["bytes_linked"].as_u64().unwrap() >= SIZE, "{info}");
}

/// Spoils the first byte of a file without changing its size, in place or by another file of the
/// same time.
fn spoil(path: &Path, in_place: bool) {
    let mut bytes = fs::read(path).unwrap();
    let time = fs::metadata(path).unwrap().modified().unwrap();
    bytes[0] ^= 1;
    if !in_place {
        fs::remove_file(path).unwrap();
    } else {
        let mut permissions = fs::metadata(path).unwrap().permissions();
        #[cfg(unix)]
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
        fs::set_permissions(path, permissions).unwrap();
    }
    fs::write(path, bytes).unwrap();
    if !in_place {
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }
}

/// Whether the index tells sizes or not, and whether a line has its own `--hash`.
#[test]
fn a_damaged_object_is_never_handed_out() {
    for index in [Index::new(), Index::new().without_sizes()] {
        let (index, sandbox) = (index.wheel("demo", "1.0").serve(), Sandbox::new());
        sandbox.write("pinned.txt", format!("demo==1.0 --hash=sha256:{}\n", index.sha256(WHEEL)));
        for (number, arguments) in [["demo", "-j4"], ["-r", "pinned.txt"]].iter().enumerate() {
            fetch(&sandbox, &index, arguments);
            let object = object(&sandbox, &index, WHEEL);
            for (way, damage) in [
                (|path: &Path| spoil(path, true)) as fn(&Path),
                |path| spoil(path, false),
                |path| {
                    let half = fs::read(path).unwrap()[..100].to_vec();
                    fs::remove_file(path).unwrap();
                    fs::write(path, half).unwrap();
                },
                |path| {
                    fs::remove_file(path).unwrap();
                    fs::create_dir_all(path.join("deep")).unwrap();
                },
                #[cfg(unix)]
                |path| {
                    fs::remove_file(path).unwrap();
                    std::os::unix::fs::symlink("/dev/zero", path).unwrap();
                },
                #[cfg(unix)]
                |path| {
                    fs::remove_file(path).unwrap();
                    pipe(path);
                },
            ]
            .into_iter()
            .enumerate()
            {
                damage(&object);
                let out = format!("out-{number}-{way}");
                fetch(&sandbox, &index, &[arguments, ["-d", &*out].as_slice()].concat());
                assert!(sandbox.read(&format!("{out}/{WHEEL}")) == index.bytes(WHEEL), "{out}");
                assert!(fs::read(&object).unwrap() == index.bytes(WHEEL), "{out}");
            }
        }
    }
}

#[cfg(unix)]
fn pipe(path: &Path) {
    use rustix::fs::{CWD, Mode, mkfifoat};
    mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
}

/// Every file of the cache replaced by each kind of thing, and every command still works.
#[cfg(unix)]
#[test]
fn whatever_stands_in_place_of_a_file_of_the_cache_makes_room() {
    let index = world();
    for damage in [
        (|path: &Path| pipe(path)) as fn(&Path),
        |path| fs::create_dir_all(path.join("deep")).unwrap(),
        |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
        |path| fs::write(path, "other bytes").unwrap(),
    ] {
        let sandbox = Sandbox::new();
        fetch(&sandbox, &index, &["other", "kit"]);
        let files = files_below(&sandbox.cache());
        assert!(files.len() > 8, "{files:?}");
        for file in &files {
            fs::remove_file(sandbox.cache().join(file)).unwrap();
            damage(&sandbox.cache().join(file));
        }
        for command in [["info", "--json"], ["list", "--json"]] {
            sandbox.prefetch(["cache"]).args(command).timeout(LONGEST).assert().success();
        }
        fetch(&sandbox, &index, &["other", "kit", "-d", "out"]);
        assert!(sandbox.read(&format!("out/{WHEEL}")) == index.bytes(WHEEL));
        assert_eq!(cache(&sandbox, &["verify"], 0)["damaged"], serde_json::json!([]));
        cache(&sandbox, &["prune", "--max-size", "0", "--linked"], 0);
        cache(&sandbox, &["clean"], 0);
        assert_eq!(files_below(&sandbox.cache()), Vec::<String>::new());
    }
}

/// A folder from elsewhere may hold anything; none of this may let a command wait for ever.
#[cfg(unix)]
#[test]
fn pipes_and_devices_with_names_of_files_are_passed_over_or_refused() {
    let (index, sandbox) = (world(), Sandbox::new());
    fs::create_dir(sandbox.path("folder")).unwrap();
    pipe(&sandbox.path(format!("folder/{WHEEL}")));
    pipe(&sandbox.path("folder/prefetch.json"));
    std::os::unix::fs::symlink("/dev/zero", sandbox.path("folder/zero-1.0-py3-none-any.whl")).unwrap();
    for (arguments, code) in [
        (&["cache", "import", "folder"][..], 0),
        (&["env", "folder", "--for", "uv"], 2),
        (&["verify", "folder"], 1),
        (&["inspect", "folder"], 2),
    ] {
        sandbox.prefetch(arguments).timeout(LONGEST).assert().code(code);
    }
    for name in [WHEEL, "zero-1.0-py3-none-any.whl"] {
        let mut command = sandbox.prefetch_from(&index, [&*format!("./folder/{name}"), "--no-deps"]);
        let output = command.timeout(LONGEST).assert().failure().get_output().clone();
        assert!(String::from_utf8_lossy(&output.stderr).contains("no regular file"), "{output:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_cache_to_which_everybody_may_write_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let (index, sandbox) = (world(), Sandbox::new());
    let cache = sandbox.path("open cache");
    fs::create_dir(&cache).unwrap();
    for (mode, is_told) in [(0o777, true), (0o770, false)] {
        fs::set_permissions(&cache, fs::Permissions::from_mode(mode)).unwrap();
        let mut command = sandbox.prefetch_from(&index, ["demo"]);
        let output = command.env("PREFETCH_CACHE_DIR", &cache).assert().success().get_output().clone();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(told.contains("every user of this machine may write to the cache"), is_told, "{told}");
    }
}
