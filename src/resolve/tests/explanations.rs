//! Tests of the messages for users, in full sentences.

use super::fake_index::{FakeIndex, File};
use crate::domain::{MetadataUnavailable, Remedy};

fn message(world: &FakeIndex, lines: &[&str]) -> String {
    world.ask(lines).solve().message()
}

#[test]
fn the_users_lines_come_first_and_then_what_follows() {
    let world =
        FakeIndex::new().has("a", "1.0", &["c<2"]).has("b", "1.0", &["c>=2"]).has("c", "1.0", &[]).has("c", "2.0", &[]);
    assert_eq!(
        message(&world, &["a", "b"]),
        "c: these cannot all hold\n  requirements.txt:1 asks for a\n  requirements.txt:2 asks for b\n  \
         a 1.0 needs c<2\n  b 1.0 needs c>=2"
    );
}

#[test]
fn chains_are_told_in_their_order() {
    let world = FakeIndex::new().has("z", "1.0", &["m"]).has("m", "1.0", &["b>1"]).has("b", "1.0", &[]);
    assert_eq!(
        message(&world, &["z"]),
        "b: these cannot all hold\n  requirements.txt:1 asks for z\n  z 1.0 needs m\n  m 1.0 needs b>1\n  \
         the only version of b is 1.0"
    );
}

#[test]
fn versions_that_need_the_same_are_one_sentence() {
    let world = (0..30).fold(FakeIndex::new(), |world, minor| world.has("a", &format!("1.{minor}"), &["b>=2"]));
    assert_eq!(
        message(&world.has("b", "1.0", &[]), &["a"]),
        "b: these cannot all hold\n  requirements.txt:1 asks for a\n  every version of a needs b>=2\n  \
         the only version of b is 1.0"
    );
}

#[test]
fn unknown_projects_in_metadata_are_told_with_who_needs_them() {
    let world = FakeIndex::new().has("a", "1.0", &["gone"]);
    assert_eq!(
        message(&world, &["a"]),
        "gone: these cannot all hold\n  requirements.txt:1 asks for a\n  a 1.0 needs gone\n  \
         gone: no such project on https://index.example/simple/"
    );
}

#[test]
fn files_that_cannot_be_used_are_told_nearest_first() {
    let wheel = |tags: &str| File::wheel("a", "1.0").tags(tags);
    let world = FakeIndex::new()
        .file(wheel("pp310-pypy310_pp73-manylinux_2_17_x86_64"))
        .file(wheel("cp39-cp39-win_amd64"))
        .file(wheel("cp310-cp310-manylinux_2_17_x86_64"))
        .file(wheel("cp311-cp311-manylinux_2_17_x86_64"))
        .file(wheel("cp312-cp312-win_amd64"));
    assert_eq!(
        message(&world, &["a"]),
        "a: no file can be used\n  a-1.0-cp312-cp312-win_amd64.whl is for win_amd64 only\n  \
         a-1.0-cp311-cp311-manylinux_2_17_x86_64.whl is for cp311 only\n  \
         a-1.0-cp310-cp310-manylinux_2_17_x86_64.whl is for cp310 only\n  \
         a-1.0-cp39-cp39-win_amd64.whl is for cp39 only\n  \
         a-1.0-pp310-pypy310_pp73-manylinux_2_17_x86_64.whl is for pp310 only"
    );
}

#[test]
fn the_same_reason_is_told_once() {
    let file = |minor: u32| File::wheel("a", &format!("1.{minor}")).python(">=3.13");
    let world = (0..50).fold(FakeIndex::new(), |world, minor| world.file(file(minor)));
    assert_eq!(
        message(&world, &["a"]),
        "a: no file can be used\n  \
         a-1.49-py3-none-any.whl needs Python >=3.13, the target has 3.12.0 (and 49 other files)"
    );
}

#[test]
fn a_pre_release_that_would_fit_is_named() {
    let world = FakeIndex::new().has("a", "1.0", &["b>=2"]).has("a", "2.0rc1", &["b"]).has("b", "1.0", &[]);
    assert_eq!(
        message(&world, &["a"]),
        "b: these cannot all hold\n  requirements.txt:1 asks for a\n  a 1.0 needs b>=2\n  \
         the only version of b is 1.0\n  \
         a-2.0rc1-py3-none-any.whl is a pre-release: pin it, or allow pre-releases"
    );
}

