//! The run as decided: what was typed, filled up with what the environment and pip's own
//! configuration say.

pub mod args;
pub mod credentials;
pub mod date;
pub mod format_args;
pub mod group_args;
mod ignored_statuses;
pub mod layers;
pub mod show;
pub mod size;
pub mod table;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use url::Url;

use self::args::{FetchArgs, IndexArgs, NetworkArgs, OutputArgs, STANDARD_OUTPUT, SelectionArgs, Strategy, is_folder};
use self::ignored_statuses::IgnoredCodes;
use self::layers::{FoundSetting, Layers, SettingSource};
use super::commands::keygen::KEY_PASSWORD;
use super::error::CliError;
use super::host::environment::Environment;
use crate::archive::ArchiveFormat;
use crate::domain::{IndexOptions, MaskedUrl, ReleaseControl, Timestamp, credentials as secrets_in, mask_credentials};
use crate::http::{CertificateAuthorities, HttpSettings, Proxies, ProxyServer, is_proxy, is_secure_origin};
use crate::index::{IndexSettings, IndexStrategy};
use crate::layout::{self, Layout, SBOMS, Sboms};
use crate::ops::{BundleOutput, DeltaBase, Output, OutputStream, SigningKey};

/// What holds before any input is read.
pub struct Settings {
    pub cache: PathBuf,
    pub exclude_newer: Option<Timestamp>,
    pub no_deps: bool,
    pub with_sources: bool,
    pub strict_metadata: bool,
    pub http: HttpSettings,
    /// Typed options and those of the environment, to be put together with the files' own.
    typed: IndexOptions,
    ambient: IndexOptions,
    strategy: IndexStrategy,
    ignored_codes: IgnoredCodes,
    refresh: bool,
    prefer_cached: bool,
    now: Timestamp,
}

