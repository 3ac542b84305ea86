//! Assumptions of a search, which its outcome must justify.
//!
//! Two of pip's rules look at all that is asked of a project at once: which file it comes from,
//! where one line names a URL, and whether pre-releases and yanked files count, where one line
//! names them. A search learns of such lines on its way, so it is repeated with them assumed;
//! what its solution does not justify is dropped, and the search is repeated without. In the
//! same way it learns which of two projects is to be decided first.

use std::collections::{BTreeMap, BTreeSet};

use super::Failure;
use super::decision_order::DecisionOrder;
use super::direct_url::DirectUrl;
use crate::domain::{MaskedUrl, PackageName};
use crate::select::OptIn;

/// Assumptions of one search.
#[derive(Clone, Debug, Default)]
pub(super) struct Assumptions {
    /// Files that metadata names by URL: the project comes from there and nowhere else.
    pub files: BTreeMap<PackageName, DirectUrl>,
    /// URLs in metadata that led to nothing; versions that name them are left out.
    pub refused: BTreeSet<MaskedUrl>,
    /// What specifiers in metadata opt in to.
    opt_ins: BTreeMap<PackageName, OptIn>,
    /// Projects for which only the user's own lines opt in.
    pub strict: BTreeSet<PackageName>,
    /// Which projects are decided before which.
    pub order: DecisionOrder,
    /// Versions whose needs only their build knows are left out, instead of needing nothing.
    pub refuse_builds: bool,
}

/// What a search discovered that could change its outcome, were it assumed.
#[derive(Clone, Debug, Default)]
pub(super) struct Discovered {
    pub files: BTreeMap<PackageName, DirectUrl>,
    pub opt_ins: BTreeMap<PackageName, OptIn>,
    /// Pairs of projects: a version of the first needs another version of the second than the
    /// one that was decided before, and could have it, had the first been decided first.
    pub rivals: BTreeSet<(PackageName, PackageName)>,
}

/// Projects whose version or file the rest of the solution does not justify.
#[derive(Clone, Debug, Default)]
pub(super) struct Unjustified {
    /// They come from a URL that nothing names.
    pub files: BTreeSet<PackageName>,
    /// They are pre-releases or yanked, and nothing opts in.
    pub packages: BTreeSet<PackageName>,
}

impl Assumptions {
    /// Nothing but whether builds count.
    pub fn new(refuse_builds: bool) -> Self {
        Self { refuse_builds, ..Self::default() }
    }

    pub fn opt_in(&self, name: &PackageName) -> OptIn {
        self.opt_ins.get(name).copied().unwrap_or_default()
    }

    /// Assumes what was `discovered`; tells whether any of it is new.
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

    /// Drops what is `unjustified` for good; tells whether that is anything.
    pub fn drop_unjustified(&mut self, unjustified: Unjustified) -> bool {
        let is_any = !unjustified.files.is_empty() || !unjustified.packages.is_empty();
        unjustified.files.iter().for_each(|name| self.refuse(name));
        self.strict.extend(unjustified.packages);
        is_any
    }

    /// Drops an assumed file that `failures` are about; tells whether there is one.
    pub fn drop_blamed(&mut self, failures: &[Failure]) -> bool {
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
            self.refused.insert(file.candidate.url.clone());
        }
    }
}
