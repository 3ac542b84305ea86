//! The default command: reads inputs, plans, fetches, writes the outputs, and prints a summary.

pub mod did_you_mean;
pub mod inputs;
pub mod prepare;
mod reporting;
mod source_trees;
pub mod warm_pip;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Runtime;

use self::inputs::Inputs;
use self::prepare::PreparedFetch;
use self::source_trees::PackContext;
use self::warm_pip::WarmPip;
use crate::cli::error::{CliError, Exit, with_remedy};
use crate::cli::host::environment::Environment;
use crate::cli::host::file_limit;
use crate::cli::host::input_source::HostInputSource;
use crate::cli::host::machine::Machine;
use crate::cli::host::runtime;
use crate::cli::host::signals::shutdown_signal;
use crate::cli::output::metadata_warning;
use crate::cli::output::report::Report;
use crate::cli::output::shared_store_usage;
use crate::cli::output::source_builds;
use crate::cli::output::terminal;
use crate::cli::settings;
use crate::cli::settings::args::FetchArgs;
use crate::cli::settings::layers::Layers;
use crate::cli::settings::show;
use crate::domain::{Fetched, LockedProject, Plan, Target, TargetedQuestion};
use crate::input::ParsedInput;
use crate::ops::{
    self, BundleOutput, CancelFlag, FetchContext, FetchFailure, FetchSettings, Finding, Listener, MetadataProvider,
    Output, PlanFailure, WheelBuilds,
};
use crate::shared_store::SharedStore;

/// How long the end of a run waits for uploads to the shared store.
pub const UPLOAD_LIMIT: Duration = Duration::from_secs(30);

/// Fetches what the arguments ask for, and prints a summary.
///
/// # Errors
/// When a stage of the run fails; the error lists every problem that was met.
pub fn run(args: &FetchArgs, environment: &Environment) -> Result<Exit, CliError> {
    terminal::choose_colors(args.messages.color);
    if args.messages.show_settings {
        return show_settings(args, environment);
    }
    if args.outputs.split.is_some() {
        // Volumes stay open until all of them are complete.
        file_limit::allow_many();
    }
    let runtime = runtime::multi_threaded()?;
    let mut targets = Vec::new();
    let outcome = FetchRun::prepare(args, environment, &runtime).and_then(|(run, provider)| {
        targets.clone_from(&run.targets);
        run.execute(provider, &runtime)
    });
    // Transfers that were cut off remove their temporary files before the program ends.
    runtime.shutdown_timeout(Duration::from_secs(5));
    if let (Err(error), Some(path)) = (&outcome, &args.outputs.report) {
        Report::of_failure(&targets, error.problems.clone(), environment.seconds()).write(path)?;
    }
    outcome
}

fn show_settings(args: &FetchArgs, environment: &Environment) -> Result<Exit, CliError> {
    let machine = Machine::new(
        &args.targets,
        environment,
        &settings::cache_folder(args.network.cache_dir.as_deref(), environment)?,
    );
    show::run(args, &Layers { environment, pip: &machine.pip_settings()? }, &machine)
}

/// A run whose settings, inputs and targets are decided, before anything is fetched or written.
struct FetchRun<'a> {
    args: &'a FetchArgs,
    environment: &'a Environment,
    prepared: PreparedFetch,
    outputs: Vec<Output>,
    targets: Vec<Arc<Target>>,
    cancel: CancelFlag,
}

/// The plan, and with `--keep-going` the error for the targets without a solution.
struct Planned {
    plan: Plan,
    unsolved: Option<CliError>,
}

/// The result of planning and fetching.
struct Obtained {
    outcome: FetchOutcome,
    /// Warnings for the user.
    notes: Vec<String>,
    unsolved: Option<CliError>,
}

enum FetchOutcome {
    /// The plan of a dry run.
    Planned(Plan),
    Fetched(Fetched),
}

/// A failure of planning or fetching.
struct Failed {
    error: CliError,
    /// Whether the run may succeed once cached index pages are validated.
    may_be_of_old_page: bool,
    /// Whether the run may succeed without what the shared store says of files.
    is_contradiction: bool,
}

