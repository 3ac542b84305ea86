//! Lock files: what they say is fetched, without a resolver and without index pages.

use std::fmt::Write as _;

use crate::support::{Index, Sandbox, Sdist, ServedIndex, Wheel};

const LINUX: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

fn world() -> ServedIndex {
    let native = Wheel::new("native", "1.0").tags("cp312-cp312-manylinux_2_17_x86_64");
    let index = Index::new().wheel("demo", "1.0").wheel("demo", "2.0").wheel("docs-tool", "1.0").wheel("linter", "1.0");
    index
        .with(native)
        .with(Wheel::new("fast", "1.0").requires("demo"))
        .with(Sdist::new("old", "1.0").pyproject())
        .serve()
}

/// An entry of uv.lock with one file of the index.
pub fn entry(index: &ServedIndex, name: &str, version: &str, filename: &str, more: &str) -> String {
    let kind = if filename.ends_with(".whl") { "wheels = [" } else { "sdist = " };
    let end = if filename.ends_with(".whl") { "]" } else { "" };
    format!(
        "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = {{ registry = \"{}\" }}\n{more}\n{kind}{{ url \
         = \"{}\", hash = \"sha256:{}\", size = {} }}{end}\n\n",
        index.url(),
        index.file_url(filename),
        index.sha256(filename),
        index.bytes(filename).len(),
    )
}

const PROJECT: &str =
    "[project]\nname = 'app'\nversion = '1'\n[dependency-groups]\ndev = ['linter']\ndocs = ['docs-tool']\n";

/// A project whose lock has an extra, two groups, and an older demo than there is.
fn project(index: &ServedIndex) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("pyproject.toml", PROJECT);
    sandbox.write("uv.lock", lock(index));
    sandbox
}

fn lock(index: &ServedIndex) -> String {
    let mut lock = String::from(
        "version = 1\nrevision = 3\nrequires-python = \">=3.10\"\n\n[[package]]\nname = \"app\"\nversion = \"1\"\nsource = { \
         editable = \".\" }\ndependencies = [{ name = \"demo\" }, { name = \"native\", marker = \"sys_platform == \
         'linux'\" }]\n[package.optional-dependencies]\nspeed = [{ name = \"fast\" }]\n[package.dev-dependencies]\ndev = [{ \
         name = \"linter\" }]\ndocs = [{ name = \"docs-tool\" }]\n\n",
    );
    lock += &entry(index, "demo", "1.0", "demo-1.0-py3-none-any.whl", "");
    lock += &entry(index, "docs-tool", "1.0", "docs_tool-1.0-py3-none-any.whl", "");
    lock += &entry(index, "fast", "1.0", "fast-1.0-py3-none-any.whl", "dependencies = [{ name = \"demo\" }]");
    lock += &entry(index, "linter", "1.0", "linter-1.0-py3-none-any.whl", "");
    lock += &entry(index, "native", "1.0", "native-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", "");
    lock
}

fn fetched(sandbox: &Sandbox, index: &ServedIndex, arguments: &[&str]) -> Vec<String> {
    let _ = std::fs::remove_dir_all(sandbox.path("wheelhouse"));
    sandbox.prefetch_from(index, [arguments, &LINUX].concat()).assert().success();
    let files = distributions(sandbox);
    files.iter().map(|file| file.split('-').take(2).collect::<Vec<_>>().join("-")).collect()
}

/// The files of the wheelhouse, without the pins beside them.
fn distributions(sandbox: &Sandbox) -> Vec<String> {
    let files = sandbox.files("wheelhouse");
    assert!(files.iter().any(|file| file == "requirements.txt"), "{files:?}");
    files.into_iter().filter(|file| file != "requirements.txt").collect()
}

