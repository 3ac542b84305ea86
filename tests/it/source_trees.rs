//! Folders and git repositories that are asked for: they are packed into source archives.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use prefetch::cache_folder::CacheBucket;

use crate::support::{Index, Sandbox, ServedIndex, files_below};

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];
const PYPROJECT: &str = "[project]\nname = 'Demo.Kit'\nversion = '1.2'\ndependencies = ['six']\n";

fn world() -> ServedIndex {
    Index::new().wheel("six", "1.0").wheel("demo", "1.0").serve()
}

/// Runs git as nobody in particular, without this machine's configuration.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository of one commit, with these files and the tag `v1`.
fn repository(sandbox: &Sandbox, files: &[(&str, &str)]) -> (PathBuf, String) {
    for (path, text) in files {
        sandbox.write(&format!("repository/{path}"), text);
    }
    let folder = sandbox.path("repository");
    git(&folder, &["init", "--quiet"]);
    git(&folder, &["add", "--all"]);
    git(&folder, &["commit", "--quiet", "--message", "one"]);
    git(&folder, &["tag", "v1"]);
    let commit = git(&folder, &["rev-parse", "HEAD"]);
    (folder, commit)
}

/// What was told, where it ended with `exit`.
fn run(sandbox: &Sandbox, index: &ServedIndex, arguments: &[&str], exit: i32) -> String {
    let mut command = sandbox.prefetch_from(index, [arguments, &TARGET].concat());
    let output = command.env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{told}");
    told
}

#[test]
fn a_repository_is_packed_with_what_it_needs_and_its_commit_is_told_and_kept() {
    let (index, sandbox) = (world(), Sandbox::new());
    let (folder, commit) = repository(&sandbox, &[("pyproject.toml", PYPROJECT), ("kit.py", "")]);
    let line = format!("demo-kit @ git+file://{}@v1\n", folder.display());
    sandbox.write("requirements.txt", &line);
    let arguments = ["-r", "requirements.txt", "--bundle", "kit.zip", "--no-build-requires", "--no-verify"];
    let told = run(&sandbox, &index, &arguments, 0);
    assert!(told.contains("demo_kit-1.2.tar.gz is packed from demo-kit @ git+file://"), "{told}");
    assert!(told.contains(&commit[..12]), "{told}");
    sandbox.prefetch(["unpack", "kit.zip", "unpacked"]).assert().success();
    let manifest = sandbox.json("unpacked/prefetch.json");
    let packages = manifest["packages"].as_array().unwrap();
    let kit = packages.iter().find(|package| package["name"] == "demo-kit").unwrap();
    let info = &kit["files"][0]["vcs_info"];
    assert_eq!(info["commit_id"], commit.as_str());
    assert_eq!(info["requested_revision"], "v1");
    assert_eq!(sandbox.files("unpacked/wheels"), ["demo_kit-1.2.tar.gz", "links.html", "six-1.0-py3-none-any.whl"]);
}

/// By branch, by full and by short hash, and from the cache once the repository is gone.
#[test]
fn a_revision_is_found_by_every_name_and_offline_once_it_was_fetched() {
    let (index, sandbox) = (world(), Sandbox::new());
    let (folder, commit) = repository(&sandbox, &[("pyproject.toml", PYPROJECT)]);
    sandbox.write("repository/pyproject.toml", PYPROJECT.replace("1.2", "2.0"));
    git(&folder, &["commit", "--quiet", "--all", "--message", "two"]);
    for (revision, file) in [
        ("", "demo_kit-2.0.tar.gz"),
        ("@main", "demo_kit-2.0.tar.gz"),
        (&*format!("@{commit}"), "demo_kit-1.2.tar.gz"),
        (&*format!("@{}", &commit[..9]), "demo_kit-1.2.tar.gz"),
    ] {
        let line = format!("demo-kit @ git+file://{}{revision}", folder.display());
        for offline in [&[][..], &["--offline"]] {
            run(&sandbox, &index, &[&["-d", "out", &line], offline].concat(), 0);
            assert!(sandbox.files("out").contains(&file.to_owned()), "{revision}: {:?}", sandbox.files("out"));
            std::fs::remove_dir_all(sandbox.path("out")).unwrap();
        }
    }
    let line = format!("demo-kit @ git+file://{}@gone", folder.display());
    let told = run(&sandbox, &index, &[&line], 2);
    assert!(told.contains("no branch, tag or commit `gone`"), "{told}");
}

