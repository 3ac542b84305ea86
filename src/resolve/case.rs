//! What stays the same from step to step: the lines that hold on a target, and whatever was
//! worked out from facts, which only grow.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::lines::Lines;
use super::needed::Memo;
use super::node::{Set, set_of};
use super::{Facts, Failure, Question};
use crate::domain::{Digest, Offers, PackageName, Solution, Specifiers, Target};
use crate::select::Shelf;

/// The work on one target.
pub(super) struct Case<'a> {
    pub question: &'a Question,
    pub target: &'a Target,
    pub lines: Lines<'a>,
    /// How it ends, once no fact is missing to say so.
    pub settled: Option<Result<Solution, Vec<Failure>>>,
    /// What searches worked out.
    pub needed: Memo,
    shelves: RefCell<FxHashMap<PackageName, Rc<Shelf<'a>>>>,
}

impl<'a> Case<'a> {
    pub fn new(question: &'a Question, target: &'a Target) -> Self {
        let lines = Lines::of(question, target);
        Self { question, target, lines, settled: None, needed: Memo::default(), shelves: RefCell::default() }
    }

    /// The files of `name`, as the target may use them; `None` while its listing is not known.
    pub fn shelf(&self, name: &PackageName, facts: &Facts) -> Option<Rc<Shelf<'a>>> {
        if let Some(shelf) = self.shelves.borrow().get(name) {
            return Some(shelf.clone());
        }
        let offers = facts.offers.get(name)?.clone();
        let shelf = Shelf::new(offers, name.clone(), self.hashes(name), self.target, &self.question.policy);
        let shelf = Rc::new(shelf);
        self.shelves.borrow_mut().insert(name.clone(), shelf.clone());
        Some(shelf)
    }

    /// The digests that the user allows for `name`; none means any.
    pub fn hashes(&self, name: &PackageName) -> &'a [Digest] {
        self.lines.asked(name).map(|asked| asked.hashes()).unwrap_or_default()
    }
}

/// What specifiers mean in a project's versions; the same for all targets.
#[derive(Default)]
pub(super) struct Meanings(RefCell<FxHashMap<PackageName, FxHashMap<Specifiers, Set>>>);

impl Meanings {
    /// The positions in `offers` of `name` that `specifiers` allow.
    pub fn of(&self, name: &PackageName, specifiers: &Specifiers, offers: &Arc<Offers>) -> Set {
        if specifiers.is_any() {
            return Set::full();
        }
        let mut known = self.0.borrow_mut();
        if let Some(set) = known.get(name).and_then(|sets| sets.get(specifiers)) {
            return set.clone();
        }
        let versions = offers.versions();
        let set = set_of(versions.len(), |position| specifiers.contains(&versions[position]));
        known.entry(name.clone()).or_default().insert(specifiers.clone(), set.clone());
        set
    }
}
