//! The compatibility tags of a target (PEP 425), best first, and the ranking of wheels by them.

use std::fmt;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::tag_mismatch::PythonNearness;
use super::{Platform, Python, TagMismatch, WheelFilename};

/// A compatibility tag, such as `cp312-abi3-manylinux_2_17_x86_64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag<'a> {
    pub python: &'a str,
    pub abi: &'a str,
    pub platform: &'a str,
}

impl<'a> Tag<'a> {
    /// Parses a single tag, not a compressed set.
    pub fn parse(text: &'a str) -> Option<Self> {
        let [python, abi, platform] = text.split('-').collect::<Vec<_>>()[..] else { return None };
        let is_part = |part: &str| !part.is_empty() && !part.contains(|c: char| c == '.' || c.is_whitespace());
        [python, abi, platform].into_iter().all(is_part).then_some(Self { python, abi, platform })
    }
}

impl fmt::Display for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.python, self.abi, self.platform)
    }
}

/// How well a wheel fits a target; greater is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagRank(u32);

/// A position in one of the lists of [`Tags`], of which there are many.
type Number = u16;

/// The limit of the combined length of a wheel's three tag sets: no file system has longer names,
/// and parsing must not take hours.
const LONGEST_TAG_SETS: usize = 255;

fn is_too_long(wheel: &WheelFilename) -> bool {
    wheel.python.len() + wheel.abi.len() + wheel.platform.len() > LONGEST_TAG_SETS
}

/// The tags that a target supports, best first, stored so that ranking a wheel allocates nothing.
///
/// Thousands of tags are few rows, since most builds run on the same platforms.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Tags {
    /// Every part of a tag, each once.
    names: Vec<Box<str>>,
    numbers: FxHashMap<Box<str>, Number>,
    rows: Vec<TagRow>,
    /// The rows of each build.
    builds: FxHashMap<[Number; 2], Vec<Number>>,
    /// Lists of platforms, best first, which several rows share.
    lists: Vec<Vec<Number>>,
    /// The position of each platform in each list.
    places: FxHashMap<[Number; 2], u32>,
    /// Every platform of the tags in its newest release.
    newest: Vec<Platform>,
}

/// Consecutive tags of one build.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TagRow {
    /// The Python tag and the ABI tag.
    build: [Number; 2],
    list: Number,
    /// The number of tags that are better than the first of this row.
    start: u32,
}

impl Tags {
    /// Returns the tags that `python` supports on `platform`, in the order of the `packaging`
    /// library 26.3.
    pub fn new(python: &Python, platform: &Platform) -> Self {
        let mut tags = Self::default();
        let platforms: Vec<_> = platform.tags().iter().map(|platform| tags.platform(platform)).collect();
        for (python, abi) in python.bound_tags() {
            tags.push(&python, &abi, &platforms);
        }
        let any = tags.platform("any");
        for python in python.portable_tags() {
            tags.push(&python, "none", &[any]);
        }
        tags
    }

    /// Appends the tags of a build, which rank below all before them; a repeated tag keeps its
    /// first position.
    fn push(&mut self, python: &str, abi: &str, platforms: &[Number]) {
        let build = [self.number(python), self.number(abi)];
        let known = self.lists.iter().rposition(|known| known == platforms);
        let list = match known.filter(|_| !self.builds.contains_key(&build)) {
            Some(list) => short(list),
            None => {
                let mut seen = FxHashSet::default();
                let is_new = |platform: &Number| seen.insert(*platform) && self.rank_of(build, *platform).is_none();
                self.add_list(platforms.iter().copied().filter(is_new).collect())
            }
        };
        let start = self.rows.last().map_or(0, |row| row.start + self.list(row).len() as u32);
        self.builds.entry(build).or_default().push(short(self.rows.len()));
        self.rows.push(TagRow { build, list, start });
    }

    fn add_list(&mut self, list: Vec<Number>) -> Number {
        let number = short(self.lists.len());
        self.places.extend(list.iter().zip(0..).map(|(platform, place)| ([number, *platform], place)));
        self.lists.push(list);
        number
    }

    fn list(&self, row: &TagRow) -> &[Number] {
        &self.lists[usize::from(row.list)]
    }

    fn platform(&mut self, name: &str) -> Number {
        if !self.numbers.contains_key(name) {
            self.add_platform(Platform::of_tag(name));
        }
        self.number(name)
    }

    fn add_platform(&mut self, platform: Platform) {
        if !self.newest.iter().any(|newer| platform.is_covered_by(newer)) {
            self.newest.retain(|older| !older.is_covered_by(&platform));
            self.newest.push(platform);
        }
    }

    fn number(&mut self, name: &str) -> Number {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = short(self.names.len());
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        number
    }

