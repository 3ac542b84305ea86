//! Puts built wheels in the place of source archives, for the targets that this machine builds for.

mod fit;
mod questions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;

use self::fit::{can_build_for, incompatibility, notes_on};
pub use self::questions::with_built_wheels;
use super::Listener;
use super::fetch_context::{BuildSource, FetchContext};
use super::fetch_error::{FetchError, FetchFailure};
use super::metadata::ensure_stored;
use super::sdist_build::{BuildJob, BuiltWheel, SdistBuilder};
use crate::domain::{
    BuiltFrom, CoreMetadata, Dependency, ExpectedContent, FileLink, Marker, MaskedUrl, MetadataSource, PackageName,
    Plan, PlannedFile, PlannedPackage, ResolutionMetadata, Target, WheelFilename,
};
use crate::index::{MetadataKey, wheel_metadata};
use crate::interpreter::BuildError;

/// The projects whose wheels are built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WheelsToBuild {
    Never,
    /// Those of which a target gets a source archive.
    Missing,
    Named(BTreeSet<PackageName>),
    All,
}

impl WheelsToBuild {
    /// Whether wheels of any project are built.
    pub fn is_wanted(&self) -> bool {
        *self != Self::Never
    }

    fn takes(&self, project: &PackageName) -> bool {
        match self {
            Self::Never => false,
            Self::Missing | Self::All => true,
            Self::Named(names) => names.contains(project),
        }
    }
}

/// A source archive of a plan, and the targets for which a builder builds it.
struct WheelJob<'a> {
    package: &'a PlannedPackage,
    file: &'a PlannedFile,
    builder: &'a SdistBuilder,
    /// Positions of the targets.
    targets: Vec<usize>,
}

/// The wheel that a job made, and what is said of it.
struct MadeWheel {
    project: PackageName,
    archive: Box<str>,
    wheel: PlannedFile,
    /// Whether the build stated just what was read of the archive before.
    is_confirmed: bool,
    notes: Vec<String>,
}

/// The wheels that are built, and what builds them.
#[derive(Clone, Copy)]
pub struct WheelBuilds<'a> {
    pub wanted: &'a WheelsToBuild,
    pub builders: &'a [SdistBuilder],
    /// Whether archives stay beside their wheels, since the installer of a lock takes nothing else.
    pub keeps_archives: bool,
}

/// Builds the source archives of `plan` as wheels, each for the targets that one of the builders
/// builds for and that install it, and puts the wheels in their place.
///
/// # Errors
/// When builds fail; the errors of all of them.
pub async fn build_wheels(
    mut plan: Plan,
    builds: WheelBuilds<'_>,
    context: &FetchContext,
    listener: &Listener,
) -> Result<Plan, Vec<FetchFailure>> {
    let jobs: Vec<_> = jobs(&plan, builds.wanted, builds.builders).collect();
    let outcomes = join_all(jobs.iter().map(|job| job.run(&plan.targets, context, listener))).await;
    let (mut made, mut failures) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(wheel) => made.push(wheel),
            Err(why) => failures.push(why),
        }
    }
    drop(jobs);
    if !failures.is_empty() {
        return Err(failures);
    }
    let notes = unbuilt_notes(&plan, builds.wanted, builds.builders);
    plan.notes.extend(notes);
    add_wheels(&mut plan, made, builds.keeps_archives);
    Ok(plan)
}

fn jobs<'a>(
    plan: &'a Plan,
    wanted: &WheelsToBuild,
    builders: &'a [SdistBuilder],
) -> impl Iterator<Item = WheelJob<'a>> {
    archives(plan, wanted).flat_map(move |(package, file)| {
        let mut by_builder: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for target in installing(package, file) {
            if let Some(position) = builder_for(&plan.targets[target], builders) {
                by_builder.entry(position).or_default().push(target);
            }
        }
        by_builder.into_iter().map(move |(position, targets)| WheelJob {
            package,
            file,
            builder: &builders[position],
            targets,
        })
    })
}

