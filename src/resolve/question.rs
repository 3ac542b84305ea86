//! The question that the resolver answers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::MissingFacts;
use crate::domain::{PackageName, Request, Requirement, Specifiers};
use crate::select::Policy;

/// What is to be resolved: requirements, and the options that decide what may be chosen.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Question {
    /// Requirements and constraints in the order in which they were read.
    pub requirements: Vec<Requirement>,
    pub policy: Policy,
    /// Whether every file needs a digest given by the user (pip's hash-checking mode).
    pub require_hashes: bool,
    /// Whether dependencies are resolved, too.
    pub follow_dependencies: bool,
    /// Whether the source archive beside each wheel is fetched, too; the search ignores it.
    pub with_sources: bool,
}

impl Question {
    /// Returns the versions of each project that are allowed on every target, by the lines without
    /// a marker.
    ///
    /// No solution has any other version.
    pub fn unconditional_bounds(&self) -> BTreeMap<PackageName, Specifiers> {
        let mut bounds: BTreeMap<_, Vec<&Specifiers>> = BTreeMap::new();
        for requirement in self.requirements.iter().filter(|requirement| requirement.marker.is_always()) {
            if let (Some(name), Some(specifiers)) = (&requirement.name, requirement.specifiers()) {
                bounds.entry(name).or_default().push(specifiers);
            }
        }
        bounds.into_iter().map(|(name, bounds)| (name.clone(), Specifiers::all(bounds))).collect()
    }

    /// Returns the listings that the first step needs for any target: those of the projects that
    /// are required by lines without a marker.
    pub fn unconditional_listings(&self) -> MissingFacts {
        let mut by_project: BTreeMap<_, Vec<&Requirement>> = BTreeMap::new();
        for requirement in &self.requirements {
            by_project.entry(requirement.name.as_ref()).or_default().push(requirement);
        }
        let is_certain = |line: &&Requirement| line.marker.is_always() && line.specifiers().is_some();
        by_project.retain(|_, lines| lines.iter().all(is_certain) && lines.iter().any(|line| !line.constraint));
        let is_promised = |lines: &[&Requirement]| lines.iter().any(|line| !line.hashes.is_empty());
        let named = by_project.iter().filter_map(|(name, lines)| Some(((*name)?.clone(), is_promised(lines))));
        MissingFacts { listings: named.collect(), ..MissingFacts::default() }
    }

    /// Returns the question that `request` was, as far as the request states it.
    pub fn of_request(request: &Request) -> Self {
        Self {
            requirements: request.requirements.clone(),
            policy: Policy {
                formats: request.formats.clone(),
                prefer_binary: request.prefer_binary,
                releases: request.releases.clone(),
                exclude_newer: None,
            },
            require_hashes: request.require_hashes,
            follow_dependencies: request.follow_dependencies,
            with_sources: false,
        }
    }

    /// Returns the request that it is for the targets at these positions.
    pub fn request(&self, targets: Vec<usize>) -> Request {
        Request {
            requirements: self.requirements.clone(),
            formats: self.policy.formats.clone(),
            releases: self.policy.releases.clone(),
            prefer_binary: self.policy.prefer_binary,
            require_hashes: self.require_hashes,
            follow_dependencies: self.follow_dependencies,
            targets,
        }
    }
}
