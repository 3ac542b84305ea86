//! The cache of plans, with which a repeated run reads no page and resolves nothing.
//!
//! [`resolve::step`](crate::resolve::step) is pure: the same question and facts lead to the same
//! plan. So a plan is cached with the cached pages that it depends on, and used again for the same
//! question while each of these is unchanged and fresh. A plan that depends on anything else is not
//! cached: on folders, direct URLs, builds, or files without an expected digest.
//!
//! A plan's entry in the `plans` folder of the cache is named by the SHA-256 of the question. Machines
//! share plans whose pages are not private, once the files of one run have confirmed them.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fetch_context::FetchContext;
use crate::cache_folder::{CacheBucket, CacheEntries, Readers, remove_anything};
use crate::domain::{
    MarkerEnvironment, MaskedUrl, MetadataSource, Plan, PlannedPackage, Question, Sha256, Source, Tags, Target, Version,
};
use crate::index::{AskedIndexes, CachedInputs};

/// The number of plans that are kept; the oldest is removed first.
const MAX_PLANS: usize = 100;

/// The cached plan for one question.
pub(super) struct PlanCache<'p> {
    context: &'p FetchContext,
    name: String,
}

/// Everything that decides a plan, except the pages.
#[derive(Serialize)]
struct PlanKey<'a> {
    program: &'a str,
    question: &'a Question,
    targets: Vec<(&'a str, &'a Version, &'a MarkerEnvironment, &'a Tags)>,
    indexes: AskedIndexes<'a>,
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
        Some(Self { context, name })
    }

    /// Returns the plan that this machine or another one cached, if there is one and it is still
    /// valid.
    pub async fn get(&self, targets: &[Arc<Target>]) -> Option<Plan> {
        let cached = match read(&self.context.entries, &self.name).filter(|cached| self.is_fresh(cached)) {
            Some(own) => own,
            None => self.fetch().await?,
        };
        let mut packages = cached.packages;
        self.note_claims(&packages);
        self.restore_credentials(&mut packages);
        Some(Plan { targets: targets.to_vec(), packages, notes: cached.notes, unreliable: cached.unreliable })
    }

    /// Returns the plan of another machine, if it is valid, and keeps it.
    async fn fetch(&self) -> Option<CachedPlan> {
        let bytes = self.context.entries.fetch(CacheBucket::Plans, &self.name).await?;
        let mut cached: CachedPlan = postcard::from_bytes(&bytes).ok()?;
        cached.cached_inputs = cached.cached_inputs.of_another_machine();
        if !self.is_fresh(&cached) {
            return None;
        }
        keep(&self.context.entries, &self.name, &cached, true);
        Some(cached)
    }

    fn is_fresh(&self, cached: &CachedPlan) -> bool {
        self.context.indexes.is_fresh(&cached.cached_inputs)
    }

    /// Caches `plan`; a cache that cannot be written is no error, since it only saves time.
    pub fn put(&self, plan: &Plan) {
        let Some(cached_inputs) = self.context.indexes.cached_inputs() else { return };
        let entries = &self.context.entries;
        let is_public = cached_inputs.are_public();
        let (packages, notes, unreliable) = (&plan.packages, &plan.notes, plan.unreliable.clone());
        keep(entries, &self.name, &CachedPlan { cached_inputs, packages, notes, unreliable }, is_public);
        if !self.note_claims(packages) && is_public {
            entries.offer(CacheBucket::Plans, &self.name);
        }
        remove_oldest(&entries.layout().folder(CacheBucket::Plans));
    }

    /// Notes the claims that the plan depends on; returns whether there are any.
    fn note_claims(&self, packages: &[PlannedPackage]) -> bool {
        let has_claims = packages.iter().flat_map(|package| &package.files).any(|file| file.claimed.is_some());
        if has_claims {
            self.context.claimed_metadata.add_plan(self.name.clone());
        }
        has_claims
    }

    /// Restores the credentials of index URLs from the settings, since the cache holds none.
    fn restore_credentials(&self, packages: &mut [PlannedPackage]) {
        let mut known: HashMap<MaskedUrl, Arc<MaskedUrl>> = HashMap::new();
        for file in packages.iter_mut().flat_map(|package| &mut package.files) {
            let index = &mut file.link.index;
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
    let entries = &context.entries;
    for name in context.claimed_metadata.take_plans() {
        let Some(mut cached) = read(entries, &name) else { continue };
        cached.packages.iter_mut().flat_map(|package| &mut package.files).for_each(|file| file.claimed = None);
        let is_public = cached.cached_inputs.are_public();
        keep(entries, &name, &cached, is_public);
        if is_public {
            entries.offer(CacheBucket::Plans, &name);
        }
    }
}

/// Removes the cached plans of this run, since they depend on wrong claims.
pub(super) fn forget(context: &FetchContext) {
    // One that stays is found to be wrong again.
    context
        .claimed_metadata
        .take_plans()
        .iter()
        .for_each(|name| drop(context.entries.remove(CacheBucket::Plans, name)));
}

fn read(entries: &CacheEntries, name: &str) -> Option<CachedPlan> {
    postcard::from_bytes(&entries.read(CacheBucket::Plans, name)?).ok()
}

fn keep(entries: &CacheEntries, name: &str, plan: &impl Serialize, is_public: bool) {
    let readers = if is_public { Readers::Umask } else { Readers::Owner };
    let _ = entries.keep(CacheBucket::Plans, name, &[&encode(plan)], readers);
}

fn encode(plan: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(plan).expect("a plan can be encoded")
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
