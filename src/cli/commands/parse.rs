//! `prefetch parse`: what prefetch understands of requirements files.

use crate::cli::args::ParseArgs;
use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::host::input_source::HostInputSource;
use crate::cli::output::terminal;
use crate::http::HttpSettings;
use crate::input::{Location, ParsedInput, RequirementsReader, Role, Severity, parse_report};

/// Reads the files without a network and shows what they say.
///
/// # Errors
/// When the output cannot be written.
pub fn run(args: &ParseArgs, environment: &Environment) -> Result<Exit, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(CliError::usage)?;
    let offline = || Ok(HttpSettings { offline: true, ..HttpSettings::default() });
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
        let report = serde_json::to_string_pretty(&parse_report(read)).expect("the report is plain data");
        return terminal::print(&report);
    }
    for requirement in &read.requirements {
        let kind = if requirement.constraint { "constraint " } else { "" };
        terminal::print(&format!("{}: {kind}{requirement}", requirement.origin))?;
    }
    for problem in &read.problems {
        match problem.severity {
            Severity::Error => terminal::fail(problem.to_string()),
            Severity::Warning => terminal::warn(problem.to_string()),
        }
    }
    Ok(())
}
