//! A fake index made of literals, and a driver that answers every missing fact from it, counts the
//! answers, and never answers twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::super::{Facts, Failure, MissingFacts, NewFact, Reason, Resolver, Step, step};
use crate::domain::{
    Algorithm, Candidates, CoreMetadata, Dependency, DependencySource, FileRecord, ForkStrategy, ListingBuilder,
    MaskedUrl, MetadataUnavailable, Origin, PackageName, Question, Requirement, ResolutionMetadata, SelectionPolicy,
    Solution, Source, Target, TargetSpec, Timestamp,
};

/// What an index says of one file.
#[derive(Clone, Debug, Default)]
pub struct File {
    pub name: String,
    pub filename: String,
    requires_python: Option<String>,
    yanked: Option<String>,
    sha256: Option<String>,
    uploaded: Option<i64>,
    metadata: CoreMetadata,
    unknown: Option<MetadataUnavailable>,
}

impl File {
    /// A wheel for every Python 3.
    pub fn wheel(name: &str, version: &str) -> Self {
        Self::named(name, version, &format!("{}-{version}-py3-none-any.whl", name.replace('-', "_")))
    }

    /// A source archive whose metadata can be relied on.
    pub fn sdist(name: &str, version: &str) -> Self {
        Self::named(name, version, &format!("{}-{version}.tar.gz", name.replace('-', "_")))
    }

    /// Any file of a release.
    pub fn named(name: &str, version: &str, filename: &str) -> Self {
        let metadata = CoreMetadata { name: name.into(), version: version.into(), ..CoreMetadata::default() };
        Self { name: name.into(), filename: filename.into(), metadata, ..Self::default() }
    }

    /// The same wheel with other tags.
    pub fn tags(mut self, tags: &str) -> Self {
        self.filename = self.filename.replace("py3-none-any", tags);
        self
    }

    /// `Requires-Dist` lines.
    pub fn needs(mut self, lines: &[&str]) -> Self {
        self.metadata.requires_dist.extend(lines.iter().map(|line| (*line).to_owned()));
        self
    }

    /// An extra that is provided, with what it adds.
    pub fn extra(mut self, extra: &str, lines: &[&str]) -> Self {
        self.metadata.provides_extra.push(extra.to_owned());
        self.metadata.requires_dist.extend(lines.iter().map(|line| match line.split_once(';') {
            Some((what, marker)) => format!("{what}; ({marker}) and extra == '{extra}'"),
            None => format!("{line}; extra == '{extra}'"),
        }));
        self
    }

    /// `Requires-Python`, on the page and in the metadata.
    pub fn python(self, specifiers: &str) -> Self {
        self.page_python(specifiers).metadata_python(specifiers)
    }

    pub fn page_python(mut self, specifiers: &str) -> Self {
        self.requires_python = Some(specifiers.to_owned());
        self
    }

    pub fn metadata_python(mut self, specifiers: &str) -> Self {
        self.metadata.requires_python = Some(specifiers.to_owned());
        self
    }

    pub fn yanked(mut self, reason: &str) -> Self {
        self.yanked = Some(reason.to_owned());
        self
    }

    pub fn sha256(mut self, hex: &str) -> Self {
        self.sha256 = Some(hex.to_owned());
        self
    }

    pub fn uploaded(mut self, seconds: i64) -> Self {
        self.uploaded = Some(seconds);
        self
    }

    /// Its metadata cannot be had.
    pub fn unknown(mut self, unknown: MetadataUnavailable) -> Self {
        self.unknown = Some(unknown);
        self
    }

    fn record(&self) -> FileRecord<'_> {
        FileRecord {
            filename: &self.filename,
            href: &self.filename,
            hashes: self.sha256.iter().map(|hex| (Algorithm::Sha256, hex.as_str())).collect(),
            requires_python: self.requires_python.as_deref(),
            yanked: self.yanked.as_deref(),
            uploaded: self.uploaded,
            sidecar: Some(None),
            ..FileRecord::default()
        }
    }
}

