//! Tests with the lines of `docs/facts/pip.md` 1.9 and similar ones, on a machine made of literals.

use proptest::prelude::*;

use crate::domain::Source;
use crate::input::fake_source::FakeSource;
use crate::input::{Location, ParsedInput, RequirementsReader, Role, Severity, read};

const HASH: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn machine() -> FakeSource {
    FakeSource::new()
        .folder("/w/proj", true)
        .folder("/w/plain", false)
        .folder("/w/sub", false)
        .file("/w/simple-0.1-py3-none-any.whl", "")
        .file("/w/real-1.0.tar.gz", "")
        .file("/w/bad.whl", "")
        .file("/w/other.txt", "other")
        .file("/w/sub/beside-1.zip", "")
        .variable("TOKEN", "hunter2")
        .variable("OPTION", "--pre")
}

fn parse(text: &str) -> ParsedInput {
    machine().read(text.replace('H', HASH))
}

/// What was asked, a requirement per part; hashes by their first letter.
fn show(read: &ParsedInput) -> String {
    let lines = read.requirements.iter().map(|requirement| {
        let kind = match (&requirement.source, requirement.editable) {
            (_, true) => "",
            (Source::Archive(_), _) => "archive ",
            (Source::Project(_), _) => "project ",
            (Source::Repository(_), _) => "repository ",
            _ => "",
        };
        let hashes: String = requirement.hashes.iter().map(|digest| format!(" {}", &digest.to_string()[..8])).collect();
        format!("{} {kind}{requirement}{hashes}", requirement.origin.line)
    });
    lines.collect::<Vec<_>>().join(" | ")
}

fn messages(read: &ParsedInput, severity: Severity) -> Vec<String> {
    let problems = read.problems.iter().filter(|problem| problem.severity == severity);
    problems.map(ToString::to_string).collect()
}

#[test]
fn lines_that_pip_takes() {
    for (text, expected) in [
        ("foo==1.0,", "1 foo==1.0"),
        ("foo (>=1.0)", "1 foo>=1.0"),
        ("foo;", "1 foo"),
        ("foo; os_name=='a;b'", "1 foo ; os_name=='a;b'"),
        ("foo[A_b.c,D]==1", "1 foo[a-b-c,d]==1"),
        ("foo @ https://h/x.zip;os_name=='nt'", "1 foo @ https://h/x.zip ; os_name=='nt'"),
        ("https://h/x.zip; os_name=='nt'", "1 https://h/x.zip ; os_name=='nt'"),
        ("https://h/x.zip;os_name", "1 https://h/x.zip;os_name"),
        ("foo@https://h/x.zip", "1 foo @ https://h/x.zip"),
        ("git+https://h/r.git", "1 repository git+https://h/r.git"),
        ("foo[bar] @ git+https://h/r@v1#subdirectory=s", "1 repository foo[bar] @ git+https://h/r@v1#subdirectory=s"),
        ("https://h/foo-1.0-py3-none-any.whl", "1 foo @ https://h/foo-1.0-py3-none-any.whl"),
        ("https://h/foo-1.0-py3-none-any.whl[x]", "1 https://h/foo-1.0-py3-none-any.whl[x]"),
        ("https://h/f-1.0.tar.gz#egg=foo # c", "1 foo @ https://h/f-1.0.tar.gz#egg=foo"),
        ("proj", "1 proj"),
        ("proj/", "1 project /w/proj"),
        ("./proj [a,b]", "1 project /w/proj[a,b]"),
        ("./proj; os_name=='x'", "1 project /w/proj ; os_name=='x'"),
        ("simple-0.1-py3-none-any.whl [x]", "1 archive simple[x] @ /w/simple-0.1-py3-none-any.whl"),
        ("./sub/../real-1.0.tar.gz", "1 archive /w/real-1.0.tar.gz"),
        ("file:real-1.0.tar.gz#egg=real", "1 real @ file:///w/real-1.0.tar.gz#egg=real"),
        ("file:///w/proj", "1 project /w/proj"),
        ("foo.egg\nother.txt", "1 foo-egg | 2 other-txt"),
        ("-e 'foo @ git+https://h/r'", "1 -e foo @ git+https://h/r"),
        ("-e git://h/r#egg=foo", "1 -e foo @ git+git://h/r#egg=foo"),
        ("-e ./proj[a]", "1 -e /w/proj[a]"),
        ("foo --hash=sha256:H --hash sha512:H", "1 foo sha256:a sha512:a"),
        ("foo==1.0 --hash=sha256:H#c", "1 foo==1.0 sha256:a"),
        ("foo - bar", "1 foo"),
        ("foo == 1 -- bar", "1 foo==1"),
        ("-i https://h foo", ""),
        ("-r 'other.txt'", "1 other"),
        ("foo===1.0.weird+x", "1 foo===1.0.weird+x"),
        ("foo ${OPTION}", "1 foo"),
        ("", ""),
    ] {
        let read = parse(text);
        assert!(!read.has_errors(), "{text}: {:?}", read.problems);
        assert_eq!(show(&read), expected, "{text}");
    }
}