impl From<CliError> for Failed {
    fn from(error: CliError) -> Self {
        Self { error, may_be_of_old_page: false, is_contradiction: false }
    }
}

impl<'a> FetchRun<'a> {
    /// Reads the inputs, settles the settings, and prepares the run.
    ///
    /// The first pages are requested while the interpreter is queried, if that takes time. If the
    /// interpreter then turns out to use other pip settings than expected, these answers are
    /// dropped and the run is prepared anew from the inputs already read.
    fn prepare(
        args: &'a FetchArgs,
        environment: &'a Environment,
        runtime: &Runtime,
    ) -> Result<(Self, MetadataProvider), CliError> {
        let cache = settings::cache_folder(args.network.cache_dir.as_deref(), environment)?;
        let machine = Machine::new(&args.targets, environment, &cache);
        let is_asked = machine.ask_ahead();
        let bundle = settings::outputs::bundle(&args.outputs, environment)?;
        let http = || {
            let layers = Layers { environment, pip: &machine.pip_settings()? };
            settings::network::http(&args.network.connections, args.network.offline, &layers)
        };
        let source = HostInputSource::new(environment, &http, runtime.handle().clone());
        let inputs = Inputs::read(args, environment, &source)?;
        let decide = |pip_settings, read| PreparedFetch::new(args, environment, &machine, pip_settings, read);
        let mut ahead = None;
        let expected = machine.pip_settings_ahead()?;
        if is_asked && !inputs.is_more_in(&expected) {
            let (prepared, mut provider) = decide(expected, inputs.so_far())?;
            prepared.start_requests(&mut provider, runtime);
            ahead = Some((prepared, provider));
        }
        let targets = machine.targets()?;
        machine.assumed_architectures().iter().for_each(terminal::warn);
        machine.open_cache().iter().for_each(terminal::warn);
        let pip_settings = machine.pip_settings()?;
        let read = inputs.finish(&pip_settings)?;
        check_requires_python(&read, &targets)?;
        let bundle = bundle.map(|bundle| BundleOutput { project: project(&read, &machine), ..bundle });
        let pins = !inputs::is_for_pip(&read, args);
        let layers = Layers { environment, pip: &pip_settings };
        let outputs = settings::outputs::outputs(args, bundle, pins, &layers)?;
        let (mut prepared, mut provider) = match ahead {
            Some(ahead) if ahead.0.pip_settings == pip_settings => ahead,
            _ => decide(pip_settings, read)?,
        };
        let ineffective = prepared.ineffective_options();
        if !ineffective.is_empty() {
            let message = format!("a lock decides the versions: {} has no effect", ineffective.join(", "));
            terminal::warn(message);
        }
        if prepared.has_idle_config_settings(args) {
            terminal::warn("--config-settings has no effect without --allow-build or --build-wheels");
        }
        prepared.refuse_unfetchable(&targets)?;
        let context = PackContext { environment, runtime, is_quiet: args.messages.quiet };
        if source_trees::pack(&mut prepared, &targets, &outputs, context)? {
            provider = prepared.provider();
        }
        Ok((Self { args, environment, prepared, outputs, targets, cancel: CancelFlag::default() }, provider))
    }

    fn execute(&self, provider: MetadataProvider, runtime: &Runtime) -> Result<Exit, CliError> {
        runtime.block_on(async {
            tokio::select! {
                // In this order, so that it is listened for before anything begins.
                biased;
                () = shutdown_signal() => {
                    self.cancel.store(true, Ordering::Relaxed);
                    Err(CliError::shutdown_signal())
                }
                outcome = self.run_stages(provider) => outcome,
            }
        })
    }

    /// Plans, fetches and writes.
    ///
    /// If planning or fetching fails and the cause may be an outdated page of the cache, both are
    /// tried again with validated pages: even a fresh page may be older than the files that it
    /// lists.
    async fn run_stages(&self, provider: MetadataProvider) -> Result<Exit, CliError> {
        let outcome = self.obtain_and_write(provider).await;
        if let Some(shared) = &self.prepared.context.shared {
            shared_store_usage::print(&shared.finish(UPLOAD_LIMIT).await, self.args.messages.quiet);
        }
        outcome
    }

