//! A pool of clients, whose connections are kept for later requests or dropped.
//!
//! What carries a connection can vanish silently: the machine slept, the network changed, a router
//! forgot. Then every connection to a host is dead, and one of HTTP/2 carries all requests. So
//! retries after a failure use new connections.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::HttpSettings;
use super::certificates::Certificates;
use super::client_builder::{ConnectionSharing, build_client};
use super::error::HttpError;

/// A client for each kind of connection, each with its own connections.
#[derive(Debug, Default)]
pub(super) struct ClientPools {
    /// The clients, by whether they accept any certificate, and by [`ConnectionSharing`].
    kept: [[Mutex<Option<ClientPool>>; 3]; 2],
    certificates: Certificates,
}

#[derive(Debug)]
struct ClientPool {
    client: reqwest::Client,
    made: Instant,
}

impl ClientPools {
    /// Returns the client for such connections; `settings` must be the same at every call.
    pub fn client(
        &self,
        settings: &HttpSettings,
        accepts_any_certificate: bool,
        sharing: ConnectionSharing,
    ) -> Result<reqwest::Client, HttpError> {
        let place = &self.kept[usize::from(accepts_any_certificate)][sharing as usize];
        let mut kept = place.lock();
        if let Some(pool) = kept.as_ref() {
            return Ok(pool.client.clone());
        }
        let certificates = settings.authorities.as_ref().map(|authorities| self.certificates.of(authorities));
        let client = build_client(settings, certificates.transpose()?, accepts_any_certificate, sharing)?;
        *kept = Some(ClientPool { client: client.clone(), made: Instant::now() });
        Ok(client)
    }

    /// Drops clients whose connections may have been silent for `timeout`; running requests keep
    /// theirs.
    pub fn renew(&self, timeout: Duration) {
        for place in self.kept.iter().flatten() {
            let mut kept = place.lock();
            kept.take_if(|pool| pool.made.elapsed() >= timeout);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_connections_that_may_have_been_silent_are_dropped() {
        let (pools, timeout) = (ClientPools::default(), Duration::from_secs(15));
        let made = || pools.kept[0][0].lock().as_ref().map(|pool| pool.made);
        pools.client(&HttpSettings::default(), false, ConnectionSharing::Shared).unwrap();
        let first = made();
        tokio::time::advance(timeout / 2).await;
        pools.renew(timeout);
        pools.client(&HttpSettings::default(), false, ConnectionSharing::Shared).unwrap();
        assert_eq!(made(), first);
        tokio::time::advance(timeout / 2).await;
        pools.renew(timeout);
        assert_eq!(made(), None);
    }
}
