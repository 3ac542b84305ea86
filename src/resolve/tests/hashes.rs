//! Tests of hash-checking mode, by the cases of `docs/facts/pip.md` 2.3.

use super::super::Reason;
use super::fake_index::{FakeIndex, File};

fn hex(digit: char) -> String {
    digit.to_string().repeat(64)
}

fn hash(digit: char) -> String {
    format!(" --hash=sha256:{}", hex(digit))
}

/// `a` needs `b`; both have digests.
fn world() -> FakeIndex {
    FakeIndex::new()
        .file(File::wheel("a", "1.0").needs(&["b"]).sha256(&hex('a')))
        .file(File::wheel("b", "1.0").sha256(&hex('b')))
        .file(File::wheel("b", "2.0").sha256(&hex('c')))
}

#[test]
fn every_file_needs_a_digest() {
    let a = format!("a==1.0{}", hash('a'));
    let answer = world().ask(&[&a, &format!("b==1.0{}", hash('b'))]).require_hashes().solve();
    assert_eq!(answer.packages(), ["a 1.0", "b 1.0"]);
    let answer = world().ask(&[&a]).require_hashes().solve();
    assert_eq!((answer.failure().requirement.as_str(), answer.reason()), ("b", &Reason::NoHash { pinned: false }));
    assert_eq!(answer.failure().origins[0].to_string(), "requirements.txt:1");
    assert!(answer.message().ends_with("\n  a 1.0 needs b"), "{}", answer.message());
    assert_eq!(world().ask(&[&a]).require_hashes().no_deps().solve().packages(), ["a 1.0"]);
}

/// As redis 6.4.0 needs async-timeout, which a lock made on Python 3.11.9 does not have.
#[test]
fn a_marker_that_turns_on_the_patch_release_is_told() {
    let line = "b>=1.0 ; python_full_version < '3.11.3'";
    let world = FakeIndex::new()
        .file(File::wheel("a", "1.0").needs(&[line]).sha256(&hex('a')))
        .file(File::wheel("b", "1.0").sha256(&hex('b')));
    let answer = world.ask(&[&format!("a==1.0{}", hash('a'))]).on("3.11", "linux-x86_64").require_hashes().solve();
    let expected = format!("\n  a 1.0 needs {line} (the target has Python 3.11.0)");
    assert!(answer.message().ends_with(&expected), "{}", answer.message());
}

/// What pip does in a new environment; `pip install --require-hashes` of pip 23.2 was asked.
#[test]
fn what_a_new_environment_has_needs_no_digest() {
    let world = FakeIndex::new()
        .file(File::wheel("a", "1.0").needs(&["setuptools", "pip"]).sha256(&hex('a')))
        .file(File::wheel("setuptools", "80.0"))
        .file(File::wheel("pip", "26.0"));
    let a = format!("a==1.0{}", hash('a'));
    let ask = |python: &str| world.ask(&[&a]).on(python, "linux-x86_64").require_hashes().solve();
    let answer = ask("3.11");
    assert_eq!(answer.packages(), ["a 1.0", "pip 26.0", "setuptools 80.0"]);
    let notes = &answer.solutions()[0].notes;
    assert!(notes.iter().any(|note| note.contains("setuptools 80.0 has none: nobody but its index")), "{notes:?}");
    let refused = ask("3.12");
    assert_eq!((refused.failure().requirement.as_str(), refused.failures().len()), ("setuptools", 1));
}

#[test]
fn lines_without_a_digest_are_told_all_at_once() {
    let answer = world().ask(&["a==1.0", "b"]).require_hashes().solve();
    let reasons: Vec<_> = answer.failures().iter().map(|failure| failure.reason.clone()).collect();
    assert_eq!(reasons, [Reason::NoHash { pinned: true }, Reason::NoHash { pinned: false }]);
    assert!(answer.message().contains("pin it with ==") && answer.message().contains("add its hash"));
}

