//! `prefetch describe-target`: the script with which a machine describes itself for `--target`.

use crate::cli::error::{CliError, Exit};
use crate::cli::output::terminal;
use crate::interpreter::DESCRIBE_TARGET;

/// Prints the script.
///
/// # Errors
/// When standard output cannot be written.
pub fn run() -> Result<Exit, CliError> {
    terminal::print_verbatim(DESCRIBE_TARGET.trim_end()).map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(Exit::Done)
}
