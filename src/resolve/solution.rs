//! Builds a solution from a search's decisions, or explains what it lacks.

use std::collections::BTreeSet;

use super::assumptions::Unjustified;
use super::dependency_graph::{CombinedDemand, Decisions, DependencyGraph, extras};
use super::later_releases;
use super::node::{Node, positions};
use super::preinstalled;
use super::search_view::{PackageSource, SearchView};
use super::solve::{SearchOutcome, SearchResult};
use super::unbuilt_solution::UnbuiltSolution;
use super::{Failure, Reason};
use crate::domain::{
    FileLink, MetadataSource, MetadataUnavailable, Origin, PackageName, ResolvedPackage, Solution, Specifiers,
    list_first,
};
use crate::select::OptIn;

/// Converts the decisions into a solution or failures, and finds those that nothing justifies.
pub(super) fn from_decisions(view: &SearchView<'_, '_>, decided: &Decisions) -> SearchOutcome {
    let graph = DependencyGraph::new(view, decided);
    SearchOutcome::Decided { unjustified: unjustified(view, decided, &graph), found: found(view, decided, &graph) }
}

fn found(view: &SearchView<'_, '_>, decided: &Decisions, graph: &DependencyGraph<'_>) -> SearchResult {
    let requested = graph.requested_by(view);
    let mut solution = Solution::default();
    let mut failures = Vec::new();
    for name in graph.projects() {
        let position = position(decided, name);
        let Some(file) = view.file(name, position) else { continue };
        let requested_by: Vec<_> = requested.get(name).into_iter().flatten().cloned().collect();
        if let Some(reason) = unusable_reason(view, name, position, &file) {
            let chain = graph.chain(view, decided, name);
            failures.push(Failure::of_dependency(name, requested_by.clone(), chain, reason));
        }
        solution.notes.extend(missing_extras(view, name, position, decided));
        solution.notes.extend(repaired(view, name, position));
        solution.notes.extend(passed_over_variants(view, name, position));
        if lacks_hash(view, &file) {
            solution.notes.push(preinstalled::note(name, view.version(name, position).as_ref()));
        }
        solution.packages.push(resolved_package(view, name, position, requested_by, graph, &file));
    }
    solution.notes.extend(later_releases::note(view, decided, graph));
    let is_build = |failure: &Failure| matches!(failure.reason, Reason::NeedsBuild { .. });
    if failures.is_empty() {
        SearchResult::Solution(solution)
    } else if failures.iter().all(is_build) {
        let is_first_choice = is_first_choice(view, decided, graph, &failures);
        SearchResult::Unbuilt(UnbuiltSolution { failures, with_builds: solution, is_first_choice })
    } else {
        SearchResult::Nothing(failures)
    }
}

/// Whether one of the projects of `failures` is there only because the user's lines are followed to
/// the best version of everything.
fn is_first_choice(
    view: &SearchView<'_, '_>,
    decided: &Decisions,
    graph: &DependencyGraph<'_>,
    failures: &[Failure],
) -> bool {
    let demands = graph.demands();
    let is_best = |name: &PackageName| is_best(view, name, position(decided, name), demands.get(name));
    let asked = view.problem.lines.required().map(|(name, _)| name);
    let unbuilt: BTreeSet<_> = failures.iter().flat_map(Failure::projects).collect();
    graph.leads_to(asked, is_best, &unbuilt)
}

/// Whether no better version of `name` satisfies all that is required of it.
fn is_best(
    view: &SearchView<'_, '_>,
    name: &PackageName,
    position: usize,
    demand: Option<&CombinedDemand<'_>>,
) -> bool {
    match view.source(name) {
        PackageSource::Listed(_) => {
            let all = specifiers(view, name, demand);
            view.choose(name, &view.allowed(name, &all)) == Some(position)
        }
        PackageSource::Direct(_) | PackageSource::Pending => true,
    }
}

/// Returns all that is required of `name`, by the user and by metadata.
pub(super) fn specifiers(
    view: &SearchView<'_, '_>,
    name: &PackageName,
    demand: Option<&CombinedDemand<'_>>,
) -> Specifiers {
    let own = view.requirements_of(name).map_or_else(Specifiers::any, |asked| asked.specifiers.clone());
    demand.map_or_else(|| own.clone(), |demand| own.and(&demand.specifiers))
}

fn resolved_package(
    view: &SearchView<'_, '_>,
    name: &PackageName,
    position: usize,
    requested_by: Vec<Origin>,
    graph: &DependencyGraph<'_>,
    file: &FileLink,
) -> ResolvedPackage {
    let mut file = file.clone();
    if let Some(Ok(metadata)) =
        view.problem.question.follow_dependencies.then(|| view.metadata(name, position)).flatten()
    {
        file.requires_python = file.requires_python.or_else(|| metadata.requires_python.clone());
    }
    ResolvedPackage {
        name: name.clone(),
        version: view.version(name, position),
        requested_by,
        dependencies: graph.dependencies(name).cloned().collect(),
        file,
        metadata_source: metadata_source(view, name, position),
    }
}

