//! Selects the file of a version for a target, and explains why the others were not selected.
//!
//! The rules are pip's (`docs/facts/pip.md` 3.7, 3.8), for a given target instead of the running
//! machine. Rejected files are kept with their reasons, nearest miss first, for the message to the
//! user.

mod rejection;

use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

pub use rejection::{NoFile, Rejected, Rejection, check_requires_python};

use rejection::{check_format, check_hash, check_upload_time, has_allowed_digest};

use crate::domain::{
    BuildTag, Candidate, Candidates, Digest, DistributionFilename, Formats, PackageName, SelectionPolicy, Specifiers,
    TagRank, Target, Version,
};

/// A file that may be used, with what pip sorts by; greater is better.
#[derive(Clone, Debug)]
struct UsableFile {
    candidate: Arc<Candidate>,
    hash_is_allowed: bool,
    rank: Rank,
}

/// The rank of a file: wheels before source archives; wheels by the order of the target's tags,
/// then the build tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Source,
    Wheel(TagRank, Option<BuildTag>),
}

impl UsableFile {
    fn is_wheel(&self) -> bool {
        matches!(self.rank, Rank::Wheel(..))
    }

    fn is_yanked(&self) -> bool {
        self.candidate.yanked.is_yanked()
    }
}

/// The kinds of versions that the specifiers of a project allow in addition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OptIn {
    /// Whether a specifier names a pre-release.
    pub pre_releases: bool,
    /// Whether a specifier pins the version, which allows yanked files (PEP 592).
    pub yanked: bool,
}

impl OptIn {
    /// Every kind of version, as for a pin that was chosen before.
    pub const ALL: Self = Self { pre_releases: true, yanked: true };

    /// Returns what `specifiers` allow in addition.
    pub fn of(specifiers: &Specifiers) -> Self {
        Self { pre_releases: specifiers.names_prerelease(), yanked: specifiers.is_pinned() }
    }

    pub fn or(self, other: Self) -> Self {
        Self { pre_releases: self.pre_releases || other.pre_releases, yanked: self.yanked || other.yanked }
    }
}

/// The files of one project, as one target may use them.
///
/// Versions are given by their position in [`Candidates::versions`]; each is inspected when it is
/// needed, so that a pin or a good newest version costs no more than itself.
pub struct CandidateSelector<'a> {
    candidates: Arc<Candidates>,
    project: PackageName,
    /// The allowed digests; if empty, every digest is allowed.
    hashes: &'a [Digest],
    target: &'a Target,
    policy: &'a SelectionPolicy,
    /// The usable files of each version that was inspected.
    usable_by_version: RefCell<BTreeMap<usize, Rc<[UsableFile]>>>,
}

/// The restrictions of a pass over the versions. pip sorts all candidates by these before the
/// version.
#[derive(Clone, Copy)]
struct SelectionPass {
    yanked: bool,
    any_hash: bool,
    sources: bool,
}

impl SelectionPass {
    fn takes(self, file: &UsableFile) -> bool {
        (self.yanked || !file.is_yanked())
            && (self.any_hash || file.hash_is_allowed)
            && (self.sources || file.is_wheel())
    }
}

impl<'a> CandidateSelector<'a> {
    pub fn new(
        candidates: Arc<Candidates>,
        project: PackageName,
        hashes: &'a [Digest],
        target: &'a Target,
        policy: &'a SelectionPolicy,
    ) -> Self {
        Self { candidates, project, hashes, target, policy, usable_by_version: RefCell::default() }
    }

    pub fn candidates(&self) -> &Arc<Candidates> {
        &self.candidates
    }

    /// Returns the version that pip would choose among `versions`, given best first.
    ///
    /// The first of `preferred` is chosen instead that is worse in nothing but being older.
    pub fn choose(&self, versions: &[usize], opt_in: OptIn, preferred: &[usize]) -> Option<usize> {
        let eligible = self.eligible(versions, opt_in);
        let (pass, best, candidate) = self.best_among(&eligible, opt_in)?;
        let is_as_good = |version: &usize| {
            let file = best_file(&self.usable_files(*version), pass);
            file.is_some_and(|own| own.distribution.is_wheel() >= candidate.distribution.is_wheel())
        };
        let mut preferred = preferred.iter().filter(|version| eligible.contains(version));
        Some(preferred.find(|version| is_as_good(version)).copied().unwrap_or(best))
    }

