//! Parses dates and durations: those of `--exclude-newer`, `cache prune --older-than` and
//! `SOURCE_DATE_EPOCH`.

use jiff::{Span, ToSpan, civil::Date, tz::TimeZone};

use crate::cli::error::CliError;
use crate::cli::host::environment::Environment;
use crate::domain::Timestamp;

/// The variable with the date to state in outputs instead of the current one: seconds since
/// 1970-01-01 UTC.
const SOURCE_DATE: &str = "SOURCE_DATE_EPOCH";

/// Returns the date of `SOURCE_DATE_EPOCH`, if set.
///
/// # Errors
/// When the value is no number of seconds.
pub fn source_date(environment: &Environment) -> Result<Option<Timestamp>, CliError> {
    let date = |text: String| text.trim().parse().ok().filter(|seconds| *seconds >= 0).map(Timestamp).ok_or(text);
    environment
        .variable(SOURCE_DATE)
        .map(date)
        .transpose()
        .map_err(|text| CliError::usage(format!("{SOURCE_DATE} is `{text}`, which is no number of seconds since 1970")))
}

/// Parses a moment relative to `now`: `2026-03-01T12:00:00Z`; `2026-03-01`, which is the end of
/// that day in UTC; or an age such as `7 days` or `P7D`.
///
/// # Errors
/// When the text has none of these forms; the error names them.
pub fn parse(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let text = text.trim();
    let moment = text.parse::<jiff::Timestamp>().ok().or_else(|| end_of_day(text)).or_else(|| before(text, now));
    let moment = moment.ok_or_else(|| {
        format!("`{text}` is no date; write 2026-03-01, 2026-03-01T12:00:00Z, or an age such as `7 days`")
    })?;
    Ok(Timestamp(moment.as_second()))
}

fn end_of_day(text: &str) -> Option<jiff::Timestamp> {
    let next: Date = text.parse::<Date>().ok()?.checked_add(1.day()).ok()?;
    Some(next.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn before(text: &str, now: Timestamp) -> Option<jiff::Timestamp> {
    let age: Span = text.parse().ok()?;
    let now = jiff::Timestamp::from_second(now.0).ok()?.to_zoned(TimeZone::UTC);
    Some(now.checked_sub(age.abs()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_moments_and_ages() {
        let now = Timestamp(1_000_000);
        for (text, expected) in [
            ("1970-01-02", 172_800),
            ("1970-01-01T00:00:05Z", 5),
            ("1970-01-01T01:00:00+01:00", 0),
            ("7 days", 1_000_000 - 7 * 86_400),
            ("P1D", 1_000_000 - 86_400),
        ] {
            assert_eq!(parse(text, now), Ok(Timestamp(expected)), "{text}");
        }
        for text in ["yesterday", "", "2026-13-01", "7"] {
            assert!(parse(text, now).is_err(), "{text}");
        }
    }
}
