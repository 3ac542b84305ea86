//! Which artifact for which target, and why not the others.
//!
//! pip's rules (`facts/pip.md` 3.7, 3.8), applied for a declared target instead of the machine at
//! hand. The losers are kept with their reasons, nearest miss first, since the message to the
//! user is made of them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::domain::{
    Artifact, BuildTag, Digest, DistributionFilename, FormatControl, Offers, PackageName, ReleaseControl, Specifiers,
    TagMismatch, TagRank, Target, Timestamp, Version,
};

/// What holds for every project of a run.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub formats: FormatControl,
    /// Any wheel before any source archive, even of a newer version.
    pub prefer_binary: bool,
    pub releases: ReleaseControl,
    /// Files uploaded at this moment or later do not exist.
    pub exclude_newer: Option<Timestamp>,
}

/// What is asked of one project on one target, all its requirements and constraints together.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    pub project: &'a PackageName,
    pub specifiers: &'a Specifiers,
    /// The digests allowed; empty allows all.
    pub hashes: &'a [Digest],
}

/// Why an artifact lost. The order is by how near it came, nearest last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rejection {
    /// Built for another Python, ABI or platform.
    Tags(TagMismatch),
    /// Its kind is excluded by `--only-binary` or `--no-binary`.
    Format {
        is_wheel: bool,
    },
    RequiresPython {
        wants: String,
        has: String,
    },
    /// After `--exclude-newer`; absent where the index does not tell upload times.
    TooNew {
        uploaded: Option<Timestamp>,
    },
    /// Its digest is none of those asked for.
    Hash {
        has: String,
    },
    Yanked {
        reason: Box<str>,
    },
    PreRelease,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tags(mismatch) => mismatch.fmt(f),
            Self::Format { is_wheel: true } => f.write_str("wheels are excluded by --no-binary"),
            Self::Format { is_wheel: false } => f.write_str("source archives are excluded by --only-binary"),
            Self::RequiresPython { wants, has } => write!(f, "needs Python {wants}, the target has {has}"),
            Self::TooNew { uploaded: Some(_) } => f.write_str("was uploaded after --exclude-newer"),
            Self::TooNew { uploaded: None } => {
                f.write_str("has no upload time on this index, which --exclude-newer needs")
            }
            Self::Hash { has } => write!(f, "has the digest {has}, which no --hash allows"),
            Self::Yanked { reason } if reason.is_empty() => f.write_str("was yanked"),
            Self::Yanked { reason } => write!(f, "was yanked: {reason}"),
            Self::PreRelease => f.write_str("is a pre-release: pin it, or allow them with --pre"),
        }
    }
}

/// An artifact with the reason why it lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    pub filename: Box<str>,
    pub version: Version,
    pub why: Rejection,
}

/// Nothing fits.
#[derive(Clone, Debug, PartialEq)]
pub enum NoChoice {
    /// No place that was asked knows the project.
    UnknownProject,
    /// No version satisfies the specifiers; the nearest there are, best first.
    NoVersion { nearest: Vec<Version> },
    /// Versions fit, but none of their files; nearest miss first.
    NoFile { rejected: Vec<Rejected> },
}

/// A file that may be used, with what pip sorts by. Greater is better.
#[derive(Clone, Debug)]
struct Candidate {
    artifact: Artifact,
    hash_is_allowed: bool,
    rank: Rank,
}

/// A wheel beats a source archive; among wheels the target's tag order, then the build tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Source,
    Wheel(TagRank, Option<BuildTag>),
}

impl Candidate {
    fn is_wheel(&self) -> bool {
        matches!(self.rank, Rank::Wheel(..))
    }

    fn is_yanked(&self) -> bool {
        self.artifact.yanked.is_yanked()
    }
}

/// The artifact that pip would choose for `ask` on `target`.
///
/// # Errors
/// Why there is none, with the near misses.
pub fn choose(offers: &Offers, ask: &Ask<'_>, target: &Target, policy: &Policy) -> Result<Artifact, NoChoice> {
    if offers.is_unknown() {
        return Err(NoChoice::UnknownProject);
    }
    let versions = offers.versions();
    let matching: Vec<_> = versions.iter().rev().copied().filter(|version| ask.specifiers.contains(version)).collect();
    if matching.is_empty() {
        return Err(NoChoice::NoVersion { nearest: nearest(&versions, ask.specifiers) });
    }
    let mut search = Search { offers, ask, target, policy, seen: BTreeMap::new(), rejected: Vec::new() };
    search.run(&matching).ok_or_else(|| search.give_up())
}

