//! `prefetch cache`: shows, checks, fills and empties the cache folder.

pub mod import;
pub mod shared;

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{ArgGroup, Args, Subcommand, ValueHint};
use indicatif::HumanBytes;
use serde_json::{Value, json};

use self::shared::{SharedAction, StoreArgs};
use crate::cache_folder::CacheBucket;
use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::host::signals::{cancellable, detached};
use crate::cli::output::terminal::{self, fail, say};
use crate::cli::plural::count;
use crate::cli::settings;
use crate::cli::settings::date;
use crate::domain::{PackageName, Timestamp};
use crate::ops::CancelFlag;
use crate::ops::cache::{self, BucketUsage, CachedFile, Inventory, PruneLimits};
use crate::store::{DiskStore, StoredObject};

/// Arguments of `prefetch cache`.
#[derive(Debug, Args)]
pub struct CacheArgs {
    #[command(subcommand)]
    pub command: CacheCommand,
    /// The cache folder [default: the platform's].
    #[arg(long, value_name = "DIR", env = "PREFETCH_CACHE_DIR", hide_env_values = true, value_hint = ValueHint::DirPath, global = true)]
    pub cache_dir: Option<PathBuf>,
    /// Print JSON (schema 1) to standard output.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Print where the cache is.
    Dir,
    /// Show how much the cache holds, or a shared store.
    Info(StoreArgs),
    /// List the files in the cache.
    List {
        /// Only these projects.
        #[arg(value_name = "NAME")]
        names: Vec<PackageName>,
    },
    /// Show which runs a project's files are there for.
    Why {
        /// The project.
        name: PackageName,
    },
    /// Read every object again and remove damaged ones; exit code 1 if there were any.
    Verify(StoreArgs),
    /// Remove what was of no use for long, or too much.
    Prune(PruneArgs),
    /// Remove everything.
    Clean,
    /// Upload to a shared store what it lacks of the cache.
    Push(StoreArgs),
    /// Take in what the cache lacks of a shared store.
    Pull(StoreArgs),
    /// Take in files from wheelhouses and from the caches of pip, pip-accel and buildout.
    Import {
        /// Folders or files.
        #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
        paths: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("limits").multiple(true).required(true).args(["older_than", "max_size", "keep_last_runs"])))]
