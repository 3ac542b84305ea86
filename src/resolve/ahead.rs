//! What will be wanted next, guessed while other answers are still on their way.
//!
//! A step looks at everything, and waits for all that the step before it wanted. A walk goes on
//! with each answer as it comes: from a listing to the metadata of the version that looks best,
//! from there to the listings of what that needs. It knows no way back, so that a step still has
//! the word on everything; it saves the steps, and the round trips between them. What it wants
//! costs one small request each, and never a build or a whole file.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::case::{Case, Meanings};
use super::node::{Set, positions};
use super::{Facts, Wants};
use crate::domain::{Dependency, ExtraName, MaskedUrl, Needs, Offer, PackageName, Specifiers, Target};
use crate::select::{OptIn, Shelf};

/// So many versions of a project are guessed at: then a step has to tell.
const MOST_GUESSES: usize = 2;

/// Something that was found out.
pub enum News {
    Offers(PackageName),
    /// What the file at the URL needs, which is one of the project.
    Needs(PackageName, MaskedUrl),
}

/// How far the walk for one target came.
#[derive(Default)]
pub(super) struct Walk {
    /// What is asked of a project, by whom.
    demands: FxHashMap<PackageName, BTreeMap<PackageName, Demand>>,
    /// Whom the file of a project asks for something.
    asks: FxHashMap<PackageName, BTreeSet<PackageName>>,
    places: FxHashMap<PackageName, Place>,
}

/// What one project asks of another.
#[derive(Default)]
struct Demand {
    specifiers: Specifiers,
    extras: BTreeSet<ExtraName>,
}

/// Where the walk stands with one project.
#[derive(Default)]
struct Place {
    /// The file that is walked through.
    url: Option<MaskedUrl>,
    /// Its version; absent where a step chose it.
    position: Option<usize>,
    guesses: usize,
    /// The extras with which its needs were followed.
    followed: Option<BTreeSet<ExtraName>>,
}

/// The walk for one target, at work.
pub(super) struct Walker<'w, 'q> {
    pub case: &'w Case<'q>,
    pub meanings: &'w Meanings,
    pub facts: &'w Facts,
    pub walk: &'w mut Walk,
    pub wants: &'w mut Wants,
}

impl Walker<'_, '_> {
    /// Goes on from `news`, which were guessed at, or which a step wanted.
    pub fn go_on(&mut self, news: &News, is_guess: bool) {
        let mut waiting = vec![match news {
            News::Offers(name) => name.clone(),
            News::Needs(name, url) => {
                let place = self.walk.places.entry(name.clone()).or_default();
                if !is_guess && place.url.as_ref() != Some(url) {
                    *place = Place { url: Some(url.clone()), guesses: place.guesses, ..Place::default() };
                }
                name.clone()
            }
        }];
        while let Some(name) = waiting.pop() {
            waiting.extend(self.visit(&name));
        }
    }

    /// Looks at one project again; tells of which others more is asked now.
    fn visit(&mut self, name: &PackageName) -> BTreeSet<PackageName> {
        let asked = self.case.lines.by_project.get(name);
        if asked.is_some_and(|asked| asked.file.is_some()) {
            return BTreeSet::new();
        }
        let Some(shelf) = self.case.shelf(name, self.facts) else {
            if !self.facts.unavailable.contains(name) {
                let is_promised = !self.case.hashes(name).is_empty();
                self.wants.listings.insert(name.clone(), is_promised);
            }
            return BTreeSet::new();
        };
        self.choose(name, &shelf);
        let place = self.walk.places.get(name);
        let needs = place.and_then(|place| self.facts.needs.get(place.url.as_ref()?));
        match needs {
            Some(Ok(needs)) if needs.unreadable.is_empty() => self.follow(name, needs),
            _ => BTreeSet::new(),
        }
    }

