//! How much one host is asked at once: fewer when it says that it is too much, more again when
//! it answers well. One slow host keeps nobody waiting for another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::host_name;

/// The arithmetic: halved at a refusal, one more after a quarter as many good answers as are allowed
/// at once. Slower, and one refusal in a hundred answers, which is a bad line rather than too
/// much work, would keep it down.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pace {
    most: usize,
    allowed: usize,
    /// Places that are still taken and will not be given again.
    surplus: usize,
    /// Good answers since the last change.
    good: usize,
    /// How often it was lowered.
    lowered: u64,
    /// Many requests share a connection.
    is_shared: bool,
}

/// How many times as many requests are under way where they share a connection (HTTP/2): 96 for
/// pages by default, where servers take 100 or more.
pub const SHARED: usize = 2;

impl Pace {
    fn new(most: usize) -> Self {
        Self { most, allowed: most, surplus: 0, good: 0, lowered: 0, is_shared: false }
    }

    /// How many places go when a request is refused that began after `lowered` reductions. One that
    /// was under way at a reduction tells nothing about the time after it.
    fn refused(&mut self, lowered: u64) -> usize {
        if lowered != self.lowered {
            return 0;
        }
        let allowed = (self.allowed / 2).max(1);
        let gone = self.allowed - allowed;
        (self.allowed, self.good, self.lowered) = (allowed, 0, self.lowered + 1);
        gone
    }

    /// Requests turn out to share a connection: how many places that gives more. A host that ever
    /// said that it is too much gets none.
    fn shared(&mut self) -> usize {
        if self.is_shared || self.lowered > 0 {
            return 0;
        }
        let more = self.most * (SHARED - 1);
        (self.is_shared, self.most, self.allowed) = (true, self.most + more, self.allowed + more);
        more
    }

    /// A request was answered well: whether there is a place more.
    fn answered(&mut self) -> bool {
        self.good += 1;
        let grows = self.allowed < self.most && self.good >= self.allowed.div_ceil(4);
        if grows {
            (self.allowed, self.good) = (self.allowed + 1, 0);
        }
        grows
    }
}

/// The places of every host.
#[derive(Debug)]
pub(super) struct Hosts {
    most: usize,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

#[derive(Debug)]
struct Host {
    places: Arc<Semaphore>,
    pace: Mutex<Pace>,
}

impl Hosts {
    /// At most `most` requests at once for each host, and at least one.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), hosts: Mutex::default() }
    }

    /// Waits until the host of `url` may be asked.
    pub async fn turn(&self, url: &Url) -> Turn {
        let host = self.host(url);
        let place = host.places.clone().acquire_owned().await.expect("the semaphore is never closed");
        Turn::new(host, Some(place))
    }

    /// The right to ask the host of `url` now, if nobody else needs it.
    pub fn spare_turn(&self, url: &Url) -> Option<Turn> {
        let host = self.host(url);
        let place = host.places.clone().try_acquire_owned().ok()?;
        Some(Turn::new(host, Some(place)))
    }

    /// A turn without a place, for a caller that has one at this host already and waits for this
    /// request.
    pub fn borrowed_turn(&self, url: &Url) -> Turn {
        Turn::new(self.host(url), None)
    }

    fn host(&self, url: &Url) -> Arc<Host> {
        let fresh = || {
            let places = Arc::new(Semaphore::new(self.most));
            Arc::new(Host { places, pace: Mutex::new(Pace::new(self.most)) })
        };
        lock(&self.hosts).entry(host_name(url)).or_insert_with(fresh).clone()
    }
}

/// The right to ask a host, until dropped.
#[derive(Debug)]
pub struct Turn {
    host: Arc<Host>,
    lowered: u64,
    place: Option<OwnedSemaphorePermit>,
}

impl Turn {
    fn new(host: Arc<Host>, place: Option<OwnedSemaphorePermit>) -> Self {
        let lowered = lock(&host.pace).lowered;
        Self { host, lowered, place }
    }

