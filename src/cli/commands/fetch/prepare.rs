//! What a run is to do, decided from its arguments, settings and what its inputs say, before it is
//! known for which targets.

use std::sync::Arc;

use tokio::runtime::Runtime;

use super::build_variables;
use super::warm_pip::WarmPip;
use crate::cli::error::CliError;
use crate::cli::host::environment::Environment;
use crate::cli::host::machine::Machine;
use crate::cli::output::progress::Reporter;
use crate::cli::settings::Settings;
use crate::cli::settings::args::FetchArgs;
use crate::cli::settings::layers::Layers;
use crate::domain::{IndexOptions, ReleaseControl, Requirement, Target};
use crate::http::HttpClient;
use crate::index::{Indexes, MetadataCache};
use crate::input::{self, LockInput, ParsedInput};
use crate::interpreter::PipSettings;
use crate::ops::{Claims, FetchContext, MetadataProvider};
use crate::resolve::{LockQuestion, Question};
use crate::select::Policy;
use crate::store::DiskStore;

/// Everything but the targets.
pub struct PreparedFetch {
    /// Those that all the rest was decided by.
    pub pip_settings: PipSettings,
    pub settings: Settings,
    pub warm: Option<WarmPip>,
    pub question: Question,
    /// Where a lock file is the answer.
    pub lock: Option<LockQuestion>,
    pub context: FetchContext,
    pub reporter: Reporter,
}

impl PreparedFetch {
    /// Decides it, without reading any input. `machine` is waited for only where the arguments
    /// depend on it.
    ///
    /// # Errors
    /// What is wrong with arguments or settings.
    pub fn new(
        args: &FetchArgs,
        environment: &Environment,
        machine: &Machine<'_>,
        pip_settings: PipSettings,
        read: ParsedInput,
    ) -> Result<(Self, MetadataProvider), CliError> {
        let settings =
            Settings::resolve(args, machine.cache().root().to_owned(), &Layers { environment, pip: &pip_settings })?;
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
        let client = Arc::new(HttpClient::new(http));
        let question = question(read, &options, &settings);
        let context = FetchContext {
            indexes: Arc::new(Indexes::new(indexes, client.clone())),
            client,
            store: DiskStore::new(settings.cache.clone()),
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

    /// What finds out the facts that the question needs.
    pub fn provider(&self) -> MetadataProvider {
        MetadataProvider::new(&self.question, &self.context, self.pages_at_once(), &self.reporter.listener())
    }

    /// Begins to ask for pages, unless a line might be refused, or packed into an archive, before.
    pub fn start_requests(&self, provider: &mut MetadataProvider, runtime: &Runtime) {
        let is_refused = |line: &Requirement| line.is_source_tree() || input::unfetchable(line).is_some();
        if !self.question.requirements.iter().any(is_refused) {
            let _within = runtime.enter();
            provider.start(&self.question);
        }
    }

    /// How many pages may be under way.
    pub fn pages_at_once(&self) -> usize {
        self.settings.http.pages_per_host
    }

    /// The options that choose versions, as far as they are set: beside a lock they have no effect.
    pub fn ineffective_options(&self) -> Vec<&'static str> {
        let Question { policy, follow_dependencies, .. } = &self.question;
        let options = [
            ("--no-deps", !follow_dependencies),
            ("--pre", policy.releases != ReleaseControl::default()),
            ("--prefer-binary", policy.prefer_binary),
            ("--exclude-newer", policy.exclude_newer.is_some()),
            ("--strict-metadata", self.context.strict_metadata),
        ];
        let is_locked = self.lock.is_some();
        options.into_iter().filter(|(_, is_set)| is_locked && *is_set).map(|(option, _)| option).collect()
    }

    /// What cannot be fetched is told before anything is, where any target would need it.
    ///
    /// # Errors
    /// Every such line.
    pub fn refuse_unfetchable(&self, targets: &[Arc<Target>]) -> Result<(), CliError> {
        let needed = self.question.requirements.iter().filter(|requirement| is_needed(requirement, targets));
        let problems: Vec<_> = needed.filter_map(input::unfetchable).collect();
        if problems.is_empty() { Ok(()) } else { Err(CliError::of_inputs(&problems)) }
    }

    /// The positions of the requirements that are source trees and that one of `targets` needs.
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
    }
}
