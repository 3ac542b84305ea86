//! Tests of indexes that keep a search busy for ever.

use super::super::Failure;
use super::fake_index::{FakeIndex, File, name};

/// Each project needs another one, as an index could make up while it is asked.
#[test]
fn a_chain_without_end_is_given_up() {
    let project = |number: usize| format!("p{number}");
    let link = |number: usize| File::wheel(&project(number), "1.0").needs(&[&project(number + 1)]);
    let world = (0..10_050).fold(FakeIndex::new(), |world, number| world.file(link(number)));
    let answer = world.ask(&["p0"]).solve_knowing(world.all_facts());
    assert!(answer.message().contains("they lead to more projects than any known set has"), "{}", answer.message());
}

#[test]
fn the_projects_in_which_a_search_turns_are_named() {
    let projects = (0..7).map(|number| name(&format!("p{number}"))).collect();
    let told = Failure::too_long(projects).to_string();
    assert!(
        told.contains("no solution was found in 200000 steps")
            && told.ends_with("p4 and 2 more: pin versions of these"),
        "{told}"
    );
}
