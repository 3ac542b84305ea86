//! Resolves a lock file for a target: no version is chosen, only the file of each package.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Reason;
use super::failure::{Failure, merge};
use super::with_sources;
use crate::domain::{
    Candidate, Candidates, Digest, DistributionFilename, ExpectedContent, FileLink, Lock, LockedFile, LockedPackage,
    LockedSource, MaskedUrl, NotLocked, Origin, PackageName, Question, ResolvedPackage, SelectedGroups,
    SelectedPackage, SelectionPolicy, Solution, Specifiers, Target, Version, list_first,
};
use crate::select::{CandidateSelector, OptIn, best_by_name};

/// Answers a question by a lock, which decides about versions and dates.
#[derive(Clone, Debug)]
pub struct LockResolver {
    pub lock: Arc<dyn Lock>,
    /// What is selected from the lock.
    pub groups: SelectedGroups,
    /// Whether repositories are left out instead of refused.
    pub skip_source_trees: bool,
    /// The archives that repositories and folders were packed into, by their URLs and paths in the
    /// lock.
    pub packed: BTreeMap<String, PackedSource>,
    /// The project itself, if it was packed and is not in the lock.
    pub project: Option<(PackageName, PackedSource)>,
}

/// A source archive that a source of a lock was packed into.
#[derive(Clone, Debug)]
pub struct PackedSource {
    pub version: Version,
    pub link: FileLink,
}

