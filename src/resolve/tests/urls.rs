use super::super::Reason;
use super::fake_index::{FakeIndex, File};

const URL: &str = "https://files.example/b-2.0-py3-none-any.whl";
const OTHER: &str = "https://files.example/other/b-3.0-py3-none-any.whl";

/// `b` 1.0 is on the index, 2.0 and 3.0 are elsewhere; `b` needs `c`.
fn world() -> FakeIndex {
    FakeIndex::new()
        .has("b", "1.0", &["c"])
        .has("c", "1.0", &[])
        .at(URL, File::wheel("b", "2.0").needs(&["c"]))
        .at(OTHER, File::wheel("b", "3.0"))
}

#[test]
fn a_url_beats_the_index_which_is_not_asked() {
    let answer = world().ask(&[&format!("b @ {URL}"), "b>=1"]).solve();
    assert_eq!(answer.packages(), ["b 2.0", "c 1.0"]);
    assert!(!answer.asked.listings.contains("b"));
    assert_eq!(answer.solutions()[0].packages[0].file.url.to_string(), URL);
}

#[test]
fn a_url_must_satisfy_the_other_lines() {
    let answer = world().ask(&[&format!("b @ {URL}"), "b<2"]).solve();
    assert!(
        answer.message().contains("b-2.0-py3-none-any.whl is version 2.0, and <2 is asked"),
        "{}",
        answer.message()
    );
    let answer = world().ask(&[&format!("b @ {URL}")]).constrained(&["b<2"]).solve();
    assert!(matches!(answer.reason(), Reason::WrongFile(_)));
    let answer = world().has("a", "1.0", &["b<2"]).ask(&["a", &format!("b @ {URL}")]).solve();
    assert!(answer.message().contains("a 1.0 needs b<2"), "{}", answer.message());
}

#[test]
fn a_url_in_a_constraint_is_where_the_project_comes_from() {
    let constraint = format!("b @ {URL}");
    assert_eq!(world().ask(&["b"]).constrained(&[&constraint]).solve().packages(), ["b 2.0", "c 1.0"]);
    let world = world().has("a", "1.0", &["b"]);
    assert_eq!(world.ask(&["a"]).constrained(&[&constraint]).solve().packages(), ["a 1.0", "b 2.0", "c 1.0"]);
    assert_eq!(world.ask(&["c"]).constrained(&[&constraint]).solve().packages(), ["c 1.0"]);
}

/// pip's rule of sameness, `docs/facts/pip.md` 2.4.
#[test]
fn lines_that_name_files_must_name_the_same() {
    let same = format!("b @ {}#egg=b", URL.replace("https://", "https://me:pw@"));
    assert_eq!(world().ask(&[&format!("b @ {URL}"), &same]).solve().packages(), ["b 2.0", "c 1.0"]);
    for answer in [
        world().ask(&[&format!("b @ {URL}"), &format!("b @ {OTHER}")]).solve(),
        world().ask(&[&format!("b @ {URL}")]).constrained(&[&format!("b @ {OTHER}")]).solve(),
    ] {
        let message = answer.message();
        assert!(message.contains(URL) && message.contains(OTHER), "{message}");
    }
}

#[test]
fn metadata_may_name_a_url() {
    let world = world().has("a", "1.0", &[&format!("b @ {URL}")]);
    assert_eq!(world.ask(&["a"]).solve().packages(), ["a 1.0", "b 2.0", "c 1.0"]);
    assert_eq!(world.ask(&["b", "a"]).solve().packages(), ["a 1.0", "b 2.0", "c 1.0"]);
    assert_eq!(world.ask(&[&format!("b @ {URL}"), "a"]).solve().packages(), ["a 1.0", "b 2.0", "c 1.0"]);
    let message = world.ask(&[&format!("b @ {OTHER}"), "a"]).solve().message();
    assert!(message.contains(&format!("b comes from {OTHER} already")), "{message}");
}

#[test]
fn a_version_that_names_a_url_gives_way_where_the_url_cannot_be() {
    let world = world().has("a", "2.0", &[&format!("b @ {URL}")]).has("a", "1.0", &["b"]);
    assert_eq!(world.ask(&["a", "b<2"]).solve().packages(), ["a 1.0", "b 1.0", "c 1.0"]);
    assert_eq!(world.ask(&["a<2"]).solve().packages(), ["a 1.0", "b 1.0", "c 1.0"]);
}

/// The URL goes with the version that named it.
#[test]
fn a_url_that_only_a_lost_version_named_does_not_count() {
    let world = world().has("a", "2.0", &[&format!("b @ {URL}"), "c>1"]).has("a", "1.0", &["b"]);
    assert_eq!(world.ask(&["a"]).solve().packages(), ["a 1.0", "b 1.0", "c 1.0"]);
}

#[test]
fn two_versions_may_name_two_urls() {
    let world = world().has("a", "2.0", &[&format!("b @ {URL}")]).has("a", "1.0", &[&format!("b @ {OTHER}")]);
    let world = world.has("d", "1.0", &["b>=3"]);
    assert_eq!(world.ask(&["a", "d"]).solve().packages(), ["a 1.0", "b 3.0", "d 1.0"]);
}

#[test]
fn an_archive_whose_name_tells_nothing_has_no_version() {
    let url = "https://files.example/main.zip";
    let world = world().at(url, File::sdist("b", "9.0").needs(&["c"]));
    assert_eq!(world.ask(&[&format!("b @ {url}"), "b>1"]).solve().packages(), ["b", "c 1.0"]);
}

#[test]
fn a_wheel_of_another_project_or_target_is_refused() {
    let ask = |url: &str| world().ask(&[&format!("b @ {url}")]).solve().message();
    assert!(ask("https://files.example/c-1.0-py3-none-any.whl").contains("another project"));
    assert!(ask("https://files.example/b-1.0-cp312-cp312-win_amd64.whl").contains("for win_amd64 only"));
}

/// It is not silently taken from the index instead.
#[test]
fn a_constraint_that_cannot_be_fetched_matters_once_the_project_is_needed() {
    let constraint = "b @ https://files.example/b-1.0-cp312-cp312-win_amd64.whl";
    assert_eq!(world().ask(&["c"]).constrained(&[constraint]).solve().packages(), ["c 1.0"]);
    let message = world().has("a", "1.0", &["b"]).ask(&["a"]).constrained(&[constraint]).solve().message();
    assert!(message.contains("for win_amd64 only"), "{message}");
}
