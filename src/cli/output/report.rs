//! The JSON report, schema 1: what was, or would be, done.
//!
//! Other programs read it, so keys are only ever added.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::escape::escape_json;
use super::terminal;
use crate::cli::error::{CliError, Exit, ReportedProblem};
use crate::cli::settings::args::STANDARD_OUTPUT;
use crate::domain::{
    BuiltFrom, Fetched, FileLink, MaskedUrl, MetadataSource, Origin, PackageName, Plan, Sha256, Status, Target,
    TargetDependencies, Version,
};

/// The report of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The version of the format.
    schema: u8,
    targets: Vec<TargetReport>,
    packages: Vec<PackageReport>,
    summary: Summary,
    pub problems: Vec<ReportedProblem>,
}

#[derive(Debug, Serialize)]
struct TargetReport {
    id: String,
    python_version: String,
    platform: String,
    /// Whether the target has a solution, so that its packages are complete.
    solved: bool,
}

#[derive(Debug, Serialize)]
struct PackageReport {
    name: String,
    version: Option<String>,
    requested_by: Vec<String>,
    dependencies: Vec<String>,
    /// The dependencies that are needed on some of its targets only, each with these targets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    dependency_targets: BTreeMap<String, Vec<String>>,
    files: Vec<FileReport>,
}

#[derive(Debug, Serialize)]
struct FileReport {
    filename: String,
    url: String,
    index: String,
    sha256: Option<String>,
    size: Option<u64>,
    targets: Vec<String>,
    /// The targets on which the file is not installed, since it only builds others or is the
    /// installer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<String>,
    /// Where the dependencies of a source archive were read; absent for other files.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'static str>,
    /// The source archive that it was built from, if it is a wheel that was built here.
    #[serde(skip_serializing_if = "Option::is_none")]
    built_from: Option<String>,
    status: &'static str,
}

/// Totals of a run.
///
/// Sizes are in bytes; a planned file without a known size counts as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    pub packages: usize,
    pub files: usize,
    pub bytes: u64,
    /// The bytes received of files, including those that were fetched only to read their metadata.
    pub bytes_downloaded: u64,
    /// The number of files received, including those.
    pub files_downloaded: usize,
    pub seconds: f64,
}

impl Report {
    /// Makes the report of what `plan` would do.
    pub fn of_plan(plan: &Plan, seconds: f64) -> Self {
        let packages = plan.packages.iter().map(|package| {
            let files = package.files.iter().map(|file| {
                let promised = (file.link.expected.sha256(), file.link.expected.size);
                file_report(&plan.targets, &file.link, (&file.targets, &file.tools), promised, Status::Planned)
                    .with_metadata(file.metadata_source)
                    .with_build(file.built_from.as_deref())
            });
            let report =
                package_report(&package.name, package.version.as_ref(), &package.requested_by, files.collect());
            report.needing(&package.dependencies, &package.targets(), &plan.targets)
        });
        Self::new(&plan.targets, packages.collect(), seconds)
    }

    /// Makes the report of what was done.
    pub fn of_fetched(fetched: &Fetched, seconds: f64) -> Self {
        let packages = fetched.packages.iter().map(|package| {
            let files = package.files.iter().map(|file| {
                let held = (Some(file.object.sha256), Some(file.object.size));
                file_report(&fetched.targets, &file.link, (&file.targets, &file.tools), held, file.status)
                    .with_metadata(file.metadata_source)
                    .with_build(file.built_from.as_deref())
            });
            let report =
                package_report(&package.name, package.version.as_ref(), &package.requested_by, files.collect());
            report.needing(&package.dependencies, &package.targets(), &fetched.targets)
        });
        Self::new(&fetched.targets, packages.collect(), seconds)
    }

    /// Makes the report of a run that failed.
    pub fn of_failure(targets: &[Arc<Target>], problems: Vec<ReportedProblem>, seconds: f64) -> Self {
        Self::new(&[], Vec::new(), seconds).with_unsolved(targets, problems)
    }

    fn new(targets: &[Arc<Target>], packages: Vec<PackageReport>, seconds: f64) -> Self {
        let targets = targets.iter().map(|target| target_report(target, true));
        let summary = summary(&packages, seconds);
        Self { schema: 1, targets: targets.collect(), packages, summary, problems: Vec::new() }
    }

