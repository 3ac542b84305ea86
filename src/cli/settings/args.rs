//! The options of a run exactly as typed, in groups.

mod network;
mod target;

use std::path::PathBuf;

pub use network::{ConnectionArgs, NetworkArgs, StoreModeArg};
pub use target::{ForkStrategyArg, TargetArgs};

use clap::{ArgAction, Args, ValueEnum, ValueHint};

use super::format_args::FormatArgs;
use super::group_args::GroupArgs;
use crate::archive;
use crate::layout;

/// What `prefetch` takes without a subcommand.
#[derive(Debug, Default, Args)]
pub struct FetchArgs {
    /// Requirements such as `flask==3.0.3`, URLs of archives, or paths of them.
    #[arg(value_name = "REQUIREMENT")]
    pub requirements: Vec<String>,
    #[command(flatten)]
    pub inputs: InputArgs,
    #[command(flatten)]
    pub groups: GroupArgs,
    #[command(flatten)]
    pub outputs: OutputArgs,
    #[command(flatten)]
    pub indexes: IndexArgs,
    #[command(flatten)]
    pub targets: TargetArgs,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    pub messages: MessageArgs,
}

impl FetchArgs {
    /// Returns the arguments of a run that only asks indexes.
    pub fn of_indexes(indexes: IndexArgs, network: NetworkArgs) -> Self {
        Self { indexes, network, ..Self::default() }
    }
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What to fetch")]
pub struct InputArgs {
    /// Read requirements from FILE, a path or URL; `-` is standard input; repeatable.
    #[arg(short, long = "requirement", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub requirement_files: Vec<String>,
    /// Bound versions by the constraints in FILE; repeatable.
    #[arg(short, long = "constraint", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub constraint_files: Vec<String>,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Where to put it")]
pub struct OutputArgs {
    /// Write the layout into this folder, or into a bucket: s3://, gs:// or az:// [default: wheelhouse].
    #[arg(short, long, value_name = "DIR|URL", value_hint = ValueHint::DirPath)]
    pub dest: Option<PathBuf>,
    /// Remove from the bucket what earlier runs published there and this one does not.
    #[arg(long, requires = "dest", hide_short_help = true)]
    pub prune: bool,
    /// The shape of the folder; repeatable [default: find-links].
    ///
    /// With several, each goes to DIR/NAME.
    #[arg(long = "layout", value_name = "NAME", value_parser = layout_names(), hide_possible_values = false)]
    pub layouts: Vec<String>,
    /// Pack everything into one file: .zip, .tar, .tar.gz, .tgz or .tar.zst; or into a folder: NAME/.
    ///
    /// Nothing else is written unless --dest or --layout asks for it. `-` is standard output, for
    /// which --bundle-format names the format.
    #[arg(long, value_name = "FILE", value_parser = bundle_path, value_hint = ValueHint::FilePath)]
    pub bundle: Option<PathBuf>,
    /// Put the files into the cache of the interpreter's own pip. Without --dest, nothing else is
    /// written.
    #[arg(long)]
    pub warm_pip: bool,
    /// With --warm-pip, go on for a pip that is not known, as if it were the newest known.
    #[arg(long, requires = "warm_pip")]
    pub force_layout: bool,
    /// The bundle's format, where its name does not tell: zip, tar, tar.gz, tgz or tar.zst.
    #[arg(long, value_name = "FORMAT", requires = "bundle", hide_short_help = true)]
    pub bundle_format: Option<String>,
    /// Do not check, while packing, that the files are intact and that every target installs from the bundle alone.
    #[arg(long, requires = "bundle", hide_short_help = true)]
    pub no_verify: bool,
    /// Replace an older bundle even by one with gaps, or for fewer targets (--keep-going).
    #[arg(long, requires = "bundle", hide_short_help = true)]
    pub force: bool,
    /// Pack source archives whose build fetches from elsewhere than an index (crates, say) without a complaint.
    #[arg(long, requires = "bundle", hide_short_help = true)]
    pub allow_unprovable: bool,
    /// Also pack pip itself for every target, so that an old or missing one is no obstacle.
    #[arg(long, requires = "bundle", hide_short_help = true)]
    pub with_installer: bool,
    /// Sign the bundle's manifest with this secret key of minisign (see keygen).
    #[arg(long, value_name = "KEY", requires = "bundle", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub sign: Option<PathBuf>,
    /// Pack only what this older bundle, or the one of this manifest, has not.
    #[arg(long, value_name = "OLD", requires = "bundle", value_hint = ValueHint::AnyPath, hide_short_help = true)]
    pub since: Option<PathBuf>,
    /// Write numbered volumes of up to this size, such as 4G or 700M, and an index of them.
    #[arg(long, value_name = "SIZE", requires = "bundle", value_parser = super::size::parse_volume, hide_short_help = true)]
    pub split: Option<u64>,
    /// Put bills of materials into the bundle; repeatable.
    #[arg(long, value_name = "FORMAT", requires = "bundle", value_delimiter = ',', value_parser = sbom_names(), hide_short_help = true)]
    pub sbom: Vec<String>,
    /// Show what would be fetched, and stop.
    #[arg(long)]
    pub dry_run: bool,
    /// Write a JSON report (schema 1) to FILE; `-` is standard output.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Where to look")]
pub struct IndexArgs {
    /// The package index [default: the one that pip would ask].
    #[arg(short, long, visible_alias = "pypi-url", value_name = "URL", value_hint = ValueHint::Url)]
    pub index_url: Option<String>,
    /// Another index, asked before the main one; repeatable.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub extra_index_url: Vec<String>,
    /// A page or folder with links to archives; repeatable.
    #[arg(short, long, value_name = "URL|DIR")]
    pub find_links: Vec<String>,
    /// Ask no index; only --find-links.
    #[arg(long)]
    pub no_index: bool,
    /// Which of several indexes a project comes from.
    #[arg(long, value_name = "STRATEGY", value_enum, default_value_t = Strategy::FirstIndex, hide_short_help = true)]
    pub index_strategy: Strategy,
    /// Take these answers of an index for "no such project", as in URL=403,405; repeatable.
    #[arg(long, value_name = "URL=CODES", hide_short_help = true)]
    pub ignore_error_codes: Vec<String>,
    /// Ask this host by plain HTTP, and do not check its certificate, HOST or HOST:PORT; repeatable.
    #[arg(long, value_name = "HOST", hide_short_help = true)]
    pub trusted_host: Vec<String>,
}

/// `--index-strategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Strategy {
    /// The first index that knows the project.
    #[default]
    FirstIndex,
    /// The best version on any index, as pip does.
    BestMatch,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Which versions and files")]
pub struct SelectionArgs {
    /// Fetch only what is named, not what that needs.
    #[arg(long)]
    pub no_deps: bool,
    /// Leave editables, repositories and project folders out, with what they need, instead of
    /// packing them into source archives.
    #[arg(long)]
    pub skip_source_trees: bool,
    /// Also take the project itself, and the folders that its lock names, as the source distributions
    /// that their builds make (PEP 517); with --allow-build.
    #[arg(long, conflicts_with_all = ["skip_source_trees", "only_group"])]
    pub with_project: bool,
    /// Run the build of source archives that tell no other way what they need.
    ///
    /// It runs code of the package, with the Python at hand (--python), in an environment of its own.
    #[arg(long)]
    pub allow_build: bool,
    /// Build wheels here, and keep them: `missing` where a target has none, of projects by name or of `:all:`
    /// instead of what their index has; `never` [default: never]; repeatable.
    ///
    /// For the targets that this machine builds for: those with the Python at hand (--python) and its platform.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub build_wheels: Vec<String>,
    /// Tell the build backends this; repeatable.
    #[arg(short = 'C', long, alias = "config-setting", value_name = "KEY=VALUE", hide_short_help = true, value_parser = super::builds::config_setting)]
    pub config_settings: Vec<(String, String)>,
    /// Seconds that each step of a build may take [default: 3600].
    #[arg(long, value_name = "SECONDS", hide_short_help = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub build_timeout: Option<u32>,
    /// Take of source archives only what binds their builds, and no other word of what they need.
    #[arg(long, hide_short_help = true)]
    pub strict_metadata: bool,
    /// Refuse source archives: every target must get a wheel of everything.
    #[arg(long, hide_short_help = true)]
    pub require_wheels: bool,
    /// Also fetch what builds the source archives (PEP 518); for a bundle that goes without saying.
    #[arg(long, hide_short_help = true, overrides_with = "no_build_requires")]
    pub build_requires: bool,
    /// Leave what builds the source archives out of a bundle.
    #[arg(long, hide_short_help = true, overrides_with = "build_requires")]
    pub no_build_requires: bool,
    /// Let pre-releases count like releases.
    #[arg(long, hide_short_help = true)]
    pub pre: bool,
    #[command(flatten)]
    pub formats: FormatArgs,
    /// Fetch the source archive beside each wheel, too.
    #[arg(long, hide_short_help = true)]
    pub with_sources: bool,
    /// Prefer an older wheel to a newer source archive.
    #[arg(long, hide_short_help = true)]
    pub prefer_binary: bool,
    /// Refuse everything that has no --hash.
    #[arg(long, hide_short_help = true)]
    pub require_hashes: bool,
    /// Check the --hash options that there are, and want none elsewhere.
    #[arg(long, hide_short_help = true, conflicts_with = "require_hashes")]
    pub no_require_hashes: bool,
    /// Ignore files uploaded at DATE or later, such as 2026-03-01 or 2026-03-01T12:00:00Z.
    #[arg(long, value_name = "DATE", hide_short_help = true)]
    pub exclude_newer: Option<String>,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Messages")]
pub struct MessageArgs {
    /// Say only what went wrong.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: every file and where it came from.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to use colours.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = clap::ColorChoice::Auto, hide_short_help = true)]
    pub color: clap::ColorChoice,
    /// Print every setting with its value and where it comes from, and stop.
    #[arg(long, hide_short_help = true)]
    pub show_settings: bool,
    /// How to show progress.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Progress::Auto, hide_short_help = true)]
    pub progress: Progress,
}

/// `--progress`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// Bars on a terminal, else plain lines.
    #[default]
    Auto,
    /// A line after each quarter of the files; with --verbose, one for each file.
    Plain,
    /// A JSON object for each event, on standard error.
    Json,
    None,
}

fn layout_names() -> clap::builder::PossibleValuesParser {
    let values =
        layout::LAYOUTS.iter().map(|layout| clap::builder::PossibleValue::new(layout.name()).help(layout.summary()));
    values.collect::<Vec<_>>().into()
}

/// Returns a parser for the formats that `--sbom` takes.
pub fn sbom_names() -> clap::builder::PossibleValuesParser {
    let values = layout::SBOMS.iter().map(|format| clap::builder::PossibleValue::new(format.name).help(format.summary));
    values.collect::<Vec<_>>().into()
}

/// The argument that means standard output in the place of a file.
pub const STANDARD_OUTPUT: &str = "-";

/// Parses the path of a bundle, refusing an unknown format before any work begins.
fn bundle_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match archive::ArchiveFormat::of(&path) {
        Err(error) if text != STANDARD_OUTPUT && !is_folder(&path) => {
            Err(format!("{error}, or in a slash for a folder"))
        }
        _ => Ok(path),
    }
}

/// Whether the name of a bundle ends in a slash, so that it is written as a folder.
pub fn is_folder(path: &std::path::Path) -> bool {
    path.as_os_str().to_string_lossy().ends_with(std::path::is_separator)
}
