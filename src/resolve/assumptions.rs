//! The assumptions of a search, which its outcome must justify.
//!
//! Two of pip's rules depend on everything that is required of a project: which file it comes from,
//! if any line names a URL, and whether pre-releases and yanked files are allowed, if any line
//! names them. A search discovers such lines on its way, so it is repeated with them as
//! assumptions; those that its solution does not justify are dropped, and the search is repeated
//! without them. In the same way it learns which of two projects should be decided first.

use std::collections::{BTreeMap, BTreeSet};

use super::Failure;
use super::decision_order::DecisionOrder;
use super::direct_url::DirectUrl;
use crate::domain::{MaskedUrl, PackageName};
use crate::select::OptIn;

/// The assumptions of one search.
#[derive(Clone, Debug, Default)]
pub(super) struct Assumptions {
    /// Files that metadata names by URL: their projects come from there alone.
    pub files: BTreeMap<PackageName, DirectUrl>,
    /// URLs in metadata that cannot be used; versions whose metadata names them are left out.
    pub refused: BTreeSet<MaskedUrl>,
    /// The pre-releases and yanked files that specifiers in metadata allow, by project.
    opt_ins: BTreeMap<PackageName, OptIn>,
    /// Projects for which only the user's own lines may allow pre-releases and yanked files.
    pub strict: BTreeSet<PackageName>,
    /// The order in which projects are decided.
    pub order: DecisionOrder,
    /// Whether versions whose dependencies only a build can tell are left out, instead of having
    /// none.
    pub refuse_builds: bool,
}

/// What a search discovered that could change its outcome if it were assumed.
#[derive(Clone, Debug, Default)]
pub(super) struct Discovered {
    pub files: BTreeMap<PackageName, DirectUrl>,
    pub opt_ins: BTreeMap<PackageName, OptIn>,
    /// Pairs of projects that should be decided in this order.
    ///
    /// A version of the first needs another version of the second than the one that was decided,
    /// which would have been possible if the first had been decided before.
    pub rivals: BTreeSet<(PackageName, PackageName)>,
}

/// Projects whose version or file is not justified by the rest of the solution.
#[derive(Clone, Debug, Default)]
pub(super) struct Unjustified {
    /// Projects that come from a URL which nothing names.
    pub files: BTreeSet<PackageName>,
    /// Projects whose version is a pre-release or yanked, which nothing allows.
    pub packages: BTreeSet<PackageName>,
}

impl Assumptions {
    /// Makes assumptions that only state whether builds are refused.
    pub fn new(refuse_builds: bool) -> Self {
        Self { refuse_builds, ..Self::default() }
    }

    pub fn opt_in(&self, name: &PackageName) -> OptIn {
        self.opt_ins.get(name).copied().unwrap_or_default()
    }

    /// Adds what was `discovered`; returns whether any of it is new.
    pub fn add(&mut self, discovered: Discovered) -> bool {
        let mut is_new = !discovered.files.is_empty() || !discovered.opt_ins.is_empty();
        for (name, file) in discovered.files {
            self.files.entry(name).or_insert(file);
        }
        for (name, more) in discovered.opt_ins {
            let known = self.opt_ins.entry(name).or_default();
            *known = known.or(more);
        }
        for (early, late) in discovered.rivals {
            is_new |= self.order.put(&early, &late);
        }
        is_new
    }

    /// Drops what is `unjustified` for good; returns whether that is anything.
    pub fn drop_unjustified(&mut self, unjustified: Unjustified) -> bool {
        let is_any = !unjustified.files.is_empty() || !unjustified.packages.is_empty();
        unjustified.files.iter().for_each(|name| self.refuse(name));
        self.strict.extend(unjustified.packages);
        is_any
    }

    /// Drops an assumed file that `failures` involve; returns whether there is one.
    pub fn drop_involved(&mut self, failures: &[Failure]) -> bool {
        let mut projects = failures.iter().flat_map(Failure::projects);
        match projects.find(|project| self.files.contains_key(project)).cloned() {
            Some(project) => {
                self.refuse(&project);
                true
            }
            None => false,
        }
    }

    fn refuse(&mut self, name: &PackageName) {
        if let Some(file) = self.files.remove(name) {
            self.refused.insert(file.link.url.clone());
        }
    }
}