fn metadata_source(view: &SearchView<'_, '_>, name: &PackageName, position: usize) -> Option<MetadataSource> {
    if !view.problem.question.follow_dependencies {
        return None;
    }
    view.metadata(name, position)?.as_ref().ok().map(|metadata| metadata.source)
}

/// Returns why a chosen file cannot be part of a solution.
fn unusable_reason(view: &SearchView<'_, '_>, name: &PackageName, position: usize, file: &FileLink) -> Option<Reason> {
    if lacks_hash(view, file) && !preinstalled::is_preinstalled(name, view.problem.target) {
        return Some(Reason::NoHash { pinned: false });
    }
    let needs_build = || matches!(view.metadata(name, position), Some(Err(MetadataUnavailable::NeedsBuild)));
    (view.problem.question.follow_dependencies && needs_build())
        .then(|| Reason::NeedsBuild { file: file.filename.clone() })
}

fn lacks_hash(view: &SearchView<'_, '_>, file: &FileLink) -> bool {
    view.problem.question.require_hashes && file.expected.by_user.is_empty()
}

fn missing_extras(view: &SearchView<'_, '_>, name: &PackageName, position: usize, decided: &Decisions) -> Vec<String> {
    let asked = extras(name, decided);
    if asked.is_empty() {
        return Vec::new();
    }
    let Some(Ok(metadata)) = view.metadata(name, position) else { return Vec::new() };
    let missing = asked.into_iter().filter(|extra| !metadata.extras.contains(extra));
    let version = view.version(name, position).map(|version| format!(" {version}")).unwrap_or_default();
    missing.map(|extra| format!("{name}{version} has no extra `{extra}`")).collect()
}

/// Returns a note if a version has wheel variants (PEP 825), of which other installers may take one.
fn passed_over_variants(view: &SearchView<'_, '_>, name: &PackageName, position: usize) -> Option<String> {
    let PackageSource::Listed(selector) = view.source(name) else { return None };
    let candidates = selector.candidates();
    let variants = candidates.variants(position);
    let version = &candidates.versions()[position];
    (!variants.is_empty()).then(|| {
        let listed = list_first(&variants, 1);
        format!("{name} {version} has wheel variants (PEP 825), which are never chosen here: {listed}")
    })
}

/// Returns a note if the metadata of a version had to be repaired.
fn repaired(view: &SearchView<'_, '_>, name: &PackageName, position: usize) -> Option<String> {
    if !view.problem.question.follow_dependencies {
        return None;
    }
    let Some(Ok(metadata)) = view.metadata(name, position) else { return None };
    let line = metadata.repaired.first()?;
    let version = view.version(name, position).map(|version| format!(" {version}")).unwrap_or_default();
    Some(format!(
        "{name}{version} has the malformed `Requires-Dist: {line}`, for which pip 24.1 and later refuses to install it \
         (uv takes it): pin another version, if pip is to install this"
    ))
}

/// Finds decisions whose reasons are not in the solution.
fn unjustified(view: &SearchView<'_, '_>, decided: &Decisions, graph: &DependencyGraph<'_>) -> Unjustified {
    let demands = graph.demands();
    let mut unjustified = Unjustified::default();
    for name in graph.projects() {
        let demand = demands.get(name);
        if view.assumptions.files.contains_key(name) {
            if demand.is_none_or(|demand| demand.urls.is_empty()) {
                unjustified.files.insert(name.clone());
            }
        } else if !is_admitted(view, name, position(decided, name), demand) {
            unjustified.packages.insert(name.clone());
        }
    }
    unjustified
}

/// Whether a version is allowed by pip's rules on pre-releases and yanked files, which consider
/// everything that is required of a project.
fn is_admitted(
    view: &SearchView<'_, '_>,
    name: &PackageName,
    position: usize,
    demand: Option<&CombinedDemand<'_>>,
) -> bool {
    let PackageSource::Listed(selector) = view.source(name) else { return true };
    let versions = selector.candidates().versions();
    let is_suspect = versions[position].any_prerelease() || selector.is_withdrawn(position);
    if !is_suspect || view.assumptions.strict.contains(name) {
        return true;
    }
    let all = specifiers(view, name, demand);
    let among = positions(&view.allowed(name, &all), versions.len());
    selector.admits(position, &among, OptIn::of(&all))
}

/// Returns the position of the version that was decided for `name`.
pub(super) fn position(decided: &Decisions, name: &PackageName) -> usize {
    decided[&Node::Project(name.clone())] as usize
}
