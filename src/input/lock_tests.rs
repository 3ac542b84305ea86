//! Tests of the lock formats together: what targets get, and what is refused.

use proptest::prelude::*;

use super::fake_source::FakeSource;
use super::*;
use crate::domain::{GroupSelection, MemberSelection, Target, TargetSpec};

const UV: &str = include_str!("../../testdata/locks/uv.lock");
const PYLOCK: &str = include_str!("../../testdata/locks/pylock.toml");
const POETRY: &str = include_str!("../../testdata/locks/poetry.lock");
const OLD_POETRY: &str = include_str!("../../testdata/locks/old.poetry.lock");
const PDM: &str = include_str!("../../testdata/locks/pdm.lock");
const PIPFILE: &str = include_str!("../../testdata/locks/Pipfile.lock");
const PIXI: &str = include_str!("../../testdata/locks/pixi.lock");
const PROJECT: &str = include_str!("../../testdata/locks/pyproject.toml");
const SETUP_CFG: &str = include_str!("../../testdata/locks/setup.cfg");

/// A lock of every format.
const LOCKS: [(&str, &str); 7] = [
    ("uv.lock", UV),
    ("pylock.toml", PYLOCK),
    ("poetry.lock", POETRY),
    ("old.poetry.lock", OLD_POETRY),
    ("pdm.lock", PDM),
    ("Pipfile.lock", PIPFILE),
    ("pixi.lock", PIXI),
];

fn read_named(name: &str, text: impl Into<Vec<u8>>, groups: GroupSelection) -> ParsedInput {
    let machine = FakeSource::new().file(&format!("/w/{name}"), text).file("/w/pyproject.toml", PROJECT);
    let mut reader = RequirementsReader::new(&machine).with_groups(groups);
    reader.file(&Location::parse(name), Role::Requirements);
    reader.finish()
}

