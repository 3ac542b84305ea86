//! Prefetching: guesses which listings and metadata the next step will need.
//!
//! A step looks at everything, and waits for all that the step before it requested. The prefetcher
//! continues with each response as it comes: from a listing to the metadata of the best version,
//! from there to the listings of its dependencies. It never backtracks, so that every decision is
//! left to a step; it saves steps, and the round trips between them. What it requests costs one
//! small request each, and never a build or a whole file.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::node::{VersionSet, positions};
use super::target_problem::{SpecifierCache, TargetProblem};
use super::{Facts, MissingFacts};
use crate::domain::{
    Candidate, Dependency, ExtraName, FileLink, MaskedUrl, PackageName, ResolutionMetadata, Specifiers, Target,
};
use crate::select::{CandidateSelector, OptIn};

/// The number of versions of a project that are guessed before a step must decide.
const MOST_GUESSES: usize = 2;

/// The number of versions of a project chosen by steps alone after which they are assumed to go
/// down its list, so that the metadata of several older versions is requested at once.
const STEPS_DOWN: usize = 3;

/// The number of older versions that are requested first; doubled each time after that.
const FIRST_BATCH: usize = 4;

/// The limit of versions that are requested at once.
const LARGEST_BATCH: usize = 64;

/// A fact that was just added.
pub enum NewFact {
    Candidates(PackageName),
    /// The metadata of the project's file at this URL.
    Metadata(PackageName, MaskedUrl),
}

/// The state of prefetching for one target.
#[derive(Default)]
pub(super) struct PrefetchState {
    /// The demands on each project, by the project that makes them.
    demands: FxHashMap<PackageName, BTreeMap<PackageName, Demand>>,
    /// The projects that a project's file makes demands on.
    asks: FxHashMap<PackageName, BTreeSet<PackageName>>,
    progress_by_project: FxHashMap<PackageName, ProjectProgress>,
}

/// What one project requires of another.
#[derive(Default)]
struct Demand {
    specifiers: Specifiers,
    extras: BTreeSet<ExtraName>,
}

/// The state of prefetching for one project.
#[derive(Default)]
struct ProjectProgress {
    /// The URL of the file whose dependencies are followed.
    url: Option<MaskedUrl>,
    /// The position of its version; `None` if a step chose it.
    position: Option<usize>,
    guesses: usize,
    /// The number of versions that steps chose without a guess.
    steps_down: usize,
    /// The files that were requested since steps go down the list.
    asked_older: FxHashSet<MaskedUrl>,
    /// The extras with which its dependencies were followed.
    followed: Option<BTreeSet<ExtraName>>,
}

/// Prefetches for one target.
pub(super) struct Prefetcher<'w, 'q> {
    pub problem: &'w TargetProblem<'q>,
    pub specifier_cache: &'w SpecifierCache,
    pub facts: &'w Facts,
    pub state: &'w mut PrefetchState,
    pub missing: &'w mut MissingFacts,
}

impl Prefetcher<'_, '_> {
    /// Continues from `new_fact`, which was requested speculatively or by a step.
    pub fn advance(&mut self, new_fact: &NewFact, is_guess: bool) {
        let mut waiting = vec![match new_fact {
            NewFact::Candidates(name) => name.clone(),
            NewFact::Metadata(name, url) => {
                let progress = self.state.progress_by_project.entry(name.clone()).or_default();
                if !is_guess && progress.url.as_ref() != Some(url) {
                    progress.steps_down += 1;
                    (progress.url, progress.position, progress.followed) = (Some(url.clone()), None, None);
                    let steps_down = progress.steps_down;
                    self.prefetch_older(name, url, steps_down);
                }
                name.clone()
            }
        }];
        while let Some(name) = waiting.pop() {
            waiting.extend(self.visit(&name));
        }
    }

