//! The order in which projects are decided, learned from earlier searches.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::PackageName;

/// The number of pairs that are learned, since each costs a search.
const MOST_PAIRS: usize = 500;

/// A partial order of projects; those with a higher level are decided later.
#[derive(Clone, Debug, Default)]
pub(super) struct DecisionOrder {
    /// For each project, those that directly precede it.
    before: BTreeMap<PackageName, BTreeSet<PackageName>>,
    levels: BTreeMap<PackageName, u32>,
    pairs: usize,
}

impl DecisionOrder {
    /// Returns the level of a project, 0 if none has to precede it.
    pub fn level(&self, project: &PackageName) -> u32 {
        self.levels.get(project).copied().unwrap_or_default()
    }

    /// Whether deciding `early` before `late` is new and contradicts nothing learned.
    pub fn may_put(&self, early: &PackageName, late: &PackageName) -> bool {
        self.pairs < MOST_PAIRS && early != late && !self.is_before(early, late) && !self.is_before(late, early)
    }

    /// Puts `early` before `late` if possible; returns whether it did.
    pub fn put(&mut self, early: &PackageName, late: &PackageName) -> bool {
        if !self.may_put(early, late) {
            return false;
        }
        self.before.entry(late.clone()).or_default().insert(early.clone());
        self.pairs += 1;
        self.raise(late, self.level(early) + 1);
        true
    }

    fn is_before(&self, early: &PackageName, late: &PackageName) -> bool {
        let mut earlier = self.before.get(late).into_iter().flatten();
        earlier.any(|project| project == early || self.is_before(early, project))
    }

    fn raise(&mut self, project: &PackageName, level: u32) {
        if self.level(project) >= level {
            return;
        }
        self.levels.insert(project.clone(), level);
        let after = self.before.iter().filter(|(_, earlier)| earlier.contains(project));
        let after: Vec<_> = after.map(|(later, _)| later.clone()).collect();
        after.iter().for_each(|later| self.raise(later, level + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(pairs: &[(&str, &str)]) -> (DecisionOrder, Vec<bool>) {
        let mut order = DecisionOrder::default();
        let put = pairs.iter().map(|(early, late)| order.put(&early.parse().unwrap(), &late.parse().unwrap()));
        let put = put.collect();
        (order, put)
    }

    #[test]
    fn levels_follow_chains_in_whatever_order_they_are_learned() {
        for pairs in [[("a", "b"), ("b", "c"), ("a", "c")], [("b", "c"), ("a", "c"), ("a", "b")]] {
            let (order, _) = order(&pairs);
            assert_eq!(["a", "b", "c", "d"].map(|name| order.level(&name.parse().unwrap())), [0, 1, 2, 0]);
        }
    }

    #[test]
    fn what_is_known_or_contradicts_is_not_learned() {
        let (_, put) = order(&[("a", "b"), ("a", "b"), ("b", "c"), ("a", "c"), ("c", "a"), ("a", "a")]);
        assert_eq!(put, [true, false, true, false, false, false]);
    }
}
