//! Plans from a lock file: nothing is resolved, and an index is asked only for files whose URLs the
//! lock does not state.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::known_facts::KnownFacts;
use super::{MetadataProvider, PlanFailure, merge};
use crate::domain::{
    Fetched, FetchedFile, FetchedPackage, Plan, Question, Requirement, Source, Specifiers, Target, TargetedQuestion,
};
use crate::index::ListingRequest;
use crate::resolve::LockResolver;

/// Returns the plan for every target, with the packages of a lock.
///
/// # Errors
/// When a target cannot have a package of the lock, or an index could not be fetched; all such
/// cases.
pub async fn plan_locked(
    resolver: &LockResolver,
    question: &Question,
    targets: &[Arc<Target>],
    provider: &MetadataProvider,
) -> Result<Plan, PlanFailure> {
    let mut known = KnownFacts::default();
    let wanted = resolver.wanted_listings(targets).into_iter().map(|(project, versions)| {
        let mut versions = versions.into_iter();
        let versions = match (versions.next(), versions.next()) {
            (Some(only), None) => Specifiers::exactly(only),
            _ => Specifiers::any(),
        };
        // Its digests promise the bytes, whatever index they come from.
        (project, ListingRequest { everywhere: true, check: false, versions })
    });
    let mut requests: BTreeMap<_, _> = wanted.collect();
    known.everywhere.extend(requests.keys().cloned());
    loop {
        provider.fetch_again(requests, &mut known).await;
        if !known.unreachable.is_empty() {
            return Err(known.into_failure(Vec::new(), Plan::default()));
        }
        let (failures, solved) = resolver.solve_all(question, targets, &known.facts.candidates);
        requests = known.stale_listings(&failures);
        if failures.is_empty() {
            return Ok(merge(targets, solved));
        } else if requests.is_empty() {
            return Err(known.into_failure(failures, merge(targets, solved)));
        }
    }
}

/// Returns the questions that stand for a lock file: for each target exactly what was fetched for it.
pub fn questions_of_lock(fetched: &Fetched, question: &Question) -> Vec<TargetedQuestion> {
    let installed = fetched.installed();
    let mut questions: Vec<TargetedQuestion> = Vec::new();
    for position in 0..installed.targets.len() {
        let requirements = requirements(&installed, position);
        match questions.iter_mut().find(|known| known.question.requirements == requirements) {
            Some(known) => known.targets.push(position),
            None => {
                let question = Question { requirements, follow_dependencies: false, ..question.clone() };
                questions.push(question.for_targets(vec![position]));
            }
        }
    }
    questions
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
        None => Source::Url(file.link.url.clone()),
    };
    let origin = package.requested_by.first()?.clone();
    let hashes = file.link.expected.by_user.clone();
    Some(Requirement { hashes, ..Requirement::named(package.name.clone(), source, origin) })
}
