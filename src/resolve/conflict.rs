//! Explains a proof that there is no solution: first the user's requirements, then what follows
//! from them step by step, then what is missing at the end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pubgrub::{DerivationTree, External};

use super::failure::{Failure, Places, Reason, rejections};
use super::node::{Node, VersionSet, positions};
use super::search_view::{ONLY, PackageSource, SearchView};
use crate::domain::{
    MetadataSource, Origin, PackageName, Remedy, Requirement, ResolutionMetadata, Specifiers, Version,
};
use crate::select::NoFile;

type Derivation = DerivationTree<Node, VersionSet, String>;

/// Explains why `proof` excludes every combination.
pub(super) fn explain(view: &SearchView<'_, '_>, proof: &Derivation) -> Failure {
    let mut facts = ProofFacts::default();
    facts.collect(view, proof);
    let asked = facts.user_lines(view);
    let subject = facts.subject().or_else(|| asked.first()?.name.clone());
    if facts.are_about_one_project() {
        let requirement = asked.first().map_or_else(String::new, ToString::to_string);
        let reason = Reason::Unusable { versions: facts.sentences(view), remedies: facts.remedies(view) };
        return failure(subject, requirement, reason, &asked);
    }
    let sentences = asked.iter().map(|line| format!("{} asks for {line:#}", line.origin));
    let requirement = subject.as_ref().map_or_else(|| "the requirements".to_owned(), ToString::to_string);
    let reason = Reason::Conflict {
        facts: sentences.chain(facts.sentences(view)).collect(),
        projects: facts.projects().into_iter().collect(),
        is_about_files: facts.are_about_files(),
        remedies: facts.remedies(view),
    };
    failure(subject, requirement, reason, &asked)
}

fn failure(package: Option<PackageName>, requirement: String, reason: Reason, asked: &[&Requirement]) -> Failure {
    Failure {
        package,
        requirement,
        reason,
        chain: Vec::new(),
        origins: asked.iter().map(|line| line.origin.clone()).collect::<BTreeSet<Origin>>().into_iter().collect(),
        targets: Vec::new(),
    }
}

/// The facts that a proof depends on; the same fact about several versions is stored once.
#[derive(Default)]
struct ProofFacts {
    asked: BTreeSet<PackageName>,
    /// The versions of the first project that need the second.
    needs: BTreeMap<(Node, PackageName), VersionSet>,
    /// Versions that cannot be used, by project and reason.
    unusable: BTreeMap<(PackageName, String), VersionSet>,
    /// Versions that exist and have files, but none that can be used.
    without_file: BTreeMap<PackageName, VersionSet>,
    /// Projects that do not exist as they are needed: unknown, without a required version, or from
    /// elsewhere.
    missing: BTreeSet<PackageName>,
}

impl ProofFacts {
    fn collect(&mut self, view: &SearchView<'_, '_>, proof: &Derivation) {
        match proof {
            DerivationTree::Derived(derived) => {
                self.collect(view, &derived.cause1);
                self.collect(view, &derived.cause2);
            }
            DerivationTree::External(external) => self.add(view, external),
        }
    }

    fn add(&mut self, view: &SearchView<'_, '_>, external: &External<Node, VersionSet, String>) {
        match external {
            External::NotRoot(..) => {}
            External::NoVersions(node, set) => {
                node.project().into_iter().for_each(|name| self.add_end(view, name, set))
            }
            External::Custom(node, set, why) => {
                let key = node.project().map(|name| (name.clone(), why.clone()));
                add_to(&mut self.unusable, key.as_ref(), set);
            }
            External::FromDependencyOf(Node::Root, _, node, set) => {
                self.asked.extend(node.project().cloned());
                self.missing.extend(node.project().filter(|name| chosen(view, name, set).is_empty()).cloned());
            }
            External::FromDependencyOf(node, set, needed, needed_set) => {
                // An extra and its project go together; nobody needs to be told.
                let other = needed.project().filter(|needed| node.project() != Some(*needed));
                let key = other.map(|needed| (node.clone(), needed.clone()));
                add_to(&mut self.needs, key.as_ref(), set);
                self.missing.extend(other.filter(|name| chosen(view, name, needed_set).is_empty()).cloned());
            }
        }
    }

    fn add_end(&mut self, view: &SearchView<'_, '_>, name: &PackageName, set: &VersionSet) {
        match view.source(name) {
            PackageSource::Listed(selector)
                if !chosen(view, name, set).is_empty() && !selector.candidates().is_unknown() =>
            {
                add_to(&mut self.without_file, Some(name), set);
            }
            PackageSource::Listed(selector) if selector.candidates().versions().is_empty() => {
                self.missing.insert(name.clone());
            }
            _ => {}
        }
    }

    /// Returns all projects in the facts.
    fn projects(&self) -> BTreeSet<PackageName> {
        let needed = self.needs.keys().flat_map(|(node, needed)| [node.project(), Some(needed)]).flatten();
        self.asked.iter().chain(needed).chain(&self.missing).cloned().collect()
    }