/// Returns the source archives whose wheels are wanted.
fn archives<'a>(plan: &'a Plan, wanted: &WheelsToBuild) -> impl Iterator<Item = (&'a PlannedPackage, &'a PlannedFile)> {
    let packages = plan.packages.iter().filter(|package| wanted.takes(&package.name));
    packages.flat_map(|package| {
        let archives = package.files.iter().filter(|file| !file.link.is_wheel());
        archives.map(move |file| (package, file))
    })
}

/// Returns the position of the builder that builds for `target`.
fn builder_for(target: &Target, builders: &[SdistBuilder]) -> Option<usize> {
    builders.iter().position(|builder| can_build_for(target, builder.target()))
}

/// Returns notes on the archives that no builder builds for some of their targets.
fn unbuilt_notes(plan: &Plan, wanted: &WheelsToBuild, builders: &[SdistBuilder]) -> Vec<String> {
    let mut by_targets: BTreeMap<Vec<usize>, Vec<&str>> = BTreeMap::new();
    for (package, file) in archives(plan, wanted) {
        let others = installing(package, file).filter(|target| builder_for(&plan.targets[*target], builders).is_none());
        by_targets.entry(others.collect()).or_default().push(&file.link.filename);
    }
    let unbuilt = by_targets.into_iter().filter(|(targets, _)| !targets.is_empty());
    let note = |(targets, filenames): (Vec<usize>, Vec<&str>)| {
        let ids: Vec<_> = targets.iter().map(|target| plan.targets[*target].id()).collect();
        format!(
            "no wheel of {} is built for {}, since no interpreter that builds is of that kind",
            filenames.join(", "),
            ids.join(", ")
        )
    };
    unbuilt.map(note).collect()
}

/// Returns the targets that would build `file` where they install it.
fn installing<'a>(package: &'a PlannedPackage, file: &'a PlannedFile) -> impl Iterator<Item = usize> + 'a {
    let has_wheel =
        |target: usize| package.files.iter().any(|file| file.link.is_wheel() && file.targets.contains(&target));
    file.targets.iter().copied().filter(move |target| !file.tools.contains(target) && !has_wheel(*target))
}

/// Puts the wheels in the place of their archives, or beside them.
fn add_wheels(plan: &mut Plan, made: Vec<MadeWheel>, keeps_archives: bool) {
    let (mut replaced, mut wheels) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeMap::<_, Vec<_>>::new());
    for MadeWheel { project, archive, wheel, is_confirmed, notes } in made {
        plan.notes.extend(notes);
        if is_confirmed {
            plan.unreliable.remove(&archive);
        }
        let served = wheel.targets.iter().filter(|_| !keeps_archives).map(|target| (archive.clone(), *target));
        replaced.entry(project.clone()).or_default().extend(served);
        wheels.entry(project).or_default().extend((!wheel.targets.is_empty()).then_some(wheel));
    }
    for package in &mut plan.packages {
        if let Some(archives) = replaced.get(&package.name) {
            package.replace(archives, wheels.remove(&package.name).unwrap_or_default());
        }
    }
}

