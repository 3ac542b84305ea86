//! Which hosts answer. Where one does not, a single request asks again on behalf of all that wait
//! for it, and when that one gives up they all do: a hundred requests to a dead host cost hardly
//! more than one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use url::Url;

use super::error::HttpError;
use super::host_name;
use super::retry::{Outcome, Retry};
use super::trouble::Trouble;
use crate::domain::MaskedUrl;

/// The health of every host.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<HashMap<String, Host>>);

impl Health {
    /// Passes while requests to the host of `url` are worth making.
    ///
    /// # Errors
    /// When requests to the host of `url` were given up.
    pub fn check(&self, url: &MaskedUrl) -> Result<(), HttpError> {
        match &self.host(url.secret()).0.borrow().given_up {
            Some(GivenUp::Silent { why, trouble }) => {
                Err(HttpError::Unreachable { url: url.clone(), why: why.clone(), trouble: *trouble })
            }
            _ => Ok(()),
        }
    }

    /// Notes that the host of `url` answered.
    pub fn answered(&self, url: &Url, status: u16) {
        if !(Outcome::Status { status, retry_after: None }).may_pass() {
            self.host(url).0.send_modify(|state| {
                state.good += 1;
                (state.prober, state.given_up) = (None, None);
            });
        }
    }

    fn host(&self, url: &Url) -> Host {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.entry(host_name(url)).or_default().clone()
    }
}

#[derive(Clone, Debug, Default)]
struct Host(Arc<watch::Sender<State>>);

#[derive(Debug, Default)]
struct State {
    /// Answers that were no trouble.
    good: u64,
    given_up: Option<GivenUp>,
    /// Which request asks for all that got no answer.
    prober: Option<u64>,
    probers: u64,
}

#[derive(Debug)]
enum GivenUp {
    /// There is no answer: nobody asks any more.
    Silent { why: Arc<str>, trouble: Trouble },
    /// It answers that it is in trouble: nobody asks twice.
    Troubled,
}

impl Host {
    fn good(&self) -> u64 {
        self.0.borrow().good
    }

    /// Waits for the turn to ask for all; `None` once a request had a good answer since there
    /// were `good` of them, or all are given up.
    async fn probe(&self, good: u64) -> Option<Probe> {
        let mut state = self.0.subscribe();
        loop {
            let mut number = None;
            self.0.send_if_modified(|state| {
                if state.prober.is_none() && state.good == good && state.given_up.is_none() {
                    (state.probers, state.prober) = (state.probers + 1, Some(state.probers + 1));
                    number = state.prober;
                }
                false
            });
            if let Some(number) = number {
                return Some(Probe { host: self.clone(), number });
            }
            let is_over = |state: &State| state.good != good || state.given_up.is_some();
            let state = state.wait_for(|state| is_over(state) || state.prober.is_none()).await;
            if is_over(&state.expect("the sender is held here")) {
                return None;
            }
        }
    }
}

/// The right to ask for all, until dropped.
#[derive(Debug)]
struct Probe {
    host: Host,
    number: u64,
}

impl Drop for Probe {
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
    /// The host that failed first, and how many good answers it had given by then.
    first: Option<(Host, u64)>,
    probe: Option<Probe>,
}

impl Attempts {
    pub(super) fn new(retries: u32) -> Self {
        Self { retry: Retry::new(retries), first: None, probe: None }
    }

    /// Whether any retry is allowed at all.
    pub fn is_allowed(&self) -> bool {
        self.retry.is_allowed()
    }

    /// Bytes arrived that need not come again: the count begins anew.
    pub fn progressed(&mut self) {
        self.retry.progressed();
        self.first = None;
    }

    /// Waits until the request may be made again after `error`; `false` if that is to be told.
    /// `chance` is between 0 and 1.
    pub(super) async fn pause(&mut self, health: &Health, error: &HttpError, chance: f64) -> bool {
        let Some(url) = error.url() else { return false };
        let host = health.host(url.secret());
        let good = host.good();
        self.first.get_or_insert_with(|| (host.clone(), good));
        let Some(pause) = self.retry.after(error.outcome(), chance) else {
            self.give_up(error);
            return false;
        };
        match error {
            HttpError::Unreachable { .. } if self.probe.is_none() => match host.probe(good).await {
                Some(probe) => self.probe = Some(probe),
                None => return host.0.borrow().given_up.is_none(),
            },
            HttpError::Unreachable { .. } => {}
            _ => self.probe = None,
        }
        if !pause.is_zero() && host.0.borrow().given_up.is_none() {
            tokio::time::sleep(pause).await;
        }
        host.0.borrow().given_up.is_none()
    }

