//! `prefetch inspect`: shows the content of a bundle.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use indicatif::HumanBytes;
use serde::Serialize;

use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::output::escape::{escape_json_text, escape_line, shorten};
use crate::cli::output::terminal;
use crate::cli::plural;
use crate::cli::settings::args::sbom_names;
use crate::cli::settings::date;
use crate::layout::{Manifest, SBOMS};
use crate::ops::{self, InspectedPackage};

/// Arguments of `prefetch inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A bundle, an unpacked one, or its prefetch.json.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub path: PathBuf,
    /// Print JSON (schema 1).
    #[arg(long, conflicts_with = "sbom")]
    pub json: bool,
    /// Print a bill of materials.
    #[arg(long, value_name = "FORMAT", value_parser = sbom_names())]
    pub sbom: Option<String>,
}

/// The number of characters to which a licence or the reasons for a package are shortened.
const MAX_CELL: usize = 200;

/// The JSON report, schema 1; keys are only ever added.
#[derive(Serialize)]
struct InspectReport {
    schema: u8,
    targets: Vec<String>,
    packages: Vec<InspectedPackage>,
    bytes: u64,
}

/// Prints what the bundle's manifest states.
///
/// # Errors
/// When the manifest cannot be read, or the output not written.
pub fn run(args: &InspectArgs, environment: &Environment) -> Result<Exit, CliError> {
    let path = environment.working_folder.join(&args.path);
    let manifest = ops::manifest_at(&path).map_err(|error| CliError::of_bundle(&error))?;
    let printed = match &args.sbom {
        Some(name) => terminal::print_verbatim(&escape_json_text(&sbom(&manifest, name, environment)?)),
        None => show(&manifest, args.json),
    };
    printed.map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(Exit::Done)
}

/// Returns the bill of materials in the format called `name`, as in a bundle.
fn sbom(manifest: &Manifest, name: &str, environment: &Environment) -> Result<String, CliError> {
    let created = date::source_date(environment)?;
    let format = SBOMS.iter().find(|format| format.name == name).expect("clap takes no other name");
    Ok(format.text(manifest, created).trim_end().to_owned())
}

fn show(manifest: &Manifest, is_json: bool) -> std::io::Result<()> {
    let packages = ops::inspect(manifest);
    let targets = manifest.targets.iter().map(|target| target.id.clone()).collect();
    let bytes = packages.iter().map(|package| package.bytes).fold(0, u64::saturating_add);
    let report = InspectReport { schema: 1, targets, packages, bytes };
    if is_json { terminal::print_json(&report) } else { terminal::print_lines(table(&report)) }
}

fn table(report: &InspectReport) -> Vec<String> {
    let mut rows = vec![["package", "size", "uploaded", "licence", "why"].map(str::to_owned)];
    rows.extend(report.packages.iter().map(row));
    rows.iter_mut().flatten().for_each(|cell| *cell = shorten(&escape_line(cell), MAX_CELL));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [0, 1, 2, 3].map(width);
    let lines = rows.iter().map(|[name, size, uploaded, license, why]| {
        let [first, second, third, fourth] = widths;
        format!("{name:<first$}  {size:>second$}  {uploaded:<third$}  {license:<fourth$}  {why}").trim_end().to_owned()
    });
    let packages = plural::count(report.packages.len(), "package");
    let total = format!("{} in {packages}{}, for:", HumanBytes(report.bytes), oldest(report));
    let targets = report.targets.iter().map(|target| format!("  {target}"));
    lines.chain([String::new(), total]).chain(targets).collect()
}

/// Returns a phrase with the day of the oldest upload of all files.
fn oldest(report: &InspectReport) -> String {
    let oldest = report
        .packages
        .iter()
        .filter_map(|package| Some((package.uploaded.as_ref()?, package)))
        .min_by_key(|(moment, _)| *moment);
    oldest.map(|(moment, package)| format!(", the oldest of {} ({})", day(moment), package.name)).unwrap_or_default()
}

/// Returns the day of an RFC 3339 timestamp.
fn day(moment: &str) -> &str {
    moment.split('T').next().unwrap_or_default()
}

fn row(package: &InspectedPackage) -> [String; 5] {
    let version = package.version.as_deref().unwrap_or_default();
    let asked = (!package.asked_by.is_empty()).then(|| format!("asked for by {}", package.asked_by.join(", ")));
    let needed = (!package.needed_by.is_empty()).then(|| format!("needed by {}", package.needed_by.join(", ")));
    // A tool, which no package needs once it is installed.
    let brought = || format!("brought by {}", package.requested_by.join(", "));
    let reasons: Vec<_> = asked.into_iter().chain(needed).collect();
    let why = if reasons.is_empty() { brought() } else { reasons.join("; ") };
    [
        format!("{} {version}", package.name),
        HumanBytes(package.bytes).to_string(),
        package.uploaded.as_deref().map_or("not told", day).to_owned(),
        package.license.clone().unwrap_or_else(|| "not stated".to_owned()),
        why,
    ]
}
