//! `--with-sources`: adds to each wheel the source archive of the same version.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Candidates, FileLink, PackageName, Question, ResolvedPackage, SelectionPolicy, Solution, Target};
use crate::select::{CandidateSelector, OptIn};

/// Adds to each wheel of the solution for `target` the best source archive of the same version that
/// an index has; if there is none, or none may be used, a note says so.
///
/// Projects that are restricted to wheels get none.
pub fn add_sources(
    solution: &mut Solution,
    target: &Target,
    question: &Question,
    candidates: &BTreeMap<PackageName, Arc<Candidates>>,
) {
    add_found(solution, &question.policy, |wheel, policy| source_of(wheel, target, policy, candidates));
}

/// Adds to each wheel of the solution the source archive that `find` returns by a policy without
/// wheels; if there is none, a note says so.
pub(super) fn add_found(
    solution: &mut Solution,
    policy: &SelectionPolicy,
    find: impl Fn(&ResolvedPackage, &SelectionPolicy) -> Option<FileLink>,
) {
    let may_have = |package: &ResolvedPackage| policy.formats.formats(&package.name).sources;
    let sources = policy.without_wheels();
    let mut added = Vec::new();
    for wheel in solution.packages.iter().filter(|package| package.file.is_wheel() && may_have(package)) {
        match find(wheel, &sources) {
            Some(file) => added.push(ResolvedPackage { file, metadata_source: None, ..wheel.clone() }),
            None => solution.notes.push(format!("no source archive stands beside `{}`", wheel.file.filename)),
        }
    }
    solution.packages.extend(added);
}

fn source_of(
    wheel: &ResolvedPackage,
    target: &Target,
    policy: &SelectionPolicy,
    candidates: &BTreeMap<PackageName, Arc<Candidates>>,
) -> Option<FileLink> {
    let candidates = candidates.get(&wheel.name)?;
    let version = candidates.versions().binary_search(wheel.version.as_ref()?).ok()?;
    let allowed = &wheel.file.expected.by_user;
    let selector = CandidateSelector::new(candidates.clone(), wheel.name.clone(), allowed, target, policy);
    Some(FileLink::of(&*selector.best_of(version, OptIn::ALL)?, allowed))
}
