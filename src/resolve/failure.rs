//! Failures: why there is no solution, in sentences that a user can act on.

use std::collections::BTreeSet;
use std::fmt;

use super::provider::MOST_STEPS;
use super::target_requirements::ProjectRequirements;
use crate::domain::{
    Candidates, Ignored, LockedPackage, Origin, PackageName, Remedy, Requirement, Specifiers, Version, list_first,
};
use crate::select::{CandidateSelector, NoFile, Rejected};

/// A reason why there is no solution.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The project; `None` if the requirement does not state it.
    pub package: Option<PackageName>,
    /// The requirement as it was written.
    pub requirement: String,
    pub reason: Reason,
    /// How the user's lines lead to the project if they do not name it, in sentences.
    pub chain: Vec<String>,
    /// The lines that led to it.
    pub origins: Vec<Origin>,
    /// Positions of the targets that are affected.
    pub targets: Vec<usize>,
}

/// Why a requirement cannot be met.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The requirement names no project.
    Nameless,
    /// It cannot be fetched; the text says what to do.
    Unfetchable(&'static str),
    /// The named archive does not fit the project or the target.
    WrongFile(String),
    /// Hash-checking mode requires a digest, and there is none.
    NoHash { pinned: bool },
    /// None of these locations has the project.
    UnknownProject { asked: Vec<String> },
    /// No version satisfies the specifiers; with the nearest versions, and unusable entries, one of
    /// which may be meant.
    NoVersion { specifiers: Specifiers, nearest: Vec<Version>, places: Box<Places>, ignored: Vec<Ignored> },
    /// Versions satisfy the specifiers, but none of their files can be used; with the nearest file
    /// first.
    NoFile { specifiers: Specifiers, files: NoFile },
    /// The dependencies of this source archive are known only to its build.
    NeedsBuild { file: Box<str> },
    /// Every version that satisfies the specifiers is unusable by itself; with the reasons, a line
    /// for each.
    Unusable { versions: Vec<String>, remedies: BTreeSet<Remedy> },
    /// The lock file has nothing for the target; with the reason.
    NotLocked(String),
    /// The search was given up; with the projects in which it turned, the most contested first.
    TooLong { projects: Vec<PackageName> },
    /// Requirements that contradict each other.
    Conflict { facts: Vec<String>, projects: Vec<PackageName>, is_about_files: bool, remedies: BTreeSet<Remedy> },
}

impl Reason {
    /// Whether another target could have a solution.
    pub fn depends_on_target(&self) -> bool {
        match self {
            Self::NoFile { .. } | Self::WrongFile(_) | Self::Unusable { .. } | Self::NotLocked(_) => true,
            Self::Conflict { is_about_files, .. } => *is_about_files,
            _ => false,
        }
    }

    /// Returns the remedies, each once.
    pub fn remedies(&self) -> BTreeSet<Remedy> {
        match self {
            Self::NoVersion { places, .. } => places.remedy().into_iter().collect(),
            Self::NoFile { files, .. } => files.remedy().into_iter().collect(),
            Self::NeedsBuild { .. } => [Remedy::AllowBuild].into(),
            Self::Unusable { remedies, .. } | Self::Conflict { remedies, .. } => remedies.clone(),
            _ => BTreeSet::new(),
        }
    }

    /// Makes the reason for a conflict of the user's own lines, which only the user can resolve.
    pub(super) fn conflict_of_lines(facts: Vec<String>) -> Self {
        Self::Conflict { facts, projects: Vec::new(), is_about_files: false, remedies: BTreeSet::new() }
    }

    /// Returns why no file of the `matching` versions on `selector` can be used.
    pub(super) fn of_selector(selector: &CandidateSelector<'_>, matching: &[usize], specifiers: &Specifiers) -> Self {
        let (candidates, specifiers) = (selector.candidates(), specifiers.clone());
        if candidates.is_unknown() {
            Self::UnknownProject { asked: candidates.asked.iter().map(ToString::to_string).collect() }
        } else if matching.is_empty() {
            let nearest = nearest(candidates.versions(), &specifiers);
            let (places, ignored) = (Box::new(Places::of(candidates)), candidates.ignored());
            Self::NoVersion { nearest, specifiers, places, ignored }
        } else {
            Self::NoFile { specifiers, files: selector.why_none(matching) }
        }
    }
}

/// The locations that a project comes from, and the indexes that it is not taken from.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    known_by: Vec<String>,
    shadowed: Vec<String>,
    /// Whether another location could have had it.
    has_choice: bool,
}

