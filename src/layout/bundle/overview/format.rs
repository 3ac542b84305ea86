//! Formats numbers for people.

/// Returns a size in bytes for people, such as `83.3 MiB`; the page's own script formats sizes the
/// same way.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// Returns a number with its noun, such as `1 file` or `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Returns the day of an RFC 3339 timestamp.
pub fn day(moment: &str) -> &str {
    moment.split('T').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let written = [0, 1023, 1024, 1_048_525, 1 << 30, u64::MAX].map(size);
        assert_eq!(written, ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.0 GiB", "16777216.0 TiB"]);
    }
}
