//! `prefetch completions`: a completion script for a shell.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;

use crate::cli::command_line::Cli;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::terminal;

/// Prints the completion script.
///
/// # Errors
/// When standard output cannot be written.
pub fn run(shell: Shell) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut completable(&Cli::command()), "prefetch", &mut script);
    let script = String::from_utf8_lossy(&script);
    let script = if shell == Shell::Fish { with_values_of_options(&script) } else { script.into_owned() };
    terminal::print_verbatim(script.trim_end()).map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(Exit::Done)
}

/// Mends the fish script for a command line that ends with an option still without its value.
///
/// Otherwise fish would end its search for the subcommand there, and complete the value as a file.
fn with_values_of_options(script: &str) -> String {
    script.replacen("\n    or return\n", "\n    or return 0\n", 1)
}

/// Returns the subcommands and options of `cli` without its positional arguments.
///
/// With them zsh would take the first word for a requirement, though it may be a subcommand, and
/// the second for the subcommand.
fn completable(cli: &Command) -> Command {
    let options = cli.get_arguments().filter(|arg| !arg.is_positional()).cloned().map(with_plain_values);
    let commands = cli.get_subcommands().cloned().map(|command| command.mut_args(with_plain_values));
    Command::new("prefetch").version(env!("CARGO_PKG_VERSION")).args(options).subcommands(commands)
}

/// Replaces quotes and `$` in the help of an argument's values, since the fish script has that help
/// unescaped in double quotes.
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