/// The only problem of a file.
fn problem(name: &str, text: impl Into<Vec<u8>>) -> String {
    let read = read_named(name, text, GroupSelection::default());
    assert!(read.lock.is_none() && !read.problems.is_empty(), "{name} is read");
    read.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

pub(super) fn target(python: &str, platform: &str) -> Target {
    let spec = TargetSpec {
        python: Some(python.parse().unwrap()),
        platform: Some(platform.parse().unwrap()),
        implementation: None,
        abis: Vec::new(),
    };
    spec.resolve(None).unwrap()
}

/// What Python 3.12 on Linux gets, as `name version`; or why it does not.
fn selected(name: &str, text: impl Into<Vec<u8>>, groups: GroupSelection) -> Vec<String> {
    on("3.12", "linux-x86_64", &read_named(name, text, groups))
}

pub(super) fn on(python: &str, platform: &str, read: &ParsedInput) -> Vec<String> {
    let lock = read.lock.as_ref().unwrap_or_else(|| panic!("{:?}", read.problems));
    match lock.lock.select(&target(python, platform), &lock.groups) {
        Ok(picks) => {
            let version =
                |pick: &crate::domain::SelectedPackage<'_>| pick.package.version.as_ref().map(ToString::to_string);
            picks.iter().map(|pick| format!("{} {}", pick.package.name, version(pick).unwrap_or_default())).collect()
        }
        Err(refused) => refused.into_iter().map(|refused| format!("- {refused}")).collect(),
    }
}

pub(super) fn groups(extras: &[&str], groups: &[&str]) -> GroupSelection {
    GroupSelection {
        extras: extras.iter().map(|name| name.parse().unwrap()).collect(),
        groups: groups.iter().map(|name| name.parse().unwrap()).collect(),
        ..GroupSelection::default()
    }
}

fn defaults() -> GroupSelection {
    GroupSelection::default()
}

#[test]
fn each_format_gives_what_its_tool_installs() {
    let all = GroupSelection { all_extras: true, all_groups: true, ..defaults() };
    let only = GroupSelection { only_groups: ["docs".parse().unwrap()].into(), ..defaults() };
    let bare = GroupSelection { no_default_groups: true, ..defaults() };
    for (name, text, asked, expected) in [
        ("uv.lock", UV, defaults(), "app 1 | demo 2.0 | linter 1.0"),
        ("uv.lock", UV, groups(&["cpu"], &[]), "app 1 | demo 2.0 | engine 1.0+cpu | linter 1.0"),
        ("uv.lock", UV, groups(&["gpu"], &[]), "app 1 | demo 2.0 | driver 1.0 | engine 1.0 | linter 1.0"),
        ("uv.lock", UV, only.clone(), "docs-tool 1.0"),
        (
            "uv.lock",
            UV,
            all.clone(),
            "- the extra `cpu` and the extra `gpu` cannot be had together (tool.uv.conflicts)",
        ),
        ("pylock.toml", PYLOCK, defaults(), "demo 1.0 | linter 1.0"),
        ("pylock.toml", PYLOCK, bare.clone(), "demo 1.0"),
        ("pylock.toml", PYLOCK, groups(&["speed"], &[]), "demo 1.0 | fast 1.0 | linter 1.0"),
        ("poetry.lock", POETRY, defaults(), "demo 1.0 | docs-tool 1.0 | linter 1.0"),
        ("poetry.lock", POETRY, groups(&["speed"], &[]), "demo 1.0 | docs-tool 1.0 | fast 1.0 | linter 1.0"),
        ("poetry.lock", POETRY, bare.clone(), "demo 1.0"),
        ("old.poetry.lock", OLD_POETRY, defaults(), "demo 1.0 | docs-tool 1.0 | helper 2.0 | linter 1.0"),
        (
            "old.poetry.lock",
            OLD_POETRY,
            groups(&["speed"], &[]),
            "demo 1.0 | docs-tool 1.0 | fast 1.0 | helper 2.0 | linter 1.0",
        ),
        ("pdm.lock", PDM, defaults(), "demo 1.0 | fast 1.0 | linter 1.0"),
        ("pdm.lock", PDM, bare, "demo 1.0"),
        ("Pipfile.lock", PIPFILE, defaults(), "demo 1.0 | mac-only "),
        ("Pipfile.lock", PIPFILE, groups(&[], &["develop"]), "demo 2.0 | linter 1.0 | mac-only "),
    ] {
        assert_eq!(selected(name, text, asked.clone()).join(" | "), expected, "{name}: {asked:?}");
    }
}

#[test]
fn forks_and_markers_follow_the_target() {
    let read = read_named("uv.lock", UV, defaults());
    assert_eq!(on("3.10", "linux-x86_64", &read), ["app 1", "demo 1.0", "linter 1.0"]);
    assert_eq!(on("3.12", "windows-x86_64", &read), ["app 1", "colors 1.0", "demo 2.0", "linter 1.0"]);
    assert_eq!(on("3.8", "linux-x86_64", &read), ["- the lock is for Python >=3.9, the target has 3.8.0"]);
    let old = read_named("old.poetry.lock", OLD_POETRY, defaults());
    assert_eq!(on("3.9", "linux-x86_64", &old), ["demo 1.0", "docs-tool 1.0", "helper 1.0", "linter 1.0"]);
}

#[test]
fn the_pythons_of_the_project_count_beside_those_of_the_lock() {
    let machine = FakeSource::new()
        .file("/w/uv.lock", UV)
        .file("/w/pyproject.toml", "[project]\nname = 'app'\nrequires-python = '>=3.12.4'\n");
    let read = read(&Location::parse("uv.lock"), Role::Requirements, &machine);
    let refused = "- the project of the lock is for Python >=3.12.4, the target has 3.11.0";
    assert_eq!(on("3.11", "linux-x86_64", &read), [refused]);
    assert!(
        on("3.12", "linux-x86_64", &read)[0]
            .ends_with("the target has 3.12.0; a target of Python 3.12.4 is one of them")
    );
    assert_eq!(on("3.12.4", "linux-x86_64", &read)[0], "app 1");
}

const WORKSPACE: &str = "version = 1\nrequires-python = '>=3.9'\n[manifest]\nmembers = ['app', 'server']\n[[package]]\nname = \
                         'app'\nversion = '1'\nsource = { virtual = '.' }\ndependencies = [{ name = 'demo' \
                         }]\n[package.dev-dependencies]\ndev = [{ name = 'linter' }]\n[[package]]\nname = 'demo'\nversion = \
                         '1.0'\nsource = { registry = 'https://index.example/simple' }\n[[package]]\nname = \
                         'linter'\nversion = '1.0'\nsource = { registry = 'https://index.example/simple' \
                         }\n[[package]]\nname = 'server'\nversion = '2'\nsource = { editable = 'packages/server' \
                         }\ndependencies = [{ name = 'tool' }]\n[package.dev-dependencies]\ndev = [{ name = 'linter' \
                         }]\ntest = [{ name = 'demo' }]\n[[package]]\nname = 'tool'\nversion = '1.0'\nsource = { registry = \
                         'https://index.example/simple' }\n";

/// As `uv sync --frozen --package server`: the default groups are those of the member's own file.
#[test]
fn members_of_a_workspace_are_chosen_by_name() {
    let machine =
        FakeSource::new().file("/w/uv.lock", WORKSPACE).file("/w/pyproject.toml", "[project]\nname = 'app'\n").file(
            "/w/packages/server/pyproject.toml",
            "[project]\nname = 'server'\n[tool.uv]\ndefault-groups = ['test']\n",
        );
    let read = |members| {
        let mut reader = RequirementsReader::new(&machine).with_groups(GroupSelection { members, ..defaults() });
        reader.file(&Location::parse("uv.lock"), Role::Requirements);
        reader.finish()
    };
    let selected = |members| on("3.12", "linux-x86_64", &read(members)).join(" | ");
    assert_eq!(selected(MemberSelection::Root), "demo 1.0 | linter 1.0");
    let server = MemberSelection::Named(["server".parse().unwrap()].into());
    assert_eq!(selected(server), "demo 1.0 | server 2 | tool 1.0");
    assert_eq!(selected(MemberSelection::All), "demo 1.0 | linter 1.0 | server 2 | tool 1.0");
    for (name, part) in [("servr", "no member `servr`; did you mean `server`?"), ("tool", "no member `tool`")] {
        let told = read(MemberSelection::Named([name.parse().unwrap()].into()));
        assert!(told.problems[0].message.contains(part), "{:?}", told.problems);
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    for (name, text) in [("uv.lock", UV), ("pylock.toml", PYLOCK), ("poetry.lock", POETRY), ("Pipfile.lock", PIPFILE)] {
        let dos = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        assert_eq!(selected(name, dos, defaults()), selected(name, text, defaults()), "{name}");
    }
}

#[test]
fn a_damaged_lock_is_refused_with_its_place() {
    let duplicate = format!("{UV}\n{}", &UV[UV.rfind("[[package]]").unwrap()..]);
    for (name, text, part) in [
        ("uv.lock", UV.replace("version = 1\n", "version = 2\n"), "version 2 of this format is not read here (1 is)"),
        ("uv.lock", UV.replace("version = 1\n", ""), "pre-release of uv"),
        ("uv.lock", UV[..UV.len() / 2].to_owned(), "it is damaged"),
        ("uv.lock", format!("<<<<<<< HEAD\n{UV}"), "uv.lock:1: a merge left this conflict"),
        ("uv.lock", duplicate, "the same version from the same source twice"),
        ("uv.lock", UV.replace("sha256:1", "sha256:x"), "is no sha256 digest: no file can match it"),
        ("uv.lock", UV.replace("sha256:1", "blake9:1"), "is not a hash algorithm known here"),
        ("uv.lock", UV.replace("/demo-2.0-py3", "/other-2.0-py3"), "`other-2.0-py3-none-any.whl` is no file of demo"),
        (
            "uv.lock",
            UV.replace("name = \"colors\", marker", "name = \"colours\", marker"),
            "it needs colours, which the lock does not have",
        ),
        ("uv.lock", UV.replace("'win32'", "win32"), "the marker"),
        (
            "pylock.toml",
            PYLOCK.replace("lock-version = \"1.0\"", "lock-version = \"2.0\""),
            "version 2.0 of this format",
        ),
        ("pylock.toml", PYLOCK.replace("somebody", "pipenv"), "name the Pipfile.lock instead"),
        ("poetry.lock", POETRY.replace("\"2.1\"", "\"3.0\""), "version 3.0 of this format"),
        ("poetry.lock", POETRY.replace("demo-1.0-py3-none-any.whl", "../demo-1.0-py3-none-any.whl"), "is no file name"),
        ("pdm.lock", PDM.replace("\"4.5.0\"", "\"5.0\""), "version 5.0 of this format"),
        ("pdm.lock", PDM.replace("\"4.5.0\"", "\"3.1\""), "pdm lock --update-reuse"),
        ("Pipfile.lock", PIPFILE.replace("\"pipfile-spec\": 6", "\"pipfile-spec\": 7"), "version 7 of this format"),
        ("Pipfile.lock", PIPFILE[..PIPFILE.len() / 2].to_owned(), "it is damaged"),
        ("Pipfile.lock", PIPFILE.replace("\"demo\": {", "\"de mo!\": {"), "`de mo!` is no project name"),
        ("pylock.toml", PYLOCK.replace("sha256 = \"1", "sha256 = \"z"), "is no sha256 digest"),
        ("poetry.lock", POETRY.replace("sha256:1", "sha256:z"), "is no sha256 digest"),
        ("pdm.lock", PDM.replace("sha256:1", "sha256:z"), "is no sha256 digest"),
        ("Pipfile.lock", PIPFILE.replace("sha256:1", "sha256:z"), "is no sha256 digest"),
        ("pixi.lock", PIXI.replace("sha256: 1", "sha256: z"), "is no sha256 digest"),
        ("pdm.lock", PDM.replace("demo-1.0-py3", "../demo-1.0-py3"), "is no file name"),
        ("pylock.toml", PYLOCK.replace("name = \"demo-1.0-py3", "name = \"../demo-1.0-py3"), "is no file name"),
        ("poetry.lock", format!("{POETRY}\n{}", first_package(POETRY)), "the same version from the same source twice"),
        ("pdm.lock", format!("{PDM}\n{}", first_package(PDM)), "the lock has it twice"),
    ] {
        let told = problem(name, text);
        assert!(told.contains(part) && told.starts_with(name), "{name}: {told}");
    }
    let huge = vec![b'#'; LARGEST_FILE + 1];
    assert!(problem("uv.lock", huge).contains("larger than 16 MiB"));
    assert!(problem("uv.lock", b"\xff\xfe".to_vec()).contains("byte 0 is not UTF-8"));
}

fn first_package(lock: &str) -> &str {
    const START: &str = "[[package]]";
    let start = lock.find(START).unwrap();
    let end = lock[start + START.len()..].find(START).unwrap();
    &lock[start..start + START.len() + end]
}

#[test]
fn every_format_refuses_what_is_cut_off_or_of_an_unfinished_merge() {
    for (name, text) in LOCKS {
        let merge = format!("{text}\n<<<<<<< HEAD\n=======\n>>>>>>> other\n");
        assert!(problem(name, merge).contains("a merge left this conflict"), "{name}");
        let in_a_text = &text[..text.rfind(['"', '\'']).unwrap()];
        assert!(problem(name, in_a_text).contains("damaged"), "{name}");
    }
}

#[test]
fn secrets_in_the_urls_of_a_lock_are_not_told() {
    let text =
        PYLOCK.replace("https://files.example/", "https://me:hunter2@files.example/").replace("demo-1", "dema-1");
    let told = problem("pylock.toml", text);
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn an_unknown_group_names_the_nearest() {
    let read = read_named("poetry.lock", POETRY, groups(&[], &["dosc"]));
    assert!(read.problems[0].message.contains("no group `dosc`; did you mean `docs`?"), "{:?}", read.problems);
}

#[test]
fn a_pyproject_is_read_with_its_groups_and_extras() {
    let requirements = |asked| -> Vec<String> {
        let machine = FakeSource::new().file("/w/pyproject.toml", PROJECT);
        let mut reader = RequirementsReader::new(&machine).with_groups(asked);
        reader.file(&Location::parse("pyproject.toml"), Role::Requirements);
        let read = reader.finish();
        assert!(read.problems.is_empty(), "{:?}", read.problems);
        assert!(read.requires_python[0].0.contains(&"3.9".parse().unwrap()));
        read.requirements.iter().map(|requirement| format!("{}: {requirement}", requirement.origin.line)).collect()
    };
    assert_eq!(requirements(defaults()), ["5: demo"]);
    assert_eq!(requirements(groups(&["everything"], &["docs"])).len(), 6);
    let only = GroupSelection { only_groups: ["docs".parse().unwrap()].into(), ..defaults() };
    assert_eq!(requirements(only), ["14: docs-tool", "15: linter>=1"]);
}

#[test]
fn poetrys_tables_become_requirements() {
    let text = "[tool.poetry.dependencies]\npython = '^3.9'\nflask = '^2.1'\nold = {version = '~1.2', python = '<3.11', \
                optional = true, extras = ['x']}\nhere = {path = '../here'}\n[tool.poetry.extras]\nmore = \
                ['old']\n[tool.poetry.group.dev.dependencies]\nblack = '*'\n[tool.poetry.group.docs]\noptional = \
                true\n[tool.poetry.group.docs.dependencies]\nsphinx = '7.*'\n";
    let machine = FakeSource::new().file("/w/pyproject.toml", text);
    let mut reader = RequirementsReader::new(&machine).with_groups(groups(&["more"], &[]));
    reader.file(&Location::parse("pyproject.toml"), Role::Requirements);
    let read = reader.finish();
    let shown: Vec<_> = read.requirements.iter().map(ToString::to_string).collect();
    let expected = ["flask>=2.1, <3", "here @ /here", "old[x]>=1.2, <1.3 ; python_full_version < '3.11'", "black"];
    assert_eq!(shown, expected, "{:?}", read.problems);
}

#[test]
fn what_a_project_leaves_to_its_build_or_to_uv_is_refused() {
    for (text, part) in [
        ("[project]\nname = 'app'\ndynamic = ['dependencies']\n", "its dependencies are dynamic"),
        ("[tool.ruff]\n", "it asks for nothing"),
        ("[project]\nname='app'\ndependencies=['lib']\n[tool.uv.sources]\nlib = {workspace=true}\n", "tool.uv.sources"),
        ("[project]\nname='app'\ndependencies=['li b']\n", "is no requirement"),
        ("[project]\nname='app'\n[dependency-groups]\na=[{include-group='a'}]\n", "includes itself"),
    ] {
        let machine = FakeSource::new().file("/w/pyproject.toml", text);
        let read = read(&Location::parse("pyproject.toml"), Role::Requirements, &machine);
        assert!(read.problems.iter().any(|problem| problem.message.contains(part)), "{text}: {:?}", read.problems);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is cut out of a lock or put into it, reading and selecting end.
    #[test]
    fn no_damage_makes_a_reader_panic(
        which in 0..10usize,
        start in 0.0..1.0f64,
        length in 0..200usize,
        inserted in "[\\]\\[={}\"'a-z0-9.,\\n-]{0,20}",
    ) {
        let others = [("pyproject.toml", PROJECT), ("setup.cfg", SETUP_CFG), ("job.py.lock", UV)];
        let (name, text) = LOCKS.into_iter().chain(others).nth(which).unwrap();
        let start = (text.len() as f64 * start) as usize;
        let end = text.len().min(start + length);
        let damaged = format!("{}{inserted}{}", &text[..start], &text[end..]);
        let machine = FakeSource::new().file("/w/pyproject.toml", PROJECT).file(&format!("/w/{name}"), damaged);
        let read = read(&Location::parse(name), Role::Requirements, &machine);
        if let Some(lock) = &read.lock {
            let _ = lock.lock.select(&target("3.12", "linux-x86_64"), &lock.groups);
        }
    }
}
