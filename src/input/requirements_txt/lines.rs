//! Splits text into logical lines: joined, without comments, with variables replaced
//! (`docs/facts/pip.md` 1.2, steps 1 to 5).

/// A line after continuations are joined and the comment is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogicalLine {
    /// The number of its first physical line, from 1.
    pub number: usize,
    /// The line as written in the file.
    pub written: String,
    /// The line with the values of variables.
    pub text: String,
    /// The variables that were replaced, by name and value.
    pub variables: Vec<(String, String)>,
    /// The variables that are not set and stay as written, with their positions.
    pub unset: Vec<(usize, String)>,
}

/// Returns the lines of `text` that are not blank, with variables from `variable`.
pub fn logical_lines<'a>(
    text: &'a str,
    variable: impl Fn(&str) -> Option<String> + 'a,
) -> impl Iterator<Item = LogicalLine> + 'a {
    let joined = join(physical_lines(text).into_iter().zip(1..)).into_iter();
    joined.filter_map(move |(line, number)| {
        let written = without_comment(&line);
        (!written.is_empty()).then(|| expand(number, written, &variable))
    })
}

/// Whether the character ends a line in Python's `splitlines`.
fn ends_line(character: char) -> bool {
    let controls = '\n'..='\r';
    controls.contains(&character) || matches!(character, '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn physical_lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(ends_line) {
        lines.push(&rest[..end]);
        let after = &rest[end..];
        let first = after.chars().next().map_or(0, char::len_utf8);
        rest = &after[if after.starts_with("\r\n") { 2 } else { first }..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// Whether the character is white space in Python.
pub fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

fn is_comment(line: &str) -> bool {
    line.trim_start_matches(is_space).starts_with('#')
}

/// Joins each line that ends in `\` with the next; a comment ends the sequence and continues
/// nothing.
fn join<'a>(lines: impl Iterator<Item = (&'a str, usize)>) -> Vec<(String, usize)> {
    let mut joined = Vec::new();
    let mut run: Option<(String, usize)> = None;
    for (line, number) in lines {
        let continues = line.ends_with('\\') && !is_comment(line);
        let blank = if is_comment(line) { " " } else { "" };
        let (text, _) = run.get_or_insert((String::new(), number));
        text.push_str(blank);
        text.push_str(if continues { line.trim_matches('\\') } else { line });
        if !continues {
            joined.extend(run.take());
        }
    }
    joined.extend(run);
    joined
}

/// Returns `line` up to a `#` that begins it or follows white space, trimmed.
fn without_comment(line: &str) -> &str {
    let begins = |at: usize| line[..at].chars().next_back().is_none_or(is_space);
    let end = line.match_indices('#').map(|(at, _)| at).find(|at| begins(*at));
    line[..end.unwrap_or(line.len())].trim_matches(is_space)
}

/// Replaces each `${NAME}` by its value, one name after the other, so that a value may contain a
/// later name.
fn expand(number: usize, written: &str, variable: &impl Fn(&str) -> Option<String>) -> LogicalLine {
    let mut text = written.to_owned();
    let mut variables = Vec::new();
    for name in variable_names(written) {
        let is_known = variables.iter().any(|(known, _)| known == name);
        let may_return = variables.iter().any(|(_, value): &(String, String)| value.contains("${"));
        if is_known && !may_return {
            continue;
        }
        if let Some(value) = variable(name).filter(|value| !value.is_empty()) {
            text = text.replace(&format!("${{{name}}}"), &value);
            variables.push((name.to_owned(), value));
        }
    }
    let has_no_value = |name: &str| variable(name).is_none_or(|value| value.is_empty());
    let unset = variable_names(written).filter(|name| has_no_value(name));
    let unset = unset.map(|name| (position_of_variable(written, name), name.to_owned())).collect();
    LogicalLine { number, written: written.to_owned(), text, variables, unset }
}

/// Returns the position of `${name}` in `line`, which contains it.
fn position_of_variable(line: &str, name: &str) -> usize {
    line.find(&format!("${{{name}}}")).unwrap_or_default()
}

/// Returns the names in `${…}`, which consist of capital letters, digits and `_`.
fn variable_names(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    line.split("${").skip(1).filter_map(move |after| {
        let (name, _) = after.split_once('}')?;
        (!name.is_empty() && name.bytes().all(is_part)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(usize, String)> {
        let variable = |name: &str| match name {
            "FOO_BAR" => Some("x==2".to_owned()),
            "C" => Some("x # y\nz".to_owned()),
            "NESTED" => Some("<${FOO_BAR}>".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        logical_lines(text, variable).map(|line| (line.number, line.text)).collect()
    }

    #[test]
    fn variables_without_a_value_are_told() {
        let variable = |name: &str| (name == "SET").then(|| "1".to_owned());
        let mut lines = logical_lines("-i https://${USER}:${SET}@h # ${NOT}\nfoo==${ver}", variable);
        assert_eq!(lines.next().unwrap().unset, [(11, "USER".to_owned())]);
        assert_eq!(lines.next().unwrap().unset, []);
    }

    /// `docs/facts/pip.md` 1.9, rows 1 to 22.
    #[test]
    fn lines_as_pip_reads_them() {
        for (text, expected) in [
            ("foo#bar", vec![(1, "foo#bar")]),
            ("foo #bar\nfoo\t#bar\nfoo\u{3000}#bar", vec![(1, "foo"), (2, "foo"), (3, "foo")]),
            ("https://h/f-1.0.tar.gz#egg=foo # c", vec![(1, "https://h/f-1.0.tar.gz#egg=foo")]),
            ("foo \\\n ==1.0", vec![(1, "foo  ==1.0")]),
            ("foo\\\n==1", vec![(1, "foo==1")]),
            ("foo \\\n# c\n==1.0", vec![(1, "foo"), (3, "==1.0")]),
            ("foo \\\n   # c\nbar", vec![(1, "foo"), (3, "bar")]),
            ("# c \\\nfoo", vec![(2, "foo")]),
            ("foo # c \\\nbar", vec![(1, "foo")]),
            ("foo \\ \nbar", vec![(1, "foo \\"), (2, "bar")]),
            ("foo \\\\\nbar", vec![(1, "foo bar")]),
            ("\\\nfoo", vec![(1, "foo")]),
            ("foo \\\n\nbar", vec![(1, "foo"), (3, "bar")]),
            ("foo\\", vec![(1, "foo")]),
            ("\\a\\\nb", vec![(1, "ab")]),
            (
                "a\u{b}b\u{c}c\u{2028}d\r\ne\rf\u{85}g\x1ch",
                "abcdefgh".split("").skip(1).take(8).zip(1..).map(|(a, b)| (b, a)).collect(),
            ),
            ("\u{a0}foo\n\tfoo\x1f", vec![(1, "foo"), (2, "foo")]),
            ("${FOO_BAR}", vec![(1, "x==2")]),
            ("foo==${ver} $FOO_BAR ${EMPTY} ${}", vec![(1, "foo==${ver} $FOO_BAR ${EMPTY} ${}")]),
            ("${C}", vec![(1, "x # y\nz")]),
            ("${NESTED}", vec![(1, "<${FOO_BAR}>")]),
            ("${NESTED}${FOO_BAR}", vec![(1, "<x==2>x==2")]),
            ("", vec![]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(number, text)| (number, text.to_owned())).collect();
            assert_eq!(lines(text), expected, "{text:?}");
        }
    }
}