    /// Gives the host up for all, unless it has answered anybody since this request first failed.
    fn give_up(&mut self, error: &HttpError) {
        let Some((host, good)) = self.first.take() else { return };
        let is_first_word = host.good() == 0;
        let verdict = match error {
            HttpError::Unreachable { why, trouble, .. } => GivenUp::Silent { why: why.clone(), trouble: *trouble },
            HttpError::Status { .. } if error.outcome().may_pass() => GivenUp::Troubled,
            _ => return,
        };
        let is_sure = error.outcome().may_pass() && self.retry.is_allowed();
        if host.good() == good && (is_sure || is_first_word) {
            host.0.send_modify(|state| state.given_up = Some(verdict));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    fn unreachable(place: &str, trouble: Trouble) -> HttpError {
        HttpError::Unreachable { url: place.parse().unwrap(), why: "refused".into(), trouble }
    }

    fn refused() -> HttpError {
        unreachable("https://index.example/simple/a/", Trouble::Passing)
    }

    fn is_given_up(health: &Health) -> bool {
        health.check(&"https://index.example/simple/b/".parse().unwrap()).is_err()
    }

    fn answer(health: &Health, status: u16) {
        health.answered(&"https://index.example/".parse().unwrap(), status);
    }

    /// What a request does next, as far as that is settled by now. No chance means no pause.
    fn next(health: &Health, attempts: &mut Attempts, error: &HttpError) -> Option<bool> {
        attempts.pause(health, error, 0.0).now_or_never()
    }

    #[test]
    fn one_asks_for_all_and_all_give_up_with_it() {
        let health = Health::default();
        let (mut first, mut second) = (Attempts::new(2), Attempts::new(2));
        assert_eq!(next(&health, &mut first, &refused()), Some(true));
        let error = refused();
        let mut waiting = Box::pin(second.pause(&health, &error, 0.0));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        assert_eq!(next(&health, &mut first, &refused()), Some(true));
        assert!(!is_given_up(&health));
        assert_eq!(next(&health, &mut first, &refused()), Some(false));
        assert!(is_given_up(&health));
        assert_eq!(waiting.now_or_never(), Some(false));
        assert!(health.check(&"https://other.example/".parse().unwrap()).is_ok());
    }

    #[test]
    fn an_answer_to_one_sets_all_going() {
        let health = Health::default();
        let (mut first, mut second) = (Attempts::new(1), Attempts::new(1));
        let error = refused();
        assert_eq!(next(&health, &mut first, &error), Some(true));
        let mut waiting = Box::pin(second.pause(&health, &error, 0.0));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        answer(&health, 200);
        assert_eq!(waiting.now_or_never(), Some(true));
        assert_eq!(next(&health, &mut first, &error), Some(false), "its own retries are used up");
        assert!(!is_given_up(&health), "others get answers");
    }

    #[test]
    fn whoever_asked_for_all_and_went_away_is_replaced() {
        let health = Health::default();
        let (mut first, mut second) = (Attempts::new(1), Attempts::new(1));
        let error = refused();
        assert_eq!(next(&health, &mut first, &error), Some(true));
        let mut waiting = Box::pin(second.pause(&health, &error, 0.0));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        drop(first);
        assert_eq!(waiting.now_or_never(), Some(true));
    }

    #[test]
    fn what_cannot_pass_is_tried_once_for_all() {
        let health = Health::default();
        let error = unreachable("https://index.example/simple/a/", Trouble::Certificate);
        assert_eq!(next(&health, &mut Attempts::new(5), &error), Some(false));
        assert!(is_given_up(&health));
    }

    #[test]
    fn a_host_that_has_answered_is_not_given_up_without_a_retry() {
        let health = Health::default();
        answer(&health, 200);
        assert_eq!(next(&health, &mut Attempts::new(0), &refused()), Some(false));
        assert!(!is_given_up(&health));
    }

    #[test]
    fn a_host_in_trouble_is_asked_once_by_each() {
        let health = Health::default();
        let url = "https://index.example/simple/a/".parse().unwrap();
        let error = || HttpError::status(&url, reqwest::StatusCode::SERVICE_UNAVAILABLE);
        let mut first = Attempts::new(1);
        assert_eq!(next(&health, &mut first, &error()), Some(true));
        assert_eq!(next(&health, &mut first, &error()), Some(false));
        assert_eq!(next(&health, &mut Attempts::new(9), &error()), Some(false));
        assert!(!is_given_up(&health), "it may be asked");
        answer(&health, 503);
        assert_eq!(next(&health, &mut Attempts::new(9), &error()), Some(false));
        answer(&health, 404);
        assert_eq!(next(&health, &mut Attempts::new(9), &error()), Some(true));
    }
}
