//! A brute-force solver as a reference: it tries every combination in a small index by pip's rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::asking::Asking;
use super::fake_index::{FakeIndex, File};
use crate::domain::{MetadataUnavailable, Specifiers};

/// The versions that a project may have.
pub const VERSIONS: [&str; 6] = ["1.0", "1.5", "2.0", "2.5rc1", "3.0", "4.0a1"];

/// What may be asked of a project.
pub const SPECIFIERS: [&str; 14] =
    ["", "", ">=1.5", ">=2", "<2", "<3", ">2", "!=2.0", "==1.0", "==2.*", "==3.0", ">=2.5rc1", "==2.5rc1", "~=1.0"];

/// When a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Always,
    Windows,
    OldPython,
}

/// One thing that is needed, maybe with the extra `x`.
#[derive(Clone, Debug)]
pub struct Line {
    pub project: usize,
    pub specifier: &'static str,
    pub when: When,
    pub extra: bool,
}

/// One version of a project, which is one file.
#[derive(Clone, Debug)]
pub struct Release {
    pub needs: Vec<Line>,
    /// What the extra `x` adds.
    pub extra: Vec<Line>,
    pub yanked: bool,
    /// Not for Python 3.9.
    pub is_for_new_python: bool,
    pub is_sdist: bool,
    /// Only its build knows what it needs: until then, nothing.
    pub is_silent: bool,
}

/// A world with the question to it.
#[derive(Clone, Debug)]
pub struct Sketch {
    pub projects: Vec<BTreeMap<&'static str, Release>>,
    pub lines: Vec<Line>,
    pub constraints: Vec<Line>,
    /// By their place in [`TARGETS`].
    pub targets: Vec<usize>,
}

const TARGETS: [(&str, &str); 3] = [("3.12", "linux-x86_64"), ("3.9", "linux-x86_64"), ("3.12", "win_amd64")];

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

pub fn zip(versions: &[&'static str], releases: Vec<Release>) -> BTreeMap<&'static str, Release> {
    versions.iter().copied().zip(releases).collect()
}

impl Line {
    fn text(&self) -> String {
        let marker = match self.when {
            When::Always => "",
            When::Windows => "; sys_platform == 'win32'",
            When::OldPython => "; python_version < '3.10'",
        };
        let extra = if self.extra { "[x]" } else { "" };
        format!("{}{extra}{}{marker}", NAMES[self.project], self.specifier)
    }

    fn holds(&self, target: usize) -> bool {
        match self.when {
            When::Always => true,
            When::Windows => target == 2,
            When::OldPython => target == 1,
        }
    }
}

fn texts(lines: &[Line]) -> Vec<String> {
    lines.iter().map(Line::text).collect()
}

fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

impl Sketch {
    pub fn world(&self) -> FakeIndex {
        let mut world = FakeIndex::new();
        for (name, releases) in NAMES.iter().zip(&self.projects) {
            for (version, release) in releases {
                let file = if release.is_sdist { File::sdist(name, version) } else { File::wheel(name, version) };
                let file = file.needs(&strs(&texts(&release.needs))).extra("x", &strs(&texts(&release.extra)));
                let file = if release.yanked { file.yanked("") } else { file };
                let file = if release.is_silent { file.unknown(MetadataUnavailable::NeedsBuild) } else { file };
                world = world.file(if release.is_for_new_python { file.page_python(">=3.10") } else { file });
            }
        }
        world
    }

    /// The world as it looks before anything is built.
    pub fn unbuilt(mut self) -> Self {
        let releases = self.projects.iter_mut().flat_map(BTreeMap::values_mut);
        for release in releases.filter(|release| release.is_silent) {
            (release.needs, release.extra) = (Vec::new(), Vec::new());
        }
        self
    }

    /// Whether nothing in `packages` has to be built to know what it needs.
    pub fn is_built(&self, packages: &[String]) -> bool {
        self.silent().all(|silent| !packages.contains(&silent))
    }

    /// The releases whose needs only their builds know, as `name version`.
    pub fn silent(&self) -> impl Iterator<Item = String> {
        let releases = NAMES.iter().zip(&self.projects).flat_map(|(name, all)| all.iter().map(move |one| (name, one)));
        let silent = releases.filter(|(_, (_, release))| release.is_silent);
        silent.map(|(name, (version, _))| format!("{name} {version}"))
    }

    pub fn ask<'w>(&self, world: &'w FakeIndex) -> Asking<'w> {
        let constraints = self.constraints.iter().map(|line| Line { extra: false, ..line.clone() });
        let constraints = texts(&constraints.collect::<Vec<_>>());
        let asking = world.ask(&strs(&texts(&self.lines))).constrained(&strs(&constraints));
        self.targets.iter().fold(asking, |asking, target| asking.on(TARGETS[*target].0, TARGETS[*target].1))
    }
}

/// Version by project.
type Packages = BTreeMap<usize, &'static str>;

/// Whose lines count for the rules on pre-releases and yanked files. pip asks those that it met
/// before it looked for the project, which is more than the user's and less than all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    Users,
    Everybodys,
}

/// Every solution on a target, as `name version`.
pub fn solutions(sketch: &Sketch, target: usize, say: Say) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    if own_lines_can_be_met(sketch, target) {
        try_all(sketch, target, say, &mut Packages::new(), &mut found);
    }
    let print = |packages: Packages| {
        packages.iter().map(|(project, version)| format!("{} {version}", NAMES[*project])).collect()
    };
    found.into_iter().map(print).collect()
}

