use super::fake_index::{FakeIndex, File};

#[test]
fn an_extra_adds_what_it_needs() {
    let world = FakeIndex::new().file(File::wheel("a", "1.0").needs(&["c"]).extra("x", &["b"]));
    let world = world.has("b", "1.0", &[]).has("c", "1.0", &[]);
    assert_eq!(world.ask(&["a"]).solve().packages(), ["a 1.0", "c 1.0"]);
    let answer = world.ask(&["a[x]"]).solve();
    assert_eq!(answer.packages(), ["a 1.0", "b 1.0", "c 1.0"]);
    let [a, ..] = answer.solutions()[0].packages.as_slice() else { panic!() };
    assert_eq!(a.dependencies.iter().map(ToString::to_string).collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn an_extra_may_ask_for_other_extras_of_its_project() {
    let all = File::wheel("a", "1.0").extra("all", &["a[x,y]"]).extra("x", &["b"]).extra("y", &["c; os_name == 'nt'"]);
    let world = FakeIndex::new().file(all).has("b", "1.0", &[]).has("c", "1.0", &[]);
    assert_eq!(world.ask(&["a[all]"]).solve().packages(), ["a 1.0", "b 1.0"]);
    assert_eq!(world.ask(&["a[all]"]).on("3.12", "win_amd64").solve().packages(), ["a 1.0", "b 1.0", "c 1.0"]);
}

#[test]
fn extras_that_ask_for_themselves_or_each_other_end() {
    let world = FakeIndex::new().file(File::wheel("a", "1.0").extra("x", &["a[x]", "a[y]", "b"]).extra("y", &["a[x]"]));
    let world = world.has("b", "1.0", &["a[y]"]);
    assert_eq!(world.ask(&["a[x]"]).solve().packages(), ["a 1.0", "b 1.0"]);
}

/// A project and its extras are of one version, even where the extra's needs force an old one.
#[test]
fn an_extra_and_its_project_are_of_one_version() {
    let world = FakeIndex::new()
        .file(File::wheel("a", "2.0").extra("x", &["b>=2"]))
        .file(File::wheel("a", "1.0").extra("x", &["b"]))
        .has("b", "1.0", &[]);
    assert_eq!(world.ask(&["a[x]"]).solve().packages(), ["a 1.0", "b 1.0"]);
    assert_eq!(world.ask(&["a"]).solve().packages(), ["a 2.0"]);
}

/// pip warns, and takes the newest version all the same (`docs/facts/pip.md` 7.4).
#[test]
fn a_missing_extra_is_a_note() {
    let world = FakeIndex::new().has("a", "2.0", &[]).file(File::wheel("a", "1.0").extra("x", &["b"]));
    let answer = world.ask(&["a[x]"]).solve();
    assert_eq!(answer.packages(), ["a 2.0"]);
    assert_eq!(answer.solutions()[0].notes, ["a 2.0 has no extra `x`"]);
}

/// Only the version that is chosen is told of.
#[test]
fn versions_that_lost_leave_no_note() {
    let world = FakeIndex::new().has("a", "2.0", &["b>1"]).file(File::wheel("a", "1.0").extra("x", &["b"]));
    let answer = world.has("b", "1.0", &[]).ask(&["a[x]"]).solve();
    assert_eq!(answer.packages(), ["a 1.0", "b 1.0"]);
    assert!(answer.solutions()[0].notes.is_empty());
}

#[test]
fn extras_are_compared_normalized_and_united() {
    let world = FakeIndex::new().file(File::wheel("a", "1.0").extra("Big_One", &["b"]).extra("other", &["c"]));
    let world = world.has("b", "1.0", &[]).has("c", "1.0", &[]).has("d", "1.0", &["a[BIG.one]"]);
    assert_eq!(world.ask(&["d", "a[other]"]).solve().packages(), ["a 1.0", "b 1.0", "c 1.0", "d 1.0"]);
}

#[test]
fn constraints_bound_projects_with_extras_too() {
    let file = |version: &str| File::wheel("a", version).extra("x", &["b"]);
    let world = FakeIndex::new().file(file("2.0")).file(file("1.0")).has("b", "2.0", &[]).has("b", "1.0", &[]);
    assert_eq!(world.ask(&["a[x]"]).constrained(&["a<2", "b<2", "c<1"]).solve().packages(), ["a 1.0", "b 1.0"]);
}

#[test]
fn without_dependencies_extras_mean_nothing_and_no_metadata_is_asked_for() {
    let world = FakeIndex::new().file(File::wheel("a", "1.0").needs(&["c"]).extra("x", &["b"]));
    let answer = world.ask(&["a[x]"]).no_deps().solve();
    assert_eq!(answer.packages(), ["a 1.0"]);
    assert!(answer.asked.metadata.is_empty());
}
