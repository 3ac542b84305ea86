//! Version specifiers as pip reads them: PEP 440, and `===` with any text.

use std::fmt;
use std::str::FromStr;

use rustc_hash::FxHashSet;
use serde::de::{Deserializer, Error as _};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use version_ranges::Ranges;

use super::{Operator, Version, VersionSpecifier, VersionSpecifiers};

/// A comma-separated set of version clauses; empty means any version.
///
/// Beside PEP 440's clauses it has those of `===`, which compare text and may name something that
/// is no version (`===1.0.weird+x`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Specifiers {
    clauses: Vec<VersionSpecifier>,
    arbitrary: Vec<Box<str>>,
}

impl Specifiers {
    /// Returns specifiers that allow any version.
    pub fn any() -> Self {
        Self::default()
    }

    /// Returns specifiers that allow exactly `version` (and its local builds, as `==` does).
    pub fn exactly(version: Version) -> Self {
        Self { clauses: vec![VersionSpecifier::equals_version(version)], arbitrary: Vec::new() }
    }

    pub fn is_any(&self) -> bool {
        self.clauses.is_empty() && self.arbitrary.is_empty()
    }

    /// Whether `version` satisfies every clause; `===` compares its normalized text.
    ///
    /// Pre-releases are only compared here; whether one may be chosen is decided by the selection.
    pub fn contains(&self, version: &Version) -> bool {
        self.clauses.iter().all(|clause| holds(clause, version))
            && self.arbitrary.iter().all(|wanted| wanted.eq_ignore_ascii_case(&version.to_string()))
    }

    /// Whether a clause names a pre-release, which allows them (any operator but `!=`).
    pub fn names_prerelease(&self) -> bool {
        self.clauses.iter().any(|clause| {
            !matches!(clause.operator(), Operator::NotEqual | Operator::NotEqualStar)
                && clause.version().any_prerelease()
        }) || self.arbitrary.iter().any(|text| text.parse().is_ok_and(|version: Version| version.any_prerelease()))
    }

    /// Whether a clause pins the version: `==` without a star, or `===` (which allows yanked files,
    /// PEP 592).
    pub fn is_pinned(&self) -> bool {
        !self.arbitrary.is_empty() || self.clauses.iter().any(|clause| *clause.operator() == Operator::Equal)
    }

    /// Returns the version of the first `==` clause.
    pub fn pin(&self) -> Option<&Version> {
        let clause = self.clauses.iter().find(|clause| *clause.operator() == Operator::Equal);
        clause.map(VersionSpecifier::version)
    }

    /// Returns every version that a clause names.
    pub fn named(&self) -> impl Iterator<Item = Version> {
        let arbitrary = self.arbitrary.iter().filter_map(|text| text.parse().ok());
        self.clauses.iter().map(|clause| clause.version().clone()).chain(arbitrary)
    }

    /// Whether a version from `first` on is among them.
    pub fn reaches(&self, first: &Version) -> bool {
        let allowed: VersionSpecifiers = self.clauses().iter().cloned().collect();
        !Ranges::from(allowed).intersection(&Ranges::higher_than(first.clone())).is_empty()
    }

    /// Returns PEP 440's clauses.
    pub fn clauses(&self) -> &[VersionSpecifier] {
        &self.clauses
    }

    /// Returns both sets of clauses together.
    pub fn and(&self, other: &Self) -> Self {
        Self::all([self, other])
    }

    /// Returns all sets of clauses together, each clause once.
    ///
    /// It takes a single pass, since metadata may name one project in very many lines.
    pub fn all<'s>(sets: impl IntoIterator<Item = &'s Self>) -> Self {
        let (mut all, mut clauses, mut texts) = (Self::any(), FxHashSet::default(), FxHashSet::default());
        for set in sets {
            all.clauses.extend(set.clauses.iter().filter(|clause| clauses.insert(*clause)).cloned());
            all.arbitrary.extend(set.arbitrary.iter().filter(|text| texts.insert(*text)).cloned());
        }
        all
    }
}

