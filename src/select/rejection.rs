//! The rules that reject a file by itself, and the reasons that they give.

use crate::domain::{
    Candidate, Digest, PackageName, Remedy, SelectionPolicy, Specifiers, TagMismatch, Target, Timestamp, Version,
};
use std::fmt;

/// Why a candidate was rejected, ordered by how close it came, the closest last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rejection {
    /// It is a source archive, and only wheels are allowed.
    Source,
    /// It is built for another Python, ABI or platform.
    Tags(TagMismatch),
    /// It is a wheel for the target, and only source archives are allowed.
    Wheel,
    RequiresPython {
        wants: String,
        has: String,
    },
    /// It was uploaded after the latest moment allowed; the time is `None` if the index does not
    /// state it.
    TooNew {
        uploaded: Option<Timestamp>,
    },
    /// None of its digests is allowed; with its digests of the same algorithms.
    Hash {
        has: String,
        asked: Vec<String>,
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
            Self::Source => f.write_str("is a source archive, and only wheels are allowed"),
            Self::Wheel => f.write_str("is a wheel, and only source archives are allowed"),
            Self::RequiresPython { wants, has } => write!(f, "needs Python {wants}, the target has {has}"),
            Self::TooNew { uploaded: Some(_) } => f.write_str("was uploaded after the latest moment allowed"),
            Self::TooNew { uploaded: None } => {
                f.write_str("has no upload time on this index, so it may be newer than allowed")
            }
            Self::Hash { has, asked } => {
                write!(f, "has the digest {has}; asked for is {}", asked.first().map_or("", String::as_str))?;
                match asked.len() {
                    0 | 1 => Ok(()),
                    2 => f.write_str(" or another one"),
                    several => write!(f, " or {} others", several - 1),
                }
            }
            Self::Yanked { reason } if reason.is_empty() => f.write_str("was yanked: pin it to take it all the same"),
            Self::Yanked { reason } => write!(f, "was yanked ({reason}): pin it to take it all the same"),
            Self::PreRelease => f.write_str("is a pre-release: pin it, or allow pre-releases"),
        }
    }
}

/// A candidate with the reason why it was rejected.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    pub filename: Box<str>,
    pub version: Version,
    pub why: Rejection,
    /// Whether its digest is one of the allowed ones.
    pub has_allowed_digest: bool,
}

/// The error that no file fits, with the reasons, nearest miss first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NoFile {
    pub rejected: Vec<Rejected>,
}

impl NoFile {
    /// Whether only its digest excludes the nearest file.
    pub fn is_for_digest(&self) -> bool {
        matches!(self.rejected.first(), Some(Rejected { why: Rejection::Hash { .. }, .. }))
    }

    /// Returns what would make a file usable that the user's settings exclude.
    pub fn remedy(&self) -> Option<Remedy> {
        let has = |why: fn(&Rejection) -> bool| self.rejected.iter().any(|file| why(&file.why));
        let remedies = [
            (has(|why| *why == Rejection::Source), Remedy::AllowSources),
            (has(|why| *why == Rejection::Wheel), Remedy::AllowWheels),
            (has(|why| matches!(why, Rejection::TooNew { uploaded: Some(_) })), Remedy::AllowNewer),
        ];
        let found = remedies.into_iter().find_map(|(applies, remedy)| applies.then_some(remedy));
        found.filter(|_| !self.is_for_digest())
    }

    /// Returns the file that has an allowed digest.
    pub fn with_allowed_digest(&self) -> Option<&Rejected> {
        self.rejected.iter().find(|file| file.has_allowed_digest)
    }
}

pub(super) fn check_format(
    candidate: &Candidate,
    project: &PackageName,
    policy: &SelectionPolicy,
) -> Result<(), Rejection> {
    let is_wheel = candidate.distribution.is_wheel();
    match (policy.formats.formats(project).allows(&candidate.distribution), is_wheel) {
        (true, _) => Ok(()),
        (false, true) => Err(Rejection::Wheel),
        (false, false) => Err(Rejection::Source),
    }
}

/// Checks that a distribution with the `Requires-Python` `wants` runs on the Python of `target`.
///
/// # Errors
/// When it does not.
pub fn check_requires_python(wants: Option<&Specifiers>, target: &Target) -> Result<(), Rejection> {
    match wants {
        Some(wants) if !wants.contains(target.python()) => {
            Err(Rejection::RequiresPython { wants: wants.to_string(), has: target.python().to_string() })
        }
        _ => Ok(()),
    }
}

/// Checks the upload time; local files have none and are exempt, as in pip.
pub(super) fn check_upload_time(candidate: &Candidate, policy: &SelectionPolicy) -> Result<(), Rejection> {
    match (policy.exclude_newer, candidate.uploaded) {
        (None, _) => Ok(()),
        (Some(limit), Some(uploaded)) if uploaded < limit => Ok(()),
        (Some(_), None) if candidate.url.is_local() => Ok(()),
        (Some(_), uploaded) => Err(Rejection::TooNew { uploaded }),
    }
}

/// Whether the index promises an allowed digest.
///
/// Any one is enough; if the index promises no digest of an allowed algorithm, only the bytes can
/// tell.
///
/// # Errors
/// When it promises others.
pub(super) fn check_hash(candidate: &Candidate, allowed: &[Digest]) -> Result<bool, Rejection> {
    if has_allowed_digest(candidate, allowed) {
        return Ok(true);
    }
    if allowed.iter().any(|each| candidate.hashes.iter().all(|has| has.algorithm != each.algorithm)) {
        return Ok(false);
    }
    let asked = |has: &Digest| -> Vec<String> {
        allowed.iter().filter(|each| each.algorithm == has.algorithm).map(ToString::to_string).collect()
    };
    let mut compared = candidate.hashes.iter().map(|has| (has, asked(has)));
    match compared.rfind(|(_, asked)| !asked.is_empty()) {
        Some((has, asked)) => Err(Rejection::Hash { has: has.to_string(), asked }),
        None => Ok(false),
    }
}

/// Whether the index promises one of the `allowed` digests.
pub(super) fn has_allowed_digest(candidate: &Candidate, allowed: &[Digest]) -> bool {
    candidate.hashes.iter().any(|has| allowed.iter().any(|each| each.agrees_with(has)))
}