impl LockResolver {
    /// Makes a resolver for what `groups` select from `lock`.
    pub fn new(lock: Arc<dyn Lock>, groups: SelectedGroups) -> Self {
        Self { lock, groups, skip_source_trees: false, packed: BTreeMap::new(), project: None }
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
    pub fn repositories<'s>(&'s self, targets: &[Arc<Target>]) -> Vec<(&'s str, &'s LockedPackage)> {
        let url = |source: &'s LockedSource| match source {
            LockedSource::Repository(url) if !self.skip_source_trees => Some(url.as_str()),
            _ => None,
        };
        self.sources(targets, url)
    }

    /// Returns the folders that some target needs, each once: the project, members of its workspace, and
    /// path dependencies.
    pub fn folders<'s>(&'s self, targets: &[Arc<Target>]) -> Vec<(&'s str, &'s LockedPackage)> {
        let path = |source: &'s LockedSource| match source {
            LockedSource::Folder(path) => Some(path.as_str()),
            _ => None,
        };
        self.sources(targets, path)
    }

    /// Returns the packages that some target gets and whose source `text` is about, by that.
    fn sources<'s>(
        &'s self,
        targets: &[Arc<Target>],
        text: impl Fn(&'s LockedSource) -> Option<&'s str>,
    ) -> Vec<(&'s str, &'s LockedPackage)> {
        let mut found: BTreeMap<&str, &LockedPackage> = BTreeMap::new();
        let has_any = self.lock.packages().iter().any(|package| text(&package.source).is_some());
        for target in targets.iter().filter(|_| has_any) {
            for pick in self.lock.select(target, &self.groups).unwrap_or_default() {
                found.extend(text(&pick.package.source).map(|text| (text, pick.package)));
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
        let mut failures: Vec<_> = self.without_files(&packages).into_iter().collect();
        for package in packages.iter().filter(|package| !lacks_files(package.package)) {
            if let Some(note) = self.left_out(package.package) {
                solution.notes.push(note);
                continue;
            }
            match self.file(package.package, target, listings, &policy) {
                Ok(file) => solution.packages.push(self.resolved(package, file)),
                Err(reason) => failures.push(Failure::of_locked(package.package, reason)),
            }
        }
        solution.notes.extend(self.lock.warning(target).into_iter().chain(self.nothing_taken(&packages)));
        solution.packages.extend(self.own_project());
        if question.with_sources {
            with_sources::add_found(&mut solution, &policy, |wheel, policy| {
                let is_of =
                    |package: &LockedPackage| (&package.name, &package.version) == (&wheel.name, &wheel.version);
                let selected = packages.iter().find(|selected| is_of(selected.package))?;
                best(selected.package, target, listings, policy).ok()
            });
        }
        if failures.is_empty() { Ok(solution) } else { Err(failures) }
    }

    /// Returns the failure of all packages of which the lock names no file; some versions of Poetry wrote such
    /// locks.
    fn without_files(&self, packages: &[SelectedPackage<'_>]) -> Option<Failure> {
        let bare: Vec<_> = packages.iter().map(|pick| pick.package).filter(|package| lacks_files(package)).collect();
        let names = list_first(bare.iter().map(|package| &package.name), NAMED);
        let why = format!("it names no file of {names}, as a faulty version of its tool wrote it: lock anew");
        (!bare.is_empty()).then(|| not_locked(self.lock.contents().refusal(why)))
    }

    /// Returns a note if nothing is selected of a lock with packages of others.
    fn nothing_taken(&self, packages: &[SelectedPackage<'_>]) -> Option<String> {
        let is_of_others = |package: &LockedPackage| !matches!(package.source, LockedSource::Folder(_));
        let has_any = self.lock.packages().iter().any(is_of_others);
        let file = &self.lock.contents().origin.file;
        (packages.is_empty() && has_any).then(|| format!("{file}: what was asked for takes none of its packages"))
    }

    /// Returns why a package is not fetched although that is no failure.
    fn left_out(&self, package: &LockedPackage) -> Option<String> {
        let name = &package.name;
        match &package.source {
            LockedSource::Folder(folder) if !self.packed.contains_key(folder) => Some(format!(
                "{name}: left out, since it is the project's own code in `{folder}`; its dependencies are taken"
            )),
            LockedSource::Repository(url) if self.skip_source_trees => {
                let url = crate::domain::mask_credentials(url);
                Some(format!("{name}: left out, since it is a repository ({url}); its dependencies are taken"))
            }
            _ => None,
        }
    }

    fn resolved(&self, pick: &SelectedPackage<'_>, file: FileLink) -> ResolvedPackage {
        let LockedPackage { name, version, source, origin, .. } = pick.package;
        let is_folder = matches!(source, LockedSource::Folder(_));
        ResolvedPackage {
            name: name.clone(),
            version: self.packed(source).map(|packed| packed.version.clone()).or_else(|| version.clone()),
            requested_by: vec![if is_folder { Origin::project() } else { origin.clone() }],
            dependencies: pick.dependencies.clone(),
            file,
            metadata_source: None,
        }
    }

    /// Returns the archive that a source was packed into.
    fn packed(&self, source: &LockedSource) -> Option<&PackedSource> {
        match source {
            LockedSource::Repository(text) | LockedSource::Folder(text) => self.packed.get(text),
            LockedSource::Index(_) | LockedSource::Archive => None,
        }
    }

    /// Returns the project itself, if it was packed and is not in the lock.
    fn own_project(&self) -> Option<ResolvedPackage> {
        let (name, PackedSource { version, link }) = self.project.clone()?;
        Some(ResolvedPackage {
            name,
            version: Some(version),
            requested_by: vec![Origin::project()],
            dependencies: Vec::new(),
            file: link,
            metadata_source: None,
        })
    }

    fn file(
        &self,
        package: &LockedPackage,
        target: &Target,
        listings: &BTreeMap<PackageName, Arc<Candidates>>,
        policy: &SelectionPolicy,
    ) -> Result<FileLink, Reason> {
        match &package.source {
            LockedSource::Repository(_) | LockedSource::Folder(_) => {
                let packed = self.packed(&package.source).map(|packed| packed.link.clone());
                packed.ok_or(Reason::Unfetchable("it was not packed into an archive"))
            }
            LockedSource::Archive => archive(package, target),
            LockedSource::Index(_) => best(package, target, listings, policy),
        }
    }
}

/// The number of packages that a failure names.
const NAMED: usize = 5;

/// Whether a lock has a version of an index, and none of its files.
fn lacks_files(package: &LockedPackage) -> bool {
    let is_of_index = matches!(package.source, LockedSource::Index(_)) && package.version.is_some();
    is_of_index && package.files.is_empty()
}

/// Returns the best file of a package: of those with URLs in the lock, or of those on the index
/// with a digest of the lock.
fn best(
    package: &LockedPackage,
    target: &Target,
    listings: &BTreeMap<PackageName, Arc<Candidates>>,
    policy: &SelectionPolicy,
) -> Result<FileLink, Reason> {
    let version = package.version.clone().ok_or_else(|| {
        Reason::NotLocked("the lock has no version of it: it was not needed where it was locked".into())
    })?;
    if !package.needs_index() {
        return named(package, target, policy).ok_or_else(|| {
            let files = package.candidates().map(Arc::new).collect();
            let candidates = Candidates::of_version(version.clone(), files).into();
            let selector = CandidateSelector::new(candidates, package.name.clone(), &[], target, policy);
            Reason::of_selector(&selector, &[0], &Specifiers::exactly(version))
        });
    }
    let candidates = listings.get(&package.name).cloned().unwrap_or_default();
    let place = candidates.versions().binary_search(&version);
    let hashes = package.hashes();
    let selector = CandidateSelector::new(candidates, package.name.clone(), &hashes, target, policy);
    let best = place.ok().and_then(|place| selector.best_of(place, OptIn::ALL));
    best.map(|file| with_lock_digests(&file, package)).ok_or_else(|| {
        let matching: Vec<_> = place.into_iter().collect();
        Reason::of_selector(&selector, &matching, &Specifiers::exactly(version))
    })
}

/// Returns the best file of a package whose files have URLs in the lock.
fn named(package: &LockedPackage, target: &Target, policy: &SelectionPolicy) -> Option<FileLink> {
    let formats = policy.formats.formats(&package.name);
    let names = package.distributions().map(|(_, distribution)| distribution.ok());
    let best = &package.files[best_by_name(names, formats, target)?];
    best.url.as_ref().map(|url| link(package, best, url.get()))
}

/// Returns the link for a file with a URL in the lock.
fn link(package: &LockedPackage, file: &LockedFile, url: &MaskedUrl) -> FileLink {
    FileLink {
        filename: file.filename.clone(),
        index: package.index_of(url),
        expected: ExpectedContent { by_user: strongest(&file.hashes), by_index: Vec::new(), size: file.size },
        uploaded: file.uploaded,
        ..FileLink::at(url.clone())
    }
}

/// Returns the file with the digests that the lock states for it.
fn with_lock_digests(file: &Candidate, package: &LockedPackage) -> FileLink {
    let is_same = |locked: &&LockedFile| *locked.filename == *file.filename;
    let locked = package.files.iter().find(is_same);
    let asked = locked.map(|locked| strongest(&locked.hashes)).unwrap_or_else(|| package.hashes());
    FileLink::of(file, &asked)
}

/// Returns the digest by the strongest algorithm, if there is any: the others add nothing.
fn strongest(hashes: &[Digest]) -> Vec<Digest> {
    hashes.iter().max_by_key(|digest| digest.algorithm).cloned().into_iter().collect()
}

/// Returns the archive that is the source of a package.
fn archive(package: &LockedPackage, target: &Target) -> Result<FileLink, Reason> {
    let stated =
        package.distributions().find_map(|(file, distribution)| Some((file, distribution, file.url.as_ref()?)));
    let (file, distribution, url) = stated.ok_or(Reason::Unfetchable("the lock does not say where it is"))?;
    if let Ok(DistributionFilename::Wheel(wheel)) = distribution
        && target.tags().rank(wheel).is_none()
    {
        return Err(Reason::WrongFile(format!("{} {}", file.filename, target.tags().mismatch(wheel))));
    }
    Ok(link(package, file, url.get()))
}

fn not_locked(refused: NotLocked) -> Failure {
    let NotLocked { package, why, origin } = refused;
    let requirement = package.as_ref().map_or_else(|| origin.file.to_string(), ToString::to_string);
    let reason = Reason::NotLocked(why);
    Failure { package, requirement, reason, chain: Vec::new(), origins: vec![origin], targets: Vec::new() }
}