pub struct PruneArgs {
    /// Remove what no run had for this long (30d, `2 weeks`) or since this date (2026-03-01).
    #[arg(long, value_name = "AGE")]
    pub older_than: Option<String>,
    /// Remove what was of use longest ago until no more than this is left: 5G, 500MB.
    #[arg(long, value_name = "SIZE", value_parser = crate::cli::settings::size::parse, conflicts_with = "store")]
    pub max_size: Option<u64>,
    /// Remove what none of the last N runs used.
    #[arg(long, value_name = "N", conflicts_with = "store")]
    pub keep_last_runs: Option<usize>,
    /// Also remove what a folder still links to, which frees nothing now.
    #[arg(long, conflicts_with = "store")]
    pub linked: bool,
    /// Show what would go, and stop.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Runs the action that the arguments name.
///
/// # Errors
/// When the cache cannot be read or written.
pub fn run(args: CacheArgs, environment: Environment) -> Result<Exit, CliError> {
    if let Some(action) = SharedAction::of(&args.command) {
        return shared::run(&args, &action, &environment);
    }
    match args.command {
        CacheCommand::Import { .. } => cancellable(move |cancel| run_until(&args, &environment, cancel)),
        _ => detached(move || run_until(&args, &environment, &CancelFlag::default())),
    }
}

fn run_until(args: &CacheArgs, environment: &Environment, cancel: &CancelFlag) -> Result<Exit, CliError> {
    let folder = settings::cache_folder(args.cache_dir.as_deref(), environment)?;
    let store = DiskStore::new(folder.clone());
    let inventory = || Inventory::read(&store).map_err(disk);
    let is_json = args.json;
    match &args.command {
        CacheCommand::Dir => {
            show(is_json, &json!({"schema": 1, "path": folder}), || vec![folder.display().to_string()])
        }
        CacheCommand::Info(_) => info(&store, &inventory()?, is_json),
        CacheCommand::List { names } => list(&inventory()?, names, is_json),
        CacheCommand::Why { name } => why(&inventory()?, name, is_json),
        CacheCommand::Verify(_) => verify(&store, &inventory()?, environment, is_json),
        CacheCommand::Prune(limits) => prune(&store, &inventory()?, limits, environment, is_json),
        CacheCommand::Clean => clean(&store, &inventory()?, is_json),
        CacheCommand::Import { paths } => import::run(&store, paths, environment, is_json, cancel),
        CacheCommand::Push(_) | CacheCommand::Pull(_) => unreachable!("it is an action on a shared store"),
    }
}

fn disk(error: std::io::Error) -> CliError {
    CliError::new(Exit::Disk, format!("the cache cannot be read or written: {error}"))
}

/// Prints a result, either as JSON or as lines for people.
pub fn show(is_json: bool, value: &Value, lines: impl FnOnce() -> Vec<String>) -> Result<Exit, CliError> {
    let printed = if is_json { terminal::print_json(value) } else { terminal::print_lines(lines()) };
    printed.map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(Exit::Done)
}

fn info(store: &DiskStore, inventory: &Inventory, is_json: bool) -> Result<Exit, CliError> {
    let linked =
        inventory.objects.iter().filter(|stored| stored.is_linked).map(|stored| stored.object.size).sum::<u64>();
    let (objects, bytes, runs) = (inventory.objects.len(), inventory.size(), inventory.runs.len());
    let usage = cache::usage(store);
    let folders = usage.iter().map(|BucketUsage { bucket, files, bytes }| {
        json!({"name": bucket.name(), "version": bucket.version(), "files": files, "bytes": bytes})
    });
    let bytes_of = |bucket| usage.iter().find(|usage| usage.bucket == bucket).map_or(0, |usage| usage.bytes);
    let value = json!({"schema": 1, "path": store.root(), "objects": objects, "bytes": bytes, "bytes_linked": linked,
        "bytes_of_pages": bytes_of(CacheBucket::Pages), "bytes_of_metadata": bytes_of(CacheBucket::Metadata),
        "bytes_of_local_digests": bytes_of(CacheBucket::Local), "runs": runs, "folders": folders.collect::<Vec<_>>()});
    show(is_json, &value, || {
        let mut lines = vec![
            format!("Folder:    {}", store.root().display()),
            format!("Files:     {objects} ({})", HumanBytes(bytes)),
            format!("Linked:    {} of that are in other folders, too, and cost nothing here", HumanBytes(linked)),
            format!("Runs:      {runs} remembered"),
        ];
        lines.extend(usage.iter().map(folder_line));
        lines
    })
}

fn folder_line(BucketUsage { bucket, files, bytes }: &BucketUsage) -> String {
    let size = HumanBytes(*bytes).to_string();
    format!(
        "  {:20} {size:>11} in {}",
        bucket.folder_name(),
        count(usize::try_from(*files).unwrap_or(usize::MAX), "file")
    )
}

fn list(inventory: &Inventory, names: &[PackageName], is_json: bool) -> Result<Exit, CliError> {
    let is_asked = |item: &CachedFile| names.is_empty() || names.iter().any(|name| name.as_ref() == item.file.name);
    let items: Vec<_> = inventory.items().into_iter().filter(is_asked).collect();
    let entry = |item: &CachedFile| {
        json!({"name": item.file.name, "version": item.file.version, "filename": item.file.filename, "size": item.stored.object.size,
            "sha256": item.stored.object.sha256.to_string(), "linked": item.stored.is_linked, "last_used": day(item.last)})
    };
    let value = json!({"schema": 1, "files": items.iter().map(entry).collect::<Vec<_>>()});
    let line = |item: &CachedFile| {
        let size = HumanBytes(item.stored.object.size).to_string();
        format!("{}  {size:>11}  {}", day(item.last), item.file.filename)
    };
    show(is_json, &value, || items.iter().map(line).collect())
}

fn why(inventory: &Inventory, name: &PackageName, is_json: bool) -> Result<Exit, CliError> {
    let named = inventory.named().filter(|(_, file)| file.name == name.as_ref());
    let reasons: Vec<_> = named.collect();
    if reasons.is_empty() {
        return Err(CliError::new(Exit::Damage, format!("no remembered run had a file of {name}"))
            .hint("`prefetch cache list` shows every file with a name"));
    }
    let entries = reasons.iter().map(|(run, file)| {
        json!({"filename": file.filename, "folder": run.record.folder, "requested_by": file.requested_by,
            "index": file.index, "url": file.url, "targets": file.targets, "last_used": day(run.last)})
    });
    let value = json!({"schema": 1, "name": name.as_ref(), "runs": entries.collect::<Vec<_>>()});
    show(is_json, &value, || {
        let line = |(run, file): &(&cache::RecordedRun, &cache::UsedFile)| {
            let from = file.url.as_deref().map(|url| format!("  from {url}"));
            let asked = file.requested_by.join(", ");
            let reason = format!("  for {asked} in {}, last on {}", run.record.folder, day(run.last));
            [file.filename.clone(), reason].into_iter().chain(from)
        };
        reasons.iter().flat_map(line).collect()
    })
}

fn verify(
    store: &DiskStore,
    inventory: &Inventory,
    environment: &Environment,
    is_json: bool,
) -> Result<Exit, CliError> {
    let damaged = cache::verify(store, inventory).map_err(disk)?;
    let items = inventory.items();
    let files: Vec<_> = damaged.iter().map(|stored| described(stored, &items)).collect();
    let objects = inventory.objects.len();
    let value = json!({"schema": 1, "objects": objects, "bytes": inventory.size(), "damaged": files});
    show(is_json, &value, Vec::new)?;
    for file in &files {
        let linked = if file["linked"] == true { "; folders that link to it hold the same bytes" } else { "" };
        let name = file["filename"].as_str().unwrap_or("a file of unknown name");
        fail(format!("{name} was damaged and is removed ({}){linked}", file["sha256"].as_str().unwrap_or_default()));
    }
    let size = HumanBytes(inventory.size());
    let seconds = environment.seconds();
    if files.is_empty() {
        say(format!("{} ({size}): all whole, in {seconds:.1} s.", count(objects, "file")));
        return Ok(Exit::Done);
    }
    say(format!("{} of {objects} damaged and removed; the next run that needs one fetches it again.", files.len()));
    Ok(Exit::Damage)
}

fn described(stored: &StoredObject, items: &[CachedFile]) -> Value {
    let item = items.iter().find(|item| item.stored.object == stored.object);
    json!({"sha256": stored.object.sha256.to_string(), "size": stored.object.size, "linked": stored.is_linked,
        "name": item.map(|item| &item.file.name), "filename": item.map(|item| &item.file.filename)})
}

fn prune(
    store: &DiskStore,
    inventory: &Inventory,
    args: &PruneArgs,
    environment: &Environment,
    is_json: bool,
) -> Result<Exit, CliError> {
    let older_than = args.older_than.as_deref().map(|text| date::parse(text, environment.now)).transpose();
    let older_than = older_than.map_err(CliError::usage)?.map(system_time);
    let PruneArgs { max_size, keep_last_runs, linked, .. } = *args;
    let pruned = inventory.prunable(PruneLimits { older_than, max_size, keep_last_runs, linked });
    if !args.dry_run {
        cache::prune(store, inventory, &pruned, system_time(environment.now)).map_err(disk)?;
    }
    let items = inventory.items();
    let all = |stored: &[StoredObject]| stored.iter().map(|stored| described(stored, &items)).collect::<Vec<_>>();
    let value = json!({"schema": 1, "dry_run": args.dry_run, "bytes_freed": pruned.freed(),
        "removed": all(&pruned.removed), "kept": all(&pruned.kept)});
    show(is_json, &value, Vec::new)?;
    let (would, freed) = if args.dry_run { ("Would remove", "would be freed") } else { ("Removed", "freed") };
    say(format!("{would} {}: {} {freed}.", count(pruned.removed.len(), "file"), HumanBytes(pruned.freed())));
    if !pruned.kept.is_empty() {
        let kept = count(pruned.kept.len(), "file");
        say(format!(
            "Kept {kept} that other folders link to; removing them with --linked frees nothing while those do."
        ));
    }
    Ok(Exit::Done)
}

fn clean(store: &DiskStore, inventory: &Inventory, is_json: bool) -> Result<Exit, CliError> {
    let freed: u64 = inventory.objects.iter().filter(|stored| !stored.is_linked).map(|stored| stored.object.size).sum();
    cache::clean(store).map_err(disk)?;
    let objects = inventory.objects.len();
    show(is_json, &json!({"schema": 1, "objects": objects, "bytes_freed": freed}), Vec::new)?;
    say(format!("Removed {} and all pages: {} freed.", count(objects, "file"), HumanBytes(freed)));
    Ok(Exit::Done)
}

/// Returns the day of a point in time, in UTC.
fn day(time: SystemTime) -> String {
    let moment = jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    moment.strftime("%Y-%m-%d").to_string()
}

fn system_time(moment: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(moment.0).unwrap_or_default())
}
