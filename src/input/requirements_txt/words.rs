//! Splits a line into the requirement and its options, and the options into words as a POSIX shell
//! does (`docs/facts/pip.md` 1.2, step 6).

use super::ParseFault;

/// One word of the options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellWord {
    pub text: String,
    /// The number of bytes of the line before it.
    pub at: usize,
}

/// Splits `line` before the first of its blank-separated parts that begins with `-`.
pub fn split_options(line: &str) -> (&str, &str) {
    if line.starts_with('-') {
        return ("", line);
    }
    match line.find(" -") {
        Some(end) => (&line[..end], &line[end + 1..]),
        None => (line, ""),
    }
}

/// Returns the words of `options`, which begin at byte `at` of the line.
///
/// # Errors
/// When a quote is never closed or the last character is an escape.
pub fn split_words(options: &str, at: usize) -> Result<Vec<ShellWord>, ParseFault> {
    let mut words = Vec::new();
    let mut rest = options.trim_start_matches(is_blank);
    while !rest.is_empty() {
        let start = at + options.len() - rest.len();
        let (text, length) = first_word(rest, start)?;
        words.push(ShellWord { text, at: start });
        rest = rest[length..].trim_start_matches(is_blank);
    }
    Ok(words)
}

/// Returns the first word of `rest`, and its length in bytes.
fn first_word(rest: &str, start: usize) -> Result<(String, usize), ParseFault> {
    let mut text = String::new();
    let mut characters = rest.char_indices();
    while let Some((index, character)) = characters.next() {
        let closed = match character {
            blank if is_blank(blank) => return Ok((text, index)),
            '\'' => quoted(&mut characters, &mut text),
            '"' => quoted_with_escapes(&mut characters, &mut text),
            '\\' => characters.next().map(|(_, escaped)| text.push(escaped)),
            other => {
                text.push(other);
                continue;
            }
        };
        closed.ok_or_else(|| ParseFault::at(start + index, "the options cannot be read: this is never closed"))?;
    }
    Ok((text, rest.len()))
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn quoted(characters: &mut impl Iterator<Item = (usize, char)>, text: &mut String) -> Option<()> {
    loop {
        match characters.next()? {
            (_, '\'') => return Some(()),
            (_, other) => text.push(other),
        }
    }
}

/// Reads text between double quotes, in which `\` escapes itself and the quote, and stands for
/// itself otherwise.
fn quoted_with_escapes(characters: &mut impl Iterator<Item = (usize, char)>, text: &mut String) -> Option<()> {
    loop {
        match characters.next()? {
            (_, '"') => return Some(()),
            (_, '\\') => match characters.next()? {
                (_, escaped @ ('"' | '\\')) => text.push(escaped),
                (_, other) => text.extend(['\\', other]),
            },
            (_, other) => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requirement_ends_before_the_first_dash() {
        for (line, expected) in [
            ("foo --hash=x", ("foo", "--hash=x")),
            ("foo  -e x", ("foo ", "-e x")),
            ("-e x", ("", "-e x")),
            ("foo\t--pre", ("foo\t--pre", "")),
            ("foo-bar", ("foo-bar", "")),
            ("foo - bar", ("foo", "- bar")),
        ] {
            assert_eq!(split_options(line), expected);
        }
    }

    /// The results of Python's `shlex.split`.
    #[test]
    fn words_as_a_shell_reads_them() {
        for (options, expected) in [
            ("-i  u\tx", vec!["-i", "u", "x"]),
            ("-C 'a=b c' \"d\\\"e\\n\"", vec!["-C", "a=b c", "d\"e\\n"]),
            ("a\\ b '' \"\" c''d", vec!["a b", "", "", "cd"]),
            ("'\\' x", vec!["\\", "x"]),
            ("--hash=sha256:ab#c", vec!["--hash=sha256:ab#c"]),
            ("", vec![]),
        ] {
            let words = split_words(options, 0).unwrap();
            assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), expected, "{options}");
        }
        assert_eq!(split_words("-e 'é' x", 10).unwrap()[2].at, 18);
        for options in ["'a", "\"a", "a\\", "\"a\\"] {
            assert!(split_words(options, 0).is_err(), "{options}");
        }
    }
}
