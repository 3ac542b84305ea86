//! Packs the project folders and repositories among the requirements into source archives, before
//! anything is planned.

use std::ffi::OsString;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::prepare::PreparedFetch;
use crate::cli::error::ReportedProblem;
use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::output::terminal;
use crate::cli::plural;
use crate::domain::{ExtraName, FileLink, Origin, PackageName, RepositoryUrl, Requirement, Source, Target, Version};
use crate::input::ProjectInput;
use crate::ops::Output;
use crate::ops::source_trees::{Git, GitError, PackedTree, SourceTree, SourceTreeError, SourceTreePacker, TreeBuilder};
use crate::parallel;
use crate::resolve::{LockResolver, PackedSource};

/// How many trees are packed at once: most of the time is the network's.
const AT_ONCE: usize = 4;

/// A source tree that is required.
struct RequiredTree {
    tree: Result<SourceTree, String>,
    /// The requirement or locked package, for messages.
    text: String,
    /// The project that it must be of, if that is stated.
    name: Option<PackageName>,
    /// The version that a lock states.
    known: Option<Version>,
    origin: Origin,
    archive_for: ArchiveUse,
}

/// What the archive of a source tree is put into.
enum ArchiveUse {
    /// The requirement at this position.
    Requirement(usize),
    /// A new requirement of a project among the inputs, with these extras.
    Project(Vec<ExtraName>),
    /// A package of the lock with this source.
    Locked(String),
    /// The project that the lock is of, and does not have itself.
    LockedProject,
}

/// The run in which source trees are packed.
#[derive(Clone, Copy)]
pub struct PackContext<'a> {
    pub environment: &'a Environment,
    pub runtime: &'a Runtime,
    pub is_quiet: bool,
}

/// Packs every source tree that one of `targets` needs, and replaces it by its archive in the
/// requirements and the lock.
///
/// Returns whether there was any.
///
/// # Errors
/// When trees cannot be packed; the error lists all of them.
pub fn pack(
    prepared: &mut PreparedFetch,
    targets: &[Arc<Target>],
    outputs: &[Output],
    context: PackContext<'_>,
) -> Result<bool, CliError> {
    let lines = prepared.source_trees(targets).into_iter();
    let mut all: Vec<_> =
        lines.map(|position| of_requirement(&prepared.question.requirements[position], position)).collect();
    all.extend(prepared.lock.iter().flat_map(|lock| of_repositories(lock, targets)));
    all.extend(of_projects(prepared, targets)?);
    if all.is_empty() {
        return Ok(false);
    }
    let packed = pack_all(&all, &packer(prepared, outputs, context))?;
    for (asked, packed) in all.into_iter().zip(packed) {
        if !context.is_quiet {
            print_packed(&asked, &packed);
        }
        put(prepared, asked.archive_for, &packed);
    }
    Ok(true)
}

/// Puts an archive where it is used.
fn put(prepared: &mut PreparedFetch, archive_for: ArchiveUse, packed: &PackedTree) {
    match archive_for {
        ArchiveUse::Requirement(position) => name_archive(&mut prepared.question.requirements[position], packed),
        ArchiveUse::Project(extras) => prepared.question.requirements.push(project_requirement(extras, packed)),
        ArchiveUse::Locked(source) => {
            if let (Some(lock), Some(archive)) = (&mut prepared.lock, packed_source(packed)) {
                lock.packed.insert(source, archive);
            }
        }
        ArchiveUse::LockedProject => {
            if let Some(lock) = &mut prepared.lock {
                lock.project = packed_source(packed).map(|archive| (packed.name.clone(), archive));
            }
        }
    }
}

fn of_repositories(lock: &LockResolver, targets: &[Arc<Target>]) -> Vec<RequiredTree> {
    let repositories = lock.repositories(targets).into_iter();
    let asked = repositories.map(|(url, package)| RequiredTree {
        tree: RepositoryUrl::parse(url).map(SourceTree::Repository).map_err(|error| error.to_string()),
        text: package.name.to_string(),
        name: Some(package.name.clone()),
        known: package.version.clone(),
        origin: package.origin.clone(),
        archive_for: ArchiveUse::Locked(url.to_owned()),
    });
    asked.collect()
}

