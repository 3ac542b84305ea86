//! A driver that answers every missing fact from a fake index, counts the answers, and never answers
//! twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::super::{Facts, Failure, MissingFacts, NewFact, Reason, Resolver, Step, step};
use super::fake_index::FakeIndex;
use crate::domain::{
    Dependency, DependencySource, ForkStrategy, Origin, Question, Requirement, SelectionPolicy, Solution, Source,
    Target, TargetSpec, Timestamp,
};

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
    let mut known = KNOWN.lock();
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
    pub fn of(world: &'w FakeIndex, lines: &[&str]) -> Self {
        let question = Question { follow_dependencies: true, ..Question::default() };
        let asking = Self { world, question, targets: Vec::new() };
        asking.lines(lines, "requirements.txt", false)
    }

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
        for (url, (project, link)) in missing.metadata {
            assert!(asked.metadata.insert(link.filename.to_string()), "{url} is asked for twice");
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