    /// Returns the rank of the best tag of `wheel`; `None` if the target supports none.
    pub fn rank(&self, wheel: &WheelFilename) -> Option<TagRank> {
        if is_too_long(wheel) {
            return None;
        }
        let ranks = self
            .builds_of(wheel)
            .flat_map(|build| self.known(&wheel.platform).filter_map(move |platform| self.rank_of(build, platform)));
        ranks.max()
    }

    fn rank_of(&self, build: [Number; 2], platform: Number) -> Option<TagRank> {
        let mut rows = self.builds.get(&build)?.iter().map(|row| &self.rows[usize::from(*row)]);
        rows.find_map(|row| Some(TagRank(u32::MAX - row.start - self.places.get(&[row.list, platform])?)))
    }

    /// Returns why the target supports no tag of `wheel`: the part that is closest.
    pub fn mismatch(&self, wheel: &WheelFilename) -> TagMismatch {
        if !is_too_long(wheel) && self.builds_of(wheel).any(|build| self.builds.contains_key(&build)) {
            let platforms = wheel.platform.split('.').map(|platform| TagMismatch::of_platform(platform, &self.newest));
            return platforms.max().expect("splitting gives at least one part");
        }
        let own = self.iter().next().map(|tag| tag.python).unwrap_or_default();
        if self.is_for_python(wheel, own) {
            TagMismatch::Abi(wheel.abi.clone())
        } else {
            let fits_platform = self.known(&wheel.platform).next().is_some();
            let nearness = PythonNearness::new(own, &wheel.python, fits_platform);
            TagMismatch::Python { nearness, tag: wheel.python.clone() }
        }
    }

    /// Whether the target's Python fits: the wheel is for that version, for any, or for an older
    /// one by a stable ABI.
    fn is_for_python(&self, wheel: &WheelFilename, own: &str) -> bool {
        let has_stable_abi = wheel.abi.split('.').any(|abi| matches!(abi, "abi3" | "abi3t"));
        let also_serves_newer = |python: &str| has_stable_abi || python.starts_with("py");
        wheel
            .python
            .split('.')
            .any(|python| python == own || (also_serves_newer(python) && self.numbers.contains_key(python)))
    }

    /// Returns every tag, best first.
    pub fn iter(&self) -> impl Iterator<Item = Tag<'_>> {
        let name = |number: Number| &*self.names[usize::from(number)];
        self.rows.iter().flat_map(move |row| {
            let [python, abi] = row.build.map(name);
            self.list(row).iter().map(move |platform| Tag { python, abi, platform: name(*platform) })
        })
    }

    /// Returns the pairs of Python and ABI in the wheel's tags that the target knows.
    fn builds_of(&self, wheel: &WheelFilename) -> impl Iterator<Item = [Number; 2]> {
        self.known(&wheel.python).flat_map(|python| self.known(&wheel.abi).map(move |abi| [python, abi]))
    }

    /// Returns those parts of a compressed tag set that occur in a tag of the target.
    fn known(&self, set: &str) -> impl Iterator<Item = Number> {
        parts(set).filter_map(|name| self.numbers.get(name).copied())
    }
}

/// Splits a compressed tag set at its dots; `str::split` takes most of the time of ranking.
fn parts(set: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(set);
    std::iter::from_fn(move || {
        let set = rest?;
        let dot = memchr::memchr(b'.', set.as_bytes());
        rest = dot.map(|at| &set[at + 1..]);
        Some(dot.map_or(set, |at| &set[..at]))
    })
}

impl PartialEq for Tags {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Tags {}

impl<'a> FromIterator<Tag<'a>> for Tags {
    /// Makes tags from those that a machine itself reported, best first.
    fn from_iter<I: IntoIterator<Item = Tag<'a>>>(tags: I) -> Self {
        let mut all = Self::default();
        let mut tags = tags.into_iter().peekable();
        while let Some(Tag { python, abi, platform }) = tags.next() {
            let mut platforms = vec![all.platform(platform)];
            while let Some(next) = tags.next_if(|next| next.python == python && next.abi == abi) {
                platforms.push(all.platform(next.platform));
            }
            all.push(python, abi, &platforms);
        }
        all
    }
}

/// Converts a position into a [`Number`].
///
/// # Panics
/// Beyond 65,535, which no target reaches: see [`MOST_TAGS`].
fn short(number: usize) -> Number {
    Number::try_from(number).expect("a target's tags have fewer than 65,536 parts")
}

/// The limit of a target's tags; real machines have some thousands.
const MOST_TAGS: usize = 20_000;

/// The error for a list that cannot be the tags of a machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    #[error("`{0}` is no tag; a tag has three parts, as in cp312-cp312-win_amd64")]
    Tag(String),
    #[error("a list of {0} tags; a machine has between 1 and {MOST_TAGS}")]
    Count(usize),
}

impl TryFrom<Vec<String>> for Tags {
    type Error = TagsError;

