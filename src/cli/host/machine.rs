//! The machine that the run starts from: its interpreter, the interpreter's pip, and the targets.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use super::environment::Environment;
use crate::cache_folder::{CacheEntries, CacheLayout};
use crate::cli::error::{CliError, with_remedy};
use crate::cli::settings::args::TargetArgs;
use crate::cli::settings::layers::Layers;
use crate::cli::settings::table::{self, Setting};
use crate::domain::{Implementation, Platform, PythonVersion, Target, TargetDescription, TargetError, TargetSpec};
use crate::index::MetadataCache;
use crate::interpreter::{self, BuildFrontEnd, HostEnvironment, Interpreter, Pip, PipSettings};
use crate::ops::{BuildLimits, SdistBuilder};

/// The machine, whose interpreter is queried once, and only if something depends on it.
pub struct Machine<'a> {
    args: &'a TargetArgs,
    environment: &'a Environment,
    cache: CacheLayout,
    interpreter: Arc<OnceLock<Result<Interpreter, String>>>,
    /// The interpreters of `--python` after the first one.
    others: OnceLock<Result<Vec<Interpreter>, String>>,
}

impl<'a> Machine<'a> {
    /// Makes the machine; `cache` is the cache folder, where answers of interpreters are kept.
    pub fn new(args: &'a TargetArgs, environment: &'a Environment, cache: &Path) -> Self {
        Self {
            args,
            environment,
            cache: CacheLayout::new(cache.to_owned()),
            interpreter: Arc::default(),
            others: OnceLock::new(),
        }
    }

    /// Starts to query the interpreter on a thread, if it is needed and its answer is not cached.
    ///
    /// Returns whether it is being queried now, which takes 30 ms and more.
    pub fn ask_ahead(&self) -> bool {
        if !self.needs_python().unwrap_or(false) {
            return false;
        }
        let wanted = self.args.python.first().cloned();
        if let Some(known) = self.with_host(|at| interpreter::cached_answer(wanted.as_deref(), &self.cache, at)) {
            self.interpreter.get_or_init(|| Ok(known));
            return false;
        }
        let (interpreter, environment, cache) =
            (self.interpreter.clone(), self.environment.clone(), self.cache.clone());
        let asking = std::thread::Builder::new().spawn(move || {
            interpreter.get_or_init(|| describe(wanted.as_deref(), &cache, &environment));
        });
        asking.is_ok()
    }

    pub fn cache(&self) -> &CacheLayout {
        &self.cache
    }

    /// Returns a warning if every user may write to the cache.
    pub fn open_cache_warning(&self) -> Option<String> {
        let root = self.cache.root().display();
        let words = || {
            format!(
                "every user of this machine may write to the cache {root}, and so choose what is installed from it; \
                 chmod o-w {root} ends that"
            )
        };
        self.cache.is_open_to_everybody().then(words)
    }

    /// Returns the targets asked for, each once; by default those of the interpreters.
    ///
    /// # Errors
    /// When a name or a description is invalid, or an interpreter is needed and there is none.
    pub fn targets(&self) -> Result<Vec<Arc<Target>>, CliError> {
        let specs = self.specs()?;
        let base = match specs.iter().all(TargetSpec::is_complete) {
            true => None,
            false => Some(self.interpreter()?.target()),
        };
        let named = specs.iter().map(|spec| spec.resolve(base.as_ref()).map_err(CliError::unusable));
        let others = match specs.contains(&TargetSpec::default()) {
            true => self.other_interpreters()?,
            false => &[],
        };
        let others = others.iter().map(|interpreter| Ok(interpreter.target()));
        let described = self.description_files().map(|path| self.described_target(path));
        let targets = named.chain(others).chain(described).collect::<Result<Vec<_>, _>>()?;
        Ok(Target::distinct(targets).into_iter().map(Arc::new).collect())
    }

    /// Returns the values of `--target` that are files describing a machine.
    fn description_files(&self) -> impl Iterator<Item = &PathBuf> {
        self.args.targets.iter().filter(|target| named(target).is_none())
    }

    /// Returns a warning for each platform that was named without an architecture, saying which one
    /// is assumed.
    pub fn assumed_architectures(&self) -> Vec<String> {
        let layers = Layers { environment: self.environment, pip: &PipSettings::default() };
        let platforms = match self.args.platform.is_empty() {
            true => layers.many(&table::PLATFORM),
            false => self.args.platform.clone(),
        };
        let of_pairs =
            self.args.targets.iter().filter_map(|target| Some(target.to_str()?.split_once(':')?.1.to_owned()));
        let words = |given: String| {
            let full = Platform::full_name(&given)?;
            Some(format!("`{given}` is taken for {full}; to be sure, write {full}, or the architecture that is meant"))
        };
        platforms.into_iter().chain(of_pairs).filter_map(words).collect()
    }

