//! `prefetch parse`: shows how prefetch reads requirements files and lock files.

use std::sync::Arc;

use clap::{Args, ValueHint};
use serde::Serialize;

use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::host::input_source::HostInputSource;
use crate::cli::host::machine::parse_all;
use crate::cli::host::runtime;
use crate::cli::output::lock_report::LockReport;
use crate::cli::output::terminal;
use crate::cli::settings::group_args::GroupArgs;
use crate::domain::{Target, TargetSpec};
use crate::input::{Location, ParseReport, ParsedInput, RequirementsReader, Role, Severity, parse_report};

/// Arguments of `prefetch parse`.
#[derive(Debug, Args)]
pub struct ParseArgs {
    /// Requirements files; `-` is standard input.
    #[arg(value_name = "FILE", required_unless_present = "requirement_files", value_hint = ValueHint::FilePath)]
    pub files: Vec<String>,
    /// Requirements files, too, under the name of the option of a run.
    #[arg(short, long = "requirement", value_name = "FILE", hide = true)]
    pub requirement_files: Vec<String>,
    /// Print JSON (schema 1).
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub groups: GroupArgs,
    /// Show what a lock file gives to this Python version, with --platform; repeatable.
    #[arg(long, value_name = "VERSION", value_delimiter = ',', requires = "platform")]
    pub python_version: Vec<String>,
    /// Show what a lock file gives to this platform, with --python-version; repeatable.
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',', requires = "python_version")]
    pub platform: Vec<String>,
}

/// Reads the files without a network and prints what they state.
///
/// # Errors
/// When an argument is invalid or the output cannot be written; errors in the files are part of the
/// output.
pub fn run(args: &ParseArgs, environment: &Environment) -> Result<Exit, CliError> {
    let runtime = runtime::single_threaded()?;
    let offline = || Err(CliError::usage("`prefetch parse` asks no server: download it, and name the file"));
    let files = HostInputSource::new(environment, &offline, runtime.handle().clone());
    let mut reader = RequirementsReader::new(&files).with_groups(args.groups.selection());
    for file in args.files.iter().chain(&args.requirement_files) {
        reader.file(&Location::parse(file), Role::Requirements);
    }
    let read = reader.finish();
    let lock = read.lock.as_ref().map(|lock| Ok(LockReport::of(lock, &targets(args)?))).transpose()?;
    show(args, &read, lock).map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(if read.has_errors() { Exit::Usage } else { Exit::Done })
}

/// Returns the targets for every combination of the Python versions and platforms that were named.
fn targets(args: &ParseArgs) -> Result<Vec<Arc<Target>>, CliError> {
    if args.platform.is_empty() {
        return Ok(Vec::new());
    }
    let (pythons, platforms) = (parse_all(&args.python_version)?, parse_all(&args.platform)?);
    let specs = TargetSpec::product(&pythons, &platforms, None, &[]);
    let targets = specs.iter().map(|spec| spec.resolve(None).map_err(CliError::unusable));
    Ok(Target::distinct(targets.collect::<Result<Vec<_>, _>>()?).into_iter().map(Arc::new).collect())
}

/// The JSON output.
#[derive(Serialize)]
struct ParseOutput {
    #[serde(flatten)]
    read: ParseReport,
    lock: Option<LockReport>,
}

fn show(args: &ParseArgs, read: &ParsedInput, lock: Option<LockReport>) -> std::io::Result<()> {
    if args.json {
        return terminal::print_json(&ParseOutput { read: parse_report(read), lock });
    }
    for requirement in &read.requirements {
        let kind = if requirement.constraint { "constraint " } else { "" };
        terminal::print_lines([format!("{}: {kind}{requirement}", requirement.origin)])?;
    }
    if let Some(lock) = lock {
        terminal::print_lines(lock.to_string().lines().map(str::to_owned))?;
    }
    for problem in &read.problems {
        match problem.severity {
            Severity::Error => terminal::fail(problem.to_string()),
            Severity::Warning => terminal::warn(problem.to_string()),
        }
    }
    Ok(())
}
