//! `prefetch help`: prints the help of a command or a page of the documentation.

use std::io;

use clap::{Args, Command, CommandFactory, Parser};

use crate::cli::command_line::Cli;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::{markdown, terminal};
use crate::cli::topics::{TOPICS, Topic};

/// Arguments of `prefetch help`.
#[derive(Debug, Args)]
pub struct HelpArgs {
    /// A command, such as `verify` or `cache prune`, or a topic, such as `targets`.
    #[arg(value_name = "COMMAND|TOPIC")]
    pub words: Vec<String>,
}

/// Prints the help of the command or the page of the topic, and without words that of the program.
///
/// # Errors
/// When there is no such command or topic, or it cannot be printed.
pub fn run(args: &HelpArgs) -> Result<Exit, CliError> {
    let words: Vec<_> = args.words.iter().map(String::as_str).collect();
    let printed = if is_command(&words) {
        print_help(&words)
    } else {
        let topic = words.first().filter(|_| words.len() == 1).and_then(|name| Topic::find(name));
        let page = topic.ok_or_else(|| unknown(&words))?.page;
        terminal::print_verbatim(&markdown::render(page, terminal::width()).join("\n"))
    };
    printed.map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(Exit::Done)
}

/// Whether the words are the path of a subcommand, or empty.
fn is_command(words: &[&str]) -> bool {
    let cli = Cli::command();
    words.iter().try_fold(&cli, |command: &Command, word| command.find_subcommand(word)).is_some()
}

/// Prints the help of a command exactly as its `--help` does.
fn print_help(words: &[&str]) -> io::Result<()> {
    let line = ["prefetch"].into_iter().chain(words.iter().copied()).chain(["--help"]);
    match Cli::try_parse_from(line) {
        Err(help) => terminal::unless_closed(help.print()),
        Ok(_) => Ok(()),
    }
}

fn unknown(words: &[&str]) -> CliError {
    let topics: Vec<_> = TOPICS.iter().map(|topic| topic.name).collect();
    CliError::usage(format!("there is no command and no topic `{}`", words.join(" ")))
        .hint("the commands are listed by `prefetch --help`")
        .hint(format!("the topics are {}", topics.join(", ")))
}
