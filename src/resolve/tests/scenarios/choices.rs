//! Scenarios about which releases and files may be chosen.

use super::super::asking::Asking;
use super::*;
use crate::domain::Remedy;

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
    assert_eq!(bounded.ask(&["a<0.2.0"]).policy(|policy| policy.releases.pre()).solve().packages(), ["a 0.1.0"]);
    let in_range = told(&["a 0.1.0", "a 1.0.0a1"]);
    assert_eq!(in_range.ask(&["a>0.1.0"]).policy(|policy| policy.releases.pre()).solve().packages(), ["a 1.0.0a1"]);
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
    assert_eq!(only(&wheel, true).solve().packages(), ["a 1.0"]);
    assert_eq!(only(&source, false).solve().packages(), ["a 1.0"]);
    assert!(only(&wheel, false).solve().message().contains("a wheel, and only source archives are allowed"));
    assert_eq!(only(&source, true).solve().reason().remedies(), [Remedy::AllowSources].into());
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

fn only(world: &FakeIndex, wheels: bool) -> Asking<'_> {
    world.ask(&["a"]).policy(|policy| {
        let formats = &mut policy.formats;
        if wheels { formats.only_binary("a") } else { formats.no_binary("a") }.unwrap();
    })
}