    /// Returns the first later release of the target's Python for which `version` has a file, if it has none
    /// for the target's own.
    pub fn later_release(&self, version: usize) -> Option<Version> {
        let (own, last) = (self.target.python(), self.target.releases_from_own().last()?);
        let first_release = |file: &Arc<Candidate>| match &file.requires_python {
            None => Some(own.clone()),
            // Most want another series, which the last release tells at once.
            Some(wants) if !wants.contains(&last) && !wants.contains(own) => None,
            Some(wants) => self.target.releases_from_own().find(|release| wants.contains(release)),
        };
        let fits = |file: &&Arc<Candidate>| rank(&file.distribution, self.target).is_some() && !file.yanked.is_yanked();
        let first = self.candidates.files(version).iter().filter(fits).filter_map(first_release).min();
        first.filter(|release| release != own)
    }

    /// Returns the file of `version` that pip would choose.
    pub fn best_of(&self, version: usize, opt_in: OptIn) -> Option<Arc<Candidate>> {
        self.best_among(&[version], opt_in).map(|(_, _, candidate)| candidate)
    }

    /// Whether `version` may be chosen if the specifiers allow `versions`.
    pub fn admits(&self, version: usize, versions: &[usize], opt_in: OptIn) -> bool {
        let eligible = self.eligible(versions, opt_in);
        let is_good = |version: &usize| self.best_of(*version, OptIn { yanked: false, ..opt_in }).is_some();
        eligible.contains(&version) && (is_good(&version) || (opt_in.yanked && !eligible.iter().any(is_good)))
    }

    /// Whether `version` has usable files, all of them yanked.
    pub fn is_withdrawn(&self, version: usize) -> bool {
        let usable = self.usable_files(version);
        !usable.is_empty() && usable.iter().all(UsableFile::is_yanked)
    }

    /// Returns those of `versions` that the pre-release rule allows, in their order.
    ///
    /// Pre-releases are allowed if asked for, or if no release has a usable file; a yanked release
    /// is usable here, and so excludes pre-releases (`docs/facts/pip.md` 3.8).
    pub fn eligible<'v>(&self, versions: &'v [usize], opt_in: OptIn) -> Cow<'v, [usize]> {
        let allowed = self.policy.releases.prereleases(&self.project);
        let is_prerelease = |version: &usize| self.candidates.versions()[*version].any_prerelease();
        if allowed.unwrap_or(opt_in.pre_releases) || !versions.iter().any(is_prerelease) {
            return versions.into();
        }
        let releases: Vec<_> = versions.iter().copied().filter(|version| !is_prerelease(version)).collect();
        let is_usable = |version: &usize| !self.usable_files(*version).is_empty();
        if allowed.is_some() || releases.iter().any(is_usable) { releases.into() } else { versions.into() }
    }

    /// Explains why [`CandidateSelector::choose`] found nothing among `versions`.
    pub fn why_none(&self, versions: &[usize]) -> NoFile {
        let mut rejected: Vec<_> = versions.iter().flat_map(|version| self.why_not(*version)).collect();
        rejected.sort_by(|a, b| (&b.why, &b.version).cmp(&(&a.why, &a.version)));
        NoFile { rejected }
    }

    /// Explains why no file of `version` was chosen.
    ///
    /// If a file would be usable but for a rule on versions, those for other machines are left out,
    /// unless the user named their digest.
    fn why_not(&self, version: usize) -> Vec<Rejected> {
        let files = self.candidates.files(version);
        let evaluated: Vec<_> = files.iter().map(|candidate| (candidate, self.evaluate(candidate))).collect();
        let has_usable = evaluated.iter().any(|(_, outcome)| outcome.is_ok());
        let told = evaluated.into_iter().filter_map(|(candidate, outcome)| {
            let is_far = has_usable && outcome.is_err();
            let why = outcome.map_or_else(|why| why, |file| unused(&file));
            Some(self.rejected(candidate, why)).filter(|file| !is_far || file.has_allowed_digest)
        });
        told.collect()
    }

    fn best_among(&self, versions: &[usize], opt_in: OptIn) -> Option<(SelectionPass, usize, Arc<Candidate>)> {
        self.passes(opt_in).find_map(|pass| {
            versions.iter().find_map(|version| Some((pass, *version, best_file(&self.usable_files(*version), pass)?)))
        })
    }

    /// Returns the passes, from the strictest on.
    fn passes(&self, opt_in: OptIn) -> impl Iterator<Item = SelectionPass> + use<> {
        let both_or = |both: bool, only: bool| {
            if both {
                &[false, true][..]
            } else if only {
                &[true]
            } else {
                &[false]
            }
        };
        let yanked = both_or(opt_in.yanked, false);
        let any_hash = both_or(!self.hashes.is_empty(), true);
        let sources = both_or(self.policy.prefer_binary, true);
        yanked.iter().flat_map(move |&yanked| {
            any_hash.iter().flat_map(move |&any_hash| {
                sources.iter().map(move |&sources| SelectionPass { yanked, any_hash, sources })
            })
        })
    }

    /// Returns the usable files of a version, without reasons for the others, since most files of a
    /// project are for other targets and reasons are needed only if none is left.
    fn usable_files(&self, version: usize) -> Rc<[UsableFile]> {
        let usable = || {
            let files = self.candidates.files(version);
            files
                .iter()
                .filter_map(|candidate| {
                    self.evaluate_ranked(candidate, rank(&candidate.distribution, self.target)?).ok()
                })
                .collect()
        };
        self.usable_by_version.borrow_mut().entry(version).or_insert_with(usable).clone()
    }

    fn rejected(&self, candidate: &Candidate, why: Rejection) -> Rejected {
        let version = candidate.distribution.version().clone();
        let has_allowed_digest = has_allowed_digest(candidate, self.hashes);
        Rejected { filename: candidate.filename.clone(), version, why, has_allowed_digest }
    }

    /// Checks whether `candidate` may be used, by every rule that involves no other candidate.
    fn evaluate(&self, candidate: &Arc<Candidate>) -> Result<UsableFile, Rejection> {
        let rank = rank(&candidate.distribution, self.target).ok_or_else(|| mismatch(candidate, self.target))?;
        self.evaluate_ranked(candidate, rank)
    }

    fn evaluate_ranked(&self, candidate: &Arc<Candidate>, rank: Rank) -> Result<UsableFile, Rejection> {
        check_format(candidate, &self.project, self.policy)?;
        check_requires_python(candidate.requires_python.as_ref(), self.target)?;
        check_upload_time(candidate, self.policy)?;
        let hash_is_allowed = check_hash(candidate, self.hashes)?;
        Ok(UsableFile { candidate: candidate.clone(), hash_is_allowed, rank })
    }
}

