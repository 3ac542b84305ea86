//! What a run read from a shared store and wrote to it, in words.

use indicatif::HumanBytes;

use super::terminal::{say, warn};
use crate::cli::plural::{self, count};
use crate::shared_store::{SharedStoreUsage, Traffic};

/// Prints what went wrong, and unless `is_quiet` what was done.
pub fn print(usage: &SharedStoreUsage, is_quiet: bool) {
    usage.warnings.iter().for_each(warn);
    let done = [(usage.fetched, "from"), (usage.uploaded, "to")];
    let words = done.iter().filter_map(|(traffic, way)| Some(format!("{} {way} it", of_traffic(*traffic)?)));
    let words = words.collect::<Vec<_>>().join(", ");
    if !is_quiet && !words.is_empty() {
        say(format!("Shared store: {words}."));
    }
}

/// Returns what went one way, unless that is nothing.
fn of_traffic(Traffic { files, bytes, entries }: Traffic) -> Option<String> {
    let files = (files > 0).then(|| format!("{} ({})", count(files, "file"), HumanBytes(bytes)));
    let entries = (entries > 0).then(|| plural::entries(entries));
    let parts: Vec<_> = files.into_iter().chain(entries).collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}
