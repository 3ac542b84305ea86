//! A proof that there is no solution, as sentences.

use std::collections::BTreeSet;

use pubgrub::{DerivationTree, External};

use super::explain::{Failure, Reason};
use super::node::{Node, Set, positions};
use super::view::{Stock, View};
use crate::domain::{PackageName, Version};

type Tree = DerivationTree<Node, Set, String>;

/// The chain of facts that rules out every combination.
pub(super) fn explain(view: &View<'_>, mut tree: Tree) -> Failure {
    tree.collapse_no_versions();
    let mut facts = Vec::new();
    let mut origins = BTreeSet::new();
    collect(view, &tree, &mut facts, &mut origins);
    facts.dedup();
    let mut seen = BTreeSet::new();
    facts.retain(|fact| seen.insert(fact.clone()));
    let subject = subject(&tree);
    Failure {
        package: subject.clone(),
        requirement: subject.map_or_else(|| "the requirements".to_owned(), |name| name.to_string()),
        reason: Reason::Conflict { facts, projects: projects(&tree) },
        origins: origins.into_iter().collect(),
        targets: Vec::new(),
    }
}

/// Facts in the order of the proof: what the user asked comes before what follows from it.
fn collect(view: &View<'_>, tree: &Tree, facts: &mut Vec<String>, origins: &mut BTreeSet<crate::domain::Origin>) {
    match tree {
        DerivationTree::Derived(derived) => {
            collect(view, &derived.cause1, facts, origins);
            collect(view, &derived.cause2, facts, origins);
        }
        DerivationTree::External(external) => facts.extend(sentences(view, external, origins)),
    }
}

fn sentences(
    view: &View<'_>,
    external: &External<Node, Set, String>,
    origins: &mut BTreeSet<crate::domain::Origin>,
) -> Vec<String> {
    match external {
        External::NotRoot(..) => Vec::new(),
        External::NoVersions(node, set) => {
            node.project().map(|name| no_versions(view, name, set)).into_iter().collect()
        }
        External::Custom(node, set, why) => vec![format!("{} cannot be used: {why}", subject_in(view, node, set))],
        External::FromDependencyOf(Node::Root, _, node, _) => {
            let asked = node.project().and_then(|name| view.asked.get(name));
            let lines = asked.into_iter().flat_map(|asked| asked.requirements.iter().chain(&asked.constraints));
            lines
                .map(|requirement| {
                    origins.insert(requirement.origin.clone());
                    format!("{} asks for {requirement}", requirement.origin)
                })
                .collect()
        }
        // An extra and its project go together; nobody needs to be told.
        External::FromDependencyOf(Node::Extra(one, _), _, Node::Project(other), _) if one == other => Vec::new(),
        External::FromDependencyOf(node, set, needed, _) => {
            dependency_sentence(view, node, set, needed).into_iter().collect()
        }
    }
}

fn dependency_sentence(view: &View<'_>, node: &Node, set: &Set, needed: &Node) -> Option<String> {
    let (name, needed) = (node.project()?, needed.project()?);
    let lines: BTreeSet<_> = chosen(view, name, set)
        .into_iter()
        .filter_map(|position| view.needs(name, position)?.as_ref().ok())
        .flat_map(|needs| needs.dependencies.iter().filter(|dependency| dependency.name == *needed))
        .map(ToString::to_string)
        .collect();
    let lines: Vec<_> = lines.into_iter().collect();
    let what = if lines.is_empty() { needed.to_string() } else { lines.join(" or ") };
    Some(format!("{} needs {what}", subject_in(view, node, set)))
}

/// Positions of `set` that exist, newest first.
fn chosen(view: &View<'_>, name: &PackageName, set: &Set) -> Vec<usize> {
    match view.stock(name) {
        Stock::Listed(shelf) => positions(set, shelf.offers().versions().len()),
        _ => vec![super::view::ONLY],
    }
}

/// `flask 3.0.3`, `flask 2.0 to 3.0.3`, `flask`.
fn subject_in(view: &View<'_>, node: &Node, set: &Set) -> String {
    let Some(name) = node.project() else { return node.to_string() };
    let versions: Vec<Version> =
        chosen(view, name, set).into_iter().filter_map(|position| view.version(name, position)).collect();
    let total = match view.stock(name) {
        Stock::Listed(shelf) => shelf.offers().versions().len(),
        _ => 1,
    };
    match versions.as_slice() {
        [] => node.to_string(),
        [only] => format!("{node} {only}"),
        all if all.len() == total => format!("every version of {node}"),
        [newest, .., oldest] => format!("{node} {oldest} to {newest}"),
    }
}

fn no_versions(view: &View<'_>, name: &PackageName, set: &Set) -> String {
    match view.stock(name) {
        Stock::Listed(shelf) => {
            let matching = chosen(view, name, set);
            let specifiers = view.asked.get(name).map(|asked| asked.specifiers()).unwrap_or_default();
            if matching.is_empty() && !shelf.offers().is_unknown() {
                return format!("no version of {name} satisfies all of them");
            }
            format!("{name}: {}", Reason::of_shelf(&shelf, &matching, &specifiers))
        }
        Stock::Direct(direct) => format!("{name} comes from {} alone", direct.offer.url),
        Stock::Unknown => format!("{name} is not known"),
    }
}

/// All projects of the proof, sorted.
fn projects(tree: &Tree) -> Vec<PackageName> {
    let projects: BTreeSet<_> = tree.packages().into_iter().filter_map(Node::project).cloned().collect();
    projects.into_iter().collect()
}

/// The project that the last facts of the proof are about.
fn subject(tree: &Tree) -> Option<PackageName> {
    match tree {
        DerivationTree::Derived(derived) => subject(&derived.cause1).or_else(|| subject(&derived.cause2)),
        DerivationTree::External(External::NoVersions(node, _) | External::Custom(node, ..)) => node.project().cloned(),
        DerivationTree::External(External::FromDependencyOf(_, _, node, _)) => node.project().cloned(),
        DerivationTree::External(External::NotRoot(..)) => None,
    }
}