    /// Notes that requests to the host share a connection.
    pub(super) fn note_shared(&self) {
        let more = lock(&self.host.pace).shared();
        self.host.places.add_permits(more);
    }

    /// Notes how the host answered: 429 and 503 mean that it is asked too much.
    pub(super) fn note(&self, status: u16) {
        let mut pace = lock(&self.host.pace);
        if matches!(status, 429 | 503) {
            let gone = pace.refused(self.lowered);
            pace.surplus += gone - self.host.places.forget_permits(gone);
        } else if pace.answered() {
            match pace.surplus {
                0 => self.host.places.add_permits(1),
                _ => pace.surplus -= 1,
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut pace = lock(&self.host.pace);
        if let Some(place) = self.place.take().filter(|_| pace.surplus > 0) {
            pace.surplus -= 1;
            place.forget();
        }
    }
}

/// A thread that panicked while counting left nothing half-done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[test]
    fn the_pace_halves_and_recovers() {
        let mut pace = Pace::new(16);
        assert_eq!(pace.refused(0), 8);
        assert_eq!(pace.refused(0), 0, "it began before the reduction");
        assert_eq!((pace.refused(1), pace.refused(2), pace.refused(3), pace.refused(4)), (4, 2, 1, 0));
        let mut answers_until = |allowed: usize| (1..).find(|_| pace.answered() && pace.allowed == allowed);
        assert_eq!(answers_until(2), Some(1));
        assert_eq!(answers_until(5), Some(3));
        assert_eq!(answers_until(16), Some((5..16_usize).map(|allowed| allowed.div_ceil(4)).sum()));
        assert_eq!((0..100).find(|_| pace.answered()), None, "there are never more than at first");
    }

    #[test]
    fn a_shared_connection_takes_more_unless_it_was_too_much() {
        let hosts = Hosts::new(4);
        let turns = take(&hosts, "https://files.example/a");
        turns.iter().for_each(Turn::note_shared);
        assert_eq!(take(&hosts, "https://files.example/b").len(), 4 * (SHARED - 1));
        let refused = take(&hosts, "https://busy.example/a");
        refused[0].note(429);
        refused[0].note_shared();
        assert_eq!(take(&hosts, "https://busy.example/b").len(), 0);
    }

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn take(hosts: &Hosts, host: &str) -> Vec<Turn> {
        std::iter::from_fn(|| hosts.turn(&url(host)).now_or_never()).collect()
    }

    #[test]
    fn a_slow_host_keeps_nobody_waiting_for_another() {
        let hosts = Hosts::new(4);
        let slow = take(&hosts, "https://files.example/a");
        assert_eq!((slow.len(), take(&hosts, "https://other.example/a").len()), (4, 4));
        drop(slow);
        assert_eq!(take(&hosts, "https://files.example/b").len(), 4);
    }

    #[test]
    fn spare_places_are_only_those_that_nobody_has() {
        let (hosts, url) = (Hosts::new(2), url("https://files.example/a"));
        let (first, second) = (hosts.spare_turn(&url), hosts.spare_turn(&url));
        assert!(second.is_some() && hosts.spare_turn(&url).is_none());
        drop(hosts.borrowed_turn(&url));
        assert!(hosts.spare_turn(&url).is_none(), "a borrowed turn gives nothing back");
        drop(first);
        assert!(hosts.spare_turn(&url).is_some());
    }

    #[test]
    fn a_refusal_takes_places_away_also_those_in_use() {
        let hosts = Hosts::new(8);
        let turns = take(&hosts, "https://files.example/a");
        turns.iter().for_each(|turn| turn.note(429));
        drop(turns);
        let turns = take(&hosts, "https://files.example/a");
        assert_eq!(turns.len(), 4);
        turns.iter().for_each(|turn| turn.note(200));
        drop(turns);
        assert_eq!(take(&hosts, "https://files.example/a").len(), 6);
    }
}
