//! The default command: read, plan, fetch, write, and say so.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::runtime::Runtime;

use super::args::FetchArgs;
use super::environment::Environment;
use super::error::{CliError, Exit};
use super::interruption::interrupted;
use super::layers::Layers;
use super::machine::Machine;
use super::progress::Reporter;
use super::report::Report;
use super::settings::{self, Settings};
use super::warm::WarmPip;
use super::world::Files;
use super::{build, closing, descriptors, show, slip, terminal};
use crate::domain::{Fetched, IndexOptions, Plan, Requirement, Target};
use crate::http::HttpClient;
use crate::index::{Indexes, MetadataCache};
use crate::input::{self, Location, Read, Reader, Role, Severity};
use crate::ops::{self, FetchSettings, Finding, Listener, Output, Places, PlanFailure, Stop};
use crate::resolve::Question;
use crate::select::Policy;
use crate::store::DiskStore;

/// Fetches what is asked for, and tells how it went.
///
/// # Errors
/// Everything that went wrong.
pub fn run(args: &FetchArgs, environment: &Environment) -> Result<Exit, CliError> {
    terminal::choose_colors(args.messages.color);
    if args.messages.show_settings {
        return show_settings(args, environment);
    }
    if args.outputs.split.is_some() {
        // Volumes stay open until all of them are complete.
        descriptors::allow_many();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::usage)?;
    let mut told = Vec::new();
    let outcome = Run::prepare(args, environment, &runtime).and_then(|run| {
        told.clone_from(&run.targets);
        run.all(&runtime)
    });
    // Transfers that were cut off remove their temporary files before the program ends.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    if let (Err(error), Some(path)) = (&outcome, &args.outputs.report) {
        Report::of_failure(&told, error.problems.clone(), environment.seconds()).write(path)?;
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

/// Everything decided, nothing begun.
struct Run<'a> {
    args: &'a FetchArgs,
    environment: &'a Environment,
    settings: Settings,
    warm: Option<WarmPip>,
    targets: Vec<Arc<Target>>,
    question: Question,
    places: Places,
    reporter: Reporter,
    stop: Stop,
}

/// What is fetched, and what stands in the way of the targets that it leaves out.
struct Planned {
    plan: Plan,
    unsolved: Option<CliError>,
}

impl<'a> Run<'a> {
    fn prepare(args: &'a FetchArgs, environment: &'a Environment, runtime: &Runtime) -> Result<Self, CliError> {
        let cache = settings::cache_folder(args.network.cache_dir.as_deref(), environment)?;
        let machine = Machine::new(&args.targets, environment, &cache);
        let pip_settings = machine.pip_settings()?;
        let settings = Settings::resolve(args, cache, &Layers { environment, pip: &pip_settings })?;
        let warm = WarmPip::find(&args.outputs, &machine, &pip_settings, environment)?;
        let read = read_inputs(args, environment, &settings, runtime)?;
        let targets = machine.targets()?;
        refuse_unfetchable(&read.requirements, &targets)?;
        let options = settings.options(&read.options, || machine.default_index())?;
        let indexes = settings.indexes(&options, &environment.working_folder)?;
        let http = settings.http(&options, &indexes);
        let builds = match args.selection.allow_build {
            true => Some(machine.builds(build::variables(&options, &indexes, &http))?),
            false => None,
        };
        let client = Arc::new(HttpClient::new(http));
        let question = question(read, &options, &settings);
        let places = Places {
            indexes: Arc::new(Indexes::new(indexes, client.clone())),
            client,
            store: DiskStore::new(settings.cache.clone()),
            metadata: MetadataCache::new(settings.cache.clone()),
            builds,
            program: environment.program().into(),
        };
        let reporter = Reporter::new(&args.messages, environment.is_terminal);
        let stop = Stop::default();
        Ok(Self { args, environment, settings, warm, targets, question, places, reporter, stop })
    }

    fn all(&self, runtime: &Runtime) -> Result<Exit, CliError> {
        runtime.block_on(async {
            tokio::select! {
                // In this order, so that it is listened for before anything begins.
                biased;
                () = interrupted() => {
                    self.stop.store(true, Ordering::Relaxed);
                    Err(CliError::interrupted())
                }
                outcome = self.work() => outcome,
            }
        })
    }

