//! Metadata that indexes claim for files that were not fetched yet; a plan depends on it until the
//! files confirm it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::domain::{CoreMetadata, MaskedUrl, Plan};

/// The claims of a run, and the cached plans that depend on any.
#[derive(Clone, Debug, Default)]
pub struct ClaimedMetadata(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The claimed metadata, by the URL of the file.
    metadata: HashMap<MaskedUrl, Arc<CoreMetadata>>,
    /// The names of cached plans.
    plans: Vec<String>,
}

impl ClaimedMetadata {
    /// Adds the metadata that an index claims for the file at `url`.
    pub(super) fn add(&self, url: &MaskedUrl, claimed: CoreMetadata) {
        self.state().metadata.insert(url.clone(), claimed.into());
    }

    /// Copies the claims into the files of `plan`, and forgets all others.
    pub(super) fn move_to(&self, plan: &mut Plan) {
        let mut claimed = std::mem::take(&mut self.state().metadata);
        for file in plan.packages.iter_mut().flat_map(|package| &mut package.files) {
            file.claimed = claimed.remove(&file.link.url);
        }
    }

    /// Notes that the cached plan called `name` depends on claims.
    pub(super) fn add_plan(&self, name: String) {
        self.state().plans.push(name);
    }

    /// Returns the names of the cached plans that depend on claims, and forgets them.
    pub(super) fn take_plans(&self) -> Vec<String> {
        std::mem::take(&mut self.state().plans)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}