#[test]
fn the_same_tree_is_the_same_archive() {
    let index = world();
    let archive = |_| {
        let sandbox = Sandbox::new();
        let (folder, _) = repository(&sandbox, &[("pyproject.toml", PYPROJECT), ("a/b.py", "x = 1\n")]);
        run(&sandbox, &index, &[&format!("demo-kit @ git+file://{}", folder.display())], 0);
        sandbox.read("wheelhouse/demo_kit-1.2.tar.gz")
    };
    let [one, other] = [1, 2].map(archive);
    assert!(one == other);
}

#[test]
fn folders_and_editables_are_packed_as_git_tracks_them() {
    let (index, sandbox) = (world(), Sandbox::new());
    repository(&sandbox, &[("pyproject.toml", PYPROJECT), ("kit.py", ""), (".gitignore", "out\n")]);
    sandbox.write("repository/new.py", "");
    sandbox.write("repository/out/ignored", "");
    sandbox.write(
        "plain/setup.py",
        "from setuptools import setup\nsetup(name='plain', version='3', install_requires=['demo'])\n",
    );
    sandbox.write("requirements.txt", "-e ./repository\n./plain\n");
    let told = run(&sandbox, &index, &["-r", "requirements.txt"], 0);
    assert!(told.contains("1 file that git does not track is left out of demo_kit-1.2.tar.gz"), "{told}");
    let expected = [
        "demo-1.0-py3-none-any.whl",
        "demo_kit-1.2.tar.gz",
        "links.html",
        "plain-3.tar.gz",
        "requirements.txt",
        "six-1.0-py3-none-any.whl",
    ];
    assert_eq!(sandbox.files("wheelhouse"), expected);
}

#[test]
fn a_folder_of_a_repository_may_be_the_project() {
    let (index, sandbox) = (world(), Sandbox::new());
    let (folder, _) = repository(&sandbox, &[("sub/pyproject.toml", PYPROJECT), ("README", "")]);
    let url = format!("git+file://{}", folder.display());
    run(&sandbox, &index, &[&format!("demo-kit @ {url}#subdirectory=sub")], 0);
    let told = run(&sandbox, &index, &[&format!("demo-kit @ {url}")], 2);
    assert!(told.contains("neither a pyproject.toml nor a setup.py"), "{told}");
    let told = run(&sandbox, &index, &[&format!("other @ {url}#subdirectory=sub")], 2);
    assert!(told.contains("it is the project `demo-kit`"), "{told}");
}

/// Neither a project that looks like a repository, nor a folder with a repository of its own, nor what
/// another user put into the cache has a program run.
#[test]
fn nothing_in_a_tree_is_run() {
    let (index, sandbox) = (world(), Sandbox::new());
    let mark = sandbox.path("mark");
    let command = format!("touch {}; false", mark.display());
    let bare = format!("[core]\n\tbare = false\n\tworktree = .\n\tfsmonitor = \"{command}\"\n");
    let files = [
        ("sub/pyproject.toml", PYPROJECT),
        ("sub/HEAD", "ref: refs/heads/main\n"),
        ("sub/config", &bare),
        ("sub/objects/info/keep", ""),
        ("sub/refs/keep", ""),
    ];
    let (folder, commit) = repository(&sandbox, &files);
    let url = format!("git+file://{}@{commit}#subdirectory=sub", folder.display());
    run(&sandbox, &index, &[&format!("demo-kit @ {url}")], 0);
    sandbox.write("tree/pyproject.toml", PYPROJECT);
    git(&sandbox.path("tree"), &["init", "--quiet"]);
    git(&sandbox.path("tree"), &["add", "--all"]);
    git(&sandbox.path("tree"), &["config", "core.fsmonitor", &command]);
    run(&sandbox, &index, &["./tree"], 0);
    for entry in std::fs::read_dir(sandbox.cache_folder(CacheBucket::Repositories)).unwrap() {
        let tree = entry.unwrap().path().join("tree");
        git(&tree, &["config", "core.fsmonitor", &command]);
        git(&tree, &["config", "core.worktree", sandbox.path("home").to_str().unwrap()]);
    }
    run(&sandbox, &index, &[&format!("demo-kit @ {url}")], 0);
    assert!(!mark.exists());
}

