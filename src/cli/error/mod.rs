//! Turns the failures of all layers into messages, hints and exit codes.

mod exit;
pub mod groups;
mod plan_hints;
mod remedy;
mod reported_problem;
mod well_known_projects;

use std::io;
use std::sync::Arc;

use crate::archive::{ArchiveError, ReadError};
use crate::domain::{HasRemedy, MaskedUrl, Origin, Target};
use crate::http::HttpError;
use crate::index::IndexError;
use crate::input;
use crate::ops::{BundleError, FetchError, FetchFailure, Finding, FindingKind, PlanFailure, Unreachable, WriteFailure};
use crate::resolve::{Failure, Reason};

pub use self::exit::Exit;
use self::exit::{fetch_exit, http_error, reason_exit, unreachable_exit};
use self::groups::{FailedItem, group_by_cause};
use self::plan_hints::{OFFLINE_HINT, is_offline, plan_hints};
pub use self::remedy::with_remedy;
pub use self::reported_problem::ReportedProblem;

/// The failure of a run: every problem it met, and hints on what to do.
#[derive(Debug)]
pub struct CliError {
    pub exit: Exit,
    pub problems: Vec<ReportedProblem>,
    pub hints: Vec<String>,
}

impl CliError {
    /// Makes an error with a single problem.
    pub fn new(exit: Exit, message: impl ToString) -> Self {
        Self { exit, problems: vec![ReportedProblem::new(exit, message)], hints: Vec::new() }
    }

    /// Makes an error with the remedy for it.
    pub fn with_remedy(exit: Exit, error: impl HasRemedy) -> Self {
        Self::new(exit, with_remedy(&error))
    }

    /// Makes the error for an input that cannot be used, with the remedy for it.
    pub fn unusable(error: impl HasRemedy) -> Self {
        Self::with_remedy(Exit::Usage, error)
    }

    pub fn usage(message: impl ToString) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Combines two errors; the higher exit code is kept.
    pub fn and(mut self, other: Self) -> Self {
        self.exit = self.exit.max(other.exit);
        self.problems.extend(other.problems);
        self.hints.extend(other.hints);
        self
    }

    /// Returns the problems in one line.
    pub fn summary(&self) -> String {
        self.problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
    }

    pub fn hint(mut self, hint: impl ToString) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// Makes the error for inputs that cannot be used.
    pub fn of_inputs<'a>(problems: impl IntoIterator<Item = &'a input::Problem>) -> Self {
        let problems = problems.into_iter().map(|problem| ReportedProblem {
            source: Some(problem.origin.to_string()),
            ..ReportedProblem::new(Exit::Usage, problem)
        });
        Self { exit: Exit::Usage, problems: problems.collect(), hints: Vec::new() }
    }

    /// Makes the error for a run that a signal ended.
    pub fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "interrupted")
    }

    /// Makes the error for a plan that failed for some target.
    pub fn of_plan(failure: &PlanFailure, targets: &[Arc<Target>]) -> Self {
        let unsolved = failure.failures.iter().map(|failure| unsolved(failure, targets));
        let (indexes, files): (Vec<_>, Vec<_>) =
            failure.unreachable.iter().partition(|error| matches!(error, Unreachable::Index(_)));
        let of_indexes = group_by_cause(indexes.into_iter().map(failed_item), "project");
        let of_files = group_by_cause(files.into_iter().map(failed_item), "file");
        let exits = failure.failures.iter().map(|failure| reason_exit(&failure.reason));
        let exit = exits.chain(failure.unreachable.iter().map(unreachable_exit)).max();
        let exit = exit.unwrap_or(Exit::NoSolution);
        Self { exit, problems: unsolved.chain(of_indexes).chain(of_files).collect(), hints: plan_hints(failure) }
    }

    /// Makes the error for files that could not be fetched.
    pub fn of_fetch(failures: &[FetchFailure]) -> Self {
        let exit = failures.iter().map(|failure| fetch_exit(&failure.why)).max().unwrap_or(Exit::Unreachable);
        let problems = group_by_cause(failures.iter().map(failed_file), "file");
        let offline = failures.iter().any(|failure| matches!(&failure.why, FetchError::Http(why) if is_offline(why)));
        let hint = if offline { OFFLINE_HINT } else { KEPT_HINT };
        Self { exit, problems, hints: vec![hint.to_owned()] }
    }

    /// Makes the error for what `verify` found.
    pub fn of_findings(findings: &[Finding]) -> Self {
        let problems = findings.iter().map(|finding| ReportedProblem {
            kind: finding.kind.name(),
            ..ReportedProblem::new(Exit::Damage, finding)
        });
        let is_unprovable = findings.iter().any(|finding| finding.kind == FindingKind::Unprovable);
        let hint = is_unprovable.then(|| UNPROVABLE_HINT.to_owned());
        Self { exit: Exit::Damage, problems: problems.collect(), hints: hint.into_iter().collect() }
    }

    /// Makes the error for what was found in a bundle while it was packed.
    pub fn of_bundling(findings: &[Finding]) -> Self {
        let is_missing = |finding: &Finding| matches!(finding.kind, FindingKind::Gap | FindingKind::BuildGap);
        let error = Self::of_findings(findings);
        if findings.iter().any(is_missing) {
            error.hint("name what is missing as a requirement, too; or pass --no-verify, where the other side has it")
        } else {
            error.hint("ask for another release of what is wrong; or pass --no-verify, to carry it as it is")
        }
    }

    /// Makes the error for a failed operation on a bundle.
    pub fn of_bundle(error: &BundleError) -> Self {
        let exit = match error {
            BundleError::Damaged { findings, .. } => {
                let found = Self::of_findings(findings);
                let mut all = Self::new(Exit::Damage, error);
                all.problems.extend(found.problems);
                return all;
            }
            BundleError::WrongBase { .. } | BundleError::Read(ReadError::Malformed { .. }) => Exit::Damage,
            BundleError::Archive(error) if is_damage(error) => {
                return Self::new(Exit::Damage, error)
                    .hint("copy that bundle again; `prefetch verify` says of each what is wrong with it");
            }
            BundleError::Write { .. } | BundleError::Archive(_) => Exit::Disk,
            _ => Exit::Usage,
        };
        Self::new(exit, error)
    }

    pub fn of_write(failure: &WriteFailure) -> Self {
        let exit = if failure.is_disk() { Exit::Disk } else { Exit::NoSolution };
        match failure {
            WriteFailure::Unsound { findings, .. } => {
                let found = Self::of_bundling(findings);
                Self::new(Exit::Damage, failure).and(found).hint("--force replaces it all the same")
            }
            WriteFailure::Archive(ArchiveError::Size { .. }) => Self::new(exit, failure)
                .hint("`prefetch cache verify` removes what is damaged, and the next run fetches it again"),
            WriteFailure::Archive(ArchiveError::Remote { .. }) => Self::new(Exit::Unreachable, failure),
            WriteFailure::Full(full) => Self::new(exit, with_remedy(full)),
            _ => Self::new(exit, failure),
        }
    }
}

