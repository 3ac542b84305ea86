//! `prefetch parse`: what prefetch understands of requirements files.

use clap::{Args, ValueHint};

use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::host::input_source::HostInputSource;
use crate::cli::host::runtime;
use crate::cli::output::terminal;
use crate::input::{Location, ParsedInput, RequirementsReader, Role, Severity, parse_report};

/// `prefetch parse`.
#[derive(Debug, Args)]
pub struct ParseArgs {
    /// Requirements files; `-` is standard input.
    #[arg(value_name = "FILE", required_unless_present = "requirement_files", value_hint = ValueHint::FilePath)]
    pub files: Vec<String>,
    /// The same, for hands that are used to it.
    #[arg(short, long = "requirement", value_name = "FILE", hide = true)]
    pub requirement_files: Vec<String>,
    /// Print JSON (schema 1).
    #[arg(long)]
    pub json: bool,
}

/// Reads the files without a network and shows what they say.
///
/// # Errors
/// When the output cannot be written.
pub fn run(args: &ParseArgs, environment: &Environment) -> Result<Exit, CliError> {
    let runtime = runtime::single_threaded()?;
    let offline = || Err(CliError::usage("`prefetch parse` asks no server: download it, and name the file"));
    let files = HostInputSource::new(environment, &offline, runtime.handle().clone());
    let mut reader = RequirementsReader::new(&files);
    for file in args.files.iter().chain(&args.requirement_files) {
        reader.file(&Location::parse(file), Role::Requirements);
    }
    let read = reader.finish();
    show(args, &read).map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(if read.has_errors() { Exit::Usage } else { Exit::Done })
}

fn show(args: &ParseArgs, read: &ParsedInput) -> std::io::Result<()> {
    if args.json {
        return terminal::print_json(&parse_report(read));
    }
    for requirement in &read.requirements {
        let kind = if requirement.constraint { "constraint " } else { "" };
        terminal::print_lines([format!("{}: {kind}{requirement}", requirement.origin)])?;
    }
    for problem in &read.problems {
        match problem.severity {
            Severity::Error => terminal::fail(problem.to_string()),
            Severity::Warning => terminal::warn(problem.to_string()),
        }
    }
    Ok(())
}