/// Whether a version satisfies a clause, as in the `packaging` library.
///
/// `pep440_rs` 0.7 differs in two cases: there `==1.0.1.*` matches `1.0`, and `<2.0rc2` does not
/// match `2.0rc1`. The reference is release 26.3, which is part of pip 26.3.
fn holds(clause: &VersionSpecifier, version: &Version) -> bool {
    let wanted = clause.version();
    let public = || version.clone().without_local();
    match clause.operator() {
        Operator::Equal | Operator::ExactEqual => is_equal(wanted, version),
        Operator::NotEqual => !is_equal(wanted, version),
        Operator::EqualStar => has_prefix(version, wanted, wanted.release()),
        Operator::NotEqualStar => !has_prefix(version, wanted, wanted.release()),
        Operator::TildeEqual => {
            let [prefix @ .., _] = wanted.release() else { return false };
            public() >= *wanted && has_prefix(version, wanted, prefix)
        }
        Operator::LessThanEqual => public() <= *wanted,
        Operator::GreaterThanEqual => public() >= *wanted,
        Operator::LessThan if wanted.any_prerelease() => version < wanted,
        Operator::LessThan => *version < wanted.clone().with_dev(Some(0)),
        Operator::GreaterThan => is_after(wanted, version),
    }
}

/// Whether `version` is later than `wanted` and all that belongs to it: its local builds, and for a
/// final or a pre-release its post-releases.
fn is_after(wanted: &Version, version: &Version) -> bool {
    match (wanted.dev(), wanted.post()) {
        (Some(dev), _) => *version >= wanted.clone().with_dev(Some(dev.saturating_add(1))),
        (None, Some(post)) => *version >= wanted.clone().with_post(Some(post.saturating_add(1))).with_dev(Some(0)),
        (None, None) => version > wanted && !(version.pre() == wanted.pre() && is_same_release(version, wanted)),
    }
}

/// Whether both are equal; a local label counts only if the clause names one.
fn is_equal(wanted: &Version, version: &Version) -> bool {
    if wanted.is_local() { version == wanted } else { version.clone().without_local() == *wanted }
}

/// Whether the release of `version`, padded with zeros, begins with `prefix`.
fn has_prefix(version: &Version, wanted: &Version, prefix: &[u64]) -> bool {
    let numbers = version.release().iter().copied().chain(std::iter::repeat(0));
    version.epoch() == wanted.epoch() && prefix.iter().copied().eq(numbers.take(prefix.len()))
}

fn is_same_release(a: &Version, b: &Version) -> bool {
    a.only_release().with_epoch(a.epoch()) == b.only_release().with_epoch(b.epoch())
}

/// One clause such as `>=3.8`, or `===` with any text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Clause {
    Pep440(VersionSpecifier),
    Arbitrary(Box<str>),
}

impl Clause {
    /// Parses a clause; `None` if `text` is none.
    pub fn of(text: &str) -> Option<Self> {
        match text.trim().strip_prefix("===").map(str::trim) {
            Some(wanted)
                if wanted.contains(|character: char| character.is_whitespace() || ";)".contains(character)) =>
            {
                None
            }
            Some(wanted) => Some(Self::Arbitrary(wanted.into())),
            None => text.parse().ok().map(Self::Pep440),
        }
    }

    /// Whether `version` is a version that satisfies the clause; `===` compares text.
    pub fn takes(&self, version: &str) -> bool {
        match self {
            Self::Pep440(clause) => version.trim().parse().is_ok_and(|version| holds(clause, &version)),
            Self::Arbitrary(wanted) => version.to_lowercase() == wanted.to_lowercase(),
        }
    }
}

impl From<VersionSpecifiers> for Specifiers {
    fn from(specifiers: VersionSpecifiers) -> Self {
        Self { clauses: specifiers.into_iter().collect(), arbitrary: Vec::new() }
    }
}

