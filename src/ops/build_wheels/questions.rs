//! Questions about source archives that were built: an install takes the wheels in their place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::{
    BuiltFrom, Fetched, PackageName, Question, Requirement, Source, Specifiers, TargetedQuestion, Version,
};

/// Returns the question as an install from `fetched` meets it: with wheels also of projects that were
/// to be built from source, and with the version for a requirement whose archive was built.
///
/// Targets that get the archive itself have a question of their own.
pub fn with_built_wheels(asked: TargetedQuestion, fetched: &Fetched) -> Vec<TargetedQuestion> {
    let TargetedQuestion { mut question, targets } = asked;
    for (package, _) in fetched.files().filter(|(_, file)| file.built_from.is_some()) {
        question.policy.formats.only_binary(package.name.as_ref()).expect("it is a name");
    }
    let mut groups: BTreeMap<BTreeSet<usize>, Vec<usize>> = BTreeMap::new();
    for target in &targets {
        let built = question.requirements.iter().enumerate();
        let built = built.filter(|(_, requirement)| build_of(requirement, fetched, *target).is_some());
        groups.entry(built.map(|(position, _)| position).collect()).or_default().push(*target);
    }
    let group = |(positions, targets): (BTreeSet<usize>, Vec<usize>)| {
        let mut requirements = question.requirements.clone();
        for position in positions {
            let requirement = &mut requirements[position];
            if let Some((version, from)) = build_of(requirement, fetched, targets[0]) {
                requirement.source = Source::Index(Specifiers::exactly(version.clone()));
                requirement.hashes = vec![from.sha256.into()];
            }
        }
        Question { requirements, ..question.clone() }.for_targets(targets)
    };
    groups.into_iter().map(group).collect()
}

/// Returns the build of the archive that `requirement` names by URL or path, if `target` gets the
/// wheel.
fn build_of<'a>(
    requirement: &Requirement,
    fetched: &'a Fetched,
    target: usize,
) -> Option<(&'a Version, &'a Arc<BuiltFrom>)> {
    let name: &PackageName = requirement.name.as_ref()?;
    if matches!(requirement.source, Source::Index(_)) {
        return None;
    }
    let mut files = fetched.files().filter(|(package, file)| package.name == *name && file.targets.contains(&target));
    files.find_map(|(package, file)| Some((package.version.as_ref()?, file.built_from.as_ref()?)))
}
