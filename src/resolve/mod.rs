//! Facts → solution: which version and file of each project every target gets.
//!
//! [`step`] is pure: the same question and facts always give the same step, whatever was cached
//! and in whatever order answers came. It never asks for anything itself; it says what it would
//! have to know ([`Want`]), and the caller finds out and steps again.

mod direct;
mod explain;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use explain::{Failure, Reason};

use crate::domain::{
    Artifact, Digest, Offer, Offers, PackageName, Pick, Promises, Requirement, Solution, Source, Specifiers, Target,
};
use crate::select::{Ask, Policy, choose};

/// What is to be solved.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Requirements and constraints in the order in which they were read.
    pub requirements: Vec<Requirement>,
    pub policy: Policy,
    /// Every file must be promised by a digest that the user gave (pip's hash-checking mode).
    pub require_hashes: bool,
}

/// What is known of the world so far.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub offers: BTreeMap<PackageName, Arc<Offers>>,
    /// Projects that could not be asked for: whoever asked tells why.
    pub unavailable: BTreeSet<PackageName>,
}

/// Something to find out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    Listing {
        project: PackageName,
        /// Ask every index instead of stopping at the first that knows the project: allowed
        /// where the user's digests promise the bytes.
        everywhere: bool,
    },
}

/// One attempt with what is known.
#[derive(Clone, Debug)]
pub enum Step {
    /// One solution for each target, in their order.
    Solved(Vec<Solution>),
    Needs(BTreeSet<Want>),
    /// Everything that stands in the way, not only the first thing.
    Impossible(Vec<Failure>),
}

/// One attempt to answer `question` for every target with `facts`.
pub fn step(question: &Question, targets: &[Arc<Target>], facts: &Facts) -> Step {
    let mut needs = BTreeSet::new();
    let mut failures = Vec::new();
    let mut solutions = Vec::new();
    for (position, target) in targets.iter().enumerate() {
        let mut solution = Solution::default();
        for (name, asked) in group(question, target, &mut failures) {
            match asked.pick(name, question, target, facts) {
                Outcome::Picked(pick) => solution.picks.push(pick),
                Outcome::Needs(want) => drop(needs.insert(want)),
                Outcome::Failed(reason) => failures.push(asked.failure(name, reason, position)),
                Outcome::Unavailable => {}
            }
        }
        solutions.push(solution);
    }
    if !needs.is_empty() {
        Step::Needs(needs)
    } else if !failures.is_empty() {
        Step::Impossible(explain::merge(failures))
    } else {
        Step::Solved(solutions)
    }
}

enum Outcome {
    Picked(Pick),
    Needs(Want),
    Failed(Reason),
    Unavailable,
}

/// All lines that hold for one project on one target.
#[derive(Default)]
struct Asked<'a> {
    requirements: Vec<&'a Requirement>,
    constraints: Vec<&'a Requirement>,
}

/// The requirements whose markers hold on `target`, by project, with their constraints.
fn group<'a>(
    question: &'a Question,
    target: &Target,
    failures: &mut Vec<Failure>,
) -> BTreeMap<&'a PackageName, Asked<'a>> {
    let mut asked: BTreeMap<&PackageName, Asked<'_>> = BTreeMap::new();
    let holds = |requirement: &&Requirement| requirement.marker.evaluate(target.markers(), &[]);
    for requirement in question.requirements.iter().filter(holds) {
        match &requirement.name {
            Some(name) if requirement.constraint => asked.entry(name).or_default().constraints.push(requirement),
            Some(name) => asked.entry(name).or_default().requirements.push(requirement),
            None => failures.push(Failure::nameless(requirement)),
        }
    }
    asked.retain(|_, asked| !asked.requirements.is_empty());
    asked
}

impl Asked<'_> {
    fn pick(&self, name: &PackageName, question: &Question, target: &Target, facts: &Facts) -> Outcome {
        let specifiers = self.specifiers();
        let hashes = self.hashes();
        let file = match self.direct() {
            Some(requirement) => direct::offer(name, requirement, &specifiers, target),
            None => match self.from_index(name, &specifiers, question, target, facts) {
                Ok(artifact) => Ok(offer(artifact, hashes)),
                Err(outcome) => return outcome,
            },
        };
        match file {
            Err(reason) => Outcome::Failed(reason),
            Ok((_, file)) if question.require_hashes && file.promises.asked.is_empty() => {
                Outcome::Failed(Reason::NoHash { pinned: specifiers.is_pinned() })
            }
            Ok((version, file)) => Outcome::Picked(Pick {
                name: name.clone(),
                version,
                requested_by: self.requirements.iter().map(|requirement| requirement.origin.clone()).collect(),
                dependencies: Vec::new(),
                file,
            }),
        }
    }

    fn from_index(
        &self,
        name: &PackageName,
        specifiers: &Specifiers,
        question: &Question,
        target: &Target,
        facts: &Facts,
    ) -> Result<Artifact, Outcome> {
        if facts.unavailable.contains(name) {
            return Err(Outcome::Unavailable);
        }
        let hashes = self.hashes();
        let Some(offers) = facts.offers.get(name) else {
            return Err(Outcome::Needs(Want::Listing { project: name.clone(), everywhere: !hashes.is_empty() }));
        };
        let ask = Ask { project: name, specifiers, hashes };
        choose(offers, &ask, target, &question.policy)
            .map_err(|no_choice| Outcome::Failed(Reason::no_choice(no_choice, specifiers, offers)))
    }

    /// A URL or archive beats the index; one in a requirement beats one in a constraint.
    fn direct(&self) -> Option<&Requirement> {
        let all = self.requirements.iter().chain(&self.constraints);
        all.copied().find(|requirement| !matches!(requirement.source, Source::Index(_)))
    }

    fn specifiers(&self) -> Specifiers {
        let all = self.requirements.iter().chain(&self.constraints);
        all.filter_map(|requirement| requirement.specifiers()).fold(Specifiers::any(), |both, more| both.and(more))
    }

    /// The digests of the first line that has any, a requirement's before a constraint's (pip's
    /// rule, `facts/pip.md` 2.3).
    fn hashes(&self) -> &[Digest] {
        let mut all = self.requirements.iter().chain(&self.constraints);
        all.find(|requirement| !requirement.hashes.is_empty()).map_or(&[], |requirement| &requirement.hashes)
    }

    fn failure(&self, name: &PackageName, reason: Reason, target: usize) -> Failure {
        let origins = self.requirements.iter().chain(&self.constraints);
        Failure {
            package: Some(name.clone()),
            requirement: self.requirements.first().map(ToString::to_string).unwrap_or_default(),
            reason,
            origins: origins.map(|requirement| requirement.origin.clone()).collect(),
            targets: vec![target],
        }
    }
}

fn offer(artifact: Artifact, asked: &[Digest]) -> (Option<crate::domain::Version>, Offer) {
    let version = artifact.distribution.version().clone();
    let offer = Offer {
        filename: artifact.filename,
        url: artifact.url,
        index: artifact.index,
        promises: Promises { asked: asked.to_vec(), index: artifact.hashes, size: artifact.size },
        requires_python: artifact.requires_python,
        yanked: artifact.yanked,
    };
    (Some(version), offer)
}
