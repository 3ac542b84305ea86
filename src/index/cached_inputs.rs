//! The cached index pages that a plan was made from, by which a later run can tell whether the plan
//! is still fresh without reading a page.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::cache_folder::FileStamp;
use crate::domain::{Sha256, Timestamp};

/// The cached pages from which all listings of a run were taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedInputs {
    pub(super) pages: Vec<CachedInput>,
}

/// A cached page in the state in which it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CachedInput {
    /// The page's file name in the cache.
    pub page: Sha256,
    /// The stamp of its file; `None` if another machine read the page.
    pub stamp: Option<FileStamp>,
    /// When the index was last asked for the page.
    pub checked: Timestamp,
    /// The moment from which on the index must be asked whether the page is unchanged.
    pub stale_from: Timestamp,
    /// Whether the page is only for the user who asked.
    pub is_private: bool,
}

impl CachedInput {
    /// Returns the input without an end of its freshness: whatever its page lists later, what was
    /// taken from it holds.
    pub fn settled(self) -> Self {
        Self { stale_from: Timestamp(i64::MAX), ..self }
    }
}

impl CachedInputs {
    /// Whether other users may know what the pages led to.
    pub fn are_public(&self) -> bool {
        !self.pages.iter().any(|input| input.is_private)
    }

    /// Returns the inputs as those of another machine, whose files have other stamps here.
    #[must_use]
    pub fn of_another_machine(mut self) -> Self {
        self.pages.iter_mut().for_each(|input| input.stamp = None);
        self
    }
}

/// Collects the cached pages that a run used; holds `None` once a listing came from anything else.
#[derive(Debug)]
pub(super) struct InputCollector(Mutex<Option<CachedInputs>>);

impl Default for InputCollector {
    fn default() -> Self {
        Self(Mutex::new(Some(CachedInputs::default())))
    }
}

impl InputCollector {
    /// Adds the page that a listing was taken from, or with `None` notes that it did not come from
    /// a page that is kept.
    pub fn add(&self, cached_input: Option<CachedInput>) {
        let mut collected = self.0.lock();
        match (collected.as_mut(), cached_input) {
            (Some(cached_inputs), Some(cached_input)) => cached_inputs.pages.push(cached_input),
            _ => *collected = None,
        }
    }

    /// Forgets all pages collected so far.
    pub fn reset(&self) {
        *self.0.lock() = Some(CachedInputs::default());
    }

    pub fn all(&self) -> Option<CachedInputs> {
        self.0.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_leaves_no_grounds() {
        let cached_input = || {
            let (page, stamp) = (Sha256::of(b"page"), Some(FileStamp::default()));
            Some(CachedInput { page, stamp, checked: Timestamp(0), stale_from: Timestamp(1), is_private: false })
        };
        let collected = InputCollector::default();
        collected.add(cached_input());
        assert_eq!(collected.all().unwrap().pages, [cached_input().unwrap()]);
        collected.add(None);
        collected.add(cached_input());
        assert_eq!(collected.all(), None);
    }
}
