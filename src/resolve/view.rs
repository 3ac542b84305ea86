//! The world as one target sees it: the facts, read through what is asked and what fits.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::asked::Asked;
use super::direct::Direct;
use super::node::{Set, number, positions, set_of};
use super::{Facts, Preferred, Question, Reason, Wants};
use crate::domain::{
    Artifact, Dependency, DependencySource, ExtraName, MaskedUrl, Needs, Offer, PackageName, Specifiers, Target,
    Unknown, Version,
};
use crate::select::{OptIn, Shelf};

/// What specifiers mean in a project's versions; the same for all targets of a step.
#[derive(Default)]
pub(super) struct Memo(RefCell<FxHashMap<(PackageName, Specifiers), Set>>);

/// The version of a project whose listing is not known yet, and of one that is a single file.
pub(super) const ONLY: usize = 0;

/// One target's view.
pub(super) struct View<'a> {
    pub question: &'a Question,
    pub target: &'a Target,
    pub facts: &'a Facts,
    pub preferred: &'a Preferred,
    pub asked: &'a BTreeMap<&'a PackageName, Asked<'a>>,
    /// Projects that come from one file instead of an index.
    pub direct: &'a BTreeMap<PackageName, Direct>,
    pub memo: &'a Memo,
    shelves: RefCell<HashMap<PackageName, Rc<Shelf<'a>>>>,
    /// What the specifiers met so far opt in to.
    opt_ins: RefCell<BTreeMap<PackageName, OptIn>>,
    pub wants: RefCell<Wants>,
    /// URLs that metadata names for projects.
    pub found_urls: RefCell<BTreeMap<PackageName, MaskedUrl>>,
    /// Extras that were asked for and do not exist.
    pub missing_extras: RefCell<BTreeSet<(PackageName, ExtraName)>>,
}

/// One thing that a version needs.
pub(super) struct Edge {
    pub name: PackageName,
    pub extras: Vec<ExtraName>,
    pub set: Set,
}

