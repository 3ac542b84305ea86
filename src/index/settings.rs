//! The indexes and links that a run asks, and how.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::absence::IgnoredStatuses;
use crate::domain::{MaskedUrl, PackageName, Timestamp};

/// The strategy by which one of several indexes is chosen for a project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IndexStrategy {
    /// The first index that has the project, so that a public upload cannot replace a private
    /// project.
    #[default]
    FirstIndex,
    /// All indexes together, as in pip.
    BestMatch,
}

/// The indexes and links to ask, and how far cached pages may be trusted.
#[derive(Clone, Debug)]
pub struct IndexSettings {
    /// The indexes in order of preference: extra indexes before the main one, then supplemental ones.
    pub indexes: Vec<Arc<MaskedUrl>>,
    /// The position of the main one.
    pub main: usize,
    /// The only index of a project, where one is stated; nothing else is asked for that.
    pub of_projects: BTreeMap<PackageName, Arc<MaskedUrl>>,
    /// Pages and folders (as `file:` URLs) that list files of any project.
    pub find_links: Vec<Arc<MaskedUrl>>,
    pub strategy: IndexStrategy,
    /// The statuses that mean "no such project", beside 404 and 410.
    pub ignored_statuses: IgnoredStatuses,
    /// Whether every cached page is validated with its index.
    pub refresh: bool,
    /// Whether cached pages of any age are used, without a network.
    pub offline: bool,
    /// Whether cached pages of any age are used if their index is down.
    pub prefer_cached: bool,
    pub now: Timestamp,
}
