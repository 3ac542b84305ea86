//! The extras, dependency groups and workspace members of a project: those that exist, are
//! requested, and are selected.

use std::collections::BTreeSet;

use super::{ExtraName, GroupName, PackageName, list_first};

/// The members of a workspace whose dependencies are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MemberSelection {
    /// The project in whose folder the lock is.
    #[default]
    Root,
    All,
    Named(BTreeSet<PackageName>),
}

/// The extras and dependency groups (PEP 735) that the user requests, named as in uv.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSelection {
    pub extras: BTreeSet<ExtraName>,
    pub all_extras: bool,
    pub groups: BTreeSet<GroupName>,
    pub all_groups: bool,
    /// Whether the groups are left out that the project's tool takes by default.
    pub no_default_groups: bool,
    /// The groups to take instead of the project itself.
    pub only_groups: BTreeSet<GroupName>,
    pub members: MemberSelection,
}

/// The extras and dependency groups that a project has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AvailableGroups {
    pub extras: BTreeSet<ExtraName>,
    pub groups: BTreeSet<GroupName>,
    /// The extras that the project's tool takes if none is requested.
    pub default_extras: BTreeSet<ExtraName>,
    /// The groups that the project's tool takes if none is requested.
    pub default_groups: BTreeSet<GroupName>,
    /// The members of the workspace, each of which can be taken in the place of the project.
    pub members: BTreeSet<PackageName>,
}

/// The extras and dependency groups that are selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectedGroups {
    /// Whether the project's own dependencies are taken, too.
    pub project: bool,
    pub extras: BTreeSet<ExtraName>,
    pub groups: BTreeSet<GroupName>,
    pub members: MemberSelection,
}

/// The error for an extra, a group or a member that the project does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {kind} `{name}`{}", suggestion(kind, nearest.as_deref(), known))]
pub struct UnknownGroup {
    /// The kind: `extra`, `group` or `member`.
    pub kind: &'static str,
    pub name: String,
    pub nearest: Option<String>,
    /// Every name that exists.
    pub known: Vec<String>,
}

/// The number of known names that an error lists.
const MOST_KNOWN: usize = 12;

/// Returns the end of the message: the name that was probably meant, or those that exist.
fn suggestion(kind: &str, nearest: Option<&str>, known: &[String]) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None if known.is_empty() => format!(": there are no {kind}s at all"),
        None if known.len() == 1 => format!("; there is {}", known[0]),
        None => format!("; there are {}", list_first(known, MOST_KNOWN)),
    }
}

impl GroupSelection {
    /// Whether nothing is requested, so that the defaults apply.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Returns what is selected from what is `available`.
    ///
    /// # Errors
    /// When names are unknown; all of them.
    pub fn select(&self, available: &AvailableGroups) -> Result<SelectedGroups, Vec<UnknownGroup>> {
        let groups = self.groups.iter().chain(&self.only_groups);
        let members = match &self.members {
            MemberSelection::Root | MemberSelection::All => None,
            MemberSelection::Named(members) => Some(members),
        };
        let unknown: Vec<_> = unknown("extra", self.extras.iter(), &available.extras)
            .chain(unknown("group", groups, &available.groups))
            .chain(unknown("member", members.into_iter().flatten(), &available.members))
            .collect();
        if unknown.is_empty() { Ok(self.select_known(available)) } else { Err(unknown) }
    }

    fn select_known(&self, available: &AvailableGroups) -> SelectedGroups {
        let mut groups = &self.groups | &self.only_groups;
        if self.all_groups {
            groups.extend(available.groups.iter().cloned());
        }
        if !self.only_groups.is_empty() {
            let members = self.members.clone();
            return SelectedGroups { project: false, extras: BTreeSet::new(), groups, members };
        }
        let mut extras = self.extras.clone();
        if self.all_extras {
            extras.extend(available.extras.iter().cloned());
        }
        if !self.no_default_groups {
            groups.extend(available.default_groups.iter().cloned());
            extras.extend(available.default_extras.iter().cloned());
        }
        SelectedGroups { project: true, extras, groups, members: self.members.clone() }
    }
}

fn unknown<'a, T: AsRef<str> + Ord + 'a>(
    kind: &'static str,
    asked: impl Iterator<Item = &'a T>,
    known: &'a BTreeSet<T>,
) -> impl Iterator<Item = UnknownGroup> {
    let names = || known.iter().map(|name| name.as_ref().to_owned());
    asked.filter(|name| !known.contains(*name)).map(move |name| UnknownGroup {
        kind,
        name: name.as_ref().to_owned(),
        nearest: nearest(name.as_ref(), names()),
        known: names().collect(),
    })
}

/// Returns the known name of which `name` is a likely misspelling.
fn nearest(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let (distance, nearest) = known.map(|known| (strsim::osa_distance(name, &known), known)).min()?;
    (distance <= 1 + name.len() / 4 && distance < name.len()).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<T: std::str::FromStr + Ord>(text: &str) -> BTreeSet<T> {
        text.split_whitespace().filter_map(|name| name.parse().ok()).collect()
    }

    fn available() -> AvailableGroups {
        let (extras, groups) = (names("cli http"), names("dev docs test"));
        let members = names("app server");
        AvailableGroups { extras, groups, default_groups: names("dev"), members, ..AvailableGroups::default() }
    }

    #[test]
    fn defaults_are_taken_unless_refused() {
        let asked = GroupSelection { groups: names("docs"), all_extras: true, ..GroupSelection::default() };
        let taken = asked.select(&available()).unwrap();
        let (extras, groups) = (names("cli http"), names("dev docs"));
        assert_eq!(taken, SelectedGroups { project: true, extras, groups, ..SelectedGroups::default() });
        let without = GroupSelection { no_default_groups: true, ..asked };
        assert_eq!(without.select(&available()).unwrap().groups, names("docs"));
        let only = GroupSelection { only_groups: names("test"), ..GroupSelection::default() };
        let taken = only.select(&available()).unwrap();
        assert_eq!(taken, SelectedGroups { groups: names("test"), ..SelectedGroups::default() });
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest() {
        let told = |asked: GroupSelection| asked.select(&available()).unwrap_err()[0].to_string();
        let asked = GroupSelection { groups: names("dosc"), ..GroupSelection::default() };
        assert_eq!(told(asked), "there is no group `dosc`; did you mean `docs`?");
        let asked = GroupSelection { extras: names("postgresql"), ..GroupSelection::default() };
        assert_eq!(told(asked), "there is no extra `postgresql`; there are cli, http");
        let many: Vec<_> = (10..30).map(|number| format!("extra{number}")).collect();
        for (known, told) in [("vllm", "; there is vllm"), (&many.join(" "), "extra20, extra21 and 8 more")] {
            let available = AvailableGroups { extras: names(known), ..AvailableGroups::default() };
            let asked = GroupSelection { extras: names("postgresql"), ..GroupSelection::default() };
            assert!(asked.select(&available).unwrap_err()[0].to_string().ends_with(told), "{known}");
        }
        let asked = MemberSelection::Named(names("servr"));
        let asked = GroupSelection { members: asked, ..GroupSelection::default() };
        assert_eq!(told(asked), "there is no member `servr`; did you mean `server`?");
    }
}