    /// Reconsiders one project; returns those on which there are new demands.
    fn visit(&mut self, name: &PackageName) -> BTreeSet<PackageName> {
        let asked = self.problem.lines.of_project(name);
        if asked.is_some_and(|asked| asked.file.is_some()) {
            return BTreeSet::new();
        }
        let Some(selector) = self.problem.selector(name, self.facts) else {
            if !self.facts.unavailable.contains(name) {
                let has_hashes = !self.problem.hashes(name).is_empty();
                self.missing.listings.insert(name.clone(), has_hashes);
            }
            return BTreeSet::new();
        };
        self.choose(name, &selector);
        let progress = self.state.progress_by_project.get(name);
        let metadata = progress.and_then(|progress| self.facts.metadata.get(progress.url.as_ref()?));
        match metadata {
            Some(Ok(metadata)) if metadata.unreadable.is_empty() => self.follow(name, metadata),
            _ => BTreeSet::new(),
        }
    }

    /// Chooses the best version, unless the previous choice is still allowed.
    fn choose(&mut self, name: &PackageName, selector: &CandidateSelector<'_>) {
        let versions = selector.candidates().versions();
        let still_does = match self.state.progress_by_project.get(name) {
            Some(ProjectProgress { url: Some(_), position: Some(position), .. }) => {
                self.demands(name).all(|specifiers| specifiers.contains(&versions[*position]))
            }
            Some(progress) => progress.url.is_some() || progress.guesses == MOST_GUESSES,
            None => false,
        };
        if still_does {
            return;
        }
        let opt_in = self.opt_in(name);
        let Some(position) = selector.choose(&self.allowed(name, selector), opt_in, &[]) else { return };
        let Some(candidate) = selector.best_of(position, opt_in) else { return };
        let progress = self.state.progress_by_project.entry(name.clone()).or_default();
        if progress.guesses == MOST_GUESSES {
            return;
        }
        progress.guesses += 1;
        (progress.url, progress.position, progress.followed) = (Some(candidate.url.clone()), Some(position), None);
        if !self.facts.metadata.contains_key(&candidate.url) && candidate.sidecar.is_some() {
            let link = FileLink::of(&candidate, self.problem.hashes(name));
            self.missing.metadata.insert(candidate.url.clone(), (name.clone(), link.into()));
        }
    }

    /// Requests the metadata of the versions below that of `url`, once steps go down the list.
    fn prefetch_older(&mut self, name: &PackageName, url: &MaskedUrl, steps_down: usize) {
        let Some(doublings) = steps_down.checked_sub(STEPS_DOWN) else { return };
        let Some(selector) = self.problem.selector(name, self.facts) else { return };
        let among = self.allowed(name, &selector);
        let opt_in = self.opt_in(name);
        let files = selector.eligible(&among, opt_in);
        let files = files.iter().filter_map(|position| selector.best_of(*position, opt_in));
        let below = files.skip_while(|candidate| candidate.url != *url).skip(1);
        let asked = &mut self.state.progress_by_project.entry(name.clone()).or_default().asked_older;
        let unknown = below.filter(|candidate| !self.facts.metadata.contains_key(&candidate.url));
        let batch = unknown.filter(|candidate| is_cheap(candidate) && asked.insert(candidate.url.clone()));
        for candidate in batch.take(batch_size(doublings)) {
            let link = FileLink::of(&candidate, self.problem.hashes(name));
            self.missing.metadata.insert(candidate.url.clone(), (name.clone(), link.into()));
        }
    }

    /// Returns the positions that all demands allow, the highest first.
    fn allowed(&self, name: &PackageName, selector: &CandidateSelector<'_>) -> Vec<usize> {
        let all = |set: VersionSet, more| set.intersection(&self.specifier_cache.of(name, more, selector.candidates()));
        positions(&self.demands(name).fold(VersionSet::full(), all), selector.candidates().versions().len())
    }

    fn opt_in(&self, name: &PackageName) -> OptIn {
        self.demands(name).map(OptIn::of).fold(OptIn::default(), OptIn::or)
    }

