//! `prefetch merge`: one bundle of two.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::environment::Environment;
use super::error::{CliError, Exit};
use super::{moment, terminal};
use crate::archive::Format;
use crate::ops::{self, Stop};

/// `prefetch merge`.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// A bundle or an unpacked one.
    #[arg(value_name = "A", value_hint = ValueHint::AnyPath)]
    pub first: PathBuf,
    /// One of other targets.
    #[arg(value_name = "B", value_hint = ValueHint::AnyPath)]
    pub second: PathBuf,
    /// The bundle to write: .zip, .tar, .tar.gz, .tgz or .tar.zst.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
}

/// Writes the bundle that serves the targets of both.
///
/// # Errors
/// When they do not go together, the disk does not take it, or `stop` was set meanwhile.
pub fn run(args: &MergeArgs, environment: &Environment, stop: &Stop) -> Result<Exit, CliError> {
    let format = Format::of(&args.output).map_err(CliError::usage)?;
    let [first, second, output] =
        [&args.first, &args.second, &args.output].map(|path| environment.working_folder.join(path));
    let created = moment::source_date(environment)?;
    ops::merge(&first, &second, &output, format, created, stop).map_err(|error| CliError::of_carry(&error))?;
    terminal::say(format!("Written to {}.", args.output.display()));
    Ok(Exit::Done)
}
