//! `prefetch inspect`: what is in a bundle.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use indicatif::HumanBytes;
use serde::Serialize;

use super::environment::Environment;
use super::error::{CliError, Exit};
use super::terminal;
use crate::ops::{self, InspectedPackage};

/// `prefetch inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A bundle, an unpacked one, or its prefetch.json.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub path: PathBuf,
    /// Print JSON (schema 1).
    #[arg(long)]
    pub json: bool,
}

/// The report, schema 1; keys are only ever added.
#[derive(Serialize)]
struct InspectReport {
    schema: u8,
    targets: Vec<String>,
    packages: Vec<InspectedPackage>,
    bytes: u64,
}

/// Shows what the bundle's manifest tells.
///
/// # Errors
/// When there is no manifest.
pub fn run(args: &InspectArgs, environment: &Environment) -> Result<Exit, CliError> {
    let path = environment.working_folder.join(&args.path);
    let manifest = ops::manifest_at(&path).map_err(|error| CliError::of_carry(&error))?;
    let packages = ops::inspect(&manifest);
    let targets = manifest.targets.iter().map(|target| target.id.clone()).collect();
    let bytes = packages.iter().map(|package| package.bytes).sum();
    let report = InspectReport { schema: 1, targets, packages, bytes };
    let text = if args.json {
        serde_json::to_string_pretty(&report).expect("the report is plain data")
    } else {
        table(&report)
    };
    terminal::print(&text).map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(Exit::Done)
}

fn table(report: &InspectReport) -> String {
    let mut rows = vec![["package", "size", "licence", "why"].map(str::to_owned)];
    rows.extend(report.packages.iter().map(row));
    let widths = [0, 1, 2].map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default());
    let lines = rows.iter().map(|[name, size, license, why]| {
        format!("{name:<0$}  {size:>1$}  {license:<2$}  {why}", widths[0], widths[1], widths[2]).trim_end().to_owned()
    });
    let total = format!("{} in {} packages, for:", HumanBytes(report.bytes), report.packages.len());
    let targets = report.targets.iter().map(|target| format!("  {target}"));
    lines.chain([String::new(), total]).chain(targets).collect::<Vec<_>>().join("\n")
}

fn row(package: &InspectedPackage) -> [String; 4] {
    let version = package.version.as_deref().unwrap_or_default();
    let why = if package.needed_by.is_empty() {
        format!("asked for by {}", package.requested_by.join(", "))
    } else {
        format!("needed by {}", package.needed_by.join(", "))
    };
    [
        format!("{} {version}", package.name),
        HumanBytes(package.bytes).to_string(),
        package.license.clone().unwrap_or_else(|| "not stated".to_owned()),
        why,
    ]
}
