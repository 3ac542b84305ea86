//! Plans from a lock file: nothing is resolved, and an index is asked only for files whose URLs the
//! lock does not state.

use std::sync::Arc;

use super::{KnownFacts, MetadataProvider, PlanFailure, merge};
use crate::domain::{Fetched, FetchedFile, FetchedPackage, Plan, Request, Requirement, Source, Specifiers, Target};
use crate::index::ListingRequest;
use crate::resolve::{LockQuestion, Question};

/// Returns the plan of the lock of `question` for every target.
///
/// # Errors
/// When a target cannot have a package of the lock, or an index could not be fetched; all such
/// cases.
pub async fn plan_locked(
    question: &LockQuestion,
    targets: &[Arc<Target>],
    provider: &MetadataProvider,
) -> Result<Plan, PlanFailure> {
    let mut known = KnownFacts::default();
    let wanted = question.wanted_listings(targets).into_iter().map(|(project, versions)| {
        let mut versions = versions.into_iter();
        let versions = match (versions.next(), versions.next()) {
            (Some(only), None) => Specifiers::exactly(only),
            _ => Specifiers::any(),
        };
        // Its digests promise the bytes, whatever index they come from.
        (project, ListingRequest { everywhere: true, check: false, versions })
    });
    let mut requests: std::collections::BTreeMap<_, _> = wanted.collect();
    known.everywhere.extend(requests.keys().cloned());
    loop {
        provider.fetch_again(requests, &mut known).await;
        if !known.unreachable.is_empty() {
            return Err(known.into_failure(Vec::new(), Plan::default()));
        }
        let (failures, solved) = question.solve_all(targets, &known.facts.candidates);
        requests = known.stale_listings(&failures);
        if failures.is_empty() {
            return Ok(merge(targets, solved));
        } else if requests.is_empty() {
            return Err(known.into_failure(failures, merge(targets, solved)));
        }
    }
}

/// Returns the requests of a lock file: for each target exactly what was fetched for it.
pub fn requests_of_locked(fetched: &Fetched, question: &Question) -> Vec<Request> {
    let installed = fetched.installed();
    let mut requests: Vec<Request> = Vec::new();
    for position in 0..installed.targets.len() {
        let requirements = requirements(&installed, position);
        match requests.iter_mut().find(|request| request.requirements == requirements) {
            Some(request) => request.targets.push(position),
            None => {
                let whole = question.request(vec![position]);
                requests.push(Request { requirements, follow_dependencies: false, ..whole });
            }
        }
    }
    requests
}

fn requirements(installed: &Fetched, target: usize) -> Vec<Requirement> {
    let serving = |package: &'_ FetchedPackage| {
        let file = package.files.iter().find(|file| file.targets.contains(&target))?;
        requirement(package, file)
    };
    installed.packages.iter().filter_map(serving).collect()
}

fn requirement(package: &FetchedPackage, file: &FetchedFile) -> Option<Requirement> {
    let source = match &package.version {
        Some(version) => Source::Index(Specifiers::exactly(version.clone())),
        None => Source::Url(file.candidate.url.clone()),
    };
    Some(Requirement {
        name: Some(package.name.clone()),
        extras: Vec::new(),
        source,
        marker: crate::domain::Marker::ALWAYS,
        hashes: file.candidate.promises.asked.clone(),
        editable: false,
        constraint: false,
        config_settings: Default::default(),
        origin: package.requested_by.first()?.clone(),
    })
}
