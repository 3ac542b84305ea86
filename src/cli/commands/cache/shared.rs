//! `prefetch cache push`, `pull`, and with `--store` also `info`, `verify` and `prune`: maintains a
//! shared store.

use std::collections::BTreeMap;

use clap::{Args, ValueHint};
use indicatif::HumanBytes;
use serde_json::{Value, json};

use super::{CacheArgs, CacheCommand, PruneArgs, show};
use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::host::machine;
use crate::cli::host::signals::abandonable;
use crate::cli::output::terminal::{fail, say};
use crate::cli::plural::{self, count};
use crate::cli::settings::args::{ConnectionArgs, StoreModeArg};
use crate::cli::settings::layers::Layers;
use crate::cli::settings::{self, date, network};
use crate::ops::shared_cache::{self, Copied, SharedCacheError};
use crate::shared_store::{SharedFile, SharedFileKind, SharedStore};
use crate::store::DiskStore;

/// The shared store that an action is about.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// The shared store: s3://, gs://, az:// or file:// [default for push and pull: PREFETCH_STORE].
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub store: Option<String>,
    /// What may be done with it [default: read-write].
    #[arg(long, value_name = "MODE", value_enum, requires = "store", hide_short_help = true)]
    pub store_mode: Option<StoreModeArg>,
    /// Use plain HTTP with this host, and accept any certificate of it; repeatable.
    #[arg(long, value_name = "HOST", value_hint = ValueHint::Hostname, hide_short_help = true)]
    pub trusted_host: Vec<String>,
    #[command(flatten)]
    pub connections: ConnectionArgs,
}

