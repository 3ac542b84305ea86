//! The default command: reads inputs, plans, fetches, writes the outputs, and prints a summary.

pub mod did_you_mean;
pub mod inputs;
mod obtain;
pub mod prepare;
mod reporting;
mod source_trees;
mod start;
pub mod warm_pip;
mod write;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Runtime;

use self::obtain::{Failed, FetchOutcome, Obtained};
use self::prepare::PreparedFetch;
use crate::cli::error::{CliError, Exit, KEPT_HINT, with_remedy};
use crate::cli::host::environment::Environment;
use crate::cli::host::file_limit;
use crate::cli::host::machine::Machine;
use crate::cli::host::runtime;
use crate::cli::host::signals::shutdown_signal;
use crate::cli::output::report::Report;
use crate::cli::output::shared_store_usage;
use crate::cli::output::terminal;
use crate::cli::settings;
use crate::cli::settings::args::FetchArgs;
use crate::cli::settings::layers::Layers;
use crate::cli::settings::show;
use crate::domain::{LockedProject, Target};
use crate::ops::{self, CancelFlag, FetchContext, MetadataProvider, Output};
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
    let outcome = FetchRun::start(args, environment, &runtime).and_then(|(run, provider)| {
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

impl FetchRun<'_> {
    fn execute(&self, provider: MetadataProvider, runtime: &Runtime) -> Result<Exit, CliError> {
        runtime.block_on(async {
            tokio::select! {
                // In this order, so that it is listened for before anything begins.
                biased;
                () = shutdown_signal() => {
                    self.cancel.store(true, Ordering::Relaxed);
                    Err(CliError::interrupted().hint(KEPT_HINT))
                }
                outcome = self.run_stages(provider) => outcome,
            }
        })
    }

    /// Plans, fetches and writes, and then waits for uploads to the shared store.
    async fn run_stages(&self, provider: MetadataProvider) -> Result<Exit, CliError> {
        let outcome = self.obtain_and_write(provider).await;
        if let Some(shared) = &self.prepared.context.shared {
            shared_store_usage::print(&shared.finish(UPLOAD_LIMIT).await, self.args.messages.quiet);
        }
        outcome
    }

    /// Plans, fetches and writes.
    ///
    /// If planning or fetching fails and the cause may be an outdated page of the cache, both are
    /// tried again with validated pages: even a fresh page may be older than the files that it
    /// lists.
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
            FetchOutcome::Planned(plan) => return self.report_plan(&plan, unsolved),
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

impl Drop for FetchRun<'_> {
    /// Removes the progress bars, so that they do not get in the way of later output.
    fn drop(&mut self) {
        self.prepared.reporter.finish();
    }
}