    /// Returns the user's lines on these projects, in their order.
    fn user_lines<'q>(&self, view: &SearchView<'_, 'q>) -> Vec<&'q Requirement> {
        let asked = self.asked.iter().filter_map(|name| view.requirements_of(name));
        let projects = self.projects();
        let bounds =
            projects.iter().filter(|name| !self.asked.contains(*name)).filter_map(|name| view.requirements_of(name));
        let bounds = bounds.flat_map(|asked| asked.constraints.iter().copied());
        let mut lines: Vec<_> = asked.flat_map(|asked| asked.all()).chain(bounds).collect();
        lines.sort_by(|a, b| (a.constraint, &a.origin).cmp(&(b.constraint, &b.origin)));
        lines
    }

    /// Whether the only problem is that no version of what the user requires can be used.
    fn are_about_one_project(&self) -> bool {
        self.needs.is_empty() && self.missing.is_empty() && self.asked.len() == 1 && !self.unusable.is_empty()
    }

    fn are_about_files(&self) -> bool {
        !self.without_file.is_empty() || !self.unusable.is_empty()
    }

    fn sentences(&self, view: &SearchView<'_, '_>) -> Vec<String> {
        let depths = self.depths();
        let mut needs: Vec<_> = self.needs.iter().collect();
        needs.sort_by_key(|((node, _), _)| node.project().and_then(|name| depths.get(name)).copied());
        let needs = needs.into_iter().map(|((node, needed), set)| needs_sentence(view, node, set, needed));
        let unusable = self.unusable.iter().map(|((name, why), set)| {
            format!("{} cannot be used: {why}", versions_in(view, &Node::Project(name.clone()), set))
        });
        let missing = self.missing.iter().map(|name| missing(view, name));
        let files = self.without_file.iter().filter_map(|(name, set)| rejected(view, name, set));
        needs.chain(unusable).chain(missing).chain(files.flat_map(|files| rejections(&files))).collect()
    }

    fn remedies(&self, view: &SearchView<'_, '_>) -> BTreeSet<Remedy> {
        let files = self.without_file.iter().filter_map(|(name, set)| rejected(view, name, set)?.remedy());
        let places = self.missing.iter().filter_map(|name| match view.source(name) {
            PackageSource::Listed(selector) => Places::of(selector.candidates()).remedy(),
            _ => None,
        });
        let is_unreliable = self
            .needs
            .iter()
            .any(|((node, _), set)| metadata_of(view, node, set).any(|metadata| metadata.source.is_unreliable()));
        files.chain(places).chain(is_unreliable.then_some(Remedy::AskBuilds)).collect()
    }

    /// Returns how many steps each project is from the user's requirements.
    fn depths(&self) -> BTreeMap<&PackageName, usize> {
        let mut depths: BTreeMap<_, _> = self.asked.iter().map(|name| (name, 0)).collect();
        let mut waiting: Vec<_> = self.asked.iter().collect();
        let mut next = 0;
        while let Some(name) = waiting.get(next).copied() {
            let depth = depths[name] + 1;
            for ((_, needed), _) in self.needs.iter().filter(|((node, _), _)| node.project() == Some(name)) {
                if !depths.contains_key(needed) {
                    depths.insert(needed, depth);
                    waiting.push(needed);
                }
            }
            next += 1;
        }
        depths
    }

    /// Returns the project that the facts are about: one that is missing or unusable, else one that
    /// is needed in two ways, else the last one needed.
    fn subject(&self) -> Option<PackageName> {
        let unusable = self.unusable.keys().map(|(name, _)| name);
        let ends = self.missing.iter().chain(unusable).chain(self.without_file.keys()).next();
        let depths = self.depths();
        let askers = |name: &PackageName| {
            self.needs.keys().filter(|(_, needed)| needed == name).count() + usize::from(self.asked.contains(name))
        };
        let needed = self.needs.keys().map(|(_, needed)| needed);
        let contested = needed.max_by_key(|name| (askers(name) > 1, depths.get(name).copied()));
        ends.or(contested).cloned()
    }
}

fn add_to<Key: Ord + Clone>(facts: &mut BTreeMap<Key, VersionSet>, key: Option<&Key>, set: &VersionSet) {
    if let Some(key) = key {
        facts.entry(key.clone()).and_modify(|known| *known = known.union(set)).or_insert_with(|| set.clone());
    }
}

/// The number of lines about a project that a sentence quotes.
const QUOTED: usize = 3;