/// git leaves its locks there, and refuses to work beside them.
#[test]
fn what_a_killed_run_left_of_a_repository_is_made_anew() {
    let (index, sandbox) = (world(), Sandbox::new());
    let (folder, _) = repository(&sandbox, &[("pyproject.toml", PYPROJECT)]);
    let line = format!("demo-kit @ git+file://{}", folder.display());
    run(&sandbox, &index, &[&line], 0);
    for entry in std::fs::read_dir(sandbox.cache_folder(CacheBucket::Repositories)).unwrap() {
        let repository = entry.unwrap().path();
        std::fs::write(repository.join("unfinished"), "").unwrap();
        std::fs::write(repository.join("tree/.git/index.lock"), "").unwrap();
    }
    run(&sandbox, &index, &[&line], 0);
}

/// As after a power cut.
#[test]
fn a_damaged_repository_of_the_cache_is_made_anew() {
    let (index, sandbox) = (world(), Sandbox::new());
    let (folder, commit) = repository(&sandbox, &[("pyproject.toml", PYPROJECT)]);
    for line in [
        format!("demo-kit @ git+file://{}", folder.display()),
        format!("demo-kit @ git+file://{}@{commit}", folder.display()),
    ] {
        run(&sandbox, &index, &[&line], 0);
        let repositories = sandbox.cache_folder(CacheBucket::Repositories);
        for path in files_below(&repositories).iter().filter(|path| path.contains("/objects/")) {
            std::fs::remove_file(repositories.join(path)).unwrap();
            std::fs::write(repositories.join(path), "").unwrap();
        }
        run(&sandbox, &index, &[&line], 0);
    }
}

#[cfg(unix)]
#[test]
fn a_subdirectory_that_is_a_link_is_no_project() {
    let (index, sandbox) = (world(), Sandbox::new());
    sandbox.write("private/pyproject.toml", PYPROJECT);
    sandbox.write("repository/README", "");
    std::os::unix::fs::symlink(sandbox.path("private"), sandbox.path("repository/sub")).unwrap();
    let (folder, _) = repository(&sandbox, &[]);
    let told = run(&sandbox, &index, &[&format!("demo-kit @ git+file://{}#subdirectory=sub", folder.display())], 2);
    assert!(told.contains("neither a pyproject.toml nor a setup.py"), "{told}");
}

/// What is read before anything is packed: a pipe would let the run wait for ever.
#[cfg(unix)]
#[test]
fn a_pipe_in_a_project_is_refused() {
    let (index, sandbox) = (world(), Sandbox::new());
    sandbox.write("project/pyproject.toml", PYPROJECT);
    assert!(Command::new("mkfifo").arg(sandbox.path("project/setup.cfg")).status().unwrap().success());
    let told = run(&sandbox, &index, &["./project"], 2);
    assert!(told.contains("its file setup.cfg cannot be read: it is no regular file"), "{told}");
}

/// git takes a file for deleted if a link is in the place of its folder.
#[cfg(unix)]
#[test]
fn nothing_behind_a_link_in_the_place_of_a_folder_is_packed() {
    let (index, sandbox) = (world(), Sandbox::new());
    let (folder, _) = repository(&sandbox, &[("pyproject.toml", PYPROJECT), ("data/key", "public")]);
    sandbox.write("private/key", "secret");
    std::fs::remove_dir_all(folder.join("data")).unwrap();
    std::os::unix::fs::symlink(sandbox.path("private"), folder.join("data")).unwrap();
    run(&sandbox, &index, &["./repository"], 0);
    let archive = sandbox.read("wheelhouse/demo_kit-1.2.tar.gz");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive.as_slice()));
    let paths = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string());
    assert_eq!(paths.collect::<Vec<_>>(), ["demo_kit-1.2/pyproject.toml"]);
}