/// Returns the projects that are packed themselves, with the folders in their lock.
fn of_projects(prepared: &PreparedFetch, targets: &[Arc<Target>]) -> Result<Vec<RequiredTree>, CliError> {
    let of_input = |input: &ProjectInput, archive_for| RequiredTree {
        tree: Ok(SourceTree::Project(input.folder.clone())),
        text: "the project".to_owned(),
        name: None,
        known: None,
        origin: input.origin.clone(),
        archive_for,
    };
    let Some((lock, input)) = prepared.lock.as_ref().zip(prepared.projects.first()) else {
        let each = |input: &ProjectInput| of_input(input, ArchiveUse::Project(input.extras.iter().cloned().collect()));
        return Ok(prepared.projects.iter().map(each).collect());
    };
    let folders = lock.folders(targets);
    let has_project = lock.lock.has_project() || folders.iter().any(|(folder, _)| matches!(*folder, "." | "./"));
    let folders = folders.into_iter().map(|(folder, package)| RequiredTree {
        tree: Ok(SourceTree::Project(input.folder.join(folder))),
        text: package.name.to_string(),
        name: Some(package.name.clone()),
        known: None,
        origin: package.origin.clone(),
        archive_for: ArchiveUse::Locked(folder.to_owned()),
    });
    let folders: Vec<_> = folders.collect();
    match (has_project, folders.is_empty()) {
        (false, _) => Ok(folders.into_iter().chain([of_input(input, ArchiveUse::LockedProject)]).collect()),
        (true, false) => Ok(folders),
        (true, true) => Err(CliError::usage(format!(
            "{}: --with-project: uv takes neither the project nor anything else in its folder for a package",
            input.origin
        ))),
    }
}

fn of_requirement(requirement: &Requirement, position: usize) -> RequiredTree {
    let tree = match &requirement.source {
        Source::Project(folder) => Ok(SourceTree::Folder(folder.clone())),
        Source::Repository(url) => {
            RepositoryUrl::parse(url).map(SourceTree::Repository).map_err(|error| error.to_string())
        }
        Source::Index(_) | Source::Url(_) | Source::Archive(_) => Err("it is no folder and no repository".to_owned()),
    };
    RequiredTree {
        tree,
        text: requirement.to_string(),
        name: requirement.name.clone(),
        known: None,
        origin: requirement.origin.clone(),
        archive_for: ArchiveUse::Requirement(position),
    }
}

fn packer(prepared: &PreparedFetch, outputs: &[Output], context: PackContext<'_>) -> SourceTreePacker {
    let PackContext { environment, runtime, .. } = context;
    let outputs = outputs.iter().filter_map(Output::path).map(|path| environment.working_folder.join(path));
    let fetching = &prepared.context;
    let builds = prepared.builders.first().map(|builder| TreeBuilder {
        builder: builder.clone(),
        context: fetching.clone(),
        listener: prepared.reporter.listener(),
        runtime: runtime.handle().clone(),
    });
    SourceTreePacker {
        layout: fetching.store.layout().clone(),
        git: Git { offline: prepared.settings.http.offline, variables: git_variables(prepared, environment) },
        builds,
        left_out: outputs.chain([fetching.store.root().to_owned()]).collect(),
    }
}

/// Returns git's settings for this run: never to ask for a password, and which certificates to
/// trust.
fn git_variables(prepared: &PreparedFetch, environment: &Environment) -> Vec<(&'static str, OsString)> {
    let mut variables = Vec::new();
    if ["GIT_SSH_COMMAND", "GIT_SSH"].iter().all(|name| environment.variable(name).is_none()) {
        variables.push(("GIT_SSH_COMMAND", OsString::from("ssh -oBatchMode=yes")));
    }
    let authorities = prepared.settings.http.authorities.as_ref();
    let certificates = authorities.and_then(|authorities| authorities.paths.first()).filter(|path| path.is_file());
    variables.extend(certificates.map(|path| ("GIT_SSL_CAINFO", path.into())));
    variables
}

