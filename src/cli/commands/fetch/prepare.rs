//! Everything that a run needs besides its targets, made from arguments, settings and inputs.

use std::sync::Arc;

use tokio::runtime::Runtime;

use super::warm_pip::WarmPip;
use crate::cache_folder::{CacheEntries, RemoteEntries};
use crate::cli::error::CliError;
use crate::cli::host::environment::Environment;
use crate::cli::host::machine::Machine;
use crate::cli::output::progress::Reporter;
use crate::cli::settings::args::FetchArgs;
use crate::cli::settings::builds;
use crate::cli::settings::layers::Layers;
use crate::cli::settings::{self, Settings};
use crate::domain::{ForkStrategy, IndexOptions, Question, ReleaseControl, Requirement, SelectionPolicy, Target};
use crate::http::HttpClient;
use crate::index::{Indexes, MetadataCache};
use crate::input::{self, ParsedInput, ProjectInput};
use crate::interpreter::PipSettings;
use crate::ops::{ClaimedMetadata, FetchContext, MetadataProvider, SdistBuilder, WheelsToBuild};
use crate::resolve::LockResolver;
use crate::store::DiskStore;

/// The settings, question and context of a run.
pub struct PreparedFetch {
    /// The pip settings from which all the rest was decided.
    pub pip_settings: PipSettings,
    pub settings: Settings,
    pub warm: Option<WarmPip>,
    pub question: Question,
    /// What answers the question by a lock file, if one is among the inputs.
    pub lock: Option<LockResolver>,
    /// The projects among the inputs that are to be packed themselves.
    pub projects: Vec<ProjectInput>,
    pub context: FetchContext,
    pub wheels_to_build: WheelsToBuild,
    /// The builders of wheels, if builds are allowed.
    pub builders: Vec<SdistBuilder>,
    pub reporter: Reporter,
}

impl PreparedFetch {
    /// Prepares a run from what was read; waits for the interpreter only if the arguments depend on
    /// it.
    ///
    /// # Errors
    /// When an argument or a setting is invalid, or there is no index, pip or interpreter that the
    /// arguments need.
    pub fn new(
        args: &FetchArgs,
        environment: &Environment,
        machine: &Machine<'_>,
        pip_settings: PipSettings,
        read: ParsedInput,
    ) -> Result<(Self, MetadataProvider), CliError> {
        let layers = Layers { environment, pip: &pip_settings };
        let settings = Settings::resolve(args, machine.cache().root().to_owned(), &layers)?;
        let warm = WarmPip::find(&args.outputs, machine, &pip_settings, environment)?;
        let mut options = settings.options(&read.options, || match &read.lock {
            Some(lock) if !lock.needs_index() => Ok(machine.default_index().ok()),
            _ => machine.default_index().map(Some),
        })?;
        let tool_formats = options.formats.clone();
        let wheels_to_build = builds::wheels_to_build(&args.selection.build_wheels)?;
        builds::restrict(&mut options.formats, &wheels_to_build);
        let lock = read.lock.as_ref().map(|input| LockResolver {
            skip_source_trees: args.selection.skip_source_trees,
            ..LockResolver::new(input.lock.clone(), input.groups.clone())
        });
        let projects = projects(&read, args)?;
        let indexes = settings.indexes(&options, &environment.working_folder)?;
        let http = settings.http(&options, &indexes)?;
        let (store, mode) = (args.network.store.as_deref(), args.network.store_mode);
        let shared = settings::shared_store::open(store, mode, http.clone(), &layers)?;
        let remote = shared.clone().map(|shared| Arc::new(shared) as Arc<dyn RemoteEntries>);
        let entries = CacheEntries::new(machine.cache().clone(), remote);
        let client = Arc::new(HttpClient::new(http));
        let question = question(read, &options, &settings);
        // Build requirements need not be built from source, too.
        let tool_policy = SelectionPolicy { formats: tool_formats, ..question.policy.clone() };
        let builders = match args.selection.allow_build || wheels_to_build.is_wanted() {
            true => builders(args, machine, &question, &tool_policy)?,
            false => Vec::new(),
        };
        let context = FetchContext {
            indexes: Arc::new(Indexes::new(indexes, client.clone(), &entries)),
            client,
            store: DiskStore::new(settings.cache.clone()),
            shared,
            metadata: MetadataCache::of_files(&entries),
            entries,
            claimed_metadata: ClaimedMetadata::default(),
            builds: builders.first().cloned().map(|builder| Arc::new(builder) as _),
            strict_metadata: settings.strict_metadata,
            program: environment.program().into(),
        };
        let reporter = Reporter::new(&args.messages, environment.is_terminal);
        let prepared = Self {
            pip_settings,
            settings,
            warm,
            question,
            lock,
            projects,
            context,
            wheels_to_build,
            builders,
            reporter,
        };
        let provider = prepared.provider();
        Ok((prepared, provider))
    }

