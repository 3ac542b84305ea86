//! Plans what an install needs but does not install: the build requirements of source archives (PEP
//! 517, PEP 518), and the installer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fetch_context::FetchContext;
use super::metadata::ensure_stored;
use super::{Listener, MetadataFailure, MetadataProvider, PlanFailure, plan};
use crate::domain::{
    Dependency, DependencySource, FormatControl, MaskedUrl, Origin, PackageName, Plan, PlannedFile, Question,
    Requirement, Source, Target, Version, WheelFilename,
};
use crate::index::sdist_metadata::{self, BuildRequirements};

/// Plans tools beside what a plan of `question` installs.
pub struct ToolPlanner<'a> {
    pub question: &'a Question,
    pub context: &'a FetchContext,
    /// The number of pages that are requested from one host at once.
    pub at_once: usize,
    pub listener: &'a Listener,
}

impl ToolPlanner<'_> {
    /// Adds to `plan` the build requirements of its source archives, and those of these in turn, for
    /// each target that gets a source archive.
    ///
    /// What does not exist is left out; the check of the bundle reports it.
    ///
    /// # Errors
    /// When an archive or an index could not be fetched.
    pub async fn add_build_requires(&self, plan: &mut Plan) -> Result<(), PlanFailure> {
        let mut done = BTreeSet::new();
        loop {
            let pending = self.pending(plan, &mut done).await?;
            if pending.is_empty() {
                return Ok(());
            }
            for (needs, sources) in pending {
                self.add_builders(plan, &needs, &sources).await?;
            }
        }
    }

    /// Adds to `plan` what builds a project in its folder on every target, where `path` is that of
    /// its pyproject.toml and `text` its content.
    ///
    /// What does not exist, or cannot be asked for, is left out with a note: the lock itself is
    /// complete without it.
    pub async fn add_project_build(&self, plan: &mut Plan, path: &str, text: &str) {
        let Some(needs) = BuildRequirements::of_editable(text) else { return };
        let sources = SourceArchives { filenames: [path.into()].into(), targets: (0..plan.targets.len()).collect() };
        let added = self.add_builders(plan, &needs, &sources).await;
        let names: BTreeSet<_> = plan.packages.iter().map(|package| package.name.clone()).collect();
        let wanted = tool_question(self.question, &needs.requires, path).requirements.into_iter();
        let lacking = wanted.filter(|requirement| {
            let is_needed = |target: &Arc<Target>| requirement.marker.evaluate(target.markers(), &[]);
            requirement.name.as_ref().is_some_and(|name| !names.contains(name)) && plan.targets.iter().any(is_needed)
        });
        let lacking: Vec<_> = lacking.map(|requirement| requirement.to_string()).collect();
        if !lacking.is_empty() || added.is_err() {
            let why = if added.is_err() { "could not be asked for" } else { "is not to be had" };
            let lacking = lacking.join(", ");
            plan.notes.push(format!("{path}: what builds the project itself {why}, and is left out: {lacking}"));
        }
    }

    /// Adds to `plan` the newest pip that runs on each target, as a wheel; errors name `asked_by` as
    /// its origin.
    ///
    /// # Errors
    /// When no pip runs on a target, or the index could not be fetched.
    pub async fn add_installer(&self, plan: &mut Plan, asked_by: &str) -> Result<(), PlanFailure> {
        let mut question = tool_question(self.question, &[INSTALLER.to_owned()], asked_by);
        question.policy.formats = FormatControl::default();
        question.policy.formats.only_binary(INSTALLER).expect("it is a name");
        for targets in by_python(&plan.targets) {
            let pips = self::plan(&question, &targets, self.provider(&question)).await?;
            add(plan, pips);
        }
        Ok(())
    }

    fn provider(&self, question: &Question) -> MetadataProvider {
        MetadataProvider::new(question, self.context, self.at_once, self.listener)
    }

    /// Returns the source archives of `plan` that are not `done`, by their build requirements.
    async fn pending(
        &self,
        plan: &Plan,
        done: &mut BTreeSet<(MaskedUrl, usize)>,
    ) -> Result<BTreeMap<BuildRequirements, SourceArchives>, PlanFailure> {
        let mut pending = BTreeMap::<_, SourceArchives>::new();
        for (package, file) in plan.files().filter(|(_, file)| !is_wheel(file)) {
            // What stands beside a wheel of the index is not built there; beside a wheel that was built
            // here it is, by the installer of a lock.
            let is_instead = |file: &PlannedFile| is_wheel(file) && file.built_from.is_none();
            let has_wheel =
                |target: &usize| package.files.iter().any(|file| is_instead(file) && file.targets.contains(target));
            let is_new = |target: &usize| !has_wheel(target) && done.insert((file.link.url.clone(), *target));
            let targets: Vec<_> = file.targets.iter().copied().filter(is_new).collect();
            if targets.is_empty() {
                continue;
            }
            if let Some(needs) = self.needs(file).await? {
                let sources = pending.entry(needs).or_default();
                sources.filenames.insert(file.link.filename.clone());
                sources.targets.extend(targets);
            }
        }
        Ok(pending)
    }

    /// Returns the build requirements of an archive, if it can be read.
    async fn needs(&self, file: &PlannedFile) -> Result<Option<BuildRequirements>, PlanFailure> {
        let link = &file.link;
        let fail = |why| {
            let failure = MetadataFailure { filename: link.filename.clone(), url: link.url.clone(), why };
            PlanFailure { unreachable: vec![failure.into()], ..PlanFailure::default() }
        };
        let object = ensure_stored(link, self.context, self.listener).await.map_err(fail)?;
        let archive = self.context.store.open(object.sha256).map_err(|error| fail(error.into()))?;
        Ok(sdist_metadata::top_files(archive, &link.filename).ok().map(|top| top.build_requirements()))
    }

    async fn add_builders(
        &self,
        plan: &mut Plan,
        needs: &BuildRequirements,
        sources: &SourceArchives,
    ) -> Result<(), PlanFailure> {
        let filenames: Vec<_> = sources.filenames.iter().map(|name| &**name).collect();
        let origin = build_origin(&filenames.join(", "));
        let targets: Vec<_> = sources.targets.iter().map(|position| plan.targets[*position].clone()).collect();
        for targets in by_python(&targets) {
            let builders = self.solve(&tool_question(self.question, &needs.requires, &origin), &targets).await?;
            if needs.by_setuptools
                && builders.packages.iter().any(|package| needs_wheel(&package.name, &package.version))
            {
                add(plan, self.solve(&tool_question(self.question, &with_wheel(needs), &origin), &targets).await?);
            }
            add(plan, builders);
        }
        Ok(())
    }

    /// Plans for those of `targets` that have a solution.
    async fn solve(&self, question: &Question, targets: &[Arc<Target>]) -> Result<Plan, PlanFailure> {
        match plan(question, targets, self.provider(question)).await {
            Ok(plan) => Ok(plan),
            Err(failure) if failure.unreachable.is_empty() => Ok(failure.solved),
            Err(failure) => Err(failure),
        }
    }
}