fn refused(sandbox: &Sandbox, index: &ServedIndex, arguments: &[&str]) -> (i32, String) {
    let output = sandbox.prefetch_from(index, arguments).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_lock_with_urls_asks_for_no_index_page_and_changes_no_version() {
    let index = world();
    let sandbox = project(&index);
    let files = fetched(&sandbox, &index, &["-r", "uv.lock"]);
    assert_eq!(files, ["demo-1.0", "linter-1.0", "native-1.0"]);
    assert_eq!(index.count("/simple/"), 0, "{:?}", index.paths());
    assert_eq!(index.requests().len(), 3);
}

/// Also where a variable sets it.
#[test]
fn what_chooses_versions_is_told_to_have_no_effect_beside_a_lock() {
    let index = world();
    let sandbox = project(&index);
    let mut run = sandbox.prefetch_from(&index, [&["-r", "uv.lock", "--pre", "--no-deps"], &LINUX[..]].concat());
    let told = run.env("UV_EXCLUDE_NEWER", "2026-01-01").assert().success().get_output().stderr.clone();
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("--no-deps, --pre, --exclude-newer has no effect"), "{told}");
    let mut plain = sandbox.prefetch_from(&index, [&["-r", "uv.lock"], &LINUX[..]].concat());
    let told = plain.assert().success().get_output().stderr.clone();
    assert!(!String::from_utf8(told).unwrap().contains("no effect"));
}

#[test]
fn a_constraint_beside_a_lock_is_refused() {
    let index = world();
    let sandbox = project(&index);
    sandbox.write("constraints.txt", "demo<1");
    let (code, told) = refused(&sandbox, &index, &["-r", "uv.lock", "-c", "constraints.txt"]);
    assert!(code == 2 && told.contains("constraints.txt:1") && told.contains("stands alone"), "{code}: {told}");
}

#[test]
fn extras_and_groups_choose_from_a_lock() {
    let index = world();
    let sandbox = project(&index);
    for (arguments, expected) in [
        (&["--extra", "speed"][..], &["demo-1.0", "fast-1.0", "linter-1.0", "native-1.0"][..]),
        (&["--no-default-groups"], &["demo-1.0", "native-1.0"]),
        (&["--group", "docs", "--no-default-groups"], &["demo-1.0", "docs_tool-1.0", "native-1.0"]),
        (&["--only-group", "docs"], &["docs_tool-1.0"]),
        (&["--all-extras", "--all-groups"], &["demo-1.0", "docs_tool-1.0", "fast-1.0", "linter-1.0", "native-1.0"]),
    ] {
        assert_eq!(fetched(&sandbox, &index, &[arguments, &["-r", "uv.lock"]].concat()), expected, "{arguments:?}");
    }
    let (exit, told) = refused(&sandbox, &index, &["-r", "uv.lock", "--group", "dosc"]);
    assert!(exit == 2 && told.contains("no group `dosc`; did you mean `docs`?"), "{told}");
    let (exit, told) = refused(&sandbox, &index, &["demo", "--extra", "speed"]);
    assert!(exit == 2 && told.contains("no input has any"), "{told}");
}

#[test]
fn the_project_in_the_folder_is_taken_and_its_own_code_is_told() {
    let index = world();
    let sandbox = project(&index);
    sandbox.write("requirements.txt", "demo==2.0\n");
    let output = sandbox.prefetch_from(&index, LINUX).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    assert!(told.contains("taking uv.lock of this folder (not requirements.txt"), "{told}");
    assert!(told.contains("uv.lock: 6 packages; --group, --extra choose"), "{told}");
    assert!(told.contains("app: left out, since it is the project's own code"), "{told}");
    assert_eq!(distributions(&sandbox).len(), 3);
}

#[test]
fn a_target_that_a_lock_does_not_cover_is_told_by_package() {
    let index = world();
    let sandbox = project(&index);
    for (python, part) in
        [("3.11", "native==1.0: no file can be used"), ("3.9", "the lock is for Python >=3.10, the target has 3.9")]
    {
        let arguments = ["-r", "uv.lock", "--python-version", python, "--platform", "linux-x86_64"];
        let (exit, told) = refused(&sandbox, &index, &arguments);
        assert!(exit == 3 && told.contains(part), "{exit}: {told}");
    }
    assert_eq!(index.requests().len(), 0);
}

