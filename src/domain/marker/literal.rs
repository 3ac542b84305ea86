//! Parses quoted text as Python does.

/// Returns the text between quotes, with its escapes replaced as in a Python string.
///
/// # Errors
/// When an escape is invalid in Python or not supported here; the error names it.
pub(super) fn unescaped(written: &str) -> Result<String, String> {
    if written.contains(['\n', '\r', '\0']) {
        return Err("a text in quotes may not hold a line's end".into());
    }
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        rest = escape(after, &mut text)?;
    }
    text.push_str(rest);
    Ok(text)
}

/// Reads an escape after its backslash, and returns the rest; an unknown escape stays as it is.
fn escape<'t>(after: &'t str, text: &mut String) -> Result<&'t str, String> {
    let Some(kind) = after.chars().next() else {
        return Err("a backslash before the quote: write `\\\\` for a backslash".into());
    };
    let rest = &after[kind.len_utf8()..];
    match kind {
        '\\' | '\'' | '"' => text.push(kind),
        'a' => text.push('\u{7}'),
        'b' => text.push('\u{8}'),
        'f' => text.push('\u{c}'),
        'n' => text.push('\n'),
        'r' => text.push('\r'),
        't' => text.push('\t'),
        'v' => text.push('\u{b}'),
        'x' => return code(rest, 2, text),
        'u' => return code(rest, 4, text),
        'U' => return code(rest, 8, text),
        'N' => return Err("the escape `\\N` is not supported: write the character itself".into()),
        '0'..='7' => return Ok(octal(after, text)),
        other => text.extend(['\\', other]),
    }
    Ok(rest)
}

/// Reads a character given by exactly `length` hexadecimal digits.
///
/// Half a surrogate pair becomes U+FFFD, since neither occurs in a variable's value.
fn code<'t>(rest: &'t str, length: usize, text: &mut String) -> Result<&'t str, String> {
    let digits = rest.get(..length).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).filter(|number| *number <= 0x10_ffff);
    let Some(number) = number else {
        return Err(format!("an escape of a character needs {length} hexadecimal digits, of U+10FFFF at most"));
    };
    text.push(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER));
    Ok(&rest[length..])
}

/// Reads a character given by one to three octal digits.
fn octal<'t>(digits: &'t str, text: &mut String) -> &'t str {
    let length = digits.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    let number = digits[..length].bytes().fold(0, |number, digit| number * 8 + u32::from(digit - b'0'));
    text.extend(char::from_u32(number));
    &digits[length..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The results of `ast.literal_eval` of Python 3.11.
    #[test]
    fn escapes_are_those_of_python() {
        for (written, text) in [
            ("plain", "plain"),
            (r"a\\b\'c", r"a\b'c"),
            (r"\x41\u00e9\U0001F600\101\0608", "Aé😀A08"),
            (r"\d\8\é", r"\d\8\é"),
            (r"\ud800", "\u{fffd}"),
            (r"\tx\n", "\tx\n"),
        ] {
            assert_eq!(unescaped(written).as_deref(), Ok(text), "{written}");
        }
        for written in [r"a\", r"\x4", r"\xé9", r"\U00110000", r"\N{DIGIT ONE}", "a\nb"] {
            assert!(unescaped(written).is_err(), "{written}");
        }
    }
}
