//! Tests with random indexes, compared with the brute-force solver.

use std::cell::Cell;
use std::collections::BTreeSet;

use crate::domain::ForkStrategy;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::super::{Facts, Failure, MissingFacts, Reason};
use super::asking::{Answer, Asking};
use super::brute_force::{self, Release, SPECIFIERS, Say, Sketch, VERSIONS, When};

/// The number of worlds, unless `PREFETCH_TEST_WORLDS` gave another when this was built: `.ci/run`
/// asks for more, which take a debug build a minute. The first are the same however many there are.
/// A third of them is enough where each is solved many times.
fn worlds() -> u32 {
    option_env!("PREFETCH_TEST_WORLDS").map_or(999, |text| text.parse().expect("PREFETCH_TEST_WORLDS is a number"))
}

fn line() -> impl Strategy<Value = brute_force::Line> {
    let when = prop_oneof![6 => Just(When::Always), 1 => Just(When::Windows), 1 => Just(When::OldPython)];
    (0..5_usize, select(&SPECIFIERS[..]), when, prop::bool::weighted(0.2))
        .prop_map(|(project, specifier, when, extra)| brute_force::Line { project, specifier, when, extra })
}

fn release() -> impl Strategy<Value = Release> {
    let flag = |weight| prop::bool::weighted(weight);
    (vec(line(), 0..3), vec(line(), 0..2), flag(0.1), flag(0.1), flag(0.2), flag(0.5)).prop_map(
        |(needs, extra, yanked, is_for_new_python, is_sdist, is_silent)| Release {
            needs,
            extra,
            yanked,
            is_for_new_python,
            is_sdist,
            is_silent: is_sdist && is_silent,
        },
    )
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let project = subsequence(&VERSIONS[..], 0..=4)
        .prop_flat_map(|versions| vec(release(), versions.len()).prop_map(move |all| brute_force::zip(&versions, all)));
    let constraint = vec(line(), 0..2);
    (vec(project, 5), vec(line(), 1..4), constraint, vec(0..3_usize, 1..4))
        .prop_map(|(projects, lines, constraints, targets)| Sketch { projects, lines, constraints, targets })
}