/// The error for a clause that is not PEP 440, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{clause}` is no version specifier: {why}")]
pub struct SpecifierError {
    pub clause: String,
    pub why: String,
}

impl FromStr for Specifiers {
    type Err = SpecifierError;

    /// Parses clauses separated by commas; one trailing comma is tolerated, as by current pip.
    fn from_str(text: &str) -> Result<Self, SpecifierError> {
        let text = text.trim();
        let text = text.strip_suffix(',').unwrap_or(text);
        let mut found = Self::any();
        if text.trim().is_empty() {
            return Ok(found);
        }
        for clause in text.split(',').map(str::trim) {
            match clause.strip_prefix("===") {
                Some(wanted) => found.arbitrary.push(arbitrary(clause, wanted.trim())?),
                None => found.clauses.push(parse_clause(clause)?),
            }
        }
        Ok(found)
    }
}

fn arbitrary(clause: &str, wanted: &str) -> Result<Box<str>, SpecifierError> {
    if wanted.is_empty() || wanted.contains([' ', ';', ')']) {
        return Err(SpecifierError { clause: clause.to_owned(), why: "`===` needs one version after it".into() });
    }
    Ok(wanted.into())
}

fn parse_clause(clause: &str) -> Result<VersionSpecifier, SpecifierError> {
    let fail = |why: String| SpecifierError { clause: clause.to_owned(), why };
    if clause.is_empty() {
        return Err(fail("there is nothing between two commas".into()));
    }
    if let Some((slip, meant)) = slipped_operator(clause) {
        return Err(fail(format!("`{slip}` is no operator; did you mean `{meant}`?")));
    }
    VersionSpecifier::from_str(clause).map_err(|error| fail(error.to_string()))
}

/// Returns the wrong operator that `clause` begins with, and the one that is meant.
fn slipped_operator(clause: &str) -> Option<(&'static str, &'static str)> {
    let slips = [("=>", ">="), ("=<", "<="), ("=", "==")];
    slips.into_iter().find(|(slip, _)| clause.starts_with(slip) && !clause.starts_with("=="))
}

/// The number of exclusions that the short form names one by one.
const FEW_EXCLUSIONS: usize = 3;

fn is_exclusion(clause: &VersionSpecifier) -> bool {
    matches!(clause.operator(), Operator::NotEqual | Operator::NotEqualStar)
}

impl fmt::Display for Specifiers {
    /// Writes PEP 440's canonical form, clauses in the order given, `===` last.
    ///
    /// The alternate form is for people: it counts exclusions if there are many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (excluded, others): (Vec<_>, Vec<_>) = self.clauses.iter().partition(|clause| is_exclusion(clause));
        let is_brief = f.alternate() && excluded.len() > FEW_EXCLUSIONS;
        let clauses = if is_brief { others } else { self.clauses.iter().collect() };
        let clauses = clauses.into_iter().map(ToString::to_string);
        let all: Vec<_> = clauses.chain(self.arbitrary.iter().map(|text| format!("==={text}"))).collect();
        f.write_str(&all.join(", "))?;
        let versions = || excluded.iter().map(|clause| clause.version());
        match (versions().min(), versions().max()) {
            (Some(first), Some(last)) if is_brief => {
                write!(f, " (but for {} between {first} and {last})", excluded.len())
            }
            _ => Ok(()),
        }
    }
}