/// By an address relative to the repository's.
#[test]
fn submodules_are_part_of_the_tree() {
    let (index, sandbox) = (world(), Sandbox::new());
    sandbox.write("library/helper.py", "x = 1\n");
    let library = sandbox.path("library");
    for arguments in [&["init", "--quiet"][..], &["add", "--all"], &["commit", "--quiet", "--message", "one"]] {
        git(&library, arguments);
    }
    let (folder, _) = repository(&sandbox, &[("pyproject.toml", PYPROJECT)]);
    let allow = ["-c", "protocol.file.allow=always"];
    git(&folder, &[&allow[..], &["submodule", "--quiet", "add", "../library", "vendored"]].concat());
    git(&folder, &["commit", "--quiet", "--message", "two"]);
    let line = format!("demo-kit @ git+file://{}", folder.display());
    let told = run(&sandbox, &index, &[&line], 4);
    assert!(told.contains("transport 'file' not allowed"), "{told}");
    sandbox.write("../home/.gitconfig", "[protocol \"file\"]\n\tallow = always\n");
    run(&sandbox, &index, &[&line], 0);
    let archive = sandbox.read("wheelhouse/demo_kit-1.2.tar.gz");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive.as_slice()));
    let paths = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string());
    let paths: Vec<_> = paths.collect();
    assert!(paths.contains(&"demo_kit-1.2/vendored/helper.py".to_owned()), "{paths:?}");
}

/// Nobody listens at that port.
#[test]
fn submodules_may_come_from_the_network() {
    let (index, sandbox) = (world(), Sandbox::new());
    let (folder, commit) = repository(&sandbox, &[("pyproject.toml", PYPROJECT)]);
    git(&folder, &["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendored")]);
    sandbox.write("repository/.gitmodules", "[submodule \"v\"]\npath = vendored\nurl = http://127.0.0.1:9/r.git\n");
    git(&folder, &["add", ".gitmodules"]);
    git(&folder, &["commit", "--quiet", "--message", "two"]);
    let line = format!("demo-kit @ git+file://{}", folder.display());
    let told = run(&sandbox, &index, &[&line], 4);
    assert!(told.contains("127.0.0.1") && !told.contains("not allowed"), "{told}");
    let told = run(&sandbox, &index, &[&line, "--offline"], 4);
    assert!(told.contains("not in the cache"), "{told}");
}

#[test]
fn what_only_a_build_tells_is_refused_with_the_way_out_or_left_out() {
    let (index, sandbox) = (world(), Sandbox::new());
    sandbox.write("project/pyproject.toml", "[project]\nname = 'kit'\ndynamic = ['version']\n");
    sandbox.write("requirements.txt", "-e ./project[test]\ndemo==1.0\n");
    let told = run(&sandbox, &index, &["-r", "requirements.txt"], 3);
    assert!(told.contains("states no version") && told.contains("--allow-build"), "{told}");
    assert!(told.contains("requirements.txt:1") && told.contains("hint: --skip-source-trees"), "{told}");
    assert!(index.requests().is_empty());
    let told = run(&sandbox, &index, &["-r", "requirements.txt", "--skip-source-trees"], 0);
    assert!(told.contains("warning: requirements.txt:1: left out, with what it needs: -e "), "{told}");
    assert_eq!(sandbox.files("wheelhouse"), ["demo-1.0-py3-none-any.whl"]);
}

/// A password is neither told nor on a command line, and nobody is asked for one.
#[test]
fn a_repository_that_cannot_be_had_is_told_without_its_password() {
    let (index, sandbox) = (world(), Sandbox::new());
    let line = format!("kit @ git+http://me:hunter2@{}/none.git", index.url().split('/').nth(2).unwrap());
    let told = run(&sandbox, &index, &[&line], 4);
    assert!(told.contains("git could not fetch it") && told.contains("****@") && !told.contains("hunter2"), "{told}");
    let told = run(&sandbox, &index, &[&line, "--offline"], 4);
    assert!(told.contains("not in the cache"), "{told}");
    let without_git = sandbox.prefetch_from(&index, [&[&*line], &TARGET[..]].concat()).output().unwrap();
    assert!(String::from_utf8_lossy(&without_git.stderr).contains("the program `git` cannot be run"));
}