#[test]
fn lines_that_pip_refuses() {
    for text in [
        "foo#bar",
        "foo==1.0#c",
        "foo \\ \nbar",
        "foo==${ver}",
        "foo bar",
        "foo,==1.0",
        "foo >=1 <2",
        "foo=1.0",
        "foo==",
        "foo python_version>'3'",
        "foo; python_version > 3",
        "foo[,]",
        "foo[a,]",
        "foo @ https://h/x y.zip",
        "git+https://h/r#egg=foo[bar]",
        "git@h:r.git",
        "https://h/bad.whl",
        "bad.whl",
        ".",
        "./plain",
        "./missing",
        "~/proj",
        "./other.txt",
        "-e foo @ git+https://h/r",
        "-e git+https://h/r.git",
        "-e ./missing",
        "-e ''",
        "foo -e ./proj",
        "foo\t--hash=sha256:H",
        "foo --hash=md5:x",
        "'foo'",
        "foo>=1.0.*",
        "foo>1.0+l",
        "foo~=1",
        "foo==latest",
        "foo<>1",
        "--no-index=1",
        "-r",
        "--req x",
        "-r missing.txt",
        "--platform x",
        "-i 'x",
        "foo; sys_platform ~= 'l'",
        "foo; 'x' in extras",
        "--require-hashes --no-require-hashes",
        "nope-1.0.tar.gz",
        "foo @ ./x.zip",
        "foo @ file:x.zip",
    ] {
        let read = parse(text);
        assert_eq!(messages(&read, Severity::Error).len(), 1, "{text}: {:?}", read.problems);
    }
}

#[test]
fn what_pip_drops_in_silence_is_a_warning() {
    for (text, part) in [
        ("-i https://h foo", "`foo` stands after an option"),
        ("foo --hash=sha256:H bar", "`bar` stands after an option"),
        ("-e ./proj -e ./proj", "counts once"),
        ("-r other.txt -r missing.txt", "counts once"),
        ("-r other.txt -i https://h", "`--index-url` has no effect"),
        ("foo --pre", "`--pre` has no effect"),
        ("foo -r x.txt", "`--requirement` has no effect"),
        ("-e ./proj --hash=sha256:H", "`--hash` has no effect"),
        ("-f a -f b", "this one is ignored"),
        ("--hash=sha256:H", "belongs behind a requirement"),
        ("--no-index\n-i https://h", "not used"),
        ("--extra-index-url https://me:pw@e\n-i https://h", "the extra index https://****@e too"),
        ("foo --hash=sha256:zz", "no file can match"),
        ("--no-binary 'a b'", "no project name"),
        ("-i https://${NOPE}@h", "NOPE is not set"),
    ] {
        let read = parse(text);
        let warnings = messages(&read, Severity::Warning);
        assert!(!read.has_errors() && warnings.iter().any(|warning| warning.contains(part)), "{text}: {warnings:?}");
    }
}

