//! Counts with their nouns: `1 file`, `2 files`.

/// Returns a number with its noun, such as `1 file` or `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("{number} {noun}") } else { format!("{number} {noun}s") }
}
