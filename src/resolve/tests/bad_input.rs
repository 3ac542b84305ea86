use super::super::Reason;
use super::fake_index::{FakeIndex, File};

#[test]
fn cycles_end() {
    let world = FakeIndex::new().has("a", "1.0", &["b"]).has("b", "1.0", &["c"]).has("c", "1.0", &["a>=1"]);
    assert_eq!(world.ask(&["a"]).solve().packages(), ["a 1.0", "b 1.0", "c 1.0"]);
}

#[test]
fn a_project_may_depend_on_itself_in_the_same_version_only() {
    let world = FakeIndex::new().has("a", "2.0", &["a<2"]).has("a", "1.0", &["a", "a>=1"]);
    assert_eq!(world.ask(&["a"]).solve().packages(), ["a 1.0"]);
    let message = world.ask(&["a>1"]).solve().message();
    assert!(message.contains("a 2.0 cannot be used: it needs another version of itself (a<2)"), "{message}");
}

#[test]
fn a_line_that_cannot_be_read_skips_the_version_and_is_told_if_it_matters() {
    let world = FakeIndex::new().has("a", "2.0", &["b =< 3"]).has("a", "1.0", &[]);
    assert_eq!(world.ask(&["a"]).solve().packages(), ["a 1.0"]);
    let message = world.ask(&["a>1"]).solve().message();
    assert!(message.contains("a 2.0 cannot be used: its `Requires-Dist: b =< 3` cannot be read"), "{message}");
}

/// As pip: such a file is not there.
#[test]
fn versions_that_are_none_are_ignored() {
    let world = FakeIndex::new().has("a", "2004d", &[]).has("a", "1.0", &[]).file(File::sdist("b", "1.0pl1"));
    assert_eq!(world.ask(&["a"]).solve().packages(), ["a 1.0"]);
    let message = world.ask(&["b"]).solve().message();
    let expected = "the project has no usable files\n  b-1.0pl1.tar.gz: `1.0pl1` is not a PEP 440 version";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn an_empty_page_is_a_project_without_files() {
    let answer = FakeIndex::new().empty_page("a").ask(&["a"]).solve();
    assert!(matches!(answer.reason(), Reason::NoVersion { .. }));
    assert!(answer.message().contains("the project has no files"), "{}", answer.message());
    let answer = FakeIndex::new().ask(&["a"]).solve();
    assert!(answer.message().contains("no such project on https://index.example/simple/"), "{}", answer.message());
}

/// pip takes the last of an HTML page's entries for the same file (`docs/facts/pip.md` 3.7); of a JSON
/// page the listing has one only.
#[test]
fn of_a_file_that_is_listed_twice_the_last_counts_or_the_one_that_is_promised() {
    let (one, two) = ("1".repeat(64), "2".repeat(64));
    let world = FakeIndex::new().file(File::wheel("a", "1.0").sha256(&one)).file(File::wheel("a", "1.0").sha256(&two));
    let digest = |line: &str| {
        let answer = world.ask(&[line]).solve();
        answer.solutions()[0].packages[0].file.expected.by_index[0].hex.to_string()
    };
    assert_eq!(digest("a"), two);
    assert_eq!(digest(&format!("a --hash=sha256:{one}")), one);
}
