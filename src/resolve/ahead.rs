//! What will be wanted next, guessed while other answers are still on their way.
//!
//! A step looks at everything, and waits for all that the step before it wanted. A walk goes on
//! with each answer as it comes: from a listing to the metadata of the version that looks best,
//! from there to the listings of what that needs. It knows no way back, so that a step still has
//! the word on everything; it saves the steps, and the round trips between them. What it wants
//! costs one small request each, and never a build or a whole file.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::case::{Case, Meanings};
use super::node::{Set, positions};
use super::{Facts, Wants};
use crate::domain::{Artifact, Dependency, ExtraName, MaskedUrl, Needs, Offer, PackageName, Specifiers, Target};
use crate::select::{OptIn, Shelf};

/// How many versions of a project are guessed at before a step has to tell.
const MOST_GUESSES: usize = 2;

/// Once steps have come to this many versions of a project on their own, they are taken to go down
/// its list, and the needs of the versions below are asked for at once.
const STEPS_DOWN: usize = 3;

/// How many versions below are asked for at first; twice as many each time after that.
const FIRST_SERIES: usize = 4;

/// How many are asked for at a time at most.
const LONGEST_SERIES: usize = 64;

/// Something that was found out.
pub enum News {
    Offers(PackageName),
    /// What a file of the project needs, the one at the URL.
    Needs(PackageName, MaskedUrl),
}

/// How far the walk for one target has come.
#[derive(Default)]
pub(super) struct Walk {
    /// What is asked of a project, by whom.
    demands: FxHashMap<PackageName, BTreeMap<PackageName, Demand>>,
    /// The projects of which the file of a project asks something.
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
    /// How many versions steps chose that were not guessed.
    steps_down: usize,
    /// The files that were asked for since steps went down the list, each once.
    asked_below: FxHashSet<MaskedUrl>,
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
                    place.steps_down += 1;
                    (place.url, place.position, place.followed) = (Some(url.clone()), None, None);
                    let steps_down = place.steps_down;
                    self.look_below(name, url, steps_down);
                }
                name.clone()
            }
        }];
        while let Some(name) = waiting.pop() {
            waiting.extend(self.visit(&name));
        }
    }

    /// Looks at one project again; returns those of which more is asked now.
    fn visit(&mut self, name: &PackageName) -> BTreeSet<PackageName> {
        let asked = self.case.lines.asked(name);
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
        let opt_in = self.opt_in(name);
        let Some(position) = shelf.choose(&self.allowed(name, shelf), opt_in, None) else { return };
        let Some(artifact) = shelf.best_of(position, opt_in) else { return };
        let place = self.walk.places.entry(name.clone()).or_default();
        if place.guesses == MOST_GUESSES {
            return;
        }
        place.guesses += 1;
        (place.url, place.position, place.followed) = (Some(artifact.url.clone()), Some(position), None);
        if !self.facts.needs.contains_key(&artifact.url) && artifact.sidecar.is_some() {
            let offer = Offer::of(&artifact, self.case.hashes(name));
            self.wants.metadata.insert(artifact.url.clone(), (name.clone(), offer.into()));
        }
    }

    /// Wants the needs of the versions below that of `url`, once steps went down the list.
    fn look_below(&mut self, name: &PackageName, url: &MaskedUrl, steps_down: usize) {
        let Some(doublings) = steps_down.checked_sub(STEPS_DOWN) else { return };
        let Some(shelf) = self.case.shelf(name, self.facts) else { return };
        let among = self.allowed(name, &shelf);
        let opt_in = self.opt_in(name);
        let files = shelf.eligible(&among, opt_in);
        let files = files.iter().filter_map(|position| shelf.best_of(*position, opt_in));
        let below = files.skip_while(|artifact| artifact.url != *url).skip(1);
        let asked = &mut self.walk.places.entry(name.clone()).or_default().asked_below;
        let unknown = below.filter(|artifact| !self.facts.needs.contains_key(&artifact.url));
        let series = unknown.filter(|artifact| is_cheap(artifact) && asked.insert(artifact.url.clone()));
        for artifact in series.take(series_length(doublings)) {
            let offer = Offer::of(&artifact, self.case.hashes(name));
            self.wants.metadata.insert(artifact.url.clone(), (name.clone(), offer.into()));
        }
    }

    /// The positions that everybody allows, the highest first.
    fn allowed(&self, name: &PackageName, shelf: &Shelf<'_>) -> Vec<usize> {
        let all = |set: Set, more| set.intersection(&self.meanings.of(name, more, shelf.offers()));
        positions(&self.demands(name).fold(Set::full(), all), shelf.offers().versions().len())
    }

    fn opt_in(&self, name: &PackageName) -> OptIn {
        self.demands(name).map(OptIn::of).fold(OptIn::default(), OptIn::or)
    }

    /// What everybody asks of `name`.
    fn demands<'s>(&'s self, name: &PackageName) -> impl Iterator<Item = &'s Specifiers> {
        let own = self.case.lines.asked(name).map(|asked| &asked.specifiers);
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
        let lines = self.case.lines.asked(name).into_iter().flat_map(|asked| &asked.requirements);
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

/// Whether what the file needs can be had without all of it.
fn is_cheap(artifact: &Artifact) -> bool {
    artifact.sidecar.is_some() || (artifact.distribution.is_wheel() && artifact.url.secret().scheme() != "file")
}

fn series_length(doublings: usize) -> usize {
    let doubled = u32::try_from(doublings).ok().and_then(|times| FIRST_SERIES.checked_mul(2_usize.checked_pow(times)?));
    doubled.unwrap_or(LONGEST_SERIES).min(LONGEST_SERIES)
}

/// Whether a line of metadata holds on `target`, on its own or with one of `extras`.
fn holds(line: &Dependency, target: &Target, extras: &BTreeSet<ExtraName>) -> bool {
    let with = |extras: &[ExtraName]| line.marker.evaluate(target.markers(), extras);
    with(&[]) || extras.iter().any(|extra| with(std::slice::from_ref(extra)))
}
