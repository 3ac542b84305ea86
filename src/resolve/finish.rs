//! From a search's decisions to a solution, with who asked for what, or to what it lacks.

use std::collections::BTreeSet;

use super::assumed::Unfounded;
use super::graph::{Decided, Demand, Graph, extras};
use super::node::{Node, positions};
use super::solve::{Attempt, Found};
use super::unbuilt::Unbuilt;
use super::view::{Stock, View};
use super::{Failure, Reason};
use crate::domain::{Offer, Origin, PackageName, Pick, Solution, Specifiers, Unknown};
use crate::select::OptIn;

/// The decisions as an answer, and what in them nothing bears out.
pub(super) fn finish(view: &View<'_, '_>, decided: &Decided) -> Attempt {
    let graph = Graph::new(view, decided);
    Attempt::Decided { unfounded: unfounded(view, decided, &graph), found: found(view, decided, &graph) }
}

fn found(view: &View<'_, '_>, decided: &Decided, graph: &Graph<'_>) -> Found {
    let requested = graph.requested_by(view);
    let mut solution = Solution::default();
    let mut failures = Vec::new();
    for name in graph.projects() {
        let position = position(decided, name);
        let Some(file) = view.file(name, position) else { continue };
        let requested_by: Vec<_> = requested.get(name).into_iter().flatten().cloned().collect();
        if let Some(reason) = lack(view, name, position, &file) {
            let chain = graph.chain(view, decided, name);
            failures.push(Failure::of_dependency(name, requested_by.clone(), chain, reason));
        }
        solution.notes.extend(missing_extras(view, name, position, decided));
        solution.notes.extend(repaired(view, name, position));
        solution.picks.push(pick(view, name, position, requested_by, graph, &file));
    }
    let is_build = |failure: &Failure| matches!(failure.reason, Reason::NeedsBuild { .. });
    if failures.is_empty() {
        Found::Solution(solution)
    } else if failures.iter().all(is_build) {
        let is_first_choice = is_first_choice(view, decided, graph, &failures);
        Found::Unbuilt(Unbuilt { failures, with_builds: solution, is_first_choice })
    } else {
        Found::Nothing(failures)
    }
}

/// Whether one of the projects of `failures` is there for no other reason than that the user's
/// lines are followed to the best version of everything.
fn is_first_choice(view: &View<'_, '_>, decided: &Decided, graph: &Graph<'_>, failures: &[Failure]) -> bool {
    let demands = graph.demands();
    let is_best = |name: &PackageName| is_best(view, name, position(decided, name), demands.get(name));
    let asked = view.case.lines.required().map(|(name, _)| name);
    let unbuilt: BTreeSet<_> = failures.iter().flat_map(Failure::projects).collect();
    graph.leads_to(asked, is_best, &unbuilt)
}

/// Whether nothing better than the version of `name` would do for all that is asked of it.
fn is_best(view: &View<'_, '_>, name: &PackageName, position: usize, demand: Option<&Demand<'_>>) -> bool {
    match view.stock(name) {
        Stock::Listed(_) => {
            let all = specifiers(view, name, demand);
            view.choose(name, &view.allowed(name, &all)) == Some(position)
        }
        Stock::Direct(_) | Stock::Unknown => true,
    }
}

/// All that is asked of `name`, by the user and by metadata.
fn specifiers(view: &View<'_, '_>, name: &PackageName, demand: Option<&Demand<'_>>) -> Specifiers {
    let own = view.asked(name).map_or_else(Specifiers::any, |asked| asked.specifiers.clone());
    demand.map_or_else(|| own.clone(), |demand| own.and(&demand.specifiers))
}

fn pick(
    view: &View<'_, '_>,
    name: &PackageName,
    position: usize,
    requested_by: Vec<Origin>,
    graph: &Graph<'_>,
    file: &Offer,
) -> Pick {
    Pick {
        name: name.clone(),
        version: view.version(name, position),
        requested_by,
        dependencies: graph.dependencies(name).cloned().collect(),
        file: file.clone(),
    }
}

/// What a file that was chosen lacks.
fn lack(view: &View<'_, '_>, name: &PackageName, position: usize, file: &Offer) -> Option<Reason> {
    let question = view.case.question;
    if question.require_hashes && file.promises.asked.is_empty() {
        return Some(Reason::NoHash { pinned: false });
    }
    let needs_build = || matches!(view.needs(name, position), Some(Err(Unknown::NeedsBuild)));
    (question.follow_dependencies && needs_build()).then(|| Reason::NeedsBuild { file: file.filename.clone() })
}

fn missing_extras(view: &View<'_, '_>, name: &PackageName, position: usize, decided: &Decided) -> Vec<String> {
    let asked = extras(name, decided);
    if asked.is_empty() {
        return Vec::new();
    }
    let Some(Ok(needs)) = view.needs(name, position) else { return Vec::new() };
    let missing = asked.into_iter().filter(|extra| !needs.extras.contains(extra));
    let version = view.version(name, position).map(|version| format!(" {version}")).unwrap_or_default();
    missing.map(|extra| format!("{name}{version} has no extra `{extra}`")).collect()
}

/// That a version is only what it seems to those who repair its metadata.
fn repaired(view: &View<'_, '_>, name: &PackageName, position: usize) -> Option<String> {
    if !view.case.question.follow_dependencies {
        return None;
    }
    let Some(Ok(needs)) = view.needs(name, position) else { return None };
    let line = needs.repaired.first()?;
    let version = view.version(name, position).map(|version| format!(" {version}")).unwrap_or_default();
    Some(format!(
        "{name}{version} has the malformed `Requires-Dist: {line}`, for which pip 24.1 and later refuses to install it \
         (uv takes it): pin another version, if pip is to install this"
    ))
}

/// What was decided on grounds that are not in the solution.
fn unfounded(view: &View<'_, '_>, decided: &Decided, graph: &Graph<'_>) -> Unfounded {
    let demands = graph.demands();
    let mut unfounded = Unfounded::default();
    for name in graph.projects() {
        let demand = demands.get(name);
        if view.assumed.files.contains_key(name) {
            if demand.is_none_or(|demand| demand.urls.is_empty()) {
                unfounded.files.insert(name.clone());
            }
        } else if !is_admitted(view, name, position(decided, name), demand) {
            unfounded.picks.insert(name.clone());
        }
    }
    unfounded
}

/// Whether pip's rules for pre-releases and yanked files, which look at everything that is asked
/// of a project, let a version be chosen.
fn is_admitted(view: &View<'_, '_>, name: &PackageName, position: usize, demand: Option<&Demand<'_>>) -> bool {
    let Stock::Listed(shelf) = view.stock(name) else { return true };
    let versions = shelf.offers().versions();
    let is_suspect = versions[position].any_prerelease() || shelf.is_withdrawn(position);
    if !is_suspect || view.assumed.strict.contains(name) {
        return true;
    }
    let all = specifiers(view, name, demand);
    let among = positions(&view.allowed(name, &all), versions.len());
    shelf.admits(position, &among, OptIn::of(&all))
}

fn position(decided: &Decided, name: &PackageName) -> usize {
    decided[&Node::Project(name.clone())] as usize
}
