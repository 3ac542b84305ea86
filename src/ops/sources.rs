//! `--with-sources`: beside each wheel, the source archive of the same version.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Offer, Offers, PackageName, Pick, Solution, Target};
use crate::resolve::Question;
use crate::select::{OptIn, Policy, Shelf};

/// Adds a source archive to each wheel of the solution for `target`; where there is none, or
/// none may be used, a note says so. Projects that want wheels only get none.
pub fn add_sources(
    solution: &mut Solution,
    target: &Target,
    question: &Question,
    offers: &BTreeMap<PackageName, Arc<Offers>>,
) {
    let may_have = |name: &PackageName| question.policy.formats.formats(name).sources;
    let policy = without_wheels(&question.policy);
    let mut added = Vec::new();
    for wheel in solution.picks.iter().filter(|pick| pick.file.filename.ends_with(".whl") && may_have(&pick.name)) {
        match source_of(wheel, target, &policy, offers) {
            Some(file) => added.push(Pick { file, ..wheel.clone() }),
            None => solution.notes.push(format!("no source archive stands beside `{}`", wheel.file.filename)),
        }
    }
    solution.picks.extend(added);
}

fn without_wheels(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    policy.formats = Default::default();
    policy.formats.no_binary(":all:").expect("`:all:` is a value of --no-binary");
    policy
}

fn source_of(
    wheel: &Pick,
    target: &Target,
    policy: &Policy,
    offers: &BTreeMap<PackageName, Arc<Offers>>,
) -> Option<Offer> {
    let offers = offers.get(&wheel.name)?;
    let version = offers.versions().binary_search(wheel.version.as_ref()?).ok()?;
    let allowed = &wheel.file.promises.asked;
    let whatever = OptIn { pre_releases: true, yanked: true };
    let shelf = Shelf::new(offers.clone(), wheel.name.clone(), allowed, target, policy);
    Some(Offer::of(&*shelf.best_of(version, whatever)?, allowed))
}
