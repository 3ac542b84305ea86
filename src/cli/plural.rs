//! Counts with their nouns: `1 file`, `2 files`.

/// Returns a number with its noun, such as `1 file` or `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("{number} {noun}") } else { format!("{number} {noun}s") }
}

/// Returns a number of entries: `1 entry` or `2 entries`.
pub fn entries(number: usize) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}