fn needs_sentence(view: &SearchView<'_, '_>, node: &Node, set: &VersionSet, needed: &PackageName) -> String {
    let mut lines = VecDeque::new();
    let mut sources = BTreeSet::new();
    for metadata in metadata_of(view, node, set) {
        sources.insert(metadata.source);
        for line in metadata.dependencies.iter().rev().filter(|line| line.name == *needed && holds(view, node, line)) {
            let line = view.quoted(line);
            if !lines.contains(&line) {
                lines.push_front(line);
            }
        }
    }
    let word = if node.project().is_some_and(|name| chosen(view, name, set).len() == 1) { " and " } else { " or " };
    let more = lines.len().saturating_sub(QUOTED);
    let quoted: Vec<_> = lines.into_iter().skip(more).collect();
    let what = if quoted.is_empty() { needed.to_string() } else { quoted.join(word) };
    let others = if more > 0 { format!(" ({more} others for older ones)") } else { String::new() };
    format!("{} needs {what}{others}{}", versions_in(view, node, set), unreliable(&sources))
}

/// Returns the metadata of the versions in `set`, where it is known, newest first.
fn metadata_of<'v>(
    view: &'v SearchView<'_, '_>,
    node: &'v Node,
    set: &VersionSet,
) -> impl Iterator<Item = &'v ResolutionMetadata> {
    let positions = node.project().into_iter().flat_map(|name| chosen(view, name, set));
    positions.filter_map(move |position| view.metadata(node.project()?, position)?.as_deref().ok())
}

/// Returns a phrase such as ` (by its egg-info; a build may say otherwise)` for metadata that builds may contradict.
fn unreliable(sources: &BTreeSet<MetadataSource>) -> String {
    let names: Vec<_> = sources.iter().filter(|source| source.is_unreliable()).map(ToString::to_string).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" (by its {}; a build may say otherwise)", names.join(" or "))
    }
}

fn holds(view: &SearchView<'_, '_>, node: &Node, line: &crate::domain::Dependency) -> bool {
    match node {
        Node::Extra(_, extra) => view.holds(line, std::slice::from_ref(extra)),
        _ => view.holds(line, &[]),
    }
}

/// Returns the positions in `set` that exist, newest first.
fn chosen(view: &SearchView<'_, '_>, name: &PackageName, set: &VersionSet) -> Vec<usize> {
    match view.source(name) {
        PackageSource::Listed(selector) => positions(set, selector.candidates().versions().len()),
        PackageSource::Direct(_) => positions(set, 1),
        PackageSource::Pending => vec![ONLY],
    }
}

/// Returns a phrase such as `flask 3.0.3`, `flask 2.0 to 3.0.3` or `every version of flask`.
fn versions_in(view: &SearchView<'_, '_>, node: &Node, set: &VersionSet) -> String {
    let Some(name) = node.project() else { return node.to_string() };
    let chosen = chosen(view, name, set);
    let total = match view.source(name) {
        PackageSource::Listed(selector) => selector.candidates().versions().len(),
        _ => 1,
    };
    let versions: Vec<_> = chosen.iter().filter_map(|position| view.version(name, *position)).collect();
    match versions.as_slice() {
        [] => node.to_string(),
        [only] => format!("{node} {only}"),
        all if all.len() == total => format!("every version of {node}"),
        [newer, older] => format!("{node} {older} and {newer}"),
        [newest, .., oldest] if chosen[0] - chosen[chosen.len() - 1] == chosen.len() - 1 => {
            format!("{node} {oldest} to {newest}")
        }
        [newest, .., oldest] => format!("{node} {oldest} to {newest} ({} of these versions)", versions.len()),
    }
}

/// Returns a sentence about what exists of a project instead of what is needed.
fn missing(view: &SearchView<'_, '_>, name: &PackageName) -> String {
    match view.source(name) {
        PackageSource::Direct(direct) => {
            let named_by = direct.named_by.as_ref().map(|version| format!(", which {version} names"));
            format!("{name} comes from {} alone{}", direct.link.url, named_by.unwrap_or_default())
        }
        PackageSource::Pending => format!("{name} is not known"),
        PackageSource::Listed(selector) => match selector.candidates().versions() {
            [] => format!("{name}: {}", Reason::of_selector(&selector, &[], &Specifiers::any())),
            [only] => format!("the only version of {name} is {only}{}", Places::of(selector.candidates())),
            versions => {
                format!("the versions of {name} are {}{}", newest(versions), Places::of(selector.candidates()))
            }
        },
    }
}

/// Returns a phrase such as `1.0, 1.1, 1.2`, or `1.7, 1.8, 1.9 and 17 older ones`.
fn newest(versions: &[Version]) -> String {
    let newest: Vec<_> = versions.iter().rev().take(QUOTED).rev().map(ToString::to_string).collect();
    match versions.len() - newest.len() {
        0 => newest.join(", "),
        older => format!("{} and {older} older ones", newest.join(", ")),
    }
}

/// Returns why suitable versions have no suitable file.
fn rejected(view: &SearchView<'_, '_>, name: &PackageName, set: &VersionSet) -> Option<NoFile> {
    match view.source(name) {
        PackageSource::Listed(selector) => Some(selector.why_none(&chosen(view, name, set))),
        _ => None,
    }
}