    async fn obtain_and_write(&self, provider: MetadataProvider) -> Result<Exit, CliError> {
        let listener = self.prepared.reporter.listener();
        let mut obtained = self.obtain(provider, &listener).await;
        if obtained.as_ref().is_err_and(|failed| self.may_succeed_without_caches(failed)) {
            obtained = self.obtain(self.prepared.provider(), &listener).await;
        }
        let Obtained { outcome, notes, unsolved } = obtained.map_err(|failed| failed.error)?;
        notes.iter().for_each(terminal::warn);
        self.prepared.context.indexes.stale().iter().for_each(|stale| terminal::warn(with_remedy(stale)));
        self.prepared.context.indexes.assumed_absent().iter().for_each(|assumed| terminal::warn(assumed.to_string()));
        let fetched = match outcome {
            FetchOutcome::Planned(plan) => return self.report_plan(&plan, unsolved).await,
            FetchOutcome::Fetched(fetched) => Arc::new(fetched),
        };
        let findings = self.write(&fetched).await?;
        if let Some(shared) = &self.prepared.context.shared {
            shared.note_objects(fetched.files().map(|(_, file)| file.object.sha256));
        }
        ops::cache::record(&self.prepared.context.store, &fetched, &self.environment.working_folder);
        self.report_done(&fetched, unsolved, &findings)
    }

    /// Distrusts the caches that a failure may come from; returns whether that can help.
    fn may_succeed_without_caches(&self, failed: &Failed) -> bool {
        let FetchContext { indexes, shared, .. } = &self.prepared.context;
        let distrust_store = || shared.as_ref().is_some_and(SharedStore::distrust_entries);
        let is_of_store = (failed.is_contradiction || failed.may_be_of_old_page) && distrust_store();
        let is_of_page = (failed.may_be_of_old_page || is_of_store) && indexes.distrust_cache();
        is_of_store || is_of_page
    }

    async fn obtain(&self, provider: MetadataProvider, listener: &Listener) -> Result<Obtained, Failed> {
        let planned = match &self.prepared.lock {
            Some(lock) => ops::plan_locked(lock, &self.prepared.question, &self.targets, &provider).await,
            None => ops::plan(&self.prepared.question, &self.targets, provider).await,
        };
        let may_be_of_old_page = planned.as_ref().is_err_and(PlanFailure::may_be_of_old_page);
        let Planned { plan, unsolved } =
            self.check_plan(planned).map_err(|error| Failed { error, may_be_of_old_page, is_contradiction: false })?;
        let plan = self.build_wheels(plan, listener).await?;
        self.check_wheels(&plan)?;
        let mut plan = self.add_tools(plan, self.prepared.pages_at_once(), listener).await?;
        let mut notes = std::mem::take(&mut plan.notes);
        notes.extend(metadata_warning::of(&plan.unreliable));
        let outcome = match self.args.outputs.dry_run {
            true => FetchOutcome::Planned(plan),
            false => FetchOutcome::Fetched(self.fetch(plan, listener).await?),
        };
        Ok(Obtained { outcome, notes, unsolved })
    }

    /// Adds the build requirements and the installer to the plan, if they are wanted.
    async fn add_tools(&self, plan: Plan, at_once: usize, listener: &Listener) -> Result<Plan, CliError> {
        let (question, context, wanted) = (&self.prepared.question, &self.prepared.context, &self.args.selection);
        let fail = |failure| CliError::of_plan(&failure, &self.targets);
        let is_bundle = self.args.outputs.bundle.is_some();
        let mut plan = plan;
        if (is_bundle || wanted.build_requires) && !wanted.no_build_requires {
            let files = self.project().into_iter().flat_map(|project| &project.files);
            for file in files.filter(|file| file.path.ends_with("pyproject.toml")) {
                let file = (file.path.as_str(), file.text.as_str());
                plan = ops::plan_project_build(plan, file, question, context, at_once, listener).await;
            }
            plan = ops::plan_build_requires(plan, question, context, at_once, listener).await.map_err(fail)?;
        }
        match self.args.outputs.with_installer {
            true => {
                ops::plan_installer(plan, question, "--with-installer", context, at_once, listener).await.map_err(fail)
            }
            false => Ok(plan),
        }
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
            .await
            .map_err(|error| CliError::with_remedy(Exit::Disk, error))?;
        let fetched = ops::fetch(plan, &self.prepared.context, settings, listener).await;
        fetched.map_err(|failures| Failed {
            error: CliError::of_fetch(&failures),
            may_be_of_old_page: failures.iter().any(FetchFailure::may_be_of_old_page),
            is_contradiction: failures.iter().any(FetchFailure::is_contradiction),
        })
    }