impl Places {
    pub(super) fn of(candidates: &Candidates) -> Self {
        Self {
            known_by: candidates.known_by().map(ToString::to_string).collect(),
            shadowed: candidates.shadowed.iter().map(ToString::to_string).collect(),
            has_choice: candidates.asked.len() + candidates.shadowed.len() > 1,
        }
    }
}

impl Places {
    pub(super) fn remedy(&self) -> Option<Remedy> {
        (self.has_choice && !self.known_by.is_empty() && !self.shadowed.is_empty()).then_some(Remedy::AskAllIndexes)
    }
}

impl fmt::Display for Places {
    /// Writes the locations as they follow the versions; nothing if there is only one location.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.has_choice || self.known_by.is_empty() {
            return Ok(());
        }
        write!(f, ", on {}", self.known_by.join(" and "))?;
        if self.shadowed.is_empty() {
            return Ok(());
        }
        let others = self.shadowed.join(" and ");
        write!(f, ": the first index with the project wins, and {others} was not asked")
    }
}

/// The number of near versions that an error names on either side.
const NEAR: usize = 3;

/// Returns the versions around those that `specifiers` name.
pub(super) fn nearest(versions: &[Version], specifiers: &Specifiers) -> Vec<Version> {
    let places: BTreeSet<_> =
        specifiers.named().map(|named| versions.partition_point(|version| *version < named)).collect();
    let near = NEAR.div_ceil(places.len().max(1));
    let around = |at: usize| at.saturating_sub(near)..versions.len().min(at + near);
    let positions: BTreeSet<_> = places.into_iter().flat_map(around).collect();
    positions.into_iter().map(|position| versions[position].clone()).collect()
}

impl Failure {
    pub(super) fn nameless(requirement: &Requirement) -> Self {
        Self {
            package: None,
            requirement: requirement.to_string(),
            reason: Reason::Nameless,
            chain: Vec::new(),
            origins: vec![requirement.origin.clone()],
            targets: Vec::new(),
        }
    }

    /// Makes the failure of a search that was given up.
    pub(super) fn too_long(projects: Vec<PackageName>) -> Self {
        Self {
            package: None,
            requirement: "all requirements together".to_owned(),
            reason: Reason::TooLong { projects },
            chain: Vec::new(),
            origins: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Makes the failure of a project that the user requires.
    pub(super) fn of(name: &PackageName, asked: &ProjectRequirements<'_>, reason: Reason) -> Self {
        Self {
            package: Some(name.clone()),
            requirement: match (&reason, asked.requirements.first()) {
                (Reason::Conflict { .. }, _) | (_, None) => name.to_string(),
                (_, Some(first)) => first.to_string(),
            },
            reason,
            chain: Vec::new(),
            origins: asked.origins(),
            targets: Vec::new(),
        }
    }

    /// Returns the projects that the failure is about.
    pub fn projects(&self) -> impl Iterator<Item = &PackageName> {
        let others = match &self.reason {
            Reason::Conflict { projects, .. } => projects.as_slice(),
            _ => &[],
        };
        self.package.iter().chain(others)
    }

    /// Makes the failure of a project that other projects need.
    pub(super) fn of_dependency(name: &PackageName, origins: Vec<Origin>, chain: Vec<String>, reason: Reason) -> Self {
        Self { package: Some(name.clone()), requirement: name.to_string(), reason, chain, origins, targets: Vec::new() }
    }

    /// Makes the failure of a package of a lock file.
    pub(super) fn of_locked(package: &LockedPackage, reason: Reason) -> Self {
        let version = package.version.as_ref().map(|version| format!("=={version}")).unwrap_or_default();
        Self {
            package: Some(package.name.clone()),
            requirement: format!("{}{version}", package.name),
            reason,
            chain: Vec::new(),
            origins: vec![package.origin.clone()],
            targets: Vec::new(),
        }
    }

    pub(super) fn on_target(mut self, position: usize) -> Self {
        self.targets.push(position);
        self
    }
}

/// Merges equal failures on several targets into one.
pub(super) fn merge(failures: Vec<Failure>) -> Vec<Failure> {
    let mut merged: Vec<Failure> = Vec::new();
    for failure in failures {
        let same = |other: &&mut Failure| {
            other.package == failure.package
                && other.requirement == failure.requirement
                && other.reason == failure.reason
        };
        match merged.iter_mut().find(same) {
            Some(other) => other.targets.extend(failure.targets),
            None => merged.push(failure),
        }
    }
    merged
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.requirement, self.reason)?;
        self.chain.iter().try_for_each(|sentence| write!(f, "\n  {sentence}"))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nameless => f.write_str("the URL does not tell its project; write it as `name @ URL`"),
            Self::Unfetchable(why) => f.write_str(why),
            Self::NotLocked(why) => f.write_str(why),
            Self::TooLong { projects } if projects.is_empty() => f.write_str(
                "they lead to more projects than any known set has, so the search was given up: look for the index \
                     that lists them, or pin what leads there",
            ),
            Self::TooLong { projects } => write!(
                f,
                "no solution was found in {MOST_STEPS} steps, most of which were about {}: pin versions of these",
                list_first(projects, NAMED)
            ),
            Self::WrongFile(why) => write!(f, "the file cannot be used: {why}"),
            Self::NoHash { pinned: true } => {
                f.write_str("hashes are required and it has none; add its hash, or take all hashes away")
            }
            Self::NoHash { pinned: false } => {
                f.write_str("hashes are required; pin it with == and add its hash, or take all hashes away")
            }
            Self::UnknownProject { asked } if asked.is_empty() => {
                f.write_str("there is no index and no other place to look in")
            }
            Self::UnknownProject { asked } => write!(f, "no such project on {}", asked.join(", ")),
            Self::NoVersion { nearest, places, ignored, .. } if nearest.is_empty() => {
                let files = if ignored.is_empty() { "files" } else { "usable files" };
                write!(f, "the project has no {files}{places}")?;
                write_ignored(f, ignored)
            }
            Self::NoVersion { specifiers, nearest, places, ignored } => {
                let nearest: Vec<_> = nearest.iter().map(ToString::to_string).collect();
                write!(f, "no version satisfies {specifiers}; the nearest are {}{places}", nearest.join(", "))?;
                write_ignored(f, ignored)
            }
            Self::NoFile { files, .. } => write_rejected(f, files),
            Self::NeedsBuild { file } => write!(f, "what {file} needs is only known by running its build"),
            Self::Unusable { versions, .. } => match versions.as_slice() {
                [only] => f.write_str(only),
                several => {
                    f.write_str("no version can be used")?;
                    several.iter().try_for_each(|version| write!(f, "\n  {version}"))
                }
            },
            Self::Conflict { facts, .. } => {
                f.write_str("these cannot all hold")?;
                facts.iter().try_for_each(|fact| write!(f, "\n  {fact}"))
            }
        }
    }
}

