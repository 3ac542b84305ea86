//! Tests of single lines, those of `docs/facts/pip.md` 1.9 and similar ones, on a machine made of
//! literals.

use crate::domain::Source;
use crate::input::fake_source::FakeSource;
use crate::input::{ParsedInput, RequirementsReader, Severity};

const HASH: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

pub fn machine() -> FakeSource {
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

pub fn parse(text: &str) -> ParsedInput {
    machine().read(text.replace('H', HASH))
}

/// What was asked, a requirement per part; hashes by their first letter.
pub fn show(read: &ParsedInput) -> String {
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

pub fn messages(read: &ParsedInput, severity: Severity) -> Vec<String> {
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
fn a_template_is_one_problem() {
    let read = parse("flask\n{% if cookiecutter.db == 'y' %}\nfoo=={{ version }}\n{% endif %}\nbar=1\n");
    insta::assert_snapshot!(messages(&read, Severity::Error).join("\n"), @r"
    requirements.txt:2: this file is a template; name the file that is made of it
        {% if cookiecutter.db == 'y' %}
        ^
    ");
    let read = parse("foo ; os_name != '{{'");
    assert_eq!(messages(&read, Severity::Error), [""; 0], "a line that can be read is no template");
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
    let read = parse("-e ./proj\nhg+https://me:hunter2@h/r\ngit+https://h/r\nfoo\nreal-1.0.tar.gz\nftp://h/x.zip");
    assert!(!read.has_errors());
    let unfetchable: Vec<_> = read.unfetchable().iter().map(ToString::to_string).collect();
    assert_eq!(unfetchable.len(), 2);
    assert!(
        unfetchable[0].starts_with("requirements.txt:2: it cannot be fetched: repositories of hg"),
        "{}",
        unfetchable[0]
    );
    assert!(unfetchable[1].contains("FTP is not supported"), "{}", unfetchable[1]);
    assert!(!unfetchable.concat().contains("hunter2"));
}

#[test]
fn an_editable_that_is_missing_is_told_once() {
    let read = parse("-e file:absent");
    assert_eq!((read.problems.len(), read.unfetchable().len()), (1, 0));
    assert!(read.problems[0].message.contains("there is no file /w/absent"), "{}", read.problems[0]);
}
