//! `prefetch cache import`: what lies elsewhere on the machine need not be fetched.

use std::path::PathBuf;

use indicatif::HumanBytes;
use serde_json::json;

use super::cache::show;
use super::environment::Environment;
use super::error::{CliError, Exit};
use super::terminal::{count, say, warn};
use crate::ops::Stop;
use crate::ops::cache::{Met, import};
use crate::store::DiskStore;

/// Takes in everything at or below `paths`, and tells what was damaged.
///
/// # Errors
/// When a path cannot be read or the cache not written, or `stop` was set meanwhile.
pub fn run(
    store: &DiskStore,
    paths: &[PathBuf],
    environment: &Environment,
    is_json: bool,
    stop: &Stop,
) -> Result<Exit, CliError> {
    let mut all = Vec::new();
    for path in paths {
        let path = environment.working_folder.join(path);
        let mut told = |met: &Met| {
            if let Err(why) = &met.outcome {
                warn(format!("{} is skipped: {why}", met.path.display()));
            }
            all.push(entry(met));
        };
        import(store, &path, stop, &mut told)
            .map_err(|error| CliError::new(Exit::Disk, format!("{} cannot be imported: {error}", path.display())))?;
    }
    let of = |status: &str| all.iter().filter(|entry| entry["status"] == status).collect::<Vec<_>>();
    let (new, held, skipped) = (of("imported"), of("held"), of("skipped"));
    let bytes = new.iter().filter_map(|entry| entry["size"].as_u64()).sum::<u64>();
    let words = format!(
        "Imported {} ({}); {} were in the cache already, {} skipped.",
        count(new.len(), "file"),
        HumanBytes(bytes),
        held.len(),
        skipped.len()
    );
    let value = json!({"schema": 1, "files": all});
    show(is_json, &value, Vec::new)?;
    say(words);
    Ok(Exit::Done)
}

fn entry(met: &Met) -> serde_json::Value {
    match &met.outcome {
        Ok(taken) => json!({
            "path": met.path, "status": if taken.was_held { "held" } else { "imported" }, "name": taken.identity.name,
            "version": taken.identity.version, "filename": taken.identity.filename, "url": taken.url,
            "sha256": taken.object.sha256.to_string(), "size": taken.object.size,
        }),
        Err(why) => json!({"path": met.path, "status": "skipped", "message": why}),
    }
}