/// Groups targets by Python version.
///
/// They are solved separately, since an old build tool that one Python requires may not run on a
/// newer one, whatever its metadata says, and targets solved together would share it.
fn by_python(targets: &[Arc<Target>]) -> Vec<Vec<Arc<Target>>> {
    let mut groups: Vec<Vec<Arc<Target>>> = Vec::new();
    for target in targets {
        match groups.iter_mut().find(|group| group[0].python_version() == target.python_version()) {
            Some(group) => group.push(target.clone()),
            None => groups.push(vec![target.clone()]),
        }
    }
    groups
}

const INSTALLER: &str = "pip";

/// Source archives with the same build requirements.
#[derive(Default)]
struct SourceArchives {
    filenames: BTreeSet<Box<str>>,
    /// Positions of the targets in the plan.
    targets: BTreeSet<usize>,
}

fn is_wheel(file: &PlannedFile) -> bool {
    file.link.filename.parse::<WheelFilename>().is_ok()
}

fn add(plan: &mut Plan, tools: Plan) {
    let position = |target: &Arc<Target>| plan.targets.iter().position(|known| known.id() == target.id());
    let positions: Vec<_> = tools.targets.iter().filter_map(position).collect();
    plan.add_tools(tools, &positions);
}

/// Whether this is a setuptools whose builds require `wheel`, too; from 70.1 on it makes wheels by
/// itself.
pub(super) fn needs_wheel(project: &PackageName, version: &Option<Version>) -> bool {
    project.as_ref() == "setuptools" && version.as_ref().is_some_and(|version| *version < Version::new([70, 1]))
}

/// Returns the build requirements with `wheel`, which an old setuptools asks for in addition.
pub(super) fn with_wheel(needs: &BuildRequirements) -> Vec<String> {
    needs.requires.iter().cloned().chain(["wheel".to_owned()]).collect()
}

/// Returns the origin of the build requirements of an archive, for messages.
pub(super) fn build_origin(filename: &str) -> String {
    format!("build-system.requires of {filename}")
}

/// Returns the question for build requirements in a run with `question`, without its digests and
/// constraints, as pip sets up builds.
pub(super) fn tool_question(question: &Question, lines: &[String], origin: &str) -> Question {
    Question {
        requirements: lines.iter().filter_map(|line| requirement(line, origin)).collect(),
        policy: question.policy.clone(),
        require_hashes: false,
        follow_dependencies: true,
        with_sources: false,
        fork_strategy: question.fork_strategy,
    }
}

fn requirement(line: &str, origin: &str) -> Option<Requirement> {
    let dependency: Dependency = line.parse().ok()?;
    let DependencySource::Versions(specifiers) = dependency.source else { return None };
    let origin = Origin { file: origin.into(), line: 0 };
    Some(Requirement {
        extras: dependency.extras,
        marker: dependency.marker,
        ..Requirement::named(dependency.name, Source::Index(specifiers), origin)
    })
}