impl WheelJob<'_> {
    async fn run(
        &self,
        targets: &[Arc<Target>],
        context: &FetchContext,
        listener: &Listener,
    ) -> Result<MadeWheel, FetchFailure> {
        let link = &self.file.link;
        let made = self.make(targets, context, listener).await;
        made.map_err(|why| FetchFailure { filename: link.filename.clone(), url: link.url.clone(), why })
    }

    async fn make(
        &self,
        targets: &[Arc<Target>],
        context: &FetchContext,
        listener: &Listener,
    ) -> Result<MadeWheel, FetchError> {
        let FileLink { filename, url, .. } = &self.file.link;
        let archive = ensure_stored(&self.file.link, context, listener).await?;
        let source = BuildSource { archive: archive.sha256, project: &self.package.name, filename };
        let built = self.builder.wheel(BuildJob { source, context, listener, waiting: Vec::new() }).await?;
        let from = BuiltFrom {
            filename: filename.clone(),
            url: url.clone(),
            sha256: archive.sha256,
            requires: built.requires.clone(),
            python: self.builder.target().id().to_owned(),
            linkage: built.linkage.clone(),
        };
        let served: Vec<_> = self.targets.iter().map(|target| &*targets[*target]).collect();
        let mut is_confirmed = false;
        // Where the plan rests on what a build said, what was read before counts for nothing.
        if self.file.metadata_source.is_some_and(|source| source != MetadataSource::Built)
            && let Some((read, built)) = statements(&built, &from, &self.package.name, context)?
        {
            check_dependencies(&read, &built, &served)?;
            is_confirmed = served.len() == self.file.targets.len() && read.requires_dist == built.requires_dist;
        }
        Ok(MadeWheel { is_confirmed, ..self.made(&built, from, targets) })
    }

    /// Returns the wheel for the targets that it fits, with notes on the others.
    fn made(&self, built: &BuiltWheel, from: BuiltFrom, targets: &[Arc<Target>]) -> MadeWheel {
        let mut notes = notes_on(built);
        let mut fitting = Vec::new();
        for target in &self.targets {
            match incompatibility(built, &targets[*target], self.builder.target()) {
                None => fitting.push(*target),
                Some(note) => notes.push(note),
            }
        }
        MadeWheel {
            project: self.package.name.clone(),
            archive: self.file.link.filename.clone(),
            wheel: planned_wheel(built, from, fitting, &self.file.link),
            is_confirmed: false,
            notes,
        }
    }
}

/// Returns the metadata that was read of the archive and that of the wheel; `None` if a build stated
/// the former, too.
fn statements(
    wheel: &BuiltWheel,
    from: &BuiltFrom,
    project: &PackageName,
    context: &FetchContext,
) -> Result<Option<(CoreMetadata, CoreMetadata)>, FetchError> {
    let key = MetadataKey { sha256: from.sha256, project, filename: &from.filename, tools_of: None };
    let Some(Ok(read)) = context.metadata.read(key) else { return Ok(None) };
    let filename: WheelFilename =
        wheel.filename.parse().map_err(|_| FetchError::Refused(wheel.filename.to_string()))?;
    let built = wheel_metadata::read(context.store.open(wheel.sha256)?, &filename)?.metadata;
    Ok(Some((read, built)))
}

/// Checks that the wheel needs on each of `targets` what was read of its archive, on which the plan
/// depends.
fn check_dependencies(read: &CoreMetadata, built: &CoreMetadata, targets: &[&Target]) -> Result<(), BuildError> {
    let is_binding = !read.source.is_unreliable();
    for target in targets {
        let (built, read) = (needed_on(built, target), needed_on(read, target));
        if built != read {
            let (target, built, read) = (target.id().to_owned(), listed(&built), listed(&read));
            return Err(BuildError::OtherDependencies { target, built, read, is_binding });
        }
    }
    Ok(())
}

/// Returns what is needed on `target` without any extra.
fn needed_on(metadata: &CoreMetadata, target: &Target) -> BTreeSet<String> {
    let needed = ResolutionMetadata::of(metadata).dependencies.into_iter();
    let needed = needed.filter(|dependency| dependency.marker.evaluate(target.markers(), &[]));
    needed.map(|dependency| Dependency { marker: Marker::ALWAYS, ..dependency }.to_string()).collect()
}

fn listed(needs: &BTreeSet<String>) -> String {
    let all: Vec<_> = needs.iter().map(String::as_str).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

/// Returns the wheel as a file of the plan; the store has it under its digest.
fn planned_wheel(wheel: &BuiltWheel, from: BuiltFrom, targets: Vec<usize>, archive: &FileLink) -> PlannedFile {
    let mut url: MaskedUrl = "file:///".parse().expect("a literal URL is valid");
    url = url.join(&wheel.filename).unwrap_or(url);
    let digest = vec![wheel.sha256.into()];
    PlannedFile {
        link: FileLink {
            filename: wheel.filename.clone(),
            expected: ExpectedContent { by_user: digest.clone(), by_index: digest, size: Some(wheel.size) },
            vcs_info: archive.vcs_info.clone(),
            ..FileLink::at(url)
        },
        targets,
        tools: Vec::new(),
        claimed: None,
        metadata_source: Some(MetadataSource::Built),
        built_from: Some(Arc::new(from)),
    }
}
