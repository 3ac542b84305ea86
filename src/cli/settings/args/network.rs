//! Options for the network, the cache and the shared store.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::shared_store::StoreMode;

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Network and cache")]
pub struct NetworkArgs {
    /// Use only what the cache holds; send no packet.
    #[arg(long)]
    pub offline: bool,
    /// Keep everything fetched in this folder [default: the platform's cache folder].
    #[arg(long, value_name = "DIR", env = "PREFETCH_CACHE_DIR", hide_env_values = true, value_hint = ValueHint::DirPath)]
    pub cache_dir: Option<PathBuf>,
    /// Check every index page again, also those still fresh.
    #[arg(long, hide_short_help = true)]
    pub refresh: bool,
    /// Where the index cannot be reached, use what was last seen of it, however old.
    #[arg(long, hide_short_help = true)]
    pub prefer_cached: bool,
    /// Also read and fill this shared store: s3://, gs://, az://, file://, or https:// to read from.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub store: Option<String>,
    /// What may be done with the shared store [default: read-write].
    #[arg(long, value_name = "MODE", value_enum, hide_short_help = true)]
    pub store_mode: Option<StoreModeArg>,
    #[command(flatten)]
    pub connections: ConnectionArgs,
}

/// How servers are asked.
#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Network and cache")]
pub struct ConnectionArgs {
    /// Large files at once from or to one host [default: 16, for push 4]; of pages and small files more.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// How often a failed request is tried again [default: 5].
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub retries: Option<u32>,
    /// Seconds of silence after which a connection is given up [default: 15].
    #[arg(long, value_name = "SECONDS", hide_short_help = true)]
    pub timeout: Option<f64>,
    /// The size above which a file is refused, as 700MB or 4G [default: 16GiB].
    #[arg(long, value_name = "SIZE", hide_short_help = true, value_parser = crate::cli::settings::size::parse)]
    pub max_file_size: Option<u64>,
    /// PEM file of the certificates to trust.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub cert: Option<PathBuf>,
    /// PEM file with a client's certificate and key.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub client_cert: Option<PathBuf>,
    /// Proxy for all requests: http://, https:// or socks5://.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, hide_short_help = true)]
    pub proxy: Option<String>,
    /// Ask the `keyring` command for passwords (`subprocess`), or do not (`disabled`).
    #[arg(long, value_name = "PROVIDER", hide_short_help = true)]
    pub keyring_provider: Option<String>,
}

/// `--store-mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StoreModeArg {
    /// Read it, and write what it lacks.
    ReadWrite,
    /// Write nothing: for runs that must not change what others read.
    ReadOnly,
    /// Read nothing: for the machine that fills it.
    WriteOnly,
}

impl StoreModeArg {
    /// Returns the word on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadWrite => "read-write",
            Self::ReadOnly => "read-only",
            Self::WriteOnly => "write-only",
        }
    }
}

impl From<StoreModeArg> for StoreMode {
    fn from(argument: StoreModeArg) -> Self {
        match argument {
            StoreModeArg::ReadWrite => Self::ReadWrite,
            StoreModeArg::ReadOnly => Self::ReadOnly,
            StoreModeArg::WriteOnly => Self::WriteOnly,
        }
    }
}