    /// Returns the target that the description in a file stands for.
    fn described_target(&self, path: &Path) -> Result<Target, CliError> {
        let wrong = |why: String| {
            CliError::usage(format!("--target {}: {why}", path.display()))
                .hint("name a pair such as 3.11:windows-x86_64, or a file with what the script that `prefetch describe-target` prints says there")
        };
        let bytes =
            std::fs::read(self.environment.working_folder.join(path)).map_err(|error| wrong(error.to_string()))?;
        let machine = TargetDescription::of_file(&bytes).map_err(|error| wrong(error.to_string()))?;
        Ok(machine.target())
    }

    /// Returns the settings of pip's configuration files.
    ///
    /// Those of a virtual environment are included if it is known without querying an interpreter
    /// that nothing else needs.
    ///
    /// # Errors
    /// When pip itself could not read them, or the interpreter of `--python` does not exist.
    pub fn pip_settings(&self) -> Result<PipSettings, CliError> {
        let interpreter = match self.needs_python()?.then(|| self.interpreter()) {
            Some(Err(error)) if !self.args.python.is_empty() => return Err(error),
            interpreter => interpreter.and_then(Result::ok),
        };
        let environment = || self.environment.variable("VIRTUAL_ENV").map(PathBuf::from);
        self.pip_settings_at(interpreter.map(|interpreter| interpreter.prefix.clone()).or_else(environment))
    }

    /// Returns pip's settings without waiting for an interpreter that is being queried, guessing
    /// its prefix from its files.
    ///
    /// Compare them with [`Machine::pip_settings`] once it has answered.
    ///
    /// # Errors
    /// As [`Machine::pip_settings`].
    pub fn pip_settings_ahead(&self) -> Result<PipSettings, CliError> {
        if self.interpreter.get().is_some() || !self.needs_python()? {
            return self.pip_settings();
        }
        let wanted = self.wanted();
        match self.with_host(|at| interpreter::probable_prefix(wanted, at)) {
            Some(prefix) => self.pip_settings_at(Some(prefix)),
            None => self.pip_settings(),
        }
    }

    fn pip_settings_at(&self, prefix: Option<PathBuf>) -> Result<PipSettings, CliError> {
        self.with_host(|at| interpreter::pip_settings(at, prefix.as_deref())).map_err(CliError::usage)
    }

    /// Whether a target or a setting depends on the interpreter.
    fn needs_python(&self) -> Result<bool, CliError> {
        Ok(!self.specs()?.iter().all(TargetSpec::is_complete) || !self.args.python.is_empty())
    }

    /// Returns the default index of the interpreter's pip.
    ///
    /// # Errors
    /// When there is no such pip; the error names the ways to name an index.
    pub fn default_index(&self) -> Result<String, CliError> {
        let pip = |interpreter: &Interpreter| self.with_host(|at| interpreter.pip(Some(&self.cache), at)).ok()?;
        let told =
            |interpreter: &Interpreter| interpreter.default_index.clone().or_else(|| pip(interpreter)?.default_index);
        let interpreter = self.interpreter();
        let why = interpreter.as_ref().err().map(|error| format!(": {}", error.summary())).unwrap_or_default();
        interpreter.ok().and_then(told).ok_or_else(|| {
            CliError::usage(format!("no index is known, and no pip was found whose default could be used{why}")).hint(
                "name one with --index-url, in the requirements file, in PREFETCH_INDEX_URL or PIP_INDEX_URL, or in \
                 pip's configuration; or point --python at an interpreter that has pip",
            )
        })
    }

    /// Returns a builder of source archives for each interpreter.
    ///
    /// # Errors
    /// When an interpreter does not exist, or its pip cannot install what builds need.
    pub fn builders(&self, limits: &BuildLimits) -> Result<Vec<SdistBuilder>, CliError> {
        let interpreters = [self.interpreter()?].into_iter().chain(self.other_interpreters()?);
        interpreters.map(|interpreter| self.builder(interpreter, limits)).collect()
    }

    fn builder(&self, interpreter: &Interpreter, limits: &BuildLimits) -> Result<SdistBuilder, CliError> {
        let pip = self.with_host(|at| interpreter.pip(Some(&self.cache), at)).map_err(CliError::unusable)?;
        let hidden = self.environment.private_variables();
        let front_end = BuildFrontEnd::new(interpreter, pip.as_ref(), hidden).map_err(CliError::unusable)?;
        let target = Arc::new(interpreter.target());
        let known = MetadataCache::of_builds(&CacheEntries::local(self.cache.clone()), target.id());
        Ok(SdistBuilder::new(front_end, target, known, limits.clone()))
    }

