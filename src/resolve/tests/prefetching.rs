//! Tests of what is requested while other responses are awaited.

use super::fake_index::{FakeIndex, File};

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_chain_takes_one_round() {
    let world = FakeIndex::new()
        .has("a", "1", &["b[x]", "w; sys_platform == 'win32'"])
        .file(File::wheel("b", "1").extra("x", &["c", "b[y]"]).extra("y", &["d<2"]).extra("z", &["z"]))
        .has("c", "1", &["d"])
        .has("d", "1", &[])
        .has("d", "2", &["e"]);
    let answer = world.ask(&["a"]).solve_ahead();
    assert_eq!(answer.packages(), world.ask(&["a"]).solve().packages());
    assert_eq!(answer.asked.rounds, 1, "{:?}", answer.asked);
    assert_eq!(answer.asked.listings.into_iter().collect::<Vec<_>>(), strings(&["a", "b", "c", "d"]));
    let metadata = ["a-1", "b-1", "c-1", "d-1"].map(|stem| format!("{stem}-py3-none-any.whl"));
    assert_eq!(answer.asked.metadata.into_iter().collect::<Vec<_>>(), metadata);
}

/// Each of a hundred versions needs something else of another project, which needs one of them.
#[test]
fn what_goes_round_in_circles_is_left_to_steps() {
    let mut world = FakeIndex::new();
    for version in 1..100 {
        let (text, other) = (version.to_string(), format!("b=={}", version - 1));
        let back = format!("a=={}", 100 - version);
        world = world.has("a", &text, &[&other]).has("b", &text, &[&back]);
    }
    let (ahead, steps) = (world.ask(&["a"]).solve_ahead(), world.ask(&["a"]).solve());
    assert_eq!(format!("{:?}", ahead.result), format!("{:?}", steps.result));
    assert!(ahead.asked.metadata.len() <= steps.asked.metadata.len() + 4);
}

/// No version of a hundred will do, and each has to be looked at.
#[test]
fn a_long_way_down_takes_few_rounds() {
    let world = (0..100).fold(FakeIndex::new(), |world, minor| {
        let needs = format!("b>{}", minor + 2);
        world.file(File::wheel("a", &format!("1.{minor}")).needs(&[&needs]))
    });
    let world = world.has("b", "1", &[]);
    let (ahead, steps) = (world.ask(&["a"]).solve_ahead(), world.ask(&["a"]).solve());
    assert_eq!(format!("{:?}", ahead.result), format!("{:?}", steps.result));
    assert_eq!(ahead.asked.metadata.len(), 100);
    assert!(ahead.asked.rounds <= 10 && steps.asked.rounds >= 100, "{} of {}", ahead.asked.rounds, steps.asked.rounds);
}

/// Where the fifth version will do, few are asked for that nobody looks at.
#[test]
fn a_short_way_down_asks_for_little_more() {
    let mut world = FakeIndex::new().has("b", "1", &[]);
    for minor in 0..100 {
        world = world.has("a", &format!("1.{minor}"), &[if minor < 95 { "b" } else { "b>1" }]);
    }
    let answer = world.ask(&["a"]).solve_ahead();
    assert_eq!(answer.packages(), ["a 1.94", "b 1"]);
    assert!(answer.asked.metadata.len() <= 12, "{:?}", answer.asked.metadata);
}