/// Runs `judge` on the same random worlds every time.
fn for_each_world(worlds: u32, judge: impl Fn(&Sketch)) {
    let config = Config { cases: worlds, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let judged = runner.run(&sketch(), |sketch| {
        judge(&sketch);
        Ok(())
    });
    judged.unwrap();
}

#[test]
fn a_world_is_solved_if_and_only_if_it_can_be_and_the_solution_is_right() {
    let (solved, refused, unbuilt) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let count = |kind: &Cell<u32>| kind.set(kind.get() + 1);
    for_each_world(worlds(), |sketch| {
        let sketch = Sketch { targets: sketch.targets[..1].to_vec(), ..sketch.clone() };
        let world = sketch.world();
        let answer = sketch.ask(&world).solve();
        let before_builds = sketch.clone().unbuilt();
        let solutions = brute_force::solutions(&before_builds, sketch.targets[0], Say::Everybodys);
        match &answer.result {
            Ok(_) => {
                count(&solved);
                let packages = answer.packages();
                assert!(solutions.contains(&packages), "{packages:?} is wrong; right are {solutions:?}");
                assert!(sketch.is_built(&packages), "{packages:?} has to be built first");
                let better = solutions.iter().find(|other| brute_force::is_better(other, &packages));
                assert_eq!(better, None, "{packages:?} is not the best");
            }
            Err(failures) if failures.iter().all(is_for_build) => {
                count(&unbuilt);
                judge_refusal(&sketch, &answer, &solutions);
            }
            Err(_) => {
                count(&refused);
                let certain = brute_force::solutions(&before_builds, sketch.targets[0], Say::Users);
                assert_eq!(certain.first(), None, "{}", answer.message());
            }
        }
    });
    let kinds = [solved, refused, unbuilt].map(|kind| kind.get());
    assert!(kinds.into_iter().all(|count| count > worlds() / 40), "the worlds are too much alike: {kinds:?}");
}

fn is_for_build(failure: &Failure) -> bool {
    matches!(failure.reason, Reason::NeedsBuild { .. })
}

/// A build is asked for only where a solution has it, and none without one is as good as all.
fn judge_refusal(sketch: &Sketch, answer: &Answer, solutions: &BTreeSet<Vec<String>>) {
    for failure in answer.failures() {
        let Reason::NeedsBuild { file } = &failure.reason else { unreachable!() };
        let release = file.trim_end_matches(".tar.gz").replace('-', " ");
        assert!(sketch.silent().any(|silent| silent == release), "{release} tells what it needs");
        assert!(solutions.iter().any(|packages| packages.contains(&release)), "{release} is in none of {solutions:?}");
    }
    let built = solutions.iter().filter(|packages| sketch.is_built(packages));
    let mut best = built.filter(|packages| solutions.iter().all(|other| brute_force::is_as_good(packages, other)));
    assert_eq!(best.next(), None, "{}", answer.message());
}

#[test]
fn an_answer_does_not_depend_on_what_was_known_or_when() {
    for_each_world(worlds() / 3, |sketch| {
        let world = sketch.world();
        let asking = sketch.ask(&world);
        let cold = told(&asking.solve());
        let all = world.all_facts();
        assert_eq!(told(&asking.solve_knowing(all.clone())), cold, "with everything known");
        assert_eq!(told(&asking.solve_knowing(half(all))), cold, "with half of it known");
        assert_eq!(told(&asking.solve_ahead()), cold, "with answers that lead to more");
        assert_eq!(told(&one_at_a_time(&asking, true)), cold, "with one answer after the other");
        assert_eq!(told(&one_at_a_time(&asking, false)), cold, "with the last want answered first");
    });
}

#[test]
fn each_target_gets_what_it_gets_alone() {
    for_each_world(worlds() / 3, |sketch| {
        let world = sketch.world();
        let alone = |target: &usize| Sketch { targets: vec![*target], ..sketch.clone() }.ask(&world).solve().result;
        if let Ok(together) = sketch.ask(&world).solve().result {
            let alone: Vec<_> = sketch.targets.iter().flat_map(|target| alone(target).unwrap()).collect();
            assert_eq!(format!("{together:?}"), format!("{alone:?}"));
        }
    });
}

#[test]
fn what_targets_share_is_right_for_each() {
    for_each_world(worlds() / 3, |sketch| {
        let world = sketch.world();
        let together = sketch.ask(&world).sharing(ForkStrategy::Fewest).solve();
        let alone = |target: &usize| Sketch { targets: vec![*target], ..sketch.clone() }.ask(&world).solve();
        match &together.result {
            Err(_) => assert!(sketch.targets.iter().any(|target| alone(target).result.is_err())),
            Ok(_) => {
                for (target, packages) in sketch.targets.iter().zip(together.packages_by_target()) {
                    assert!(
                        brute_force::solutions(&sketch.clone().unbuilt(), *target, Say::Everybodys).contains(&packages)
                    );
                }
            }
        }
    });
}

/// Everything that an answer says.
fn told(answer: &Answer) -> String {
    format!("{:?}", answer.result)
}

/// Every other fact.
fn half(facts: Facts) -> Facts {
    Facts {
        candidates: facts.candidates.into_iter().step_by(2).collect(),
        metadata: facts.metadata.into_iter().skip(1).step_by(2).collect(),
        ..Facts::default()
    }
}

fn one_at_a_time(asking: &Asking<'_>, first: bool) -> Answer {
    asking.drive(Facts::default(), |mut missing| {
        let listing = if first { missing.listings.pop_first() } else { missing.listings.pop_last() };
        let metadata = match listing {
            Some(_) => None,
            None if first => missing.metadata.pop_first(),
            None => missing.metadata.pop_last(),
        };
        MissingFacts { listings: listing.into_iter().collect(), metadata: metadata.into_iter().collect() }
    })
}