#[test]
fn options_are_global_and_replace_each_other() {
    let options =
        parse("-i a\n--extra-index-url b\n-i c\n--extra-index-url d\n-f sub\n-f nosuch\n--trusted-host h").options;
    assert_eq!((options.index_url.as_deref(), options.extra_index_urls), (Some("c"), vec!["d".to_owned()]));
    assert_eq!(options.find_links, ["/w/sub", "nosuch"]);
    assert_eq!(options.trusted_hosts, ["h"]);
    let options = parse("-i a\n--no-index\n-i b\nfoo --no-binary foo --pre\n--only-final bar\n--prefer-binary").options;
    assert_eq!((options.index_url, options.no_index, options.pre), (None, true, false));
    assert_eq!(options.formats.no_binary_values(), ["foo"]);
    assert_eq!(options.releases.only_final_values(), ["bar"]);
    assert!(options.prefer_binary && parse("--all-releases :all:").options.pre);
    assert!(parse("foo --hash=sha256:H").requires_hashes());
    assert!(!parse("foo --hash=sha256:H\n--no-require-hashes").requires_hashes());
}

#[test]
fn settings_are_kept_with_their_requirement() {
    let read = parse("foo -C 'a=b c' --config-settings=d=e=f -C a=g");
    let settings = &read.requirements[0].config_settings;
    assert_eq!(settings["a"], ["b c", "g"]);
    assert_eq!(settings["d"], ["e=f"]);
}

#[test]
fn a_file_from_the_network_names_nothing_of_this_machine() {
    for (text, expected) in [
        ("-r file:///etc/passwd", "file:///etc/passwd is local"),
        ("-c FILE:///w/other.txt", "file:///w/other.txt is local"),
        ("-f sub", "sub is local"),
        ("-i file:///w/sub", "file:///w/sub is local"),
        ("--extra-index-url sub", "sub is local"),
        ("./real-1.0.tar.gz", "/w/real-1.0.tar.gz is local"),
        ("real @ file:///w/real-1.0.tar.gz", "file:///w/real-1.0.tar.gz is local"),
        ("-e ./proj", "/w/proj is local"),
        ("git+file:///w/proj#egg=proj", "git+file:///w/proj#egg=proj is local"),
        ("-i https://${TOKEN}@h.example/", "`${TOKEN}` is not replaced"),
        ("foo==${UNSET}", "`${UNSET}` is not replaced"),
    ] {
        let read = machine().url("https://files.example/r.txt", text).read("-r https://files.example/r.txt");
        let told = messages(&read, Severity::Error).join("\n");
        assert!(told.contains(expected) && told.contains("read a copy of it"), "{text}: {told}");
        assert!(
            !told.contains("hunter2") && read.requirements.is_empty() && read.options.find_links.is_empty(),
            "{text}"
        );
    }
    let local = machine().file("/w/local.txt", "-r other.txt\n-i https://${TOKEN}@h.example/").read("-r local.txt");
    assert_eq!(local.problems, []);
}

#[test]
fn included_files_are_found_from_their_file_and_paths_from_the_working_folder() {
    let machine = machine()
        .file("/w/sub/dev.txt", "-r base.txt\n-c https://files.example/c.txt\n-f links\n./proj")
        .folder("/w/sub/links", false)
        .file("/w/sub/base.txt", "-r ../other.txt\nbase")
        .url("https://files.example/c.txt", "bound<2\n-r r.txt")
        .url("https://files.example/r.txt", "asked");
    let read = machine.read("-r sub/dev.txt\n-r sub/base.txt");
    assert_eq!(read.problems, []);
    let origins = read.requirements.iter().map(|requirement| (requirement.origin.to_string(), requirement.constraint));
    let expected = [
        ("other.txt:1", false),
        ("sub/base.txt:2", false),
        ("https://files.example/c.txt:1", true),
        ("https://files.example/r.txt:1", false),
        ("sub/dev.txt:4", false),
        ("other.txt:1", false),
        ("sub/base.txt:2", false),
    ];
    assert_eq!(origins.collect::<Vec<_>>(), expected.map(|(origin, constraint)| (origin.to_owned(), constraint)));
    assert_eq!(read.options.find_links, ["/w/sub/links"]);
}

