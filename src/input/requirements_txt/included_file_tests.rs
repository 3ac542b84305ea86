//! Tests of files that name other files: where these are found, and which are refused.

use super::tests::{machine, messages, show};
use crate::input::{Location, Role, Severity, read};

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
fn a_fragment_that_is_no_project_name_is_told_what_to_write() {
    for (line, expected) in [
        (
            "git+https://h/r#egg=foo[bar]",
            "write `egg=foo`, or leave it out, and put extras before the URL, as in `foo[extra] @ URL`",
        ),
        ("foo @ git+https://h/r#egg=foo==1.0", "write `egg=foo`, or leave it out: a URL has one version"),
        ("git+https://h/r#egg=", "name the project as in `name @ URL` instead"),
    ] {
        let told = messages(&machine().read(line), Severity::Error).join("\n");
        assert!(told.contains(expected), "{line}: {told}");
    }
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

/// A constraint that is included as a requirement, too, is both.
#[test]
fn a_file_is_read_once_in_each_role() {
    let machine = machine().file("/w/a.txt", "foo==1.0");
    let read = machine.read("-r a.txt\n-c a.txt\n-r ./a.txt\n-c a.txt");
    let roles: Vec<_> = read.requirements.iter().map(|requirement| requirement.constraint).collect();
    assert_eq!((roles.as_slice(), read.problems.as_slice()), ([false, true].as_slice(), [].as_slice()));
}

/// Read as often as they are included, these would be 2^30 files.
#[test]
fn files_that_include_two_others_each_are_read_once() {
    let machine = (0..30).fold(machine(), |machine, level| {
        let text = format!("-r {0}a.txt\n-r {0}b.txt\n", level + 1);
        machine.file(&format!("/w/{level}a.txt"), text.clone()).file(&format!("/w/{level}b.txt"), text)
    });
    let read = machine.file("/w/30a.txt", "foo").file("/w/30b.txt", "bar").read("-r 0a.txt");
    assert_eq!((read.requirements.len(), read.problems.len()), (2, 0));
}

#[test]
fn endless_includes_end() {
    let lines: Vec<_> = (0..1001).map(|number| format!("-r {number}.txt")).collect();
    let machine = (0..1001).fold(machine(), |machine, number| machine.file(&format!("/w/{number}.txt"), "foo"));
    let read = machine.read(lines.join("\n"));
    assert!(read.problems.iter().any(|problem| problem.message.contains("more than 1000 files")));
}
