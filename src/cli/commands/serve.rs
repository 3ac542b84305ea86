//! `prefetch serve`: serves a package index over what was fetched.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueHint};
use tokio::net::TcpListener;

use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::host::file_limit;
use crate::cli::host::runtime;
use crate::cli::host::signals::{cancellable, shutdown_signal};
use crate::cli::output::terminal::{say, warn};
use crate::cli::plural::count;
use crate::cli::settings;
use crate::ops::serve::{Access, AccessLog, AllowedHosts, Site, serve};

/// Arguments of `prefetch serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// A folder of distributions in any layout, a bundle as it is, or a cache folder.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub path: PathBuf,
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
    /// The folder below which compressed bundles are unpacked [default: the platform's cache folder].
    #[arg(long, value_name = "DIR", env = "PREFETCH_CACHE_DIR", hide_env_values = true, value_hint = ValueHint::DirPath)]
    pub cache_dir: Option<PathBuf>,
}

/// Serves until Ctrl-C.
///
/// # Errors
/// When the path holds nothing to serve, or the address cannot be bound.
pub fn run(args: &ServeArgs, environment: &Environment) -> Result<Exit, CliError> {
    let scratch = settings::scratch_folder(args.cache_dir.as_deref(), environment)?;
    let path = environment.working_folder.join(&args.path);
    let site = cancellable(move |cancel| {
        Site::open(&path, &scratch, cancel).map_err(|error| {
            CliError::usage(error)
                .hint("name a folder of wheels, a folder that prefetch wrote, a bundle, or a cache folder")
        })
    })?;
    site.left_out().iter().for_each(warn);
    // Each answer under way holds a socket and a file.
    file_limit::allow_many();
    let runtime = runtime::multi_threaded()?;
    runtime.block_on(listen(args, &site))
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
    let (projects, files) = site.counts();
    say(format!(
        "Serving {} ({}) at http://{address}/ until Ctrl-C.",
        count(projects, "project"),
        count(files, "file")
    ));
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
