//! Writes to standard error and standard output; no other module does.
//!
//! All text is escaped here, since it may come from others; colours are added here, too. A closed
//! stream does not end the run.

use std::io::{self, Write};

use clap::ColorChoice;
use console::{StyledObject, Term, style};
use serde::Serialize;

use super::escape::{escape_json, escape_line, escape_lines, shorten};
use crate::cli::error::CliError;

/// The number of characters to which a line of a message is shortened; none of ours is nearly as
/// long.
const MAX_LINE: usize = 4_000;

/// Settles whether messages are coloured; `auto` depends on the terminal and `NO_COLOR`.
pub fn choose_colors(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => {}
        ColorChoice::Always => console::set_colors_enabled_stderr(true),
        ColorChoice::Never => console::set_colors_enabled_stderr(false),
    }
}

/// Prints a message to standard error.
pub fn say(text: impl AsRef<str>) {
    let _ = writeln!(io::stderr(), "{}", escape_lines(text.as_ref()));
}

/// Prints a warning to standard error.
pub fn warn(text: impl AsRef<str>) {
    say_labelled(&style("warning:").yellow(), text.as_ref());
}

/// Prints an error to standard error.
pub fn fail(text: impl AsRef<str>) {
    say_labelled(&style("error:").red(), text.as_ref());
}

/// Prints a message behind a label.
///
/// Its further lines are indented, so that none looks like a message of its own.
fn say_labelled(label: &StyledObject<&str>, text: &str) {
    let label = label.clone().for_stderr().bold();
    let _ = writeln!(io::stderr(), "{label} {}", message(text));
}

fn message(text: &str) -> String {
    let lines = text.split('\n').enumerate().map(|(number, line)| {
        let line = shorten(&escape_line(line), MAX_LINE);
        if number == 0 || line.is_empty() || line.starts_with(' ') { line } else { format!("  {line}") }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Prints every problem of an error, and the hints.
pub fn show_error(error: &CliError) {
    for problem in &error.problems {
        fail(&problem.message);
        let is_told = |source: &str| source.split(", ").all(|line| problem.message.contains(line));
        if let Some(source) = problem.source.as_deref().filter(|source| !is_told(source)) {
            say(format!("  asked for {}", source_phrase(source)));
        }
    }
    if !error.hints.is_empty() {
        say("");
    }
    for hint in &error.hints {
        say_labelled(&style("hint:").cyan(), hint);
    }
}

/// Returns a phrase for the source of a problem, such as `by FILE:3`.
fn source_phrase(source: &str) -> String {
    match source {
        "command line" => "on the command line".to_owned(),
        _ => format!("by {source}"),
    }
}

/// Prints lines for people to standard output, escaped so that each stays one line.
///
/// # Errors
/// As [`print_verbatim`].
pub fn print_lines(lines: impl IntoIterator<Item = impl AsRef<str>>) -> io::Result<()> {
    let lines: Vec<_> = lines.into_iter().map(|line| escape_line(line.as_ref())).collect();
    if lines.is_empty() { Ok(()) } else { print_verbatim(&lines.join("\n")) }
}

/// Prints a value as JSON to standard output.
///
/// # Errors
/// As [`print_verbatim`].
pub fn print_json(value: &impl Serialize) -> io::Result<()> {
    print_verbatim(&escape_json(value))
}

/// Prints text of our own, such as scripts, to standard output as it is.
///
/// # Errors
/// When standard output cannot be written; a reader that has gone away is no error.
pub fn print_verbatim(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    unless_closed(writeln!(output, "{text}").and_then(|()| output.flush()))
}

/// Takes a closed pipe for success: the reader has seen enough.
///
/// # Errors
/// Any other.
pub fn unless_closed(printed: io::Result<()>) -> io::Result<()> {
    printed.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// Returns the width for text on standard output: the terminal's, but at most 100 columns.
pub fn width() -> usize {
    const USUAL: u16 = 80;
    const MAX: u16 = 100;
    Term::stdout().size_checked().map_or(USUAL, |(_, columns)| columns.min(MAX)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_message_looks_like_another_message() {
        assert_eq!(message("a\nerror: b\n\n   c"), "a\n  error: b\n\n   c");
        assert_eq!(message("a\r\u{1b}[A"), r"a\r\u{1b}[A");
        assert!(message(&"x".repeat(9_000)).ends_with("(5000 more characters)"));
    }
}
