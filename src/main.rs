//! The `prefetch` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(prefetch::cli::run() as u8)
}
