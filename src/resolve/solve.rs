//! The solution of one target.

use std::collections::{BTreeMap, BTreeSet};

use pubgrub::PubGrubError;

use super::asked::{Asked, group};
use super::conflict;
use super::direct::Direct;
use super::node::{Node, number, positions};
use super::provider::Provider;
use super::view::{Memo, ONLY, Stock, View};
use super::{Facts, Failure, Preferred, Question, Reason, Wants};
use crate::domain::{Origin, PackageName, Pick, Solution, Target, Unknown};

/// How an attempt for one target ended.
pub(super) enum Outcome {
    Solved(Solution),
    Needs(Wants),
    Impossible(Vec<Failure>),
}

/// Solves for one target.
pub(super) fn solve(
    question: &Question,
    target: &Target,
    facts: &Facts,
    preferred: &Preferred,
    memo: &Memo,
) -> Outcome {
    let (asked, nameless) = group(question, target);
    let mut failures: Vec<_> = nameless.into_iter().map(Failure::nameless).collect();
    let mut direct = named_files(&asked, target, &mut failures);
    loop {
        let view = View::new(question, target, facts, preferred, &asked, &direct, memo);
        failures.extend(check_each(&view));
        if !failures.is_empty() {
            let wants = view.wants.take();
            return if wants.is_empty() { Outcome::Impossible(failures) } else { Outcome::Needs(wants) };
        }
        let outcome = search(&view);
        let found = view.found_urls.take();
        if found.is_empty() {
            return outcome;
        }
        // Metadata says where a project comes from: the search starts again with that.
        for (name, url) in found {
            let file = Direct::of_url(&name, &url, &[], target).expect("the view has checked it");
            direct.insert(name, file);
        }
    }
}

fn named_files(
    asked: &BTreeMap<&PackageName, Asked<'_>>,
    target: &Target,
    failures: &mut Vec<Failure>,
) -> BTreeMap<PackageName, Direct> {
    let mut direct = BTreeMap::new();
    for (name, asked) in asked {
        let Some(requirement) = asked.direct() else { continue };
        match Direct::of_requirement(name, requirement, target) {
            Ok(file) => drop(direct.insert((*name).clone(), file)),
            Err(reason) if asked.is_required() => failures.push(Failure::of(name, asked, reason)),
            Err(_) => {}
        }
    }
    direct
}

/// What is wrong with each requirement by itself: all of it is told, where a search would end
/// with the first.
fn check_each(view: &View<'_>) -> Vec<Failure> {
    let required = view.asked.iter().filter(|(_, asked)| asked.is_required());
    let faults = required.filter_map(|(name, asked)| Some(Failure::of(name, asked, fault(view, name, asked)?)));
    faults.collect()
}

fn fault(view: &View<'_>, name: &PackageName, asked: &Asked<'_>) -> Option<Reason> {
    let specifiers = asked.specifiers();
    let is_promised = !asked.hashes().is_empty()
        || view.direct.get(name).is_some_and(|direct| !direct.offer.promises.asked.is_empty());
    if view.question.require_hashes && !is_promised {
        return Some(Reason::NoHash { pinned: specifiers.is_pinned() });
    }
    let allowed = view.allowed(name, &specifiers);
    match view.stock(name) {
        Stock::Unknown => None,
        Stock::Direct(direct) => (!allowed.contains(&number(ONLY))).then(|| {
            let version = direct.version.as_ref().map(ToString::to_string).unwrap_or_default();
            Reason::WrongFile(format!("its version is {version}, and {specifiers} is asked"))
        }),
        Stock::Listed(shelf) => {
            let matching = positions(&allowed, shelf.offers().versions().len());
            let best = shelf.best(&matching, view.opt_in(name));
            best.is_none().then(|| Reason::of_shelf(&shelf, &matching, &specifiers))
        }
    }
}

fn search(view: &View<'_>) -> Outcome {
    let provider = Provider::new(view);
    let result = pubgrub::resolve(&provider, Node::Root, number(ONLY));
    let wants = view.wants.take();
    match result {
        _ if !wants.is_empty() => Outcome::Needs(wants),
        Ok(decided) => finish(view, &decided.into_iter().collect()),
        Err(PubGrubError::NoSolution(tree)) => Outcome::Impossible(vec![conflict::explain(view, tree)]),
        Err(error) => unreachable!("the provider never fails: {error}"),
    }
}