    /// Adds all of `targets`, also those without a solution, and the problems that explain why.
    pub fn with_unsolved(self, targets: &[Arc<Target>], problems: Vec<ReportedProblem>) -> Self {
        let is_solved = |target: &Arc<Target>| self.targets.iter().any(|solved| solved.id == target.id());
        let targets = targets.iter().map(|target| target_report(target, is_solved(target))).collect();
        Self { targets, problems, ..self }
    }

    /// Adds the number of received files, and of their bytes.
    pub fn with_arrivals(mut self, (files, bytes): (usize, u64)) -> Self {
        (self.summary.files_downloaded, self.summary.bytes_downloaded) = (files, bytes);
        self
    }

    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Returns the name and version of every package that a target installs.
    pub fn installed_versions(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_installed = |file: &FileReport| file.targets.len() > file.tools.len();
        let installed = self.packages.iter().filter(move |package| package.files.iter().any(is_installed));
        installed.filter_map(|package| Some((&*package.name, package.version.as_deref()?)))
    }

    /// Returns the number of files with this status.
    pub fn count(&self, status: &str) -> usize {
        self.files().filter(|file| file.status == status).count()
    }

    /// Writes the report as JSON to a file, or to standard output if the path is `-`.
    ///
    /// # Errors
    /// When the file or standard output cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), CliError> {
        let text = escape_json(self);
        let is_output = path == Path::new(STANDARD_OUTPUT);
        let written = if is_output { terminal::print_verbatim(&text) } else { write_file(path, &(text + "\n")) };
        written
            .map_err(|error| CliError::new(Exit::Disk, format!("cannot write the report {}: {error}", path.display())))
    }

    fn files(&self) -> impl Iterator<Item = &FileReport> {
        self.packages.iter().flat_map(|package| &package.files)
    }
}

/// Writes a file, and creates its folder if it does not exist.
fn write_file(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}

fn summary(packages: &[PackageReport], seconds: f64) -> Summary {
    let files = || packages.iter().flat_map(|package| &package.files);
    Summary {
        packages: packages.len(),
        files: files().count(),
        bytes: files().filter_map(|file| file.size).sum(),
        bytes_downloaded: 0,
        files_downloaded: 0,
        seconds,
    }
}

fn target_report(target: &Target, solved: bool) -> TargetReport {
    TargetReport {
        id: target.id().to_owned(),
        python_version: target.python_version().to_owned(),
        platform: target.platform().to_string(),
        solved,
    }
}

fn package_report(
    name: &PackageName,
    version: Option<&Version>,
    requested_by: &[Origin],
    files: Vec<FileReport>,
) -> PackageReport {
    PackageReport {
        name: name.to_string(),
        version: version.map(ToString::to_string),
        requested_by: requested_by.iter().map(ToString::to_string).collect(),
        dependencies: Vec::new(),
        dependency_targets: BTreeMap::new(),
        files,
    }
}

impl PackageReport {
    /// Adds the dependencies of a package that serves those of `all` targets at the positions
    /// `targets`.
    fn needing(self, edges: &TargetDependencies, targets: &[usize], all: &[Arc<Target>]) -> Self {
        let partial = edges.partial(targets).map(|(name, on)| (name.to_string(), ids(all, on)));
        let dependencies = edges.names().map(ToString::to_string).collect();
        Self { dependencies, dependency_targets: partial.collect(), ..self }
    }
}

fn ids(targets: &[Arc<Target>], positions: &[usize]) -> Vec<String> {
    positions.iter().map(|position| targets[*position].id().to_owned()).collect()
}

fn file_report(
    targets: &[Arc<Target>],
    link: &FileLink,
    (serves, tools): (&[usize], &[usize]),
    (sha256, size): (Option<Sha256>, Option<u64>),
    how: Status,
) -> FileReport {
    FileReport {
        filename: link.filename.to_string(),
        url: link.url.public(),
        index: MaskedUrl::public(&link.index),
        sha256: sha256.map(|sha256| sha256.to_string()),
        size,
        targets: ids(targets, serves),
        tools: ids(targets, tools),
        metadata: None,
        built_from: None,
        status: status(how),
    }
}

impl FileReport {
    fn with_metadata(self, source: Option<MetadataSource>) -> Self {
        Self { metadata: source.map(MetadataSource::name), ..self }
    }

    fn with_build(self, from: Option<&BuiltFrom>) -> Self {
        Self { built_from: from.map(|from| from.filename.to_string()), ..self }
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Planned => "planned",
        Status::Cached => "cached",
        Status::Downloaded => "downloaded",
    }
}
