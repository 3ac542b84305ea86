//! `prefetch verify`: checks that a bundle is whole, and that its targets install from it alone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use indicatif::HumanBytes;
use serde::Serialize;

use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::output::metadata_warning;
use crate::cli::output::source_builds;
use crate::cli::output::terminal;
use crate::cli::plural::count;
use crate::ops::{self, Finding, LibcFloor, TargetBuild, Verification, VerifySettings};
use crate::parallel;

/// Arguments of `prefetch verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// A bundle, the first volume of one, an unpacked one, or a find-links folder.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub path: PathBuf,
    /// Also check that every binary runs on this C library, such as glibc-2.17 or musl-1.2.
    #[arg(long, value_name = "LIBC")]
    pub check_platform: Option<LibcFloor>,
    /// Also check that the manifest is signed by this minisign key, given as text or as a file.
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub public_key: Option<String>,
    /// Do not mind source archives whose build fetches from elsewhere than an index, such as crates.
    #[arg(long)]
    pub allow_unprovable: bool,
    /// Print JSON (schema 1).
    #[arg(long)]
    pub json: bool,
}

/// Checks the bundle, and prints everything that is wrong with it.
///
/// # Errors
/// When the bundle cannot be read at all.
pub fn run(args: &VerifyArgs, environment: &Environment) -> Result<Exit, CliError> {
    let path = environment.working_folder.join(&args.path);
    let threads = parallel::threads();
    let key = args.public_key.as_ref().map(|key| ops::read_public_key(key, &environment.working_folder));
    let public_key = key.transpose().map_err(CliError::usage)?;
    let settings =
        VerifySettings { threads, floor: args.check_platform, public_key, allow_unprovable: args.allow_unprovable };
    let verification = ops::verify(&path, &settings).map_err(CliError::usage)?;
    let seconds = environment.seconds();
    if args.json {
        let report = VerifyReport::of(&verification, seconds);
        terminal::print_json(&report).map_err(|error| CliError::new(Exit::Disk, error))?;
    } else {
        print_result(&verification, seconds);
    }
    Ok(if verification.is_good() { Exit::Done } else { Exit::Damage })
}

fn print_result(verification: &Verification, seconds: f64) {
    if !verification.is_good() {
        terminal::show_error(&CliError::of_findings(&verification.findings));
    }
    let bytes = HumanBytes(verification.bytes);
    terminal::say(format!(
        "Checked {} ({bytes}) in {seconds:.1} s: {}.",
        count(verification.files, "file"),
        verdict(verification)
    ));
    let complete = verification.targets.iter().filter(|target| target.is_complete);
    for target in complete {
        terminal::say(format!("  {} installs from it alone", target.id));
    }
    for (path, source) in &verification.metadata_sources {
        terminal::say(format!("  {path}: what it needs is known by {}", metadata_warning::words(*source)));
    }
    for build in &verification.builds {
        terminal::say(format!("  {}", source_builds::sentence(build)));
    }
}

fn verdict(verification: &Verification) -> String {
    match (verification.findings.len(), verification.has_manifest) {
        (0, _) if verification.is_delta => {
            "the delta is whole; what it installs can be proved once it is applied".to_owned()
        }
        (0, true) => "all is as its manifest says".to_owned(),
        (0, false) => "each is what its name says; no manifest tells whether they are all".to_owned(),
        _ if verification.is_only_repacked() => {
            "every file is as its manifest says, but the archive around them was packed again".to_owned()
        }
        (1, _) => "one thing is wrong".to_owned(),
        (more, _) => format!("{more} things are wrong"),
    }
}

/// The JSON report, schema 1; keys are only ever added.
#[derive(Serialize)]
struct VerifyReport<'a> {
    schema: u8,
    good: bool,
    manifest: bool,
    delta: bool,
    files: usize,
    bytes: u64,
    targets: Vec<VerifiedTarget<'a>>,
    findings: Vec<FindingReport<'a>>,
    /// How the dependencies of source archives were found out, by the archives' paths, if a build
    /// may contradict that or had to find out.
    metadata: BTreeMap<&'a str, &'static str>,
    /// The source archives that targets build where they install them.
    builds: Vec<BuildReport<'a>>,
    seconds: f64,
}

#[derive(Serialize)]
struct VerifiedTarget<'a> {
    id: &'a str,
    complete: bool,
}

#[derive(Serialize)]
struct BuildReport<'a> {
    filename: &'a str,
    targets: &'a [String],
    /// What it compiles, as far as files tell.
    languages: &'a [&'static str],
}

impl<'a> BuildReport<'a> {
    fn of(build: &'a TargetBuild) -> Self {
        Self { filename: &build.install.filename, targets: &build.install.targets, languages: &build.languages }
    }
}

#[derive(Serialize)]
struct FindingReport<'a> {
    kind: &'static str,
    path: Option<&'a str>,
    targets: &'a [String],
    message: &'a str,
}

impl<'a> VerifyReport<'a> {
    fn of(verification: &'a Verification, seconds: f64) -> Self {
        let targets = verification.targets.iter();
        Self {
            schema: 1,
            good: verification.is_good(),
            manifest: verification.has_manifest,
            delta: verification.is_delta,
            files: verification.files,
            bytes: verification.bytes,
            targets: targets.map(|target| VerifiedTarget { id: &target.id, complete: target.is_complete }).collect(),
            findings: verification.findings.iter().map(FindingReport::of).collect(),
            metadata: verification.metadata_sources.iter().map(|(path, source)| (&**path, source.name())).collect(),
            builds: verification.builds.iter().map(BuildReport::of).collect(),
            seconds,
        }
    }
}

impl<'a> FindingReport<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            kind: finding.kind.name(),
            path: finding.path.as_deref(),
            targets: &finding.targets,
            message: &finding.message,
        }
    }
}