/// Everything that can be asked for.
#[derive(Clone, Debug, Default)]
pub struct FakeIndex {
    /// By project, in the order of its page.
    listed: BTreeMap<PackageName, Vec<File>>,
    /// What is known of files that no page lists, by URL.
    elsewhere: BTreeMap<String, File>,
}

pub fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

fn index() -> Arc<MaskedUrl> {
    Arc::new("https://index.example/simple/".parse().unwrap())
}

impl FakeIndex {
    pub fn new() -> Self {
        Self::default()
    }

    /// A wheel for every Python 3 with these needs.
    pub fn has(self, name: &str, version: &str, needs: &[&str]) -> Self {
        self.file(File::wheel(name, version).needs(needs))
    }

    pub fn file(mut self, file: File) -> Self {
        self.listed.entry(name(&file.name)).or_default().push(file);
        self
    }

    /// A project whose page lists nothing.
    pub fn empty_page(mut self, project: &str) -> Self {
        self.listed.entry(name(project)).or_default();
        self
    }

    /// A file at a URL that no index lists.
    pub fn at(mut self, url: &str, file: File) -> Self {
        self.elsewhere.insert(url.to_owned(), file);
        self
    }

    pub fn candidates(&self, project: &PackageName) -> Candidates {
        let listing = self.listed.get(project).map(|files| {
            let base = index().join(&format!("../files/{project}/")).unwrap();
            let mut builder = ListingBuilder::new(project.clone(), index(), base);
            files.iter().for_each(|file| builder.push(&file.record()));
            builder.finish()
        });
        Candidates::new(listing.into_iter().collect(), vec![index()], false)
    }

    pub fn metadata(&self, url: &MaskedUrl) -> Result<Arc<ResolutionMetadata>, MetadataUnavailable> {
        let listed = self.listed.values().flatten().find(|file| file.filename == url.filename());
        let file = self.elsewhere.get(&url.to_string()).or(listed).unwrap_or_else(|| panic!("nothing is at {url}"));
        match &file.unknown {
            Some(unknown) => Err(unknown.clone()),
            None => Ok(Arc::new(ResolutionMetadata::of(&file.metadata))),
        }
    }

    /// Everything that there is to know.
    pub fn all_facts(&self) -> Facts {
        let mut facts = Facts::default();
        for project in self.listed.keys() {
            let candidates = Arc::new(self.candidates(project));
            for position in 0..candidates.versions().len() {
                for artifact in candidates.files(position).iter() {
                    facts.metadata.insert(artifact.url.clone(), self.metadata(&artifact.url));
                }
            }
            facts.candidates.insert(project.clone(), candidates);
        }
        for url in self.elsewhere.keys() {
            let url: MaskedUrl = url.parse().unwrap();
            facts.metadata.insert(url.clone(), self.metadata(&url));
        }
        facts
    }

    pub fn ask(&self, lines: &[&str]) -> Asking<'_> {
        let question = Question { follow_dependencies: true, ..Question::default() };
        let asking = Asking { world: self, question, targets: Vec::new() };
        asking.lines(lines, "requirements.txt", false)
    }
}

/// A question to a world.
#[derive(Clone)]
pub struct Asking<'w> {
    world: &'w FakeIndex,
    pub question: Question,
    targets: Vec<Arc<Target>>,
}

/// A target that is not at hand; each is made once, since a debug build takes a while.
pub fn target(python: &str, platform: &str) -> Arc<Target> {
    static KNOWN: Mutex<BTreeMap<(String, String), Arc<Target>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap();
    known.entry((python.to_owned(), platform.to_owned())).or_insert_with(|| foreign(python, platform)).clone()
}

fn foreign(python: &str, platform: &str) -> Arc<Target> {
    let spec = TargetSpec {
        python: Some(python.parse().unwrap()),
        platform: Some(platform.parse().unwrap()),
        ..TargetSpec::default()
    };
    Arc::new(spec.resolve(None).unwrap())
}

