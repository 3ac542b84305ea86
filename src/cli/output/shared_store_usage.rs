//! What a run read from a shared store and wrote to it, in words.

use indicatif::HumanBytes;

use super::terminal::{say, warn};
use crate::cli::plural::count;
use crate::shared_store::SharedStoreUsage;

/// Prints what went wrong, and unless `is_quiet` what was done.
pub fn print(usage: &SharedStoreUsage, is_quiet: bool) {
    usage.warnings.iter().for_each(warn);
    let parts =
        [(usage.files_fetched, usage.bytes_fetched, "from"), (usage.files_uploaded, usage.bytes_uploaded, "to")];
    let done = parts.iter().filter(|(files, ..)| *files > 0);
    let words = done.map(|(files, bytes, way)| format!("{} ({}) {way} it", count(*files, "file"), HumanBytes(*bytes)));
    let words = words.collect::<Vec<_>>().join(", ");
    if !is_quiet && !words.is_empty() {
        say(format!("Shared store: {words}."));
    }
}
