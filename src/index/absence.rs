//! HTTP statuses other than 404 and 410 by which an index says that it does not have a project.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::{MaskedUrl, PackageName};

/// The statuses with which object stores answer requests without credentials for missing files.
///
/// From an index that received a password, 403 may mean that the password is wrong; then another
/// index must not answer in its place.
const ABSENT_TO_STRANGERS: [u16; 2] = [403, 204];

/// The statuses that mean "no such project", by the public URL of the index.
#[derive(Clone, Debug, Default)]
pub struct IgnoredStatuses(pub BTreeMap<String, BTreeSet<u16>>);

impl IgnoredStatuses {
    /// Returns the key of an index: its public URL without a slash at the end.
    pub fn key(index: &MaskedUrl) -> String {
        index.public().trim_end_matches('/').to_owned()
    }

    pub(super) fn has(&self, index: &MaskedUrl, status: u16) -> bool {
        self.0.get(&Self::key(index)).is_some_and(|statuses| statuses.contains(&status))
    }
}

/// Whether `status` means "no such project" if an extra index was asked without credentials.
pub(super) fn is_absent_to_strangers(status: u16) -> bool {
    ABSENT_TO_STRANGERS.contains(&status)
}

/// Projects that an index presumably does not have, since it answered with `status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumedAbsent {
    pub index: Arc<MaskedUrl>,
    pub status: u16,
    /// The projects, sorted by name.
    pub projects: Vec<PackageName>,
}

impl fmt::Display for AssumedAbsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let projects: Vec<_> = self.projects.iter().map(ToString::to_string).collect();
        let Self { index, status, .. } = self;
        write!(f, "{index} answered {status} for {}: taken as not there, so other indexes count", projects.join(", "))
    }
}

/// All presumably absent projects of a run.
#[derive(Debug, Default)]
pub(super) struct AssumedAbsences(Mutex<ProjectsByAnswer>);

/// The projects by index and the status that it answered with.
type ProjectsByAnswer = BTreeMap<(Arc<MaskedUrl>, u16), BTreeSet<PackageName>>;

impl AssumedAbsences {
    pub fn note(&self, index: &Arc<MaskedUrl>, status: u16, project: &PackageName) {
        let mut all = self.0.lock();
        all.entry((index.clone(), status)).or_default().insert(project.clone());
    }

    pub fn all(&self) -> Vec<AssumedAbsent> {
        let all = self.0.lock();
        let told = |((index, status), projects): (&(Arc<MaskedUrl>, u16), &BTreeSet<PackageName>)| AssumedAbsent {
            index: index.clone(),
            status: *status,
            projects: projects.iter().cloned().collect(),
        };
        all.iter().map(told).collect()
    }
}
