//! Counts with their nouns (`1 file`, `2 files`), and lists that are cut short (`a, b and 3 more`).

/// Returns a number with its noun, such as `1 file` or `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("{number} {noun}") } else { format!("{number} {noun}s") }
}

/// Returns a number of entries: `1 entry` or `2 entries`.
pub fn entries(number: usize) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}

/// Joins the first `max` names with commas, and counts the others: `a, b and 3 more`.
pub fn listed(names: &[impl AsRef<str>], max: usize) -> String {
    let named: Vec<&str> = names.iter().take(max).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(max) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