#[test]
fn a_cycle_names_its_files() {
    let read = machine().file("/w/sub/b.txt", "-c ../requirements.txt\nfoo").read("-r sub/b.txt");
    assert_eq!(show(&read), "2 foo");
    let expected = "sub/b.txt:1: requirements.txt includes itself: requirements.txt → sub/b.txt → requirements.txt\n    -c ../requirements.txt\n    ^";
    assert_eq!(messages(&read, Severity::Error), [expected]);
}

#[test]
fn constraints_must_name_a_project() {
    for (text, is_fine) in [
        ("foo<2", true),
        ("foo @ https://h/x.zip", true),
        ("https://h/foo-1-py3-none-any.whl", true),
        ("https://h/x.zip", false),
        ("foo[x]<2", false),
        ("-e ./proj", false),
        ("./proj", false),
    ] {
        let read = machine().file("/w/c.txt", text).read("-c c.txt");
        assert_eq!(!read.has_errors(), is_fine, "{text}: {:?}", read.problems);
    }
}

#[test]
fn every_bad_line_is_reported() {
    let read = parse("foo=1.0\nfine\n--nope\n  bar \\\n  baz\n# c\n");
    assert_eq!(show(&read), "2 fine");
    assert_eq!(
        messages(&read, Severity::Error),
        [
            "requirements.txt:1: `=` is no operator; did you mean `==`?\n    foo=1.0\n       ^",
            "requirements.txt:3: `--nope` is no option of a requirements file\n    --nope\n    ^",
            "requirements.txt:4: `baz` cannot stand here: a version needs an operator such as `==`\n    bar   baz\n          ^",
        ]
    );
}

#[test]
fn a_path_beside_the_file_gets_advice() {
    let machine = machine().file("/w/sub/r.txt", "./beside-1.zip");
    let error = &messages(&machine.read("-r sub/r.txt"), Severity::Error)[0];
    assert!(error.contains("beside the file"), "{error}");
}

#[cfg(unix)]
#[test]
fn paths_of_windows_are_told_as_such() {
    for text in [r"C:\wheels\foo-1.0-py3-none-any.whl", r"..\foo", r"C:\foo", r"wheels\foo-1.0.tar.gz"] {
        let read = parse(text);
        let error = &messages(&read, Severity::Error)[0];
        assert!(error.contains("write `/`"), "{error}");
    }
}

#[test]
fn values_of_variables_are_not_told() {
    let read = parse("-i https://${TOKEN}@h/${TOKEN}\nfoo=${TOKEN}\nfoo @ ${TOKEN}\n./x/${TOKEN}");
    assert_eq!(read.options.index_url.as_deref(), Some("https://hunter2@h/hunter2"));
    assert_eq!(messages(&read, Severity::Error).len(), 3);
    assert!(!format!("{:?}", read.problems).contains("hunter2"), "{:?}", read.problems);
}

#[test]
fn unreadable_files_are_named() {
    let missing = read(&Location::parse("nope/r.txt"), Role::Requirements, &machine());
    assert_eq!(missing.problems[0].to_string(), "nope/r.txt: it cannot be read: No such file or directory");
    let binary = machine().read(b"PK\x03\x04\xff\xff".to_vec());
    assert!(binary.problems[0].to_string().starts_with("requirements.txt: it cannot be read: byte 4 "));
    let setup = read(&Location::parse("setup.py"), Role::Requirements, &machine());
    assert!(setup.problems[0].message.contains("pip-compile"), "{:?}", setup.problems);
    let nested = machine().read("-r setup.py");
    assert!(nested.problems[0].message.contains("pip-compile"), "{:?}", nested.problems);
    let lock = machine().read("-r uv.lock");
    assert!(lock.problems[0].message.contains("is no requirements file but a uv.lock"), "{:?}", lock.problems);
    let pipfile = read(&Location::parse("https://h/Pipfile"), Role::Requirements, &machine());
    assert!(pipfile.problems[0].message.contains("pipenv requirements"), "{:?}", pipfile.problems);
}