#[test]
fn files_for_others_are_not_told_of_a_version_that_has_one_for_the_target() {
    let other = File::wheel("a", "2.0rc1").tags("cp312-cp312-win_amd64");
    let world = FakeIndex::new().has("a", "1.0", &["gone"]).file(other).has("a", "2.0rc1", &[]);
    let message = message(&world, &["a"]);
    assert!(message.contains("a-2.0rc1-py3-none-any.whl is a pre-release"), "{message}");
    assert!(!message.contains("win_amd64"), "{message}");
}

#[test]
fn where_only_source_archives_are_left_it_is_said() {
    let world =
        FakeIndex::new().file(File::sdist("a", "1.0")).file(File::wheel("a", "1.0").tags("cp312-cp312-win_amd64"));
    let answer = world.ask(&["a"]).policy(|policy| policy.formats.only_binary(":all:").unwrap()).solve();
    assert_eq!(
        answer.message(),
        "a: no file can be used\n  a-1.0-cp312-cp312-win_amd64.whl is for win_amd64 only\n  \
         a-1.0.tar.gz is a source archive, and only wheels are allowed"
    );
    assert_eq!(answer.reason().remedies(), [Remedy::AllowSources].into());
}

#[test]
fn a_version_that_is_of_no_use_by_itself_is_no_conflict() {
    let for_new_python = || File::wheel("a", "2.0").metadata_python(">=3.13");
    let world = FakeIndex::new().file(for_new_python()).has("a", "1.0", &[]);
    let answer = world.ask(&["a==2.0"]).solve();
    assert_eq!(answer.message(), "a==2.0: a 2.0 cannot be used: needs Python >=3.13, the target has 3.12.0");
    assert!(answer.reason().depends_on_target());
    let world = FakeIndex::new().file(for_new_python()).has("a", "1.0", &["a<1"]);
    assert_eq!(
        message(&world, &["a"]),
        "a: no version can be used\n  a 1.0 cannot be used: it needs another version of itself (a<1)\n  \
         a 2.0 cannot be used: needs Python >=3.13, the target has 3.12.0"
    );
}

#[test]
fn who_needs_a_source_archive_is_told() {
    let silent = File::sdist("c", "1.0").unknown(MetadataUnavailable::NeedsBuild);
    let world = FakeIndex::new().has("a", "2.0", &["b>=1"]).has("b", "1.0", &["c; python_version > '3'"]).file(silent);
    let message = message(&world, &["a"]);
    assert!(message.starts_with("c: what c-1.0.tar.gz needs is only known by running its build"), "{message}");
    assert!(message.ends_with("\n  a 2.0 needs b>=1\n  b 1.0 needs c"), "{message}");
}

#[test]
fn who_names_a_file_is_told() {
    let url = "https://files.example/b-1.0-py3-none-any.whl";
    let line = format!("b @ {url}");
    let world = FakeIndex::new().has("a", "1.0", &[&line]).has("b", "2.0", &[]).at(url, File::wheel("b", "1.0"));
    assert_eq!(
        message(&world, &["a", "b>=2"]),
        format!(
            "b: these cannot all hold\n  requirements.txt:2 asks for b>=2\n  \
             b comes from {url} alone, which a 1.0 names"
        )
    );
}

#[test]
fn the_nearest_versions_are_around_what_is_asked() {
    let world = (0..20).fold(FakeIndex::new(), |world, minor| world.has("a", &format!("1.{minor}"), &[]));
    let nearest = |asked: &str| message(&world, &[asked]).rsplit_once(" are ").unwrap().1.to_owned();
    assert_eq!(nearest("a>1.7,<1.8"), "1.5, 1.6, 1.7, 1.8, 1.9");
    assert_eq!(nearest("a===1.4.0"), "1.1, 1.2, 1.3, 1.4, 1.5, 1.6");
    assert_eq!(nearest("a<1"), "1.0, 1.1, 1.2");
    assert_eq!(nearest("a>=2"), "1.17, 1.18, 1.19");
}

#[test]
fn long_lists_of_exclusions_are_counted() {
    let world = FakeIndex::new().has("a", "1.0", &["b>=1,!=1.0.*,!=1.1.*,!=1.2.*,!=1.3.*,<2"]).has("b", "1.2", &[]);
    let message = message(&world, &["a"]);
    assert!(message.contains("a 1.0 needs b>=1, <2 (but for 4 between 1.0 and 1.3)"), "{message}");
}
