//! The only code that prints, reads the environment, or exits.

mod args;
mod build;
mod cache;
mod closing;
mod env;
mod environment;
mod error;
mod fetch;
mod import;
mod layers;
mod machine;
mod moment;
mod parse;
mod progress;
mod report;
mod serve;
mod settings;
mod terminal;
mod usage;
mod verify;
mod warm;
mod world;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};
use environment::Environment;
use error::CliError;
pub use error::Exit;

/// Runs the program on its command line and environment.
pub fn run() -> Exit {
    let cli = Cli::parse();
    let outcome = Environment::read().map_err(CliError::usage).and_then(|environment| match cli.command {
        Some(Command::Parse(args)) => parse::run(&args, &environment),
        Some(Command::Serve(args)) => serve::run(&args, &environment),
        Some(Command::Env(args)) => env::run(&args, &environment),
        Some(Command::Cache(args)) => cache::run(&args, &environment),
        Some(Command::Verify(args)) => verify::run(&args, &environment),
        Some(Command::Completions { shell }) => Ok(completions(shell)),
        None => fetch::run(&cli.fetch, &environment),
    });
    outcome.unwrap_or_else(|error| {
        terminal::show_error(&error);
        error.exit
    })
}

fn completions(shell: clap_complete::Shell) -> Exit {
    clap_complete::generate(shell, &mut Cli::command(), "prefetch", &mut std::io::stdout());
    Exit::Done
}