    /// Takes the version that looks best, unless the last one still will do.
    fn choose(&mut self, name: &PackageName, shelf: &Shelf<'_>) {
        let versions = shelf.offers().versions();
        let still_does = match self.walk.places.get(name) {
            Some(Place { url: Some(_), position: Some(position), .. }) => {
                self.demands(name).all(|specifiers| specifiers.contains(&versions[*position]))
            }
            Some(place) => place.url.is_some() || place.guesses == MOST_GUESSES,
            None => false,
        };
        if still_does {
            return;
        }
        let all = |set: Set, more| set.intersection(&self.meanings.of(name, more, shelf.offers()));
        let among = positions(&self.demands(name).fold(Set::full(), all), versions.len());
        let opt_in = self.demands(name).map(OptIn::of).fold(OptIn::default(), OptIn::or);
        let Some(position) = shelf.choose(&among, opt_in, None) else { return };
        let Some(artifact) = shelf.best_of(position, opt_in) else { return };
        let place = self.walk.places.entry(name.clone()).or_default();
        if place.guesses == MOST_GUESSES {
            return;
        }
        let guesses = place.guesses + 1;
        *place = Place { url: Some(artifact.url.clone()), position: Some(position), guesses, followed: None };
        if !self.facts.needs.contains_key(&artifact.url) && artifact.sidecar.is_some() {
            let offer = Offer::of(&artifact, self.case.hashes(name));
            self.wants.metadata.insert(artifact.url.clone(), (name.clone(), offer.into()));
        }
    }

    /// What everybody asks of `name`.
    fn demands<'s>(&'s self, name: &PackageName) -> impl Iterator<Item = &'s Specifiers> {
        let own = self.case.lines.by_project.get(name).map(|asked| &asked.specifiers);
        let others = self.walk.demands.get(name).into_iter().flat_map(BTreeMap::values);
        own.into_iter().chain(others.map(|demand| &demand.specifiers))
    }

    /// Asks of others what the file of `name` needs, in place of what it asked before.
    fn follow(&mut self, name: &PackageName, needs: &Needs) -> BTreeSet<PackageName> {
        let extras = self.extras(name, needs);
        let place = self.walk.places.entry(name.clone()).or_default();
        if place.followed.as_ref() == Some(&extras) {
            return BTreeSet::new();
        }
        place.followed = Some(extras.clone());
        for other in self.walk.asks.remove(name).unwrap_or_default() {
            self.walk.demands.get_mut(&other).map(|demands| demands.remove(name));
        }
        let mut asks = BTreeSet::new();
        let target = self.case.target;
        for dependency in needs.dependencies.iter().filter(|line| line.name != *name && holds(line, target, &extras)) {
            let demands = self.walk.demands.entry(dependency.name.clone()).or_default();
            let demand = demands.entry(name.clone()).or_default();
            demand.extras.extend(dependency.extras.iter().cloned());
            if let Some(more) = dependency.source.specifiers() {
                demand.specifiers = demand.specifiers.and(more);
                asks.insert(dependency.name.clone());
            }
        }
        self.walk.asks.insert(name.clone(), asks.clone());
        asks
    }

    /// The extras that are on: those asked for, and those that they need of the project itself.
    fn extras(&self, name: &PackageName, needs: &Needs) -> BTreeSet<ExtraName> {
        let lines = self.case.lines.by_project.get(name).into_iter().flat_map(|asked| &asked.requirements);
        let demands = self.walk.demands.get(name).into_iter().flat_map(BTreeMap::values);
        let asked = lines.flat_map(|line| &line.extras).chain(demands.flat_map(|demand| &demand.extras));
        let mut extras: BTreeSet<_> = asked.cloned().collect();
        loop {
            let known = extras.len();
            let own =
                needs.dependencies.iter().filter(|line| line.name == *name && holds(line, self.case.target, &extras));
            let more: Vec<_> = own.flat_map(|line| line.extras.iter().cloned()).collect();
            extras.extend(more);
            if extras.len() == known {
                return extras;
            }
        }
    }
}

/// Whether a line of metadata holds on `target`, on its own or with one of `extras`.
fn holds(line: &Dependency, target: &Target, extras: &BTreeSet<ExtraName>) -> bool {
    let with = |extras: &[ExtraName]| line.marker.evaluate(target.markers(), extras);
    with(&[]) || extras.iter().any(|extra| with(std::slice::from_ref(extra)))
}