/// A line as the input layer would read it: a dependency specifier, then `--hash=` options.
fn requirement(text: &str, file: &str, line: usize, constraint: bool) -> Requirement {
    let (text, hashes) = text.split_once(" --hash=").unwrap_or((text, ""));
    let dependency: Dependency = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let hashes = hashes.split(" --hash=").filter(|hash| !hash.is_empty());
    let source = match dependency.source {
        DependencySource::Versions(specifiers) => Source::Index(specifiers),
        DependencySource::Url(url) => Source::Url(url.parse().unwrap()),
    };
    Requirement {
        extras: dependency.extras,
        marker: dependency.marker,
        hashes: hashes.map(|hash| hash.parse().unwrap()).collect(),
        constraint,
        ..Requirement::named(dependency.name, source, Origin { file: file.into(), line })
    }
}

impl<'w> Asking<'w> {
    fn lines(mut self, lines: &[&str], file: &str, constraint: bool) -> Self {
        let lines = lines.iter().enumerate();
        let requirements = lines.map(|(at, line)| requirement(line, file, at + 1, constraint));
        self.question.requirements.extend(requirements);
        self
    }

    pub fn constrained(self, lines: &[&str]) -> Self {
        self.lines(lines, "constraints.txt", true)
    }

    /// For a target; without, CPython 3.12 on Linux.
    pub fn on(mut self, python: &str, platform: &str) -> Self {
        self.targets.push(target(python, platform));
        self
    }

    pub fn policy(mut self, change: impl FnOnce(&mut SelectionPolicy)) -> Self {
        change(&mut self.question.policy);
        self
    }

    pub fn exclude_newer(self, seconds: i64) -> Self {
        self.policy(|policy| policy.exclude_newer = Some(Timestamp(seconds)))
    }

    pub fn sharing(mut self, strategy: ForkStrategy) -> Self {
        self.question.fork_strategy = strategy;
        self
    }

    pub fn require_hashes(mut self) -> Self {
        self.question.require_hashes = true;
        self
    }

    pub fn no_deps(mut self) -> Self {
        self.question.follow_dependencies = false;
        self
    }

    pub fn targets(&self) -> Vec<Arc<Target>> {
        if self.targets.is_empty() { vec![target("3.12", "linux-x86_64")] } else { self.targets.clone() }
    }

    /// Asks with nothing known.
    pub fn solve(&self) -> Answer {
        self.check_unconditional_listings();
        self.solve_knowing(Facts::default())
    }

    /// What is certain to be wanted is what the first step for each target wants, if it wants
    /// anything.
    fn check_unconditional_listings(&self) {
        let certain = MissingFacts::of_question(&self.question);
        for target in self.targets() {
            let Step::Incomplete(missing) = step(&self.question, &[target], &Facts::default()) else { continue };
            for (project, everywhere) in &certain.listings {
                assert_eq!(missing.listings.get(project), Some(everywhere), "{project} is not wanted like this");
            }
        }
    }

    /// Asks with some facts known already; all wants of a step are answered at once.
    pub fn solve_knowing(&self, facts: Facts) -> Answer {
        self.drive(facts, |missing| missing)
    }

    /// As [`Asking::solve_knowing`], where each round only some of the wants are answered; at
    /// least one must be.
    pub fn drive(&self, mut facts: Facts, mut package: impl FnMut(MissingFacts) -> MissingFacts) -> Answer {
        let mut asked = Asked::default();
        let targets = self.targets();
        let mut resolver = Resolver::new(&self.question, &targets);
        loop {
            match resolver.step(&facts) {
                Step::Solved(solutions) => return Answer { result: Ok(solutions), asked },
                Step::Impossible { failures, .. } => return Answer { result: Err(failures), asked },
                Step::Incomplete(missing) => self.learn(package(missing), &mut facts, &mut asked),
            }
        }
    }

