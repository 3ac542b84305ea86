use super::super::Reason;
use super::fake_index::{FakeIndex, File};
use crate::domain::MetadataUnavailable;

#[test]
fn the_best_file_of_the_version_is_taken() {
    let world = FakeIndex::new()
        .file(File::sdist("a", "1.0"))
        .file(File::wheel("a", "1.0"))
        .file(File::wheel("a", "1.0").tags("cp312-cp312-manylinux_2_17_x86_64"))
        .file(File::wheel("a", "1.0").tags("cp312-cp312-win_amd64"));
    assert_eq!(world.ask(&["a"]).solve().files(), ["a-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"]);
    assert_eq!(world.ask(&["a"]).on("3.11", "win_amd64").solve().files(), ["a-1.0-py3-none-any.whl"]);
}

#[test]
fn kinds_are_excluded_by_project() {
    let world =
        FakeIndex::new().file(File::sdist("a", "2.0")).file(File::wheel("a", "1.0")).file(File::sdist("a", "1.0"));
    let ask = || world.ask(&["a"]);
    assert_eq!(ask().solve().files(), ["a-2.0.tar.gz"]);
    let only_binary = ask().policy(|policy| policy.formats.only_binary(":all:").unwrap());
    assert_eq!(only_binary.solve().files(), ["a-1.0-py3-none-any.whl"]);
    let no_binary = world.ask(&["a==1.0"]).policy(|policy| policy.formats.no_binary("a").unwrap());
    assert_eq!(no_binary.solve().files(), ["a-1.0.tar.gz"]);
    assert_eq!(ask().policy(|policy| policy.prefer_binary = true).solve().files(), ["a-1.0-py3-none-any.whl"]);
    let impossible = world.ask(&["a>1"]).policy(|policy| policy.formats.only_binary("a").unwrap()).solve();
    assert!(matches!(impossible.reason(), Reason::NoFile { .. }));
    assert!(
        impossible.message().contains("a-2.0.tar.gz is a source archive, and only wheels are allowed"),
        "{}",
        impossible.message()
    );
}

#[test]
fn files_of_the_future_do_not_exist() {
    let world =
        FakeIndex::new().file(File::wheel("a", "1.0").uploaded(100)).file(File::wheel("a", "2.0").uploaded(200));
    assert_eq!(world.ask(&["a"]).exclude_newer(200).solve().packages(), ["a 1.0"]);
    assert_eq!(world.ask(&["a"]).exclude_newer(201).solve().packages(), ["a 2.0"]);
    let answer = world.has("a", "3.0", &[]).ask(&["a"]).exclude_newer(100).solve();
    assert!(
        answer.message().contains("a-3.0-py3-none-any.whl has no upload time on this index"),
        "{}",
        answer.message()
    );
    assert!(answer.message().contains("uploaded after the latest moment allowed"), "{}", answer.message());
}

#[test]
fn metadata_that_lies_rules_the_version_out() {
    let lie = MetadataUnavailable::Refused("its metadata is of `b 1.0`, its file name of `a 2.0`".into());
    let world = FakeIndex::new().file(File::wheel("a", "2.0").unknown(lie)).has("a", "1.0", &[]);
    assert_eq!(world.ask(&["a"]).solve().packages(), ["a 1.0"]);
    let message = world.ask(&["a>1"]).solve().message();
    assert!(message.contains("a 2.0 cannot be used: its metadata is of `b 1.0`"), "{message}");
}
