//! Words for people, on standard error. A closed standard error or output must not end the work.

use std::io::{self, Write};

use clap::ColorChoice;
use console::style;

use crate::cli::error::CliError;

/// Settles whether words are coloured; `auto` is decided by the terminal and `NO_COLOR`.
pub fn choose_colors(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => {}
        ColorChoice::Always => console::set_colors_enabled_stderr(true),
        ColorChoice::Never => console::set_colors_enabled_stderr(false),
    }
}

/// Says something.
pub fn say(text: impl AsRef<str>) {
    let _ = writeln!(io::stderr(), "{}", text.as_ref());
}

/// Says something that the user should know and that does not end the run.
pub fn warn(text: impl AsRef<str>) {
    say(format!("{} {}", style("warning:").for_stderr().yellow().bold(), text.as_ref()));
}

/// Says what ends the run.
pub fn fail(text: impl AsRef<str>) {
    say(format!("{} {}", style("error:").for_stderr().red().bold(), text.as_ref()));
}

/// Says everything that went wrong, and what to do.
pub fn show_error(error: &CliError) {
    for problem in &error.problems {
        fail(&problem.message);
        let is_told = |source: &str| source.split(", ").all(|line| problem.message.contains(line));
        if let Some(source) = problem.source.as_deref().filter(|source| !is_told(source)) {
            say(format!("  asked for {}", place(source)));
        }
    }
    if !error.hints.is_empty() {
        say("");
    }
    for hint in &error.hints {
        say(format!("{} {hint}", style("hint:").for_stderr().cyan().bold()));
    }
}

/// `source` in a sentence.
fn place(source: &str) -> String {
    match source {
        "command line" => "on the command line".to_owned(),
        _ => format!("by {source}"),
    }
}

/// Writes what was asked for to standard output.
///
/// # Errors
/// When it cannot be written; a reader that has gone is no error.
pub fn print(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    match writeln!(output, "{text}").and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// `text` of others for a line on the terminal, which obeys control characters: they are replaced.
pub fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// `1 file`, `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("{number} {noun}") } else { format!("{number} {noun}s") }
}
