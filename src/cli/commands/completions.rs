//! `prefetch completions`: a completion script for a shell.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;

use crate::cli::command_line::Cli;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::terminal;

/// Prints the script.
///
/// # Errors
/// When it cannot be written.
pub fn run(shell: Shell) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut completable(&Cli::command()), "prefetch", &mut script);
    let script = String::from_utf8_lossy(&script);
    let script = if shell == Shell::Fish { with_values_of_options(&script) } else { script.into_owned() };
    terminal::print_verbatim(script.trim_end()).map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(Exit::Done)
}

/// For fish, an option whose value is still to come would end the search for a command with an error,
/// and the value would be completed as a file.
fn with_values_of_options(script: &str) -> String {
    script.replacen("\n    or return\n", "\n    or return 0\n", 1)
}

/// The commands and options of `cli` alone: zsh would take the first word for a requirement, which
/// may be a command, and the second for the command.
fn completable(cli: &Command) -> Command {
    let options = cli.get_arguments().filter(|arg| !arg.is_positional()).cloned().map(with_plain_values);
    let commands = cli.get_subcommands().cloned().map(|command| command.mut_args(with_plain_values));
    let program = Command::new("prefetch").version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true);
    program.args(options).subcommands(commands)
}

/// What is said of an argument's values goes into double quotes of fish as it stands.
fn with_plain_values(arg: Arg) -> Arg {
    let values = arg.get_possible_values();
    if values.is_empty() {
        return arg;
    }
    let plain = values.into_iter().map(|value| {
        let help = value.get_help().map(|help| help.to_string().replace(['"', '`'], "'").replace('$', ""));
        value.help(help.unwrap_or_default())
    });
    arg.value_parser(PossibleValuesParser::from(plain.collect::<Vec<_>>()))
}
