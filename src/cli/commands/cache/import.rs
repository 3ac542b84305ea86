//! `prefetch cache import`: takes in distributions that are elsewhere on the machine, so that they
//! need not be fetched.

use std::path::PathBuf;

use indicatif::HumanBytes;
use serde_json::json;

use super::show;
use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::output::terminal::{say, warn};
use crate::cli::plural::count;
use crate::ops::CancelFlag;
use crate::ops::cache::{ImportResult, import};
use crate::store::DiskStore;

/// Imports every distribution at or below `paths`, and warns of damaged files.
///
/// # Errors
/// When a path cannot be read or the cache not written, or `cancel` was set meanwhile.
pub fn run(
    store: &DiskStore,
    paths: &[PathBuf],
    environment: &Environment,
    is_json: bool,
    cancel: &CancelFlag,
) -> Result<Exit, CliError> {
    let mut all = Vec::new();
    for path in paths {
        let path = environment.working_folder.join(path);
        let mut told = |result: &ImportResult| {
            if let Err(why) = &result.outcome {
                warn(format!("{} is skipped: {why}", result.path.display()));
            }
            all.push(entry(result));
        };
        import(store, &path, cancel, &mut told)
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

fn entry(result: &ImportResult) -> serde_json::Value {
    match &result.outcome {
        Ok(taken) => json!({
            "path": result.path, "status": if taken.was_held { "held" } else { "imported" }, "name": taken.identity.name,
            "version": taken.identity.version, "filename": taken.identity.filename, "url": taken.url,
            "sha256": taken.object.sha256.to_string(), "size": taken.object.size,
        }),
        Err(why) => json!({"path": result.path, "status": "skipped", "message": why}),
    }
}
