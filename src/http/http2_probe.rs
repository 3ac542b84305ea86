//! Sends the first request to a host alone over TLS, to learn whether the host speaks HTTP/2.
//!
//! If it does, the first connection carries the other requests. Otherwise every request that begins
//! meanwhile would open a connection of its own, only to drop it.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::timeout;

/// How long other requests wait for the first response; a slower host is slow for another reason.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The state of the first request to a host.
#[derive(Debug, Default)]
pub(super) struct Http2Probe(OnceCell<()>);

impl Http2Probe {
    /// Sends `request`, over TLS if `is_encrypted` and then after the first request has been answered.
    pub async fn send<T>(&self, is_encrypted: bool, request: impl Future<Output = T>) -> T {
        if !is_encrypted {
            return request.await;
        }
        let mut request = pin!(request);
        let mut answer = None;
        let probed = self.0.get_or_init(async || answer = Some(request.as_mut().await));
        // A request that is the first is not cut short: it is in the answer, or goes on below.
        let _ = timeout(PROBE_TIMEOUT, probed).await;
        match answer {
            Some(answer) => answer,
            None => request.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures::future::{join3, pending};

    use super::*;

    /// Returns when each of three requests begins and ends; each takes a second.
    async fn three_requests(is_encrypted: bool) -> Vec<(usize, u64)> {
        let (probe, began, log) = (Http2Probe::default(), tokio::time::Instant::now(), RefCell::new(Vec::new()));
        let record_status = |number| log.borrow_mut().push((number, began.elapsed().as_millis() as u64));
        let request = |number| {
            let record_status = &record_status;
            probe.send(is_encrypted, async move {
                record_status(number);
                tokio::time::sleep(Duration::from_millis(100)).await;
            })
        };
        join3(request(1), request(2), request(3)).await;
        log.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_goes_alone_over_tls() {
        assert_eq!(three_requests(true).await, [(1, 0), (2, 100), (3, 100)]);
        assert_eq!(three_requests(false).await, [(1, 0), (2, 0), (3, 0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_does_not_answer_keeps_nobody_for_long() {
        let probe = Http2Probe::default();
        let silent = probe.send(true, pending::<()>());
        let others = async {
            let began = tokio::time::Instant::now();
            probe.send(true, async {}).await;
            assert_eq!(began.elapsed(), PROBE_TIMEOUT);
        };
        tokio::select! {
            biased;
            () = silent => unreachable!("it never ends"),
            () = others => {}
        }
    }
}