/// The number of reasons that a message names.
const NAMED: usize = 5;

/// The number of unusable entries that a message names.
const MOST_IGNORED: usize = 3;

fn write_ignored(f: &mut fmt::Formatter<'_>, ignored: &[Ignored]) -> fmt::Result {
    for Ignored { filename, why } in ignored.iter().take(MOST_IGNORED) {
        write!(f, "\n  {filename}: {why}")?;
    }
    match ignored.len().checked_sub(MOST_IGNORED) {
        None | Some(0) => Ok(()),
        Some(more) => write!(f, "\n  and {more} more that cannot be used"),
    }
}

fn write_rejected(f: &mut fmt::Formatter<'_>, files: &NoFile) -> fmt::Result {
    f.write_str("no file can be used")?;
    rejections(files).iter().try_for_each(|line| write!(f, "\n  {line}"))
}

/// Returns the nearest files, a line each; files with the same reason share one.
pub(super) fn rejections(files: &NoFile) -> Vec<String> {
    let mut groups: Vec<(&Rejected, usize)> = Vec::new();
    for file in &files.rejected {
        match groups.iter_mut().find(|(nearest, _)| nearest.why.to_string() == file.why.to_string()) {
            Some((_, others)) => *others += 1,
            None => groups.push((file, 0)),
        }
    }
    let mut lines: Vec<_> = groups.iter().take(NAMED).map(|(nearest, others)| group(nearest, *others)).collect();
    match groups.iter().skip(NAMED).map(|(_, others)| others + 1).sum() {
        0 => {}
        1 => lines.push("and 1 file further off".to_owned()),
        more => lines.push(format!("and {more} files further off")),
    }
    lines.extend(digest_owner(files));
    lines
}

fn group(Rejected { filename, why, .. }: &Rejected, others: usize) -> String {
    match others {
        0 => format!("{filename} {why}"),
        1 => format!("{filename} {why} (and 1 other file)"),
        others => format!("{filename} {why} (and {others} other files)"),
    }
}

/// Returns a sentence about a required digest that no file for the target has: which file has it, if
/// that is known.
fn digest_owner(files: &NoFile) -> Option<String> {
    files.is_for_digest().then(|| match files.with_allowed_digest() {
        Some(Rejected { filename, why, .. }) => format!("the hash asked for is of {filename}, which {why}"),
        None => "either the file changed or the hash asked for is of another one".into(),
    })
}