/// Returns the best file; on a tie that of the first index, and the last of that index's entries,
/// as in pip.
fn best_file(usable: &[UsableFile], pass: SelectionPass) -> Option<Arc<Candidate>> {
    let usable = usable.iter().filter(|file| pass.takes(file));
    let best = usable.reduce(|best, next| match next.rank.cmp(&best.rank) {
        Ordering::Greater => next,
        Ordering::Equal if Arc::ptr_eq(&next.candidate.index, &best.candidate.index) => next,
        _ => best,
    });
    best.map(|file| file.candidate.clone())
}

/// Returns the reason for a file that was not chosen although no rule rejects it.
fn unused(file: &UsableFile) -> Rejection {
    match &file.candidate.yanked.0 {
        Some(reason) => Rejection::Yanked { reason: reason.clone() },
        None => Rejection::PreRelease,
    }
}

/// Returns the position of the best of `files` for `target`, of which nothing but the names is
/// known; of equally good files the first one counts.
pub fn best_by_name<'f>(
    files: impl Iterator<Item = Option<&'f DistributionFilename>>,
    formats: Formats,
    target: &Target,
) -> Option<usize> {
    let usable = files.enumerate().filter_map(|(position, distribution)| {
        let distribution = distribution.filter(|distribution| formats.allows(distribution))?;
        Some((rank(distribution, target)?, Reverse(position)))
    });
    usable.max().map(|(_, Reverse(position))| position)
}

/// Returns how well the file fits the target's Python and platform; `None` if it does not.
fn rank(distribution: &DistributionFilename, target: &Target) -> Option<Rank> {
    match distribution {
        DistributionFilename::Source(_) => Some(Rank::Source),
        DistributionFilename::Wheel(wheel) => Some(Rank::Wheel(target.tags().rank(wheel)?, wheel.build.clone())),
    }
}

/// Returns the reason why a file has no rank.
fn mismatch(candidate: &Candidate, target: &Target) -> Rejection {
    match &candidate.distribution {
        DistributionFilename::Source(_) => unreachable!("every target takes source archives"),
        DistributionFilename::Wheel(wheel) => Rejection::Tags(target.tags().mismatch(wheel)),
    }
}
