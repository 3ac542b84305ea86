//! `prefetch serve`: serves a package index over what was fetched, or over what other indexes have.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgGroup, Args, ValueHint};
use futures::FutureExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::fetch::UPLOAD_LIMIT;
use super::fetch::prepare::PreparedFetch;
use crate::cli::error::{CliError, Exit, with_remedy};
use crate::cli::host::environment::Environment;
use crate::cli::host::file_limit;
use crate::cli::host::machine::Machine;
use crate::cli::host::runtime;
use crate::cli::host::signals::{cancellable, shutdown_signal};
use crate::cli::output::shared_store_usage;
use crate::cli::output::terminal::{say, warn};
use crate::cli::plural::count;
use crate::cli::settings;
use crate::cli::settings::args::{FetchArgs, IndexArgs, NetworkArgs};
use crate::domain::PackageName;
use crate::input::ParsedInput;
use crate::ops::FetchContext;
use crate::ops::serve::{Access, AccessLog, AllowedHosts, ListingDoubt, Site, UpstreamSettings, serve};
use crate::shared_store::SharedStore;

/// Arguments of `prefetch serve`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("content").args(["path", "through"]).required(true)))]
pub struct ServeArgs {
    /// A folder of distributions in any layout, a bundle as it is, or a cache folder.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub path: Option<PathBuf>,
    /// Serve what the indexes have, as a pull-through index: each file is fetched once and kept in the cache.
    #[arg(long)]
    pub through: bool,
    /// With --through, serve this project, and none that is not named; repeatable.
    #[arg(long, value_name = "NAME", requires = "through")]
    pub allow_project: Vec<PackageName>,
    /// The address to listen at; 0.0.0.0 lets other machines ask.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub bind: IpAddr,
    /// The port; 0 takes any free one.
    #[arg(short, long, value_name = "PORT", default_value_t = 8000)]
    pub port: u16,
    /// Answer to this name of the machine, too, beside its addresses; `*` is any name; repeatable.
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// Do not log requests.
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub indexes: IndexArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// Serves until Ctrl-C.
///
/// # Errors
/// When the path holds nothing to serve, there is no index to ask, or the address cannot be bound.
pub fn run(args: &ServeArgs, environment: &Environment) -> Result<Exit, CliError> {
    let (site, shared) = match &args.path {
        Some(path) => (held(path, args, environment)?, None),
        None => {
            let context = upstream_context(args, environment)?;
            let shared = context.shared.clone();
            (Site::upstream(context, upstream_settings(args, environment)), shared)
        }
    };
    // Each answer under way holds a socket and a file.
    file_limit::allow_many();
    let runtime = runtime::multi_threaded()?;
    runtime.block_on(async {
        let outages = shared.clone().map(tell_outages);
        let exit = listen(args, &site).await?;
        if let Some((shared, outages)) = shared.zip(outages) {
            let mut usage = shared.finish(UPLOAD_LIMIT).await;
            let told = told_outages(outages);
            usage.warnings.retain(|warning| !told.contains(warning));
            shared_store_usage::print(&usage, args.quiet);
        }
        Ok(exit)
    })
}

/// Warns of a shared store once it fails, since a server may run for long after that.
fn tell_outages(shared: SharedStore) -> JoinSet<String> {
    let mut outages = JoinSet::new();
    let unwritable = shared.clone();
    outages.spawn(async move { shared.wait_unusable().await }.inspect(|warning| warn(warning)));
    outages.spawn(async move { unwritable.wait_unwritable().await }.inspect(|warning| warn(warning)));
    outages
}

/// Returns the warnings that were told.
fn told_outages(mut outages: JoinSet<String>) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(Ok(warning)) = outages.try_join_next() {
        told.push(warning);
    }
    told
}

/// Opens what is at `path`.
fn held(path: &Path, args: &ServeArgs, environment: &Environment) -> Result<Site, CliError> {
    let network = NetworkArgs { cache_dir: None, ..args.network.clone() };
    if args.indexes != IndexArgs::default() || network != NetworkArgs::default() {
        return Err(CliError::usage("a folder or bundle is served without asking any index or store")
            .hint("--through instead of a path serves what indexes have"));
    }
    let scratch = settings::scratch_folder(args.network.cache_dir.as_deref(), environment)?;
    let path = environment.working_folder.join(path);
    let site = cancellable(move |cancel| {
        Site::open(&path, &scratch, cancel).map_err(|error| {
            CliError::usage(error)
                .hint("name a folder of wheels, a folder that prefetch wrote, a bundle, or a cache folder")
        })
    })?;
    site.left_out().iter().for_each(warn);
    Ok(site)
}

/// Returns the context of a run that asks the same indexes.
fn upstream_context(args: &ServeArgs, environment: &Environment) -> Result<FetchContext, CliError> {
    let cache = settings::cache_folder(args.network.cache_dir.as_deref(), environment)?;
    let fetch = FetchArgs::of_indexes(args.indexes.clone(), args.network.clone());
    let machine = Machine::new(&fetch.targets, environment, &cache);
    machine.open_cache_warning().iter().for_each(warn);
    let pip_settings = machine.pip_settings()?;
    PreparedFetch::new(&fetch, environment, &machine, pip_settings, ParsedInput::default())
        .map(|(prepared, _)| prepared.context)
}

fn upstream_settings(args: &ServeArgs, environment: &Environment) -> UpstreamSettings {
    UpstreamSettings {
        allowed: (!args.allow_project.is_empty()).then(|| args.allow_project.iter().cloned().collect()),
        clock: Environment::clock,
        log: Arc::new(|doubt| match doubt {
            ListingDoubt::Stale(page) => warn(with_remedy(page)),
            ListingDoubt::AssumedAbsent(absent) => warn(absent.to_string()),
        }),
        folder: environment.working_folder.clone(),
    }
}

async fn listen(args: &ServeArgs, site: &Site) -> Result<Exit, CliError> {
    let wanted = SocketAddr::new(args.bind, args.port);
    let taken = |error| {
        CliError::usage(format!("{wanted} cannot be listened at: {error}"))
            .hint("choose another --port; 0 takes any free one")
    };
    let listener = TcpListener::bind(wanted).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    print_address(site, address);
    let cancel = async {
        shutdown_signal().await;
        say("Stopping: answers under way are completed.");
    };
    serve(site, listener, AllowedHosts::new(&args.allow_host), log(args.quiet), cancel).await;
    Ok(Exit::Done)
}

fn print_address(site: &Site, address: SocketAddr) {
    let what = match site.counts() {
        Some((projects, files)) => format!("{} ({})", count(projects, "project"), count(files, "file")),
        None => "what the indexes have".to_owned(),
    };
    say(format!("Serving {what} at http://{address}/ until Ctrl-C."));
    let trust = if address.ip().is_loopback() { String::new() } else { format!(" --trusted-host {}", address.ip()) };
    say(format!("  python -m pip install --index-url http://{address}/simple/{trust} NAME"));
    if !address.ip().is_loopback() {
        warn("everybody who reaches this machine can read what is served, and nothing is encrypted");
        say("  It answers to its addresses; machines that ask it by a name need --allow-host NAME.");
    }
}

fn log(is_quiet: bool) -> AccessLog {
    if is_quiet {
        return Arc::new(|_| {});
    }
    Arc::new(|access: &Access| {
        say(format!("{} {} {} {} {}", access.client, access.method, access.path, access.status, access.bytes));
    })
}