/// pip 26.1 and later.
#[test]
fn a_pin_is_not_needed_and_a_constraint_may_have_the_digest() {
    let answer = world().ask(&[&format!("b>=1{}", hash('b'))]).require_hashes().solve();
    assert_eq!(answer.packages(), ["b 1.0"]);
    let answer = world().ask(&["b"]).constrained(&[&format!("b==1.0{}", hash('b'))]).require_hashes().solve();
    assert_eq!(answer.packages(), ["b 1.0"]);
}

#[test]
fn a_digest_of_no_file_is_told() {
    let answer = world().ask(&[&format!("b==2.0{}", hash('d'))]).solve();
    assert!(matches!(answer.reason(), Reason::NoFile { .. }));
    let message = answer.message();
    let (has, asked) = (hex('c'), hex('d'));
    assert!(message.contains(&format!("has the digest sha256:{has}; asked for is sha256:{asked}\n")), "{message}");
    assert!(message.contains("the hash asked for is of another one"), "{message}");
    let answer = world().ask(&[&format!("b==2.0{}{}{}", hash('d'), hash('e'), hash('f'))]).solve();
    assert!(answer.message().contains(&format!("asked for is sha256:{asked} or 2 others\n")), "{}", answer.message());
}

/// As with a lock file that was made on one machine for itself alone.
#[test]
fn a_digest_of_another_platforms_file_is_told_as_that() {
    let world = FakeIndex::new()
        .file(File::wheel("a", "1.0").tags("cp312-cp312-win_amd64").sha256(&hex('a')))
        .file(File::wheel("a", "1.0").tags("cp312-cp312-manylinux_2_17_x86_64").sha256(&hex('b')))
        .file(File::sdist("a", "1.0").sha256(&hex('c')));
    let answer = world.ask(&[&format!("a==1.0{}", hash('a'))]).solve();
    let Reason::NoFile { files, .. } = answer.reason() else { panic!("{}", answer.message()) };
    assert_eq!(files.with_allowed_digest().map(|file| &*file.filename), Some("a-1.0-cp312-cp312-win_amd64.whl"));
    let message = answer.message();
    assert!(
        message.ends_with("the hash asked for is of a-1.0-cp312-cp312-win_amd64.whl, which is for win_amd64 only"),
        "{message}"
    );
    assert_eq!(world.ask(&[&format!("a{}{}", hash('a'), hash('c'))]).solve().files(), ["a-1.0.tar.gz"]);
}

#[test]
fn any_of_several_digests_is_enough() {
    let answer = world().ask(&[&format!("b==1.0 --hash=sha512:{}{}{}", hex('0'), hash('e'), hash('b'))]).solve();
    assert_eq!(answer.packages(), ["b 1.0"]);
}

/// The digests of the first line verify the file, a requirement's before a constraint's.
#[test]
fn the_first_lines_digests_count() {
    let lines = [&*format!("b{}", hash('b')), &format!("b{}", hash('c'))];
    assert_eq!(world().ask(&lines).solve().packages(), ["b 1.0"]);
    let answer = world().ask(&lines[1..]).constrained(&lines[..1]).solve();
    assert_eq!(answer.packages(), ["b 2.0"]);
}

#[test]
fn a_url_may_carry_its_digest() {
    let url = "https://files.example/b-3.0-py3-none-any.whl";
    let world = world().at(url, File::wheel("b", "3.0"));
    let answer = world.ask(&[&format!("b @ {url}#sha256={}", hex('f'))]).require_hashes().solve();
    assert_eq!(answer.packages(), ["b 3.0"]);
    assert_eq!(world.ask(&[&format!("b @ {url}")]).require_hashes().solve().reason(), &Reason::NoHash { pinned: true });
    let answer = world.ask(&[&format!("b @ {url}")]).constrained(&[&format!("b==3{}", hash('f'))]).require_hashes();
    assert_eq!(answer.solve().solutions()[0].packages[0].file.expected.by_user.len(), 1);
}

/// Any one digest is enough, so one that the index does not promise leaves it to the bytes.
#[test]
fn of_several_algorithms_one_may_be_wrong() {
    let other = format!(" --hash=sha512:{}", "0".repeat(128));
    let wrong = format!("a==1.0{}{other}", hash('d'));
    assert_eq!(world().ask(&[&wrong]).no_deps().solve().packages(), ["a 1.0"]);
}