/// Packs all trees; returns the archives in order.
fn pack_all(all: &[RequiredTree], packer: &SourceTreePacker) -> Result<Vec<PackedTree>, CliError> {
    let outcomes = parallel::map(all, AT_ONCE, |asked| match &asked.tree {
        Ok(tree) => packer
            .pack(tree, asked.known.as_ref())
            .and_then(|packed| check_name(asked, packed))
            .map_err(|error| (exit(&error), error.to_string(), hint(&error))),
        Err(why) => Err((Exit::Usage, why.clone(), None)),
    });
    let (mut packed, mut errors) = (Vec::new(), Vec::new());
    for (asked, outcome) in all.iter().zip(outcomes) {
        match outcome {
            Ok(tree) => packed.push(tree),
            Err((exit, why, hint)) => {
                let problem = ReportedProblem {
                    source: Some(asked.origin.to_string()),
                    ..ReportedProblem::new(exit, format!("{}: `{}` cannot be packed: {why}", asked.origin, asked.text))
                };
                errors.push(CliError {
                    exit,
                    problems: vec![problem],
                    hints: hint.map(ToOwned::to_owned).into_iter().collect(),
                });
            }
        }
    }
    let error = errors.into_iter().reduce(CliError::and);
    error.map_or(Ok(packed), |mut error| {
        error.hints.push("--skip-source-trees leaves such lines out, and what only they need".to_owned());
        error.hints.dedup();
        Err(error)
    })
}

fn check_name(asked: &RequiredTree, packed: PackedTree) -> Result<PackedTree, SourceTreeError> {
    match &asked.name {
        Some(name) if *name != packed.name => Err(SourceTreeError::OtherProject(packed.name)),
        _ => Ok(packed),
    }
}

fn exit(error: &SourceTreeError) -> Exit {
    match error {
        SourceTreeError::Git(GitError::Fetch { .. } | GitError::Offline) => Exit::Unreachable,
        SourceTreeError::Git(GitError::Folder { .. }) | SourceTreeError::Write(_) => Exit::Disk,
        SourceTreeError::NeedsBuild(_) | SourceTreeError::Build(_) => Exit::NoSolution,
        _ => Exit::Usage,
    }
}

fn hint(error: &SourceTreeError) -> Option<&'static str> {
    match error {
        SourceTreeError::NeedsBuild(_) => Some("--allow-build runs its build to find out, which runs its code"),
        SourceTreeError::Git(GitError::Offline) => Some("fetch once without --offline"),
        _ => None,
    }
}

/// Prints what an archive was packed from.
fn print_packed(asked: &RequiredTree, packed: &PackedTree) {
    let filename = packed.archive.file_name().unwrap_or_default().to_string_lossy();
    let commit = packed.vcs_info.iter().map(|info| format!(" at commit {:.12}", info.commit_id)).collect::<String>();
    terminal::say(format!("{}: {filename} is packed from {}{commit}", asked.origin, asked.text));
    if packed.untracked > 0 {
        terminal::warn(format!(
            "{}: {} that git does not track {} left out of {filename}; `git add` what belongs to it",
            asked.origin,
            plural::count(packed.untracked, "file"),
            if packed.untracked == 1 { "is" } else { "are" },
        ));
    }
}

fn name_archive(requirement: &mut Requirement, packed: &PackedTree) {
    requirement.name.get_or_insert_with(|| packed.name.clone());
    requirement.source = Source::Archive(packed.archive.clone());
    requirement.editable = false;
    requirement.vcs_info = packed.vcs_info.clone().map(Arc::new);
}

fn project_requirement(extras: Vec<ExtraName>, packed: &PackedTree) -> Requirement {
    let source = Source::Archive(packed.archive.clone());
    Requirement { extras, ..Requirement::named(packed.name.clone(), source, Origin::project()) }
}

fn packed_source(packed: &PackedTree) -> Option<PackedSource> {
    let link = FileLink::of_archive(&packed.archive, packed.vcs_info.clone().map(Arc::new))?;
    Some(PackedSource { version: packed.version.clone(), link })
}