    /// Returns a provider of the facts that the question needs.
    pub fn provider(&self) -> MetadataProvider {
        MetadataProvider::new(&self.question, &self.context, self.pages_at_once(), &self.reporter.listener())
    }

    /// Requests the first pages ahead of resolution, unless a requirement might be refused, or the
    /// shared store may have the whole plan.
    pub fn start_requests(&self, provider: &mut MetadataProvider, runtime: &Runtime) {
        let is_refused = |line: &Requirement| line.is_source_tree() || input::unfetchable(line).is_some();
        if !self.context.entries.are_shared() && !self.question.requirements.iter().any(is_refused) {
            let _within = runtime.enter();
            provider.start(&self.question);
        }
    }

    /// Returns the number of pages that are requested from one host at once.
    pub fn pages_at_once(&self) -> usize {
        self.settings.http.pages_per_host
    }

    /// Returns warnings of given options that have no effect.
    pub fn ineffective_options(&self, args: &FetchArgs) -> Vec<String> {
        let beside_lock = self.options_beside_lock().join(", ");
        let beside_lock =
            (!beside_lock.is_empty()).then(|| format!("a lock decides the versions: {beside_lock} has no effect"));
        let is_idle = self.builders.is_empty() && !args.selection.config_settings.is_empty();
        let idle =
            is_idle.then(|| "--config-settings has no effect without --allow-build or --build-wheels".to_owned());
        beside_lock.into_iter().chain(idle).collect()
    }

    /// Returns the given options that choose versions, if a lock file does so.
    fn options_beside_lock(&self) -> Vec<&'static str> {
        let Question { policy, follow_dependencies, fork_strategy, .. } = &self.question;
        let options = [
            ("--no-deps", !follow_dependencies),
            ("--pre", policy.releases != ReleaseControl::default()),
            ("--prefer-binary", policy.prefer_binary),
            ("--exclude-newer", policy.exclude_newer.is_some()),
            ("--strict-metadata", self.context.strict_metadata),
            ("--fork-strategy", *fork_strategy != ForkStrategy::default()),
        ];
        let is_locked = self.lock.is_some();
        options.into_iter().filter(|(_, is_set)| is_locked && *is_set).map(|(option, _)| option).collect()
    }

    /// Whether targets that got different versions could share some.
    pub fn could_share_versions(&self) -> bool {
        self.lock.is_none() && self.question.fork_strategy != ForkStrategy::Fewest
    }

    /// Refuses requirements that some target needs and that cannot be fetched, before anything else
    /// happens.
    ///
    /// # Errors
    /// When there are such requirements; the error lists all of them.
    pub fn refuse_unfetchable(&self, targets: &[Arc<Target>]) -> Result<(), CliError> {
        let needed = self.question.requirements.iter().filter(|requirement| is_needed(requirement, targets));
        let problems: Vec<_> = needed.filter_map(input::unfetchable).collect();
        if problems.is_empty() { Ok(()) } else { Err(CliError::of_inputs(&problems)) }
    }

    /// Returns the positions of the requirements that are source trees and that some target needs.
    pub fn source_trees(&self, targets: &[Arc<Target>]) -> Vec<usize> {
        let requirements = self.question.requirements.iter().enumerate();
        let trees =
            requirements.filter(|(_, requirement)| requirement.is_source_tree() && is_needed(requirement, targets));
        trees.map(|(position, _)| position).collect()
    }
}

/// Returns a builder for each interpreter, all with the same limits and settings.
fn builders(
    args: &FetchArgs,
    machine: &Machine<'_>,
    question: &Question,
    policy: &SelectionPolicy,
) -> Result<Vec<SdistBuilder>, CliError> {
    let settings = Arc::new(builds::config_settings(&args.selection, &question.requirements));
    let builders = machine.builders(&builds::limits(&args.selection))?.into_iter();
    Ok(builders.map(|builder| builder.configured(policy.clone(), settings.clone())).collect())
}

fn is_needed(requirement: &Requirement, targets: &[Arc<Target>]) -> bool {
    !requirement.constraint && targets.iter().any(|target| requirement.marker.evaluate(target.markers(), &[]))
}

/// Returns the projects that are to be packed themselves.
fn projects(read: &ParsedInput, args: &FetchArgs) -> Result<Vec<ProjectInput>, CliError> {
    match (args.selection.with_project, args.selection.allow_build) {
        (false, _) => Ok(Vec::new()),
        (true, false) => {
            Err(CliError::usage("--with-project runs the project's build, which is allowed by --allow-build"))
        }
        (true, true) if read.projects.is_empty() => {
            Err(CliError::usage("--with-project: no input is a project's lock file, pyproject.toml or setup.cfg"))
        }
        (true, true) => Ok(read.projects.clone()),
    }
}

fn question(read: ParsedInput, options: &IndexOptions, settings: &Settings) -> Question {
    let require_hashes = !options.no_require_hashes && (options.require_hashes || read.requires_hashes());
    let policy = SelectionPolicy {
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
        fork_strategy: settings.fork_strategy,
    }
}