/// The first host asks for the login and sends git on to the second, which asks for one, too.
#[test]
fn no_redirect_leads_a_login_to_another_host() {
    let (index, sandbox) = (world(), Sandbox::new());
    let refusal = "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"".to_owned();
    let (other, told_other) = listener(refusal.clone(), refusal.clone());
    let onward = format!("302 Found\r\nLocation: http://{other}/r.git/info/refs?service=git-upload-pack");
    let (host, told_host) = listener(refusal, onward);
    run(&sandbox, &index, &[&format!("demo-kit @ git+http://me:hunter2@{host}/r.git")], 4);
    let basic = "authorization: basic bwu6ahvudgvymg==";
    assert!(told_host.lock().unwrap().to_lowercase().contains(basic), "{:?}", told_host.lock().unwrap());
    let told_other = told_other.lock().unwrap().to_lowercase();
    assert!(told_other.contains("get /r.git") && !told_other.contains("authorization"), "{told_other:?}");
}

/// The address of a server that answers requests without and with a login, and what it is told.
fn listener(without: String, with: String) -> (SocketAddr, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, told) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(String::new())));
    let heard = told.clone();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = BufReader::new(socket.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && socket.read_line(&mut head).unwrap() > 0 {}
            let answer = if head.to_lowercase().contains("authorization:") { &with } else { &without };
            heard.lock().unwrap().push_str(&head);
            let response = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            socket.get_mut().write_all(response.as_bytes()).unwrap();
        }
    });
    (address, told)
}

#[test]
fn a_repository_of_a_lock_is_packed_too() {
    let (index, sandbox) = (world(), Sandbox::new());
    let (folder, commit) = repository(&sandbox, &[("pyproject.toml", PYPROJECT)]);
    let lock = format!(
        "lock-version = '1.0'\ncreated-by = 'test'\n[[packages]]\nname = 'demo-kit'\nvcs = {{ type = 'git', url = 'file://{}', \
         commit-id = '{commit}' }}\n",
        folder.display()
    );
    sandbox.write("pylock.toml", lock);
    run(&sandbox, &index, &["-r", "pylock.toml"], 0);
    assert_eq!(sandbox.files("wheelhouse"), ["demo_kit-1.2.tar.gz", "links.html", "requirements.txt"]);
    assert_eq!(sandbox.read("wheelhouse/requirements.txt"), b"demo-kit==1.2\n");
    assert!(index.requests().is_empty());
}

/// A later run trusts the working tree in the cache, and the settings of its repository.
#[test]
fn the_build_of_a_repository_changes_neither_its_tree_nor_what_is_packed() {
    let backend = "import os\n\ndef prepare_metadata_for_build_wheel(folder, settings=None):\n    \
        open('data.txt', 'w').write('built')\n    \
        try:\n        open('.git/planted', 'w').close()\n    except OSError:\n        pass\n    \
        os.mkdir(folder + '/kit-1.0.dist-info')\n    \
        with open(folder + '/kit-1.0.dist-info/METADATA', 'w') as file:\n        \
        file.write('Metadata-Version: 2.1\\nName: kit\\nVersion: 1.0\\n')\n    return 'kit-1.0.dist-info'\n";
    let project = "[project]\nname = 'kit'\ndynamic = ['version']\n[build-system]\nrequires = []\n\
        build-backend = 'backend'\nbackend-path = ['.']\n";
    let (index, sandbox) = (world(), Sandbox::new());
    let files = [("pyproject.toml", project), ("backend.py", backend), ("data.txt", "of the commit")];
    let (folder, _) = repository(&sandbox, &files);
    let line = format!("kit @ git+file://{}@v1", folder.display());
    let mut command = sandbox.prefetch_from(&index, [&line, "--allow-build"]);
    command.env("PATH", std::env::var_os("PATH").unwrap()).assert().success();
    let archive = sandbox.read("wheelhouse/kit-1.0.tar.gz");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive.as_slice()));
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let mut data = entries.find(|entry| entry.path_bytes().ends_with(b"/data.txt")).unwrap();
    assert_eq!(std::io::read_to_string(&mut data).unwrap(), "of the commit");
    let repositories = sandbox.cache_folder(CacheBucket::Repositories);
    let kept = files_below(&repositories);
    assert!(kept.iter().any(|path| path.ends_with("tree/data.txt")), "{kept:?}");
    assert!(!kept.iter().any(|path| path.ends_with("planted")), "{kept:?}");
}
