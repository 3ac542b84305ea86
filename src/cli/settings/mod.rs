//! The settings of a run: command-line options, completed from the environment and pip's
//! configuration.

pub mod args;
pub mod builds;
mod credentials;
pub mod date;
pub mod format_args;
pub mod group_args;
mod ignored_statuses;
pub mod layers;
pub mod locations;
pub mod network;
pub mod outputs;
pub mod pypirc;
pub mod shared_store;
pub mod show;
pub mod size;
pub mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::args::{FetchArgs, IndexArgs, SelectionArgs, Strategy};
use self::format_args::FormatArgs;
use self::ignored_statuses::IgnoredCodes;
use self::layers::Layers;
use self::locations::{insecure, parse_index_location, parse_location, refuse_url};
use super::error::{CliError, Exit};
use super::host::environment::Environment;
use crate::cache_folder::CacheLayout;
use crate::domain::{ForkStrategy, IndexOptions, MaskedUrl, ReleaseControl, Timestamp};
use crate::http::{HttpSettings, is_secure_origin};
use crate::index::{IndexSettings, IndexStrategy};

/// The settings that are known before any input is read.
pub struct Settings {
    pub cache: PathBuf,
    pub exclude_newer: Option<Timestamp>,
    pub no_deps: bool,
    pub with_sources: bool,
    pub strict_metadata: bool,
    pub fork_strategy: ForkStrategy,
    pub http: HttpSettings,
    /// The index options of the command line and the environment, to be merged with those of
    /// requirements files.
    typed: IndexOptions,
    ambient: IndexOptions,
    strategy: IndexStrategy,
    ignored_codes: IgnoredCodes,
    refresh: bool,
    prefer_cached: bool,
    now: Timestamp,
}

impl Settings {
    /// Resolves everything that depends on no input file.
    ///
    /// # Errors
    /// When two options contradict each other, or a value is invalid.
    pub fn resolve(args: &FetchArgs, cache: PathBuf, layers: &Layers<'_>) -> Result<Self, CliError> {
        Ok(Self {
            cache,
            exclude_newer: exclude_newer(&args.selection, layers)?,
            no_deps: args.selection.no_deps || layers.switch(&table::NO_DEPS)?,
            with_sources: args.selection.with_sources,
            strict_metadata: args.selection.strict_metadata || layers.switch(&table::STRICT_METADATA)?,
            fork_strategy: args
                .targets
                .fork_strategy
                .or(layers.word(&table::FORK_STRATEGY)?)
                .map_or_else(ForkStrategy::default, ForkStrategy::from),
            http: network::http(&args.network.connections, args.network.offline, layers)?,
            typed: argument_options(&args.indexes, &args.selection)?,
            ambient: ambient_options(layers)?,
            strategy: match args.indexes.index_strategy {
                Strategy::FirstIndex => IndexStrategy::FirstIndex,
                Strategy::BestMatch => IndexStrategy::BestMatch,
            },
            ignored_codes: IgnoredCodes::new(&args.indexes.ignore_error_codes, layers),
            refresh: args.network.refresh || layers.switch(&table::REFRESH)?,
            prefer_cached: args.network.prefer_cached || layers.switch(&table::PREFER_CACHED)?,
            now: layers.environment.now,
        })
    }

    /// Merges the index options of the command line, the files and the environment.
    ///
    /// `default_index` is called only if none of them names an index; if it returns `None`, no
    /// index is asked.
    ///
    /// # Errors
    /// When the options about hashes contradict each other, or `default_index` fails.
    pub fn options(
        &self,
        files: &IndexOptions,
        default_index: impl FnOnce() -> Result<Option<String>, CliError>,
    ) -> Result<IndexOptions, CliError> {
        let mut options = self.ambient.clone();
        let typed = &self.typed;
        let named = typed.index_url.clone().or_else(|| files.index_url.clone());
        if files.index_url.is_some() {
            // A file's own index replaces the whole list, as in pip.
            options.extra_index_urls.clear();
        }
        options.no_index |= typed.no_index | files.no_index;
        options.extra_index_urls.extend(files.extra_index_urls.iter().chain(&typed.extra_index_urls).cloned());
        options.supplemental_index_urls.clone_from(&files.supplemental_index_urls);
        options.project_indexes.clone_from(&files.project_indexes);
        options.find_links.extend(files.find_links.iter().chain(&typed.find_links).cloned());
        options.trusted_hosts.extend(files.trusted_hosts.iter().chain(&typed.trusted_hosts).cloned());
        // What a file says comes after what is typed, as in pip.
        options.formats.extend(&typed.formats);
        options.formats.extend(&files.formats);
        if typed.pre {
            options.releases.pre();
        }
        options.releases.extend(&files.releases);
        options.prefer_binary |= typed.prefer_binary | files.prefer_binary;
        options.require_hashes |= typed.require_hashes | files.require_hashes;
        options.no_require_hashes |= typed.no_require_hashes | files.no_require_hashes;
        if options.require_hashes && options.no_require_hashes {
            return Err(CliError::usage("--require-hashes and --no-require-hashes exclude each other")
                .hint("one may stand in a requirements file or in the settings: see --show-settings"));
        }
        if options.no_index {
            options.index_url = None;
            options.extra_index_urls.clear();
            options.supplemental_index_urls.clear();
            options.project_indexes.clear();
        } else if let Some(url) = named.or(options.index_url.take()) {
            options.index_url = Some(url);
        } else {
            options.index_url = default_index()?;
            options.no_index = options.index_url.is_none();
        }
        Ok(options)
    }

