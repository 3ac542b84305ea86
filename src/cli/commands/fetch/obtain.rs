//! Planning and fetching, before anything is written.

use super::FetchRun;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::metadata_warning;
use crate::cli::output::source_builds;
use crate::domain::{Fetched, Plan};
use crate::ops::{
    self, FetchFailure, FetchSettings, Listener, MetadataProvider, Output, PlanFailure, ToolPlanner, WheelBuilds,
};

/// The plan, and with `--keep-going` the error for the targets without a solution.
struct Planned {
    plan: Plan,
    unsolved: Option<CliError>,
}

/// The result of planning and fetching.
pub(super) struct Obtained {
    pub outcome: FetchOutcome,
    /// Warnings for the user.
    pub notes: Vec<String>,
    pub unsolved: Option<CliError>,
}

/// The end of planning and fetching.
pub(super) enum FetchOutcome {
    /// The plan of a dry run.
    Planned(Plan),
    Fetched(Fetched),
}

/// A failure of planning or fetching.
pub(super) struct Failed {
    pub error: CliError,
    /// Whether the run may succeed once cached index pages are validated.
    pub may_be_of_old_page: bool,
    /// Whether the run may succeed without what the shared store says of files.
    pub is_contradiction: bool,
}

impl From<CliError> for Failed {
    fn from(error: CliError) -> Self {
        Self { error, may_be_of_old_page: false, is_contradiction: false }
    }
}

impl FetchRun<'_> {
    /// Plans and fetches.
    ///
    /// # Errors
    /// When targets have no solution, or a file cannot be had; the error says whether another
    /// attempt without caches may succeed.
    pub(super) async fn obtain(&self, provider: MetadataProvider, listener: &Listener) -> Result<Obtained, Failed> {
        let planned = match &self.prepared.lock {
            Some(lock) => ops::plan_locked(lock, &self.prepared.question, &self.targets, &provider).await,
            None => ops::plan(&self.prepared.question, &self.targets, provider).await,
        };
        let may_be_of_old_page = planned.as_ref().is_err_and(PlanFailure::may_be_of_old_page);
        let Planned { plan, unsolved } =
            self.check_plan(planned).map_err(|error| Failed { error, may_be_of_old_page, is_contradiction: false })?;
        let plan = self.build_wheels(plan, listener).await?;
        self.check_wheels(&plan)?;
        let mut plan = self.add_tools(plan, listener).await?;
        let mut notes = std::mem::take(&mut plan.notes);
        notes.extend(metadata_warning::of(&plan.unreliable));
        let outcome = match self.args.outputs.dry_run {
            true => FetchOutcome::Planned(plan),
            false => FetchOutcome::Fetched(self.fetch(plan, listener).await?),
        };
        Ok(Obtained { outcome, notes, unsolved })
    }

    /// Adds the build requirements and the installer to the plan, if they are wanted.
    async fn add_tools(&self, plan: Plan, listener: &Listener) -> Result<Plan, CliError> {
        let (outputs, wanted) = (&self.args.outputs, &self.args.selection);
        let (question, context) = (&self.prepared.question, &self.prepared.context);
        let tools = ToolPlanner { question, context, at_once: self.prepared.pages_at_once(), listener };
        let fail = |failure| CliError::of_plan(&failure, &self.targets);
        let mut plan = plan;
        if (outputs.bundle.is_some() || wanted.build_requires) && !wanted.no_build_requires {
            let files = self.project().into_iter().flat_map(|project| &project.files);
            for file in files.filter(|file| file.path.ends_with("pyproject.toml")) {
                tools.add_project_build(&mut plan, &file.path, &file.text).await;
            }
            tools.add_build_requires(&mut plan).await.map_err(fail)?;
        }
        if outputs.with_installer {
            tools.add_installer(&mut plan, "--with-installer").await.map_err(fail)?;
        }
        Ok(plan)
    }

    /// Builds the wheels that are wanted, unless this is a dry run.
    async fn build_wheels(&self, plan: Plan, listener: &Listener) -> Result<Plan, CliError> {
        let context = &self.prepared.context;
        let wanted = &self.prepared.wheels_to_build;
        if !wanted.is_wanted() || self.args.outputs.dry_run {
            return Ok(plan);
        }
        let keeps_archives = self.prepared.lock.is_some() && self.args.outputs.bundle.is_some();
        let builds = WheelBuilds { wanted, builders: &self.prepared.builders, keeps_archives };
        let built = ops::build_wheels(plan, builds, context, listener).await;
        built.map_err(|failures| CliError::of_fetch(&failures))
    }

    /// Refuses source archives that targets would install, where wheels are required.
    fn check_wheels(&self, plan: &Plan) -> Result<(), CliError> {
        let installs = if self.args.selection.require_wheels { plan.source_installs() } else { Vec::new() };
        let refusals = installs.iter().map(|install| CliError::new(Exit::NoSolution, source_builds::refusal(install)));
        let hint = "--prefer-binary takes older releases that have wheels, and --build-wheels builds them here";
        refusals.reduce(CliError::and).map_or(Ok(()), |error| Err(error.hint(hint)))
    }

    /// Returns the plan to go on with; a partial one only with `--keep-going`.
    fn check_plan(&self, planned: Result<Plan, PlanFailure>) -> Result<Planned, CliError> {
        let failure = match planned {
            Ok(plan) => return Ok(Planned { plan, unsolved: None }),
            Err(failure) => failure,
        };
        let error = CliError::of_plan(&failure, &self.targets);
        let kept = self.outputs().find(|output| !self.args.outputs.dry_run && output.keeps_older());
        match failure.solved.targets.len() {
            0 => Err(error),
            _ if self.args.targets.keep_going => match kept.map(Output::place) {
                None => Ok(Planned { plan: failure.solved, unsolved: Some(error) }),
                Some(path) => Err(error.hint(format!(
                    "{path} stays as it was: the new bundle would not serve all targets; --force replaces it all the same"
                ))),
            },
            solved => {
                let (all, those) = (self.targets.len(), if solved == 1 { "it" } else { "those" });
                Err(error.hint(format!("{solved} of {all} targets can be served; --keep-going fetches for {those}")))
            }
        }
    }

    async fn fetch(&self, plan: Plan, listener: &Listener) -> Result<Fetched, Failed> {
        let settings =
            FetchSettings { metadata: self.outputs().any(Output::needs_metadata), now: self.environment.now };
        ops::check_space(&plan, &self.prepared.context.store, self.outputs())
            .map_err(|error| CliError::with_remedy(Exit::Disk, error))?;
        let fetched = ops::fetch(plan, &self.prepared.context, settings, listener).await;
        fetched.map_err(|failures| Failed {
            error: CliError::of_fetch(&failures),
            may_be_of_old_page: failures.iter().any(FetchFailure::may_be_of_old_page),
            is_contradiction: failures.iter().any(FetchFailure::is_contradiction),
        })
    }
}
