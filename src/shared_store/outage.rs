//! How long a shared store is left alone after a failure.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::SetOnce;
use tokio::time::Instant;

/// How long a store that failed is left alone: longer than most runs take, so that to them it costs
/// one wait; whatever runs for long finds a store that is back.
const REST: Duration = Duration::from_secs(300);

/// The failures of a store.
#[derive(Debug, Default)]
pub(super) struct Outage {
    first: SetOnce<String>,
    until: Mutex<Option<Instant>>,
}

impl Outage {
    pub fn note(&self, why: String) {
        let _ = self.first.set(why);
        *self.until.lock() = Some(Instant::now() + REST);
    }

    /// Returns the reason of the first failure, however long ago that was.
    pub fn first(&self) -> Option<&str> {
        self.first.get().map(String::as_str)
    }

    /// Waits for the first failure, and returns its reason.
    pub async fn wait(&self) -> &str {
        self.first.wait().await
    }

    /// Whether the store is still to be left alone.
    pub fn lasts(&self) -> bool {
        self.until.lock().is_some_and(|until| Instant::now() < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_store_that_failed_is_left_alone_for_a_while() {
        let outage = Outage::default();
        assert!(!outage.lasts());
        outage.note("first".to_owned());
        tokio::time::advance(REST / 2).await;
        outage.note("second".to_owned());
        tokio::time::advance(REST / 2).await;
        assert!(outage.lasts());
        tokio::time::advance(REST / 2).await;
        assert!(!outage.lasts());
        assert_eq!(outage.first(), Some("first"));
    }
}
