//! Decides on retries by arithmetic alone: an outcome goes in, a delay or the end comes out.
//!
//! The caller sleeps, and supplies the randomness.

use std::time::Duration;

/// How an unsuccessful request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The server answered with this status, and maybe how long to wait.
    Status { status: u16, retry_after: Option<Duration> },
    /// There was no connection, or it broke: resets, timeouts, truncated bodies.
    ConnectionFailed,
    /// A retry cannot help.
    Final,
}

/// The longest pause before the first retry, doubled for each further one (pip's 0.25 s).
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause that the server did not ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The sum of all pauses of one request; if a server asks for more, the request fails.
const BUDGET: Duration = Duration::from_secs(300);

/// Counts the attempts of one request, and its pauses.
#[derive(Clone, Debug)]
pub struct Retry {
    retries: u32,
    done: u32,
    waited: Duration,
}

impl Retry {
    /// Allows `retries` attempts after the first.
    pub fn new(retries: u32) -> Self {
        Self { retries, done: 0, waited: Duration::ZERO }
    }

    /// Returns how long to wait before the next attempt; `None` to give up.
    ///
    /// The server's `Retry-After` applies, else the longest pause times `chance`, which is between
    /// 0 and 1 ("full jitter", which keeps many clients from retrying at the same moment).
    pub fn after(&mut self, outcome: AttemptOutcome, chance: f64) -> Option<Duration> {
        if !outcome.is_transient() || self.done == self.retries {
            return None;
        }
        let longest = FIRST_PAUSE.saturating_mul(1 << self.done.min(16)).min(LONGEST_PAUSE);
        let pause = match outcome {
            AttemptOutcome::Status { retry_after: Some(asked), .. } => asked,
            _ => longest.mul_f64(chance.clamp(0.0, 1.0)),
        };
        self.waited = self.waited.saturating_add(pause);
        self.done += 1;
        (self.waited <= BUDGET).then_some(pause)
    }

    /// Whether retries are allowed at all.
    pub fn is_allowed(&self) -> bool {
        self.retries > 0
    }

    /// Restarts the count of attempts, since bytes arrived that need not be sent again.
    pub fn progressed(&mut self) {
        *self = Self::new(self.retries);
    }
}

impl AttemptOutcome {
    /// Whether a retry may help.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            Self::ConnectionFailed => true,
            Self::Final => false,
        }
    }
}

/// Parses `Retry-After` in either of its forms (RFC 9110, 10.2.3).
///
/// A date is relative to the response's own `Date`, so that clocks may differ.
pub fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = httpdate::parse_http_date(value.trim()).ok()?;
    let now = httpdate::parse_http_date(date?).ok()?;
    Some(moment.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, retry_after: Option<u64>) -> AttemptOutcome {
        AttemptOutcome::Status { status, retry_after: retry_after.map(Duration::from_secs) }
    }

    fn pauses(retries: u32, outcome: AttemptOutcome, chance: f64) -> Vec<u128> {
        let mut retry = Retry::new(retries);
        std::iter::from_fn(|| retry.after(outcome, chance)).map(|pause| pause.as_millis()).collect()
    }

    #[test]
    fn no_answer_asks_for_more_time_than_there_is() {
        let mut retry = Retry::new(5);
        assert!(retry.after(status(429, Some(1)), 1.0).is_some());
        assert_eq!(retry.after(status(429, Some(u64::MAX)), 1.0), None);
    }

    #[test]
    fn the_outcomes_that_are_retried() {
        let retried: Vec<_> = (100..600).filter(|code| status(*code, None).is_transient()).collect();
        insta::assert_compact_debug_snapshot!(retried, @"[408, 425, 429, 500, 502, 503, 504]");
        assert!(AttemptOutcome::ConnectionFailed.is_transient() && !AttemptOutcome::Final.is_transient());
        for never in [401, 403, 404, 410] {
            assert_eq!(Retry::new(9).after(status(never, Some(0)), 0.5), None, "{never}");
        }
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_end() {
        let longest = [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000];
        assert_eq!(pauses(9, AttemptOutcome::ConnectionFailed, 1.0), longest);
        assert_eq!(pauses(9, AttemptOutcome::ConnectionFailed, 0.5), longest.map(|pause| pause / 2));
        assert_eq!(pauses(2, AttemptOutcome::ConnectionFailed, 0.0), [0, 0]);
        assert_eq!(pauses(2, AttemptOutcome::ConnectionFailed, 7.0), [250, 500], "a chance is at most 1");
        assert_eq!(pauses(3, AttemptOutcome::Final, 1.0), [0; 0]);
        assert_eq!(pauses(0, AttemptOutcome::ConnectionFailed, 1.0), [0; 0]);
    }

    #[test]
    fn all_pauses_together_are_bounded() {
        let all: u128 = pauses(u32::MAX, AttemptOutcome::ConnectionFailed, 1.0).iter().sum();
        assert!((270_000..=300_000).contains(&all), "{all}");
        assert_eq!(pauses(9, status(429, Some(100)), 0.3), [100_000; 3]);
        assert_eq!(pauses(9, status(503, Some(301)), 0.3), [0; 0]);
    }

    #[test]
    fn progress_begins_the_count_anew() {
        let mut retry = Retry::new(1);
        assert!(retry.after(AttemptOutcome::ConnectionFailed, 1.0).is_some());
        retry.progressed();
        assert_eq!(retry.after(AttemptOutcome::ConnectionFailed, 1.0), Some(FIRST_PAUSE));
        assert_eq!(retry.after(AttemptOutcome::ConnectionFailed, 1.0), None);
    }

    #[test]
    fn retry_after_has_two_forms() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let seconds = |value, date| retry_after(value, date).map(|pause| pause.as_secs());
        assert_eq!(seconds("120", None), Some(120));
        assert_eq!(seconds(" 0 ", date), Some(0));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:50:00 GMT", date), Some(23));
        assert_eq!(seconds("Sun Nov  6 08:50:00 1994", date), Some(23));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:00:00 GMT", date), Some(0), "the past is now");
        assert_eq!(seconds("Sun, 06 Nov 1994 08:50:00 GMT", None), None);
        for nonsense in ["", "-1", "1.5", "soon", "99999999999999999999999"] {
            assert_eq!(seconds(nonsense, date), None, "{nonsense}");
        }
    }
}
