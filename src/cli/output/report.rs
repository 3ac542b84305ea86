//! The JSON report, schema 1: what was, or would be, done. Other programs read it, so keys are
//! only ever added.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::escape::escape_json;
use super::terminal;
use crate::cli::error::{CliError, Exit, Problem};
use crate::cli::settings::args::STANDARD_OUTPUT;
use crate::domain::{
    BuiltFrom, Candidate, Fetched, MaskedUrl, MetadataSource, Origin, PackageName, Plan, Sha256, Status, Target,
    TargetDependencies, Version,
};

/// Everything that a run tells.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    schema: Schema,
    targets: Vec<TargetReport>,
    packages: Vec<PackageReport>,
    summary: Summary,
    pub problems: Vec<Problem>,
}

#[derive(Debug)]
struct Schema(u8);

impl Default for Schema {
    fn default() -> Self {
        Self(1)
    }
}

impl Serialize for Schema {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

#[derive(Debug, Serialize)]
struct TargetReport {
    id: String,
    python_version: String,
    platform: String,
    /// Whether the packages are all that it needs.
    solved: bool,
}

#[derive(Debug, Serialize)]
struct PackageReport {
    name: String,
    version: Option<String>,
    requested_by: Vec<String>,
    dependencies: Vec<String>,
    /// Of those that are not needed on every target of the files: the targets on which they are.
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
    /// Those of them that do not install it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<String>,
    /// Where what it needs was read; absent where nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'static str>,
    /// The source archive that it was built from, where it is a wheel that was built here.
    #[serde(skip_serializing_if = "Option::is_none")]
    built_from: Option<String>,
    status: &'static str,
}

/// Totals of a run. Sizes in bytes; those of planned files count as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    pub packages: usize,
    pub files: usize,
    pub bytes: u64,
    /// What was received of files, also of those that were fetched only to read what they need.
    pub bytes_downloaded: u64,
    /// How many files that was.
    pub files_downloaded: usize,
    pub seconds: f64,
}

impl Report {
    /// What `plan` would do.
    pub fn of_plan(plan: &Plan, seconds: f64) -> Self {
        let packages = plan.packages.iter().map(|package| {
            let files = package.files.iter().map(|file| {
                let promised = (file.candidate.promises.sha256(), file.candidate.promises.size);
                file_report(&plan.targets, &file.candidate, (&file.targets, &file.tools), promised, Status::Planned)
                    .with_metadata(file.metadata_source)
                    .with_build(file.built_from.as_deref())
            });
            let report =
                package_report(&package.name, package.version.as_ref(), &package.requested_by, files.collect());
            report.needing(&package.dependencies, &package.targets(), &plan.targets)
        });
        Self::new(&plan.targets, packages.collect(), seconds)
    }

    /// What was done.
    pub fn of_fetched(fetched: &Fetched, seconds: f64) -> Self {
        let packages = fetched.packages.iter().map(|package| {
            let files = package.files.iter().map(|file| {
                let held = (Some(file.object.sha256), Some(file.object.size));
                file_report(&fetched.targets, &file.candidate, (&file.targets, &file.tools), held, file.status)
                    .with_metadata(file.metadata_source)
                    .with_build(file.built_from.as_deref())
            });
            let report =
                package_report(&package.name, package.version.as_ref(), &package.requested_by, files.collect());
            report.needing(&package.dependencies, &package.targets(), &fetched.targets)
        });
        Self::new(&fetched.targets, packages.collect(), seconds)
    }

    /// A run that came to nothing.
    pub fn of_failure(targets: &[Arc<Target>], problems: Vec<Problem>, seconds: f64) -> Self {
        Self::new(&[], Vec::new(), seconds).with_unsolved(targets, problems)
    }

    fn new(targets: &[Arc<Target>], packages: Vec<PackageReport>, seconds: f64) -> Self {
        let targets = targets.iter().map(|target| target_report(target, true));
        let summary = summary(&packages, seconds);
        Self { targets: targets.collect(), packages, summary, ..Self::default() }
    }

    /// Names all of `targets`, also those without a solution, and why they have none.
    pub fn with_unsolved(self, targets: &[Arc<Target>], problems: Vec<Problem>) -> Self {
        let is_solved = |target: &Arc<Target>| self.targets.iter().any(|solved| solved.id == target.id());
        let targets = targets.iter().map(|target| target_report(target, is_solved(target))).collect();
        Self { targets, problems, ..self }
    }

    /// Tells how many files, and bytes of them, were received.
    pub fn with_arrivals(mut self, (files, bytes): (usize, u64)) -> Self {
        (self.summary.files_downloaded, self.summary.bytes_downloaded) = (files, bytes);
        self
    }

    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// How many files have this status.
    pub fn count(&self, status: &str) -> usize {
        self.files().filter(|file| file.status == status).count()
    }

    /// Writes it as JSON to a file, or to standard output where the path is `-`.
    ///
    /// # Errors
    /// When it cannot be written.
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

/// Writes a file, and makes its folder if need be, as for all that is written.
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
    /// Names what the package needs, which serves those of `all` that are at the positions `targets`.
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
    candidate: &Candidate,
    (serves, tools): (&[usize], &[usize]),
    (sha256, size): (Option<Sha256>, Option<u64>),
    how: Status,
) -> FileReport {
    FileReport {
        filename: candidate.filename.to_string(),
        url: candidate.url.public(),
        index: MaskedUrl::public(&candidate.index),
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