    /// Returns all demands on `name`.
    fn demands<'s>(&'s self, name: &PackageName) -> impl Iterator<Item = &'s Specifiers> {
        let own = self.problem.lines.of_project(name).map(|asked| &asked.specifiers);
        let others = self.state.demands.get(name).into_iter().flat_map(BTreeMap::values);
        own.into_iter().chain(others.map(|demand| &demand.specifiers))
    }

    /// Replaces the demands that `name` makes on others by those of its file.
    fn follow(&mut self, name: &PackageName, metadata: &ResolutionMetadata) -> BTreeSet<PackageName> {
        let extras = self.extras(name, metadata);
        let progress = self.state.progress_by_project.entry(name.clone()).or_default();
        if progress.followed.as_ref() == Some(&extras) {
            return BTreeSet::new();
        }
        progress.followed = Some(extras.clone());
        for other in self.state.asks.remove(name).unwrap_or_default() {
            self.state.demands.get_mut(&other).map(|demands| demands.remove(name));
        }
        let mut asked: BTreeMap<&PackageName, Vec<&Specifiers>> = BTreeMap::new();
        let target = self.problem.target;
        for dependency in metadata.dependencies.iter().filter(|line| line.name != *name && holds(line, target, &extras))
        {
            let demands = self.state.demands.entry(dependency.name.clone()).or_default();
            let demand = demands.entry(name.clone()).or_default();
            demand.extras.extend(dependency.extras.iter().cloned());
            if let Some(more) = dependency.source.specifiers() {
                asked.entry(&dependency.name).or_default().push(more);
            }
        }
        let asks: BTreeSet<_> = asked.keys().map(|other| (*other).clone()).collect();
        for (other, specifiers) in asked {
            let demand = self.state.demands.entry(other.clone()).or_default().entry(name.clone()).or_default();
            demand.specifiers = Specifiers::all(specifiers);
        }
        self.state.asks.insert(name.clone(), asks.clone());
        asks
    }

    /// Returns the active extras: the requested ones, and those that they require of the project
    /// itself.
    fn extras(&self, name: &PackageName, metadata: &ResolutionMetadata) -> BTreeSet<ExtraName> {
        let lines = self.problem.lines.of_project(name).into_iter().flat_map(|asked| &asked.requirements);
        let demands = self.state.demands.get(name).into_iter().flat_map(BTreeMap::values);
        let asked = lines.flat_map(|line| &line.extras).chain(demands.flat_map(|demand| &demand.extras));
        let mut extras: BTreeSet<_> = asked.cloned().collect();
        loop {
            let known = extras.len();
            let own = metadata
                .dependencies
                .iter()
                .filter(|line| line.name == *name && holds(line, self.problem.target, &extras));
            let more: Vec<_> = own.flat_map(|line| line.extras.iter().cloned()).collect();
            extras.extend(more);
            if extras.len() == known {
                return extras;
            }
        }
    }
}

/// Whether the file's metadata can be fetched without the whole file.
fn is_cheap(candidate: &Candidate) -> bool {
    candidate.sidecar.is_some() || (candidate.distribution.is_wheel() && !candidate.url.is_local())
}

fn batch_size(doublings: usize) -> usize {
    let doubled = u32::try_from(doublings).ok().and_then(|times| FIRST_BATCH.checked_mul(2_usize.checked_pow(times)?));
    doubled.unwrap_or(LARGEST_BATCH).min(LARGEST_BATCH)
}

/// Whether a line of metadata applies on `target`, by itself or with one of `extras`.
fn holds(line: &Dependency, target: &Target, extras: &BTreeSet<ExtraName>) -> bool {
    let with = |extras: &[ExtraName]| line.marker.evaluate(target.markers(), extras);
    with(&[]) || extras.iter().any(|extra| with(std::slice::from_ref(extra)))
}
