//! Tests of versions whose dependencies only a build can tell: an error if the solution prefers
//! one, otherwise they are skipped.

use super::super::Reason;
use super::fake_index::{FakeIndex, File};
use crate::domain::{MetadataUnavailable, Remedy};

fn silent(name: &str, version: &str) -> File {
    File::sdist(name, version).unknown(MetadataUnavailable::NeedsBuild)
}

fn needs_build(file: &str) -> Reason {
    Reason::NeedsBuild { file: file.into() }
}

#[test]
fn the_version_that_would_be_taken_is_an_error_with_its_remedy() {
    let world = FakeIndex::new().file(silent("a", "2.0")).has("a", "1.0", &[]);
    let answer = world.ask(&["a"]).solve();
    assert_eq!(answer.reason(), &needs_build("a-2.0.tar.gz"));
    assert_eq!(answer.reason().remedies(), [Remedy::AllowBuild].into());
    assert!(!answer.asked.metadata.contains("a-1.0-py3-none-any.whl"), "{:?}", answer.asked.metadata);
    assert_eq!(world.ask(&["a<2"]).solve().packages(), ["a 1.0"]);
    assert_eq!(world.ask(&["a"]).no_deps().solve().packages(), ["a 2.0"]);
}

#[test]
fn what_another_line_excludes_is_none() {
    let world = FakeIndex::new().file(silent("a", "2.0")).has("a", "1.0", &[]);
    let world = world.file(silent("b", "2.0")).has("b", "1.0", &["a<2"]).has("c", "1.0", &["b<2"]);
    assert_eq!(world.ask(&["b", "c"]).solve().packages(), ["a 1.0", "b 1.0", "c 1.0"]);
}

/// The search came by `b 0.5`, since `b 9.0` did not go with `a 5.0`.
#[test]
fn where_it_is_only_passed_by_a_solution_without_it_stands() {
    let world = FakeIndex::new()
        .has("a", "5.0", &["c==2.0"])
        .has("a", "4.0", &[])
        .has("b", "9.0", &["c==1.0"])
        .file(silent("b", "0.5"))
        .has("c", "1.0", &[])
        .has("c", "2.0", &[]);
    let answer = world.ask(&["a", "b"]).solve();
    assert_eq!(answer.packages(), ["a 4.0", "b 9.0", "c 1.0"]);
    let notes = &answer.solutions()[0].notes;
    assert_eq!(notes, &["passed over b-0.5.tar.gz: what it needs is only known by running its build"]);
    let answer = world.ask(&["a>=5", "b"]).solve();
    assert_eq!(answer.reason(), &needs_build("b-0.5.tar.gz"), "nothing else solves");
}

/// Of what satisfies all that the solution asks, `a 2.0` is the best.
#[test]
fn it_is_no_reason_to_go_further_back() {
    let world = FakeIndex::new()
        .has("a", "3.0", &["c<1"])
        .file(silent("a", "2.0"))
        .has("a", "1.0", &[])
        .has("c", "0.1", &[])
        .has("c", "1.0", &[]);
    assert_eq!(world.ask(&["c>=1", "a"]).solve().reason(), &needs_build("a-2.0.tar.gz"));
}

/// An old version that had no such extra yet is no answer to `table[sheets]`.
#[test]
fn nor_to_take_an_older_version_of_what_needs_it() {
    let world = FakeIndex::new()
        .file(File::wheel("table", "3.0").needs(&["number>=2"]).extra("sheets", &["sheet"]))
        .file(File::wheel("table", "2.0").extra("sheets", &["sheet"]))
        .has("table", "1.0", &[])
        .file(silent("sheet", "1.4"))
        .file(silent("sheet", "1.3"))
        .has("number", "1.0", &[])
        .has("number", "2.0", &[]);
    let answer = world.ask(&["table[sheets]"]).solve();
    assert_eq!(answer.reason(), &needs_build("sheet-1.4.tar.gz"));
    assert!(!answer.asked.metadata.contains("table-2.0-py3-none-any.whl"), "{:?}", answer.asked.metadata);
    let answer = world.ask(&["table[sheets]", "number<2"]).solve();
    assert_eq!(answer.reason(), &needs_build("sheet-1.4.tar.gz"), "2.0 is as new as it can be");
}
