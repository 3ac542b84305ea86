//! The circuit breaker of a host, which stops requests to it while it does not answer.
//!
//! If a host does not answer, a single request retries on behalf of all that wait for it, and when
//! that one gives up they all do: a hundred requests to a dead host cost hardly more than one. From
//! then on a request is let through now and then (the circuit is half-open), so that whatever runs
//! for long finds a host that is back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::connect_error::ConnectErrorKind;
use super::error::HttpError;
use super::retry::{AttemptOutcome, Retry};
use crate::domain::MaskedUrl;

/// How long no request is sent to a host that was given up, before one tries it again.
const TRIAL_INTERVAL: Duration = Duration::from_secs(10);

/// The circuit breaker of one host.
#[derive(Clone, Debug, Default)]
pub(super) struct CircuitBreaker(Arc<watch::Sender<CircuitState>>);

#[derive(Debug, Default)]
struct CircuitState {
    /// The number of responses that did not ask for a retry.
    successes: u64,
    open: Option<OpenReason>,
    /// The number of the request that retries on behalf of all.
    prober: Option<u64>,
    probers: u64,
}

#[derive(Debug)]
enum OpenReason {
    /// The host does not answer: no request is sent, but one every [`TRIAL_INTERVAL`].
    Unreachable { why: Arc<str>, kind: ConnectErrorKind, next_trial: Instant },
    /// The host answers that it is overloaded: requests are sent once, but not retried.
    Overloaded,
}

impl CircuitBreaker {
    /// Checks that requests to the host have not been given up, or that this one may try again.
    ///
    /// # Errors
    /// When they have, with the error of the host's last request and `url`.
    pub fn check(&self, url: &MaskedUrl) -> Result<(), HttpError> {
        let mut outcome = Ok(());
        self.0.send_if_modified(|state| {
            if let Some(OpenReason::Unreachable { why, kind, next_trial }) = &mut state.open {
                let now = Instant::now();
                match *next_trial <= now {
                    true => *next_trial = now + TRIAL_INTERVAL,
                    false => {
                        let (url, why) = (url.clone(), why.clone());
                        outcome = Err(HttpError::Unreachable { url, why, kind: *kind });
                    }
                }
            }
            false
        });
        outcome
    }

    /// Records a response of the host.
    pub fn answered(&self, status: u16) {
        if !(AttemptOutcome::Status { status, retry_after: None }).is_transient() {
            self.0.send_modify(|state| {
                state.successes += 1;
                (state.prober, state.open) = (None, None);
            });
        }
    }

    fn is_open(&self) -> bool {
        self.0.borrow().open.is_some()
    }

    fn successes(&self) -> u64 {
        self.0.borrow().successes
    }

    /// Waits until this request may retry on behalf of all.
    ///
    /// Returns `None` once another request succeeded, so that there are more than `successes`, or
    /// the host was given up.
    async fn probe(&self, successes: u64) -> Option<ProbePermit> {
        let mut state = self.0.subscribe();
        loop {
            let mut number = None;
            self.0.send_if_modified(|state| {
                if state.prober.is_none() && state.successes == successes && state.open.is_none() {
                    (state.probers, state.prober) = (state.probers + 1, Some(state.probers + 1));
                    number = state.prober;
                }
                false
            });
            if let Some(number) = number {
                return Some(ProbePermit { host: self.clone(), number });
            }
            let is_over = |state: &CircuitState| state.successes != successes || state.open.is_some();
            let state = state.wait_for(|state| is_over(state) || state.prober.is_none()).await;
            if is_over(&state.expect("the sender is held here")) {
                return None;
            }
        }
    }
}

/// The permit to retry on behalf of all, until dropped.
#[derive(Debug)]
struct ProbePermit {
    host: CircuitBreaker,
    number: u64,
}

impl Drop for ProbePermit {
    fn drop(&mut self) {
        self.host.0.send_if_modified(|state| {
            let is_own = state.prober == Some(self.number);
            if is_own {
                state.prober = None;
            }
            is_own
        });
    }
}

/// The attempts of one request.
#[derive(Debug)]
pub struct Attempts {
    retry: Retry,
    /// The host that failed first, and its number of successes at that time.
    first: Option<(CircuitBreaker, u64)>,
    probe: Option<ProbePermit>,
}

impl Attempts {
    pub(super) fn new(retries: u32) -> Self {
        Self { retry: Retry::new(retries), first: None, probe: None }
    }

    /// Whether retries are allowed at all.
    pub fn is_allowed(&self) -> bool {
        self.retry.is_allowed()
    }

    /// Restarts the count of attempts, since bytes arrived that need not be sent again.
    pub fn progressed(&mut self) {
        self.retry.progressed();
        self.first = None;
    }

    /// Waits until the request to `host` may be sent again after `error`; returns `false` if it has
    /// failed for good.
    ///
    /// `chance` is a random number between 0 and 1.
    pub(super) async fn pause(&mut self, host: &CircuitBreaker, error: &HttpError, chance: f64) -> bool {
        let successes = host.successes();
        self.first.get_or_insert_with(|| (host.clone(), successes));
        let Some(pause) = self.retry.after(error.outcome(), chance) else {
            self.open_circuit(error);
            return false;
        };
        match error {
            HttpError::Unreachable { .. } if self.probe.is_none() => match host.probe(successes).await {
                Some(probe) => self.probe = Some(probe),
                None => return !host.is_open(),
            },
            HttpError::Unreachable { .. } => {}
            _ => self.probe = None,
        }
        if !pause.is_zero() && !host.is_open() {
            tokio::time::sleep(pause).await;
        }
        !host.is_open()
    }

