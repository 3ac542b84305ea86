//! Locks whose packages each state their own conditions, so that no dependencies have to be
//! followed.

use std::collections::{BTreeMap, BTreeSet};

use super::locking;
use super::version_range::VersionRange;
use crate::domain::{
    EvaluatedMarkers, GroupName, Lock, LockContents, MarkerId, MarkerSets, MarkerTable, NotLocked, PackageName,
    SelectedGroups, SelectedPackage, Specifiers, Target, Version,
};

/// A lock whose packages have conditions.
#[derive(Debug)]
pub(super) struct FlatLock {
    pub contents: LockContents,
    /// The conditions of each package, in the order of the packages.
    pub entries: Vec<SelectionRule>,
    pub markers: MarkerTable,
    pub requires_python: Option<VersionRange>,
    /// The environments that the lock supports, if it states them; one of them must hold.
    pub environments: Option<Vec<MarkerId>>,
    /// The group of the project's own dependencies, in formats where these are a group.
    pub project_group: Option<GroupName>,
    /// Whether extras are groups of the same name.
    pub extras_are_groups: bool,
    pub namesakes: Namesakes,
    /// The Python for which alone the lock was made.
    pub made_for: Option<Version>,
}

/// The conditions under which a package is selected, and its dependencies.
#[derive(Debug, Default)]
pub(super) struct SelectionRule {
    /// The conditions, of which one must hold.
    pub conditions: Vec<PackageCondition>,
    /// The Python versions that the package supports.
    pub requires_python: Option<Specifiers>,
    pub dependencies: Vec<PackageName>,
}

/// A condition for selecting a package: a group and a marker.
#[derive(Debug, Default)]
pub(super) struct PackageCondition {
    /// The group; `None` for any selection of groups.
    pub group: Option<GroupName>,
    pub marker: Option<MarkerId>,
}

/// How two selected packages of one name are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namesakes {
    Refused,
    /// The later entry replaces the earlier one.
    LastCounts,
}

impl Lock for FlatLock {
    fn contents(&self) -> &LockContents {
        &self.contents
    }

    fn warning(&self, target: &Target) -> Option<String> {
        let python = target.python();
        let minor = |version: &Version| version.release().iter().take(2).copied().collect::<Vec<_>>();
        let is_same = |made_for: &&Version| minor(python) == minor(made_for);
        let made_for = self.made_for.as_ref().filter(|made_for| !is_same(made_for))?;
        let file = &self.contents.origin.file;
        Some(format!("{file}: it was made for Python {made_for} alone, and another may need other packages"))
    }

    fn select(&self, target: &Target, groups: &SelectedGroups) -> Result<Vec<SelectedPackage<'_>>, Vec<NotLocked>> {
        locking::check_python(self.requires_python.as_ref(), target, &self.contents)?;
        let markers = self.markers.evaluate(target.markers());
        locking::check_environments(self.environments.as_deref(), &markers, (&self.contents, ""))?;
        let sets = self.sets(groups);
        let taken =
            self.contents.packages.iter().zip(&self.entries).filter(|(_, entry)| entry.is_taken(&markers, &sets));
        let (mut picks, mut refused) = (BTreeMap::new(), Vec::new());
        for (package, entry) in taken {
            let refuse = |why| NotLocked { package: Some(package.name.clone()), why, origin: package.origin.clone() };
            if let Some(wants) = entry.requires_python.as_ref().filter(|wants| !wants.contains(target.python())) {
                refused.push(refuse(format!("it needs Python {wants}, the target has {}", target.python())));
                continue;
            }
            let pick = SelectedPackage { package, dependencies: entry.dependencies.clone() };
            if picks.insert(&package.name, pick).is_some() && self.namesakes == Namesakes::Refused {
                refused.push(refuse("the lock gives this target two of them".to_owned()));
            }
        }
        if !refused.is_empty() {
            return Err(refused);
        }
        let names: BTreeSet<PackageName> = picks.keys().copied().cloned().collect();
        for pick in picks.values_mut() {
            pick.dependencies.retain(|name| names.contains(name));
        }
        Ok(picks.into_values().collect())
    }
}

impl FlatLock {
    fn sets(&self, selected: &SelectedGroups) -> MarkerSets {
        let mut groups = selected.groups.clone();
        groups.extend(self.project_group.iter().filter(|_| selected.project).cloned());
        if self.extras_are_groups {
            groups.extend(selected.extras.iter().cloned().map(GroupName::from));
        }
        MarkerSets { extras: selected.extras.clone(), groups }
    }
}

impl SelectionRule {
    fn is_taken(&self, markers: &EvaluatedMarkers<'_>, sets: &MarkerSets) -> bool {
        self.conditions.iter().any(|condition| {
            condition.group.as_ref().is_none_or(|group| sets.groups.contains(group))
                && markers.holds(condition.marker, sets)
        })
    }
}
