//! Parses sizes such as `4G`, `700 MB` or `1.5GiB`.

/// The smallest allowed volume, in bytes.
const SMALLEST_VOLUME: u64 = 64 << 10;

/// The units, as GNU's tools read them: a letter alone is a power of 1024, as with `iB`; with a `B`
/// it is one of 1000.
const UNITS: [(&str, u64); 14] = [
    ("", 1),
    ("B", 1),
    ("K", 1 << 10),
    ("KIB", 1 << 10),
    ("KB", 1_000),
    ("M", 1 << 20),
    ("MIB", 1 << 20),
    ("MB", 1_000_000),
    ("G", 1 << 30),
    ("GIB", 1 << 30),
    ("GB", 1_000_000_000),
    ("T", 1 << 40),
    ("TIB", 1 << 40),
    ("TB", 1_000_000_000_000),
];

/// Parses a number of bytes.
///
/// # Errors
/// When the text is no number with a known unit.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size; write it as 4G, 700MB, 1.5GiB or a number of bytes");
    let upper = text.trim().to_ascii_uppercase();
    let end = upper.find(|next: char| !next.is_ascii_digit() && next != '.').unwrap_or(upper.len());
    let (number, unit) = upper.split_at(end);
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(wrong)?;
    let size = match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(*scale),
        Err(_) => number.parse::<f64>().ok().map(|number| (number * *scale as f64) as u64),
    };
    size.filter(|size| *size < u64::MAX).ok_or_else(wrong)
}

/// Parses the size of a volume.
///
/// # Errors
/// When the text is no size, or the size is too small.
pub fn parse_volume(text: &str) -> Result<u64, String> {
    match parse(text)? {
        size if size < SMALLEST_VOLUME => Err(format!("a volume of {size} bytes is too small; use 64K or more")),
        size => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_spelling() {
        for (text, size) in [
            ("0", 0),
            ("7B", 7),
            ("70000", 70_000),
            ("4G", 4 << 30),
            ("700m", 700 << 20),
            ("64KiB", 64 << 10),
            ("1TB", 1_000_000_000_000),
            ("1.5 GiB", 1_610_612_736),
            ("300MB", 300_000_000),
            (" 2kib ", 2048),
        ] {
            assert_eq!(parse(text), Ok(size), "{text}");
        }
        for text in ["", "G", "4X", "-1G", "5 parrots", "1.2.3", ".", "99999999T", "99999999.5T"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn volumes_are_not_tiny() {
        assert_eq!(parse_volume("64K"), Ok(SMALLEST_VOLUME));
        assert!(parse_volume("64KB").is_err() && parse_volume("much").is_err());
    }
}