/// How many near versions an error names on either side.
const NEAR: usize = 3;

/// The versions around the pin, else the newest ones.
fn nearest(versions: &[&Version], specifiers: &Specifiers) -> Vec<Version> {
    let near = match specifiers.pin() {
        Some(pin) => {
            let at = versions.partition_point(|version| *version < pin);
            &versions[at.saturating_sub(NEAR)..versions.len().min(at + NEAR)]
        }
        None => &versions[versions.len().saturating_sub(NEAR)..],
    };
    near.iter().copied().cloned().collect()
}

/// One search through the versions of a project, newest first. A version's files are read
/// when it is its turn, so that a pin or a good newest version costs no more than itself.
struct Search<'a> {
    offers: &'a Offers,
    ask: &'a Ask<'a>,
    target: &'a Target,
    policy: &'a Policy,
    seen: BTreeMap<&'a Version, Vec<Candidate>>,
    rejected: Vec<Rejected>,
}

/// What a pass over the versions takes. pip sorts all candidates by these before the version.
#[derive(Clone, Copy)]
struct Pass {
    yanked: bool,
    any_hash: bool,
    sources: bool,
}

impl Pass {
    fn takes(self, candidate: &Candidate) -> bool {
        (self.yanked || !candidate.is_yanked())
            && (self.any_hash || candidate.hash_is_allowed)
            && (self.sources || candidate.is_wheel())
    }
}

