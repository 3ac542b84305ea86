//! Retry as arithmetic: an outcome goes in, a delay or the end comes out; the caller sleeps.

use std::time::Duration;

/// How a request ended that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered with this status.
    Status(u16),
    /// No connection, or it broke: resets, time-outs, truncated bodies.
    Broken,
    /// Asking again cannot help.
    Final,
}

/// The pause before the first retry; each further one doubles it (pip's 0.25 s).
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Counts the attempts of one request.
#[derive(Clone, Debug)]
pub struct Retry {
    left: u32,
    pause: Duration,
}

impl Retry {
    /// Allows `retries` attempts after the first.
    pub fn new(retries: u32) -> Self {
        Self { left: retries, pause: FIRST_PAUSE }
    }

    /// How long to wait before the next attempt; `None` to give up.
    pub fn after(&mut self, outcome: Outcome) -> Option<Duration> {
        if !is_worth_it(outcome) || self.left == 0 {
            return None;
        }
        self.left -= 1;
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        Some(pause)
    }
}

fn is_worth_it(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Status(status) => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
        Outcome::Broken => true,
        Outcome::Final => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statuses_that_are_retried() {
        let retried: Vec<_> = (100..600).filter(|status| is_worth_it(Outcome::Status(*status))).collect();
        assert_eq!(retried, [408, 425, 429, 500, 502, 503, 504]);
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_end() {
        let mut retry = Retry::new(9);
        let pauses: Vec<_> =
            std::iter::from_fn(|| retry.after(Outcome::Broken)).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(Retry::new(3).after(Outcome::Final), None);
        assert_eq!(Retry::new(0).after(Outcome::Broken), None);
    }
}