    /// Solves as the program does: each answer may lead to more before the next step.
    pub fn solve_ahead(&self) -> Answer {
        let (mut facts, mut asked) = (Facts::default(), Asked::default());
        let targets = self.targets();
        let mut resolver = Resolver::new(&self.question, &targets);
        loop {
            let mut missing = match resolver.step(&facts) {
                Step::Solved(solutions) => return Answer { result: Ok(solutions), asked },
                Step::Impossible { failures, .. } => return Answer { result: Err(failures), asked },
                Step::Incomplete(missing) => missing,
            };
            asked.rounds += 1;
            let mut is_guess = false;
            while !missing.is_empty() {
                let new_fact: Vec<_> = self.answer(missing, &mut facts, &mut asked);
                missing = MissingFacts::default();
                for new_fact in new_fact {
                    missing.extend(resolver.prefetch(&new_fact, is_guess, &facts));
                }
                is_guess = true;
            }
        }
    }

    fn learn(&self, missing: MissingFacts, facts: &mut Facts, asked: &mut Asked) {
        assert!(!missing.is_empty(), "a step wants nothing and has no answer");
        asked.rounds += 1;
        self.answer(missing, facts, asked);
    }

    fn answer(&self, missing: MissingFacts, facts: &mut Facts, asked: &mut Asked) -> Vec<NewFact> {
        let mut new_fact = Vec::new();
        for project in missing.listings.into_keys() {
            assert!(asked.listings.insert(project.to_string()), "{project} is asked for twice");
            facts.candidates.insert(project.clone(), Arc::new(self.world.candidates(&project)));
            new_fact.push(NewFact::Candidates(project));
        }
        for (url, (project, candidate)) in missing.metadata {
            assert!(asked.metadata.insert(candidate.filename.to_string()), "{url} is asked for twice");
            facts.metadata.insert(url.clone(), self.world.metadata(&url));
            new_fact.push(NewFact::Metadata(project, url));
        }
        new_fact
    }
}

/// What was asked on the way.
#[derive(Debug, Default)]
pub struct Asked {
    pub rounds: usize,
    pub listings: BTreeSet<String>,
    pub metadata: BTreeSet<String>,
}

/// How it ended.
#[derive(Debug)]
pub struct Answer {
    pub result: Result<Vec<Solution>, Vec<Failure>>,
    pub asked: Asked,
}

impl Answer {
    /// The solution of the only target, as `name version`.
    pub fn packages(&self) -> Vec<String> {
        let [packages] = self.packages_by_target().try_into().expect("there is one target");
        packages
    }

    pub fn packages_by_target(&self) -> Vec<Vec<String>> {
        let solutions = self.solutions().iter();
        let packages = |solution: &Solution| {
            let packages = solution.packages.iter().map(|package| match &package.version {
                Some(version) => format!("{} {version}", package.name),
                None => package.name.to_string(),
            });
            packages.collect()
        };
        solutions.map(packages).collect()
    }

    /// The file names of the only target.
    pub fn files(&self) -> Vec<&str> {
        self.solutions()[0].packages.iter().map(|package| &*package.file.filename).collect()
    }

    pub fn solutions(&self) -> &[Solution] {
        match &self.result {
            Ok(solutions) => solutions,
            Err(failures) => panic!("there is no solution: {}", tell(failures)),
        }
    }

    pub fn failures(&self) -> &[Failure] {
        match &self.result {
            Ok(_) => panic!("there is a solution: {:?}", self.packages_by_target()),
            Err(failures) => failures,
        }
    }

    /// The only failure.
    pub fn failure(&self) -> &Failure {
        match self.failures() {
            [failure] => failure,
            several => panic!("there are several failures: {}", tell(several)),
        }
    }

    pub fn reason(&self) -> &Reason {
        &self.failure().reason
    }

    /// Everything that a user would be told.
    pub fn message(&self) -> String {
        tell(self.failures())
    }
}

fn tell(failures: &[Failure]) -> String {
    let failures: Vec<_> = failures.iter().map(ToString::to_string).collect();
    failures.join("\n")
}