#[test]
fn a_bundle_of_a_lock_proves_that_each_target_installs_exactly_that() {
    let index = world();
    let sandbox = project(&index);
    let targets = ["--python-version", "3.12", "--platform", "linux-x86_64,windows-x86_64"];
    let bundle = ["-r", "uv.lock", "--all-extras", "--bundle", "app.zip"];
    sandbox.prefetch_from(&index, [&bundle[..], &targets].concat()).assert().success();
    assert_eq!(index.count("/simple/"), 0, "{:?}", index.paths());
    sandbox.prefetch(["verify", "app.zip"]).assert().success();
    let shown = sandbox.prefetch(["inspect", "app.zip", "--json"]).output().unwrap();
    assert!(String::from_utf8_lossy(&shown.stdout).contains("native"));
}

#[test]
fn a_file_that_is_not_what_the_lock_promises_is_refused() {
    let index = world();
    let sandbox = Sandbox::new();
    let wrong = index.sha256("demo-2.0-py3-none-any.whl");
    sandbox.write("pyproject.toml", PROJECT);
    sandbox.write("uv.lock", lock(&index).replace(&index.sha256("demo-1.0-py3-none-any.whl"), &wrong));
    let (exit, told) = refused(&sandbox, &index, &[&["-r", "uv.lock"], &LINUX[..]].concat());
    assert!(exit == 5 && told.contains("demo-1.0-py3-none-any.whl"), "{exit}: {told}");
}

