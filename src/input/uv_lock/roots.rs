//! The roots of a uv.lock: the packages that it was made for, with what can be chosen of them.

use std::collections::BTreeSet;

use super::graph::Node;
use super::project::Project;
use super::schema;
use crate::domain::{AvailableGroups, ExtraName, GroupName, MemberSelection};
use crate::input::locking::Fault;

/// Returns the packages from which dependencies are followed, and maybe a warning.
///
/// # Errors
/// When the file does not tell which they are.
pub fn roots(
    document: &schema::Document,
    project: Option<&Project>,
    selected: &MemberSelection,
) -> Result<(Vec<usize>, Option<String>), Fault> {
    let packages = || document.package.iter().map(|package| package.get_ref()).enumerate();
    let manifest = &document.manifest;
    let is_script = manifest.members.is_empty() && !manifest.requirements.is_empty();
    if document.package.is_empty() || is_script {
        return Ok((Vec::new(), None));
    }
    let members = || packages().filter(|(_, package)| manifest.members.contains(&package.name));
    let positions = |found: &mut dyn Iterator<Item = (usize, &schema::Package)>| -> Vec<_> {
        found.map(|(position, _)| position).collect()
    };
    match selected {
        MemberSelection::Named(named) => {
            let members = members_of(document);
            let is_named = |package: &schema::Package| {
                members.contains(&package.name.as_str()) && named.iter().any(|name| package.name == name.as_ref())
            };
            return Ok((positions(&mut packages().filter(|(_, package)| is_named(package))), None));
        }
        MemberSelection::All if !manifest.members.is_empty() => return Ok((positions(&mut members()), None)),
        MemberSelection::All | MemberSelection::Root => {}
    }
    match project.map(|project| &project.name) {
        Some(Some(name)) => {
            let found = positions(&mut packages().filter(|(_, package)| package.name == name.as_ref()));
            match found.is_empty() {
                false => Ok((found, None)),
                true => {
                    Err(format!("it is not the lock of {name}, which pyproject.toml beside it names: run `uv lock`"))
                }
            }
        }
        Some(None) => Ok((positions(&mut members()), None)),
        None => {
            let top = positions(&mut packages().filter(|(_, package)| is_top(&package.source)));
            let found = if top.is_empty() { positions(&mut members()) } else { top };
            let warning = "there is no pyproject.toml beside it: uv's usual default group, `dev`, is taken";
            match found.is_empty() {
                false => Ok((found, Some(warning.to_owned()))),
                true => Err("there is no pyproject.toml beside it that says which project it is of".to_owned()),
            }
        }
    }
}

/// Returns the extras and groups that can be chosen of the roots, and the members of the workspace.
pub fn available<'g>(
    document: &schema::Document,
    project: Option<&Project>,
    roots: &[usize],
    nodes: &[Node],
    manifest_groups: impl Iterator<Item = &'g GroupName>,
) -> AvailableGroups {
    let mut extras: BTreeSet<ExtraName> = BTreeSet::new();
    let mut groups: BTreeSet<GroupName> = manifest_groups.cloned().collect();
    for root in roots {
        let metadata = document.package[*root].get_ref().metadata.iter();
        extras.extend(nodes[*root].extras.keys().cloned());
        extras.extend(metadata.clone().flat_map(|known| &known.provides_extras).filter_map(|name| name.parse().ok()));
        groups.extend(nodes[*root].groups.keys().cloned());
        groups.extend(metadata.flat_map(|known| known.requires_dev.keys()).filter_map(|name| name.parse().ok()));
    }
    extras.extend(project.into_iter().flat_map(|project| project.extras.iter().cloned()));
    groups.extend(project.into_iter().flat_map(|project| project.groups.iter().cloned()));
    let default = project.map(|project| project.default_groups.clone()).unwrap_or_default();
    let default_groups = default.among(&groups);
    let members = members_of(document).into_iter().filter_map(|name| name.parse().ok()).collect();
    AvailableGroups { extras, groups, default_groups, members, ..AvailableGroups::default() }
}

/// Returns the members of the workspace; without one, the project is the only member.
fn members_of(document: &schema::Document) -> Vec<&str> {
    let listed: Vec<_> = document.manifest.members.iter().map(String::as_str).collect();
    let packages = document.package.iter().map(|package| package.get_ref());
    let top = packages.filter(|package| listed.is_empty() && is_top(&package.source));
    let top: Vec<_> = top.map(|package| package.name.as_str()).collect();
    [listed, top].concat()
}

/// Whether a source is the folder of the lock.
fn is_top(source: &schema::Source) -> bool {
    [&source.editable, &source.r#virtual, &source.directory].into_iter().flatten().any(|folder| folder == ".")
}
