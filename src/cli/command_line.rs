//! The command line: the subcommands, and the options of a run without one.

use clap::{Parser, Subcommand};

use super::commands::apply::ApplyArgs;
use super::commands::cache::CacheArgs;
use super::commands::diff::DiffArgs;
use super::commands::env::EnvArgs;
use super::commands::inspect::InspectArgs;
use super::commands::keygen::KeygenArgs;
use super::commands::merge::MergeArgs;
use super::commands::parse::ParseArgs;
use super::commands::serve::ServeArgs;
use super::commands::unpack::UnpackArgs;
use super::commands::verify::VerifyArgs;
use super::settings::args::FetchArgs;

/// Fetch what a Python project needs, for every target, before the network is gone.
#[derive(Debug, Parser)]
#[command(name = "prefetch", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
#[command(after_long_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub fetch: FetchArgs,
}

/// The exit codes as `--help` shows them; see [`Exit`](super::Exit).
const EXIT_CODES: &str = "\
Exit codes:
  0    everything was done
  1    a verification found damage or a gap
  2    the command line or an input cannot be used
  3    no solution
  4    the index or a file could not be reached, after retries
  5    a file is not what was promised
  6    the disk does not take or give what it should
  130  interrupted; what was complete is kept";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what prefetch understands of requirements files, without a network.
    Parse(ParseArgs),
    /// Look after the folder that keeps everything fetched.
    Cache(CacheArgs),
    /// Serve a read-only index over a folder, a bundle or the cache.
    Serve(ServeArgs),
    /// Print shell lines that point pip and uv at what was written.
    Env(EnvArgs),
    /// Check a bundle: that it is whole, and that each of its targets installs from it alone.
    Verify(VerifyArgs),
    /// Unpack a bundle, checking every digest on the way.
    Unpack(UnpackArgs),
    /// Show what is in a bundle, who needs it, and under which licence.
    Inspect(InspectArgs),
    /// Show what one bundle has and another has not.
    Diff(DiffArgs),
    /// Make one bundle that serves the targets of two.
    Merge(MergeArgs),
    /// Make the new bundle from an old one and a delta (--since).
    Apply(ApplyArgs),
    /// Make a pair of keys to sign bundles with (--sign), and to check them.
    Keygen(KeygenArgs),
    /// Print the script with which a machine describes itself for --target.
    DescribeTarget,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}
