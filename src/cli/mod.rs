//! The command-line interface: the only code that prints, reads the environment, or exits.
//!
//! `commands` has a file for each subcommand; a run without one is `fetch`. `command_line` parses
//! the arguments; `settings` completes them from the environment and pip's configuration; `error`
//! turns failures into messages and an exit code. `output` writes for people and programs, and
//! `host` is the machine: environment, signals, interpreter, input files.

mod command_line;
mod commands;
mod error;
mod host;
mod output;
mod plural;
mod settings;
mod shell_word;
mod topics;
mod unknown_argument;

use clap::Parser;

use command_line::{Cli, Command};
use error::CliError;
pub use error::Exit;
use host::environment::Environment;
use host::signals::{cancellable, detached};

/// Runs the program on its command line and environment.
pub fn run() -> Exit {
    let cli = Cli::try_parse().unwrap_or_else(|error| unknown_argument::with_synonym(error).exit());
    let outcome = Environment::read().map_err(CliError::usage).and_then(|environment| match cli.command {
        Some(Command::Parse(args)) => commands::parse::run(&args, &environment),
        Some(Command::Serve(args)) => commands::serve::run(&args, &environment),
        Some(Command::Push(args)) => commands::push::run(args, &environment),
        Some(Command::Env(args)) => commands::env::run(&args, &environment),
        Some(Command::Cache(args)) => commands::cache::run(args, environment),
        Some(Command::Verify(args)) => detached(move || commands::verify::run(&args, &environment)),
        Some(Command::Unpack(args)) => cancellable(move |stop| commands::unpack::run(&args, &environment, stop)),
        Some(Command::Inspect(args)) => commands::inspect::run(&args, &environment),
        Some(Command::Diff(args)) => commands::diff::run(&args, &environment),
        Some(Command::Merge(args)) => cancellable(move |stop| commands::merge::run(&args, &environment, stop)),
        Some(Command::Apply(args)) => cancellable(move |stop| commands::apply::run(&args, &environment, stop)),
        Some(Command::Keygen(args)) => commands::keygen::run(&args, &environment),
        Some(Command::DescribeTarget) => commands::describe_target::run(),
        Some(Command::Completions { shell }) => commands::completions::run(shell),
        Some(Command::ManPages(args)) => commands::man_pages::run(&args, &environment),
        Some(Command::Help(args)) => commands::help::run(&args),
        None => commands::fetch::run(&cli.fetch, &environment),
    });
    outcome.unwrap_or_else(|error| {
        output::terminal::show_error(&error);
        error.exit
    })
}