impl Settings {
    /// Decides everything that needs no input file.
    ///
    /// # Errors
    /// When two options contradict each other, or a value cannot be understood.
    pub fn resolve(args: &FetchArgs, cache: PathBuf, layers: &Layers<'_>) -> Result<Self, CliError> {
        Ok(Self {
            cache,
            exclude_newer: exclude_newer(&args.selection, layers)?,
            no_deps: args.selection.no_deps || layers.switch(&table::NO_DEPS)?,
            with_sources: args.selection.with_sources,
            strict_metadata: args.selection.strict_metadata || layers.switch(&table::STRICT_METADATA)?,
            http: http(&args.network, layers)?,
            typed: typed(&args.indexes, &args.selection)?,
            ambient: ambient(layers)?,
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

    /// The options of the command line, the files and the environment as one; `default_index`
    /// is asked only where none of them names an index.
    ///
    /// # Errors
    /// When no index is known.
    pub fn options(
        &self,
        files: &IndexOptions,
        default_index: impl FnOnce() -> Result<String, CliError>,
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
        } else if let Some(url) = named.or(options.index_url.take()) {
            options.index_url = Some(url);
        } else {
            options.index_url = Some(default_index()?);
        }
        Ok(options)
    }

    /// Where to look, by `options`.
    ///
    /// # Errors
    /// When a location is neither a URL nor a path.
    pub fn indexes(&self, options: &IndexOptions, working_folder: &Path) -> Result<IndexSettings, CliError> {
        let place = |text: &String| place(text, working_folder).map(Arc::new);
        let indexes = options.extra_index_urls.iter().chain(&options.index_url);
        let index = |text: &String| place_of_index(text, working_folder).map(Arc::new);
        let indexes = indexes.map(index).collect::<Result<Vec<_>, _>>()?;
        Ok(IndexSettings {
            ignored_statuses: self.ignored_codes.of(&indexes)?,
            indexes,
            find_links: options.find_links.iter().map(place).collect::<Result<_, _>>()?,
            strategy: self.strategy,
            cache: self.cache.clone(),
            refresh: self.refresh,
            prefer_cached: self.prefer_cached,
            offline: self.http.offline,
            now: self.now,
        })
    }

    /// How requests are made once all indexes are known.
    ///
    /// # Errors
    /// When one of them is neither a secure origin nor trusted: pip leaves such an index out.
    pub fn http(&self, options: &IndexOptions, indexes: &IndexSettings) -> Result<HttpSettings, CliError> {
        let places = || indexes.indexes.iter().chain(&indexes.find_links).map(Arc::as_ref);
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

fn insecure(url: &MaskedUrl) -> CliError {
    let password = if url.has_credentials() { "read its password and " } else { "" };
    let message =
        format!("{url} is not asked: by plain HTTP, everybody on the way can {password}change what it answers");
    let host = url.secret().host_str().unwrap_or_default();
    CliError::usage(message).hint(format!(
        "write https:// if it has that; if you trust all on the way, allow it with --trusted-host {host}"
    ))
}

/// Where everything is kept.
///
/// # Errors
/// When neither an option nor the environment tells.
pub fn cache_folder(given: Option<&Path>, environment: &Environment) -> Result<PathBuf, CliError> {
    let folder = given.map(Path::to_owned).or_else(|| environment.cache_folder());
    let folder = folder.ok_or_else(|| CliError::usage("there is no cache folder; name one with --cache-dir"))?;
    refuse_url("--cache-dir", &folder)?;
    Ok(environment.working_folder.join(folder))
}

/// Refuses the URL of a bucket or a server where a folder is wanted: it would become a folder named
/// `s3:`.
fn refuse_url(option: &str, path: &Path) -> Result<(), CliError> {
    let text = path.to_string_lossy();
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    match scheme.filter(|scheme| scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        None => Ok(()),
        Some(scheme) => Err(CliError::usage(format!("{option} `{}` is no folder", mask_credentials(&text)))
            .hint(format!("{scheme}:// cannot be written to; name a folder of this machine"))),
    }
}

/// The folder that is written where nothing else is asked for.
const DEFAULT_FOLDER: &str = "wheelhouse";

/// What is written, `bundle` last.
///
/// # Errors
/// When the destination is no folder.
pub fn outputs(args: &OutputArgs, bundle: Option<BundleOutput>, layers: &Layers<'_>) -> Result<Vec<Output>, CliError> {
    let mut outputs = Vec::new();
    let layouts = layouts(&args.layouts);
    let asks_for_folder = args.dest.is_some() || !args.layouts.is_empty() || args.bundle.is_none() && !args.warm_pip;
    let ambient = || layers.one(&table::DEST).map_or_else(|| DEFAULT_FOLDER.into(), PathBuf::from);
    let dest = args.dest.clone().unwrap_or_else(ambient);
    if asks_for_folder {
        refuse_url("--dest", &dest)?;
        let is_single = layouts.len() == 1;
        outputs.extend(layouts.into_iter().map(|layout| Output::Folder {
            layout,
            path: if is_single { dest.clone() } else { dest.join(layout.name()) },
        }));
    }
    outputs.extend(bundle.map(Output::Bundle));
    Ok(outputs)
}

/// The bundle that is written, if one is, with the base and the key that it needs: they are read here.
///
/// # Errors
/// When options contradict each other, or the base or the key cannot be read.
pub fn bundle(args: &OutputArgs, environment: &Environment) -> Result<Option<BundleOutput>, CliError> {
    args.bundle.as_deref().map(|path| bundle_at(path, args, environment)).transpose()
}

fn bundle_at(path: &Path, args: &OutputArgs, environment: &Environment) -> Result<BundleOutput, CliError> {
    refuse_url("--bundle", path)?;
    let named = args.bundle_format.as_deref().map(ArchiveFormat::by_name).transpose().map_err(CliError::usage)?;
    let is_stream = path == Path::new(STANDARD_OUTPUT);
    let format = match named {
        Some(format) => Some(format),
        None if is_folder(path) && args.split.is_some() => {
            return Err(CliError::usage("a folder has no volumes; --split wants an archive"));
        }
        None if is_folder(path) => None,
        None if is_stream => {
            return Err(CliError::usage("standard output has no name that tells the format")
                .hint("add --bundle-format tar, tar.gz or tar.zst"));
        }
        None => Some(ArchiveFormat::of(path).map_err(CliError::usage)?),
    };
    if is_stream && format.is_some_and(|format| !format.is_stream()) {
        return Err(CliError::usage("a zip cannot be written to a pipe; use --bundle-format tar, tar.gz or tar.zst"));
    }
    if is_stream && args.report.as_deref() == Some(path) {
        return Err(CliError::usage("the bundle and the report cannot both go to standard output"));
    }
    let stream = is_stream.then(|| Arc::new(Mutex::new(std::io::stdout())) as OutputStream);
    if is_stream && args.split.is_some() {
        return Err(CliError::usage("volumes need names; --split does not go with --bundle -"));
    }
    Ok(BundleOutput {
        stream,
        verify: !args.no_verify,
        force: args.force,
        allow_unprovable: args.allow_unprovable,
        key: args.sign.as_deref().map(|key| signing_key(key, environment)).transpose()?,
        since: args.since.as_deref().map(base).transpose()?,
        split: args.split,
        sboms: sboms(&args.sbom, environment)?,
        ..BundleOutput::new(format, path.to_owned())
    })
}

fn base(path: &Path) -> Result<Arc<DeltaBase>, CliError> {
    DeltaBase::read(path).map(Arc::new).map_err(|error| CliError::of_bundle(&error))
}

fn sboms(names: &[String], environment: &Environment) -> Result<Sboms, CliError> {
    if names.is_empty() {
        return Ok(Sboms::default());
    }
    let formats = SBOMS.iter().filter(|format| names.iter().any(|name| name == format.name));
    Ok(Sboms { formats: formats.collect(), created: date::source_date(environment)? })
}

fn signing_key(path: &Path, environment: &Environment) -> Result<SigningKey, CliError> {
    SigningKey::read(path, environment.variable(KEY_PASSWORD)).map_err(CliError::usage)
}

fn layouts(names: &[String]) -> Vec<&'static dyn Layout> {
    let mut layouts: Vec<&'static dyn Layout> = Vec::new();
    for layout in names.iter().filter_map(|name| layout::find(name)) {
        if !layouts.iter().any(|other| other.name() == layout.name()) {
            layouts.push(layout);
        }
    }
    if layouts.is_empty() {
        layouts.push(layout::LAYOUTS[0]);
    }
    layouts
}

fn exclude_newer(args: &SelectionArgs, layers: &Layers<'_>) -> Result<Option<Timestamp>, CliError> {
    let text = args.exclude_newer.clone().or_else(|| layers.one(&table::EXCLUDE_NEWER));
    text.map(|text| date::parse(&text, layers.environment.now)).transpose().map_err(CliError::usage)
}

fn typed(indexes: &IndexArgs, selection: &SelectionArgs) -> Result<IndexOptions, CliError> {
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

fn ambient(layers: &Layers<'_>) -> Result<IndexOptions, CliError> {
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
        formats: format_args::ambient(layers)?,
        prefer_binary: layers.switch(&table::PREFER_BINARY)?,
        releases,
        require_hashes: layers.switch(&table::REQUIRE_HASHES)?,
        trusted_hosts: layers.many(&table::TRUSTED_HOST),
        ..IndexOptions::default()
    })
}

/// This many times as many pages and small files may be under way as large ones.
const PAGES_PER_JOB: usize = 3;

/// pip's defaults.
pub const RETRIES: u32 = 5;
pub const TIMEOUT: f64 = 15.0;

/// Variables that name certificates for other programs, and for pip before its own setting
/// (`docs/facts/pip.md` 3.9; checked with pip 23.2.1 and 26.3).
pub const CERTIFICATE_VARIABLES: [&str; 2] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// What OpenSSL takes for the platform's certificates, a file and a list of folders: for pip
/// where nothing else is said.
pub const OPENSSL_VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Variables that name proxies, for `https:`, for `http:` and for both; in small letters they are
/// the stronger, as in pip and curl.
pub const PROXY_VARIABLES: [[&str; 2]; 3] =
    [["https_proxy", "HTTPS_PROXY"], ["http_proxy", "HTTP_PROXY"], ["all_proxy", "ALL_PROXY"]];

/// Variables that name hosts to ask without a proxy.
pub const NO_PROXY_VARIABLES: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The default of `--jobs`.
pub const JOBS: u16 = 16;

/// How requests are made, before it is known which indexes there are.
///
/// # Errors
/// When a value cannot be understood.
pub fn http(args: &NetworkArgs, layers: &Layers<'_>) -> Result<HttpSettings, CliError> {
    let timeout = args.timeout.or(layers.number(&table::TIMEOUT_SECONDS)?);
    let timeout = Duration::try_from_secs_f64(timeout.unwrap_or(TIMEOUT))
        .map_err(|_| CliError::usage("--timeout must be a number of seconds above zero"))?;
    let jobs = usize::from(args.jobs.or(layers.number(&table::JOBS_AT_ONCE)?).unwrap_or(JOBS).max(1));
    let client_certificate = args.client_cert.clone().or_else(|| layers.one(&table::CLIENT_CERT).map(PathBuf::from));
    Ok(HttpSettings {
        timeout,
        files_per_host: jobs,
        pages_per_host: jobs * PAGES_PER_JOB,
        retries: args.retries.or(layers.number(&table::RETRIES_EACH)?).unwrap_or(RETRIES),
        authorities: authorities(args, layers),
        client_certificate,
        proxies: proxies(args, layers)?,
        offline: args.offline || layers.switch(&table::OFFLINE)?,
        credentials: credentials::credentials(args, layers)?,
        ..HttpSettings::default()
    })
}

/// The proxy for everything, which heeds no exceptions (as in pip), else those of the variables.
fn proxies(args: &NetworkArgs, layers: &Layers<'_>) -> Result<Proxies, CliError> {
    let typed = args.proxy.clone().map(|value| FoundSetting { value, source: SettingSource::Typed });
    if let Some(found) = typed.or_else(|| layers.find(&table::PROXY)) {
        let proxy = usable(found)?;
        return Ok(Proxies { https: Some(proxy.clone()), http: Some(proxy), except: String::new() });
    }
    let [https, http, all] = PROXY_VARIABLES.map(|names| layers.first_variable(&names).map(usable).transpose());
    let (https, http, all) = (https?, http?, all?);
    let except = layers.first_variable(&NO_PROXY_VARIABLES).map(|found| found.value).unwrap_or_default();
    Ok(Proxies { https: https.or_else(|| all.clone()), http: http.or(all), except })
}

fn usable(proxy: FoundSetting) -> Result<ProxyServer, CliError> {
    if is_proxy(&proxy.value) {
        return Ok(ProxyServer { named_by: proxy.source.to_string(), url: proxy.value });
    }
    let refused = CliError::usage(format!("the proxy ({}) cannot be used", proxy.source));
    Err(refused.hint("write it as http://host:port, https://… or socks5://…"))
}

fn authorities(args: &NetworkArgs, layers: &Layers<'_>) -> Option<CertificateAuthorities> {
    if let Some(path) = &args.cert {
        return Some(CertificateAuthorities { paths: vec![path.clone()], named_by: "--cert".to_owned() });
    }
    let found = ambient_certificates(layers);
    let named_by = found.iter().map(|found| found.source.to_string()).collect::<Vec<_>>().join(" and ");
    let paths = found.iter().flat_map(|found| match &found.source {
        SettingSource::Variable(name) if name == OPENSSL_VARIABLES[1] => std::env::split_paths(&found.value).collect(),
        _ => vec![PathBuf::from(&found.value)],
    });
    (!found.is_empty()).then(|| CertificateAuthorities { paths: paths.collect(), named_by })
}

/// The certificates to trust where none are typed: one setting, or both of OpenSSL's. Our own
/// variable is as good as typed.
pub fn ambient_certificates(layers: &Layers<'_>) -> Vec<FoundSetting> {
    let named = layers.first_variable(&["PREFETCH_CERT"]).or_else(|| layers.first_variable(&CERTIFICATE_VARIABLES));
    match named.or_else(|| layers.find(&table::CERT)) {
        Some(found) => vec![found],
        None => OPENSSL_VARIABLES.iter().filter_map(|name| layers.first_variable(&[name])).collect(),
    }
}

/// A location that is to be an index: a word that is neither a URL nor a folder is a slip, and
/// must not look like an index that knows nothing.
fn place_of_index(text: &str, working_folder: &Path) -> Result<MaskedUrl, CliError> {
    let url = place(text, working_folder)?;
    let is_there = Url::parse(text).is_ok() || working_folder.join(text).exists();
    if is_there {
        return Ok(url);
    }
    let message = format!("the index `{}` is no URL, and there is no folder of that name", mask_credentials(text));
    Err(CliError::usage(message).hint("an index is named by its URL (https://…) or by a folder in the layout `simple`"))
}

/// A location as pip takes it: a URL, or a path of the machine.
fn place(text: &str, working_folder: &Path) -> Result<MaskedUrl, CliError> {
    let refuse = |why: String| CliError::usage(format!("`{}` {why}", mask_credentials(text)));
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https" | "file") => Ok(MaskedUrl::new(url)),
        Ok(url) if text.contains("://") => Err(refuse(format!(
            "begins with {}:, which cannot be fetched (only http, https and file can)",
            url.scheme()
        ))),
        Err(error) if text.contains("://") => Err(refuse(format!("is no URL: {error}"))),
        _ => {
            let path = working_folder.join(text);
            if !path.exists() && !secrets_in(text).is_empty() {
                return Err(refuse("has a user and a password, and no scheme: write https://…".to_owned()));
            }
            let url = Url::from_file_path(&path);
            Ok(MaskedUrl::new(url.map_err(|()| refuse("is neither a URL (http, https, file) nor a path".to_owned()))?))
        }
    }
}
