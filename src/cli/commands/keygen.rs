//! `prefetch keygen`: makes a key pair for signing bundles.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::output::terminal;
use crate::ops;

/// The environment variable with the password of the secret key.
pub const KEY_PASSWORD: &str = "PREFETCH_KEY_PASSWORD";

/// Arguments of `prefetch keygen`.
#[derive(Debug, Args)]
pub struct KeygenArgs {
    /// Where to write the secret key; the public one is written beside it as KEY.pub.
    #[arg(value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub key: PathBuf,
}

/// Writes both keys to new files, and prints the public key.
///
/// # Errors
/// When a file exists already, or cannot be written.
pub fn run(args: &KeygenArgs, environment: &Environment) -> Result<Exit, CliError> {
    let password = environment.variable(KEY_PASSWORD);
    let is_protected = password.is_some();
    let path = environment.working_folder.join(&args.key);
    let public = ops::generate_keys(&path, password).map_err(|error| CliError::new(Exit::Disk, error))?;
    let key = args.key.display();
    if !is_protected {
        terminal::warn(format!("{key} has no password: whoever reads it can sign as you ({KEY_PASSWORD} sets one)"));
    }
    terminal::say(format!("Keep {key} to yourself; give {key}.pub, or the line below, to those who check."));
    terminal::print_lines([public]).map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(Exit::Done)
}
