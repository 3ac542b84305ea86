//! The tokio runtime of a command.

use std::io;

use tokio::runtime::{Builder, Runtime};

use crate::cli::error::{CliError, Exit};
use crate::parallel;

/// The number of threads that a run has beside those of the runtime: one that waits for files, one
/// that writes.
const BESIDE: usize = 2;

/// Makes a runtime with a thread for each processor.
///
/// # Errors
/// When the system grants no threads; the runtime itself would panic.
pub fn multi_threaded() -> Result<Runtime, CliError> {
    probe(parallel::threads() + BESIDE)?;
    Builder::new_multi_thread().enable_all().build().map_err(|error| refused(&error))
}

/// Makes a runtime on the calling thread.
///
/// # Errors
/// As [`multi_threaded`].
pub fn single_threaded() -> Result<Runtime, CliError> {
    probe(BESIDE)?;
    Builder::new_current_thread().enable_all().build().map_err(|error| refused(&error))
}

fn probe(threads: usize) -> Result<(), CliError> {
    parallel::probe(threads).map_err(|error| refused(&error))
}

fn refused(error: &io::Error) -> CliError {
    CliError::new(Exit::Disk, format!("the system gives the program no threads: {error}"))
        .hint("raise the limit of processes (`ulimit -u`, or that of the container), and run again")
}