type Decided = BTreeMap<Node, u32>;

/// The decisions as picks, with who asked for what.
fn finish(view: &View<'_>, decided: &Decided) -> Outcome {
    let needed: BTreeMap<_, _> =
        decided.keys().filter_map(Node::project).map(|name| (name, needs(view, name, decided))).collect();
    let requested = requested(view, &needed);
    let mut solution = Solution::default();
    let mut failures = Vec::new();
    for (name, dependencies) in &needed {
        let position = decided[&Node::Project((*name).clone())] as usize;
        let Some(file) = view.file(name, position) else { continue };
        let requested_by: Vec<_> = requested.get(name).into_iter().flatten().cloned().collect();
        if view.question.require_hashes && file.promises.asked.is_empty() {
            failures.push(Failure::of_dependency(name, requested_by, Reason::NoHash { pinned: false }));
        } else if let Some(Err(Unknown::NeedsBuild)) =
            view.question.follow_dependencies.then(|| view.needs(name, position)).flatten()
        {
            let file = file.filename.clone();
            failures.push(Failure::of_dependency(name, requested_by, Reason::NeedsBuild { file }));
        } else {
            solution.picks.push(Pick {
                name: (*name).clone(),
                version: view.version(name, position),
                requested_by,
                dependencies: dependencies.iter().map(|name| (*name).clone()).collect(),
                file: (*file).clone(),
            });
        }
    }
    let missing = view.missing_extras.take().into_iter();
    solution.notes = missing.map(|(name, extra)| format!("{name} has no extra `{extra}`")).collect();
    if failures.is_empty() { Outcome::Solved(solution) } else { Outcome::Impossible(failures) }
}

/// The projects that one needs, with the extras that were decided on.
fn needs<'v>(view: &'v View<'_>, name: &PackageName, decided: &Decided) -> BTreeSet<&'v PackageName> {
    let mut found = BTreeSet::new();
    if !view.question.follow_dependencies {
        return found;
    }
    let extras = decided.keys().filter_map(|node| match node {
        Node::Extra(project, extra) if project == name => Some(extra),
        _ => None,
    });
    let extras: Vec<_> = std::iter::once(None).chain(extras.map(Some)).collect();
    let position = decided[&Node::Project(name.clone())] as usize;
    let Some(Ok(needs)) = view.needs(name, position) else { return found };
    for dependency in needs.dependencies.iter().filter(|dependency| dependency.name != *name) {
        let holds = |extra: &Option<&crate::domain::ExtraName>| {
            let extras: Vec<_> = extra.iter().map(|extra| (*extra).clone()).collect();
            dependency.marker.evaluate(view.target.markers(), &extras)
        };
        if extras.iter().any(holds) {
            found.insert(&dependency.name);
        }
    }
    found
}

/// The lines that lead to each project.
fn requested<'v>(
    view: &'v View<'_>,
    needed: &BTreeMap<&'v PackageName, BTreeSet<&'v PackageName>>,
) -> BTreeMap<&'v PackageName, BTreeSet<Origin>> {
    let mut requested: BTreeMap<&PackageName, BTreeSet<Origin>> = BTreeMap::new();
    for (name, asked) in view.asked.iter().filter(|(_, asked)| asked.is_required()) {
        let lines = asked.requirements.iter().map(|requirement| requirement.origin.clone());
        spread(name, &lines.collect(), needed, &mut requested);
    }
    requested
}

/// Adds `lines` to a project and to all that it needs.
fn spread<'v>(
    name: &'v PackageName,
    lines: &BTreeSet<Origin>,
    needed: &BTreeMap<&'v PackageName, BTreeSet<&'v PackageName>>,
    requested: &mut BTreeMap<&'v PackageName, BTreeSet<Origin>>,
) {
    let mut waiting = vec![name];
    let mut visited = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if visited.insert(name) {
            requested.entry(name).or_default().extend(lines.iter().cloned());
            waiting.extend(needed.get(name).into_iter().flatten());
        }
    }
}
