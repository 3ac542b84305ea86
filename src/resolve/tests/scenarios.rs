//! Tests after a published set of resolver scenarios (*packse*), as literal indexes.
//!
//! If its authors expect uv's answer and pip's is another, pip's is expected here, with a note.

mod choices;

use super::fake_index::{FakeIndex, File};

/// A world told line by line: `name version`, then words. `>name…` is a need, `x>name…` a need
/// of the extra `x`, `py>=3.10` the Python it is for; `yanked`, `sdist`, and tags with two `-`
/// say what file it is.
fn told(lines: &[&str]) -> FakeIndex {
    lines.iter().fold(FakeIndex::new(), |world, line| {
        let mut words = line.split_whitespace();
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        let words: Vec<_> = words.collect();
        let file = if words.contains(&"sdist") { File::sdist(name, version) } else { File::wheel(name, version) };
        world.file(words.into_iter().fold(file, with))
    })
}

fn with(file: File, word: &str) -> File {
    match word.split_once('>') {
        _ if word == "yanked" => file.yanked(""),
        _ if word == "sdist" => file,
        Some(("", need)) => file.needs(&[need]),
        _ if word.starts_with("py>") || word.starts_with("py<") => file.python(&word[2..]),
        Some((extra, need)) if !extra.contains(['=', '<']) => file.extra(extra, &[need]),
        _ => file.tags(word),
    }
}

/// Title, world, lines, and the solution.
type Satisfiable<'a> = (&'a str, &'a [&'a str], &'a [&'a str], &'a [&'a str]);

/// Title, world, lines, and what the message must say.
type Refused<'a> = (&'a str, &'a [&'a str], &'a [&'a str], &'a [&'a str]);

