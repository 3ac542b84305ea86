//! Tests of which of two projects gives way if both cannot have their newest version.
use crate::domain::ForkStrategy;

use super::fake_index::{FakeIndex, File};

/// A dependency gives way to what needs it, as in pip; after a real set.
#[test]
fn a_library_gives_way_to_what_is_built_on_it() {
    let world = FakeIndex::new()
        .has("app", "1.0", &["codec[fast]>=3", "wire<6", "hub>=1,<2"])
        .file(File::wheel("codec", "3.9").extra("fast", &["pack"]))
        .file(File::wheel("codec", "3.14").extra("fast", &["pack"]))
        .file(File::wheel("codec", "3.23").extra("fast", &["pack"]))
        .has("pack", "1.0", &[])
        .has("wire", "5.0", &[])
        .has("wire", "6.0", &[])
        .has("hub", "1.24", &["codec[fast]<3.18", "wire>=6"])
        .has("hub", "1.16", &["codec[fast]<3.15", "wire<6"])
        .has("hub", "1.10", &["codec[fast]<4", "wire<6"]);
    let answer = world.ask(&["app"]).solve();
    assert_eq!(answer.packages(), ["app 1.0", "codec 3.14", "hub 1.16", "pack 1.0", "wire 5.0"]);
    assert!(!answer.asked.metadata.contains("hub-1.10-py3-none-any.whl"), "{:?}", answer.asked.metadata);
}

#[test]
fn whoever_gave_way_may_make_others_give_way() {
    let world = FakeIndex::new()
        .has("low", "1.0", &[])
        .has("low", "2.0", &[])
        .has("low", "3.0", &[])
        .has("middle", "1.0", &["low<2"])
        .has("middle", "2.0", &["low<3"])
        .has("high", "1.0", &["middle<2"]);
    assert_eq!(world.ask(&["low", "middle", "high"]).solve().packages(), ["high 1.0", "low 1.0", "middle 1.0"]);
    assert_eq!(world.ask(&["low", "middle"]).solve().packages(), ["low 2.0", "middle 2.0"]);
}

/// As pip and uv decide; retold after a real set.
#[test]
fn a_project_that_is_named_with_an_extra_stays() {
    let world = FakeIndex::new()
        .file(File::wheel("engine", "4.3").extra("sql", &["tables"]))
        .file(File::wheel("engine", "4.2").extra("sql", &["tables"]))
        .has("tables", "1.0", &[])
        .has("lake", "4.4", &["engine<4.3"])
        .has("lake", "4.1", &["engine"]);
    assert_eq!(world.ask(&["engine[sql]", "lake"]).solve().packages(), ["engine 4.3", "lake 4.1", "tables 1.0"]);
    assert_eq!(world.ask(&["engine", "lake"]).solve().packages(), ["engine 4.2", "lake 4.4"]);
    assert_eq!(world.ask(&["engine[sql]", "lake>4.1"]).solve().packages(), ["engine 4.2", "lake 4.4", "tables 1.0"]);
}

/// The metadata of a hundred releases with the same dependencies is not waited for.
#[test]
fn few_versions_are_looked_at() {
    let world = FakeIndex::new().has("a", "1.0", &[]).has("a", "2.0", &[]).has("b", "0.9", &[]);
    let world = (0..100).fold(world, |world, minor| world.has("b", &format!("1.{minor}"), &["a<2"]));
    let answer = world.ask(&["a", "b"]).solve();
    assert_eq!(answer.packages(), ["a 1.0", "b 1.99"]);
    assert_eq!(answer.asked.metadata.len(), 3, "{:?}", answer.asked.metadata);
}

/// Where lines exclude each other, the project that was asked for first stays.
#[test]
fn of_rivals_the_first_stays() {
    let world = FakeIndex::new()
        .has("a", "1.0", &[])
        .has("a", "2.0", &["c==1.0"])
        .has("b", "1.0", &[])
        .has("b", "2.0", &["c==2.0"])
        .has("c", "1.0", &[])
        .has("c", "2.0", &[]);
    assert_eq!(world.ask(&["a", "b"]).solve().packages(), ["a 2.0", "b 1.0", "c 1.0"]);
    assert_eq!(world.ask(&["b", "a"]).solve().packages(), ["a 1.0", "b 2.0", "c 2.0"]);
}

/// What an earlier target got is no reason to hold others back.
#[test]
fn a_preferred_version_gives_way_too() {
    let world = FakeIndex::new()
        .file(File::wheel("low", "1.0"))
        .file(File::wheel("low", "2.0").python(">=3.10"))
        .has("high", "1.0", &[])
        .file(File::wheel("high", "2.0").needs(&["low>=2"]).python(">=3.10"));
    let asking = world.ask(&["low", "high"]).sharing(ForkStrategy::Fewest);
    let answer = asking.on("3.9", "linux-x86_64").on("3.12", "linux-x86_64").solve();
    assert_eq!(answer.packages_by_target(), [["high 1.0", "low 1.0"], ["high 1.0", "low 1.0"]]);
    let answer = world.ask(&["low", "high>=1"]).on("3.12", "linux-x86_64").solve();
    assert_eq!(answer.packages(), ["high 2.0", "low 2.0"]);
}

/// An old release without the extra fits everything, but is not wanted.
#[test]
fn an_extra_is_not_lost_for_the_newest_version_of_another() {
    let world = FakeIndex::new()
        .file(File::wheel("net", "2.0").extra("frames", &["frame>=3,<4"]))
        .has("net", "1.0", &[])
        .has("frame", "3.2", &[])
        .has("frame", "4.0", &[]);
    assert_eq!(world.ask(&["frame", "net[frames]"]).solve().packages(), ["frame 3.2", "net 2.0"]);
}

/// A bound that the project itself has holds for what its extra needs of it, too.
#[test]
fn bounds_hold_for_extras() {
    let world = FakeIndex::new().file(File::wheel("app", "1.0").needs(&["kit~=1.4"]).extra("gui", &["kit[gui]"]));
    let versions = ["1.0", "1.3", "1.4", "2.0"];
    let world =
        versions.iter().fold(world, |world, version| world.file(File::wheel("kit", version).extra("gui", &["qt"])));
    let answer = world.has("qt", "1.0", &[]).ask(&["app[gui]"]).solve();
    assert_eq!(answer.packages(), ["app 1.0", "kit 1.4", "qt 1.0"]);
    assert_eq!(answer.asked.metadata.len(), 3, "{:?}", answer.asked.metadata);
}
