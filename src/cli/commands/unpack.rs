//! `prefetch unpack`: unpacks a bundle into a folder.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::output::terminal;
use crate::cli::plural::count;
use crate::ops::{self, CancelFlag};
use crate::parallel;

/// Arguments of `prefetch unpack`.
#[derive(Debug, Args)]
pub struct UnpackArgs {
    /// The bundle, or the first volume of one.
    #[arg(value_name = "BUNDLE", value_hint = ValueHint::FilePath)]
    pub bundle: PathBuf,
    /// Where to; what an earlier attempt left there stays.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// Say only what went wrong.
    #[arg(short, long)]
    pub quiet: bool,
}

/// Unpacks the bundle, checking every digest on the way.
///
/// # Errors
/// When the bundle is damaged, the folder cannot be written, or `cancel` was set meanwhile.
pub fn run(args: &UnpackArgs, environment: &Environment, cancel: &CancelFlag) -> Result<Exit, CliError> {
    let [bundle, folder] = [&args.bundle, &args.folder].map(|path| environment.working_folder.join(path));
    let threads = parallel::threads();
    let unpacked = ops::unpack(&bundle, &folder, threads, cancel).map_err(|error| CliError::of_bundle(&error))?;
    let kept = match unpacked.kept {
        0 => String::new(),
        kept => format!(", and {kept} were there already"),
    };
    if !args.quiet {
        terminal::say(format!("Unpacked {} to {}{kept}.", count(unpacked.written, "file"), args.folder.display()));
    }
    Ok(Exit::Done)
}
