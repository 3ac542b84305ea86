//! `prefetch diff`: shows the differences between two bundles.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use indicatif::HumanBytes;

use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::output::terminal;
use crate::cli::plural::count;
use crate::ops::{self, BundleDiff, VersionChange};

/// Arguments of `prefetch diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A bundle, an unpacked one, or its prefetch.json.
    #[arg(value_name = "OLD", value_hint = ValueHint::AnyPath)]
    pub old: PathBuf,
    /// The other one.
    #[arg(value_name = "NEW", value_hint = ValueHint::AnyPath)]
    pub new: PathBuf,
    /// Print JSON (schema 1).
    #[arg(long)]
    pub json: bool,
}

/// Prints which versions, targets and bytes differ.
///
/// # Errors
/// When a manifest cannot be read, or the output not written.
pub fn run(args: &DiffArgs, environment: &Environment) -> Result<Exit, CliError> {
    let manifest = |path: &PathBuf| ops::manifest_at(&environment.working_folder.join(path));
    let fail = |error| CliError::of_bundle(&error);
    let comparison = ops::compare(&manifest(&args.old).map_err(fail)?, &manifest(&args.new).map_err(fail)?);
    let printed =
        if args.json { terminal::print_json(&json(&comparison)) } else { terminal::print_lines(lines(&comparison)) };
    printed.map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(Exit::Done)
}

fn json(comparison: &BundleDiff) -> serde_json::Value {
    let mut report = serde_json::to_value(comparison).expect("the report is plain data");
    report["schema"] = 1.into();
    report
}

fn lines(comparison: &BundleDiff) -> Vec<String> {
    if *comparison == BundleDiff::default() {
        return vec!["Nothing differs.".to_owned()];
    }
    let mut lines: Vec<_> = comparison.changes.iter().map(line).collect();
    lines.extend(comparison.targets_added.iter().map(|target| format!("+ target {target}")));
    lines.extend(comparison.targets_removed.iter().map(|target| format!("- target {target}")));
    lines.push(format!(
        "{} new in {}, {} gone in {}",
        HumanBytes(comparison.bytes_added),
        count(comparison.files_added.len(), "file"),
        HumanBytes(comparison.bytes_removed),
        count(comparison.files_removed.len(), "file")
    ));
    lines
}

fn line(change: &VersionChange) -> String {
    let (old, new) = (change.old.join(", "), change.new.join(", "));
    match (change.old.is_empty(), change.new.is_empty()) {
        (true, _) => format!("+ {} {new}", change.name),
        (_, true) => format!("- {} {old}", change.name),
        _ => format!("  {} {old} -> {new}", change.name),
    }
}