/// What is done with a shared store.
pub enum SharedAction<'a> {
    Push(&'a StoreArgs),
    Pull(&'a StoreArgs),
    Info(&'a StoreArgs),
    Verify(&'a StoreArgs),
    Prune(&'a PruneArgs),
}

impl<'a> SharedAction<'a> {
    /// Returns what a command does with a shared store; `None` if it is about the cache of this
    /// machine.
    pub fn of(command: &'a CacheCommand) -> Option<Self> {
        match command {
            CacheCommand::Push(args) => Some(Self::Push(args)),
            CacheCommand::Pull(args) => Some(Self::Pull(args)),
            CacheCommand::Info(args) if args.store.is_some() => Some(Self::Info(args)),
            CacheCommand::Verify(args) if args.store.is_some() => Some(Self::Verify(args)),
            CacheCommand::Prune(args) if args.store.store.is_some() => Some(Self::Prune(args)),
            _ => None,
        }
    }

    fn store(&self) -> &'a StoreArgs {
        match self {
            Self::Push(args) | Self::Pull(args) | Self::Info(args) | Self::Verify(args) => args,
            Self::Prune(args) => &args.store,
        }
    }
}

/// Runs an action on a shared store.
///
/// # Errors
/// When the shared store or the cache cannot be read or written.
pub fn run(args: &CacheArgs, action: &SharedAction<'_>, environment: &Environment) -> Result<Exit, CliError> {
    let shared = open(action.store(), environment)?;
    let store = DiskStore::new(settings::cache_folder(args.cache_dir.as_deref(), environment)?);
    let work = act(action, &store, &shared, args.json, environment);
    abandonable(work, "what was done is kept; the same command goes on from there")
}

fn open(args: &StoreArgs, environment: &Environment) -> Result<SharedStore, CliError> {
    let pip = machine::pip_settings(environment)?;
    let layers = Layers { environment, pip: &pip };
    let http = network::http_to_trusted(&args.connections, false, &args.trusted_host, &layers)?;
    let is_offline = http.offline;
    let shared = settings::shared_store::open(args.store.as_deref(), args.store_mode, http, &layers)?;
    shared.ok_or_else(|| match is_offline {
        true => {
            CliError::usage("the settings say that the run is offline, and the shared store is not on this machine")
        }
        false => CliError::usage("no shared store is named").hint("name one with --store, or in PREFETCH_STORE"),
    })
}

async fn act(
    action: &SharedAction<'_>,
    store: &DiskStore,
    shared: &SharedStore,
    is_json: bool,
    environment: &Environment,
) -> Result<Exit, CliError> {
    let failed = |error: SharedCacheError| failure(&error, shared);
    match action {
        SharedAction::Push(_) => copied(shared_cache::push(store, shared).await.map_err(failed)?, "Uploaded", is_json),
        SharedAction::Pull(_) => copied(shared_cache::pull(store, shared).await.map_err(failed)?, "Took in", is_json),
        SharedAction::Info(_) => {
            let contents = shared.contents().await.map_err(SharedCacheError::from).map_err(failed)?;
            info(shared, &contents, is_json)
        }
        SharedAction::Verify(_) => {
            let checked = shared_cache::verify(store, shared).await.map_err(failed)?;
            verified(&checked, shared, is_json, environment)
        }
        SharedAction::Prune(limits) => {
            let limit = limits.older_than.as_deref().unwrap_or_default();
            let limit = date::parse(limit, environment.now).map_err(CliError::usage)?;
            let removed = shared_cache::prune(shared, limit, limits.dry_run).await.map_err(failed)?;
            pruned(&removed, limits.dry_run, is_json)
        }
    }
}

fn failure(error: &SharedCacheError, shared: &SharedStore) -> CliError {
    match error {
        SharedCacheError::Store(why) => {
            CliError::new(Exit::Unreachable, format!("the shared store {}: {why}", shared.location()))
        }
        SharedCacheError::Cache(_) | SharedCacheError::Disk(_) => CliError::new(Exit::Disk, error.to_string()),
    }
}

fn copied(copied: Copied, done: &str, is_json: bool) -> Result<Exit, CliError> {
    let Copied { files, bytes, entries, kept, wrong } = copied;
    let value = json!({"schema": 1, "files": files, "bytes": bytes, "entries": entries, "kept": kept, "wrong": wrong});
    show(is_json, &value, Vec::new)?;
    let entries = plural::entries(entries);
    say(format!("{done} {} ({}) and {entries}; {kept} were there already.", count(files, "file"), HumanBytes(bytes)));
    if wrong == 0 {
        return Ok(Exit::Done);
    }
    fail(format!(
        "{} had wrong bytes and were left out; run `prefetch cache verify` on the store",
        count(wrong, "file")
    ));
    Ok(Exit::Damage)
}

fn folder(file: &SharedFile) -> &str {
    file.path.split('/').next().unwrap_or_default()
}

fn info(shared: &SharedStore, contents: &[SharedFile], is_json: bool) -> Result<Exit, CliError> {
    let mut folders: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for file in contents {
        let (files, bytes) = folders.entry(folder(file)).or_default();
        *files += 1;
        *bytes += file.size;
    }
    let listed = folders.iter().map(|(name, (files, bytes))| json!({"name": name, "files": files, "bytes": bytes}));
    let objects = contents.iter().filter(|file| matches!(file.kind, SharedFileKind::Object(_))).count();
    let bytes: u64 = contents.iter().map(|file| file.size).sum();
    let location = shared.location().to_string();
    let value = json!({"schema": 1, "store": location, "objects": objects, "bytes": bytes,
        "folders": listed.collect::<Vec<_>>()});
    show(is_json, &value, || {
        let head = [format!("Store:     {location}"), format!("Files:     {objects} ({} in all)", HumanBytes(bytes))];
        let line = |(name, (files, bytes)): (&&str, &(usize, u64))| {
            format!("  {name:20} {:>11} in {}", HumanBytes(*bytes).to_string(), count(*files, "file"))
        };
        head.into_iter().chain(folders.iter().map(line)).collect()
    })
}

fn described(file: &SharedFile) -> Value {
    json!({"path": file.path, "size": file.size})
}

fn verified(
    checked: &shared_cache::Checked,
    shared: &SharedStore,
    is_json: bool,
    environment: &Environment,
) -> Result<Exit, CliError> {
    let shared_cache::Checked { read, known, bytes, damaged } = checked;
    let value = json!({"schema": 1, "read": read, "known": known, "bytes": bytes,
        "damaged": damaged.iter().map(described).collect::<Vec<_>>()});
    show(is_json, &value, Vec::new)?;
    let gone = if shared.writes() { "is removed" } else { "stays, since nothing may be written" };
    damaged.iter().for_each(|file| fail(format!("{} is not what its name says, and {gone}", file.path)));
    if *known > 0 {
        say(format!("{} were checked before.", count(*known, "file")));
    }
    let seconds = environment.seconds();
    if damaged.is_empty() {
        say(format!("{} ({}): all whole, in {seconds:.1} s.", count(read + known, "file"), HumanBytes(*bytes)));
        return Ok(Exit::Done);
    }
    say(format!("{} of {} damaged; the next run that needs one asks the index.", damaged.len(), read + known));
    Ok(Exit::Damage)
}

fn pruned(removed: &[SharedFile], is_dry: bool, is_json: bool) -> Result<Exit, CliError> {
    let bytes: u64 = removed.iter().map(|file| file.size).sum();
    let value = json!({"schema": 1, "dry_run": is_dry, "bytes_freed": bytes,
        "removed": removed.iter().map(described).collect::<Vec<_>>()});
    show(is_json, &value, Vec::new)?;
    let (would, freed) = if is_dry { ("Would remove", "would be freed") } else { ("Removed", "freed") };
    say(format!("{would} {}: {} {freed}.", count(removed.len(), "file"), HumanBytes(bytes)));
    Ok(Exit::Done)
}
