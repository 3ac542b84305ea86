use super::super::Reason;
use super::fake_index::{FakeIndex, File};

/// A world of one project with these versions.
fn world(versions: &[&str]) -> FakeIndex {
    versions.iter().fold(FakeIndex::new(), |world, version| world.has("a", version, &[]))
}

fn package(versions: &[&str], lines: &[&str]) -> String {
    world(versions).ask(lines).solve().packages().remove(0)
}

#[test]
fn the_newest_version_that_every_line_allows_is_taken() {
    for (versions, lines, expected) in [
        (&["1.0", "1.10", "1.9"][..], &["a"][..], "a 1.10"),
        (&["1.0", "1.5", "2.0"], &["a>=1", "a<2"], "a 1.5"),
        (&["1.4.1", "1.4.9", "1.5"], &["a~=1.4.2"], "a 1.4.9"),
        (&["1.4", "1.9", "2.0"], &["a~=1.4"], "a 1.9"),
        (&["1.4", "1.40", "1.5"], &["a==1.4.*"], "a 1.4"),
        (&["1.0", "1!0.5"], &["a"], "a 1!0.5"),
        (&["1.0", "1!0.5"], &["a<1!0"], "a 1.0"),
        (&["1.0", "1.0.post1", "1.0.post2"], &["a==1.0"], "a 1.0"),
        (&["1.0", "1.0.post1"], &["a>=1.0"], "a 1.0.post1"),
        (&["1.0", "1.0+cpu", "1.0+gpu"], &["a==1.0"], "a 1.0+gpu"),
        (&["1.0", "1.0+cpu", "1.0+gpu"], &["a==1.0+cpu"], "a 1.0+cpu"),
        (&["1.0", "1.0+cpu"], &["a===1.0"], "a 1.0"),
        (&["1.0.0", "1.0.1"], &["a!=1.0.1"], "a 1.0.0"),
        (&["2004d", "2004.1"], &["a"], "a 2004.1"),
    ] {
        assert_eq!(package(versions, lines), expected, "{lines:?} of {versions:?}");
    }
}

/// pip 26 (`docs/facts/pip.md` 3.8).
#[test]
fn pre_releases_are_taken_if_asked_for_or_alone() {
    for (versions, lines, expected) in [
        (&["1.0", "2.0rc1"][..], &["a"][..], "a 1.0"),
        (&["1.0", "2.0rc1"], &["a>=2.0rc1"], "a 2.0rc1"),
        (&["1.0", "2.0rc1"], &["a>=1.0.dev0"], "a 2.0rc1"),
        (&["1.0", "2.0rc1"], &["a!=1.5rc1"], "a 1.0"),
        (&["1.0", "2.0rc1"], &["a>1.0"], "a 2.0rc1"),
        (&["1.0a1", "1.0b2"], &["a"], "a 1.0b2"),
        (&["1.0", "2.0rc1"], &["a", "a>=0.1rc1"], "a 2.0rc1"),
    ] {
        assert_eq!(package(versions, lines), expected, "{lines:?} of {versions:?}");
    }
    let asking = world(&["1.0", "2.0rc1"]).ask(&["a"]).policy(|policy| policy.releases.pre()).solve().packages();
    assert_eq!(asking, ["a 2.0rc1"]);
}

#[test]
fn a_constraint_opts_in_to_pre_releases() {
    let world = world(&["1.0", "2.0rc1"]);
    assert_eq!(world.ask(&["a"]).constrained(&["a>=1.0rc1"]).solve().packages(), ["a 2.0rc1"]);
}

#[test]
fn metadata_opts_in_to_pre_releases() {
    let world = world(&["1.0", "2.0", "3.0rc1"]).has("b", "1.0", &["a>=1.0rc1"]).has("c", "1.0", &["a>=3.0rc1"]);
    assert_eq!(world.ask(&["b"]).solve().packages(), ["a 3.0rc1", "b 1.0"]);
    assert_eq!(world.ask(&["a", "c"]).solve().packages(), ["a 3.0rc1", "c 1.0"]);
}

/// What a version asked that lost against another is not asked.
#[test]
fn a_version_that_lost_opts_in_to_nothing() {
    let world = world(&["1.0", "2.0rc1"]).has("b", "2.0", &["a>=1.0rc1", "c>=2"]).has("b", "1.0", &["a"]);
    assert_eq!(world.has("c", "1.0", &[]).ask(&["b", "c"]).solve().packages(), ["a 1.0", "b 1.0", "c 1.0"]);
}

/// A conflict that rules out every release does not make pre-releases the only ones: pip fails.
#[test]
fn conflicts_do_not_open_the_way_for_pre_releases() {
    let world = FakeIndex::new().has("a", "1.0", &["b<1"]).has("a", "2.0rc1", &[]).has("b", "1.0", &[]);
    let answer = world.ask(&["a", "b"]).solve();
    assert!(matches!(answer.reason(), Reason::Conflict { .. }), "{}", answer.message());
}

#[test]
fn yanked_versions_are_taken_only_if_pinned_and_alone() {
    let yanked = |version: &str| File::wheel("a", version).yanked("broken");
    let world = FakeIndex::new().has("a", "1.0", &[]).file(yanked("2.0"));
    assert_eq!(world.ask(&["a"]).solve().packages(), ["a 1.0"]);
    assert_eq!(world.ask(&["a==2.0"]).solve().packages(), ["a 2.0"]);
    assert_eq!(world.ask(&["a===2.0"]).solve().packages(), ["a 2.0"]);
    assert_eq!(world.ask(&["a"]).constrained(&["a==2.0"]).solve().packages(), ["a 2.0"]);
    let message = world.ask(&["a>=2"]).solve().message();
    assert!(message.contains("a-2.0-py3-none-any.whl was yanked (broken): pin it"), "{message}");
    assert!(matches!(world.ask(&["a==2.*"]).solve().reason(), Reason::NoFile { .. }));
    let world = world.file(File::sdist("a", "2.0"));
    assert_eq!(world.ask(&["a==2.0"]).solve().files(), ["a-2.0.tar.gz"]);
}

