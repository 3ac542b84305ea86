//! Limits the concurrent requests to one host: fewer after it answers that there are too many, more
//! again after successes.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The concurrency limit of a host: halved at a refusal, and raised by one after successes of a
/// quarter of the limit.
///
/// If it rose more slowly, one refusal in a hundred responses, which means a bad line and no
/// overload, would keep it down.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ConcurrencyLimit {
    limit: usize,
    current: usize,
    /// The number of permits that are still in use and will be withdrawn when they are returned.
    surplus: usize,
    /// Successes since the last change.
    successes: usize,
    /// How often the limit was lowered.
    reductions: u64,
    /// Whether many requests share a connection.
    is_shared: bool,
}

/// By how much the limit is multiplied if requests share a connection (HTTP/2): 96 pages by
/// default, where servers allow 100 or more.
pub const SHARED_CONNECTION_FACTOR: usize = 2;

impl ConcurrencyLimit {
    fn new(limit: usize) -> Self {
        Self { limit, current: limit, surplus: 0, successes: 0, reductions: 0, is_shared: false }
    }

    /// Lowers the limit after a refusal; returns by how many permits.
    ///
    /// A request that began before the last reduction, of which `reductions` is the count, is
    /// ignored: it tells nothing about the time after it.
    fn on_refusal(&mut self, reductions: u64) -> usize {
        if reductions != self.reductions {
            return 0;
        }
        let current = (self.current / 2).max(1);
        let gone = self.current - current;
        (self.current, self.successes, self.reductions) = (current, 0, self.reductions + 1);
        gone
    }

    /// Raises the limit as requests share a connection; returns by how many permits.
    ///
    /// A host that ever refused a request gets none.
    fn on_shared_connection(&mut self) -> usize {
        if self.is_shared || self.reductions > 0 {
            return 0;
        }
        let more = self.limit * (SHARED_CONNECTION_FACTOR - 1);
        (self.is_shared, self.limit, self.current) = (true, self.limit + more, self.current + more);
        more
    }

    /// Counts a success; returns whether the limit rises by one.
    fn on_success(&mut self) -> bool {
        self.successes += 1;
        let grows = self.current < self.limit && self.successes >= self.current.div_ceil(4);
        if grows {
            (self.current, self.successes) = (self.current + 1, 0);
        }
        grows
    }
}

/// The concurrency limit of one host, with its permits.
#[derive(Debug)]
pub(super) struct HostLimit {
    permits: Arc<Semaphore>,
    limit_state: Mutex<ConcurrencyLimit>,
}

impl HostLimit {
    /// Makes a limit of `limit` concurrent requests, and at least one.
    pub fn new(limit: usize) -> Self {
        let limit = limit.max(1);
        let (permits, limit_state) = (Arc::new(Semaphore::new(limit)), Mutex::new(ConcurrencyLimit::new(limit)));
        Self { permits, limit_state }
    }

    /// Waits for a permit to send a request to the host.
    pub async fn permit(self: &Arc<Self>) -> RequestPermit {
        let semaphore_permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        RequestPermit::new(self.clone(), Some(semaphore_permit))
    }

    /// Returns a permit for the host if one is free now.
    pub fn try_permit(self: &Arc<Self>) -> Option<RequestPermit> {
        let semaphore_permit = self.permits.clone().try_acquire_owned().ok()?;
        Some(RequestPermit::new(self.clone(), Some(semaphore_permit)))
    }

    /// Returns a permit beyond the limit, for a caller that holds one for this host already and
    /// waits for this request.
    pub fn unlimited_permit(self: &Arc<Self>) -> RequestPermit {
        RequestPermit::new(self.clone(), None)
    }
}

/// The permit to send a request to a host, until dropped.
#[derive(Debug)]
pub struct RequestPermit {
    host: Arc<HostLimit>,
    reductions: u64,
    semaphore_permit: Option<OwnedSemaphorePermit>,
}

impl RequestPermit {
    fn new(host: Arc<HostLimit>, semaphore_permit: Option<OwnedSemaphorePermit>) -> Self {
        let reductions = host.limit_state.lock().reductions;
        Self { host, reductions, semaphore_permit }
    }

    /// Records that requests to the host share a connection.
    pub(super) fn record_shared_connection(&self) {
        let more = self.host.limit_state.lock().on_shared_connection();
        self.host.permits.add_permits(more);
    }

    /// Records the status of a response; 429 and 503 mean that there are too many requests.
    pub(super) fn record_status(&self, status: u16) {
        let mut limit_state = self.host.limit_state.lock();
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
        let mut limit_state = self.host.limit_state.lock();
        if let Some(semaphore_permit) = self.semaphore_permit.take().filter(|_| limit_state.surplus > 0) {
            limit_state.surplus -= 1;
            semaphore_permit.forget();
        }
    }
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
        let taken = take(&busy);
        taken[0].record_status(429);
        taken[0].record_shared_connection();
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
