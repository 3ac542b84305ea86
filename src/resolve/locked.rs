//! Resolves a lock file for a target: no version is chosen, only the file of each package.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Reason;
use super::failure::{Failure, merge};
use crate::domain::{
    Artifact, Candidate, Candidates, Digest, DistributionFilename, ExpectedContent, Lock, LockedFile, LockedPackage,
    LockedSource, NotLocked, PackageName, Question, ResolvedPackage, SelectedGroups, SelectedPackage, SelectionPolicy,
    Solution, Specifiers, Target, Version,
};
use crate::select::{CandidateSelector, OptIn};

/// Answers a question by a lock, which decides about versions and dates.
#[derive(Clone, Debug)]
pub struct LockResolver {
    pub lock: Arc<dyn Lock>,
    /// What is selected from the lock.
    pub groups: SelectedGroups,
    /// Whether repositories are left out instead of refused.
    pub skip_source_trees: bool,
    /// The archives that repositories were packed into, by the URLs of the repositories in the
    /// lock.
    pub packed: BTreeMap<String, PackedRepository>,
}

/// A source archive that a repository of a lock was packed into.
#[derive(Clone, Debug)]
pub struct PackedRepository {
    pub version: Version,
    pub candidate: Candidate,
}

impl LockResolver {
    /// Makes a resolver for what `groups` select from `lock`.
    pub fn new(lock: Arc<dyn Lock>, groups: SelectedGroups) -> Self {
        Self { lock, groups, skip_source_trees: false, packed: BTreeMap::new() }
    }

    /// Returns the projects whose listings are needed, with the versions of interest; empty if the
    /// lock states the URL of every file.
    pub fn wanted_listings(&self, targets: &[Arc<Target>]) -> BTreeMap<PackageName, BTreeSet<Version>> {
        let mut wanted: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let has_any = self.lock.packages().iter().any(LockedPackage::needs_index);
        for target in targets.iter().filter(|_| has_any) {
            for package in self.lock.select(target, &self.groups).unwrap_or_default() {
                if let Some(version) = package.package.version.as_ref().filter(|_| package.package.needs_index()) {
                    wanted.entry(package.package.name.clone()).or_default().insert(version.clone());
                }
            }
        }
        wanted
    }

    /// Returns the repositories that some target needs, each once, unless they are to be left out.
    pub fn repositories(&self, targets: &[Arc<Target>]) -> Vec<(&str, &LockedPackage)> {
        let mut found: BTreeMap<&str, &LockedPackage> = BTreeMap::new();
        let is_repository = |package: &LockedPackage| matches!(package.source, LockedSource::Repository(_));
        let has_any = !self.skip_source_trees && self.lock.packages().iter().any(is_repository);
        for target in targets.iter().filter(|_| has_any) {
            for pick in self.lock.select(target, &self.groups).unwrap_or_default() {
                if let LockedSource::Repository(url) = &pick.package.source {
                    found.insert(url, pick.package);
                }
            }
        }
        found.into_iter().collect()
    }

    /// Returns the solutions of the targets, by their positions, and the failures of the others.
    pub fn solve_all(
        &self,
        question: &Question,
        targets: &[Arc<Target>],
        listings: &BTreeMap<PackageName, Arc<Candidates>>,
    ) -> (Vec<Failure>, BTreeMap<usize, Solution>) {
        let (mut failures, mut solved) = (Vec::new(), BTreeMap::new());
        for (position, target) in targets.iter().enumerate() {
            match self.solve(question, target, listings) {
                Ok(solution) => {
                    solved.insert(position, solution);
                }
                Err(found) => failures.extend(found.into_iter().map(|failure| failure.on_target(position))),
            }
        }
        (merge(failures), solved)
    }