    async fn write(&self, fetched: &Arc<Fetched>) -> Result<Vec<Finding>, CliError> {
        let question = &self.prepared.question;
        let questions = match &self.prepared.lock {
            Some(_) => ops::questions_of_lock(fetched, question),
            None => vec![question.clone().for_targets((0..fetched.targets.len()).collect())],
        };
        let questions = questions.into_iter().flat_map(|question| ops::with_built_wheels(question, fetched));
        let questions: Arc<[TargetedQuestion]> = questions.collect();
        let mut findings = Vec::new();
        for output in self.outputs() {
            let (fetched, questions, store) = (fetched.clone(), questions.clone(), self.prepared.context.store.clone());
            let (output, cancel) = (output.clone(), self.cancel.clone());
            let writing =
                tokio::task::spawn_blocking(move || ops::write(&fetched, &questions, &store, &output, &cancel));
            let written = writing.await.expect("writing does not panic");
            findings.extend(written.map_err(|failure| CliError::of_write(&failure))?);
        }
        self.write_seen_pages(fetched).await?;
        Ok(findings)
    }

    async fn write_seen_pages(&self, fetched: &Arc<Fetched>) -> Result<(), CliError> {
        let Some(folder) = self.prepared.warm.as_ref().and_then(WarmPip::takes_pages) else { return Ok(()) };
        let (fetched, indexes, store) =
            (fetched.clone(), self.prepared.context.indexes.clone(), self.prepared.context.store.clone());
        let (folder, cancel) = (folder.to_owned(), self.cancel.clone());
        let write = move || ops::write_seen_pages(&fetched, &indexes, &store, &folder, &cancel);
        let written = tokio::task::spawn_blocking(write).await.expect("writing does not panic");
        written.map_err(|failure| CliError::of_write(&failure))
    }

    fn outputs(&self) -> impl Iterator<Item = &Output> {
        self.outputs.iter().chain(self.prepared.warm.as_ref().map(|warm| &warm.output))
    }

    /// Returns the project that is bundled, if its lock is among the inputs.
    fn project(&self) -> Option<&LockedProject> {
        self.outputs().find_map(|output| match output {
            Output::Bundle(bundle) => bundle.project.as_deref(),
            Output::Folder { .. } | Output::Bucket(_) => None,
        })
    }
}

/// Returns the project whose lock is among the inputs, with the index that its tool asks unless it is
/// told otherwise.
fn project(read: &ParsedInput, machine: &Machine<'_>) -> Option<Arc<LockedProject>> {
    let lock = read.lock.as_ref()?;
    if !lock.needs_index() {
        return Some(lock.project.clone());
    }
    let default_index = machine.default_index().ok().and_then(|index| index.parse().ok());
    Some(Arc::new(LockedProject { default_index, ..LockedProject::clone(&lock.project) }))
}

/// Refuses targets whose Python does not fit the `requires-python` of a project among the inputs.
fn check_requires_python(read: &ParsedInput, targets: &[Arc<Target>]) -> Result<(), CliError> {
    let refused = read.requires_python.iter().flat_map(|(wants, origin)| {
        let others = targets.iter().filter(|target| !wants.contains(target.python()));
        others.map(move |target| format!("{origin}: the project is for Python {wants}, and {} is not", target.id()))
    });
    refused.map(|why| CliError::new(Exit::NoSolution, why)).reduce(CliError::and).map_or(Ok(()), Err)
}

impl Drop for FetchRun<'_> {
    /// Removes the progress bars, so that they do not get in the way of later output.
    fn drop(&mut self) {
        self.prepared.reporter.finish();
    }
}