    /// Returns the interpreter's pip, or the one that a new virtual environment of it would get.
    ///
    /// # Errors
    /// When there is no interpreter, or it cannot be queried.
    pub fn pip(&self) -> Result<Option<Pip>, CliError> {
        let interpreter = self.interpreter()?;
        self.with_host(|at| interpreter.pip(Some(&self.cache), at)).map_err(CliError::unusable)
    }

    fn interpreter(&self) -> Result<&Interpreter, CliError> {
        let wanted = self.wanted();
        let known = self.interpreter.get_or_init(|| describe(wanted, &self.cache, self.environment));
        known.as_ref().map_err(CliError::usage)
    }

    fn other_interpreters(&self) -> Result<&[Interpreter], CliError> {
        let all = || {
            let wanted = self.args.python.iter().skip(1);
            wanted.map(|wanted| describe(Some(wanted), &self.cache, self.environment)).collect()
        };
        self.others.get_or_init(all).as_deref().map_err(CliError::usage)
    }

    /// Returns what names the first interpreter.
    fn wanted(&self) -> Option<&str> {
        self.args.python.first().map(String::as_str)
    }

    fn with_host<T>(&self, ask: impl FnOnce(HostEnvironment<'_>) -> T) -> T {
        with_host(self.environment, ask)
    }

    fn specs(&self) -> Result<Vec<TargetSpec>, CliError> {
        // Which of pip's files count depends on the interpreter, and that on the targets: so
        // for these, files do not.
        let layers = Layers { environment: self.environment, pip: &PipSettings::default() };
        let many =
            |typed: &[String], setting: &Setting| if typed.is_empty() { layers.many(setting) } else { typed.to_vec() };
        let pythons = parse_all::<PythonVersion>(&many(&self.args.python_version, &table::PYTHON_VERSION))?;
        let platforms = parse_all::<Platform>(&many(&self.args.platform, &table::PLATFORM))?;
        let implementation = self.args.implementation.clone().or_else(|| layers.one(&table::IMPLEMENTATION));
        let implementation = implementation.map(|name| name.parse::<Implementation>()).transpose();
        let implementation = implementation.map_err(CliError::unusable)?;
        let abis: Vec<Box<str>> =
            many(self.args.abi.as_slice(), &table::ABI).iter().map(|abi| abi.as_str().into()).collect();
        let specs = TargetSpec::product(&pythons, &platforms, implementation.as_ref(), &abis);
        let is_described = !self.args.targets.is_empty();
        let product = specs.into_iter().filter(|spec| !(is_described && *spec == TargetSpec::default())).map(Ok);
        let pairs = self.args.targets.iter().filter_map(|target| named(target));
        product.chain(pairs).collect::<Result<_, _>>().map_err(CliError::unusable)
    }
}

/// Parses a value of `--target`, unless it is the path of a file.
fn named(target: &Path) -> Option<Result<TargetSpec, TargetError>> {
    TargetSpec::of_name(target.to_str()?)
}

fn describe(wanted: Option<&str>, cache: &CacheLayout, environment: &Environment) -> Result<Interpreter, String> {
    with_host(environment, |at| interpreter::describe(wanted, Some(cache), at)).map_err(|error| with_remedy(&error))
}

/// Returns the settings of pip's configuration files, for a command that concerns no interpreter;
/// those of the active virtual environment are included.
///
/// # Errors
/// When pip itself could not read them.
pub fn pip_settings(environment: &Environment) -> Result<PipSettings, CliError> {
    let prefix = environment.variable("VIRTUAL_ENV").map(PathBuf::from);
    with_host(environment, |at| interpreter::pip_settings(at, prefix.as_deref())).map_err(CliError::usage)
}

fn with_host<T>(environment: &Environment, ask: impl FnOnce(HostEnvironment<'_>) -> T) -> T {
    let variable = |name: &str| environment.variable(name).map(Into::into);
    ask(HostEnvironment { variable: &variable, folder: &environment.working_folder })
}

/// Parses every text.
///
/// # Errors
/// When a text cannot be parsed; the first such error is returned.
pub fn parse_all<T: FromStr<Err = TargetError>>(texts: &[String]) -> Result<Vec<T>, CliError> {
    texts.iter().map(|text| text.trim().parse().map_err(CliError::unusable)).collect()
}
