use super::fake_index::{FakeIndex, File};
use crate::domain::ForkStrategy::{Fewest, PerTarget, RequiresPython};

/// Wheels of 2.0 for new Pythons, of 1.0 for all.
fn world() -> FakeIndex {
    FakeIndex::new().has("a", "1.0", &[]).file(File::wheel("a", "2.0").python(">=3.10"))
}

#[test]
fn each_target_is_solved_on_its_own() {
    let answer = world().ask(&["a"]).on("3.12", "linux-x86_64").on("3.9", "linux-x86_64").solve();
    assert_eq!(answer.packages_by_target(), [["a 2.0"], ["a 1.0"]]);
}

#[test]
fn the_order_of_targets_decides_no_version() {
    let (old, new) = (("3.9", "linux-x86_64"), ("3.12", "linux-x86_64"));
    for (strategy, for_old, for_new) in [(PerTarget, "a 1.0", "a 2.0"), (Fewest, "a 1.0", "a 1.0")] {
        let answer = world().ask(&["a"]).sharing(strategy).on(old.0, old.1).on(new.0, new.1).solve();
        assert_eq!(answer.packages_by_target(), [[for_old], [for_new]], "{strategy:?}");
        let answer = world().ask(&["a"]).sharing(strategy).on(new.0, new.1).on(old.0, old.1).solve();
        assert_eq!(answer.packages_by_target(), [[for_new], [for_old]], "{strategy:?}");
    }
}

/// As uv says of `requires-python`: as few versions as possible across platforms, and the newest for each Python.
#[test]
fn targets_of_one_python_may_share_versions() {
    let world = FakeIndex::new().has("a", "1.0", &[]).file(File::wheel("a", "2.0").tags("py3-none-win_amd64"));
    let world = world.file(File::wheel("a", "0.9").python("<3.10"));
    let asking = world.ask(&["a; python_version > '3.9'", "a<1; python_version < '3.10'"]);
    let asking = asking.on("3.12", "linux-x86_64").on("3.12", "win_amd64").on("3.13", "win_amd64");
    let asking = asking.on("3.9", "linux-x86_64");
    for (strategy, expected) in [
        (PerTarget, ["a 1.0", "a 2.0", "a 2.0", "a 0.9"]),
        (RequiresPython, ["a 1.0", "a 1.0", "a 2.0", "a 0.9"]),
        (Fewest, ["a 1.0", "a 1.0", "a 1.0", "a 0.9"]),
    ] {
        let answer = asking.clone().sharing(strategy).solve();
        assert_eq!(answer.packages_by_target(), expected.map(|package| [package]), "{strategy:?}");
    }
}

/// A wheel does not give way to a source archive.
#[test]
fn a_preferred_version_must_have_as_good_a_file() {
    let world = FakeIndex::new().file(File::sdist("a", "1.0")).file(File::wheel("a", "2.0").python(">=3.10"));
    let asking = world.ask(&["a"]).sharing(Fewest).on("3.9", "linux-x86_64").on("3.12", "linux-x86_64");
    assert_eq!(asking.solve().packages_by_target(), [["a 1.0"], ["a 2.0"]]);
}

/// A pre-release that another target's line asked for is no better a choice for this one.
#[test]
fn a_preferred_version_must_be_allowed_on_its_own() {
    let world = FakeIndex::new().has("a", "1.0", &[]).has("a", "2.0rc1", &[]);
    let lines = ["a", "a>=2.0rc1; sys_platform == 'win32'"];
    let answer = world.ask(&lines).sharing(Fewest).on("3.12", "win_amd64").on("3.12", "linux-x86_64").solve();
    assert_eq!(answer.packages_by_target(), [["a 2.0rc1"], ["a 1.0"]]);
}

#[test]
fn targets_share_what_is_known() {
    let world = world().has("b", "1.0", &["a"]);
    let one = world.ask(&["b"]).on("3.12", "linux-x86_64").solve().asked;
    let two = world.ask(&["b"]).on("3.12", "linux-x86_64").on("3.12", "win_amd64").solve().asked;
    assert_eq!((one.listings, one.metadata), (two.listings, two.metadata));
}

#[test]
fn one_failure_on_several_targets_is_one_and_the_rest_is_solved() {
    let world = FakeIndex::new().file(File::wheel("a", "1.0").tags("cp312-cp312-win_amd64"));
    let asking = world.ask(&["a"]).on("3.12", "linux-x86_64").on("3.12", "win_amd64").on("3.12", "linux-x86_64-musl");
    let answer = asking.solve();
    assert_eq!(answer.failure().targets, [0, 2]);
}
