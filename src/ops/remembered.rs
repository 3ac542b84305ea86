//! Plans of earlier runs, so that a warm run reads no page and solves nothing.
//!
//! [`resolve::step`](crate::resolve::step) is pure: the same question and facts lead to the same
//! plan. So a plan is kept with the cached pages that it rests on, and taken again by whoever
//! asks the same while each of these is there unchanged and still fresh. Nothing is kept that
//! rests on anything else: folders, direct URLs, builds, or files that no digest promises.
//!
//! `plans/<SHA-256 of the question>` in the cache folder.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::metadata::Places;
use crate::cache_folder::{CacheBucket, Readers, remove_anything};
use crate::domain::{MarkerEnvironment, MaskedUrl, Plan, PlannedPackage, Sha256, Source, Tags, Target, Version};
use crate::index::CachedInputs;
use crate::resolve::Question;

/// How many plans are kept; the one that was made longest ago is forgotten first.
const MOST_PLANS: usize = 100;

/// Where the plan for one question is kept.
pub(super) struct Memory<'p> {
    places: &'p Places,
    path: PathBuf,
}

/// Everything that decides a plan, but for the pages.
#[derive(Serialize)]
struct Key<'a> {
    program: &'a str,
    question: &'a Question,
    targets: Vec<(&'a str, &'a Version, &'a MarkerEnvironment, &'a Tags)>,
    indexes: Vec<(&'a MaskedUrl, Option<Sha256>)>,
    all_indexes: bool,
}

/// What is kept; the targets are those of the question.
#[derive(Serialize, Deserialize)]
struct Remembered<Packages = Vec<PlannedPackage>, Notes = Vec<String>> {
    cached_inputs: CachedInputs,
    packages: Packages,
    notes: Notes,
}

impl<'p> Memory<'p> {
    /// Nothing where the answer to `question` may change without a page's changing.
    pub fn of(question: &Question, targets: &[Arc<Target>], places: &'p Places) -> Option<Self> {
        let is_listed = |source: &Source| matches!(source, Source::Index(_));
        let are_listed = question.requirements.iter().all(|requirement| is_listed(&requirement.source));
        let (indexes, all_indexes) = places.indexes.plan_key().filter(|_| are_listed && places.builds.is_none())?;
        let targets = targets.iter().map(|target| (target.id(), target.python(), target.markers(), target.tags()));
        let program = &*places.program;
        let key = Key { program, question, targets: targets.collect(), indexes, all_indexes };
        let name = Sha256::of(&serde_json::to_vec(&key).ok()?).to_string();
        Some(Self { places, path: places.store.layout().folder(CacheBucket::Plans).join(name) })
    }

    /// The plan that a search would come to, where one is remembered and still holds.
    pub fn recall(&self, targets: &[Arc<Target>]) -> Option<Plan> {
        let remembered: Remembered = postcard::from_bytes(&self.places.store.layout().read(&self.path)?).ok()?;
        self.places.indexes.is_fresh(&remembered.cached_inputs).then_some(())?;
        let mut packages = remembered.packages;
        self.note_claims(&packages);
        self.restore_credentials(&mut packages);
        Some(Plan { targets: targets.to_vec(), packages, notes: remembered.notes })
    }

    /// Remembers `plan`. A cache that cannot be written costs time and nothing else.
    pub fn keep(&self, plan: &Plan) {
        let Some(cached_inputs) = self.places.indexes.cached_inputs() else { return };
        let (packages, notes) = (&plan.packages, &plan.notes);
        let bytes = postcard::to_stdvec(&Remembered { cached_inputs, packages, notes }).expect("a plan can be encoded");
        let _ = self.places.store.layout().write(&self.path, &[&bytes], Readers::Umask);
        self.note_claims(packages);
        forget_old(self.path.parent().unwrap_or(&self.path));
    }

    fn note_claims(&self, packages: &[PlannedPackage]) {
        if packages.iter().flat_map(|package| &package.files).any(|file| file.claimed.is_some()) {
            self.places.claims.add_plan(self.path.clone());
        }
    }

    /// No file holds the credentials of an index; the settings do.
    fn restore_credentials(&self, packages: &mut [PlannedPackage]) {
        let mut known: HashMap<MaskedUrl, Arc<MaskedUrl>> = HashMap::new();
        for file in packages.iter_mut().flat_map(|package| &mut package.files) {
            let index = &mut file.candidate.index;
            *index = match known.get(&**index) {
                Some(index) => index.clone(),
                None => {
                    let found = self.places.indexes.find(index).unwrap_or_else(|| index.clone());
                    known.insert(MaskedUrl::clone(index), found.clone());
                    found
                }
            };
        }
    }
}

/// The remembered plans of this run do not rest on claims any more: every file says the same.
pub(super) fn confirm(places: &Places) {
    let layout = places.store.layout();
    for path in places.claims.take_plans() {
        let remembered = layout.read(&path).and_then(|bytes| postcard::from_bytes::<Remembered>(&bytes).ok());
        let Some(mut remembered) = remembered else { continue };
        remembered.packages.iter_mut().flat_map(|package| &mut package.files).for_each(|file| file.claimed = None);
        let bytes = postcard::to_stdvec(&remembered).expect("a plan can be encoded");
        let _ = layout.write(&path, &[&bytes], Readers::Umask);
    }
}

/// The remembered plans of this run rest on claims that are wrong.
pub(super) fn forget(places: &Places) {
    // One that stays is found to be wrong again.
    places.claims.take_plans().iter().for_each(|path| drop(remove_anything(path)));
}

fn forget_old(folder: &Path) {
    let plans: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    if plans.len() <= MOST_PLANS {
        return;
    }
    let written = |plan: &fs::DirEntry| plan.metadata().and_then(|metadata| metadata.modified()).ok();
    let mut plans: Vec<_> = plans.into_iter().map(|plan| (written(&plan), plan.path())).collect();
    plans.sort();
    for (_, plan) in &plans[..plans.len() - MOST_PLANS] {
        let _ = remove_anything(plan);
    }
}