#[test]
fn endless_includes_end() {
    let both = "-r a.txt\n-r b.txt";
    let machine = (0..30).fold(machine(), |machine, level| {
        let next = level + 1;
        let text = both.replace("a.txt", &format!("{next}a.txt")).replace("b.txt", &format!("{next}b.txt"));
        machine.file(&format!("/w/{level}a.txt"), text.clone()).file(&format!("/w/{level}b.txt"), text)
    });
    let read = machine.read("-r 0a.txt");
    assert!(read.problems.iter().any(|problem| problem.message.contains("more than 1000 files")));
}

#[test]
fn arguments_are_requirements_without_options() {
    let machine = machine();
    let mut reader = RequirementsReader::new(&machine);
    reader.argument("foo>=1 ; os_name == 'nt'");
    reader.argument("./proj");
    reader.argument("foo --pre");
    let read = reader.finish();
    assert_eq!(show(&read), "0 foo>=1 ; os_name == 'nt' | 0 project /w/proj");
    assert!(read.problems[0].to_string().starts_with("command line: "));
}

#[test]
fn what_cannot_be_fetched_says_what_to_do() {
    let read = parse("-e ./proj\ngit+https://me:hunter2@h/r\n./proj\nfoo\nreal-1.0.tar.gz\nftp://h/x.zip");
    assert!(!read.has_errors());
    let unfetchable: Vec<_> = read.unfetchable().iter().map(ToString::to_string).collect();
    assert_eq!(unfetchable.len(), 4);
    assert!(unfetchable[0].starts_with("requirements.txt:1: an editable"), "{}", unfetchable[0]);
    assert!(unfetchable[2].contains("python -m pip wheel --no-deps --wheel-dir wheels \"/w/proj\""));
    assert!(!unfetchable.concat().contains("hunter2"));
}

#[test]
fn an_editable_that_is_missing_is_told_once() {
    let read = parse("-e file:absent");
    assert_eq!((read.problems.len(), read.unfetchable().len()), (1, 0));
    assert!(read.problems[0].message.contains("there is no file /w/absent"), "{}", read.problems[0]);
}

/// Pieces that make lines of every kind, whole and broken.
fn lines() -> impl Strategy<Value = String> {
    let pieces = [
        "foo",
        "==1.0",
        ">=",
        "[a]",
        "[",
        " ; ",
        "os_name=='nt'",
        " and (",
        " @ ",
        "https://u:p@h/x.zip",
        "#egg=é",
        "./proj",
        "-e ",
        " -r other.txt",
        "-r requirements.txt",
        " --hash=sha256:zz",
        "--no-binary ",
        ":all:",
        "${TOKEN}",
        "'",
        "\"",
        "\\",
        "\n",
        " \\\n",
        "\u{2028}",
        " # c",
        "\t",
        "é",
        "\u{0}",
        "--",
        " -i",
        "://",
        "@",
        "===",
        ",",
        " ",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12).prop_map(|parts| parts.concat())
}

fn line_count(text: &str) -> usize {
    1 + text.chars().filter(|character| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')).count()
}

fn check(text: &[u8]) {
    let read = machine().read(text);
    let lines = line_count(&String::from_utf8_lossy(text));
    for problem in read.problems.iter().chain(&read.unfetchable()) {
        let is_ours = &*problem.origin.file == "requirements.txt";
        assert!(!is_ours || problem.origin.line <= lines, "{problem}");
        let width = problem.text.as_ref().map_or(0, |text| text.chars().count());
        assert!(problem.column.unwrap_or_default() <= width, "{problem}");
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
    }
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in lines()) {
        check(text.as_bytes());
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..60), mark in prop::sample::select(vec![&b""[..], b"\xff\xfe", b"\xff\xfe\0\0", b"# coding: shift_jis\n", b"# coding: latin1\n"])) {
        let text = [mark, &bytes].concat();
        let read = machine().read(text);
        prop_assert!(read.problems.iter().all(|problem| problem.message.chars().count() <= 501));
    }

    #[test]
    fn any_characters_may_come(text in "\\PC{0,40}") {
        check(text.as_bytes());
    }
}