#[test]
fn repositories_of_a_lock_are_named() {
    let index = world();
    let sandbox = project(&index);
    let repository = "[[package]]\nname = \"demo\"\nversion = \"3\"\nsource = { git = \
                      \"http://me:hunter2@127.0.0.1:1/demo?rev=main#0123456789012345678901234567890123456789\" }\n\n";
    let text = lock(&index);
    let at = text.find("[[package]]\nname = \"demo\"").unwrap();
    let end = at + text[at..].find("\n\n").unwrap() + 2;
    sandbox.write("uv.lock", format!("{}{repository}{}", &text[..at], &text[end..]));
    let arguments = [&["-r", "uv.lock"], &LINUX[..]].concat();
    let (exit, told) = refused(&sandbox, &index, &arguments);
    assert!(exit == 2 && told.contains("`demo` cannot be packed"), "{exit}: {told}");
    assert!(!told.contains("hunter2"), "{told}");
    let (exit, told) = refused(&sandbox, &index, &[&arguments[..], &["--skip-source-trees"]].concat());
    assert!(exit == 0 && told.contains("demo: left out, since it is a repository"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

/// Nothing in a lock is an option of git, and no program is started by it.
#[test]
fn a_repository_of_a_lock_that_git_could_take_for_something_else_is_refused() {
    let index = world();
    let sandbox = project(&index);
    let commit = "0123456789012345678901234567890123456789";
    for (git, part) in [
        (format!("ext::sh -c touch% pwned#{commit}"), "ext"),
        (format!("ssh://-oProxyCommand=touch%20pwned/r#{commit}"), "ssh"),
        ("https://git.example/demo#--upload-pack=touch pwned".to_owned(), "--upload-pack"),
        ("https://git.example/demo#-x".to_owned(), "-x"),
        (format!("https://git.example/demo?subdirectory=..%2F..%2Fetc#{commit}"), "../../etc"),
    ] {
        let demo = format!("[[package]]\nname = \"demo\"\nversion = \"3\"\nsource = {{ git = \"{git}\" }}\n");
        let app = "[[package]]\nname = \"app\"\nversion = \"1\"\nsource = { editable = \".\" }\ndependencies = [{ name = \
                   \"demo\" }]\n";
        sandbox.write("uv.lock", format!("version = 1\nrequires-python = \">=3.10\"\n{app}{demo}"));
        let (exit, told) = refused(&sandbox, &index, &[&["-r", "uv.lock"], &LINUX[..]].concat());
        assert!(exit == 2 && told.contains(part), "{git}: {exit}: {told}");
        assert!(!sandbox.path("pwned").exists(), "{git}");
    }
}

#[test]
fn a_lock_of_200_mb_is_refused_before_it_is_read() {
    let (index, sandbox) = (world(), Sandbox::new());
    for name in ["uv.lock", "Pipfile.lock", "pixi.lock", "pyproject.toml", "setup.cfg"] {
        sandbox.write(name, "");
        std::fs::File::options().write(true).open(sandbox.path(name)).unwrap().set_len(200 << 20).unwrap();
        let (exit, told) = refused(&sandbox, &index, &["-r", name]);
        assert!(exit == 2 && told.contains("it is larger than 16 MiB"), "{name}: {exit}: {told}");
    }
}

#[test]
fn groups_that_include_each_other_are_told() {
    let (index, sandbox) = (world(), Sandbox::new());
    let groups =
        "[dependency-groups]\nround = [{include-group = 'trip'}]\ntrip = ['demo', {include-group = 'round'}]\n";
    sandbox.write("pyproject.toml", format!("[project]\nname = 'app'\nversion = '1'\n{groups}"));
    let (exit, told) = refused(&sandbox, &index, &["-r", "pyproject.toml", "--group", "trip"]);
    assert!(exit == 2 && told.contains("includes itself: round → trip → round"), "{told}");
}

#[test]
fn a_setup_cfg_is_resolved_with_its_extras() {
    let (index, sandbox) = (world(), Sandbox::new());
    sandbox.write(
        "setup.cfg",
        "[metadata]\nname = app\n[options]\npython_requires = >=3.10\ninstall_requires =\n    demo<2\n[options.extras_require]\nspeed \
         = fast\n",
    );
    assert_eq!(fetched(&sandbox, &index, &[]), ["demo-1.0"]);
    assert_eq!(fetched(&sandbox, &index, &["-r", "setup.cfg", "--extra", "speed"]), ["demo-1.0", "fast-1.0"]);
    let arguments = ["-r", "setup.cfg", "--python-version", "3.9", "--platform", "linux-x86_64"];
    assert!(refused(&sandbox, &index, &arguments).1.contains("the project is for Python >=3.10"));
}

#[test]
fn a_lock_stands_alone() {
    let index = world();
    let sandbox = project(&index);
    sandbox.write("included.txt", "-r uv.lock\n");
    for (arguments, part) in [
        (&["-r", "uv.lock", "demo"][..], "stands alone"),
        (&["-c", "uv.lock", "demo"], "no constraints file"),
        (&["-r", "included.txt"], "is no requirements file but a uv.lock"),
        (&["-r", "uv.lock", "-r", "uv.lock"], "another lock file"),
    ] {
        let (exit, told) = refused(&sandbox, &index, arguments);
        assert!(exit == 2 && told.contains(part), "{arguments:?}: {exit}: {told}");
    }
}

/// A pylock.toml as it may be written by any tool.
fn pylock(index: &ServedIndex) -> String {
    let mut text = String::from(
        "lock-version = '1.0'\ncreated-by = 'somebody'\nrequires-python = '>=3.10'\nextras = ['speed']\ndependency-groups = \
         ['dev']\ndefault-groups = ['dev']\n",
    );
    for (name, filename, marker) in [
        ("demo", "demo-1.0-py3-none-any.whl", ""),
        ("fast", "fast-1.0-py3-none-any.whl", "'speed' in extras"),
        ("linter", "linter-1.0-py3-none-any.whl", "'dev' in dependency_groups"),
        ("native", "native-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", "sys_platform == 'linux'"),
    ] {
        let marker = if marker.is_empty() { String::new() } else { format!("marker = \"{marker}\"\n") };
        let (url, sha256) = (index.file_url(filename), index.sha256(filename));
        write!(
            text,
            "[[packages]]\nname = '{name}'\nversion = '1.0'\n{marker}[[packages.wheels]]\nurl = '{url}'\nhashes = {{ sha256 = \
             '{sha256}' }}\n"
        )
        .unwrap();
    }
    text
}

#[test]
fn a_pylock_is_fetched_by_its_markers() {
    let (index, sandbox) = (world(), Sandbox::new());
    sandbox.write("pylock.web.toml", pylock(&index));
    assert_eq!(fetched(&sandbox, &index, &["-r", "pylock.web.toml"]), ["demo-1.0", "linter-1.0", "native-1.0"]);
    let arguments = ["-r", "pylock.web.toml", "--extra", "speed", "--no-default-groups"];
    assert_eq!(fetched(&sandbox, &index, &arguments), ["demo-1.0", "fast-1.0", "native-1.0"]);
    assert_eq!(index.count("/simple/"), 0, "{:?}", index.paths());
}

#[test]
fn parse_shows_what_a_lock_gives_to_targets() {
    let index = world();
    let sandbox = project(&index);
    let arguments = ["parse", "uv.lock", "--python-version", "3.12", "--platform", "linux-x86_64,win_amd64"];
    let output = sandbox.prefetch(arguments).assert().success();
    let shown = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    for part in [
        "uv.lock: uv.lock, 6 packages",
        "extras: speed",
        "groups: dev (by default), docs",
        "cp312-manylinux_2_28_x86_64:",
        "native==1.0 (native-1.0-cp312-cp312-manylinux_2_17_x86_64.whl)",
        "app==1 (folder)",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    assert_eq!(shown.matches("native==1.0").count(), 1);
    assert_eq!(index.requests().len(), 0);
}

#[test]
fn digests_alone_find_their_files_on_the_index() {
    let (index, sandbox) = (world(), Sandbox::new());
    let digest = |name: &str| format!("sha256:{}", index.sha256(name));
    let pipfile = |demo: String| {
        format!(
            "{{\"_meta\": {{\"pipfile-spec\": 6, \"sources\": [{{\"name\": \"main\", \"url\": \"{}\"}}]}}, \"default\": \
             {{\"demo\": {{\"version\": \"==1.0\", \"hashes\": [\"{demo}\"]}}}}, \"develop\": {{\"linter\": {{\"version\": \
             \"==1.0\", \"hashes\": [\"{}\"]}}}}}}",
            index.url(),
            digest("linter-1.0-py3-none-any.whl"),
        )
    };
    sandbox.write("Pipfile.lock", pipfile(digest("demo-1.0-py3-none-any.whl")));
    assert_eq!(fetched(&sandbox, &index, &["-r", "Pipfile.lock"]), ["demo-1.0"]);
    assert_eq!(fetched(&sandbox, &index, &["-r", "Pipfile.lock", "--group", "develop"]), ["demo-1.0", "linter-1.0"]);
    sandbox.write("poetry.lock", poetry(&digest("demo-1.0-py3-none-any.whl")));
    assert_eq!(fetched(&sandbox, &index, &["-r", "poetry.lock"]), ["demo-1.0"]);
    // The index has this digest for another version.
    sandbox.write("Pipfile.lock", pipfile(digest("demo-2.0-py3-none-any.whl")));
    let (exit, told) = refused(&sandbox, &index, &[&["-r", "Pipfile.lock"], &LINUX[..]].concat());
    assert!(exit == 5 && told.contains("demo==1.0"), "{exit}: {told}");
}

fn poetry(digest: &str) -> String {
    format!(
        "[[package]]\nname = \"demo\"\nversion = \"1.0\"\noptional = false\npython-versions = \"*\"\ngroups = \
         [\"main\"]\nfiles = [{{file = \"demo-1.0-py3-none-any.whl\", hash = \"{digest}\"}}]\n\n[metadata]\nlock-version = \
         \"2.1\"\npython-versions = \">=3.9\"\n"
    )
}

#[test]
fn projects_and_scripts_are_resolved() {
    let (index, sandbox) = (world(), Sandbox::new());
    sandbox.write(
        "pyproject.toml",
        PROJECT.replace("version = '1'", "version = '1'\nrequires-python = '>=3.10'\ndependencies = ['demo']"),
    );
    assert_eq!(fetched(&sandbox, &index, &[]), ["demo-2.0"]);
    assert_eq!(fetched(&sandbox, &index, &["-r", "pyproject.toml", "--only-group", "dev"]), ["linter-1.0"]);
    sandbox.write("job.py", "# /// script\n# dependencies = ['demo<2']\n# ///\n");
    assert_eq!(fetched(&sandbox, &index, &["-r", "job.py"]), ["demo-1.0"]);
    let arguments = ["-r", "pyproject.toml", "--python-version", "3.9", "--platform", "linux-x86_64"];
    let (exit, told) = refused(&sandbox, &index, &arguments);
    assert!(exit == 3 && told.contains("the project is for Python >=3.10"), "{exit}: {told}");
}