    fn try_from(list: Vec<String>) -> Result<Self, TagsError> {
        if list.is_empty() || list.len() > MOST_TAGS {
            return Err(TagsError::Count(list.len()));
        }
        list.iter().map(|text| Tag::parse(text).ok_or_else(|| TagsError::Tag(text.clone()))).collect()
    }
}

impl From<Tags> for Vec<String> {
    fn from(tags: Tags) -> Self {
        tags.iter().map(|tag| tag.to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Implementation, PythonVersion, Target, TargetSpec};

    const EXPECTED: &str = include_str!("../../testdata/tags/expected.txt");

    fn target(description: &str) -> Target {
        let [implementation, version, platform] = description.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{description} is no target");
        };
        let implementation: Implementation = implementation.parse().unwrap();
        let (numbers, is_debug) = version.strip_suffix('d').map_or((version, false), |numbers| (numbers, true));
        let python: PythonVersion = numbers.parse().unwrap();
        let nodot = numbers.replace('.', "");
        let abis: &[String] = match (&implementation, is_debug) {
            (Implementation::GraalPy, _) => &[format!("graalpy242_{nodot}_native")],
            (_, true) if numbers == "3.7" => &[format!("cp{nodot}dm")],
            (_, true) => &[format!("cp{nodot}d"), format!("cp{nodot}")],
            (_, false) => &[],
        };
        let spec = TargetSpec {
            python: Some(python),
            platform: Some(platform.parse().unwrap()),
            implementation: Some(implementation),
            abis: abis.iter().map(|abi| abi.as_str().into()).collect(),
        };
        spec.resolve(None).unwrap()
    }

    /// Expands a paragraph written by `tests/judges/tags.py` into the full list.
    fn expand(paragraph: &str) -> Vec<String> {
        let mut lines = paragraph.lines().skip(1);
        let platforms: Vec<_> = lines.next().unwrap().split(' ').skip(1).collect();
        let mut tags = Vec::new();
        for line in lines {
            match line.split_once(' ').unwrap() {
                (build, "*") => tags.extend(platforms.iter().map(|platform| format!("{build}-{platform}"))),
                (build, platform) => tags.push(format!("{build}-{platform}")),
            }
        }
        tags
    }

    #[test]
    fn tags_are_those_of_packaging() {
        let paragraphs: Vec<_> = EXPECTED.trim().split("\n\n").collect();
        assert!(paragraphs.len() > 80);
        for paragraph in paragraphs {
            let description = paragraph.lines().next().unwrap().strip_prefix("target ").unwrap();
            let got: Vec<_> = target(description).tags().iter().map(|tag| tag.to_string()).collect();
            let expected = expand(paragraph);
            let differs = got.iter().zip(&expected).position(|(a, b)| a != b);
            let differs = differs.map(|at| (at, &got[at], &expected[at]));
            assert!(got == expected, "{description}: {differs:?}, {} tags for {}", got.len(), expected.len());
        }
    }

    fn wheel(tags: &str) -> WheelFilename {
        format!("a-1-{tags}.whl").parse().unwrap()
    }

    /// The order that pip has (`docs/facts/pip.md` 3.7).
    #[test]
    fn better_tags_rank_higher() {
        let target = target("cp 3.11 manylinux_2_36_x86_64");
        let better_first = [
            "cp311-cp311-linux_x86_64",
            "cp311-cp311-manylinux_2_28_x86_64",
            "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
            "cp311-cp311-manylinux2014_x86_64",
            "CP311-abi3-Manylinux_2_28_x86_64",
            "cp38-abi3-manylinux_2_28_x86_64",
            "py3-none-manylinux1_x86_64",
            "cp311-none-any",
            "py311-none-any",
            "py2.py3-none-any",
        ];
        let ranks: Vec<_> = better_first.iter().map(|tags| target.tags().rank(&wheel(tags)).unwrap()).collect();
        assert!(ranks.is_sorted_by(|a, b| a > b), "{ranks:?}");
    }

    #[test]
    fn a_name_that_no_file_can_have_is_not_ranked() {
        let many = |name: &str| vec![name; 100].join(".");
        let tags = format!("{}-{}-{}", many("py3"), many("none"), many("any"));
        assert_eq!(target("cp 3.11 win_amd64").tags().rank(&wheel(&tags)), None);
    }

    #[test]
    fn a_list_that_a_machine_reports_is_taken_as_it_is() {
        let tag = |python, platform| Tag { python, abi: "none", platform };
        let listed = [tag("py3", "any"), tag("py3", "plan9_mips"), tag("py3", "any")];
        let tags: Tags = listed.into_iter().collect();
        assert_eq!(tags.iter().collect::<Vec<_>>(), listed[..2]);
        assert!(tags.rank(&wheel("py3-none-any")) > tags.rank(&wheel("py3-none-plan9_mips")));
    }
}
