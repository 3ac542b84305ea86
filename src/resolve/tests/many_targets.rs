use super::fake_index::{FakeIndex, File};

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
fn a_later_target_prefers_what_an_earlier_one_chose() {
    let answer = world().ask(&["a"]).on("3.9", "linux-x86_64").on("3.12", "linux-x86_64").solve();
    assert_eq!(answer.packages_by_target(), [["a 1.0"], ["a 1.0"]]);
}

/// A wheel does not give way to a source archive.
#[test]
fn a_preferred_version_must_have_as_good_a_file() {
    let world = FakeIndex::new().file(File::sdist("a", "1.0")).file(File::wheel("a", "2.0").python(">=3.10"));
    let answer = world.ask(&["a"]).on("3.9", "linux-x86_64").on("3.12", "linux-x86_64").solve();
    assert_eq!(answer.packages_by_target(), [["a 1.0"], ["a 2.0"]]);
}

/// A pre-release that another target's line asked for is no better a choice for this one.
#[test]
fn a_preferred_version_must_be_allowed_on_its_own() {
    let world = FakeIndex::new().has("a", "1.0", &[]).has("a", "2.0rc1", &[]);
    let lines = ["a", "a>=2.0rc1; sys_platform == 'win32'"];
    let answer = world.ask(&lines).on("3.12", "win_amd64").on("3.12", "linux-x86_64").solve();
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
