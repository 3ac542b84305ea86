//! Facts → solution: which version and file of each project every target gets.
//!
//! [`step`] is pure: the same question and facts always give the same step, whatever was cached
//! and in whatever order answers came. It never asks for anything itself; it says what it would
//! have to know ([`Wants`]), and the caller finds out and steps again.
//!
//! The search is PubGrub's (the crate `pubgrub`). What is not known yet does not end it: a project
//! whose listing is missing has one version without needs for the time being, and a file whose
//! metadata is missing needs nothing. So one step finds everything that the search would look at
//! next, and an answer counts only once nothing was missing.

mod ahead;
mod assumed;
mod case;
mod check;
mod conflict;
mod direct;
mod explain;
mod finish;
mod graph;
mod lines;
mod needed;
mod node;
mod order;
mod provider;
mod solve;
mod unbuilt;
mod view;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

pub use ahead::News;
pub use explain::{Failure, Reason};

use ahead::{Walk, Walker};
use case::{Case, Meanings};
use solve::{Outcome, Progress};

use crate::domain::{
    MaskedUrl, Needs, Offer, Offers, PackageName, Requirement, Solution, Specifiers, Target, Unknown, Version,
};
use crate::select::Policy;

/// What is to be solved.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Question {
    /// Requirements and constraints in the order in which they were read.
    pub requirements: Vec<Requirement>,
    pub policy: Policy,
    /// Every file must be promised by a digest that the user gave (pip's hash-checking mode).
    pub require_hashes: bool,
    /// Also get what the requirements need.
    pub follow_dependencies: bool,
    /// Also get the source archive beside each wheel; the search does not look at it.
    pub with_sources: bool,
}

impl Question {
    /// What holds for each project on every target, whatever else is chosen: the versions that
    /// the lines without a marker allow. No solution has another one.
    pub fn certain_bounds(&self) -> BTreeMap<PackageName, Specifiers> {
        let mut bounds: BTreeMap<_, Specifiers> = BTreeMap::new();
        for requirement in self.requirements.iter().filter(|requirement| requirement.marker.is_always()) {
            if let (Some(name), Some(specifiers)) = (&requirement.name, requirement.specifiers()) {
                let known = bounds.entry(name.clone()).or_default();
                *known = known.and(specifiers);
            }
        }
        bounds
    }

    /// What the first step wants, whatever the targets are: the listings of the projects that are
    /// asked for by lines without a marker, and by no others.
    pub fn certain_wants(&self) -> Wants {
        let mut by_project: BTreeMap<_, Vec<&Requirement>> = BTreeMap::new();
        for requirement in &self.requirements {
            by_project.entry(requirement.name.as_ref()).or_default().push(requirement);
        }
        let is_certain = |line: &&Requirement| line.marker.is_always() && line.specifiers().is_some();
        by_project.retain(|_, lines| lines.iter().all(is_certain) && lines.iter().any(|line| !line.constraint));
        let is_promised = |lines: &[&Requirement]| lines.iter().any(|line| !line.hashes.is_empty());
        let named = by_project.iter().filter_map(|(name, lines)| Some(((*name)?.clone(), is_promised(lines))));
        Wants { listings: named.collect(), ..Wants::default() }
    }
}

/// What is known of the world so far.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub offers: BTreeMap<PackageName, Arc<Offers>>,
    /// What the file at a URL needs.
    pub needs: BTreeMap<MaskedUrl, Result<Arc<Needs>, Unknown>>,
    /// Projects that could not be asked for: whoever asked tells why.
    pub unavailable: BTreeSet<PackageName>,
}

/// What would have to be known.
#[derive(Clone, Debug, Default)]
pub struct Wants {
    /// The listings of these projects; with `true`, from every index instead of only the first
    /// that knows the project: allowed where the user's digests promise the bytes.
    pub listings: BTreeMap<PackageName, bool>,
    /// The metadata of these files, each of a project.
    pub metadata: BTreeMap<MaskedUrl, (PackageName, Arc<Offer>)>,
}

impl Wants {
    pub fn is_empty(&self) -> bool {
        self.listings.is_empty() && self.metadata.is_empty()
    }