    /// Gives the host up for all requests, unless it has answered any since this request first
    /// failed.
    fn open_circuit(&mut self, error: &HttpError) {
        let Some((host, successes)) = self.first.take() else { return };
        let is_first_answer = host.successes() == 0;
        let reason = match error {
            HttpError::Unreachable { why, kind, .. } => {
                let next_trial = Instant::now() + TRIAL_INTERVAL;
                OpenReason::Unreachable { why: why.clone(), kind: *kind, next_trial }
            }
            HttpError::Status { .. } if error.outcome().is_transient() => OpenReason::Overloaded,
            _ => return,
        };
        let is_sure = error.outcome().is_transient() && self.retry.is_allowed();
        if host.successes() == successes && (is_sure || is_first_answer) {
            host.0.send_modify(|state| state.open = Some(reason));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    fn unreachable(place: &str, kind: ConnectErrorKind) -> HttpError {
        HttpError::Unreachable { url: place.parse().unwrap(), why: "refused".into(), kind }
    }

    fn refused() -> HttpError {
        unreachable("https://index.example/simple/a/", ConnectErrorKind::Transient)
    }

    fn is_given_up(host: &CircuitBreaker) -> bool {
        host.check(&"https://index.example/simple/b/".parse().unwrap()).is_err()
    }

    fn answer(host: &CircuitBreaker, status: u16) {
        host.answered(status);
    }

    /// Returns the result of a pause that is already decided; without a chance there is no pause.
    fn next(host: &CircuitBreaker, attempts: &mut Attempts, error: &HttpError) -> Option<bool> {
        attempts.pause(host, error, 0.0).now_or_never()
    }

    #[test]
    fn one_asks_for_all_and_all_give_up_with_it() {
        let host = CircuitBreaker::default();
        let (mut first, mut second) = (Attempts::new(2), Attempts::new(2));
        assert_eq!(next(&host, &mut first, &refused()), Some(true));
        let error = refused();
        let mut waiting = Box::pin(second.pause(&host, &error, 0.0));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        assert_eq!(next(&host, &mut first, &refused()), Some(true));
        assert!(!is_given_up(&host));
        assert_eq!(next(&host, &mut first, &refused()), Some(false));
        assert!(is_given_up(&host));
        assert_eq!(waiting.now_or_never(), Some(false));
    }

    #[test]
    fn an_answer_to_one_sets_all_going() {
        let host = CircuitBreaker::default();
        let (mut first, mut second) = (Attempts::new(1), Attempts::new(1));
        let error = refused();
        assert_eq!(next(&host, &mut first, &error), Some(true));
        let mut waiting = Box::pin(second.pause(&host, &error, 0.0));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        answer(&host, 200);
        assert_eq!(waiting.now_or_never(), Some(true));
        assert_eq!(next(&host, &mut first, &error), Some(false), "its own retries are used up");
        assert!(!is_given_up(&host), "others get answers");
    }

    #[test]
    fn whoever_asked_for_all_and_went_away_is_replaced() {
        let host = CircuitBreaker::default();
        let (mut first, mut second) = (Attempts::new(1), Attempts::new(1));
        let error = refused();
        assert_eq!(next(&host, &mut first, &error), Some(true));
        let mut waiting = Box::pin(second.pause(&host, &error, 0.0));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        drop(first);
        assert_eq!(waiting.now_or_never(), Some(true));
    }

    #[test]
    fn what_cannot_pass_is_tried_once_for_all() {
        let host = CircuitBreaker::default();
        let error = unreachable("https://index.example/simple/a/", ConnectErrorKind::Certificate);
        assert_eq!(next(&host, &mut Attempts::new(5), &error), Some(false));
        assert!(is_given_up(&host));
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_at_a_time_tries_a_host_that_was_given_up() {
        let host = CircuitBreaker::default();
        assert!(!Attempts::new(0).pause(&host, &refused(), 0.0).await);
        for _ in 0..2 {
            assert!(is_given_up(&host));
            tokio::time::advance(TRIAL_INTERVAL).await;
            assert!(!is_given_up(&host));
            assert_eq!(next(&host, &mut Attempts::new(5), &refused()), Some(false), "it is tried once");
        }
        tokio::time::advance(TRIAL_INTERVAL).await;
        assert!(!is_given_up(&host));
        answer(&host, 200);
        assert!(!is_given_up(&host) && !is_given_up(&host));
    }

    #[test]
    fn a_host_that_has_answered_is_not_given_up_without_a_retry() {
        let host = CircuitBreaker::default();
        answer(&host, 200);
        assert_eq!(next(&host, &mut Attempts::new(0), &refused()), Some(false));
        assert!(!is_given_up(&host));
    }

    #[test]
    fn a_host_in_trouble_is_asked_once_by_each() {
        let host = CircuitBreaker::default();
        let url = "https://index.example/simple/a/".parse().unwrap();
        let error = || HttpError::status(&url, reqwest::StatusCode::SERVICE_UNAVAILABLE);
        let mut first = Attempts::new(1);
        assert_eq!(next(&host, &mut first, &error()), Some(true));
        assert_eq!(next(&host, &mut first, &error()), Some(false));
        assert_eq!(next(&host, &mut Attempts::new(9), &error()), Some(false));
        assert!(!is_given_up(&host), "it may be asked");
        answer(&host, 503);
        assert_eq!(next(&host, &mut Attempts::new(9), &error()), Some(false));
        answer(&host, 404);
        assert_eq!(next(&host, &mut Attempts::new(9), &error()), Some(true));
    }
}