    /// Returns the solution for `target`, with the requested `listings`; of the question only the
    /// formats count, and whether source archives are added.
    ///
    /// # Errors
    /// When packages have no file for the target, or the lock as a whole does not serve it; all
    /// failures.
    pub fn solve(
        &self,
        question: &Question,
        target: &Target,
        listings: &BTreeMap<PackageName, Arc<Candidates>>,
    ) -> Result<Solution, Vec<Failure>> {
        let packages = self
            .lock
            .select(target, &self.groups)
            .map_err(|refused| refused.into_iter().map(not_locked).collect::<Vec<_>>())?;
        let policy = question.policy.of_lock();
        let mut solution = Solution::default();
        let mut failures = Vec::new();
        for package in &packages {
            if let Some(note) = self.left_out(package.package) {
                solution.notes.push(note);
                continue;
            }
            match self.file(package.package, target, listings, &policy) {
                Ok(file) => {
                    let version = self.version(package.package);
                    solution.packages.push(ResolvedPackage { version, ..resolved(package, file) });
                }
                Err(reason) => failures.push(Failure::of_locked(package.package, reason)),
            }
        }
        if question.with_sources {
            add_sources(&mut solution, &packages, target, listings, &policy);
        }
        if failures.is_empty() { Ok(solution) } else { Err(failures) }
    }

    /// Returns why a package is not fetched although that is no failure.
    fn left_out(&self, package: &LockedPackage) -> Option<String> {
        let name = &package.name;
        match &package.source {
            LockedSource::Folder(folder) => {
                Some(format!("{name}: left out, being the project's own code in `{folder}`; what it needs is not"))
            }
            LockedSource::Repository(url) if self.skip_source_trees => {
                let url = crate::domain::mask_credentials(url);
                Some(format!("{name}: left out, being a repository ({url}); what it needs is not"))
            }
            _ => None,
        }
    }

    /// Returns the version of a package: for a repository without one in the lock, that of its archive.
    fn version(&self, package: &LockedPackage) -> Option<Version> {
        let of_archive = || match &package.source {
            LockedSource::Repository(url) => self.packed.get(url).map(|packed| packed.version.clone()),
            _ => None,
        };
        package.version.clone().or_else(of_archive)
    }

    fn file(
        &self,
        package: &LockedPackage,
        target: &Target,
        listings: &BTreeMap<PackageName, Arc<Candidates>>,
        policy: &SelectionPolicy,
    ) -> Result<Candidate, Reason> {
        match &package.source {
            LockedSource::Repository(url) => {
                let packed = self.packed.get(url).map(|packed| packed.candidate.clone());
                packed.ok_or(Reason::Unfetchable("its repository was not packed into an archive"))
            }
            LockedSource::Archive => archive(package, target),
            LockedSource::Index(_) | LockedSource::Folder(_) => best(package, target, listings, policy),
        }
    }
}