/// pip's rule; uv asks for a line of the user's own.
#[test]
fn metadata_may_pin_a_yanked_version() {
    let world = FakeIndex::new().has("b", "1.0", &["a==2.0"]).has("a", "1.0", &[]);
    let world = world.file(File::wheel("a", "2.0").yanked(""));
    assert_eq!(world.ask(&["b"]).solve().packages(), ["a 2.0", "b 1.0"]);
}

#[test]
fn a_yanked_release_hides_pre_releases() {
    let world = FakeIndex::new().file(File::wheel("a", "1.0").yanked("")).has("a", "2.0rc1", &[]);
    assert!(matches!(world.ask(&["a"]).solve().reason(), Reason::NoFile { .. }));
}

#[test]
fn requires_python_rules_a_version_out_by_page_and_by_metadata() {
    let world = FakeIndex::new()
        .has("a", "1.0", &[])
        .file(File::wheel("a", "2.0").metadata_python(">=3.10"))
        .file(File::wheel("a", "3.0").page_python(">=3.12"));
    for (python, expected) in [("3.9", "a 1.0"), ("3.10", "a 2.0"), ("3.12", "a 3.0"), ("3.11.9", "a 2.0")] {
        assert_eq!(world.ask(&["a"]).on(python, "linux-x86_64").solve().packages(), [expected], "{python}");
    }
}

/// A target of Python 3.12 stands for 3.12.0, and people mean the newest release by it.
#[test]
fn versions_for_a_later_release_of_the_same_python_are_told() {
    let world = FakeIndex::new()
        .has("a", "1.0", &[])
        .file(File::wheel("a", "2.0").page_python(">=3.12.4"))
        .file(File::wheel("a", "3.0").page_python(">=3.12.7,!=3.12.7"))
        .file(File::wheel("a", "4.0").page_python(">=3.13"))
        .file(File::wheel("a", "5.0rc1").page_python(">=3.12.9"))
        .has("b", "1.0", &[])
        .file(File::wheel("b", "2.0").page_python(">=3.12.2").yanked("broken"));
    let notes = |on: &str, lines: &[&str]| {
        world.ask(lines).on(on, "manylinux_2_28_x86_64").solve().solutions()[0].notes.clone()
    };
    let told = "newer versions need a later release of Python than 3.12.0: a 3.0 (3.12.8); a target of Python 3.12.8 gets them";
    assert_eq!(notes("3.12", &["a", "b"]), [told]);
    assert!(notes("3.12", &["a<2", "b"]).is_empty());
    assert!(notes("3.12.5", &["a"]).is_empty(), "it is this release that is asked for");
    assert!(notes("3.13", &["a<4"]).is_empty());
}

/// pip ignores it (`docs/facts/pip.md` 7.2).
#[test]
fn requires_python_that_is_none_rules_nothing_out() {
    let world = FakeIndex::new().file(File::wheel("a", "1.0").python(">=3.99.*"));
    assert_eq!(world.ask(&["a"]).solve().packages(), ["a 1.0"]);
}

#[test]
fn lines_hold_by_the_markers_of_the_target() {
    let world = FakeIndex::new()
        .has("a", "1.0", &["b; sys_platform == 'win32'", "c; python_version < '3.10'"])
        .has("b", "1.0", &[])
        .has("c", "1.0", &[]);
    assert_eq!(world.ask(&["a"]).on("3.12", "win_amd64").solve().packages(), ["a 1.0", "b 1.0"]);
    assert_eq!(world.ask(&["a"]).on("3.9", "macos-arm64").solve().packages(), ["a 1.0", "c 1.0"]);
    let answer = world.ask(&["a", "b; python_version > '3.12'", "c==9; os_name == 'nt'"]).solve();
    assert_eq!(answer.packages(), ["a 1.0"]);
    assert!(!answer.asked.listings.contains("b"));
}

#[test]
fn constraints_bound_and_ask_for_nothing() {
    let world = world(&["1.0", "2.0", "3.0"]).has("b", "1.0", &["a"]);
    assert_eq!(world.ask(&["b"]).constrained(&["A<3", "a!=2.0", "c==1"]).solve().packages(), ["a 1.0", "b 1.0"]);
    assert_eq!(world.ask(&["a"]).constrained(&["a<2; os_name == 'nt'"]).solve().packages(), ["a 3.0"]);
    assert!(matches!(world.ask(&["a"]).constrained(&["a>3"]).solve().reason(), Reason::NoVersion { .. }));
}

#[test]
fn lines_that_cannot_agree_are_told_without_a_search() {
    let answer = world(&["1.0", "2.0"]).ask(&["a==1.0", "a==2.0"]).solve();
    assert_eq!(
        answer.message(),
        "a: these cannot all hold\n  requirements.txt:1 asks for a==1.0\n  requirements.txt:2 asks for a==2.0\n  \
         the nearest versions of a are 1.0, 2.0"
    );
    assert!(answer.asked.metadata.is_empty());
    assert_eq!(answer.failure().origins.len(), 2);
}

#[test]
fn everything_wrong_is_told_at_once() {
    let answer = world(&["1.0"]).ask(&["a>1", "b", "c"]).solve();
    let packages: Vec<_> = answer.failures().iter().filter_map(|failure| failure.package.as_ref()).collect();
    assert_eq!(packages.into_iter().map(ToString::to_string).collect::<Vec<_>>(), ["a", "b", "c"]);
}
