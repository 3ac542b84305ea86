//! The kinds of the field's published scenario set (*packse*), retold as literal worlds. Where
//! its authors expect uv's answer and pip's is another, pip's is expected here, and noted.

use super::world::{Asking, File, World};

/// A world told line by line: `name version`, then words. `>name…` is a need, `x>name…` a need
/// of the extra `x`, `py>=3.10` the Python it is for; `yanked`, `sdist`, and tags with two `-`
/// say what file it is.
fn told(lines: &[&str]) -> World {
    lines.iter().fold(World::new(), |world, line| {
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
        assert_eq!(answer.picks(), *expected, "{title}");
    }
}

fn check_refused(python: &str, scenarios: &[Refused<'_>]) {
    for (title, world, lines, said) in scenarios {
        let answer = told(world).ask(lines).on(python, "linux-x86_64").solve();
        assert!(answer.result.is_err(), "{title}: {:?}", answer.picks());
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

#[test]
fn local_versions() {
    let two = ["a 1.2.3+bar", "a 1.2.3+foo"];
    let (foo, bar) = ("b 2.0.0+foo", "b 2.0.0+bar");
    let mac = "py3-none-macosx_10_0_ppc64";
    check_solved(
        "3.12",
        &[
            ("equal", &two, &["a==1.2.3"], &["a 1.2.3+foo"]),
            ("at least", &two, &["a>=1.2.3"], &["a 1.2.3+foo"]),
            ("at most", &two, &["a<=1.2.3"], &["a 1.2.3+foo"]),
            (
                "the public one has no wheel for here",
                &[&format!("a 1.2.3 {mac}"), two[1]],
                &["a==1.2.3"],
                &["a 1.2.3+foo"],
            ),
            ("the public one has a source archive", &["a 1.2.3 sdist", two[1]], &["a==1.2.3"], &["a 1.2.3+foo"]),
            (
                "an older one is all that fits",
                &[&format!("a 1.2.3 {mac}"), &format!("a 1.2.2+foo {mac}"), "a 1.2.1+foo sdist"],
                &["a>=1"],
                &["a 1.2.1+foo"],
            ),
            ("metadata, equal", &["a 1.0 >b==2.0.0", foo, bar], &["a", "b==2.0.0+foo"], &["a 1.0", foo]),
            ("metadata, at least", &["a 1.0 >b>=2.0.0", foo, bar], &["a", "b==2.0.0+foo"], &["a 1.0", foo]),
            ("metadata, at most", &["a 1.0 >b<=2.0.0", foo, bar], &["a", "b==2.0.0+foo"], &["a 1.0", foo]),
            (
                "metadata, no public wheel",
                &["a 1.0 >b==2.0.0", &format!("b 2.0.0 {mac}"), foo],
                &["a"],
                &["a 1.0", foo],
            ),
            (
                "an older version agrees",
                &["a 1.0 >b==2.0.0", "a 2.0 >b==2.0.0+bar", foo, bar],
                &["a", "b==2.0.0+foo"],
                &["a 1.0", foo],
            ),
        ],
    );
    check_refused(
        "3.12",
        &[
            ("greater", &["a 1.2.3+foo"], &["a>1.2.3"], &["no version satisfies >1.2.3", "1.2.3+foo"]),
            ("less", &["a 1.2.3+foo"], &["a<1.2.3"], &["no version satisfies <1.2.3"]),
            (
                "metadata, other label",
                &["a 1.0 >b==2.0.0+bar", foo, bar],
                &["a", "b==2.0.0+foo"],
                &["needs b==2.0.0+bar"],
            ),
            ("metadata, greater", &["a 1.0 >b>2.0.0", foo, bar], &["a", "b==2.0.0+foo"], &["a 1.0 needs b>2.0.0"]),
            ("metadata, less", &["a 1.0 >b<2.0.0", foo, bar], &["a", "b==2.0.0+foo"], &["a 1.0 needs b<2.0.0"]),
        ],
    );
}

#[test]
fn post_releases() {
    check_solved(
        "3.12",
        &[
            ("equal", &["a 1.2.3", "a 1.2.3.post0"], &["a==1.2.3.post0"], &["a 1.2.3.post0"]),
            ("at least", &["a 1.2.3.post1"], &["a>=1.2.3"], &["a 1.2.3.post1"]),
            ("at least a post-release", &["a 1.2.3.post0", "a 1.2.3.post1"], &["a>=1.2.3.post0"], &["a 1.2.3.post1"]),
            ("greater than one", &["a 1.2.3.post0", "a 1.2.3.post1"], &["a>1.2.3.post0"], &["a 1.2.3.post1"]),
        ],
    );
    check_refused(
        "3.12",
        &[
            ("equal to another", &["a 1.2.3", "a 1.2.3.post1"], &["a==1.2.3.post0"], &["no version satisfies"]),
            ("equal to the final", &["a 1.2.3.post1"], &["a==1.2.3"], &["no version satisfies", "1.2.3.post1"]),
            ("greater than the final", &["a 1.2.3.post1"], &["a>1.2.3"], &["no version satisfies"]),
            ("greater, with a label", &["a 1.2.3.post1+local"], &["a>1.2.3"], &["no version satisfies"]),
            ("greater than one, with a label", &["a 1.2.3.post1+local"], &["a>1.2.3.post1"], &["no version satisfies"]),
            ("greater than the newest", &["a 1.2.3", "a 1.2.3.post1"], &["a>1.2.3.post2"], &["no version satisfies"]),
            ("at most", &["a 1.2.3.post1"], &["a<=1.2.3"], &["no version satisfies"]),
            ("less", &["a 1.2.3.post1"], &["a<1.2.3"], &["no version satisfies"]),
        ],
    );
}

#[test]
fn pre_releases() {
    let mixed = ["a 0.1.0", "a 0.2.0a1", "a 0.3.0", "a 1.0.0a1"];
    let boundary = ["a 0.1.0", "a 0.2.0", "a 0.2.0a1", "a 0.2.0a2", "a 0.2.0a3", "a 0.3.0"];
    check_solved(
        "3.12",
        &[
            ("kinds", &["a 1.0.0a1", "a 1.0.0b1", "a 1.0.0rc1"], &["a>=1.0.0a1"], &["a 1.0.0rc1"]),
            ("numbers", &["a 1.0.0a1", "a 1.0.0a2", "a 1.0.0a3"], &["a>=1.0.0a1"], &["a 1.0.0a3"]),
            ("nothing else", &["a 1.0.0a1"], &["a"], &["a 1.0.0a1"]),
            ("nothing else, bounded", &["a 0.1.0a1", "a 0.2.0a1", "a 0.3.0a1"], &["a<0.2.0"], &["a 0.1.0a1"]),
            ("named", &mixed, &["a>=0.1.0a1"], &["a 1.0.0a1"]),
            ("named, and only finals", &["a 0.1.0", "a 0.3.0"], &["a>=0.1.0a1"], &["a 0.3.0"]),
            ("not named", &["a 0.1.0", "a 1.0.0a1"], &["a"], &["a 0.1.0"]),
            ("at the bound", &boundary, &["a<0.2.0a2"], &["a 0.2.0a1"]),
            ("needed, nothing else", &["a 0.1.0 >b", "b 1.0.0a1"], &["a"], &["a 0.1.0", "b 1.0.0a1"]),
            (
                "needed, named by the user",
                &["a 0.1.0 >b>0.1", "b 0.1.0", "b 1.0.0a1"],
                &["a", "b>0.0.0a1"],
                &["a 0.1.0", "b 1.0.0a1"],
            ),
            (
                "two needs, named by the user",
                &["a 1.0 >c==2.0.0b1", "b 1.0 >c>=1.0,<=3.0", "c 1.0", "c 2.0.0b1"],
                &["a", "b", "c>=0.0.0a1"],
                &["a 1.0", "b 1.0", "c 2.0.0b1"],
            ),
            (
                "named by metadata, in a bound that another line implies",
                &["a 1.0 >c>=0.5a1", "c 1.0", "c 2.0a1"],
                &["a", "c>=1.0"],
                &["a 1.0", "c 2.0a1"],
            ),
            (
                "named by metadata, for what is decided already",
                &["a 1.0", "a 2.0a1", "b 1.0 >a>=1.0rc1"],
                &["a", "b"],
                &["a 1.0", "b 1.0"],
            ),
            (
                "named by metadata, for what is decided later",
                &["a 1.0", "a 2.0a1", "b 1.0 >a>=1.0rc1"],
                &["b", "a"],
                &["a 2.0a1", "b 1.0"],
            ),
            // uv refuses the next four: it lets the user alone opt in, and not for what is in range.
            ("nothing else in range", &["a 0.1.0", "a 1.0.0a1"], &["a>0.1.0"], &["a 1.0.0a1"]),
            (
                "needed, nothing else in range",
                &["a 0.1.0 >b>0.1", "b 0.1.0", "b 1.0.0a1"],
                &["a"],
                &["a 0.1.0", "b 1.0.0a1"],
            ),
            (
                "named by metadata",
                &["a 1.0 >c==2.0.0b1", "b 1.0 >c>=1.0,<=3.0", "c 1.0", "c 2.0.0b1"],
                &["a", "b"],
                &["a 1.0", "b 1.0", "c 2.0.0b1"],
            ),
            (
                "named by metadata, with holes",
                &[
                    "a 1.0 >c>1.0,!=2.0.0a5,!=2.0.0b1,<2.0.0b5",
                    "b 1.0 >c>=1.0,<=3.0",
                    "c 1.0",
                    "c 2.0.0a5",
                    "c 2.0.0b4",
                    "c 2.0.0b5",
                ],
                &["a", "b"],
                &["a 1.0", "b 1.0", "c 2.0.0b4"],
            ),
        ],
    );
    let bounded = told(&["a 0.1.0", "a 0.2.0a1", "a 0.3.0"]);
    assert_eq!(bounded.ask(&["a<0.2.0"]).policy(|policy| policy.releases.pre()).solve().picks(), ["a 0.1.0"]);
    let in_range = told(&["a 0.1.0", "a 1.0.0a1"]);
    assert_eq!(in_range.ask(&["a>0.1.0"]).policy(|policy| policy.releases.pre()).solve().picks(), ["a 1.0.0a1"]);
}

#[test]
fn python_versions() {
    let rising = ["a 1.0 py>=3.9", "a 2.0 py>=3.10", "a 3.0 py>=3.11", "a 4.0 py>=3.12"];
    check_solved("3.9", &[("an older version is for it", &rising, &["a"], &["a 1.0"])]);
    check_solved(
        "3.11",
        &[
            ("the target decides", &["a 1.0 py>=3.10"], &["a==1.0"], &["a 1.0"]),
            ("a source archive that tells its needs", &["a 1.0 py>=3.10 sdist"], &["a==1.0"], &["a 1.0"]),
            ("an older source archive", &["a 1.0 py>=3.10 sdist", "a 2.0 py>=3.12"], &["a"], &["a 1.0"]),
        ],
    );
    check_solved("3.9.0", &[("patch", &["a 1.0 py>=3.9.0"], &["a==1.0"], &["a 1.0"])]);
    check_refused(
        "3.9",
        &[
            ("newer", &["a 1.0 py>=3.10"], &["a==1.0"], &["needs Python >=3.10, the target has 3.9"]),
            ("newer, the older one is excluded", &rising, &["a>=2.0"], &["a-2.0", "needs Python >=3.10"]),
            ("no such Python", &["a 1.0 py>=3.30"], &["a==1.0"], &["needs Python >=3.30"]),
            ("newer patch", &["a 1.0 py>=3.9.4"], &["a==1.0"], &["needs Python >=3.9.4, the target has 3.9.0"]),
            // uv looks at lower bounds alone and takes it.
            ("older", &["a 1.0 py<=3.8"], &["a==1.0"], &["needs Python <=3.8"]),
        ],
    );
}

#[test]
fn tags_and_markers() {
    let native = "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64";
    check_solved(
        "3.12",
        &[
            ("another system's line", &["a 1.0"], &["a", "b==1.0;sys_platform=='win32'"], &["a 1.0"]),
            (
                "another machine's need",
                &["a 1.0 >b;platform_machine=='x86_64' >c;platform_machine=='aarch64'", "b 1.0", "c 1.0"],
                &["a"],
                &["a 1.0", "b 1.0"],
            ),
            (
                "lines for different Pythons of one project",
                &["p 1.0 binary>q;implementation_name!='pypy'", "q 1.0"],
                &["p[binary];platform_python_implementation!='PyPy'", "p;platform_python_implementation=='PyPy'"],
                &["p 1.0", "q 1.0"],
            ),
            (
                "markers on both levels",
                &["a 1.0 >b==1.0;python_version>='3.10'", "a 2.0 >b==1.0;python_version>='3.10'", "b 1.0", "b 2.0"],
                &["a==1;python_version>='3.8'", "b;python_version>='3.9'"],
                &["a 1.0", "b 1.0"],
            ),
            ("a native and a pure wheel", &[&format!("a 1.0 {native}"), "a 1.0"], &["a"], &["a 1.0"]),
            ("only a source archive fits", &["a 1.0 py3-none-win_amd64", "a 1.0 sdist"], &["a"], &["a 1.0"]),
            ("only source archives", &["a 1.0 sdist"], &["a"], &["a 1.0"]),
        ],
    );
    check_refused(
        "3.12",
        &[
            ("ABI", &["a 1.0 py3-graalpy240_310_native-any"], &["a"], &["is for the ABI graalpy240_310_native only"]),
            ("platform", &["a 1.0 py3-none-macosx_10_0_ppc64"], &["a"], &["is for macosx_10_0_ppc64 only"]),
            ("Python", &["a 1.0 graalpy310-none-any"], &["a"], &["is for graalpy310 only"]),
            ("old Pythons", &["a 1.0 cp311-cp311-any", "a 1.0 cp39-cp39-any"], &["a"], &["is for cp311 only"]),
        ],
    );
}

#[test]
fn kinds_of_files() {
    let both = told(&["a 1.0", "a 1.0 sdist"]);
    let (wheel, source) = (told(&["a 1.0"]), told(&["a 1.0 sdist"]));
    assert_eq!(only(&both, true).solve().files(), ["a-1.0-py3-none-any.whl"]);
    assert_eq!(only(&both, false).solve().files(), ["a-1.0.tar.gz"]);
    assert_eq!(only(&wheel, true).solve().picks(), ["a 1.0"]);
    assert_eq!(only(&source, false).solve().picks(), ["a 1.0"]);
    assert!(only(&wheel, false).solve().message().contains("a wheel, which --no-binary excludes"));
    assert!(only(&source, true).solve().message().contains("leave --only-binary away"));
}

#[test]
fn yanked_versions() {
    check_solved(
        "3.12",
        &[
            ("others are there", &["a 0.1", "a 0.2 yanked", "a 0.3", "a 1.0 yanked"], &["a>=0.1"], &["a 0.3"]),
            ("an older one is there", &["a 0.1", "a 1.0 yanked"], &["a"], &["a 0.1"]),
            ("pinned by the user", &["a 0.1 >b>0.1", "b 0.1", "b 1.0 yanked"], &["a", "b==1.0"], &["a 0.1", "b 1.0"]),
            (
                "pinned by both",
                &["a 1.0 >c==2.0", "b 1.0 >c>=1.0,<=3.0", "c 1.0", "c 2.0 yanked"],
                &["a", "b", "c==2.0"],
                &["a 1.0", "b 1.0", "c 2.0"],
            ),
            // uv refuses: the pin is not the user's own.
            (
                "pinned by metadata",
                &["a 1.0 >c==2.0", "b 1.0 >c>=1.0,<=3.0", "c 1.0", "c 2.0 yanked"],
                &["a", "b"],
                &["a 1.0", "b 1.0", "c 2.0"],
            ),
        ],
    );
    check_refused(
        "3.12",
        &[
            ("nothing else", &["a 1.0 yanked"], &["a"], &["a-1.0-py3-none-any.whl was yanked"]),
            ("nothing else in range", &["a 0.1", "a 1.0 yanked"], &["a>0.1"], &["was yanked"]),
            ("needed, nothing else", &["a 0.1 >b", "b 1.0 yanked"], &["a"], &["a 0.1 needs b", "was yanked"]),
            (
                "needed, nothing else in range",
                &["a 0.1 >b>0.1", "b 0.1", "b 1.0 yanked"],
                &["a"],
                &["a 0.1 needs b>0.1", "b-1.0-py3-none-any.whl was yanked"],
            ),
        ],
    );
}

fn only(world: &World, wheels: bool) -> Asking<'_> {
    world.ask(&["a"]).policy(|policy| {
        let formats = &mut policy.formats;
        if wheels { formats.only_binary("a") } else { formats.no_binary("a") }.unwrap();
    })
}
