//! Sends the first request to a host alone over TLS, to learn whether the host speaks HTTP/2.
//!
//! If it does, the first connection carries the other requests. Otherwise every request that begins
//! meanwhile would open a connection of its own, only to drop it.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::timeout;
use url::{Origin, Url};

/// How long other requests wait for the first response; a slower host is slow for another reason.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The hosts that a first request was sent to.
#[derive(Debug, Default)]
pub(super) struct Http2Probe(Mutex<HashMap<Origin, Arc<OnceCell<()>>>>);

impl Http2Probe {
    /// Sends `request` to the host of `url`, after the first request has been answered.
    pub async fn send<T>(&self, url: &Url, request: impl Future<Output = T>) -> T {
        if url.scheme() != "https" {
            return request.await;
        }
        let host = self.host(url);
        let mut request = pin!(request);
        let mut answer = None;
        let probed = host.get_or_init(async || answer = Some(request.as_mut().await));
        // A request that is the first is not cut short: it is in the answer, or goes on below.
        let _ = timeout(PROBE_TIMEOUT, probed).await;
        match answer {
            Some(answer) => answer,
            None => request.await,
        }
    }

    fn host(&self, url: &Url) -> Arc<OnceCell<()>> {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.entry(url.origin()).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures::future::{join3, pending};

    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    /// Returns when each of three requests begins and ends; each takes a second.
    async fn three_requests(to: &str) -> Vec<(usize, u64)> {
        let (hosts, began, log) = (Http2Probe::default(), tokio::time::Instant::now(), RefCell::new(Vec::new()));
        let record_status = |number| log.borrow_mut().push((number, began.elapsed().as_millis() as u64));
        let url = url(to);
        let request = |number| {
            let record_status = &record_status;
            hosts.send(&url, async move {
                record_status(number);
                tokio::time::sleep(Duration::from_millis(100)).await;
            })
        };
        join3(request(1), request(2), request(3)).await;
        log.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_goes_alone_over_tls() {
        assert_eq!(three_requests("https://a.example/x").await, [(1, 0), (2, 100), (3, 100)]);
        assert_eq!(three_requests("http://a.example/x").await, [(1, 0), (2, 0), (3, 0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_does_not_answer_keeps_nobody_for_long() {
        let hosts = Http2Probe::default();
        let first = url("https://a.example/first");
        let silent = hosts.send(&first, pending::<()>());
        let others = async {
            let began = tokio::time::Instant::now();
            hosts.send(&first, async {}).await;
            assert_eq!(began.elapsed(), PROBE_TIMEOUT);
            hosts.send(&url("https://b.example/"), async {}).await;
            assert_eq!(began.elapsed(), PROBE_TIMEOUT);
        };
        tokio::select! {
            biased;
            () = silent => unreachable!("it never ends"),
            () = others => {}
        }
    }
}