/// Adds the source archive to each wheel; if there is none, a note says so.
fn add_sources(
    solution: &mut Solution,
    packages: &[SelectedPackage<'_>],
    target: &Target,
    listings: &BTreeMap<PackageName, Arc<Candidates>>,
    policy: &SelectionPolicy,
) {
    let sources = policy.without_wheels();
    let is_wheel = |package: &&ResolvedPackage| package.file.filename.ends_with(".whl");
    let may_have = |package: &&ResolvedPackage| policy.formats.formats(&package.name).sources;
    let mut added = Vec::new();
    for wheel in solution.packages.iter().filter(is_wheel).filter(may_have) {
        let package = packages
            .iter()
            .find(|package| (&package.package.name, &package.package.version) == (&wheel.name, &wheel.version));
        match package.and_then(|package| best(package.package, target, listings, &sources).ok()) {
            Some(file) => added.push(ResolvedPackage { file, ..wheel.clone() }),
            None => solution.notes.push(format!("no source archive stands beside `{}`", wheel.file.filename)),
        }
    }
    solution.packages.extend(added);
}

/// Returns the best file of a package: of those with URLs in the lock, or of those on the index
/// with a digest of the lock.
fn best(
    package: &LockedPackage,
    target: &Target,
    listings: &BTreeMap<PackageName, Arc<Candidates>>,
    policy: &SelectionPolicy,
) -> Result<Candidate, Reason> {
    let version = package.version.clone().ok_or_else(|| {
        Reason::NotLocked("the lock has no version of it: it was not needed where it was locked".into())
    })?;
    let (candidates, hashes) = match package.needs_index() {
        true => (listings.get(&package.name).cloned().unwrap_or_default(), package.hashes()),
        false => (Arc::new(named(package, &version)), Vec::new()),
    };
    let place = candidates.versions().binary_search(&version);
    let selector = CandidateSelector::new(candidates, package.name.clone(), &hashes, target, policy);
    let best = place.ok().and_then(|place| selector.best_of(place, ANY_FILE));
    best.map(|file| with_lock_digests(&file, package)).ok_or_else(|| {
        let matching: Vec<_> = place.into_iter().collect();
        Reason::of_selector(&selector, &matching, &Specifiers::exactly(version))
    })
}

/// Returns the files of a package with URLs in the lock.
///
/// Of equally good files the first one counts; on an index page it is the last.
fn named(package: &LockedPackage, version: &Version) -> Candidates {
    let files = package.artifacts().iter().rev().cloned().collect();
    Candidates::of_version(version.clone(), files)
}

/// Pre-releases and yanked files are allowed, since a lock is a pin.
const ANY_FILE: OptIn = OptIn { pre_releases: true, yanked: true };

/// Returns the file with the digests that the lock states for it.
fn with_lock_digests(file: &Artifact, package: &LockedPackage) -> Candidate {
    let is_same = |locked: &&LockedFile| *locked.filename == *file.filename;
    let locked = package.files.iter().find(is_same);
    let asked = locked.map(|locked| strongest(&locked.hashes)).unwrap_or_else(|| package.hashes());
    let mut candidate = Candidate::of(file, &asked);
    if locked.is_some_and(|locked| locked.url.is_some()) {
        candidate.expected.by_index.clear();
    }
    candidate
}

/// Returns the digests of the strongest algorithm, since the others add nothing.
fn strongest(hashes: &[Digest]) -> Vec<Digest> {
    hashes.iter().max_by_key(|digest| digest.algorithm).cloned().into_iter().collect()
}

/// Returns the archive that is the source of a package.
fn archive(package: &LockedPackage, target: &Target) -> Result<Candidate, Reason> {
    let (file, url) = package
        .files
        .iter()
        .find_map(|file| Some((file, file.url.clone()?)))
        .ok_or(Reason::Unfetchable("the lock does not say where it is"))?;
    if let Ok(DistributionFilename::Wheel(wheel)) = DistributionFilename::parse(&file.filename, &package.name)
        && target.tags().rank(&wheel).is_none()
    {
        return Err(Reason::WrongFile(format!("{} {}", file.filename, target.tags().mismatch(&wheel))));
    }
    Ok(Candidate {
        filename: file.filename.clone(),
        expected: ExpectedContent { by_user: strongest(&file.hashes), by_index: Vec::new(), size: file.size },
        uploaded: file.uploaded,
        ..Candidate::at(url)
    })
}

fn resolved(pick: &SelectedPackage<'_>, file: Candidate) -> ResolvedPackage {
    let LockedPackage { name, version, origin, .. } = pick.package;
    ResolvedPackage {
        name: name.clone(),
        version: version.clone(),
        requested_by: vec![origin.clone()],
        dependencies: pick.dependencies.clone(),
        file,
        metadata_source: None,
    }
}

fn not_locked(refused: NotLocked) -> Failure {
    let NotLocked { package, why, origin } = refused;
    let requirement = package.as_ref().map_or_else(|| origin.file.to_string(), ToString::to_string);
    let reason = Reason::NotLocked(why);
    Failure { package, requirement, reason, chain: Vec::new(), origins: vec![origin], targets: Vec::new() }
}