fn check_solved(python: &str, scenarios: &[Satisfiable<'_>]) {
    for (title, world, lines, expected) in scenarios {
        let answer = told(world).ask(lines).on(python, "linux-x86_64").solve();
        assert!(answer.result.is_ok(), "{title}: {}", answer.message());
        assert_eq!(answer.packages(), *expected, "{title}");
    }
}

fn check_refused(python: &str, scenarios: &[Refused<'_>]) {
    for (title, world, lines, said) in scenarios {
        let answer = told(world).ask(lines).on(python, "linux-x86_64").solve();
        assert!(answer.result.is_err(), "{title}: {:?}", answer.packages());
        let message = answer.message();
        said.iter().for_each(|part| assert!(message.contains(part), "{title}: `{part}` is not in\n{message}"));
    }
}

#[test]
fn what_does_not_exist() {
    check_refused(
        "3.12",
        &[
            ("exact version", &["a 1.0"], &["a==2.0"], &["a==2.0: no version satisfies ==2.0", "1.0"]),
            ("greater version", &["a 0.1", "a 1.0"], &["a>1.0"], &["no version satisfies >1.0", "0.1, 1.0"]),
            ("lesser version", &["a 2.0", "a 3.0", "a 4.0"], &["a<2.0"], &["no version satisfies <2.0"]),
            ("project", &[], &["a"], &["a: no such project on"]),
            ("project of a dependency", &["a 1.0 >b"], &["a"], &["a 1.0 needs b", "b: no such project on"]),
            (
                "every way ends at one that is missing",
                &["a 2.0", "a 1.0 >c", "b 1.0 >a==1.0", "b 2.0 >a==1.0", "b 3.0 >a==1.0"],
                &["a", "b"],
                &["every version of b needs a==1.0", "a 1.0 needs c", "c: no such project on"],
            ),
        ],
    );
    check_solved(
        "3.12",
        &[(
            "one that is missing is gone around",
            &["a 1.0", "a 2.0", "b 1.0 >c", "b 2.0 >a==1.0"],
            &["a", "b"],
            &["a 1.0", "b 2.0"],
        )],
    );
}

/// The newest of one project rules out all but a hopeless old version of the other.
#[test]
fn going_back_in_the_right_project() {
    let mut world = vec!["a 1.0".to_owned(), "a 2.0".into(), "too-old 1.0".into(), "b 1.0 >too-old".into()];
    world.extend((0..10).map(|patch| format!("b 2.0.{patch} >a==1.0")));
    let world: Vec<_> = world.iter().map(String::as_str).collect();
    check_solved("3.12", &[("at once", &world, &["a", "b"], &["a 1.0", "b 2.0.9"])]);
    let mut world = vec!["a 1.0".to_owned(), "a 2.0".into(), "too-old 1.0".into(), "b 1.0 >inner".into()];
    world.push("inner 1.0 >too-old".into());
    world.extend((0..10).map(|patch| format!("inner 2.0.{patch} >a==1.0")));
    let world: Vec<_> = world.iter().map(String::as_str).collect();
    check_solved("3.12", &[("one step away", &world, &["a", "b"], &["a 1.0", "b 1.0", "inner 2.0.9"])]);
}

#[test]
fn versions_that_exclude_each_other() {
    check_refused(
        "3.12",
        &[
            ("two lines", &["a 1.0", "a 2.0"], &["a==1.0", "a==2.0"], &["asks for a==1.0", "asks for a==2.0"]),
            ("two lines of metadata", &["a 1.0 >b==2.0 >b==1.0"], &["a==1.0"], &["a 1.0 needs b==2.0 and b==1.0"]),
            (
                "a line and metadata",
                &["a 1.0 >b==2.0", "b 1.0", "b 2.0"],
                &["a", "b==1.0"],
                &["requirements.txt:2 asks for b==1.0", "a 1.0 needs b==2.0"],
            ),
            (
                "metadata of two",
                &["a 1.0 >c==1.0", "b 1.0 >c==2.0", "c 1.0", "c 2.0"],
                &["a", "b"],
                &["c: these cannot all hold", "a 1.0 needs c==1.0", "b 1.0 needs c==2.0"],
            ),
            ("the only version is excluded", &["a 1.0"], &["a!=1.0"], &["no version satisfies !=1.0", "1.0"]),
            (
                "the only version that would do is excluded",
                &["a 1.0 >b==1.0", "a 2.0 >b==2.0", "a 3.0 >b==3.0", "b 1.0", "b 2.0", "b 3.0"],
                &["a!=2.0", "b>=2.0,<3.0"],
                &["asks for a!=2.0", "asks for b>=2.0, <3.0", "needs b==1.0 or b==3.0"],
            ),
            (
                "a range that another excludes",
                &[
                    "a 1.0 >b==1.0",
                    "a 2.0 >b==2.0",
                    "a 2.1 >b==2.0",
                    "a 2.2 >b==2.0",
                    "a 3.0 >b==3.0",
                    "b 1.0",
                    "b 2.0",
                    "b 3.0",
                    "c 1.0 >a<2.0",
                    "c 2.0 >a>=3.0",
                ],
                &["a", "b>=2.0,<3.0", "c"],
                &["asks for b>=2.0, <3.0", "every version of c needs a<2.0 or a>=3.0"],
            ),
            (
                "the same with holes",
                &[
                    "a 1.0 >b==1.0",
                    "a 2.0 >b==2.0",
                    "a 2.1 >b==2.0 >d",
                    "a 2.2 >b==2.0",
                    "a 3.0 >b==3.0",
                    "b 1.0",
                    "b 2.0",
                    "b 3.0",
                    "c 1.0 >a<2.0",
                    "c 2.0 >a>=3.0",
                ],
                &["a", "b>=2.0,<3.0", "c"],
                &["every version of c needs a<2.0 or a>=3.0"],
            ),
        ],
    );
}

#[test]
fn extras() {
    let three = ["b 1.0", "c 1.0", "a 1.0 all>a[extra-b] all>a[extra-c] extra-b>b extra-c>c"];
    let rivals = ["b 1.0", "b 2.0", "a 1.0 extra-b>b==1.0 extra-c>b==2.0"];
    check_solved(
        "3.12",
        &[
            ("one", &three, &["a[extra-b]"], &["a 1.0", "b 1.0"]),
            ("several", &three, &["a[extra-b,extra-c]"], &["a 1.0", "b 1.0", "c 1.0"]),
            ("all of them through one", &three, &["a[all]"], &["a 1.0", "b 1.0", "c 1.0"]),
            ("one that does not exist", &["a 1.0"], &["a[extra]"], &["a 1.0"]),
            ("one that only an old version has", &["a 2.0", "a 1.0 extra>b", "b 1.0"], &["a[extra]"], &["a 2.0"]),
            ("a rival that nobody asks for", &rivals, &["a[extra-c]"], &["a 1.0", "b 2.0"]),
        ],
    );
    check_refused(
        "3.12",
        &[
            (
                "rivals",
                &rivals,
                &["a[extra-b,extra-c]"],
                &["a[extra-b] 1.0 needs b==1.0", "a[extra-c] 1.0 needs b==2.0"],
            ),
            (
                "a rival of a line",
                &rivals,
                &["a[extra-b]", "b==2.0"],
                &["asks for b==2.0", "a[extra-b] 1.0 needs b==1.0"],
            ),
        ],
    );
}
