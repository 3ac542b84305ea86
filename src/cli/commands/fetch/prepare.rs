//! Everything that a run needs besides its targets, made from arguments, settings and inputs.

use std::sync::Arc;

use tokio::runtime::Runtime;

use super::build_variables;
use super::warm_pip::WarmPip;
use crate::cli::error::CliError;
use crate::cli::host::environment::Environment;
use crate::cli::host::machine::Machine;
use crate::cli::output::progress::Reporter;
use crate::cli::settings::args::FetchArgs;
use crate::cli::settings::layers::Layers;
use crate::cli::settings::{self, Settings};
use crate::domain::{IndexOptions, ReleaseControl, Requirement, Target};
use crate::http::HttpClient;
use crate::index::{Indexes, MetadataCache};
use crate::input::{self, LockInput, ParsedInput};
use crate::interpreter::PipSettings;
use crate::ops::{Claims, FetchContext, MetadataProvider};
use crate::resolve::{ForkStrategy, LockQuestion, Question};
use crate::select::Policy;
use crate::store::DiskStore;

/// The settings, question and context of a run.
pub struct PreparedFetch {
    /// The pip settings from which all the rest was decided.
    pub pip_settings: PipSettings,
    pub settings: Settings,
    pub warm: Option<WarmPip>,
    pub question: Question,
    /// The question to a lock file, if one is among the inputs.
    pub lock: Option<LockQuestion>,
    pub context: FetchContext,
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
        let options = settings.options(&read.options, || match &read.lock {
            Some(lock) if !lock.needs_index() => Ok(machine.default_index().ok()),
            _ => machine.default_index().map(Some),
        })?;
        let lock = read.lock.as_ref().map(|input| lock_question(input, args, &options));
        let indexes = settings.indexes(&options, &environment.working_folder)?;
        let http = settings.http(&options, &indexes)?;
        let builds = match args.selection.allow_build {
            true => Some(machine.builds(build_variables::variables(&options, &indexes, &http))?),
            false => None,
        };
        let http_of_store = http.clone();
        let client = Arc::new(HttpClient::new(http));
        let question = question(read, &options, &settings);
        let context = FetchContext {
            indexes: Arc::new(Indexes::new(indexes, client.clone())),
            client,
            store: DiskStore::new(settings.cache.clone()),
            shared: settings::shared_store::open(&args.network, http_of_store, &layers)?,
            metadata: MetadataCache::of_files(machine.cache()),
            claims: Claims::default(),
            builds,
            strict_metadata: settings.strict_metadata,
            program: environment.program().into(),
        };
        let reporter = Reporter::new(&args.messages, environment.is_terminal);
        let prepared = Self { pip_settings, settings, warm, question, lock, context, reporter };
        let provider = prepared.provider();
        Ok((prepared, provider))
    }

    /// Returns a provider of the facts that the question needs.
    pub fn provider(&self) -> MetadataProvider {
        MetadataProvider::new(&self.question, &self.context, self.pages_at_once(), &self.reporter.listener())
    }

    /// Requests the first pages ahead of resolution, unless a requirement might be refused.
    pub fn start_requests(&self, provider: &mut MetadataProvider, runtime: &Runtime) {
        let is_refused = |line: &Requirement| line.is_source_tree() || input::unfetchable(line).is_some();
        if !self.question.requirements.iter().any(is_refused) {
            let _within = runtime.enter();
            provider.start(&self.question);
        }
    }

    /// Returns the number of pages that are requested from one host at once.
    pub fn pages_at_once(&self) -> usize {
        self.settings.http.pages_per_host
    }

    /// Returns the given options that have no effect beside a lock file, since they choose
    /// versions.
    pub fn ineffective_options(&self) -> Vec<&'static str> {
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

fn is_needed(requirement: &Requirement, targets: &[Arc<Target>]) -> bool {
    !requirement.constraint && targets.iter().any(|target| requirement.marker.evaluate(target.markers(), &[]))
}

fn lock_question(input: &LockInput, args: &FetchArgs, options: &IndexOptions) -> LockQuestion {
    LockQuestion {
        lock: input.lock.clone(),
        groups: input.groups.clone(),
        policy: Policy { formats: options.formats.clone(), ..Policy::default() },
        skip_source_trees: args.selection.skip_source_trees,
        with_sources: args.selection.with_sources,
        packed: Default::default(),
    }
}

fn question(read: ParsedInput, options: &IndexOptions, settings: &Settings) -> Question {
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
        fork_strategy: settings.fork_strategy,
    }
}
