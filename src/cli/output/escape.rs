//! Escapes control characters in text for a terminal, as `\u{1b}`.

use std::fmt::Write as _;

use serde::Serialize;

use crate::domain::is_control;

/// Returns a text with control characters escaped, except line breaks.
pub fn escape_lines(text: &str) -> String {
    escape(text, |character| character != '\n' && is_control(character))
}

/// Returns a text for a single line or table cell: line breaks are escaped, too.
pub fn escape_line(text: &str) -> String {
    escape(text, is_control)
}

/// Returns a value as JSON in which control characters are escaped, also those that JSON itself
/// allows in strings (RFC 8259 requires escapes for the first 32 characters alone).
pub fn escape_json(value: &impl Serialize) -> String {
    escape_json_text(&serde_json::to_string_pretty(value).expect("a report is plain data"))
}

/// Escapes control characters in a JSON text, where they can occur in strings alone.
pub fn escape_json_text(text: &str) -> String {
    let is_escaped = |character| character != '\n' && is_control(character);
    escape_with(text, is_escaped, |escaped, character| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    })
}

/// Returns at most `length` characters of a text, and how many were left out.
pub fn shorten(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} … ({} more characters)", &text[..end], text[end..].chars().count()),
    }
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    escape_with(text, is_escaped, |escaped, character| escaped.extend(character.escape_default()))
}

/// Copies a text, and writes those of its characters that are to be escaped in another way.
fn escape_with(text: &str, is_escaped: impl Fn(char) -> bool, write: impl Fn(&mut String, char)) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, character)) = rest.char_indices().find(|(_, character)| is_escaped(*character)) {
        escaped.push_str(&rest[..at]);
        write(&mut escaped, character);
        rest = &rest[at + character.len_utf8()..];
    }
    escaped.push_str(rest);
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\u{1b}[2J\u{7}\r\u{202e}\u{85}\u{9b}\u{e0041}";

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(escape_line("a\tb\nc"), r"a\tb\nc");
        assert_eq!(escape_lines("a\n  ü b"), "a\n  ü b");
        assert_eq!(escape_line(HOSTILE), r"\u{1b}[2J\u{7}\r\u{202e}\u{85}\u{9b}\u{e0041}");
    }

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        assert_eq!(escape_line("re\u{ad}quests\u{3164}\u{fe0f}\u{180e}"), r"re\u{ad}quests\u{3164}\u{fe0f}\u{180e}");
    }

    #[test]
    fn json_says_the_same_without_them() {
        let text = escape_json(&[HOSTILE, "ü\n"]);
        assert!(!text.replace('\n', "").contains(is_control) && text.contains('ü'), "{text}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), [HOSTILE, "ü\n"]);
    }

    #[test]
    fn what_is_cut_off_is_counted() {
        assert_eq!(shorten("äbc", 3), "äbc");
        assert_eq!(shorten("äbcde", 3), "äbc … (2 more characters)");
    }
}
