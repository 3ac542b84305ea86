//! Sizes as people write them: `4G`, `700M`.

/// The smallest volume that makes sense, in bytes.
const SMALLEST: u64 = 64 << 10;

/// Reads a number of bytes, with K, M, G or T for the powers of 1024.
///
/// # Errors
/// When it is none, or too small for a volume.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size; write it as 4G, 700M or a number of bytes");
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let shift = match text[digits.len()..].to_ascii_uppercase().trim_end_matches("IB").trim_end_matches('B') {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let size = number.checked_mul(1 << shift).ok_or_else(wrong)?;
    if size < SMALLEST { Err(format!("a volume of {size} bytes is too small; use 64K or more")) } else { Ok(size) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_spelling() {
        for (text, size) in
            [("4G", 4 << 30), ("700m", 700 << 20), ("64KiB", 64 << 10), ("70000", 70_000), ("1TB", 1 << 40)]
        {
            assert_eq!(parse(text), Ok(size), "{text}");
        }
        for text in ["", "G", "4X", "-1G", "1.5G", "99999999T", "1K"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
