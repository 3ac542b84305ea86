//! The only code that prints, reads the environment, or exits.
//!
//! Each subcommand is a file with its name, and a run without one is `fetch`. What was typed
//! (`args`) is filled up from `environment` and `layers` and becomes `settings`; failures become
//! words and an exit code in `error`, and `closing` says what was done. `terminal` and `progress`
//! write for people, `report` for programs.

mod apply;
mod args;
mod build;
mod cache;
mod closing;
mod descriptors;
mod diff;
mod draft;
mod env;
mod environment;
mod error;
mod fetch;
mod format_args;
mod gathered;
mod import;
mod inputs;
mod inspect;
mod interruption;
mod keygen;
mod layers;
mod machine;
mod merge;
mod moment;
mod parse;
mod progress;
mod report;
mod secrets;
mod serve;
mod settings;
mod show;
mod size;
mod slip;
mod terminal;
mod unpack;
mod usage;
mod verify;
mod warm;
mod world;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};
use environment::Environment;
use error::CliError;
pub use error::Exit;
use interruption::{abandonable, stoppable};

/// Runs the program on its command line and environment.
pub fn run() -> Exit {
    let cli = Cli::parse();
    let outcome = Environment::read().map_err(CliError::usage).and_then(|environment| match cli.command {
        Some(Command::Parse(args)) => parse::run(&args, &environment),
        Some(Command::Serve(args)) => serve::run(&args, &environment),
        Some(Command::Env(args)) => env::run(&args, &environment),
        Some(Command::Cache(args)) => cache::run(args, environment),
        Some(Command::Verify(args)) => abandonable(move || verify::run(&args, &environment)),
        Some(Command::Unpack(args)) => stoppable(move |stop| unpack::run(&args, &environment, stop)),
        Some(Command::Inspect(args)) => inspect::run(&args, &environment),
        Some(Command::Diff(args)) => diff::run(&args, &environment),
        Some(Command::Merge(args)) => stoppable(move |stop| merge::run(&args, &environment, stop)),
        Some(Command::Apply(args)) => stoppable(move |stop| apply::run(&args, &environment, stop)),
        Some(Command::Keygen(args)) => keygen::run(&args, &environment),
        Some(Command::Completions { shell }) => completions(shell),
        None => fetch::run(&cli.fetch, &environment),
    });
    outcome.unwrap_or_else(|error| {
        terminal::show_error(&error);
        error.exit
    })
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "prefetch", &mut script);
    terminal::print(String::from_utf8_lossy(&script).trim_end()).map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(Exit::Done)
}
