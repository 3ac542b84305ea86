//! The start of a run: reads the inputs, settles the settings, and asks ahead.

use std::sync::Arc;

use tokio::runtime::Runtime;

use super::FetchRun;
use super::inputs::{self, Inputs};
use super::prepare::PreparedFetch;
use super::source_trees::{self, PackContext};
use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::host::input_source::HostInputSource;
use crate::cli::host::machine::Machine;
use crate::cli::output::terminal;
use crate::cli::settings;
use crate::cli::settings::args::FetchArgs;
use crate::cli::settings::layers::Layers;
use crate::domain::{LockedProject, Target};
use crate::input::ParsedInput;
use crate::ops::{BundleOutput, CancelFlag, MetadataProvider};

impl<'a> FetchRun<'a> {
    /// Reads the inputs, settles the settings, and prepares the run.
    ///
    /// The first pages are requested while the interpreter is queried, if that takes time. If the
    /// interpreter then turns out to use other pip settings than expected, these answers are
    /// dropped and the run is prepared anew from the inputs already read.
    ///
    /// # Errors
    /// When an input, a setting or an argument is wrong, or what they need is missing.
    pub(super) fn start(
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
        let prepare = |pip_settings, read| PreparedFetch::new(args, environment, &machine, pip_settings, read);
        let mut ahead = None;
        let expected = machine.pip_settings_ahead()?;
        if is_asked && !inputs.is_more_in(&expected) {
            let (prepared, mut provider) = prepare(expected, inputs.so_far())?;
            prepared.start_requests(&mut provider, runtime);
            ahead = Some((prepared, provider));
        }
        let targets = machine.targets()?;
        machine.assumed_architectures().iter().for_each(terminal::warn);
        machine.open_cache_warning().iter().for_each(terminal::warn);
        let pip_settings = machine.pip_settings()?;
        let read = inputs.finish(&pip_settings)?;
        check_requires_python(&read, &targets)?;
        let bundle = bundle.map(|bundle| BundleOutput { project: project(&read, &machine), ..bundle });
        let pins = !inputs::is_for_pip(&read, args);
        let layers = Layers { environment, pip: &pip_settings };
        let outputs = settings::outputs::outputs(args, bundle, pins, &layers)?;
        let (mut prepared, mut provider) = match ahead {
            Some(ahead) if ahead.0.pip_settings == pip_settings => ahead,
            _ => prepare(pip_settings, read)?,
        };
        prepared.ineffective_options(args).iter().for_each(terminal::warn);
        prepared.refuse_unfetchable(&targets)?;
        let context = PackContext { environment, runtime, is_quiet: args.messages.quiet };
        if source_trees::pack(&mut prepared, &targets, &outputs, context)? {
            provider = prepared.provider();
        }
        Ok((Self { args, environment, prepared, outputs, targets, cancel: CancelFlag::default() }, provider))
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