    fn extend(&mut self, other: Self) {
        self.listings.extend(other.listings);
        self.metadata.extend(other.metadata);
    }
}

/// One attempt with what is known.
#[derive(Clone, Debug)]
pub enum Step {
    /// One solution for each target, in their order.
    Solved(Vec<Solution>),
    Needs(Wants),
    /// Everything that stands in the way, not only the first thing, and the solutions of the
    /// targets that have one, by their positions.
    Impossible {
        failures: Vec<Failure>,
        solved: BTreeMap<usize, Solution>,
    },
}

/// One attempt to answer `question` for every target with `facts`. A target prefers the versions
/// that those before it got.
pub fn step(question: &Question, targets: &[Arc<Target>], facts: &Facts) -> Step {
    Resolver::new(question, targets).step(facts)
}

/// A question that is stepped more than once: what was worked out in one step is kept for the
/// next, so that each costs no more than what is new. Facts may be added between steps, and
/// none may change.
pub struct Resolver<'q> {
    cases: Vec<Case<'q>>,
    progress: Vec<Progress>,
    walks: Vec<Walk>,
    meanings: Meanings,
}

impl<'q> Resolver<'q> {
    pub fn new(question: &'q Question, targets: &'q [Arc<Target>]) -> Self {
        let cases = targets.iter().map(|target| Case::new(question, target)).collect();
        let progress = targets.iter().map(|_| Progress::default()).collect();
        let walks = targets.iter().map(|_| Walk::default()).collect();
        Self { cases, progress, walks, meanings: Meanings::default() }
    }

    /// As [`step`].
    pub fn step(&mut self, facts: &Facts) -> Step {
        let mut wants = Wants::default();
        let mut failures = Vec::new();
        let mut preferred = Preferred::default();
        for (position, (case, progress)) in self.cases.iter_mut().zip(&mut self.progress).enumerate() {
            if case.settled.is_none() {
                // While an earlier target has no answer, what this one prefers is not settled.
                let is_settled = wants.is_empty();
                let progress = if is_settled { progress } else { &mut Progress::default() };
                let answer = match solve::solve(case, facts, &self.meanings, &preferred, progress) {
                    Outcome::Answer(answer) => answer,
                    Outcome::Needs(more) => {
                        wants.extend(more);
                        continue;
                    }
                };
                if !is_settled {
                    continue;
                }
                case.settled = Some(answer);
            }
            match &case.settled {
                Some(Ok(solution)) => prefer(&mut preferred, solution),
                Some(Err(found)) => failures.extend(found.iter().map(|failure| failure.clone().on_target(position))),
                None => {}
            }
        }
        self.conclude(wants, failures)
    }

    /// What the next step would want because of `news`, as far as that can be guessed without
    /// one; `is_guess` where the news themselves were. Facts that are guessed at change no answer.
    pub fn ahead(&mut self, news: &News, is_guess: bool, facts: &Facts) -> Wants {
        let mut wants = Wants::default();
        let under_way = self.cases.iter().zip(&mut self.walks).filter(|(case, _)| case.settled.is_none());
        for (case, walk) in under_way.filter(|(case, _)| case.question.follow_dependencies) {
            Walker { case, meanings: &self.meanings, facts, walk, wants: &mut wants }.go_on(news, is_guess);
        }
        wants
    }

    fn conclude(&self, wants: Wants, failures: Vec<Failure>) -> Step {
        let solved = self.cases.iter().map(|case| case.settled.as_ref()?.as_ref().ok().cloned());
        if !wants.is_empty() {
            Step::Needs(wants)
        } else if failures.is_empty() {
            Step::Solved(solved.flatten().collect())
        } else {
            let solved = solved.enumerate().filter_map(|(position, solution)| Some((position, solution?)));
            Step::Impossible { failures: explain::merge(failures), solved: solved.collect() }
        }
    }
}

/// Versions that earlier targets got; the first that got a project decides.
type Preferred = BTreeMap<PackageName, Version>;

fn prefer(preferred: &mut Preferred, solution: &Solution) {
    for pick in &solution.picks {
        if let Some(version) = &pick.version {
            preferred.entry(pick.name.clone()).or_insert_with(|| version.clone());
        }
    }
}
