//! `prefetch merge`: makes one bundle from two.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::archive::ArchiveFormat;
use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::output::terminal;
use crate::cli::settings::date;
use crate::ops::{self, CancelFlag};

/// Arguments of `prefetch merge`.
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
    /// Say only what went wrong.
    #[arg(short, long)]
    pub quiet: bool,
}

/// Writes a bundle that serves the targets of both.
///
/// # Errors
/// When the bundles contradict each other or are damaged, the output cannot be written, or `cancel`
/// was set meanwhile.
pub fn run(args: &MergeArgs, environment: &Environment, cancel: &CancelFlag) -> Result<Exit, CliError> {
    let format = ArchiveFormat::of(&args.output).map_err(CliError::usage)?;
    let [first, second, output] =
        [&args.first, &args.second, &args.output].map(|path| environment.working_folder.join(path));
    let created = date::source_date(environment)?;
    ops::merge(&first, &second, &output, format, created, cancel).map_err(|error| CliError::of_bundle(&error))?;
    if !args.quiet {
        terminal::say(format!("Written to {}.", args.output.display()));
    }
    Ok(Exit::Done)
}