    async fn work(&self) -> Result<Exit, CliError> {
        let listener = self.reporter.listener();
        let at_once = self.settings.http.pages_per_host;
        let planned = ops::plan(&self.question, &self.targets, &self.places, at_once, &listener).await;
        let Planned { plan, unsolved } = self.judge(planned)?;
        let plan = self.add_tools(plan, at_once, &listener).await?;
        plan.notes.iter().for_each(terminal::warn);
        self.places.indexes.stale().iter().for_each(|stale| terminal::warn(stale.to_string()));
        if self.args.outputs.dry_run {
            return self.tell_plan(&plan, unsolved);
        }
        let fetched = Arc::new(self.fetch(plan, &listener).await?);
        let findings = self.write(&fetched).await?;
        ops::cache::record(&self.places.store, &fetched, &self.environment.working_folder);
        self.tell_done(&fetched, unsolved, &findings)
    }

    /// Adds what an install needs besides what it installs.
    async fn add_tools(&self, plan: Plan, at_once: usize, listener: &Listener) -> Result<Plan, CliError> {
        let (question, places, wanted) = (&self.question, &self.places, &self.args.selection);
        let fail = |failure| CliError::of_plan(&failure, &self.targets);
        let is_bundle = self.args.outputs.bundle.is_some();
        let plan = match (is_bundle || wanted.build_requires) && !wanted.no_build_requires {
            true => ops::plan_builds(plan, question, places, at_once, listener).await.map_err(fail)?,
            false => plan,
        };
        match self.args.outputs.with_installer {
            true => ops::plan_installer(plan, question, places, at_once, listener).await.map_err(fail),
            false => Ok(plan),
        }
    }

    /// Whether the run goes on, and with what.
    fn judge(&self, planned: Result<Plan, PlanFailure>) -> Result<Planned, CliError> {
        let failure = match planned {
            Ok(plan) => return Ok(Planned { plan, unsolved: None }),
            Err(failure) => failure,
        };
        let error = CliError::of_plan(&failure, &self.targets);
        match failure.solved.targets.len() {
            0 => Err(error),
            _ if self.args.targets.keep_going => Ok(Planned { plan: failure.solved, unsolved: Some(error) }),
            solved => {
                let (all, those) = (self.targets.len(), if solved == 1 { "it" } else { "those" });
                Err(error.hint(format!("{solved} of {all} targets can be served; --keep-going fetches for {those}")))
            }
        }
    }

    async fn fetch(&self, plan: Plan, listener: &Listener) -> Result<Fetched, CliError> {
        let settings =
            FetchSettings { metadata: self.outputs().any(Output::needs_metadata), now: self.environment.now };
        ops::check_space(&plan, &self.places.store).map_err(|error| CliError::new(Exit::Disk, error))?;
        let fetched = ops::fetch(plan, &self.places.store, &self.places.client, settings, listener).await;
        fetched.map_err(|failures| CliError::of_fetch(&failures))
    }

    async fn write(&self, fetched: &Arc<Fetched>) -> Result<Vec<Finding>, CliError> {
        let request = Arc::new(ops::request_of(&self.question, &self.targets));
        let mut findings = Vec::new();
        for output in self.outputs() {
            let (fetched, request, store) = (fetched.clone(), request.clone(), self.places.store.clone());
            let (output, stop) = (output.clone(), self.stop.clone());
            let writing = tokio::task::spawn_blocking(move || ops::write(&fetched, &request, &store, &output, &stop));
            let written = writing.await.expect("writing does not panic");
            findings.extend(written.map_err(|failure| CliError::of_write(&failure))?);
        }
        self.write_seen_pages(fetched).await?;
        Ok(findings)
    }

    async fn write_seen_pages(&self, fetched: &Arc<Fetched>) -> Result<(), CliError> {
        let Some(folder) = self.warm.as_ref().and_then(WarmPip::takes_pages) else { return Ok(()) };
        let (fetched, indexes, store) = (fetched.clone(), self.places.indexes.clone(), self.places.store.clone());
        let (folder, stop) = (folder.to_owned(), self.stop.clone());
        let write = move || ops::write_seen_pages(&fetched, &indexes, &store, &folder, &stop);
        let written = tokio::task::spawn_blocking(write).await.expect("writing does not panic");
        written.map_err(|failure| CliError::of_write(&failure))
    }

    fn outputs(&self) -> impl Iterator<Item = &Output> {
        self.settings.outputs.iter().chain(self.warm.as_ref().map(|warm| &warm.output))
    }

    fn tell_plan(&self, plan: &Plan, unsolved: Option<CliError>) -> Result<Exit, CliError> {
        self.reporter.finish();
        let report = Report::of_plan(plan, self.environment.seconds());
        closing::of_plan(&report, &self.args.messages);
        self.report(report, unsolved)
    }