impl Serialize for Specifiers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Specifiers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(specifiers: &str, version: &str) -> bool {
        specifiers.parse::<Specifiers>().unwrap().contains(&version.parse().unwrap())
    }

    /// The library table of `docs/facts/pip.md` 7.1.
    #[test]
    fn pep_440_as_pip_reads_it() {
        for (specifiers, taken, refused) in [
            ("===1.0", vec!["1.0"], vec!["1.0.0", "1.0+l"]),
            ("==1.0", vec!["1.0.0", "1.0+local"], vec!["1.0.post1", "1.0rc1"]),
            ("==1.0+local", vec!["1.0+LOCAL"], vec!["1.0", "1.0+local.1"]),
            ("!=1.0", vec!["1.0.post1"], vec!["1.0+l"]),
            (">1.0", vec!["1.1"], vec!["1.0.post1", "1.0+l"]),
            (">=1.0,<=1.0", vec!["1.0+l"], vec![]),
            ("<2.0", vec!["1.9"], vec!["2.0rc1", "2.0.dev1"]),
            ("<2.0rc2", vec!["2.0rc1", "2.0a1"], vec!["2.0rc2"]),
            ("~=2.2.post3", vec!["2.3"], vec!["2.2.post2", "3.0"]),
            ("==1.0.0.*", vec!["1.0", "1.0rc1"], vec!["1.0.1"]),
            ("==1.0.1.*", vec!["1.0.1.5"], vec!["1.0"]),
            (">1.0.post1", vec!["1.0.post2.dev0"], vec!["1.0.post1+l"]),
            (">=1.0", vec!["1!0.5"], vec!["0.9"]),
        ] {
            for version in taken {
                assert!(contains(specifiers, version), "{specifiers} refused {version}");
            }
            for version in refused {
                assert!(!contains(specifiers, version), "{specifiers} took {version}");
            }
        }
    }

    /// Random pairs, checked by `tests/judges/specifiers.py`.
    #[test]
    fn membership_is_that_of_packaging() {
        let expected = include_str!("../../testdata/specifiers/expected.txt");
        let mut wrong = Vec::new();
        for line in expected.lines() {
            let [specifiers, taken, refused] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let surprises = |versions: &str, answer: bool| {
                let versions = versions.split_whitespace().filter(|version| contains(specifiers, version) != answer);
                versions.map(|version| format!("{specifiers} {version}: {answer}")).collect::<Vec<_>>()
            };
            wrong.extend(surprises(taken, true));
            wrong.extend(surprises(refused, false));
        }
        assert!(wrong.is_empty(), "packaging says otherwise, {} times:\n{}", wrong.len(), wrong.join("\n"));
    }

    /// A search through all clauses for each would take an hour.
    #[test]
    fn very_many_clauses_are_put_together_in_one_pass() {
        let sets: Vec<_> = (0..300_000).map(|number| Specifiers::from_str(&format!(">={number}")).unwrap()).collect();
        let all = Specifiers::all(sets.iter().chain(&sets[..7]));
        assert_eq!((all.clauses().len(), all.clauses()[7].to_string()), (300_000, ">=7".to_owned()));
    }

    #[test]
    fn malformed_clauses_are_refused() {
        for text in [",==1.0", ">=1 <2", "=1.0", "==", ">=1.0.*", ">1.0+l", "~=1", "==latest", "<>1", "=== ", "==1,,<2"]
        {
            assert!(text.parse::<Specifiers>().is_err(), "{text} was taken");
        }
        for text in ["==1.0,", "", " >= 1.0 , < 2 ", "===1.0.weird+x"] {
            assert!(text.parse::<Specifiers>().is_ok(), "{text} was refused");
        }
    }

    #[test]
    fn many_exclusions_are_counted_for_people() {
        let brief = |text: &str| format!("{:#}", text.parse::<Specifiers>().unwrap());
        assert_eq!(brief("!=2.1.*,>=1.3,!=2.0.*,<3,!=2.10.*,!=2.2"), ">=1.3, <3 (but for 4 between 2.0 and 2.10)");
        assert_eq!(brief("!=1,!=2,!=3,<9"), "!=1, !=2, !=3, <9");
        assert_eq!("!=1,!=2,!=3,!=4".parse::<Specifiers>().unwrap().to_string(), "!=1, !=2, !=3, !=4");
    }

    #[test]
    fn opting_in_to_prereleases() {
        for (text, expected) in [("==1.0rc1", true), (">=1.0.dev0", true), ("!=1.0rc1", false), (">=1.0", false)] {
            assert_eq!(text.parse::<Specifiers>().unwrap().names_prerelease(), expected, "{text}");
        }
    }
}
