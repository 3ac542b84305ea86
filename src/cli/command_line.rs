//! The command line: the subcommands, and the options of a run without one.

use clap::{Parser, Subcommand};

use super::commands::apply::ApplyArgs;
use super::commands::cache::CacheArgs;
use super::commands::diff::DiffArgs;
use super::commands::env::EnvArgs;
use super::commands::help::HelpArgs;
use super::commands::inspect::InspectArgs;
use super::commands::keygen::KeygenArgs;
use super::commands::man_pages::ManPagesArgs;
use super::commands::merge::MergeArgs;
use super::commands::parse::ParseArgs;
use super::commands::push::PushArgs;
use super::commands::serve::ServeArgs;
use super::commands::unpack::UnpackArgs;
use super::commands::verify::VerifyArgs;
use super::settings::args::FetchArgs;
use super::topics;

/// Fetch what a Python project needs, for every target, before the network is gone.
#[derive(Debug, Parser)]
#[command(name = "prefetch", version, long_version = LONG_VERSION, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(after_long_help = topics::after_help())]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub fetch: FetchArgs,
}

/// The text of `--version`: the version, in release builds the commit, and the target.
const LONG_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("PREFETCH_BUILD"), ")");

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what prefetch understands of requirements files, without a network.
    Parse(ParseArgs),
    /// Look after the folder that keeps everything fetched.
    Cache(CacheArgs),
    /// Serve a read-only index over a folder, a bundle, the cache or what other indexes have.
    Serve(ServeArgs),
    /// Upload what was fetched to a registry: devpi, pypiserver, Nexus, Artifactory, GitLab, Pulp.
    Push(PushArgs),
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
    /// Write a man page for each command.
    ManPages(ManPagesArgs),
    /// Explain a command or a topic.
    Help(HelpArgs),
}
