//! Options for the targets of a run.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::domain::ForkStrategy;

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "For which machines")]
pub struct TargetArgs {
    /// The interpreter to fetch for [default: the one of VIRTUAL_ENV or PATH]; repeatable.
    ///
    /// The settings of the first one's pip apply. Each builds for the targets that are of its kind.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::ExecutablePath)]
    pub python: Vec<String>,
    /// A Python version such as 3.12; repeatable.
    ///
    /// Every version is combined with every platform; each pair is a target of its own.
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    pub python_version: Vec<String>,
    /// A platform such as linux-x86_64, macos-arm64 or windows-x86_64; repeatable.
    ///
    /// A wheel tag (manylinux_2_28_x86_64) and a triple (x86_64-unknown-linux-gnu) name one, too.
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    pub platform: Vec<String>,
    /// A pair such as 3.11:windows-x86_64, or a machine that described itself into FILE; repeatable.
    ///
    /// Fetches for it in addition to what --python-version and --platform name. The name of a target
    /// (cp311-win_amd64) is a pair, too. `prefetch describe-target` prints the script for the machine.
    #[arg(long = "target", value_name = "VERSION:PLATFORM|FILE", value_hint = ValueHint::FilePath)]
    pub targets: Vec<PathBuf>,
    /// How many versions of a project the targets may get [default: per-target].
    #[arg(long, value_name = "STRATEGY", value_enum, hide_short_help = true)]
    pub fork_strategy: Option<ForkStrategyArg>,
    /// Fetch for the targets that have a solution, even if others have none (exit code 3).
    #[arg(long)]
    pub keep_going: bool,
    /// The Python implementation: cp or pp.
    #[arg(long, value_name = "IMPLEMENTATION", hide_short_help = true)]
    pub implementation: Option<String>,
    /// The ABI tag, such as cp313t.
    #[arg(long, value_name = "ABI", hide_short_help = true)]
    pub abi: Option<String>,
}

/// `--fork-strategy`, whose last two values are uv's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ForkStrategyArg {
    /// Each target gets the newest that it can have.
    PerTarget,
    /// Targets of one Python version share versions where they can.
    RequiresPython,
    /// All targets share versions where they can.
    Fewest,
}

impl ForkStrategyArg {
    /// As it is typed.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

impl From<ForkStrategyArg> for ForkStrategy {
    fn from(typed: ForkStrategyArg) -> Self {
        match typed {
            ForkStrategyArg::PerTarget => Self::PerTarget,
            ForkStrategyArg::RequiresPython => Self::RequiresPython,
            ForkStrategyArg::Fewest => Self::Fewest,
        }
    }
}
