//! How much one host is asked at once: fewer when it says that it is too much, more again when
//! it answers well.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
/// The arithmetic: halved at a refusal, one more after a quarter as many good answers as are allowed
/// at once. Slower, and one refusal in a hundred answers, which is a bad line rather than too
/// much work, would keep it down.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ConcurrencyLimit {
    limit: usize,
    current: usize,
    /// Places that are still taken and will not be given again.
    surplus: usize,
    /// Good answers since the last change.
    successes: usize,
    /// How often it was lowered.
    reductions: u64,
    /// Many requests share a connection.
    is_shared: bool,
}

/// How many times as many requests are under way where they share a connection (HTTP/2): 96 for
/// pages by default, where servers take 100 or more.
pub const SHARED_CONNECTION_FACTOR: usize = 2;

impl ConcurrencyLimit {
    fn new(limit: usize) -> Self {
        Self { limit, current: limit, surplus: 0, successes: 0, reductions: 0, is_shared: false }
    }

    /// How many places go when a request is refused that began after `reductions` reductions. One that
    /// was under way at a reduction tells nothing about the time after it.
    fn on_refusal(&mut self, reductions: u64) -> usize {
        if reductions != self.reductions {
            return 0;
        }
        let current = (self.current / 2).max(1);
        let gone = self.current - current;
        (self.current, self.successes, self.reductions) = (current, 0, self.reductions + 1);
        gone
    }

    /// Requests turn out to share a connection: how many places that gives more. A host that ever
    /// said that it is too much gets none.
    fn on_shared_connection(&mut self) -> usize {
        if self.is_shared || self.reductions > 0 {
            return 0;
        }
        let more = self.limit * (SHARED_CONNECTION_FACTOR - 1);
        (self.is_shared, self.limit, self.current) = (true, self.limit + more, self.current + more);
        more
    }

    /// A request was answered well: whether there is a place more.
    fn on_success(&mut self) -> bool {
        self.successes += 1;
        let grows = self.current < self.limit && self.successes >= self.current.div_ceil(4);
        if grows {
            (self.current, self.successes) = (self.current + 1, 0);
        }
        grows
    }
}

/// The places of one host.
#[derive(Debug)]
pub(super) struct HostLimit {
    permits: Arc<Semaphore>,
    limit_state: Mutex<ConcurrencyLimit>,
}

impl HostLimit {
    /// At most `limit` requests at once, and at least one.
    pub fn new(limit: usize) -> Self {
        let limit = limit.max(1);
        let (permits, limit_state) = (Arc::new(Semaphore::new(limit)), Mutex::new(ConcurrencyLimit::new(limit)));
        Self { permits, limit_state }
    }

    /// Waits until the host may be asked.
    pub async fn permit(self: &Arc<Self>) -> RequestPermit {
        let semaphore_permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        RequestPermit::new(self.clone(), Some(semaphore_permit))
    }

    /// The right to ask the host now, if nobody else needs it.
    pub fn try_permit(self: &Arc<Self>) -> Option<RequestPermit> {
        let semaphore_permit = self.permits.clone().try_acquire_owned().ok()?;
        Some(RequestPermit::new(self.clone(), Some(semaphore_permit)))
    }

    /// A turn without a place, for a caller that has one at this host already and waits for this
    /// request.
    pub fn unlimited_permit(self: &Arc<Self>) -> RequestPermit {
        RequestPermit::new(self.clone(), None)
    }
}

/// The right to ask a host, until dropped.
#[derive(Debug)]
pub struct RequestPermit {
    host: Arc<HostLimit>,
    reductions: u64,
    semaphore_permit: Option<OwnedSemaphorePermit>,
}

impl RequestPermit {
    fn new(host: Arc<HostLimit>, semaphore_permit: Option<OwnedSemaphorePermit>) -> Self {
        let reductions = lock(&host.limit_state).reductions;
        Self { host, reductions, semaphore_permit }
    }

    /// Notes that requests to the host share a connection.
    pub(super) fn record_shared_connection(&self) {
        let more = lock(&self.host.limit_state).on_shared_connection();
        self.host.permits.add_permits(more);
    }

    /// Notes how the host answered: 429 and 503 mean that it is asked too much.
    pub(super) fn record_status(&self, status: u16) {
        let mut limit_state = lock(&self.host.limit_state);
        if matches!(status, 429 | 503) {
            let gone = limit_state.on_refusal(self.reductions);
            limit_state.surplus += gone - self.host.permits.forget_permits(gone);
        } else if limit_state.on_success() {
            match limit_state.surplus {
                0 => self.host.permits.add_permits(1),
                _ => limit_state.surplus -= 1,
            }
        }
    }
}

impl Drop for RequestPermit {
    fn drop(&mut self) {
        let mut limit_state = lock(&self.host.limit_state);
        if let Some(semaphore_permit) = self.semaphore_permit.take().filter(|_| limit_state.surplus > 0) {
            limit_state.surplus -= 1;
            semaphore_permit.forget();
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
        let mut limit_state = ConcurrencyLimit::new(16);
        assert_eq!(limit_state.on_refusal(0), 8);
        assert_eq!(limit_state.on_refusal(0), 0, "it began before the reduction");
        assert_eq!(
            (
                limit_state.on_refusal(1),
                limit_state.on_refusal(2),
                limit_state.on_refusal(3),
                limit_state.on_refusal(4)
            ),
            (4, 2, 1, 0)
        );
        let mut answers_until =
            |current: usize| (1..).find(|_| limit_state.on_success() && limit_state.current == current);
        assert_eq!(answers_until(2), Some(1));
        assert_eq!(answers_until(5), Some(3));
        assert_eq!(answers_until(16), Some((5..16_usize).map(|current| current.div_ceil(4)).sum()));
        assert_eq!((0..100).find(|_| limit_state.on_success()), None, "there are never more than at first");
    }

    #[test]
    fn a_shared_connection_takes_more_unless_it_was_too_much() {
        let host = host(4);
        let turns = take(&host);
        turns.iter().for_each(RequestPermit::record_shared_connection);
        assert_eq!(take(&host).len(), 4 * (SHARED_CONNECTION_FACTOR - 1));
        let busy = self::host(4);
        let on_refusal = take(&busy);
        on_refusal[0].record_status(429);
        on_refusal[0].record_shared_connection();
        assert_eq!(take(&busy).len(), 0);
    }

    fn host(limit: usize) -> Arc<HostLimit> {
        Arc::new(HostLimit::new(limit))
    }

    fn take(host: &Arc<HostLimit>) -> Vec<RequestPermit> {
        std::iter::from_fn(|| host.permit().now_or_never()).collect()
    }

    #[test]
    fn spare_places_are_only_those_that_nobody_has() {
        let host = host(2);
        let (first, second) = (host.try_permit(), host.try_permit());
        assert!(second.is_some() && host.try_permit().is_none());
        drop(host.unlimited_permit());
        assert!(host.try_permit().is_none(), "a borrowed turn gives nothing back");
        drop(first);
        assert!(host.try_permit().is_some());
    }

    #[test]
    fn a_refusal_takes_places_away_also_those_in_use() {
        let host = host(8);
        let turns = take(&host);
        turns.iter().for_each(|permit| permit.record_status(429));
        drop(turns);
        let turns = take(&host);
        assert_eq!(turns.len(), 4);
        turns.iter().for_each(|permit| permit.record_status(200));
        drop(turns);
        assert_eq!(take(&host).len(), 6);
    }
}
