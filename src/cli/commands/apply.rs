//! `prefetch apply`: makes the new bundle from a delta and the older bundle that is its base.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::archive::ArchiveFormat;
use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::output::terminal;
use crate::ops::{self, CancelFlag};

/// Arguments of `prefetch apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// What --since wrote.
    #[arg(value_name = "DELTA", value_hint = ValueHint::FilePath)]
    pub delta: PathBuf,
    /// The bundle that it was made since, or an unpacked one.
    #[arg(value_name = "BASE", value_hint = ValueHint::AnyPath)]
    pub base: PathBuf,
    /// What to write: a bundle (.zip, .tar, .tar.gz, .tgz, .tar.zst), or a folder that is not there
    /// yet.
    #[arg(short, long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub output: PathBuf,
    /// Say only what went wrong.
    #[arg(short, long)]
    pub quiet: bool,
}

/// Writes the bundle that the delta was made from.
///
/// # Errors
/// When the base is not the delta's, a file is damaged, the output cannot be written, or `cancel`
/// was set meanwhile.
pub fn run(args: &ApplyArgs, environment: &Environment, cancel: &CancelFlag) -> Result<Exit, CliError> {
    let [delta, base, output] =
        [&args.delta, &args.base, &args.output].map(|path| environment.working_folder.join(path));
    let format = ArchiveFormat::of(&args.output).ok();
    ops::apply(&delta, &base, &output, format, cancel).map_err(|error| CliError::of_bundle(&error))?;
    if !args.quiet {
        terminal::say(format!("Written to {}.", args.output.display()));
    }
    Ok(Exit::Done)
}
