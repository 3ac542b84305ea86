//! The table of a dry run: every file of the plan, largest first, and the totals.

use indicatif::HumanBytes;

use crate::cli::plural::count;
use crate::ops::FilesToFetch;

/// Returns a line for each file, and the totals.
pub fn lines(files: &FilesToFetch<'_>) -> Vec<String> {
    let stored = files.stored.iter().map(|(link, size)| (Some(*size), "cached", &*link.filename));
    let missing = files.missing.iter().map(|link| (link.expected.size, "fetch", &*link.filename));
    let mut rows: Vec<_> = stored.chain(missing).collect();
    rows.sort_by(|(size, _, name), (other_size, _, other)| other_size.cmp(size).then(name.cmp(other)));
    let row = |(size, how, name): &(Option<u64>, &str, &str)| {
        format!("{:>11}  {how:<6}  {name}", size.map_or("not told".to_owned(), |size| HumanBytes(size).to_string()))
    };
    rows.iter().map(row).chain([String::new()]).chain(totals(files)).collect()
}

fn totals(files: &FilesToFetch<'_>) -> Vec<String> {
    let known = || files.missing.iter().filter_map(|link| link.expected.size);
    let untold = files.missing.len() - known().count();
    let more = if untold == 0 { String::new() } else { format!(" and {untold} of unknown size") };
    let free = files.free.map(|free| format!("; {} are free in the cache's file system", HumanBytes(free)));
    let stored = files.stored.iter().map(|(_, size)| size).sum();
    vec![
        format!(
            "To fetch:      {} ({}{more}){}",
            count(files.missing.len(), "file"),
            HumanBytes(known().sum()),
            free.unwrap_or_default()
        ),
        format!("In the cache:  {} ({})", count(files.stored.len(), "file"), HumanBytes(stored)),
    ]
}