    fn tell_done(&self, fetched: &Fetched, unsolved: Option<CliError>, findings: &[Finding]) -> Result<Exit, CliError> {
        self.reporter.finish();
        let report = Report::of_fetched(fetched, self.environment.seconds());
        let folder = &self.environment.working_folder;
        closing::of_run(&report, fetched, &self.settings.outputs, self.args, folder);
        closing::of_warm_pip(self.warm.as_ref(), fetched, &self.args.messages);
        let found = (!findings.is_empty()).then(|| CliError::of_bundling(findings));
        self.report(report, unsolved.into_iter().chain(found).reduce(CliError::and))
    }

    fn report(&self, report: Report, unsolved: Option<CliError>) -> Result<Exit, CliError> {
        let problems = unsolved.iter().flat_map(|error| error.problems.clone());
        let report = report.with_unsolved(&self.targets, problems.collect());
        if let Some(path) = &self.args.outputs.report {
            report.write(path)?;
        }
        let Some(error) = unsolved else { return Ok(Exit::Done) };
        terminal::show_error(&error);
        Ok(error.exit)
    }
}

impl Drop for Run<'_> {
    /// Whatever happened, the bars do not stand in the way of what is said next.
    fn drop(&mut self) {
        self.reporter.finish();
    }
}

/// Reads everything that was named; what is wrong is told all at once.
fn read_inputs(
    args: &FetchArgs,
    environment: &Environment,
    settings: &Settings,
    runtime: &Runtime,
) -> Result<Read, CliError> {
    let client = Arc::new(HttpClient::new(settings.http.clone()));
    let files = Files { environment, client, runtime: runtime.handle().clone() };
    let mut reader = Reader::new(&files);
    slip::check(&args.requirements, |path| environment.working_folder.join(path))?;
    for requirement in &args.requirements {
        reader.argument(requirement);
    }
    for file in &settings.requirement_files {
        reader.file(&Location::parse(file), Role::Requirements);
    }
    for file in &settings.constraint_files {
        reader.file(&Location::parse(file), Role::Constraints);
    }
    let mut read = reader.finish();
    if args.selection.skip_source_trees {
        skip_source_trees(&mut read.requirements);
    }
    for warning in read.problems.iter().filter(|problem| problem.severity == Severity::Warning) {
        terminal::warn(warning.to_string());
    }
    if read.has_errors() {
        let errors = read.problems.iter().filter(|problem| problem.severity == Severity::Error);
        return Err(CliError::of_inputs(errors.chain(&read.unfetchable())));
    }
    if args.requirements.is_empty() && settings.requirement_files.is_empty() {
        return Err(CliError::usage("nothing is asked for")
            .hint("name a requirements file with -r FILE, or requirements such as flask==3.0.3; see --help"));
    }
    Ok(read)
}

/// What cannot be fetched is told before anything is, where any target would need it.
fn refuse_unfetchable(requirements: &[Requirement], targets: &[Arc<Target>]) -> Result<(), CliError> {
    let is_needed = |requirement: &&Requirement| {
        !requirement.constraint && targets.iter().any(|target| requirement.marker.evaluate(target.markers(), &[]))
    };
    let problems: Vec<_> = requirements.iter().filter(is_needed).filter_map(input::unfetchable).collect();
    if problems.is_empty() {
        return Ok(());
    }
    let error = CliError::of_inputs(&problems);
    let has_source_tree = requirements.iter().filter(is_needed).any(Requirement::is_source_tree);
    Err(if has_source_tree {
        error.hint("--skip-source-trees leaves such lines out, and what only they need")
    } else {
        error
    })
}

/// Source trees are left out, which is told: what they need is left out, too.
fn skip_source_trees(requirements: &mut Vec<Requirement>) {
    requirements.retain(|requirement| {
        let is_kept = requirement.constraint || !requirement.is_source_tree();
        if !is_kept {
            let Requirement { origin, .. } = requirement;
            terminal::warn(format!("{origin}: left out, with what it needs: {requirement}"));
        }
        is_kept
    });
}

fn question(read: Read, options: &IndexOptions, settings: &Settings) -> Question {
    let require_hashes = !options.no_require_hashes && (options.require_hashes || read.requires_hashes());
    let policy = Policy {
        formats: options.formats.clone(),
        prefer_binary: options.prefer_binary,
        releases: options.releases.clone(),
        exclude_newer: settings.exclude_newer,
    };
    Question {
        requirements: read.requirements.into_iter().map(Requirement::named_by_archive).collect(),
        policy,
        require_hashes,
        follow_dependencies: !settings.no_deps,
        with_sources: settings.with_sources,
    }
}
