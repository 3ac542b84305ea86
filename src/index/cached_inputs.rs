//! The cached pages that a plan was made from, so that a later run can tell whether it is still
//! fresh without reading a page.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::cache_folder::FileStamp;
use crate::domain::{Sha256, Timestamp};

/// The cached pages that answers were taken from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedInputs {
    pub(super) pages: Vec<CachedInput>,
}

/// One page as it was when it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CachedInput {
    /// Its name in the cache.
    pub page: Sha256,
    pub stamp: FileStamp,
    /// When its index was asked.
    pub checked: Timestamp,
    /// From this moment on its index has to be asked whether it still holds.
    pub stale_from: Timestamp,
}

/// Collects the cached pages that a run used; none where an answer came from anything else.
#[derive(Debug)]
pub(super) struct InputCollector(Mutex<Option<CachedInputs>>);

impl Default for InputCollector {
    fn default() -> Self {
        Self(Mutex::new(Some(CachedInputs::default())))
    }
}

impl InputCollector {
    /// An answer rests on this page, or, with `None`, on something that is not kept.
    pub fn add(&self, cached_input: Option<CachedInput>) {
        let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (collected.as_mut(), cached_input) {
            (Some(cached_inputs), Some(cached_input)) => cached_inputs.pages.push(cached_input),
            _ => *collected = None,
        }
    }

    /// Begins anew.
    pub fn reset(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(CachedInputs::default());
    }

    pub fn all(&self) -> Option<CachedInputs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_leaves_no_grounds() {
        let stamp = FileStamp::default();
        let cached_input =
            || Some(CachedInput { page: Sha256::of(b"page"), stamp, checked: Timestamp(0), stale_from: Timestamp(1) });
        let collected = InputCollector::default();
        collected.add(cached_input());
        assert_eq!(collected.all().unwrap().pages, [cached_input().unwrap()]);
        collected.add(None);
        collected.add(cached_input());
        assert_eq!(collected.all(), None);
    }
}
