//! What indexes claimed of files that were not here: plans rest on it until the files are, and say
//! the same or not.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::{CoreMetadata, MaskedUrl, Plan};

/// The claims of a run, and the remembered plans that rest on any.
#[derive(Clone, Debug, Default)]
pub struct Claims(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// By the URL of the file.
    metadata: HashMap<MaskedUrl, Arc<CoreMetadata>>,
    plans: Vec<PathBuf>,
}

impl Claims {
    /// An index claimed this of the file at `url`.
    pub(super) fn add(&self, url: &MaskedUrl, claimed: CoreMetadata) {
        self.state().metadata.insert(url.clone(), claimed.into());
    }

    /// Notes at the files of `plan` what was claimed of them, and forgets all other claims.
    pub(super) fn move_to(&self, plan: &mut Plan) {
        let mut claimed = std::mem::take(&mut self.state().metadata);
        for file in plan.packages.iter_mut().flat_map(|package| &mut package.files) {
            file.claimed = claimed.remove(&file.candidate.url);
        }
    }

    /// The plan remembered at `path` rests on claims.
    pub(super) fn add_plan(&self, path: PathBuf) {
        self.state().plans.push(path);
    }

    /// The remembered plans that rest on claims, each once.
    pub(super) fn take_plans(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.state().plans)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
