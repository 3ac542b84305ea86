//! The facts that a run has fetched, and how far they can be trusted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{PlanFailure, Unreachable};
use crate::domain::{
    Candidates, MaskedUrl, MetadataSource, MetadataUnavailable, PackageName, Plan, Question, ResolutionMetadata,
    Solution, Specifiers, Target,
};
use crate::index::{IndexError, ListingRequest};
use crate::ops::metadata::MetadataFailure;
use crate::resolve::add_sources;
use crate::resolve::{Facts, Failure, MissingFacts, NewFact};

/// The facts fetched so far, and how far they can be trusted.
pub(super) struct KnownFacts {
    pub facts: Facts,
    /// Whether every file whose metadata was requested has an expected digest.
    pub is_cacheable: bool,
    pub unreachable: Vec<Unreachable>,
    /// Projects for which every index was asked.
    pub everywhere: BTreeSet<PackageName>,
    /// Projects that were requested again: in full, and without the cache if they came from it.
    pub asked_again: BTreeSet<PackageName>,
    /// Source archives whose builds may contradict their metadata.
    pub unreliable: BTreeMap<Box<str>, MetadataSource>,
}

impl Default for KnownFacts {
    fn default() -> Self {
        let (facts, unreachable, everywhere, asked_again, unreliable) = Default::default();
        Self { facts, is_cacheable: true, unreachable, everywhere, asked_again, unreliable }
    }
}

impl KnownFacts {
    /// Adds a response to the facts; returns what is new.
    ///
    /// A failed speculative request is ignored: if its answer matters, a step will ask for it.
    pub fn take(&mut self, answer: FactResponse) -> Option<NewFact> {
        match answer {
            FactResponse::Listing { project, outcome: Ok(candidates), .. } => {
                self.facts.candidates.insert(project.clone(), Arc::new(candidates));
                Some(NewFact::Candidates(project))
            }
            FactResponse::Metadata { project, url, filename, is_cacheable, outcome: Ok(metadata), .. } => {
                self.is_cacheable &= is_cacheable;
                if let Some(source) =
                    metadata.as_ref().ok().map(|metadata| metadata.source).filter(|source| source.is_unreliable())
                {
                    self.unreliable.insert(filename, source);
                }
                self.facts.metadata.insert(url.clone(), metadata);
                Some(NewFact::Metadata(project, url))
            }
            FactResponse::Listing { is_speculative: true, .. }
            | FactResponse::Metadata { is_speculative: true, .. }
            | FactResponse::Skipped => None,
            FactResponse::Listing { project, outcome: Err(error), .. } => {
                self.facts.candidates.remove(&project);
                self.facts.unavailable.insert(project);
                self.unreachable.push(error.into());
                None
            }
            FactResponse::Metadata { url, outcome: Err(error), .. } => {
                // The search goes on as if the file needed nothing, to find what else is wrong.
                self.facts.metadata.insert(url, Ok(Arc::default()));
                self.unreachable.push((*error).into());
                None
            }
        }
    }

    /// Records the projects for which every index is asked.
    pub fn note_scope(&mut self, missing: &MissingFacts) {
        let everywhere = missing.listings.iter().filter(|(_, everywhere)| **everywhere);
        self.everywhere.extend(everywhere.map(|(project, _)| project.clone()));
    }

    /// Whether `solutions` do not depend on anything that could not be fetched.
    ///
    /// A version without known dependencies that was not chosen would not have been chosen with
    /// any, either.
    pub fn is_unaffected_by_outages(&self, solutions: &[Solution]) -> bool {
        let packages = || solutions.iter().flat_map(|solution| &solution.packages);
        self.unreachable.iter().all(|unreachable| match unreachable {
            Unreachable::Index(_) => false,
            Unreachable::Metadata(failure) => packages().all(|package| package.file.url != failure.url),
        })
    }

    /// Returns warnings about what could not be fetched, and did not matter.
    pub fn ignored_failures(&self) -> Vec<String> {
        self.unreachable.iter().map(|unreachable| format!("{unreachable}; what was chosen does not need it")).collect()
    }

    /// Returns the listings to request again after `failures`.
    ///
    /// Cached ones are validated, since what is missing may have been published meanwhile. Narrowed
    /// ones are requested in full, since explanations name versions close to the required ones.
    pub fn stale_listings(&mut self, failures: &[Failure]) -> BTreeMap<PackageName, ListingRequest> {
        let mut again = BTreeMap::new();
        for project in failures.iter().flat_map(Failure::projects) {
            let Some(candidates) = self.facts.candidates.get(project) else { continue };
            if (candidates.unchecked || candidates.narrowed) && self.asked_again.insert(project.clone()) {
                let (everywhere, check) = (self.everywhere.contains(project), candidates.unchecked);
                again.insert(project.clone(), ListingRequest { everywhere, check, versions: Specifiers::any() });
            }
        }
        again
    }

    /// Adds source archives to `solutions`, if the question asks for them beside wheels.
    pub fn complete<'a>(
        &self,
        question: &Question,
        solutions: impl Iterator<Item = (&'a mut Solution, &'a Arc<Target>)>,
    ) {
        if question.with_sources {
            solutions.for_each(|(one, target)| add_sources(one, target, question, &self.facts.candidates));
        }
    }

    pub fn into_failure(self, failures: Vec<Failure>, solved: Plan) -> PlanFailure {
        let solved = if self.unreachable.is_empty() { solved } else { Plan::default() };
        PlanFailure { failures, unreachable: self.unreachable, solved }
    }
}

/// The response to a request for a fact; a speculative one was not asked for by a step.
pub(super) enum FactResponse {
    Listing {
        project: PackageName,
        is_speculative: bool,
        outcome: Result<Candidates, IndexError>,
    },
    Metadata {
        project: PackageName,
        url: MaskedUrl,
        filename: Box<str>,
        is_speculative: bool,
        /// Whether the file has an expected digest.
        is_cacheable: bool,
        outcome: Result<Result<Arc<ResolutionMetadata>, MetadataUnavailable>, Box<MetadataFailure>>,
    },
    /// A speculative request was dropped, since it would have cost too much.
    Skipped,
}

impl FactResponse {
    pub fn is_speculative(&self) -> bool {
        match self {
            Self::Listing { is_speculative, .. } | Self::Metadata { is_speculative, .. } => *is_speculative,
            Self::Skipped => true,
        }
    }
}
