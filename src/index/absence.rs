//! Answers other than 404 by which an index says that it does not have a project.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::{MaskedUrl, PackageName};

/// What object stores answer to strangers for what is not there, and what says by itself that there is
/// nothing. An index that was shown a password may mean with 403 that it is a wrong one: then another
/// index must not answer in its place.
const ABSENT_TO_STRANGERS: [u16; 2] = [403, 204];

/// The statuses that mean "no such project", by the public URL of the index.
#[derive(Clone, Debug, Default)]
pub struct IgnoredStatuses(pub BTreeMap<String, BTreeSet<u16>>);

impl IgnoredStatuses {
    /// How an index is called here, with or without a slash at its end.
    pub fn key(index: &MaskedUrl) -> String {
        index.public().trim_end_matches('/').to_owned()
    }

    pub(super) fn has(&self, index: &MaskedUrl, status: u16) -> bool {
        self.0.get(&Self::key(index)).is_some_and(|statuses| statuses.contains(&status))
    }
}

/// Whether an extra index that was asked by a stranger means "no such project" with `status`.
pub(super) fn is_absent_to_strangers(status: u16) -> bool {
    ABSENT_TO_STRANGERS.contains(&status)
}

/// Projects that an index was taken not to have, since it answered with `status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumedAbsent {
    pub index: Arc<MaskedUrl>,
    pub status: u16,
    /// In the order of their names.
    pub projects: Vec<PackageName>,
}

impl fmt::Display for AssumedAbsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let projects: Vec<_> = self.projects.iter().map(ToString::to_string).collect();
        let Self { index, status, .. } = self;
        write!(f, "{index} answered {status} for {}: taken as not there, so other indexes count", projects.join(", "))
    }
}

/// All such answers of a run.
#[derive(Debug, Default)]
pub(super) struct Assumptions(Mutex<ProjectsByAnswer>);

/// The projects that an index answered for with a status.
type ProjectsByAnswer = BTreeMap<(Arc<MaskedUrl>, u16), BTreeSet<PackageName>>;

impl Assumptions {
    pub fn note(&self, index: &Arc<MaskedUrl>, status: u16, project: &PackageName) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry((index.clone(), status)).or_default().insert(project.clone());
    }

    pub fn all(&self) -> Vec<AssumedAbsent> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |((index, status), projects): (&(Arc<MaskedUrl>, u16), &BTreeSet<PackageName>)| AssumedAbsent {
            index: index.clone(),
            status: *status,
            projects: projects.iter().cloned().collect(),
        };
        all.iter().map(told).collect()
    }
}
