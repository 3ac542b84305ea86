//! The cache of plans, with which a repeated run reads no page and resolves nothing.
//!
//! [`resolve::step`](crate::resolve::step) is pure: the same question and facts lead to the same
//! plan. So a plan is cached with the cached pages that it depends on, and used again for the same
//! question while each of these is unchanged and fresh. A plan that depends on anything else is not
//! cached: on folders, direct URLs, builds, or files without a promised digest.
//!
//! A plan's file in the `plans` folder of the cache is named by the SHA-256 of the question.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fetch_context::FetchContext;
use crate::cache_folder::{CacheBucket, Readers, remove_anything};
use crate::domain::{
    MarkerEnvironment, MaskedUrl, MetadataSource, Plan, PlannedPackage, Sha256, Source, Tags, Target, Version,
};
use crate::index::{CachedInputs, IndexKey};
use crate::resolve::Question;

/// The number of plans that are kept; the oldest is removed first.
const MAX_PLANS: usize = 100;

/// The cached plan for one question.
pub(super) struct PlanCache<'p> {
    context: &'p FetchContext,
    path: PathBuf,
}

/// Everything that decides a plan, except the pages.
#[derive(Serialize)]
struct PlanKey<'a> {
    program: &'a str,
    question: &'a Question,
    targets: Vec<(&'a str, &'a Version, &'a MarkerEnvironment, &'a Tags)>,
    indexes: IndexKey<'a>,
    strict_metadata: bool,
}

/// The cached data; the targets are those of the question.
#[derive(Serialize, Deserialize)]
struct CachedPlan<Packages = Vec<PlannedPackage>, Notes = Vec<String>> {
    cached_inputs: CachedInputs,
    packages: Packages,
    notes: Notes,
    unreliable: BTreeMap<Box<str>, MetadataSource>,
}

impl<'p> PlanCache<'p> {
    /// Returns the cache for `question`, or `None` if the answer may change although no page does.
    pub fn of(question: &Question, targets: &[Arc<Target>], context: &'p FetchContext) -> Option<Self> {
        let is_listed = |source: &Source| matches!(source, Source::Index(_));
        let are_listed = question.requirements.iter().all(|requirement| is_listed(&requirement.source));
        let indexes = context.indexes.plan_key().filter(|_| are_listed && context.builds.is_none())?;
        let targets = targets.iter().map(|target| (target.id(), target.python(), target.markers(), target.tags()));
        let program = &*context.program;
        let key = PlanKey {
            program,
            question,
            targets: targets.collect(),
            indexes,
            strict_metadata: context.strict_metadata,
        };
        let name = Sha256::of(&serde_json::to_vec(&key).ok()?).to_string();
        Some(Self { context, path: context.store.layout().folder(CacheBucket::Plans).join(name) })
    }

    /// Returns the cached plan, if there is one and it is still valid.
    pub fn get(&self, targets: &[Arc<Target>]) -> Option<Plan> {
        let cached: CachedPlan = postcard::from_bytes(&self.context.store.layout().read(&self.path)?).ok()?;
        self.context.indexes.is_fresh(&cached.cached_inputs).then_some(())?;
        let mut packages = cached.packages;
        self.note_claims(&packages);
        self.restore_credentials(&mut packages);
        Some(Plan { targets: targets.to_vec(), packages, notes: cached.notes, unreliable: cached.unreliable })
    }

    /// Caches `plan`; a cache that cannot be written is no error, since it only saves time.
    pub fn put(&self, plan: &Plan) {
        let Some(cached_inputs) = self.context.indexes.cached_inputs() else { return };
        let (packages, notes, unreliable) = (&plan.packages, &plan.notes, plan.unreliable.clone());
        let bytes = postcard::to_stdvec(&CachedPlan { cached_inputs, packages, notes, unreliable })
            .expect("a plan can be encoded");
        let _ = self.context.store.layout().write(&self.path, &[&bytes], Readers::Umask);
        self.note_claims(packages);
        remove_oldest(self.path.parent().unwrap_or(&self.path));
    }

    fn note_claims(&self, packages: &[PlannedPackage]) {
        if packages.iter().flat_map(|package| &package.files).any(|file| file.claimed.is_some()) {
            self.context.claims.add_plan(self.path.clone());
        }
    }

    /// Restores the credentials of index URLs from the settings, since the cache holds none.
    fn restore_credentials(&self, packages: &mut [PlannedPackage]) {
        let mut known: HashMap<MaskedUrl, Arc<MaskedUrl>> = HashMap::new();
        for file in packages.iter_mut().flat_map(|package| &mut package.files) {
            let index = &mut file.candidate.index;
            *index = match known.get(&**index) {
                Some(index) => index.clone(),
                None => {
                    let found = self.context.indexes.find(index).unwrap_or_else(|| index.clone());
                    known.insert(MaskedUrl::clone(index), found.clone());
                    found
                }
            };
        }
    }
}

/// Marks the cached plans of this run as confirmed: every file has the dependencies that its index
/// claimed.
pub(super) fn confirm(context: &FetchContext) {
    let layout = context.store.layout();
    for path in context.claims.take_plans() {
        let cached = layout.read(&path).and_then(|bytes| postcard::from_bytes::<CachedPlan>(&bytes).ok());
        let Some(mut cached) = cached else { continue };
        cached.packages.iter_mut().flat_map(|package| &mut package.files).for_each(|file| file.claimed = None);
        let bytes = postcard::to_stdvec(&cached).expect("a plan can be encoded");
        let _ = layout.write(&path, &[&bytes], Readers::Umask);
    }
}

/// Removes the cached plans of this run, since they depend on wrong claims.
pub(super) fn forget(context: &FetchContext) {
    // One that stays is found to be wrong again.
    context.claims.take_plans().iter().for_each(|path| drop(remove_anything(path)));
}

fn remove_oldest(folder: &Path) {
    let plans: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    if plans.len() <= MAX_PLANS {
        return;
    }
    let written = |plan: &fs::DirEntry| plan.metadata().and_then(|metadata| metadata.modified()).ok();
    let mut plans: Vec<_> = plans.into_iter().map(|plan| (written(&plan), plan.path())).collect();
    plans.sort();
    for (_, plan) in &plans[..plans.len() - MAX_PLANS] {
        let _ = remove_anything(plan);
    }
}