    /// Returns the indexes and links that `options` name.
    ///
    /// # Errors
    /// When a location is neither a URL nor a path.
    pub fn indexes(&self, options: &IndexOptions, working_folder: &Path) -> Result<IndexSettings, CliError> {
        let place = |text: &String| parse_location(text, working_folder).map(Arc::new);
        let indexes = options.extra_index_urls.iter().chain(&options.index_url).chain(&options.supplemental_index_urls);
        let index = |text: &String| parse_index_location(text, working_folder).map(Arc::new);
        let indexes = indexes.map(index).collect::<Result<Vec<_>, _>>()?;
        let of_projects = options.project_indexes.iter().map(|(project, text)| Ok((project.clone(), index(text)?)));
        let of_projects = of_projects.collect::<Result<BTreeMap<_, _>, CliError>>()?;
        Ok(IndexSettings {
            ignored_statuses: self.ignored_codes.of(indexes.iter().chain(of_projects.values()))?,
            main: options.extra_index_urls.len(),
            indexes,
            of_projects,
            find_links: options.find_links.iter().map(place).collect::<Result<_, _>>()?,
            strategy: self.strategy,
            refresh: self.refresh,
            prefer_cached: self.prefer_cached,
            offline: self.http.offline,
            now: self.now,
        })
    }

    /// Returns how requests are made, once all indexes are known.
    ///
    /// # Errors
    /// When an index is neither a secure origin nor trusted; pip silently ignores such an index.
    pub fn http(&self, options: &IndexOptions, indexes: &IndexSettings) -> Result<HttpSettings, CliError> {
        let places =
            || indexes.indexes.iter().chain(&indexes.find_links).chain(indexes.of_projects.values()).map(Arc::as_ref);
        let mut http = self.http.clone();
        http.trusted_hosts.extend(options.trusted_hosts.iter().cloned());
        let is_insecure = |url: &&MaskedUrl| !is_secure_origin(url.secret()) && !http.is_trusted(url.secret());
        if let Some(url) = places().find(is_insecure) {
            return Err(insecure(url));
        }
        http.credentials = http.credentials.with_indexes(places());
        Ok(http)
    }
}

/// Returns the cache folder.
///
/// # Errors
/// When no option names one and the platform has none.
pub fn cache_folder(given: Option<&Path>, environment: &Environment) -> Result<PathBuf, CliError> {
    let folder = given.map(Path::to_owned).or_else(|| environment.cache_folder());
    let folder = folder.ok_or_else(|| CliError::usage("there is no cache folder; name one with --cache-dir"))?;
    refuse_url("--cache-dir", &folder)?;
    Ok(environment.working_folder.join(folder))
}

/// Returns the folder of the cache for what a command unpacks, which is created if necessary.
///
/// # Errors
/// When there is no cache folder, or it cannot be created.
pub fn scratch_folder(given: Option<&Path>, environment: &Environment) -> Result<PathBuf, CliError> {
    let cache = CacheLayout::new(cache_folder(given, environment)?);
    let scratch = cache.incoming().to_owned();
    let failed = |error| CliError::new(Exit::Disk, format!("{}: {error}", scratch.display()));
    cache.make_folder(&scratch).map_err(failed)?;
    Ok(scratch)
}

fn exclude_newer(args: &SelectionArgs, layers: &Layers<'_>) -> Result<Option<Timestamp>, CliError> {
    let text = args.exclude_newer.clone().or_else(|| layers.one(&table::EXCLUDE_NEWER));
    text.map(|text| date::parse(&text, layers.environment.now)).transpose().map_err(CliError::usage)
}

fn argument_options(indexes: &IndexArgs, selection: &SelectionArgs) -> Result<IndexOptions, CliError> {
    Ok(IndexOptions {
        index_url: indexes.index_url.clone(),
        extra_index_urls: indexes.extra_index_url.clone(),
        find_links: indexes.find_links.clone(),
        no_index: indexes.no_index,
        formats: selection.formats.control()?,
        prefer_binary: selection.prefer_binary,
        require_hashes: selection.require_hashes,
        no_require_hashes: selection.no_require_hashes,
        trusted_hosts: indexes.trusted_host.clone(),
        pre: selection.pre,
        ..IndexOptions::default()
    })
}

fn ambient_options(layers: &Layers<'_>) -> Result<IndexOptions, CliError> {
    let mut releases = ReleaseControl::default();
    if layers.switch(&table::PRE)? {
        releases.pre();
    }
    Ok(IndexOptions {
        index_url: layers.one(&table::INDEX_URL).map(|text| credentials::named_index(&text, layers.environment)),
        extra_index_urls: {
            let urls = layers.many(&table::EXTRA_INDEX_URL);
            urls.iter().map(|text| credentials::named_index(text, layers.environment)).collect()
        },
        find_links: layers.many(&table::FIND_LINKS),
        no_index: layers.switch(&table::NO_INDEX)?,
        formats: FormatArgs::unordered(layers.one(&table::ONLY_BINARY), layers.one(&table::NO_BINARY)).control()?,
        prefer_binary: layers.switch(&table::PREFER_BINARY)?,
        releases,
        require_hashes: layers.switch(&table::REQUIRE_HASHES)?,
        trusted_hosts: layers.many(&table::TRUSTED_HOST),
        ..IndexOptions::default()
    })
}
