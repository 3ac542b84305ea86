//! Puts built wheels in the place of source archives, for the targets that this machine builds for.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Listener;
use super::fetch_context::FetchContext;
use super::fetch_error::{FetchError, FetchFailure};
use super::metadata::ensure_stored;
use super::sdist_build::{BuildSource, BuiltWheel, SdistBuilder};
use crate::domain::{
    BuiltFrom, Candidate, CoreMetadata, Dependency, Fetched, Marker, MaskedUrl, MetadataSource, PackageName, Plan,
    PlannedFile, PlannedPackage, Promises, Request, ResolutionMetadata, System, Target, WheelFilename, Yanked,
};
use crate::index::wheel_metadata;
use crate::interpreter::BuildError;

/// Of which projects wheels are built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WheelsToBuild {
    Never,
    /// Where a target gets a source archive.
    Missing,
    Named(BTreeSet<PackageName>),
    All,
}

impl WheelsToBuild {
    /// Whether any are.
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

/// Builds the source archives of `plan` that are `wanted` as wheels, that targets install and that
/// `builder` can build for, and puts the wheels in their place. An archive that a line names by URL or path stays as it is, since the
/// line asks for just that file.
///
/// # Errors
/// Every archive whose build failed.
pub async fn build_wheels(
    mut plan: Plan,
    wanted: &WheelsToBuild,
    builder: &SdistBuilder,
    context: &FetchContext,
    listener: &Listener,
) -> Result<Plan, Vec<FetchFailure>> {
    let mut failures = Vec::new();
    for package in plan.packages.iter_mut().filter(|package| wanted.takes(&package.name)) {
        let (mut wheels, mut replaced) = (Vec::new(), BTreeSet::new());
        for file in &package.files {
            let served = buildable(package, file, &plan.targets, builder.target());
            if served.is_empty() {
                continue;
            }
            let built = build(&package.name, &file.candidate, builder, context, listener).await;
            let is_followed = file.metadata_source.is_some();
            let checked = built.and_then(|built| {
                let targets = served.iter().filter(|_| is_followed).map(|target| &*plan.targets[*target]);
                check_dependencies(&built, targets, context).map(|()| built)
            });
            match checked {
                Ok((wheel, from)) => {
                    let fits = |target: &usize| runs_on(&wheel.filename, &plan.targets[*target], builder.target());
                    let (served, others): (Vec<_>, Vec<_>) = served.into_iter().partition(fits);
                    let others = others.into_iter().map(|target| plan.targets[target].id());
                    plan.notes.extend(others.map(|id| unfit_note(&wheel, id)));
                    replaced.extend(served.iter().map(|target| (file.candidate.filename.clone(), *target)));
                    wheels.extend((!served.is_empty()).then(|| planned_wheel(&wheel, from, served)));
                }
                Err(why) => failures.push(why),
            }
        }
        package.replace(&replaced, wheels);
    }
    if failures.is_empty() { Ok(plan) } else { Err(failures) }
}

/// Returns `request` with the wheels of `fetched` that were built here as what an install takes, also if
/// their projects were to be built from source.
pub fn with_built_wheels(mut request: Request, fetched: &Fetched) -> Request {
    for (package, _) in fetched.files().filter(|(_, file)| file.built_from.is_some()) {
        request.formats.only_binary(package.name.as_ref()).expect("it is a name");
    }
    request
}

/// The targets for which `file` is a source archive to build: those of the builder's kind.
fn buildable(package: &PlannedPackage, file: &PlannedFile, targets: &[Arc<Target>], host: &Target) -> Vec<usize> {
    let is_wheel = |file: &PlannedFile| file.candidate.filename.ends_with(".whl");
    let is_direct = *file.candidate.index == file.candidate.url;
    if is_wheel(file) || is_direct {
        return Vec::new();
    }
    let has_wheel = |target: usize| package.files.iter().any(|file| is_wheel(file) && file.targets.contains(&target));
    let is_wanted = |target: &usize| {
        !file.tools.contains(target) && !has_wheel(*target) && is_of_same_kind(&targets[*target], host)
    };
    file.targets.iter().copied().filter(is_wanted).collect()
}

/// Whether what `host` builds may run on `target`, as far as Python, system and processor tell.
fn is_of_same_kind(target: &Target, host: &Target) -> bool {
    let family = |target: &Target| std::mem::discriminant(&target.platform().system);
    let is_linux = |target: &Target| matches!(target.platform().system, System::Linux | System::Manylinux(_));
    target.has_same_python(host)
        && target.platform().architecture == host.platform().architecture
        && (family(target) == family(host) || is_linux(target) && is_linux(host))
}

/// Whether a wheel that was built on `host` runs on `target` for certain. What is linked to a newer C
/// library may not.
fn runs_on(filename: &str, target: &Target, host: &Target) -> bool {
    let Ok(wheel) = filename.parse::<WheelFilename>() else { return false };
    let is_newer = match (&host.platform().system, &target.platform().system) {
        (System::Manylinux(host), System::Manylinux(target)) => host > target,
        _ => false,
    };
    target.tags().rank(&wheel).is_some() && (&*wheel.platform == "any" || !is_newer)
}

fn unfit_note(wheel: &BuiltWheel, target: &str) -> String {
    format!(
        "{}, which was built here, may need a newer C library than {target} has: that gets the source archive; build on \
         a machine as old as it, or name the platform that this one is",
        wheel.filename
    )
}

async fn build(
    project: &PackageName,
    candidate: &Candidate,
    builder: &SdistBuilder,
    context: &FetchContext,
    listener: &Listener,
) -> Result<(BuiltWheel, BuiltFrom), FetchFailure> {
    let (filename, url) = (candidate.filename.clone(), candidate.url.clone());
    let fail = |why: FetchError| FetchFailure { filename: filename.clone(), url: url.clone(), why };
    let archive = ensure_stored(candidate, context, listener).await.map_err(fail)?;
    let source = BuildSource { archive: archive.sha256, project, filename: &filename };
    let wheel = builder.wheel(source, context, Vec::new(), listener).await.map_err(fail)?;
    let from = BuiltFrom {
        filename: filename.clone(),
        url: url.clone(),
        sha256: archive.sha256,
        requires: wheel.requires.clone(),
        python: builder.target().id().to_owned(),
    };
    Ok((wheel, from))
}

/// Checks that the wheel needs on each of `targets` what was read of its archive, on which the plan rests.
fn check_dependencies<'t>(
    (wheel, from): &(BuiltWheel, BuiltFrom),
    targets: impl Iterator<Item = &'t Target>,
    context: &FetchContext,
) -> Result<(), FetchFailure> {
    let fail = |why: FetchError| FetchFailure { filename: from.filename.clone(), url: from.url.clone(), why };
    // Otherwise a build was asked, and says the same again.
    let Some(Ok(read)) = context.metadata.read(from.sha256) else { return Ok(()) };
    let filename = wheel.filename.parse::<WheelFilename>();
    let filename = filename.map_err(|_| fail(FetchError::Refused(wheel.filename.to_string())))?;
    let stored = context.store.open(wheel.sha256).map_err(|why| fail(why.into()))?;
    let built = wheel_metadata::read(stored, &filename).map_err(|why| fail(why.into()))?.metadata;
    for target in targets {
        let (built, read) = (needed_on(&built, target), needed_on(&read, target));
        if built != read {
            let (target, built, read) = (target.id().to_owned(), listed(&built), listed(&read));
            return Err(fail(BuildError::OtherDependencies { target, built, read }.into()));
        }
    }
    Ok(())
}

