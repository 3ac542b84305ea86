//! What a run is to do, decided from its arguments, settings and inputs before it is known for
//! which targets.

use std::sync::Arc;

use tokio::runtime::Runtime;

use super::args::FetchArgs;
use super::environment::Environment;
use super::error::CliError;
use super::layers::Layers;
use super::machine::Machine;
use super::progress::Reporter;
use super::settings::Settings;
use super::warm::WarmPip;
use super::world::Files;
use super::{build, slip, terminal};
use crate::domain::{IndexOptions, Requirement, Target};
use crate::http::HttpClient;
use crate::index::{Indexes, MetadataCache};
use crate::input::{self, Location, ParsedInput, RequirementsReader, Role, Severity};
use crate::interpreter::PipSettings;
use crate::ops::{Inquirer, Places};
use crate::resolve::Question;
use crate::select::Policy;
use crate::store::DiskStore;

/// Everything but the targets.
pub struct Draft {
    /// Those that all the rest was decided by.
    pub pip_settings: PipSettings,
    pub settings: Settings,
    pub warm: Option<WarmPip>,
    pub question: Question,
    pub places: Places,
    pub reporter: Reporter,
}

impl Draft {
    /// Reads the inputs. `machine` is waited for only where the arguments depend on it.
    ///
    /// # Errors
    /// What is wrong with arguments, settings or inputs.
    pub fn new(
        args: &FetchArgs,
        environment: &Environment,
        machine: &Machine<'_>,
        pip_settings: PipSettings,
        runtime: &Runtime,
    ) -> Result<(Self, Inquirer), CliError> {
        let settings =
            Settings::resolve(args, machine.cache().to_owned(), &Layers { environment, pip: &pip_settings })?;
        let warm = WarmPip::find(&args.outputs, machine, &pip_settings, environment)?;
        let read = read_inputs(args, environment, &settings, runtime)?;
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
        let draft = Self { pip_settings, settings, warm, question, places, reporter };
        let inquirer = Inquirer::new(&draft.question, &draft.places, draft.pages_at_once(), &draft.reporter.listener());
        Ok((draft, inquirer))
    }

    /// Begins to ask for pages, unless a line might be refused before.
    pub fn begin(&self, inquirer: &mut Inquirer, runtime: &Runtime) {
        if self.question.requirements.iter().all(|line| input::unfetchable(line).is_none()) {
            let _within = runtime.enter();
            inquirer.begin(&self.question);
        }
    }

    /// How many pages may be under way.
    pub fn pages_at_once(&self) -> usize {
        self.settings.http.pages_per_host
    }

    /// What cannot be fetched is told before anything is, where any target would need it.
    ///
    /// # Errors
    /// Every such line.
    pub fn refuse_unfetchable(&self, targets: &[Arc<Target>]) -> Result<(), CliError> {
        let is_needed = |requirement: &&Requirement| {
            !requirement.constraint && targets.iter().any(|target| requirement.marker.evaluate(target.markers(), &[]))
        };
        let needed = || self.question.requirements.iter().filter(is_needed);
        let problems: Vec<_> = needed().filter_map(input::unfetchable).collect();
        if problems.is_empty() {
            return Ok(());
        }
        let error = CliError::of_inputs(&problems);
        Err(match needed().any(Requirement::is_source_tree) {
            true => error.hint("--skip-source-trees leaves such lines out, and what only they need"),
            false => error,
        })
    }
}

/// Reads everything that was named; what is wrong is told all at once.
fn read_inputs(
    args: &FetchArgs,
    environment: &Environment,
    settings: &Settings,
    runtime: &Runtime,
) -> Result<ParsedInput, CliError> {
    let client = Arc::new(HttpClient::new(settings.http.clone()));
    let files = Files { environment, client, runtime: runtime.handle().clone() };
    let mut reader = RequirementsReader::new(&files);
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