/// Returns the message of a failed transfer with its URL, unless the network error names one
/// itself.
fn from_url(failure: &impl HasRemedy, why: &FetchError, url: &MaskedUrl) -> String {
    let failure = with_remedy(failure);
    match why {
        FetchError::Http(_) => failure,
        _ => format!("{failure}\n  from {url}"),
    }
}

fn failed_item(error: &Unreachable) -> FailedItem<'_> {
    let exit = unreachable_exit(error);
    let message = match error {
        Unreachable::Metadata(failure) => from_url(error, &failure.why, &failure.url),
        Unreachable::Index(IndexError::FindLinks { .. } | IndexError::Unreachable { .. }) => {
            format!("--find-links {}", with_remedy(error))
        }
        Unreachable::Index(_) => with_remedy(error),
    };
    let (name, index) = match error {
        Unreachable::Index(IndexError::Http { project, index, .. }) => {
            (Some(project.to_string()), Some(index.as_ref()))
        }
        Unreachable::Metadata(failure) => (Some(failure.filename.to_string()), None),
        Unreachable::Index(_) => (None, None),
    };
    FailedItem { exit, message, name, index, cause: http_error(error) }
}

/// Whether an archive error means that a file of a bundle is missing or differs, not that the disk
/// failed.
fn is_damage(error: &ArchiveError) -> bool {
    use io::ErrorKind::{InvalidData, NotFound, UnexpectedEof};
    match error {
        ArchiveError::Object { source, .. } => matches!(source.kind(), InvalidData | NotFound | UnexpectedEof),
        ArchiveError::Size { .. } => true,
        _ => false,
    }
}

/// Describes a file that could not be fetched.
///
/// Files are grouped if their host gives no answer, or refuses them with the same status. A file
/// that was not found is a problem of its own, since its URL matters.
fn failed_file(failure: &FetchFailure) -> FailedItem<'_> {
    let cause = match &failure.why {
        FetchError::Http(why @ (HttpError::Unreachable { .. } | HttpError::Status { .. })) => Some(why),
        _ => None,
    };
    let cause = cause.filter(|why| !why.is_not_found());
    FailedItem {
        exit: fetch_exit(&failure.why),
        message: from_url(failure, &failure.why, &failure.url),
        name: Some(failure.filename.to_string()),
        index: None,
        cause,
    }
}

fn unsolved(failure: &Failure, targets: &[Arc<Target>]) -> ReportedProblem {
    let mut message = failure.to_string();
    failure
        .reason
        .remedies()
        .into_iter()
        .for_each(|remedy| message.push_str(&format!("\n  {}", remedy::words(remedy))));
    if !failure.targets.is_empty() && (targets.len() > 1 || failure.reason.depends_on_target()) {
        let targets: Vec<_> = failure.targets.iter().map(|target| targets[*target].id()).collect();
        message.push_str(&format!("\n  for {}", targets.join(", ")));
    }
    ReportedProblem {
        kind: reason_kind(&failure.reason),
        package: failure.package.as_ref().map(ToString::to_string),
        source: sources(&failure.origins),
        ..ReportedProblem::new(Exit::NoSolution, message)
    }
}

/// Returns the origins of all lines that asked, without repetition.
fn sources(origins: &[Origin]) -> Option<String> {
    let mut sources: Vec<_> = origins.iter().map(ToString::to_string).collect();
    sources.dedup();
    (!sources.is_empty()).then(|| sources.join(", "))
}

fn reason_kind(reason: &Reason) -> &'static str {
    match reason {
        Reason::UnknownProject { .. } => "unknown_project",
        Reason::Unfetchable(_) | Reason::Nameless => "unfetchable",
        Reason::NoHash { .. } => "hash_missing",
        Reason::NeedsBuild { .. } => "needs_build",
        Reason::Conflict { .. } => "conflict",
        _ => reason_exit(reason).kind(),
    }
}

/// The hint after a failure that leaves what was fetched in the cache.
pub const KEPT_HINT: &str = "what was fetched is kept; a second run fetches only the rest";

const UNPROVABLE_HINT: &str = "take a release with a wheel instead of what is not provable, or --allow-unprovable \
                               where the other side has what its build fetches";