/// Whether two solutions differ in one version alone, which is newer in the first.
pub fn is_better(one: &[String], other: &[String]) -> bool {
    let differing: Vec<_> = one.iter().zip(other).filter(|(one, other)| one != other).collect();
    let is_stable = |text: &str| !text.contains("rc") && !text.contains('a');
    match differing.as_slice() {
        [(one, other)] if one.len() == other.len() || one[..1] == other[..1] => {
            one[..1] == other[..1] && is_stable(&one[2..]) && is_stable(&other[2..]) && one > other
        }
        _ => false,
    }
}

/// Whether nothing in `one` is older than in `other`, or missing.
pub fn is_as_good(one: &[String], other: &[String]) -> bool {
    let key = |text: &String| (text[..1].to_owned(), VERSIONS.iter().position(|version| text[2..] == **version));
    let one: BTreeMap<_, _> = one.iter().map(key).collect();
    other.iter().map(key).all(|(name, version)| one.get(&name).is_some_and(|own| *own >= version))
}

/// As pip looks at its own lines before anything else: what metadata opts in to comes too late.
fn own_lines_can_be_met(sketch: &Sketch, target: usize) -> bool {
    let demands = demands_by_users(sketch, target);
    let can_be_met = |project: usize, asked: &[&'static str]| {
        let mut matching =
            usable(sketch, target, project).filter(|version| asked.iter().all(|one| contains(one, version)));
        matching.any(|version| is_admitted(sketch, target, project, version, asked))
    };
    demands.iter().all(|(project, asked)| can_be_met(*project, asked))
}

fn try_all(sketch: &Sketch, target: usize, say: Say, packages: &mut Packages, found: &mut BTreeSet<Packages>) {
    let demands = demands(sketch, target, packages);
    let fits = |project: &usize, version: &str| demands[project].iter().all(|one| contains(one, version));
    if packages.iter().any(|(project, version)| !fits(project, version)) {
        return;
    }
    let Some(next) = demands.keys().find(|project| !packages.contains_key(project)).copied() else {
        let users = demands_by_users(sketch, target);
        let heard = |project: &usize| match say {
            Say::Users => users.get(project).map_or(&[][..], Vec::as_slice),
            Say::Everybodys => &demands[project],
        };
        if packages.iter().all(|(project, version)| is_admitted(sketch, target, *project, version, heard(project))) {
            found.insert(packages.clone());
        }
        return;
    };
    for version in usable(sketch, target, next).filter(|version| fits(&next, version)) {
        packages.insert(next, version);
        try_all(sketch, target, say, packages, found);
        packages.remove(&next);
    }
}

/// The specifiers on every project that is needed, constraints included.
fn demands(sketch: &Sketch, target: usize, packages: &Packages) -> BTreeMap<usize, Vec<&'static str>> {
    let mut lines: Vec<&Line> = sketch.lines.iter().filter(|line| line.holds(target)).collect();
    let mut walked = BTreeSet::new();
    let mut next = 0;
    while let Some(line) = lines.get(next).copied() {
        next += 1;
        let Some(version) = packages.get(&line.project) else { continue };
        let release = &sketch.projects[line.project][version];
        if walked.insert((line.project, false)) {
            lines.extend(release.needs.iter().filter(|line| line.holds(target)));
        }
        if line.extra && walked.insert((line.project, true)) {
            lines.extend(release.extra.iter().filter(|line| line.holds(target)));
        }
    }
    let mut demands: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for line in lines {
        demands.entry(line.project).or_default().push(line.specifier);
    }
    for line in sketch.constraints.iter().filter(|line| line.holds(target)) {
        demands.entry(line.project).and_modify(|known| known.push(line.specifier));
    }
    demands
}

fn demands_by_users(sketch: &Sketch, target: usize) -> BTreeMap<usize, Vec<&'static str>> {
    demands(sketch, target, &Packages::new())
}

fn usable(sketch: &Sketch, target: usize, project: usize) -> impl Iterator<Item = &'static str> {
    let releases = sketch.projects[project].iter();
    let usable = releases.filter(move |(_, release)| !(release.is_for_new_python && target == 1));
    usable.map(|(version, _)| *version)
}

/// The rules that look at everything that is asked of a project (`docs/facts/pip.md` 3.8).
fn is_admitted(sketch: &Sketch, target: usize, project: usize, version: &str, asked: &[&'static str]) -> bool {
    let matching = usable(sketch, target, project).filter(|version| asked.iter().all(|one| contains(one, version)));
    let matching: Vec<_> = matching.collect();
    let opts_in = asked.iter().any(|one| one.contains("rc") && !one.starts_with("!="));
    let has_final = matching.iter().any(|version| !is_prerelease(version));
    let counts = |version: &&str| opts_in || !has_final || !is_prerelease(version);
    let is_yanked = |version: &str| sketch.projects[project][version].yanked;
    let is_pinned = asked.iter().any(|one| one.starts_with("==") && !one.ends_with('*'));
    let all_yanked = matching.iter().copied().filter(counts).all(is_yanked);
    counts(&version) && (!is_yanked(version) || (all_yanked && is_pinned))
}

fn is_prerelease(version: &str) -> bool {
    version.contains("rc") || version.contains('a')
}

/// By a table, since a debug build reads specifiers slowly.
fn contains(specifier: &'static str, version: &str) -> bool {
    static TABLE: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| {
        let row = |specifier: &'static str| {
            let specifiers: Specifiers = specifier.parse().unwrap();
            let versions = VERSIONS.into_iter();
            (specifier, versions.filter(|version| specifiers.contains(&version.parse().unwrap())).collect())
        };
        SPECIFIERS.into_iter().map(row).collect()
    });
    TABLE[specifier].contains(&version)
}