/// What is needed on `target` without any extra.
fn needed_on(metadata: &CoreMetadata, target: &Target) -> BTreeSet<String> {
    let needed = ResolutionMetadata::of(metadata).dependencies.into_iter();
    let needed = needed.filter(|dependency| dependency.marker.evaluate(target.markers(), &[]));
    needed.map(|dependency| Dependency { marker: Marker::ALWAYS, ..dependency }.to_string()).collect()
}

fn listed(needs: &BTreeSet<String>) -> String {
    let all: Vec<_> = needs.iter().map(String::as_str).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

/// The wheel as a file of the plan; the store has it under its digest.
fn planned_wheel(wheel: &BuiltWheel, from: BuiltFrom, targets: Vec<usize>) -> PlannedFile {
    let mut url: MaskedUrl = "file:///".parse().expect("a literal URL is valid");
    url = url.join(&wheel.filename).unwrap_or(url);
    PlannedFile {
        candidate: Candidate {
            filename: wheel.filename.clone(),
            index: Arc::new(url.clone()),
            url,
            promises: Promises { asked: Vec::new(), index: vec![wheel.sha256.into()], size: Some(wheel.size) },
            requires_python: None,
            yanked: Yanked::default(),
            sidecar: None,
            uploaded: None,
            vcs_info: None,
        },
        targets,
        tools: Vec::new(),
        claimed: None,
        metadata_source: Some(MetadataSource::Built),
        built_from: Some(Arc::new(from)),
    }
}