/// Where the versions of a project come from.
pub(super) enum Stock<'a> {
    /// One file, whatever an index says.
    Direct(&'a Direct),
    Listed(Rc<Shelf<'a>>),
    /// Not known yet.
    Unknown,
}

impl<'a> View<'a> {
    pub fn new(
        question: &'a Question,
        target: &'a Target,
        facts: &'a Facts,
        preferred: &'a Preferred,
        asked: &'a BTreeMap<&'a PackageName, Asked<'a>>,
        direct: &'a BTreeMap<PackageName, Direct>,
        memo: &'a Memo,
    ) -> Self {
        let opt_ins = asked.iter().map(|(name, asked)| ((*name).clone(), asked.opt_in())).collect();
        Self {
            question,
            target,
            facts,
            preferred,
            asked,
            direct,
            memo,
            shelves: RefCell::default(),
            opt_ins: RefCell::new(opt_ins),
            wants: RefCell::default(),
            found_urls: RefCell::default(),
            missing_extras: RefCell::default(),
        }
    }

    /// Where `name` comes from; what is not known is noted as wanted.
    pub fn stock(&self, name: &PackageName) -> Stock<'a> {
        if let Some(direct) = self.direct.get(name) {
            return Stock::Direct(direct);
        }
        if let Some(shelf) = self.shelves.borrow().get(name) {
            return Stock::Listed(shelf.clone());
        }
        let Some((name, offers)) = self.facts.offers.get_key_value(name) else {
            if !self.facts.unavailable.contains(name) {
                self.wants.borrow_mut().listings.insert(name.clone(), !self.hashes(name).is_empty());
            }
            return Stock::Unknown;
        };
        let shelf = Shelf::new(offers, name, self.hashes(name), self.target, &self.question.policy);
        let shelf = Rc::new(shelf);
        self.shelves.borrow_mut().insert(name.clone(), shelf.clone());
        Stock::Listed(shelf)
    }

    /// The versions of `name` that `specifiers` and the constraints allow.
    pub fn allowed(&self, name: &PackageName, specifiers: &Specifiers) -> Set {
        let own = self.versions_in(name, specifiers);
        match self.asked.get(name).filter(|asked| !asked.constraints.is_empty()) {
            Some(asked) => own.intersection(&self.versions_in(name, &asked.bounds())),
            None => own,
        }
    }

    fn versions_in(&self, name: &PackageName, specifiers: &Specifiers) -> Set {
        match self.stock(name) {
            Stock::Unknown => Set::full(),
            _ if specifiers.is_any() => Set::full(),
            Stock::Direct(Direct { version: Some(version), .. }) => {
                if specifiers.contains(version) {
                    Set::full()
                } else {
                    Set::empty()
                }
            }
            Stock::Direct(_) => Set::full(),
            Stock::Listed(shelf) => {
                let mut memo = self.memo.0.borrow_mut();
                let versions = shelf.offers().versions();
                let find = || set_of(versions.len(), |position| specifiers.contains(&versions[position]));
                memo.entry((name.clone(), specifiers.clone())).or_insert_with(find).clone()
            }
        }
    }

    /// The version to try first among `set`.
    pub fn choose(&self, name: &PackageName, set: &Set) -> Option<usize> {
        match self.stock(name) {
            Stock::Unknown | Stock::Direct(_) => set.contains(&number(ONLY)).then_some(ONLY),
            Stock::Listed(shelf) => {
                let versions = shelf.offers().versions();
                let (best, artifact) = shelf.best(&positions(set, versions.len()), self.opt_in(name))?;
                let preferred = self.preferred.get(name).and_then(|version| versions.binary_search(version).ok());
                let preferred = preferred.filter(|position| set.contains(&number(*position)));
                let is_as_good = |position: &usize| {
                    let file = shelf.best_of(*position, self.opt_in(name));
                    file.is_some_and(|file| file.distribution.is_wheel() >= artifact.distribution.is_wheel())
                };
                Some(preferred.filter(is_as_good).unwrap_or(best))
            }
        }
    }

    /// The version at a position, where the file or its name tells.
    pub fn version(&self, name: &PackageName, position: usize) -> Option<Version> {
        match self.stock(name) {
            Stock::Direct(direct) => direct.version.clone(),
            Stock::Listed(shelf) => shelf.offers().versions().get(position).cloned(),
            Stock::Unknown => None,
        }
    }

    /// The file of a version that was chosen.
    pub fn file(&self, name: &PackageName, position: usize) -> Option<Arc<Offer>> {
        match self.stock(name) {
            Stock::Unknown => None,
            Stock::Direct(direct) => Some(direct.offer.clone()),
            Stock::Listed(_) => {
                self.artifact(name, position).map(|artifact| Arc::new(Offer::of(&artifact, self.hashes(name))))
            }
        }
    }

    fn artifact(&self, name: &PackageName, position: usize) -> Option<Arc<Artifact>> {
        match self.stock(name) {
            Stock::Listed(shelf) => shelf.best_of(position, self.opt_in(name)),
            _ => None,
        }
    }

    /// What a version needs; `None` while that is not known.
    pub fn needs(&self, name: &PackageName, position: usize) -> Option<&'a Result<Arc<Needs>, Unknown>> {
        let url = match self.direct.get(name) {
            Some(direct) => direct.offer.url.clone(),
            None => self.artifact(name, position)?.url.clone(),
        };
        let known = self.facts.needs.get(&url);
        if known.is_none() {
            let offer = self.file(name, position)?;
            self.wants.borrow_mut().metadata.insert(url, (name.clone(), offer));
        }
        known
    }

    /// A line of metadata as an edge, where its marker holds with one of `extras` on.
    ///
    /// # Errors
    /// When it names a URL that cannot be taken.
    pub fn edge(&self, dependency: &Dependency, extras: &[ExtraName]) -> Option<Result<Edge, String>> {
        if !dependency.marker.evaluate(self.target.markers(), extras) {
            return None;
        }
        let set = match &dependency.source {
            DependencySource::Versions(specifiers) => {
                self.note(&dependency.name, specifiers);
                self.allowed(&dependency.name, specifiers)
            }
            DependencySource::Url(url) => match self.take_url(&dependency.name, url) {
                Ok(()) => Set::full(),
                Err(why) => return Some(Err(why)),
            },
        };
        Some(Ok(Edge { name: dependency.name.clone(), extras: dependency.extras.clone(), set }))
    }

    fn note(&self, name: &PackageName, specifiers: &Specifiers) {
        let more = OptIn::of(specifiers);
        if more != OptIn::default() {
            let mut opt_ins = self.opt_ins.borrow_mut();
            let known = opt_ins.entry(name.clone()).or_default();
            *known = known.or(more);
        }
    }

    pub fn opt_in(&self, name: &PackageName) -> OptIn {
        self.opt_ins.borrow().get(name).copied().unwrap_or_default()
    }

    /// A URL in metadata decides where the project comes from, unless another one did before.
    fn take_url(&self, name: &PackageName, text: &str) -> Result<(), String> {
        let url: MaskedUrl = text.parse().map_err(|error| format!("its URL `{text}` is none: {error}"))?;
        let found = Direct::of_url(name, &url, &[], self.target).map_err(|reason: Reason| reason.to_string())?;
        match self.direct.get(name) {
            Some(known) if known.offer.url == found.offer.url => Ok(()),
            Some(known) => Err(format!("{name} comes from {} already", known.offer.url)),
            None => {
                self.found_urls.borrow_mut().entry(name.clone()).or_insert(url);
                Ok(())
            }
        }
    }

    pub fn hashes(&self, name: &PackageName) -> &'a [crate::domain::Digest] {
        self.asked.get(name).map(Asked::hashes).unwrap_or_default()
    }
}