impl<'a> Search<'a> {
    /// pip's pre-release rule: they count if asked for, or if no release has a usable file.
    /// A yanked release is usable here, and so hides pre-releases (`facts/pip.md` 3.8).
    fn run(&mut self, matching: &[&'a Version]) -> Option<Artifact> {
        let allowed = self.policy.releases.prereleases(self.ask.project);
        if allowed.unwrap_or(self.ask.specifiers.names_prerelease()) {
            return self.best(matching);
        }
        let (pre_releases, releases): (Vec<_>, Vec<_>) =
            matching.iter().copied().partition(|version| version.any_prerelease());
        let best = self.best(&releases);
        let nothing_else_exists = self.seen.values().all(Vec::is_empty);
        if best.is_none() && nothing_else_exists && allowed.is_none() {
            return self.best(&pre_releases);
        }
        if best.is_none() {
            self.reject_pre_releases(&pre_releases);
        }
        best
    }

    fn best(&mut self, versions: &[&'a Version]) -> Option<Artifact> {
        self.passes().into_iter().find_map(|pass| versions.iter().find_map(|version| self.best_of(version, pass)))
    }

    /// From the strictest on.
    fn passes(&self) -> Vec<Pass> {
        let yanked = if self.ask.specifiers.is_pinned() { &[false, true][..] } else { &[false] };
        let any_hash = if self.ask.hashes.is_empty() { &[true][..] } else { &[false, true] };
        let sources = if self.policy.prefer_binary { &[false, true][..] } else { &[true] };
        let mut passes = Vec::new();
        for &yanked in yanked {
            for &any_hash in any_hash {
                passes.extend(sources.iter().map(|&sources| Pass { yanked, any_hash, sources }));
            }
        }
        passes
    }

    /// On a tie the first place wins, and the last of that place's entries (pip's order).
    fn best_of(&mut self, version: &'a Version, pass: Pass) -> Option<Artifact> {
        let candidates = self.look_at(version).iter().filter(|candidate| pass.takes(candidate));
        let best = candidates.reduce(|best, next| match next.rank.cmp(&best.rank) {
            Ordering::Greater => next,
            Ordering::Equal if Arc::ptr_eq(&next.artifact.index, &best.artifact.index) => next,
            _ => best,
        });
        best.map(|candidate| candidate.artifact.clone())
    }

    fn look_at(&mut self, version: &'a Version) -> &[Candidate] {
        if !self.seen.contains_key(version) {
            let mut candidates = Vec::new();
            for artifact in self.offers.files(version) {
                match judge(artifact, self.ask, self.target, self.policy) {
                    Ok(candidate) => candidates.push(candidate),
                    Err((artifact, why)) => self.reject(&artifact, why),
                }
            }
            self.seen.insert(version, candidates);
        }
        &self.seen[version]
    }

    fn reject(&mut self, artifact: &Artifact, why: Rejection) {
        let version = artifact.distribution.version().clone();
        self.rejected.push(Rejected { filename: artifact.filename.clone(), version, why });
    }

    fn reject_pre_releases(&mut self, versions: &[&Version]) {
        for artifact in versions.iter().flat_map(|version| self.offers.files(version)) {
            self.reject(&artifact, Rejection::PreRelease);
        }
    }

    /// What is left in `seen` lost for being yanked: everything else would have been taken.
    fn give_up(mut self) -> NoChoice {
        for candidate in std::mem::take(&mut self.seen).into_values().flatten() {
            let reason = candidate.artifact.yanked.0.clone().unwrap_or_default();
            self.reject(&candidate.artifact, Rejection::Yanked { reason });
        }
        let mut rejected = self.rejected;
        rejected.sort_by(|a, b| (&b.why, &b.version).cmp(&(&a.why, &a.version)));
        NoChoice::NoFile { rejected }
    }
}

/// Whether `artifact` may be used, by every rule that needs no other artifact.
fn judge(
    artifact: Artifact,
    ask: &Ask<'_>,
    target: &Target,
    policy: &Policy,
) -> Result<Candidate, (Artifact, Rejection)> {
    let rank = rank(&artifact, target);
    let verdict = rank.and_then(|rank| {
        check_format(&artifact, ask, policy)?;
        check_requires_python(&artifact, target)?;
        check_upload_time(&artifact, policy)?;
        Ok((rank, check_hash(&artifact, ask)?))
    });
    match verdict {
        Ok((rank, hash_is_allowed)) => Ok(Candidate { artifact, hash_is_allowed, rank }),
        Err(why) => Err((artifact, why)),
    }
}

fn rank(artifact: &Artifact, target: &Target) -> Result<Rank, Rejection> {
    match &artifact.distribution {
        DistributionFilename::Source(_) => Ok(Rank::Source),
        DistributionFilename::Wheel(wheel) => match target.tags().rank(wheel) {
            Some(tag) => Ok(Rank::Wheel(tag, wheel.build.clone())),
            None => Err(Rejection::Tags(target.tags().mismatch(wheel))),
        },
    }
}

fn check_format(artifact: &Artifact, ask: &Ask<'_>, policy: &Policy) -> Result<(), Rejection> {
    let formats = policy.formats.formats(ask.project);
    let is_wheel = artifact.distribution.is_wheel();
    let allowed = if is_wheel { formats.wheels } else { formats.sources };
    if allowed { Ok(()) } else { Err(Rejection::Format { is_wheel }) }
}

fn check_requires_python(artifact: &Artifact, target: &Target) -> Result<(), Rejection> {
    match &artifact.requires_python {
        Some(wants) if !wants.contains(target.python()) => {
            Err(Rejection::RequiresPython { wants: wants.to_string(), has: target.python().to_string() })
        }
        _ => Ok(()),
    }
}

fn check_upload_time(artifact: &Artifact, policy: &Policy) -> Result<(), Rejection> {
    match (policy.exclude_newer, artifact.uploaded) {
        (Some(limit), uploaded) if uploaded.is_none_or(|uploaded| uploaded >= limit) => {
            Err(Rejection::TooNew { uploaded })
        }
        _ => Ok(()),
    }
}

/// Whether the index promises an allowed digest; it may also promise none of that algorithm,
/// and then only the bytes can tell.
fn check_hash(artifact: &Artifact, ask: &Ask<'_>) -> Result<bool, Rejection> {
    let comparable =
        artifact.hashes.iter().filter(|has| ask.hashes.iter().any(|allowed| allowed.algorithm == has.algorithm));
    let mut refused = None;
    for has in comparable {
        if ask.hashes.iter().any(|allowed| allowed.agrees_with(has)) {
            return Ok(true);
        }
        refused = Some(has);
    }
    match refused {
        Some(has) => Err(Rejection::Hash { has: has.to_string() }),
        None => Ok(false),
    }
}
