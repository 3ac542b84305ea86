//! Problems of input lines: severity, place and message.

use std::fmt;

use crate::domain::{Origin, credentials, mask_credentials};

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// An error, after which nothing may be fetched.
    Error,
    /// A warning, where pip silently ignores something; the run goes on as pip's would.
    Warning,
}

/// A problem of an input, without secrets in its text.
///
/// ```text
/// requirements.txt:7: `=` is no operator; did you mean `==`?
///     foo=1.0
///        ^
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    pub origin: Origin,
    pub message: String,
    /// The line, with continuations joined and the comment cut, or the part of it around the fault.
    pub text: Option<String>,
    /// The number of characters of `text` before the fault.
    pub column: Option<usize>,
}

/// The number of characters of a line that are shown.
const WIDEST: usize = 100;

/// The number of characters of a message, since it may quote the line.
const LONGEST: usize = 500;

impl Problem {
    pub(super) fn new(severity: Severity, origin: Origin, message: impl AsRef<str>) -> Self {
        let message = shortened(&printable(&mask_credentials(message.as_ref())));
        Self { severity, origin, message, text: None, column: None }
    }

    pub(super) fn error(origin: Origin, message: impl AsRef<str>) -> Self {
        Self::new(Severity::Error, origin, message)
    }

    /// Adds the line, with the fault at byte `at`.
    pub(super) fn with_text(mut self, text: &str, at: Option<usize>) -> Self {
        let column = at.map(|at| shown_before(text, at));
        let text = printable(&mask_credentials(text));
        let (text, column) = excerpt(&text, column);
        self.text = Some(text);
        self.column = column;
        self
    }
}

/// Returns how many characters are shown of the first `at` bytes of `text`, in which secrets are
/// masked.
fn shown_before(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    let start = credentials(text)
        .into_iter()
        .rev()
        .find(|secret| (secret.start..=secret.end).contains(&at))
        .map(|secret| secret.start);
    mask_credentials(start.map_or(before, |start| &text[..start])).chars().count()
}

/// Returns `text` on one line, without anything that a terminal would act on.
fn printable(text: &str) -> String {
    let shown = |character: char| match character {
        '\t' | '\n' => ' ',
        character if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') => '\u{fffd}',
        character => character,
    };
    text.chars().map(shown).collect()
}

fn shortened(message: &str) -> String {
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

/// Returns the part of a long line around `column`.
fn excerpt(text: &str, column: Option<usize>) -> (String, Option<usize>) {
    let length = text.chars().count();
    if length <= WIDEST {
        return (text.to_owned(), column);
    }
    let start = column.unwrap_or_default().saturating_sub(WIDEST * 2 / 3).min(length - WIDEST);
    let part: String = text.chars().skip(start).take(WIDEST).collect();
    let before = if start > 0 { "…" } else { "" };
    let after = if start + WIDEST < length { "…" } else { "" };
    let column = column.map(|column| column - start + before.chars().count());
    (format!("{before}{part}{after}"), column)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)?;
        if let Some(text) = &self.text {
            write!(f, "\n    {text}")?;
        }
        if let Some(column) = self.column {
            write!(f, "\n    {:column$}^", "")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(message: &str, text: &str, at: usize) -> Problem {
        let origin = Origin { file: "requirements.txt".into(), line: 7 };
        Problem::error(origin, message).with_text(text, Some(at))
    }

    #[test]
    fn the_caret_stands_below_the_fault() {
        let shown = problem("`=` is no operator; did you mean `==`?", "foo=1.0", 3).to_string();
        let expected = "requirements.txt:7: `=` is no operator; did you mean `==`?\n    foo=1.0\n       ^";
        assert_eq!(shown, expected);
        let long = problem("no", &format!("{}é=1{}", "x".repeat(500), "y".repeat(500)), 502);
        let text = long.text.unwrap();
        assert_eq!(text.chars().nth(long.column.unwrap()), Some('='));
        assert_eq!(text.chars().count(), WIDEST + 2);
    }

    #[test]
    fn secrets_and_control_characters_are_not_shown() {
        let text = "foo @ https://me:hunter2@files.example/\u{1b}[31m!";
        let shown = problem("no https://me:hunter2@files.example", text, text.len() - 1);
        assert!(!shown.to_string().contains("hunter2") && !shown.to_string().contains('\u{1b}'));
        assert_eq!(shown.text.as_deref(), Some("foo @ https://****@files.example/\u{fffd}[31m!"));
        assert_eq!(shown.text.unwrap().chars().nth(shown.column.unwrap()), Some('!'));
    }
}
