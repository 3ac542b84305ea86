//! Tests with random text: nothing is too odd to be read, and problems name places that exist.

use proptest::prelude::*;

use super::tests::machine;

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
