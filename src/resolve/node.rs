//! PubGrub's packages (a project, or a project with an extra) and version sets.

use std::fmt;
use std::ops::Bound;

use version_ranges::Ranges;

use crate::domain::{ExtraName, PackageName};

/// A node that PubGrub decides on.
///
/// A project with an extra is a node of its own, which depends on the project in the same version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Node {
    /// The user's requirements.
    Root,
    Project(PackageName),
    Extra(PackageName, ExtraName),
}

impl Node {
    /// Returns the project of the node.
    pub fn project(&self) -> Option<&PackageName> {
        match self {
            Self::Root => None,
            Self::Project(name) | Self::Extra(name, _) => Some(name),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the requirements"),
            Self::Project(name) => write!(f, "{name}"),
            Self::Extra(name, extra) => write!(f, "{name}[{extra}]"),
        }
    }
}

/// Versions of a project, as positions among all versions.
///
/// Whether a specifier allows a version is decided for each version
/// ([`Specifiers::contains`](crate::domain::Specifiers::contains)), so that no rule of PEP 440 is
/// lost in a conversion to ranges.
pub(super) type VersionSet = Ranges<u32>;

/// Returns the positions below `count` for which `holds`.
pub(super) fn version_set(count: usize, mut holds: impl FnMut(usize) -> bool) -> VersionSet {
    let mut set = VersionSet::empty();
    let mut start = None;
    for position in 0..=count {
        let is_in = position < count && holds(position);
        match (is_in, start) {
            (true, None) => start = Some(position),
            (false, Some(first)) => {
                set = set.union(&VersionSet::from_range_bounds(number(first)..number(position)));
                start = None;
            }
            _ => {}
        }
    }
    set
}

/// Returns the positions below `count` that are in `set`, the highest first.
pub(super) fn positions(set: &VersionSet, count: usize) -> Vec<usize> {
    let bounds = |(from, to): (&Bound<u32>, &Bound<u32>)| {
        let from = match from {
            Bound::Included(first) => *first as usize,
            Bound::Excluded(before) => *before as usize + 1,
            Bound::Unbounded => 0,
        };
        let to = match to {
            Bound::Included(last) => *last as usize + 1,
            Bound::Excluded(after) => *after as usize,
            Bound::Unbounded => count,
        };
        from..to.min(count)
    };
    let mut positions: Vec<_> = set.iter().flat_map(bounds).collect();
    positions.reverse();
    positions
}

/// Converts a position into a version for PubGrub.
pub(super) fn number(position: usize) -> u32 {
    u32::try_from(position).expect("no project has four billion versions")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_they_were_made_of() {
        let set = version_set(10, |position| position % 4 != 0);
        assert_eq!(positions(&set, 10), [9, 7, 6, 5, 3, 2, 1]);
        assert_eq!(positions(&version_set(3, |_| true), 3), [2, 1, 0]);
        assert_eq!(positions(&VersionSet::full(), 3), [2, 1, 0]);
        assert_eq!(positions(&VersionSet::singleton(1_u32), 3), [1]);
        assert_eq!(positions(&VersionSet::singleton(1_u32).complement(), 3), [2, 0]);
        assert_eq!(
            positions(&VersionSet::strictly_higher_than(1_u32).union(&VersionSet::lower_than(0_u32)), 9),
            [8, 7, 6, 5, 4, 3, 2, 0]
        );
        assert!(positions(&VersionSet::higher_than(7_u32), 3).is_empty());
        assert_eq!(version_set(0, |_| true), VersionSet::empty());
    }
}
